-- The keys that are to be listed beside the certificate of a verification, as both keys signed when it began: the Ed25519 key of
-- the owner's location records, and perhaps the X25519 key to which friends encrypt. 32 or 64 octets, encrypted.
ALTER TABLE verifications ADD COLUMN location_keys_sealed BYTEA;
