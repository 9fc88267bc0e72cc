-- What a page shows live: steps of the call, refused calls, states.
CREATE TABLE happenings (
    verification BYTEA NOT NULL,
    -- Counts from 1 in each verification.
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    -- step, refused, state.
    kind TEXT NOT NULL,
    -- The step's name, the reason's code, or the state's name.
    what TEXT NOT NULL,
    PRIMARY KEY (verification, number)
);
