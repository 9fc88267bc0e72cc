-- HMAC of the /16 or /32 that the network which asked lies in: who has many networks of it is told from a crowd. NULL of what an
-- earlier version began, which is over within half an hour.
ALTER TABLE verifications ADD COLUMN provider_tag BYTEA;
