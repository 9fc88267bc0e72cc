-- Serials that are no longer good, void intents among them.
CREATE TABLE revocations (
    serial TEXT PRIMARY KEY,
    -- tel, email.
    issuing TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- The code of RFC 5280 5.3.1.
    reason BIGINT NOT NULL,
    -- When the certificate would have ended: afterwards the list need not name it.
    listed_until BIGINT NOT NULL
);
CREATE INDEX revocations_listed ON revocations (issuing, listed_until);
-- The present list of each intermediate.
CREATE TABLE revocation_lists (
    -- tel, email.
    issuing TEXT PRIMARY KEY,
    -- Grows with every list (RFC 5280 5.2.3); 0 before the first.
    number BIGINT NOT NULL,
    -- Grows with every revocation.
    revocations BIGINT NOT NULL,
    -- How many of them the list below knows: if fewer, it is stale.
    listed BIGINT NOT NULL,
    der BYTEA,
    made_at BIGINT NOT NULL,
    next_at BIGINT NOT NULL
);
INSERT INTO revocation_lists (issuing, number, revocations, listed, made_at, next_at) VALUES ('tel', 0, 0, 0, 0, 0);
INSERT INTO revocation_lists (issuing, number, revocations, listed, made_at, next_at) VALUES ('email', 0, 0, 0, 0, 0);
