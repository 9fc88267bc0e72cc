-- Calls that were told of the number's certificates although those of the day were used up: the last of each level.
CREATE TABLE told_turns (
    -- As in number_days.
    number_tag BYTEA NOT NULL,
    -- L1 to L4, as a number: whoever calls in its name at a lower one takes its owner no turn.
    level BIGINT NOT NULL,
    -- When (Unix milliseconds).
    at BIGINT NOT NULL,
    PRIMARY KEY (number_tag, level)
);
