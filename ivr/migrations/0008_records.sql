-- The outbox: one row an identity, what the directory is to say of it and what it says. The row is also the lock under
-- which the identity's certificates change.
CREATE TABLE records (
    identity_hash BYTEA PRIMARY KEY,
    pepper_epoch BIGINT NOT NULL,
    identity_sealed BYTEA NOT NULL,
    -- The slow hash of the identity, encrypted; NULL before the first record.
    derived_sealed BYTEA,
    -- valid, revoked, or NULL if the directory is to say nothing.
    wanted TEXT,
    -- The certificate that it is about, and its dates.
    serial TEXT,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    -- Who waits to hear that it is published: verification:… or order:….
    cause TEXT,
    -- Grows with every change of what is wanted.
    version BIGINT NOT NULL,
    -- The version that the directory has; 0 before the first.
    published_version BIGINT NOT NULL,
    -- The last sequence number that was used, before the put: it is never used twice. 0 before the first.
    seq BIGINT NOT NULL,
    -- When to put it, next or again; NULL if there is nothing to do.
    due_at BIGINT,
    -- Failed puts since the last that succeeded, and why.
    attempts BIGINT NOT NULL,
    last_error TEXT,
    -- What lies in the directory.
    slot TEXT,
    bytes BIGINT,
    backends TEXT,
    published_at BIGINT
);
CREATE INDEX records_due ON records (due_at);
