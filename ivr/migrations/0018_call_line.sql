-- What stood beside the caller's number, in known words and without any number: `npdi rn cpc=ordinary isup-oli=62`; NULL if nothing did.
ALTER TABLE calls ADD COLUMN line TEXT;
