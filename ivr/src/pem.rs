//! Certificates as text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// RFC 7468 2: lines of 64 characters.
pub(crate) fn certificate(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in base64.as_bytes().chunks(64) {
        text.extend(line.iter().map(|octet| char::from(*octet)));
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}
