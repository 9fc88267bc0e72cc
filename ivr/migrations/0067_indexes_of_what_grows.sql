-- A certificate is joined with its record, and a record is changed by its certificate: there are as many as certificates.
CREATE INDEX records_serial ON records (serial);
-- What is proved and has no result is looked for once a minute; and /metrics counts them all.
CREATE INDEX verifications_state ON verifications (state, live_until);
