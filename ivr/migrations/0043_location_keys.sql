-- The keys that a certificate's owner listed beside it: the Ed25519 key of their location records, and perhaps the X25519 key
-- to which friends encrypt. 32 or 64 octets, encrypted.
ALTER TABLE certificates ADD COLUMN location_keys_sealed BYTEA;
-- Keyed hash of the location key, by which the gateway knows whose slots it serves.
ALTER TABLE certificates ADD COLUMN location_tag BYTEA;
CREATE INDEX certificates_location ON certificates (location_tag) WHERE location_tag IS NOT NULL;
