-- Keys that were revoked as compromised: they are never certified again.
CREATE TABLE blocked_keys (
    -- SHA-256 of the subjectPublicKeyInfo.
    spki_sha256 BYTEA PRIMARY KEY,
    at BIGINT NOT NULL
);
