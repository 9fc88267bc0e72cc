//! What receivers verify: the symmetric scheme of Standard Webhooks 1.0.0 ("Signature scheme").

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use ivr_core::private::Private;
use sha2::Sha256;

/// Octets of a key: the specification wants 24 to 64.
pub(super) const KEY_BYTES: usize = 32;

/// A key as its receiver gets it.
pub(super) fn shown(key: &[u8]) -> Private<String> {
    Private::new(format!("whsec_{}", STANDARD.encode(key)))
}

/// The header `webhook-signature`: of each key one, the newest first.
pub(super) fn header(keys: &[Vec<u8>], id: &str, timestamp: i64, body: &[u8]) -> String {
    let signed: Vec<String> = keys.iter().map(|key| signature(key, id, timestamp, body)).collect();
    signed.join(" ")
}

fn signature(key: &[u8], id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector that the libraries of Standard Webhooks are tested with: key `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`.
    #[test]
    fn the_published_vector_is_signed_as_published() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let header =
            |keys: &[Vec<u8>]| header(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        let published = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(header(std::slice::from_ref(&key)), published);
        // While a key is replaced there are two.
        let both = header(&[vec![1; KEY_BYTES], key.clone()]);
        assert!(both.starts_with("v1,") && both.ends_with(&format!(" {published}")), "{both}");
        assert_eq!(both.split(' ').count(), 2);
        assert_eq!(shown(&key).expose(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    }
}
