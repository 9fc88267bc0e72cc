-- What happened in a call, line by line.
CREATE TABLE call_events (
    -- The call's id.
    call BYTEA NOT NULL,
    -- Counts from 1 in each call.
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    -- sent, received (SIP messages), answered, step, key, refused, over.
    kind TEXT NOT NULL,
    -- A step's name, a reason code; never a digit.
    what TEXT,
    -- A SIP message's start line and CSeq, encrypted: it may name numbers.
    sealed BYTEA,
    PRIMARY KEY (call, number)
);
