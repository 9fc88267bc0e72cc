-- The four digits that the voice says before the read-back, encrypted, of a verification that an app began for its key; NULL of
-- others (docs/protocol.md, "The key check").
ALTER TABLE verifications ADD COLUMN key_check_sealed BYTEA;
