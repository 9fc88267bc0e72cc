//! Extensions that rcgen does not know, as DER.

use rcgen::CustomExtension as Extension;

use crate::der::{oid, sequence, tlv};
use crate::subject::Tel;

/// id-pe-TNAuthList (RFC 8226 9).
pub(crate) const TN_AUTH_LIST: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 26];
/// id-on-SmtpUTF8Mailbox (RFC 9598 3).
pub(crate) const SMTP_UTF8_MAILBOX: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 8, 9];
const CERTIFICATE_POLICIES: &[u64] = &[2, 5, 29, 32];

/// A list of one number, in the branch `one` of TNEntry. The module has explicit tags, and a number there is digits
/// without `+` (RFC 8226 9).
pub(crate) fn tn_auth_list(tel: &Tel) -> Extension {
    Extension::from_oid_content(TN_AUTH_LIST, tn_auth_list_value(tel.digits()))
}

pub(crate) fn tn_auth_list_value(digits: &str) -> Vec<u8> {
    sequence(&[&tlv(0xa2, &tlv(0x16, digits.as_bytes()))])
}

/// Certificate policies without qualifiers (RFC 5280 4.2.1.4), not critical.
pub(crate) fn policies(policies: &[Vec<u64>]) -> Extension {
    let listed: Vec<Vec<u8>> = policies.iter().map(|policy| sequence(&[&oid(policy)])).collect();
    let listed: Vec<&[u8]> = listed.iter().map(Vec::as_slice).collect();
    Extension::from_oid_content(CERTIFICATE_POLICIES, sequence(&listed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_listed_as_rfc_8226_writes_it() {
        let expected = [&[0x30, 15, 0xa2, 13, 0x16, 11][..], b"12025550143"].concat();
        assert_eq!(tn_auth_list_value("12025550143"), expected);
    }
}
