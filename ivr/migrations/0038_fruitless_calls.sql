-- Calls of the number that were answered on that day and ended without a right code: each costs, and a few are enough.
ALTER TABLE number_days ADD COLUMN fruitless_calls BIGINT NOT NULL DEFAULT 0;
