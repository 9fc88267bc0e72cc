-- What is on hold (`certificateHold` is 6) is looked for once a minute, and is little beside what is revoked.
CREATE INDEX revocations_on_hold ON revocations (at) WHERE reason = 6;
