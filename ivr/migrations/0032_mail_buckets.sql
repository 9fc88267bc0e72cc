-- What the limits of mails count by: a mailbox, a domain, a network, everything. A row is a lock.
CREATE TABLE mail_buckets (
    -- HMAC of the kind and its value.
    tag BYTEA PRIMARY KEY,
    -- When it was last looked at.
    touched_at BIGINT NOT NULL
);
-- One row for each use of a bucket; none is needed for longer than the longest limit looks back.
CREATE TABLE mail_uses (
    tag BYTEA NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX mail_uses_tag ON mail_uses (tag, at);
CREATE INDEX mail_uses_at ON mail_uses (at);
