-- Verifications: from the form to the certificate (docs/protocol.md, steps 1 to 7). Times are Unix milliseconds.
CREATE TABLE verifications (
    -- 16 random octets.
    id BYTEA PRIMARY KEY,
    -- SHA-256 of the secret that opens it.
    secret_sha256 BYTEA NOT NULL,
    -- HMAC of tel:+… under the pepper of that epoch: what look-ups compare.
    number_hash BYTEA NOT NULL,
    pepper_epoch BIGINT NOT NULL,
    -- The number, encrypted.
    number_sealed BYTEA NOT NULL,
    -- ISO country and last four digits, which lists may show.
    country TEXT NOT NULL,
    last4 TEXT NOT NULL,
    -- HMAC of the /24 or /56 that asked: enough to count, nothing to read.
    source_tag BYTEA NOT NULL,
    -- HMAC of number and code; the code encrypted, for its own page.
    code_hash BYTEA NOT NULL,
    code_sealed BYTEA NOT NULL,
    -- The PKCS#10 as it came, encrypted (a request may name somebody); NULL if a signed result is wanted.
    request_sealed BYTEA,
    -- 1 if a record goes into the DHT.
    publish BIGINT NOT NULL,
    locale TEXT NOT NULL,
    -- waiting, calling, read-back, issuing, issued, voided, expired, failed.
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Until when the code may be keyed in.
    expires_at BIGINT NOT NULL,
    -- Until when a call or a read-back keeps it alive, at least expires_at.
    live_until BIGINT NOT NULL,
    -- Wrong codes that calls of this number may still key in.
    code_tries_left BIGINT NOT NULL,
    -- What the call proved, sealed by the proof key.
    proof TEXT,
    -- HMAC of verification and digits that the voice read.
    read_back_hash BYTEA,
    read_back_until BIGINT,
    -- Wrong read-backs that the page may still post.
    read_backs_left BIGINT NOT NULL,
    -- The certificate's serial number.
    serial TEXT,
    -- The signed result (JWS), encrypted: it names the number.
    result_sealed BYTEA,
    -- Why it failed, as a sentence for the page.
    failure TEXT,
    -- How many lines `happenings` has of it.
    happenings BIGINT NOT NULL
);
-- A code opens one live verification of a number.
CREATE UNIQUE INDEX verifications_code ON verifications (number_hash, code_hash)
    WHERE state IN ('waiting', 'calling', 'read-back');
CREATE INDEX verifications_number ON verifications (number_hash, state);
CREATE INDEX verifications_source ON verifications (source_tag, live_until);
CREATE INDEX verifications_created ON verifications (created_at);
