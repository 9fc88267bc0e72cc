-- The certificate that a call led to, once its verification is forgotten: a call is kept longer than that.
ALTER TABLE calls ADD COLUMN serial TEXT;
