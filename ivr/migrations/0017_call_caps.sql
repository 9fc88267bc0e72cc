-- What held the call at its level: codes such as `unscreened-trunk foreign-number`, separated by spaces; NULL before this column, or if
-- nobody was judged.
ALTER TABLE calls ADD COLUMN caps TEXT;
