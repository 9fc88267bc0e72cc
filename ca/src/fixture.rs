//! What the tests of this crate share: an authority, requests, orders.

pub(crate) mod der;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, SignatureAlgorithm};
use time::OffsetDateTime;
use time::macros::datetime;

use crate::{
    Assurance, Authority, File, InitOptions, Issued, KeyCost, KeyStanding, Level, Order, Refusal, Request, Serial,
    Subject, Urls,
};

pub(crate) const PASSPHRASE: &str = "correct horse";
pub(crate) const NOW: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);
pub(crate) const ARC: [u64; 7] = [1, 3, 6, 1, 4, 1, 32473];

pub(crate) fn options() -> InitOptions<'static> {
    InitOptions {
        name: "Example".into(),
        oid_arc: ARC.into(),
        urls: Urls::under("http://ca.example.org"),
        strict_smime: false,
        now: NOW,
        entropy: [7; 32],
        passphrase: PASSPHRASE,
        cost: KeyCost::Throwaway,
    }
}

pub(crate) fn files(options: &InitOptions<'_>) -> Vec<File> {
    Authority::init(options).unwrap()
}

pub(crate) fn authority() -> Authority {
    authority_of(&options())
}

/// One authority for all cases of a property, because a P-384 key takes its time.
pub(crate) fn shared() -> &'static Authority {
    static SHARED: std::sync::LazyLock<Authority> = std::sync::LazyLock::new(authority);
    &SHARED
}

pub(crate) fn authority_of(options: &InitOptions<'_>) -> Authority {
    Authority::open(&files(options), options.passphrase).unwrap()
}

pub(crate) fn tel() -> Subject {
    Subject::tel("+12025550143").unwrap()
}

pub(crate) fn email(address: &str) -> Subject {
    Subject::email(crate::email::Address::parse(address).unwrap())
}

/// A request that asks for nothing.
pub(crate) fn request() -> Request {
    request_of(&PKCS_ECDSA_P256_SHA256)
}

pub(crate) fn request_of(algorithm: &'static SignatureAlgorithm) -> Request {
    Request::parse(&csr(CertificateParams::default(), &KeyPair::generate_for(algorithm).unwrap())).unwrap()
}

pub(crate) fn csr(params: CertificateParams, key: &KeyPair) -> Vec<u8> {
    params.serialize_request(key).unwrap().der().to_vec()
}

/// The usual order for a subject.
pub(crate) fn order<'a>(subject: &'a Subject, request: &'a Request) -> Order<'a> {
    let level = match subject {
        Subject::Tel(_) => Level::L2,
        Subject::Email(_) => Level::L0,
    };
    Order {
        subject,
        request,
        assurance: Assurance::ReadBack(level),
        standing: KeyStanding::Clear,
        serial: Serial::from_random([0x5a; 20]),
        now: NOW,
        life: subject.issuing().longest_life(level),
    }
}

pub(crate) fn issue(authority: &Authority, order: &Order<'_>) -> Result<Issued, Refusal> {
    Ok(authority.prepare(order)?.sign(authority).unwrap())
}
