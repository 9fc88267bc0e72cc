-- When what is listed beside a certificate changed last (Unix milliseconds), and the how manieth change of that day (UTC) it was:
-- no nonce from before it counts, and there are few a day.
ALTER TABLE certificates ADD COLUMN location_changed_at BIGINT;
ALTER TABLE certificates ADD COLUMN location_changes BIGINT NOT NULL DEFAULT 0;
