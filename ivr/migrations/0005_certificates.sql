-- Issued certificates. A certificate names a number or a mailbox, so its octets are encrypted.
CREATE TABLE certificates (
    serial TEXT PRIMARY KEY,
    -- tel, email.
    issuing TEXT NOT NULL,
    -- HMAC of tel:… or mailto:… under the pepper of that epoch.
    identity_hash BYTEA NOT NULL,
    pepper_epoch BIGINT NOT NULL,
    identity_sealed BYTEA NOT NULL,
    -- Of a number: ISO country and last four digits.
    country TEXT,
    last4 TEXT,
    -- 0 to 4.
    level BIGINT NOT NULL,
    certificate_sealed BYTEA NOT NULL,
    spki_sha256 BYTEA NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    -- What it was issued for: verification:… or order:…. One certificate each.
    cause TEXT NOT NULL UNIQUE,
    -- The sealed proof of the call: evidence of the issue.
    proof TEXT,
    -- 1 until revoked or superseded.
    live BIGINT NOT NULL
);
-- One live certificate an identity.
CREATE UNIQUE INDEX certificates_live ON certificates (identity_hash) WHERE live = 1;
CREATE INDEX certificates_identity ON certificates (identity_hash, issued_at);
CREATE INDEX certificates_page ON certificates (issued_at, serial);
CREATE INDEX certificates_key ON certificates (spki_sha256);
