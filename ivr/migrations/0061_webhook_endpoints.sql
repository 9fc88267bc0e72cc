-- Where events of verifications are posted (docs/adr/0020-webhooks-of-the-operator.md). Operators alone write rows.
CREATE TABLE webhook_endpoints (
    -- 16 random octets: whoever begins a verification may name them, and has to know them for it.
    id BYTEA PRIMARY KEY,
    -- The URL, encrypted: it may hold a secret of the receiver.
    url_sealed BYTEA NOT NULL,
    -- The key that signs, encrypted; and the one before, until when that signs, too.
    secret_sealed BYTEA NOT NULL,
    old_secret_sealed BYTEA,
    old_secret_until BIGINT,
    -- 1 if it hears of all verifications, masked where they do not name it.
    hears_all BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Since when nothing is sent any more, and why; NULL while something is.
    off_at BIGINT,
    off_why TEXT,
    -- When the first delivery failed after the last that succeeded.
    failing_since BIGINT,
    -- Not before this is anything sent, as the receiver asked; 0 for at once.
    rests_until BIGINT NOT NULL
);
