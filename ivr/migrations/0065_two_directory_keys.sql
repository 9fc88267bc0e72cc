-- The slow hash under the directory key that gives way to another, encrypted: while records are put under both, derived_sealed is
-- the one under the newer. NULL if there was never but one.
ALTER TABLE records ADD COLUMN outgoing_derived_sealed BYTEA;
