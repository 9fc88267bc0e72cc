//! What a certificate says, for each kind of subject. The clauses cited are those of
//! `docs/certificate-specification.md`; `lint` holds the outcome against the same clauses by code of its own.

use std::time::Duration;

use rcgen::string::Ia5String;
use rcgen::{
    CertificateParams, CidrSubnet, CrlDistributionPoint, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyUsagePurpose, NameConstraints, OtherNameValue, SanType,
};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::authority::Settings;
use crate::email::Address;
use crate::extensions::{self, SMTP_UTF8_MAILBOX};
use crate::serial::{Serial, hex};
use crate::subject::{Subject, Tel};

/// How well the identity was proved: a policy in the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// A mailbox.
    L0,
    /// A call that nobody screened, or code-only.
    L1,
    /// A call through a screened domestic trunk.
    L2,
    /// A call that its carrier signed for.
    L3,
    /// As L2 or L3, and a return path to the number.
    L4,
}

/// How a proof was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Assurance {
    /// The caller heard digits and typed them into the page that asked; for a mailbox, a code or a link.
    ReadBack(Level),
    /// The code alone: always level L1, and marked with a policy of its own.
    CodeOnly,
}

/// Which intermediate issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Issuing {
    /// Telephone numbers.
    Tel,
    /// Mailboxes.
    Email,
}

const DAY: u64 = 24 * 60 * 60;
/// ROOT-5.
pub(crate) const ROOT_LIFE: Duration = Duration::from_secs(3652 * DAY);
/// CA-6.
pub(crate) const INTERMEDIATE_LIFE: Duration = Duration::from_secs(1095 * DAY);
/// A verifier's clock may be slow: certificates begin this long before they are made (LEAF-5).
pub(crate) const BACKDATED: Duration = Duration::from_secs(300);
/// X.520 ub-common-name: the most characters in a common name.
const COMMON_NAME_LIMIT: usize = 64;

impl Level {
    /// All, the lowest first.
    pub const ALL: [Self; 5] = [Self::L0, Self::L1, Self::L2, Self::L3, Self::L4];

    pub(crate) fn number(self) -> u64 {
        self as u64
    }
}

impl Assurance {
    /// The level.
    pub fn level(self) -> Level {
        match self {
            Self::ReadBack(level) => level,
            Self::CodeOnly => Level::L1,
        }
    }
}

impl Subject {
    /// The intermediate that issues to this kind of subject.
    pub fn issuing(&self) -> Issuing {
        match self {
            Self::Tel(_) => Issuing::Tel,
            Self::Email(_) => Issuing::Email,
        }
    }
}

impl Issuing {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Tel, Self::Email];

    /// The longest life of a certificate (TEL-7, EMAIL-6): also what a service asks for by default.
    pub fn longest_life(self, level: Level) -> Duration {
        match (self, level) {
            (Self::Tel, Level::L0 | Level::L1) => Duration::from_secs(7 * DAY),
            (Self::Tel, _) => Duration::from_secs(30 * DAY),
            (Self::Email, _) => Duration::from_secs(90 * DAY),
        }
    }

    /// TEL-6, EMAIL-5: what this intermediate may state.
    pub fn may_state(self, assurance: Assurance) -> bool {
        match self {
            Self::Tel => assurance.level() != Level::L0,
            Self::Email => assurance == Assurance::ReadBack(Level::L0),
        }
    }

    /// In the common name of the intermediate and in messages.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Tel => "telephone numbers",
            Self::Email => "mailboxes",
        }
    }

    /// The purposes of its leaves (TEL-4, EMAIL-4).
    fn purposes(self, settings: &Settings) -> Vec<ExtendedKeyUsagePurpose> {
        match self {
            Self::Email if settings.strict_smime => vec![ExtendedKeyUsagePurpose::EmailProtection],
            _ => self.every_purpose(settings),
        }
    }

    /// CA-5: whatever a leaf may have, its issuer must have, or relying parties refuse the leaf.
    fn every_purpose(self, settings: &Settings) -> Vec<ExtendedKeyUsagePurpose> {
        let peers = [ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::Other(settings.peer_purpose())];
        match self {
            Self::Tel => peers.into(),
            Self::Email => std::iter::once(ExtendedKeyUsagePurpose::EmailProtection).chain(peers).collect(),
        }
    }

    /// CA-8: the policies that its leaves may state.
    fn policies(self, settings: &Settings) -> Vec<Vec<u64>> {
        let levels = Level::ALL.into_iter().filter(|level| self.may_state(Assurance::ReadBack(*level)));
        let code_only = self.may_state(Assurance::CodeOnly).then(|| settings.code_only_policy());
        levels.map(|level| settings.level_policy(level)).chain(code_only).collect()
    }
}

/// Everything but issuer, key and signature of a leaf.
pub(crate) fn leaf(
    subject: &Subject,
    assurance: Assurance,
    serial: Serial,
    (not_before, not_after): (OffsetDateTime, OffsetDateTime),
    settings: &Settings,
) -> CertificateParams {
    let issuing = subject.issuing();
    let mut params = dated(serial, not_before, not_after);
    params.is_ca = IsCa::ExplicitNoCa; // LEAF-10; it makes rcgen write the subject key identifier too (LEAF-9).
    params.extended_key_usages = issuing.purposes(settings);
    params.crl_distribution_points = distribution_points(settings.urls.crl(issuing)); // LEAF-13
    let mut policies = vec![settings.level_policy(assurance.level())]; // LEAF-14
    if assurance == Assurance::CodeOnly {
        policies.push(settings.code_only_policy());
    }
    params.custom_extensions.push(extensions::policies(&policies));
    match subject {
        Subject::Tel(tel) => name_tel(tel, &mut params),
        Subject::Email(address) => name_email(address, &mut params),
    }
    params
}

/// TEL-1, TEL-2, TEL-3, TEL-5.
fn name_tel(tel: &Tel, params: &mut CertificateParams) {
    // An empty subject would make all leaves of the issuer collide in an NSS store.
    params.distinguished_name = common_name(tel.as_str());
    params.subject_alt_names = vec![SanType::URI(ia5(&tel.uri()))];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.custom_extensions.push(extensions::tn_auth_list(tel));
}

/// EMAIL-1, EMAIL-2, EMAIL-3.
fn name_email(address: &Address, params: &mut CertificateParams) {
    params.distinguished_name = common_name(&email_common_name(address));
    params.subject_alt_names = vec![match Ia5String::try_from(address.verbatim()) {
        Ok(ascii) => SanType::Rfc822Name(ascii),
        Err(_) => {
            SanType::OtherName((SMTP_UTF8_MAILBOX.to_vec(), OtherNameValue::Utf8String(address.verbatim().to_owned())))
        }
    }];
    // Mail is encrypted to it, so its key agrees too.
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyAgreement];
}

/// The address; where it is longer than a common name may be, a hash that differs as the addresses do.
pub(crate) fn email_common_name(address: &Address) -> String {
    let verbatim = address.verbatim();
    if verbatim.chars().count() <= COMMON_NAME_LIMIT {
        return verbatim.to_owned();
    }
    format!("mailbox {}", hex(&Sha256::digest(address.key())[..16]))
}

/// ROOT-1 to ROOT-6.
pub(crate) fn root(serial: Serial, now: OffsetDateTime, settings: &Settings) -> CertificateParams {
    let mut params = dated(serial, now - BACKDATED, now - BACKDATED + ROOT_LIFE);
    params.distinguished_name = common_name(&settings.root_name());
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Constrained(1));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// CA-1 to CA-10.
pub(crate) fn intermediate(
    issuing: Issuing,
    serial: Serial,
    now: OffsetDateTime,
    settings: &Settings,
) -> CertificateParams {
    let mut params = dated(serial, now - BACKDATED, now - BACKDATED + INTERMEDIATE_LIFE);
    params.distinguished_name = common_name(&settings.intermediate_name(issuing));
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = issuing.every_purpose(settings);
    // CA-7: no host names and no addresses. Never a URI constraint, which makes OpenSSL refuse tel: (error 53), nor one
    // of rfc822 names, which rustls-webpki does not know and refuses.
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![],
        excluded_subtrees: vec![
            GeneralSubtree::DnsName(String::new()),
            GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])),
            GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])),
        ],
    });
    params.custom_extensions.push(extensions::policies(&issuing.policies(settings)));
    params
}

/// DIR-1 to DIR-5: it lives as long as the intermediates.
pub(crate) fn directory(serial: Serial, now: OffsetDateTime, settings: &Settings) -> CertificateParams {
    let mut params = dated(serial, now - BACKDATED, now - BACKDATED + INTERMEDIATE_LIFE);
    params.distinguished_name = common_name(&settings.directory_name());
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(settings.directory_purpose())];
    params
}

fn dated(serial: Serial, not_before: OffsetDateTime, not_after: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = whole_second(not_before);
    // RFC 5280 4.1.2.5: both ends belong to the validity.
    params.not_after = whole_second(not_after) - Duration::from_secs(1);
    params.serial_number = Some(serial.as_bytes().to_vec().into());
    params.use_authority_key_identifier_extension = true;
    params
}

/// In UTC, because that is what certificates count in.
pub(crate) fn whole_second(at: OffsetDateTime) -> OffsetDateTime {
    let utc = at.to_offset(time::UtcOffset::UTC);
    utc.replace_nanosecond(0).expect("0 is a nanosecond")
}

pub(crate) fn common_name(text: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, text);
    name
}

fn ia5(text: &str) -> Ia5String {
    Ia5String::try_from(text).expect("digits and ASCII letters")
}

fn distribution_points(url: Option<&str>) -> Vec<CrlDistributionPoint> {
    url.map(|url| CrlDistributionPoint { uris: vec![url.to_owned()] }).into_iter().collect()
}
