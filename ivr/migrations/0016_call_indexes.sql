-- Only rows that are looked for by them: most calls are over, and led to no verification.
DROP INDEX calls_live;
CREATE INDEX calls_live ON calls (node) WHERE outcome = 'live';
DROP INDEX calls_verification;
CREATE INDEX calls_verification ON calls (verification) WHERE verification IS NOT NULL;
