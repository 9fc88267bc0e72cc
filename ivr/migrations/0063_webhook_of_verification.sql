-- The endpoint that its starter named, to which its events go whole.
ALTER TABLE verifications ADD COLUMN webhook BYTEA;
-- Whose time may be over although the row does not say so, and somebody wants to hear of it.
CREATE INDEX verifications_open ON verifications (live_until) WHERE state IN ('waiting', 'calling', 'read-back') AND webhook IS NOT NULL;
