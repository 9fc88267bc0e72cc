//! Holds a certificate against the clauses of `docs/certificate-specification.md`, by code that shares nothing with the
//! code that built it. One lint for each clause; a test compares both lists.

mod authority;
mod email;
mod leaf;
mod tel;

use x509_parser::asn1_rs::Tag;
use x509_parser::extensions::PolicyInformation;
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate, X509Extension};

use crate::authority::Settings;
use crate::profile::Issuing;
use crate::subject::Subject;

/// A departure from the specification. It names no identity, so it may be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// The clause.
    pub clause: &'static str,
    /// What was found instead.
    pub found: &'static str,
}

/// One clause, as code.
struct Lint {
    clause: &'static str,
    check: fn(&Case<'_>) -> Result<(), &'static str>,
}

/// A certificate under examination, and what it is meant to be.
struct Case<'a> {
    der: &'a [u8],
    certificate: X509Certificate<'a>,
    issuer: X509Certificate<'a>,
    settings: &'a Settings,
    wanted: Wanted<'a>,
}

#[derive(Clone, Copy)]
enum Wanted<'a> {
    Root,
    Intermediate(Issuing),
    Directory,
    Leaf(&'a Subject),
}

/// Examines a leaf.
pub(crate) fn leaf(der: &[u8], issuer: &[u8], subject: &Subject, settings: &Settings) -> Vec<Finding> {
    let own = match subject {
        Subject::Tel(_) => tel::LINTS,
        Subject::Email(_) => email::LINTS,
    };
    examine(der, issuer, settings, Wanted::Leaf(subject), &[leaf::LINTS, own])
}

/// Examines the root.
pub(crate) fn root(der: &[u8], settings: &Settings) -> Vec<Finding> {
    examine(der, der, settings, Wanted::Root, &[authority::ROOT])
}

/// Examines an intermediate.
pub(crate) fn intermediate(der: &[u8], root: &[u8], issuing: Issuing, settings: &Settings) -> Vec<Finding> {
    examine(der, root, settings, Wanted::Intermediate(issuing), &[authority::INTERMEDIATE])
}

/// Examines a directory certificate.
pub(crate) fn directory(der: &[u8], root: &[u8], settings: &Settings) -> Vec<Finding> {
    examine(der, root, settings, Wanted::Directory, &[authority::DIRECTORY])
}

fn examine(
    der: &[u8],
    issuer: &[u8],
    settings: &Settings,
    wanted: Wanted<'_>,
    lints: &[&'static [Lint]],
) -> Vec<Finding> {
    let (Ok(([], certificate)), Ok(([], issuer))) = (X509Certificate::from_der(der), X509Certificate::from_der(issuer))
    else {
        return vec![Finding { clause: "X.509", found: "it cannot be read" }];
    };
    let case = Case { der, certificate, issuer, settings, wanted };
    let failing = |lint: &Lint| (lint.check)(&case).err().map(|found| Finding { clause: lint.clause, found });
    lints.iter().copied().flatten().filter_map(failing).collect()
}

/// `Err(found)` unless it holds.
fn require(holds: bool, found: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(found) }
}

impl<'a> Case<'a> {
    /// The one extension with this object identifier.
    fn extension(&self, id: &str) -> Option<&X509Extension<'a>> {
        self.certificate.extensions().iter().find(|extension| extension.oid.to_id_string() == id)
    }

    /// The content of an extension, if it has the criticality.
    fn parsed(&self, id: &str, critical: bool) -> Option<&ParsedExtension<'a>> {
        let extension = self.extension(id).filter(|extension| extension.critical == critical)?;
        Some(extension.parsed_extension())
    }

    /// The object identifiers of all extensions, sorted.
    fn extension_ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.certificate.extensions().iter().map(|found| found.oid.to_id_string()).collect();
        ids.sort();
        ids
    }

    /// Exactly these, in any order.
    fn has_extensions(&self, wanted: &[&str]) -> bool {
        let mut wanted: Vec<String> = wanted.iter().map(|id| (*id).to_owned()).collect();
        wanted.sort();
        self.extension_ids() == wanted
    }

    /// The bits of a critical keyUsage: 1 is digitalSignature, each following bit twice as much (RFC 5280 4.2.1.3).
    fn key_usage(&self) -> Option<u16> {
        match self.parsed(KEY_USAGE, true)? {
            ParsedExtension::KeyUsage(usage) => Some(usage.flags),
            _ => None,
        }
    }

    /// The purposes of an extKeyUsage that is not critical, sorted.
    fn purposes(&self) -> Option<Vec<String>> {
        let ParsedExtension::ExtendedKeyUsage(usage) = self.parsed(EXT_KEY_USAGE, false)? else { return None };
        let known = [
            (usage.any, "2.5.29.37.0"),
            (usage.server_auth, "1.3.6.1.5.5.7.3.1"),
            (usage.client_auth, CLIENT_AUTH),
            (usage.code_signing, "1.3.6.1.5.5.7.3.3"),
            (usage.email_protection, EMAIL_PROTECTION),
            (usage.time_stamping, "1.3.6.1.5.5.7.3.8"),
            (usage.ocsp_signing, "1.3.6.1.5.5.7.3.9"),
        ];
        let known = known.iter().filter(|(set, _)| *set).map(|(_, id)| (*id).to_owned());
        let mut all: Vec<String> = known.chain(usage.other.iter().map(Oid::to_id_string)).collect();
        all.sort();
        Some(all)
    }

    fn has_purposes(&self, wanted: &[&str]) -> bool {
        let mut wanted: Vec<String> = wanted.iter().map(|id| (*id).to_owned()).collect();
        wanted.sort();
        self.purposes() == Some(wanted)
    }

    /// The policies of an extension that is not critical and has no qualifiers.
    fn policies(&self) -> Option<Vec<String>> {
        let ParsedExtension::CertificatePolicies(policies) = self.parsed(POLICIES, false)? else { return None };
        let bare = |policy: &PolicyInformation<'_>| policy.policy_qualifiers.is_none();
        policies.iter().map(|policy| bare(policy).then(|| policy.policy_id.to_id_string())).collect()
    }

    /// The policies that the issuer's certificate lists.
    fn issuer_policies(&self) -> Vec<String> {
        let listed = self.issuer.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::CertificatePolicies(policies) => Some(policies),
            _ => None,
        });
        listed.into_iter().flat_map(|policies| policies.iter()).map(|policy| policy.policy_id.to_id_string()).collect()
    }

    /// An object identifier under the authority's arc, as text.
    fn own_id(&self, tail: &str) -> String {
        let arc: Vec<String> = self.settings.oid_arc.iter().map(u64::to_string).collect();
        arc.join(".") + tail
    }

    /// The only attribute of the subject, if it is a common name.
    fn common_name(&self) -> Option<&str> {
        let mut attributes = self.certificate.subject().iter_attributes();
        let (first, second) = (attributes.next()?, attributes.next());
        (second.is_none() && first.attr_type().to_id_string() == "2.5.4.3").then(|| first.as_str().ok()).flatten()
    }

    /// First 20 octets of the SHA-256 of the subjectPublicKeyInfo.
    fn has_key_identifier(&self) -> bool {
        use sha2::Digest as _;
        let expected = sha2::Sha256::digest(self.certificate.public_key().raw);
        matches!(self.parsed(SUBJECT_KEY_ID, false),
            Some(ParsedExtension::SubjectKeyIdentifier(found)) if found.0 == &expected[..20])
    }

    /// The issuer's key identifier, and nothing beside it.
    fn has_authority_key_identifier(&self) -> bool {
        let of_issuer = self.issuer.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(found) => Some(found.0),
            _ => None,
        });
        matches!(self.parsed(AUTHORITY_KEY_ID, false),
            Some(ParsedExtension::AuthorityKeyIdentifier(found))
                if found.key_identifier.as_ref().map(|id| id.0) == of_issuer
                    && of_issuer.is_some()
                    && found.authority_cert_issuer.is_none()
                    && found.authority_cert_serial.is_none())
    }

    /// The algorithm without parameters, the same in both places.
    fn is_signed_with(&self, algorithm: &str) -> bool {
        let (inner, outer) = (&self.certificate.tbs_certificate.signature, &self.certificate.signature_algorithm);
        inner == outer && outer.algorithm.to_id_string() == algorithm && outer.parameters.is_none()
    }

    fn has_version_3(&self) -> bool {
        self.certificate.version().0 == 2
    }

    /// 20 octets, positive, not beginning with 00.
    fn has_good_serial(&self) -> bool {
        let serial = self.certificate.raw_serial();
        serial.len() == 20 && serial[0] & 0xc0 == 0x40
    }

    /// How many seconds the certificate is valid, both ends counted (RFC 5280 4.1.2.5).
    fn life_seconds(&self) -> i64 {
        let validity = self.certificate.validity();
        validity.not_after.timestamp() - validity.not_before.timestamp() + 1
    }

    /// Begins before it ends, inside the issuer's validity, in the encoding that RFC 5280 4.1.2.5 gives each year.
    fn has_good_dates(&self) -> bool {
        let (own, issuer) = (self.certificate.validity(), self.issuer.validity());
        let encoded = |at: &x509_parser::time::ASN1Time| at.is_utctime() == (at.to_datetime().year() < 2050);
        own.not_before < own.not_after
            && own.not_before >= issuer.not_before
            && own.not_after <= issuer.not_after
            && encoded(&own.not_before)
            && encoded(&own.not_after)
    }

    /// The issuer's name, octet for octet.
    fn names_issuer(&self) -> bool {
        self.certificate.tbs_certificate.issuer.as_raw() == self.issuer.tbs_certificate.subject.as_raw()
    }

    /// The key's algorithm, its curve, and the octets of its BIT STRING.
    fn key(&self) -> (String, Option<String>, &[u8]) {
        let key = self.certificate.public_key();
        let curve = key.algorithm.parameters.as_ref().map(|found| match found.as_oid() {
            Ok(curve) if found.tag() == Tag::Oid => curve.to_id_string(),
            _ => "something else".to_owned(),
        });
        (key.algorithm.algorithm.to_id_string(), curve, &key.subject_public_key.data)
    }

    fn has_curve(&self, curve: &str, point_size: usize) -> bool {
        let (algorithm, parameters, octets) = self.key();
        algorithm == EC_KEY && parameters.as_deref() == Some(curve) && octets.len() == point_size && octets[0] == 4
    }

    fn has_ed25519_key(&self) -> bool {
        let (algorithm, parameters, octets) = self.key();
        algorithm == ED25519 && parameters.is_none() && octets.len() == 32
    }
}

const SUBJECT_KEY_ID: &str = "2.5.29.14";
const KEY_USAGE: &str = "2.5.29.15";
const SUBJECT_ALT_NAME: &str = "2.5.29.17";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const NAME_CONSTRAINTS: &str = "2.5.29.30";
const CRL_DISTRIBUTION_POINTS: &str = "2.5.29.31";
const POLICIES: &str = "2.5.29.32";
const AUTHORITY_KEY_ID: &str = "2.5.29.35";
const EXT_KEY_USAGE: &str = "2.5.29.37";
const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
const EMAIL_PROTECTION: &str = "1.3.6.1.5.5.7.3.4";
const EC_KEY: &str = "1.2.840.10045.2.1";
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const ED25519: &str = "1.3.101.112";
const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
const ECDSA_SHA384: &str = "1.2.840.10045.4.3.3";
const DAY: i64 = 24 * 60 * 60;

#[cfg(test)]
mod tests;
