-- Wrong codes of a number on one day (UTC). A row is also the lock under which verifications of its number begin.
CREATE TABLE number_days (
    -- HMAC of the number under a key of its own: the rows are purged daily, so no pepper changes under them.
    number_tag BYTEA PRIMARY KEY,
    -- Days since 1970.
    day BIGINT NOT NULL,
    wrong_codes BIGINT NOT NULL
);
