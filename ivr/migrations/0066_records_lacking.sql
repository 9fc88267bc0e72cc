-- What the directory lacks comes before what it may forget: each is found by an index of its own, also when all are due.
CREATE INDEX records_lacking ON records (due_at) WHERE due_at IS NOT NULL AND published_version <> version;
