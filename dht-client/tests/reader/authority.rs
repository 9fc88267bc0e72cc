//! A small certification authority with every knob that a test turns to make a wrong certificate.

use dht_client::{HashCost, Network, SigningKey, Terms};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, OtherNameValue, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PublicKeyData, SanType,
    SerialNumber, SubjectPublicKeyInfo,
};
use time::{Duration, OffsetDateTime};

/// The arc for documentation (RFC 5612).
pub(crate) const ARC: [u64; 7] = [1, 3, 6, 1, 4, 1, 32473];
const ARC_DER: [u8; 8] = [0x2b, 6, 1, 4, 1, 0x81, 0xfd, 0x59];

/// A time that no test reads from a clock.
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time of this century")
}

/// Root, an intermediate, and the key of the directory.
pub(crate) struct Authority {
    pub(crate) root: CertifiedIssuer<'static, KeyPair>,
    pub(crate) intermediate: CertifiedIssuer<'static, KeyPair>,
    pub(crate) directory: SigningKey,
}

/// What a leaf says; the default is right in everything.
pub(crate) struct Leaf {
    pub(crate) names: Vec<SanType>,
    pub(crate) levels: Vec<u8>,
    pub(crate) code_only: bool,
    pub(crate) purposes: Vec<ExtendedKeyUsagePurpose>,
    pub(crate) usages: Vec<KeyUsagePurpose>,
    pub(crate) authority: IsCa,
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
}

impl Default for Leaf {
    fn default() -> Self {
        Self {
            names: vec![tel("+12025550143")],
            levels: vec![2],
            code_only: false,
            purposes: vec![ExtendedKeyUsagePurpose::ClientAuth, purpose(1)],
            usages: vec![KeyUsagePurpose::DigitalSignature],
            authority: IsCa::ExplicitNoCa,
            not_before: now() - Duration::days(1),
            not_after: now() + Duration::days(29),
        }
    }
}

pub(crate) fn tel(number: &str) -> SanType {
    SanType::URI(format!("tel:{number}").try_into().expect("ASCII"))
}

pub(crate) fn address(address: &str) -> SanType {
    SanType::Rfc822Name(address.try_into().expect("ASCII"))
}

pub(crate) fn utf8_address(address: &str) -> SanType {
    SanType::OtherName((vec![1, 3, 6, 1, 5, 5, 7, 8, 9], OtherNameValue::Utf8String(address.into())))
}

/// One of the authority's own key purposes: 1 for peers, 2 for the directory.
pub(crate) fn purpose(number: u64) -> ExtendedKeyUsagePurpose {
    ExtendedKeyUsagePurpose::Other([&ARC[..], &[3, number]].concat())
}

/// A certificatePolicies extension with these levels (and the code-only mark).
pub(crate) fn policies(levels: &[u8], code_only: bool) -> CustomExtension {
    let policy = |tail: &[u8]| {
        let oid = [&ARC_DER[..], tail].concat();
        let oid = tlv(0x06, &oid);
        tlv(0x30, &oid)
    };
    let mut list: Vec<u8> = levels.iter().flat_map(|level| policy(&[1, *level])).collect();
    if code_only {
        list.extend(policy(&[2]));
    }
    CustomExtension::from_oid_content(&[2, 5, 29, 32], tlv(0x30, &list))
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(content.len()).expect("short")], content].concat()
}

impl Authority {
    pub(crate) fn new() -> Self {
        Self::with_policies(None)
    }

    /// One whose intermediate lists the levels that it may issue.
    pub(crate) fn with_policies(levels: Option<&[u8]>) -> Self {
        let root_key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).expect("a key");
        let mut params = params("Test Root", now() - Duration::days(100), now() + Duration::days(3650));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root = CertifiedIssuer::self_signed(params, root_key).expect("a root");

        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let mut params = self::params("Test Issuer", now() - Duration::days(100), now() + Duration::days(1000));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::EmailProtection, purpose(1)];
        params.custom_extensions.extend(levels.map(|levels| policies(levels, false)));
        let intermediate = CertifiedIssuer::signed_by(params, key, &root).expect("an intermediate");
        Self { root, intermediate, directory: SigningKey::from_bytes(&[7; 32]) }
    }

    /// A leaf for a fresh P-256 key, DER.
    pub(crate) fn issue(&self, leaf: Leaf) -> Vec<u8> {
        self.issue_for(&KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key"), leaf)
    }

    /// A leaf for this key, DER.
    pub(crate) fn issue_for(&self, key: &impl PublicKeyData, leaf: Leaf) -> Vec<u8> {
        let mut params = params("leaf", leaf.not_before, leaf.not_after);
        params.is_ca = leaf.authority;
        params.subject_alt_names = leaf.names;
        params.key_usages = leaf.usages;
        params.extended_key_usages = leaf.purposes;
        params.custom_extensions = vec![policies(&leaf.levels, leaf.code_only)];
        params.signed_by(key, &self.intermediate).expect("a leaf").der().to_vec()
    }

    /// The directory certificate of a key, PEM.
    pub(crate) fn certify(&self, key: &SigningKey, not_after: OffsetDateTime) -> String {
        let mut params = params("Test Directory", now() - Duration::days(100), not_after);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose(2)];
        params.signed_by(&ed25519(key), &self.root).expect("a directory certificate").pem()
    }

    /// The whole bundle.
    pub(crate) fn bundle(&self, number: u64) -> String {
        let directory = self.certify(&self.directory, now() + Duration::days(365));
        [self.root.pem(), self.intermediate.pem(), directory, terms(number).sign(&self.directory)].concat()
    }
}

pub(crate) fn terms(number: u64) -> Terms {
    let ring = "mainline:127.0.0.1:4001".parse::<Network>().expect("a network");
    Terms { number, oid_arc: ARC.to_vec(), cost: HashCost::CHEAP, networks: vec![ring] }
}

pub(crate) fn ed25519(key: &SigningKey) -> impl PublicKeyData {
    const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
    SubjectPublicKeyInfo::from_der(&[&PREFIX[..], &key.verifying_key().to_bytes()].concat()).expect("an SPKI")
}

fn params(name: &str, not_before: OffsetDateTime, not_after: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from_slice(&[0x11; 20]));
    (params.not_before, params.not_after) = (not_before, not_after);
    params.use_authority_key_identifier_extension = true;
    params
}
