-- What is over is looked for by these, in pieces, while all who want to write wait.
CREATE INDEX calls_refused ON calls (began_at) WHERE outcome = 'refused';
CREATE INDEX calls_source ON calls (began_at) WHERE source <> '';
CREATE INDEX call_events_messages ON call_events (at) WHERE sealed IS NOT NULL;
CREATE INDEX intents_closed ON intents (at) WHERE state <> 'open';
CREATE INDEX certificates_end ON certificates (not_after);
CREATE INDEX revocations_end ON revocations (listed_until);
CREATE INDEX number_days_day ON number_days (day);
CREATE INDEX told_turns_at ON told_turns (at);
CREATE INDEX served_passports_at ON served_passports (at);
CREATE INDEX records_end ON records (not_after) WHERE due_at IS NULL;
-- Only records for which there is something to do: else SQLite finds by it all others, and takes it for that.
DROP INDEX records_due;
CREATE INDEX records_due ON records (due_at) WHERE due_at IS NOT NULL;
