-- The suite that protected the media of a call (SRTP), such as AES_CM_128_HMAC_SHA1_80; NULL if any of it could be in the clear.
ALTER TABLE calls ADD COLUMN srtp TEXT;
-- Packets that were not authentic, or came again, where they had to be protected; NULL before this column.
ALTER TABLE calls ADD COLUMN packets_unauthentic BIGINT;
