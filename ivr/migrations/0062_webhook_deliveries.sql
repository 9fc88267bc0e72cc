-- Events on their way to endpoints: written with the state that they tell of. A row goes with its verification.
CREATE TABLE webhook_deliveries (
    -- 16 random octets: the header webhook-id, the same at each attempt.
    id BYTEA PRIMARY KEY,
    endpoint BYTEA NOT NULL,
    verification BYTEA NOT NULL,
    -- Such as verification.issued.
    kind TEXT NOT NULL,
    -- When it happened.
    happened_at BIGINT NOT NULL,
    -- The body (JSON), encrypted: it names the number.
    body_sealed BYTEA NOT NULL,
    -- waiting, delivered, given-up, stopped (the endpoint is off).
    state TEXT NOT NULL,
    -- When it is tried next; while somebody tries it, when somebody else may. NULL if it does not wait.
    due_at BIGINT,
    -- Since it happened, or was last asked for again, and when that was; of what is given up or stopped, since when it is.
    attempts BIGINT NOT NULL,
    since BIGINT NOT NULL,
    delivered_at BIGINT,
    -- What the last attempt came to, if it failed. No octet of the receiver's.
    last_error TEXT
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint, due_at);
CREATE INDEX webhook_deliveries_state ON webhook_deliveries (state, endpoint);
CREATE INDEX webhook_deliveries_verification ON webhook_deliveries (verification);
