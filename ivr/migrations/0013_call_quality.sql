-- What the other side reported of our packets (RTCP); NULL if it reported nothing.
-- How many it had to expect by its last report, and how many of these it missed.
ALTER TABLE calls ADD COLUMN reported_expected BIGINT;
ALTER TABLE calls ADD COLUMN reported_lost BIGINT;
ALTER TABLE calls ADD COLUMN reported_jitter_us BIGINT;
-- To the other side and back; NULL if it never named a report of ours.
ALTER TABLE calls ADD COLUMN round_trip_us BIGINT;
-- Mean opinion scores times 100, estimated: of what we received, of what we sent. NULL if unknown.
ALTER TABLE calls ADD COLUMN mos_received BIGINT;
ALTER TABLE calls ADD COLUMN mos_sent BIGINT;
