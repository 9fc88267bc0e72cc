-- What the holder of the number's last certificate signed so that the key of this verification need not wait (base64). It is
-- looked at once the number is proved.
ALTER TABLE verifications ADD COLUMN old_key_signature TEXT;
