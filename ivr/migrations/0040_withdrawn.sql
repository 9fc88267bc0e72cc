-- When the owner last withdrew the consent to publish (Unix milliseconds); NULL if never. What its key signed for with an
-- older nonce publishes nothing any more.
ALTER TABLE records ADD COLUMN withdrawn_at BIGINT;
