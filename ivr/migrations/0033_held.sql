-- A key that is proved, but waits: another key was certified for the number lately (docs/protocol.md, "A change of key").
-- Of a verification in the state `held`, and kept when that is over. Since when it waits, and until when.
ALTER TABLE verifications ADD COLUMN held_since BIGINT;
ALTER TABLE verifications ADD COLUMN held_until BIGINT;
-- SHA-256 of the key's subjectPublicKeyInfo.
ALTER TABLE verifications ADD COLUMN held_key BYTEA;
-- The level of its proof, 1 to 4.
ALTER TABLE verifications ADD COLUMN held_level BIGINT;
-- The serial number of the number's newest certificate, beside which it is shown.
ALTER TABLE verifications ADD COLUMN held_against TEXT;
CREATE INDEX verifications_held ON verifications (held_against) WHERE state = 'held';
