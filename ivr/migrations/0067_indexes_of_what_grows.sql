-- A certificate is joined with its record, and a record is changed by its certificate: there are as many as certificates.
CREATE INDEX records_serial ON records (serial);
-- Once a minute. An index of all states would be taken for those of one number, too.
CREATE INDEX verifications_issuing ON verifications (created_at) WHERE state = 'issuing';
