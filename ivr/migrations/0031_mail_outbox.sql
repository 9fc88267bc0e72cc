-- Mails that are to go out. A row is deleted once the relay has taken the mail, or never will.
CREATE TABLE mail_outbox (
    -- 16 random octets; the mail's Message-ID is made of them.
    id BYTEA PRIMARY KEY,
    -- The order that it is about.
    order_id BYTEA NOT NULL,
    -- The mail (JSON), encrypted: it holds an address, a code, links.
    mail_sealed BYTEA NOT NULL,
    -- The mail's Date.
    written_at BIGINT NOT NULL,
    -- When it is tried next; while somebody tries it, when somebody else may.
    next_at BIGINT NOT NULL,
    -- After this nobody needs it.
    expires_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    -- What went wrong last, without a name.
    last_error TEXT
);
CREATE INDEX mail_outbox_next ON mail_outbox (next_at, id);
