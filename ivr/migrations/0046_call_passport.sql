-- What was found out about the call's signed identity (STIR/SHAKEN), as JSON: verdict, attestation, origid, iat, x5u, the signer's service
-- provider codes and the SHA-256 of its certificate, and no number; NULL if there was none, or nobody verified it.
ALTER TABLE calls ADD COLUMN passport TEXT;
