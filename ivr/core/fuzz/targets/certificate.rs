//! Whatever lies at an x5u, or in a file of anchors or of revoked certificates: reading never panics, and nothing but what an
//! anchor signed makes a signer.
#![no_main]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ivr_core::passport::{Authority, Signer, Trust};
use libfuzzer_sys::fuzz_target;

const ROOTS: &str =
    concat!(include_str!("../../scenarios/passport/root.pem"), include_str!("../../scenarios/passport/rsa-root.pem"));
/// When the anchor holds.
const AT: i64 = 1_798_761_600;
static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::anchored(ROOTS.as_bytes()).expect("anchors"));
static TRUST: LazyLock<Trust> = LazyLock::new(|| AUTHORITY.clone().into());

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

// PEM; or a certificate's or a list's DER, which is made PEM.
fuzz_target!(|given: &[u8]| {
    let _ = Signer::read(given, &TRUST, AT);
    let certificate = pem("CERTIFICATE", given);
    let _ = Signer::read(certificate.as_bytes(), &TRUST, AT);
    let _ = Authority::anchored(certificate.as_bytes()).map(|authority| authority.ends_at());
    let _ = AUTHORITY.clone().with_lists(pem("X509 CRL", given).as_bytes());
    assert!(Signer::read(given, &Trust::default(), AT).is_err());
});
