-- The console's people. Times are Unix milliseconds.
CREATE TABLE operators (
    name TEXT PRIMARY KEY,
    -- argon2id, as a PHC string.
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
