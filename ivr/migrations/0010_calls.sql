-- Calls and refused attempts, for the operator. Times are Unix milliseconds.
CREATE TABLE calls (
    -- 16 random octets.
    id BYTEA PRIMARY KEY,
    -- Which node took it: what was live when that node died is closed by its next start.
    node TEXT NOT NULL,
    sip_call_id TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    -- The trunk profile's name; NULL if the source matched none.
    trunk TEXT,
    -- Where the INVITE came from.
    source TEXT NOT NULL,
    -- HMAC of tel:+… under the pepper of that epoch, and the number encrypted; NULL if the call bore none.
    number_hash BYTEA,
    pepper_epoch BIGINT,
    number_sealed BYTEA,
    -- ISO country and last four digits, which lists may show.
    country TEXT,
    last4 TEXT,
    -- What the call could prove: 0 to 4.
    level BIGINT,
    -- live, refused, lost, cancelled, or how the conversation ended.
    outcome TEXT NOT NULL,
    -- Status and reason code of a refusal.
    status BIGINT,
    reason TEXT,
    -- From the INVITE to the 200, in microseconds.
    setup_us BIGINT,
    duration_ms BIGINT,
    packets_sent BIGINT,
    packets_received BIGINT,
    packets_lost BIGINT,
    packets_foreign BIGINT,
    jitter_us BIGINT,
    -- The verification whose code was keyed in.
    verification BYTEA
);
CREATE INDEX calls_began ON calls (began_at, id);
CREATE INDEX calls_number ON calls (number_hash, began_at);
CREATE INDEX calls_verification ON calls (verification);
CREATE INDEX calls_live ON calls (node, outcome);
