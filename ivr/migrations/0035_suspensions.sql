-- How often calls of a number suspended its certificates on that day: a budget of its own, beside that of wrong codes.
ALTER TABLE number_days ADD COLUMN suspensions BIGINT NOT NULL DEFAULT 0;
