-- When the nonce was given with which the location keys of a verification were signed (Unix milliseconds): what the key said
-- about them since then counts. Of a row that was begun by an earlier version, created_at is taken.
ALTER TABLE verifications ADD COLUMN location_asked_at BIGINT;
