-- Who did what. Rows chain over salted commitments, so that erasing a row's words leaves the chain verifiable.
CREATE TABLE audit (
    -- Counts from 1 without gaps.
    number BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    -- Who: an operator, or the part of the service. NULL once erased.
    actor TEXT,
    -- What: issue, supersede, revoke, void.
    action TEXT,
    -- The certificate's serial number.
    subject TEXT,
    -- 16 random octets; NULL once erased.
    salt BYTEA,
    -- SHA-256 of salt and words.
    commitment BYTEA NOT NULL,
    -- SHA-256 of the chain before and this commitment.
    chain BYTEA NOT NULL
);
CREATE INDEX audit_subject ON audit (subject);
-- The end of the chain, and the lock under which it grows.
CREATE TABLE audit_head (
    -- Always 1.
    id BIGINT PRIMARY KEY,
    number BIGINT NOT NULL,
    -- 32 octets; NULL before the first row.
    chain BYTEA
);
INSERT INTO audit_head (id, number) VALUES (1, 0);
