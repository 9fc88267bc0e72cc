-- Signed identities that completed a verification: none does twice. Kept for longer than one is fresh and a call lasts.
CREATE TABLE served_passports (
    -- SHA-256 of what is signed.
    token BYTEA PRIMARY KEY,
    at BIGINT NOT NULL
);
