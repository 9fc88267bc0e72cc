-- What happened in a call, line by line: the lines that were written at once are one row. Older ones are in call_events.
CREATE TABLE call_lines (
    -- The call's id.
    call BYTEA NOT NULL,
    -- The number of the first of them: lines count from 1 in each call.
    first BIGINT NOT NULL,
    -- When that was.
    at BIGINT NOT NULL,
    -- JSON, for each line but SIP messages: [number, Unix milliseconds, answered | step | key | refused | over, a step's
    -- name or a reason code or null]; never a digit.
    lines TEXT NOT NULL,
    -- The SIP messages, encrypted, because they may name numbers: [number, Unix milliseconds, sent | received, start line
    -- and CSeq]. NULL if there were none, or none any more.
    messages BYTEA,
    PRIMARY KEY (call, first)
);
CREATE INDEX call_lines_messages ON call_lines (at) WHERE messages IS NOT NULL;
