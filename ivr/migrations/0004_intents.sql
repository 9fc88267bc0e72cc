-- What was about to be signed. One without result after a crash is void: its serial goes onto the revocation list.
CREATE TABLE intents (
    -- The serial number, hexadecimal.
    serial TEXT PRIMARY KEY,
    -- tel, email.
    issuing TEXT NOT NULL,
    -- SHA-256 of the part that is signed.
    tbs_sha256 BYTEA NOT NULL,
    -- What it is issued for: verification:… or order:….
    cause TEXT NOT NULL,
    -- open, done, void.
    state TEXT NOT NULL,
    at BIGINT NOT NULL
);
-- Nobody signs twice at once for one cause.
CREATE UNIQUE INDEX intents_open ON intents (cause) WHERE state = 'open';
