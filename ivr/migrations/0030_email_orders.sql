-- Orders of a certificate for a mailbox, from the form to the certificate. Times are Unix milliseconds.
CREATE TABLE email_orders (
    -- 16 random octets.
    id BYTEA PRIMARY KEY,
    -- SHA-256 of the secret that the device keeps.
    secret_sha256 BYTEA NOT NULL,
    -- SHA-256 of the token of the link in the mail.
    link_sha256 BYTEA NOT NULL UNIQUE,
    -- HMAC of order and code.
    code_mac BYTEA NOT NULL,
    -- The address as typed, encrypted.
    address_sealed BYTEA NOT NULL,
    -- SHA-256 of the key to be certified.
    key_sha256 BYTEA NOT NULL,
    -- The PKCS#10, encrypted (a request may name somebody); NULL once it is not needed any more.
    request_sealed BYTEA,
    -- Who asked, in our own words, such as "Firefox on Linux".
    device TEXT NOT NULL,
    -- 1 if a record goes into the DHT.
    publish BIGINT NOT NULL,
    locale TEXT NOT NULL,
    -- waiting, issuing (confirmed), issued, voided, failed. A waiting order past its time is expired.
    state TEXT NOT NULL,
    -- Codes that may still be typed.
    tries_left BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Until when it may be confirmed.
    expires_at BIGINT NOT NULL,
    -- The row may be forgotten after this.
    keep_until BIGINT NOT NULL,
    -- The certificate's serial number.
    serial TEXT,
    -- SHA-256 of the token of the link that revokes it.
    revoke_sha256 BYTEA UNIQUE,
    -- Why it failed, as a sentence for the page.
    failure TEXT
);
CREATE INDEX email_orders_state ON email_orders (state, keep_until);
