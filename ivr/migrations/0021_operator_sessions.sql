-- Who is logged in, and links that log somebody in once.
CREATE TABLE operator_sessions (
    -- SHA-256 of the cookie.
    token_sha256 BYTEA PRIMARY KEY,
    operator TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE operator_links (
    -- SHA-256 of the token in the link; spent, the row is gone.
    token_sha256 BYTEA PRIMARY KEY,
    operator TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
