//! Whether a certificate is one that this authority gave to the identity asked for.
//!
//! rustls-webpki builds and checks the path (signatures, times, name constraints, extended key usage, path lengths); what
//! it leaves to its caller is checked here: key usage, policies and the subject's name.

use std::fmt;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use time::OffsetDateTime;
use webpki::ring::{ECDSA_P256_SHA256, ECDSA_P256_SHA384, ECDSA_P384_SHA256, ECDSA_P384_SHA384};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter, VerifiedPath};
use x509_parser::asn1_rs::{Any, FromDer as _, Oid, Tag, Utf8String};
use x509_parser::prelude::{GeneralName, ParsedExtension, X509Certificate};

use crate::item::SKEW_SECONDS;
use crate::slot::Identity;

/// What certificates of this authority are signed with: its own keys are P-384 and P-256.
const SIGNATURES: &[&dyn SignatureVerificationAlgorithm] =
    &[ECDSA_P256_SHA256, ECDSA_P256_SHA384, ECDSA_P384_SHA256, ECDSA_P384_SHA384];
const ED25519: &str = "1.3.101.112";
const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";
const P256: &str = "1.2.840.10045.3.1.7";
const ANY_POLICY: &str = "2.5.29.32.0";
const EMAIL_PROTECTION: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 4];
const SMTP_UTF8_MAILBOX: &str = "1.3.6.1.5.5.7.8.9";

/// The authority that a reader trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The root's certificate, DER: the one thing that is trusted because it was pinned.
    pub root: Vec<u8>,
    /// The intermediates' certificates, DER.
    pub intermediates: Vec<Vec<u8>>,
    /// The arc under which the authority's policies and key purposes are numbered.
    pub oid_arc: Vec<u64>,
}

/// How a number was proved: the higher, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A mailbox.
    L0,
    /// A call that nobody screened.
    L1,
    /// A call through a screened domestic trunk.
    L2,
    /// A call that its carrier signed for.
    L3,
    /// As L2 or L3, and a return path to the number.
    L4,
}

impl Level {
    const ALL: [Self; 5] = [Self::L0, Self::L1, Self::L2, Self::L3, Self::L4];

    fn of(number: usize) -> Option<Self> {
        Self::ALL.get(number).copied()
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A certificate that was checked, and what it says.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// The intermediates between it and the root, DER, nearest first.
    pub chain: Vec<Vec<u8>>,
    /// How the identity was proved.
    pub level: Level,
    /// The code alone was asked for, without a read-back.
    pub code_only: bool,
    /// The serial number in hexadecimal.
    pub serial: String,
    /// From when.
    pub not_before: OffsetDateTime,
    /// Until when.
    pub not_after: OffsetDateTime,
    /// The subject as the certificate spells it, which for an address may differ in case from the identity asked for.
    pub name: String,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate(serial {}, {}, name [private])", self.serial, self.level)
    }
}

/// A certificate's key, of the kinds that sign locations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PublicKey {
    /// A point of P-256 (SEC 1).
    P256(Vec<u8>),
    /// RFC 8410.
    Ed25519([u8; 32]),
}

impl Certificate {
    /// Its key, if it is of a kind that signs locations.
    pub(crate) fn public_key(&self) -> Option<PublicKey> {
        let parsed = parse(&self.der).ok()?;
        let key = parsed.public_key();
        let octets = key.subject_public_key.data.as_ref();
        match key.algorithm.algorithm.to_id_string().as_str() {
            ED25519 => octets.try_into().ok().map(PublicKey::Ed25519),
            EC_PUBLIC_KEY => {
                let curve = key.algorithm.parameters.as_ref()?.as_oid().ok()?;
                (curve.to_id_string() == P256).then(|| PublicKey::P256(octets.to_vec()))
            }
            _ => None,
        }
    }
}

/// Why a certificate is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// It cannot be read.
    #[error("the certificate cannot be read")]
    Malformed,
    /// It is not issued by this authority, or against the authority's own limits.
    #[error("the certificate is not one of this authority: {0}")]
    Path(String),
    /// It is for something else.
    #[error("the certificate's key usage does not allow it to sign")]
    Usage,
    /// It does not say how the identity was proved, or says what cannot be.
    #[error("the certificate states no level of proof, several, or one that its kind of identity cannot have")]
    Level,
    /// It belongs to somebody else.
    #[error("the certificate is not the one of the identity asked for")]
    OtherName,
    /// Now is outside its dates.
    #[error("the certificate is not valid now: it is dated {not_before} to {not_after}")]
    Time {
        /// Its first moment.
        not_before: OffsetDateTime,
        /// Its last moment.
        not_after: OffsetDateTime,
    },
}

impl Authority {
    /// Checks a leaf: its path to the root, its policies, its subject, and its dates with 300 s of tolerance.
    ///
    /// # Errors
    /// The first check that fails, in this order.
    pub fn check(&self, leaf: &[u8], identity: &Identity, now: OffsetDateTime) -> Result<Certificate, ChainError> {
        let parsed = parse(leaf)?;
        let dates = dates_of(&parsed)?;
        let chain = self.path(leaf, self.peer_purposes(identity), within(dates, now))?;
        if !parsed.key_usage().ok().flatten().is_some_and(|usage| usage.value.digital_signature()) {
            return Err(ChainError::Usage);
        }
        let (level, code_only) = self.policies(&parsed)?;
        if chain.iter().any(|issuer| !self.may_issue(issuer, level)) {
            return Err(ChainError::Path("an intermediate may not issue this level".into()));
        }
        let name = name_of(&parsed, identity)?;
        if !is_provable(identity, level, code_only) {
            return Err(ChainError::Level);
        }
        if !valid_at(seconds(dates), now) {
            return Err(ChainError::Time { not_before: dates.0, not_after: dates.1 });
        }
        Ok(Certificate {
            der: leaf.to_vec(),
            chain,
            level,
            code_only,
            serial: hex(parsed.raw_serial()),
            not_before: dates.0,
            not_after: dates.1,
            name,
        })
    }

    /// The intermediates on the path from a leaf to the root.
    fn path(
        &self,
        leaf: &[u8],
        usage: impl ExtendedKeyUsageValidator,
        at: OffsetDateTime,
    ) -> Result<Vec<Vec<u8>>, ChainError> {
        let bad_path = |error: webpki::Error| ChainError::Path(error.to_string());
        let root = CertificateDer::from(self.root.as_slice());
        let anchors: [TrustAnchor<'_>; 1] = [webpki::anchor_from_trusted_cert(&root).map_err(bad_path)?];
        let intermediates: Vec<_> = self.intermediates.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let leaf = CertificateDer::from(leaf);
        let leaf = EndEntityCert::try_from(&leaf).map_err(bad_path)?;
        let seconds = u64::try_from(at.unix_timestamp()).map_err(|_| ChainError::Malformed)?;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let verified = leaf
            .verify_for_usage(SIGNATURES, &anchors, &intermediates, time, usage, None, Some(&signs_certificates))
            .map_err(bad_path)?;
        Ok(verified.intermediate_certificates().map(|issuer| issuer.der().to_vec()).collect())
    }

    /// The level that a leaf's policies state, exactly one, and whether it is marked as code-only.
    fn policies(&self, leaf: &X509Certificate<'_>) -> Result<(Level, bool), ChainError> {
        let policies = policy_oids(leaf).unwrap_or_default();
        let (levels, code_only) = (self.oid(".1."), self.oid(".2"));
        let mut stated =
            policies.iter().filter_map(|policy| Level::of(policy.strip_prefix(&levels)?.parse::<usize>().ok()?));
        match (stated.next(), stated.next()) {
            (Some(level), None) => Ok((level, policies.contains(&code_only))),
            _ => Err(ChainError::Level),
        }
    }

    /// An intermediate that lists policies may issue those only (RFC 5280 6.1.4), which webpki does not check.
    fn may_issue(&self, issuer: &[u8], level: Level) -> bool {
        let allowed = self.oid(&format!(".1.{}", level as u8));
        parse(issuer).is_ok_and(|issuer| {
            policy_oids(&issuer)
                .is_none_or(|policies| policies.iter().any(|policy| *policy == allowed || policy == ANY_POLICY))
        })
    }

    fn oid(&self, under: &str) -> String {
        let arc: Vec<String> = self.oid_arc.iter().map(u64::to_string).collect();
        arc.join(".") + under
    }
}

/// A mailbox has L0 and nothing else, a number more than that, and by a code alone no more than L1. With the levels that
/// each intermediate lists, this keeps the one for mailboxes from vouching for telephone numbers, and the other way round.
fn is_provable(identity: &Identity, level: Level, code_only: bool) -> bool {
    match (identity.is_address(), code_only) {
        (true, false) => level == Level::L0,
        (true, true) => false,
        (false, true) => level == Level::L1,
        (false, false) => level >= Level::L1,
    }
}

/// Whether `now` is between two dates, give or take the skew. They are Unix seconds, because a stranger may date a record
/// at the edge of the calendar, where a date that is moved by the skew is none.
pub(crate) fn valid_at((not_before, not_after): (i64, i64), now: OffsetDateTime) -> bool {
    let now = now.unix_timestamp();
    not_before.saturating_sub(SKEW_SECONDS) <= now && now <= not_after.saturating_add(SKEW_SECONDS)
}

fn seconds((not_before, not_after): (OffsetDateTime, OffsetDateTime)) -> (i64, i64) {
    (not_before.unix_timestamp(), not_after.unix_timestamp())
}

/// The moment nearest to now at which the leaf is valid: the path is judged there, the leaf's own dates afterwards.
fn within((not_before, not_after): (OffsetDateTime, OffsetDateTime), now: OffsetDateTime) -> OffsetDateTime {
    now.min(not_after).max(not_before)
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, ChainError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(ChainError::Malformed),
    }
}

fn dates_of(certificate: &X509Certificate<'_>) -> Result<(OffsetDateTime, OffsetDateTime), ChainError> {
    let validity = certificate.validity();
    Ok((date(validity.not_before.timestamp())?, date(validity.not_after.timestamp())?))
}

/// Dates of certificates end with the year 9999; the skew must not carry one over the edge of the calendar.
fn date(seconds: i64) -> Result<OffsetDateTime, ChainError> {
    let date = OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| ChainError::Malformed)?;
    if (1..9999).contains(&date.year()) { Ok(date) } else { Err(ChainError::Malformed) }
}

/// The policies that a certificate lists; none if it has no such extension.
fn policy_oids(certificate: &X509Certificate<'_>) -> Option<Vec<String>> {
    certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::CertificatePolicies(policies) => {
            Some(policies.iter().map(|policy| policy.policy_id.to_id_string()).collect())
        }
        _ => None,
    })
}

/// The certificate's only name, if it is the identity's. A certificate that names two is nobody's.
fn name_of(leaf: &X509Certificate<'_>, identity: &Identity) -> Result<String, ChainError> {
    let names = leaf.subject_alternative_name().map_err(|_| ChainError::Malformed)?;
    let names = names.ok_or(ChainError::OtherName)?;
    let [name] = names.value.general_names.as_slice() else { return Err(ChainError::OtherName) };
    let (spelled, named) = match name {
        GeneralName::URI(uri) if uri.starts_with("tel:") => ((*uri).to_owned(), Identity::parse(uri)),
        GeneralName::RFC822Name(address) => ((*address).to_owned(), Identity::mailto(address)),
        GeneralName::OtherName(kind, value) if kind.to_id_string() == SMTP_UTF8_MAILBOX => {
            let address = utf8_mailbox(value).ok_or(ChainError::Malformed)?;
            let named = Identity::mailto(&address);
            (address, named)
        }
        _ => return Err(ChainError::OtherName),
    };
    if named.as_ref() == Ok(identity) { Ok(spelled) } else { Err(ChainError::OtherName) }
}

/// RFC 8398 3: the mailbox is a UTF8String, in the `[0] EXPLICIT` of every otherName.
fn utf8_mailbox(value: &[u8]) -> Option<String> {
    let (rest, outer) = Any::from_der(value).ok()?;
    let (inner_rest, mailbox) = Utf8String::from_der(outer.data).ok()?;
    let whole = rest.is_empty() && inner_rest.is_empty() && outer.header.tag() == Tag(0);
    whole.then(|| mailbox.string())
}

/// webpki knows basic constraints and ignores key usage: an issuer must be allowed to sign certificates (RFC 5280 4.2.1.3).
fn signs_certificates(path: &VerifiedPath<'_>) -> Result<(), webpki::Error> {
    let allowed = |issuer: &webpki::Cert<'_>| {
        parse(&issuer.der())
            .is_ok_and(|issuer| issuer.key_usage().ok().flatten().is_some_and(|usage| usage.value.key_cert_sign()))
    };
    if path.intermediate_certificates().all(allowed) { Ok(()) } else { Err(webpki::Error::EndEntityUsedAsCa) }
}

/// The key purposes of which a certificate needs one, in DER: webpki 0.103's decoded form is wrong for components
/// above 127.
struct Purposes(Vec<Vec<u8>>);

impl Authority {
    /// The authority's own purpose for peers; an address may also have a strict S/MIME certificate, which has no other
    /// purpose than e-mail.
    fn peer_purposes(&self, identity: &Identity) -> Purposes {
        let mut purposes = vec![self.purpose(1)];
        if identity.is_address() {
            purposes.extend(der_oid(EMAIL_PROTECTION));
        }
        Purposes(purposes)
    }

    /// Empty, which no certificate has, if the arc is none.
    fn purpose(&self, number: u64) -> Vec<u8> {
        der_oid(&[&self.oid_arc[..], &[3, number]].concat()).unwrap_or_default()
    }

    /// The Ed25519 key of a directory certificate that the root issued, at most 300 s before or after its dates.
    ///
    /// # Errors
    /// The first check that fails.
    pub(crate) fn check_directory(&self, der: &[u8], now: OffsetDateTime) -> Result<[u8; 32], ChainError> {
        let parsed = parse(der)?;
        let dates = dates_of(&parsed)?;
        let chain = self.path(der, Purposes(vec![self.purpose(2)]), within(dates, now))?;
        if !chain.is_empty() {
            return Err(ChainError::Path("a directory certificate is issued by the root itself".into()));
        }
        let key = parsed.public_key();
        let is_ed25519 = key.algorithm.algorithm.to_id_string() == ED25519;
        let key = key.subject_public_key.data.as_ref().try_into().ok().filter(|_| is_ed25519);
        let key = key.ok_or(ChainError::Usage)?;
        if valid_at(seconds(dates), now) {
            Ok(key)
        } else {
            Err(ChainError::Time { not_before: dates.0, not_after: dates.1 })
        }
    }
}

impl ExtendedKeyUsageValidator for Purposes {
    fn validate(&self, present: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        for purpose in present {
            let purpose = purpose?;
            if self.0.iter().any(|wanted| KeyPurposeId::new(wanted) == purpose) {
                return Ok(());
            }
        }
        Err(webpki::Error::ExtensionValueInvalid)
    }
}

fn der_oid(components: &[u64]) -> Option<Vec<u8>> {
    Oid::from(components).ok().map(|oid| oid.as_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a certificate says that it may issue others.
pub(crate) fn is_authority(der: &[u8]) -> bool {
    parse(der).is_ok_and(|certificate| certificate.is_ca())
}
