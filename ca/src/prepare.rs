//! One issue, in the order that survives a power cut: build and rehearse, let the service commit its intent, sign once.

use std::time::Duration;

use rcgen::{CertificateParams, PublicKeyData};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::authority::Authority;
use crate::bundle::pem;
use crate::lint::{self, Finding};
use crate::profile::{self, Assurance, BACKDATED, Issuing, Level, whole_second};
use crate::request::{KeyKind, LeafKey, Request, RequestError};
use crate::serial::{Serial, hex};
use crate::subject::Subject;

/// What is to be issued.
#[derive(Debug)]
pub struct Order<'a> {
    /// To whom; the caller vouches that it was proved.
    pub subject: &'a Subject,
    /// The key, from its holder's request.
    pub request: &'a Request,
    /// How it was proved.
    pub assurance: Assurance,
    /// What the service knows of the key.
    pub standing: KeyStanding,
    /// A serial from 20 random octets, never used before.
    pub serial: Serial,
    /// Now.
    pub now: OffsetDateTime,
    /// How long the certificate lives, at most [`Issuing::longest_life`].
    pub life: Duration,
}

/// Whether a key may be certified. The service looks it up by [`Request::spki_sha256`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStanding {
    /// Nothing is known against it.
    Clear,
    /// A certificate for it was revoked because the key was compromised.
    Compromised,
}

/// Why nothing is issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request does not fit the subject.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The key is known to others.
    #[error("this key was revoked as compromised: make a new one")]
    CompromisedKey,
    /// The key is one of the authority's own.
    #[error("this key belongs to the authority itself")]
    OwnKey,
    /// Mailboxes need a key that mail can be encrypted to.
    #[error("a certificate for a mailbox needs a P-256 key, because mail is encrypted to it; this one is Ed25519")]
    KeyCannotDecrypt,
    /// The level is not one for this kind of subject.
    #[error("{assurance:?} is not issued to {whom}")]
    Assurance {
        /// What was ordered.
        assurance: Assurance,
        /// The kind of subject.
        whom: &'static str,
    },
    /// A life that is too long.
    #[error("a life of {} s is more than the {} s of level {level:?}", asked.as_secs(), limit.as_secs())]
    TooLong {
        /// What was ordered.
        asked: Duration,
        /// The most.
        limit: Duration,
        /// At this level.
        level: Level,
    },
    /// A life that ends before it began.
    #[error("a life of {} s is too short to be of use: at least {} s", asked.as_secs(), SHORTEST_LIFE.as_secs())]
    TooShort {
        /// What was ordered.
        asked: Duration,
    },
    /// The intermediate is not valid now.
    #[error("the issuing certificate is valid from {not_before} to {not_after}, not now: check the clock, or renew it")]
    IssuerNotValid {
        /// Its first moment.
        not_before: OffsetDateTime,
        /// Its last moment.
        not_after: OffsetDateTime,
    },
    /// The identity and the address of the revocation list are too long together.
    #[error(
        "the certificate could have {size} octets, more than the {SIZE_LIMIT} that a record of the directory holds: use a shorter address"
    )]
    TooLarge {
        /// How large it could become.
        size: usize,
    },
    /// The result is not as specified: a fault of this crate, and nothing is signed.
    #[error("the certificate would not be as specified: {0:?}")]
    Lint(Vec<Finding>),
    /// The library refuses.
    #[error("the certificate could not be encoded: {0}")]
    Encoding(String),
}

/// The shortest life that is issued.
pub const SHORTEST_LIFE: Duration = Duration::from_secs(600);

/// The largest certificate that is issued (LEAF-16). Every number stays below it; so does an address of 254 octets, the
/// longest there is, where the revocation list's URL has at most 57.
pub const SIZE_LIMIT: usize = 860;

/// A certificate that is ready to be signed, once. Dropping it issues nothing.
///
/// ```compile_fail,E0382
/// fn twice(prepared: ca::Prepared, authority: &ca::Authority) {
///     let _ = prepared.sign(authority);
///     let _ = prepared.sign(authority);
/// }
/// ```
#[must_use = "nothing is issued until it is signed"]
pub struct Prepared {
    params: CertificateParams,
    key: LeafKey,
    issuing: Issuing,
    serial: Serial,
    tbs_hash: [u8; 32],
}

/// An issued certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    /// The certificate.
    pub der: Vec<u8>,
    /// The same as PEM.
    pub pem: String,
    /// The intermediate's certificate as PEM. The root is in the bundle.
    pub chain_pem: String,
    /// Its first moment.
    pub not_before: OffsetDateTime,
    /// Its last moment.
    pub not_after: OffsetDateTime,
    /// Its serial number.
    pub serial: Serial,
    /// SHA-256 of its subjectPublicKeyInfo.
    pub spki_sha256: [u8; 32],
}

/// Why a prepared certificate was not signed. Its serial is to be voided: what the key did is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The key did not sign.
    #[error("the signing key failed: {0}")]
    Signer(String),
    /// The key signed something else, or wrongly.
    #[error("what the signing key made does not verify; do not use this key before it was examined")]
    Unsound,
}

impl Authority {
    /// Builds a certificate, signs it with a key that certifies nothing, and examines the result.
    ///
    /// # Errors
    /// Why this order is not carried out.
    pub fn prepare(&self, order: &Order<'_>) -> Result<Prepared, Refusal> {
        let issuing = order.subject.issuing();
        self.judge(order, issuing)?;
        let dates = self.dates(order, issuing)?;
        let params = profile::leaf(order.subject, order.assurance, order.serial, dates, &self.settings);
        let key = order.request.key().clone();
        let issuer = self.issuer(issuing);
        let rehearsed =
            params.signed_by(&key, &issuer.rehearsal).map_err(|error| Refusal::Encoding(error.to_string()))?;
        let size = largest_size(rehearsed.der());
        if size > SIZE_LIMIT {
            return Err(Refusal::TooLarge { size });
        }
        let findings = lint::leaf(rehearsed.der(), &issuer.certificate.der, order.subject, &self.settings);
        if !findings.is_empty() {
            return Err(Refusal::Lint(findings));
        }
        let tbs_hash = tbs_hash(rehearsed.der()).ok_or_else(|| Refusal::Encoding("it cannot be read back".into()))?;
        Ok(Prepared { params, key, issuing, serial: order.serial, tbs_hash })
    }

    fn judge(&self, order: &Order<'_>, issuing: Issuing) -> Result<(), Refusal> {
        let Order { subject, request, assurance, .. } = *order;
        request.names_only(subject)?;
        if order.standing == KeyStanding::Compromised {
            return Err(Refusal::CompromisedKey);
        }
        if self.owns(request.key()) {
            return Err(Refusal::OwnKey);
        }
        if issuing == Issuing::Email && request.key().kind != KeyKind::P256 {
            return Err(Refusal::KeyCannotDecrypt);
        }
        if !issuing.may_state(assurance) {
            return Err(Refusal::Assurance { assurance, whom: issuing.noun() });
        }
        let (asked, level) = (order.life, assurance.level());
        let limit = issuing.longest_life(level);
        if asked > limit {
            return Err(Refusal::TooLong { asked, limit, level });
        }
        if asked < SHORTEST_LIFE {
            return Err(Refusal::TooShort { asked });
        }
        Ok(())
    }

    /// The first and last moment; a leaf ends with its issuer at the latest.
    fn dates(&self, order: &Order<'_>, issuing: Issuing) -> Result<(OffsetDateTime, OffsetDateTime), Refusal> {
        let issuer = &self.issuer(issuing).certificate;
        let (not_before, not_after) = (issuer.not_before, issuer.not_after);
        let now = whole_second(order.now);
        if now < not_before || now + SHORTEST_LIFE > not_after {
            return Err(Refusal::IssuerNotValid { not_before, not_after });
        }
        let begin = (now - BACKDATED).max(not_before);
        Ok((begin, (begin + order.life).min(not_after)))
    }

    fn owns(&self, key: &LeafKey) -> bool {
        Issuing::ALL.iter().any(|issuing| self.issuer(*issuing).issuer.key().der_bytes() == key.der_bytes())
            || self.all_directory_keys().any(|directory| directory.public() == key.der_bytes())
            || self.result_key().is(key.der_bytes())
    }
}

impl Prepared {
    /// The serial number, for the intent.
    pub fn serial(&self) -> Serial {
        self.serial
    }

    /// SHA-256 of what will be signed, for the intent.
    pub fn tbs_hash(&self) -> [u8; 32] {
        self.tbs_hash
    }

    /// Which intermediate will sign.
    pub fn issuing(&self) -> Issuing {
        self.issuing
    }

    /// Signs with the real key and verifies the signature. Call it after the intent is committed.
    ///
    /// # Errors
    /// If the key failed; the serial is then lost.
    pub fn sign(self, authority: &Authority) -> Result<Issued, SignError> {
        let issuer = authority.issuer(self.issuing);
        let made =
            self.params.signed_by(&self.key, &issuer.issuer).map_err(|error| SignError::Signer(error.to_string()))?;
        let der = made.der().to_vec();
        if tbs_hash(&der) != Some(self.tbs_hash) || !verifies(&der, &issuer.certificate.der) {
            return Err(SignError::Unsound);
        }
        Ok(Issued {
            pem: pem("CERTIFICATE", &der),
            der,
            chain_pem: pem("CERTIFICATE", &issuer.certificate.der),
            not_before: self.params.not_before,
            not_after: self.params.not_after,
            serial: self.serial,
            spki_sha256: Sha256::digest(self.key.subject_public_key_info()).into(),
        })
    }
}

impl Issued {
    /// The serial number in hexadecimal.
    pub fn serial_hex(&self) -> String {
        self.serial.hex()
    }
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issued({}, until {}, key {})", self.serial, self.not_after, hex(&self.spki_sha256[..8]))
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prepared({}, subject [private])", self.serial)
    }
}

fn tbs_hash(der: &[u8]) -> Option<[u8; 32]> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(Sha256::digest(certificate.tbs_certificate.as_ref()).into())
}

/// What the real signature may make of a rehearsed certificate: one by a P-256 key takes up to 72 octets (RFC 3279 2.2.3),
/// and chance made the rehearsal's as long or a little shorter.
fn largest_size(der: &[u8]) -> usize {
    let signature = X509Certificate::from_der(der).map_or(0, |(_, certificate)| certificate.signature_value.data.len());
    der.len() + 72_usize.saturating_sub(signature)
}

fn verifies(der: &[u8], issuer: &[u8]) -> bool {
    let (Ok((_, certificate)), Ok((_, issuer))) = (X509Certificate::from_der(der), X509Certificate::from_der(issuer))
    else {
        return false;
    };
    certificate.verify_signature(Some(issuer.public_key())).is_ok()
}

#[cfg(test)]
mod tests;
