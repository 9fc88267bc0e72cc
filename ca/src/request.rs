//! Reading a PKCS#10 request (RFC 2986) from a stranger.
//!
//! Only the public key leaves this file, written anew from its checked octets, and only after the request's signature
//! proved that its sender holds the private half. What else a request asks for is never copied into a certificate. Two
//! wishes are refused aloud, because whoever has them expects another certificate than this CA gives: to be an
//! authority, and to have another name than the one that was proved.

use std::fmt;

use ed25519_dalek::VerifyingKey;
use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData, SignatureAlgorithm};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ED25519, UnparsedPublicKey, VerificationAlgorithm,
};
use sha2::{Digest, Sha256};
use x509_parser::asn1_rs::Tag;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_DSA, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_NIST_EC_P521,
    OID_PKCS1_RSAENCRYPTION, OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ED25519,
};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, ParsedCriAttribute};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use crate::email::Address;
use crate::extensions::SMTP_UTF8_MAILBOX;
use crate::subject::Subject;

/// The largest request that is read, PEM or DER: four times what a P-256 key and a few extensions take.
pub const SIZE_LIMIT: usize = 8 * 1024;

/// A request whose sender holds the key that it carries.
#[derive(Clone)]
pub struct Request {
    key: LeafKey,
    names: Vec<Name>,
}

/// Why a request is refused. Every variant is the sender's to mend, and says how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// More octets than a request needs.
    #[error("the request has {size} octets, more than the {SIZE_LIMIT} that are read")]
    TooLarge {
        /// How many.
        size: usize,
    },
    /// Not a PKCS#10.
    #[error("this is not a PKCS#10 certificate request: {0}")]
    Malformed(&'static str),
    /// A kind of key that this CA does not certify.
    #[error("the request carries a key of the type {key}; this CA certifies P-256, and Ed25519 for telephone numbers")]
    Key {
        /// Its name, such as `RSA-1024`.
        key: String,
    },
    /// A signature that cannot be checked.
    #[error("the request is signed with {algorithm}; sign it with SHA-256")]
    Signature {
        /// The object identifier.
        algorithm: String,
    },
    /// The signature does not hold.
    #[error("the request is not signed by the key it carries")]
    NotPossessed,
    /// It wants to issue certificates.
    #[error("the request asks to be a certificate authority ({asked}); leave that out")]
    AsksForAuthority {
        /// The wish.
        asked: &'static str,
    },
    /// It names somebody else.
    #[error("the request asks for another name than the one proved, {0}; leave the subjectAltName out")]
    ForeignName(Name),
}

/// A subject alternative name that a request asks for. Printing it tells its kind only: it may be a telephone number.
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    kind: &'static str,
    value: String,
}

impl Request {
    /// Reads a request, PEM or DER, and proves possession of its key.
    ///
    /// # Errors
    /// What its sender has to change.
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        if bytes.len() > SIZE_LIMIT {
            return Err(RequestError::TooLarge { size: bytes.len() });
        }
        let from_pem;
        let der = if bytes.first() == Some(&0x30) {
            bytes
        } else {
            from_pem = unwrap_pem(bytes)?;
            &from_pem
        };
        let (rest, request) =
            X509CertificationRequest::from_der(der).map_err(|_| RequestError::Malformed("its DER cannot be read"))?;
        if !rest.is_empty() {
            return Err(RequestError::Malformed("something follows it"));
        }
        let info = &request.certification_request_info;
        // RFC 2986 4.1: the one version there is.
        if info.version.0 != 0 {
            return Err(RequestError::Malformed("its version is unknown"));
        }
        let key = LeafKey::read(&info.subject_pki)?;
        let method = key.method(&request.signature_algorithm)?;
        UnparsedPublicKey::new(method, &key.octets)
            .verify(info.raw, &request.signature_value.data)
            .map_err(|_| RequestError::NotPossessed)?;
        Ok(Self { key, names: wishes(&request)? })
    }

    /// Refuses a request that names anybody but the subject: a certificate for somebody else is not what it would get.
    ///
    /// # Errors
    /// [`RequestError::ForeignName`].
    pub fn names_only(&self, subject: &Subject) -> Result<(), RequestError> {
        match self.names.iter().find(|name| !name.is(subject)) {
            None => Ok(()),
            Some(foreign) => Err(RequestError::ForeignName(foreign.clone())),
        }
    }

    /// The public key as DER SubjectPublicKeyInfo, in its one canonical spelling.
    pub fn spki(&self) -> Vec<u8> {
        self.key.subject_public_key_info()
    }

    /// SHA-256 of [`Self::spki`]: the name under which keys are compared and blocked.
    pub fn spki_sha256(&self) -> [u8; 32] {
        Sha256::digest(self.spki()).into()
    }

    pub(crate) fn key(&self) -> &LeafKey {
        &self.key
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({})", crate::serial::hex(&self.spki_sha256()[..8]))
    }
}

fn unwrap_pem(bytes: &[u8]) -> Result<Vec<u8>, RequestError> {
    // RFC 7468 7: the second label is what old software writes.
    const LABELS: [&str; 2] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];
    let mut blocks = Pem::iter_from_buffer(bytes);
    match (blocks.next(), blocks.next()) {
        (Some(Ok(block)), None) if LABELS.contains(&block.label.as_str()) => Ok(block.contents),
        (Some(Ok(block)), None) if block.label.contains("PRIVATE KEY") => {
            Err(RequestError::Malformed("it is a private key, which nobody else may see: make a new one"))
        }
        (Some(Ok(_)), None) => Err(RequestError::Malformed("its PEM label is not CERTIFICATE REQUEST")),
        (Some(_), Some(_)) => Err(RequestError::Malformed("it holds several PEM blocks")),
        (Some(Err(_)) | None, _) => Err(RequestError::Malformed("it is neither DER nor PEM")),
    }
}

/// Every name asked for, in every extension request there is; refuses the wish to be an authority.
fn wishes(request: &X509CertificationRequest<'_>) -> Result<Vec<Name>, RequestError> {
    let mut names = Vec::new();
    for attribute in request.certification_request_info.iter_attributes() {
        let ParsedCriAttribute::ExtensionRequest(requested) = attribute.parsed_attribute() else { continue };
        for extension in &requested.extensions {
            match extension.parsed_extension() {
                ParsedExtension::BasicConstraints(constraints) if constraints.ca => {
                    return Err(RequestError::AsksForAuthority { asked: "basicConstraints CA:TRUE" });
                }
                ParsedExtension::KeyUsage(usage) if usage.key_cert_sign() => {
                    return Err(RequestError::AsksForAuthority { asked: "keyUsage keyCertSign" });
                }
                ParsedExtension::KeyUsage(usage) if usage.crl_sign() => {
                    return Err(RequestError::AsksForAuthority { asked: "keyUsage cRLSign" });
                }
                ParsedExtension::SubjectAlternativeName(asked) => {
                    names.extend(asked.general_names.iter().map(Name::read));
                }
                ParsedExtension::ParseError { .. } => {
                    return Err(RequestError::Malformed("an extension that it asks for cannot be read"));
                }
                _ => {}
            }
        }
    }
    Ok(names)
}

impl Name {
    /// The kind of name, such as `dNSName`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The name itself, to show to whoever sent the request. It may be private: never log it.
    pub fn expose(&self) -> &str {
        &self.value
    }

    fn read(name: &GeneralName<'_>) -> Self {
        let (kind, value) = match name {
            GeneralName::URI(uri) => (URI, (*uri).to_owned()),
            GeneralName::RFC822Name(address) => (MAILBOX, (*address).to_owned()),
            GeneralName::OtherName(kind, value) => match utf8_mailbox(kind, value) {
                Some(address) => (UTF8_MAILBOX, address),
                None => ("otherName", kind.to_id_string()),
            },
            GeneralName::DNSName(host) => ("dNSName", (*host).to_owned()),
            GeneralName::IPAddress(octets) => ("iPAddress", crate::serial::hex(octets)),
            GeneralName::DirectoryName(name) => ("directoryName", name.to_string()),
            GeneralName::RegisteredID(id) => ("registeredID", id.to_id_string()),
            GeneralName::X400Address(_) => ("x400Address", String::new()),
            GeneralName::EDIPartyName(_) => ("ediPartyName", String::new()),
            GeneralName::Invalid(..) => ("unreadable name", String::new()),
        };
        Self { kind, value }
    }

    fn is(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Tel(tel) => self.kind == URI && self.value == tel.uri(),
            Subject::Email(address) => {
                [MAILBOX, UTF8_MAILBOX].contains(&self.kind)
                    && Address::parse(&self.value).is_ok_and(|asked| asked.key() == address.key())
            }
        }
    }
}

const URI: &str = "uniformResourceIdentifier";
const MAILBOX: &str = "rfc822Name";
const UTF8_MAILBOX: &str = "SmtpUTF8Mailbox";

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {}", self.kind)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}([private])", self.kind)
    }
}

/// RFC 9598 3: a UTF8String in the `[0] EXPLICIT` of every otherName.
pub(crate) fn utf8_mailbox(kind: &x509_parser::asn1_rs::Oid<'_>, value: &[u8]) -> Option<String> {
    use x509_parser::asn1_rs::{Any, Utf8String};
    if !kind.iter()?.eq(SMTP_UTF8_MAILBOX.iter().copied()) {
        return None;
    }
    let (rest, outer) = Any::from_der(value).ok()?;
    let (inner_rest, mailbox) = Utf8String::from_der(outer.data).ok()?;
    let whole = rest.is_empty() && inner_rest.is_empty() && outer.header.tag() == Tag(0);
    whole.then(|| mailbox.string())
}

/// A public key of a kind that is certified, as the octets of its BIT STRING.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct LeafKey {
    pub(crate) kind: KeyKind,
    octets: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    P256,
    Ed25519,
}

impl LeafKey {
    pub(crate) fn read(spki: &SubjectPublicKeyInfo<'_>) -> Result<Self, RequestError> {
        let octets = spki.subject_public_key.data.to_vec();
        if spki.subject_public_key.unused_bits != 0 {
            return Err(RequestError::Malformed("its key is not whole octets"));
        }
        let kind = match key_name(spki).as_str() {
            "P-256" if octets.len() == 65 && octets[0] == 4 => KeyKind::P256,
            "P-256" => return Err(RequestError::Malformed("its P-256 point is not in the uncompressed form")),
            "Ed25519" if octets.len() == 32 && proves_possession(&octets) => KeyKind::Ed25519,
            "Ed25519" if octets.len() == 32 => {
                return Err(RequestError::Malformed("its Ed25519 key is one that anybody signs for"));
            }
            "Ed25519" => return Err(RequestError::Malformed("its Ed25519 key has not 32 octets")),
            other => return Err(RequestError::Key { key: other.to_owned() }),
        };
        Ok(Self { kind, octets })
    }

    /// The octets of its BIT STRING.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// How a request with this key may be signed.
    fn method(&self, algorithm: &AlgorithmIdentifier<'_>) -> Result<&'static dyn VerificationAlgorithm, RequestError> {
        let signed_with = &algorithm.algorithm;
        match self.kind {
            KeyKind::P256 if *signed_with == OID_SIG_ECDSA_WITH_SHA256 => Ok(&ECDSA_P256_SHA256_ASN1),
            KeyKind::P256 if *signed_with == OID_SIG_ECDSA_WITH_SHA384 => Ok(&ECDSA_P256_SHA384_ASN1),
            KeyKind::Ed25519 if *signed_with == OID_SIG_ED25519 => Ok(&ED25519),
            _ => Err(RequestError::Signature { algorithm: signed_with.to_id_string() }),
        }
    }
}

impl PublicKeyData for LeafKey {
    fn der_bytes(&self) -> &[u8] {
        &self.octets
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.kind {
            KeyKind::P256 => &PKCS_ECDSA_P256_SHA256,
            KeyKind::Ed25519 => &PKCS_ED25519,
        }
    }
}

/// Whether an Ed25519 key is a point of full order: with the few others, signatures hold that nobody's secret made.
fn proves_possession(octets: &[u8]) -> bool {
    let key = octets.try_into().ok().and_then(|octets| VerifyingKey::from_bytes(octets).ok());
    key.is_some_and(|key| !key.is_weak())
}

/// What a person calls this kind of key.
fn key_name(spki: &SubjectPublicKeyInfo<'_>) -> String {
    let algorithm = &spki.algorithm.algorithm;
    if *algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY {
        // `as_oid` does not look at the tag, and takes the numbers of a curve spelled out for an identifier.
        let named = spki.algorithm.parameters.as_ref().filter(|parameters| parameters.tag() == Tag::Oid);
        let curve = named.and_then(|parameters| parameters.as_oid().ok());
        return match curve {
            Some(curve) if curve == OID_EC_P256 => "P-256".to_owned(),
            Some(curve) if curve == OID_NIST_EC_P384 => "P-384".to_owned(),
            Some(curve) if curve == OID_NIST_EC_P521 => "P-521".to_owned(),
            Some(curve) => format!("EC with the curve {}", curve.to_id_string()),
            None => "EC without a named curve".to_owned(),
        };
    }
    if *algorithm == OID_PKCS1_RSAENCRYPTION {
        return match spki.parsed() {
            Ok(PublicKey::RSA(key)) => format!("RSA-{}", key.key_size()),
            _ => "RSA".to_owned(),
        };
    }
    if *algorithm == OID_SIG_ED25519 && spki.algorithm.parameters.is_none() {
        return "Ed25519".to_owned();
    }
    if *algorithm == OID_KEY_TYPE_DSA {
        return "DSA".to_owned();
    }
    match algorithm.to_id_string().as_str() {
        "1.3.101.113" => "Ed448".to_owned(),
        "1.3.101.110" => "X25519".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests;
