//! Certificates alone in a CMS message, as mail programs take them in (RFC 5652, RFC 8551 3.8): nothing is signed.

use crate::der::{oid, sequence, tlv};

/// RFC 5652 5.1: the content type of the message.
const SIGNED_DATA: [u64; 7] = [1, 2, 840, 113549, 1, 7, 2];
/// RFC 5652 4: the content type of what would have been signed.
const DATA: [u64; 7] = [1, 2, 840, 113549, 1, 7, 1];

/// The message that carries these certificates, each DER. `application/pkcs7-mime; smime-type=certs-only`, `.p7c`.
pub fn certs_only(certificates: &[&[u8]]) -> Vec<u8> {
    let version_1 = tlv(0x02, &[1]);
    let empty_set = tlv(0x31, &[]);
    let nothing = sequence(&[&oid(&DATA)]);
    let mut sorted = certificates.to_vec();
    // X.690 11.6: the elements of a set come in ascending order.
    sorted.sort_unstable();
    let certificates = tlv(0xa0, &sorted.concat());
    let signed_data = sequence(&[&version_1, &empty_set, &nothing, &certificates, &empty_set]);
    sequence(&[&oid(&SIGNED_DATA), &tlv(0xa0, &signed_data)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_written_as_rfc_5652_asks() {
        // Two stand-ins for certificates: any SEQUENCE will do for the frame.
        let message = certs_only(&[&[0x30, 1, 7], &[0x30, 1, 5]]);
        let expected = [
            &[0x30, 43][..],
            &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2],
            &[0xa0, 30, 0x30, 28],
            &[0x02, 1, 1],
            &[0x31, 0],
            &[0x30, 11, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1],
            &[0xa0, 6, 0x30, 1, 5, 0x30, 1, 7],
            &[0x31, 0],
        ]
        .concat();
        assert_eq!(message, expected);
    }
}
