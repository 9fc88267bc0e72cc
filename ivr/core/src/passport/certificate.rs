//! A certificate of SHAKEN's kind (RFC 8226, ATIS-1000080): X.509 version 3, P-256 and SHA-256, and only such critical
//! extensions as are understood here. What is kept of it is what the checks ask for.

use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{AccessDescription, ParsedExtension};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_SIG_ECDSA_WITH_SHA256, OID_X509_EXT_BASIC_CONSTRAINTS,
    OID_X509_EXT_KEY_USAGE,
};
use x509_parser::prelude::FromDer;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo, X509Version};

use super::key::Key;
use super::{Fault, TnAuthList};

/// What one certificate says.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    /// Names as they are encoded: they are compared octet by octet.
    pub(super) subject: Vec<u8>,
    pub(super) issuer: Vec<u8>,
    pub(super) serial: Vec<u8>,
    pub(super) validity: Validity,
    pub(super) key: Key,
    pub(super) usage: Usage,
    pub(super) numbers: Numbers,
    /// RFC 8226 8, RFC 9118.
    pub(super) constrains_claims: bool,
    pub(super) sha256: [u8; 32],
    signed: Signed,
}

/// When it holds, in seconds since 1970, both included (RFC 5280 4.1.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// What its key may do (RFC 5280 4.2.1.3 and 4.2.1.9): without the extension, nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Usage {
    pub(super) signs: bool,
    pub(super) signs_certificates: bool,
    pub(super) signs_lists: bool,
    pub(super) is_ca: bool,
    /// CAs that may stand between it and a leaf.
    pub(super) path_length: Option<u32>,
}

/// For which numbers it speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Numbers {
    None,
    Listed(TnAuthList),
    /// RFC 8226 10.1: a URI of the list stands in its authority information access.
    ElsewhereOnly,
    Unreadable,
}

/// Octets and the ECDSA signature over them.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    octets: Vec<u8>,
    /// DER.
    signature: Vec<u8>,
}

impl Certificate {
    /// Reads DER.
    pub(super) fn from_der(der: &[u8]) -> Result<Self, Fault> {
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| Fault::Certificate)?;
        let tbs = &parsed.tbs_certificate;
        let is_each_once = tbs.extensions_map().is_ok();
        if !rest.is_empty() || tbs.version != X509Version::V3 || !is_each_once {
            return Err(Fault::Certificate);
        }
        if parsed.signature_algorithm != tbs.signature || parsed.signature_value.unused_bits != 0 {
            return Err(Fault::Certificate);
        }
        let key = p256_key(&tbs.subject_pki)?;
        let signed = Signed::read(tbs.as_ref(), &parsed.signature_algorithm, &parsed.signature_value.data)?;
        let extensions = Extensions::read(&parsed)?;
        Ok(Self {
            subject: tbs.subject.as_raw().to_vec(),
            issuer: tbs.issuer.as_raw().to_vec(),
            serial: parsed.raw_serial().to_vec(),
            validity: Validity { from: tbs.validity.not_before.timestamp(), to: tbs.validity.not_after.timestamp() },
            key,
            usage: extensions.usage,
            numbers: extensions.numbers,
            constrains_claims: extensions.constrains_claims,
            sha256: Sha256::digest(der).into(),
            signed,
        })
    }

    /// Did the holder of this certificate's key sign `signed`?
    pub(super) fn has_signed(&self, signed: &Signed) -> bool {
        signed.is_by(&self.key)
    }

    /// Is it signed with this issuer's key?
    pub(super) fn is_signed_by(&self, issuer: &Self) -> bool {
        issuer.has_signed(&self.signed)
    }

    /// May it issue a certificate with so many CAs below it? RFC 5280 6.1.4 k to n.
    pub(super) fn may_issue(&self, cas_below: u32) -> bool {
        let Usage { is_ca, signs_certificates, path_length, .. } = self.usage;
        is_ca && signs_certificates && path_length.is_none_or(|most| cas_below <= most)
    }
}

impl Numbers {
    /// The service provider codes.
    pub(super) fn spcs(&self) -> Vec<String> {
        match self {
            Self::Listed(list) => list.spcs().map(str::to_owned).collect(),
            Self::None | Self::ElsewhereOnly | Self::Unreadable => Vec::new(),
        }
    }
}

impl Validity {
    /// Does it hold then?
    pub(super) fn check(self, at: i64) -> Result<(), Fault> {
        match at {
            at if at < self.from => Err(Fault::NotYetValid),
            at if at > self.to => Err(Fault::Expired),
            _ => Ok(()),
        }
    }

    /// When both hold.
    pub(super) fn and(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }
}

impl Signed {
    /// Takes over what is signed, if by the one algorithm of SHAKEN.
    pub(super) fn read(octets: &[u8], algorithm: &AlgorithmIdentifier<'_>, signature: &[u8]) -> Result<Self, Fault> {
        if algorithm.algorithm != OID_SIG_ECDSA_WITH_SHA256 {
            return Err(Fault::NotP256);
        }
        Ok(Self { octets: octets.to_vec(), signature: signature.to_vec() })
    }

    fn is_by(&self, key: &Key) -> bool {
        key.has_signed(&self.octets, &self.signature)
    }
}

fn p256_key(info: &SubjectPublicKeyInfo<'_>) -> Result<Key, Fault> {
    let curve = info.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
    if info.algorithm.algorithm != OID_KEY_TYPE_EC_PUBLIC_KEY || curve.is_none_or(|curve| curve != OID_EC_P256) {
        return Err(Fault::NotP256);
    }
    Key::read(&info.subject_public_key.data).ok_or(Fault::NotP256)
}

/// What the extensions say.
struct Extensions {
    usage: Usage,
    numbers: Numbers,
    constrains_claims: bool,
}

impl Extensions {
    fn read(certificate: &X509Certificate<'_>) -> Result<Self, Fault> {
        let mut read = Self { usage: Usage::default(), numbers: Numbers::None, constrains_claims: false };
        for extension in certificate.extensions() {
            let oid = extension.oid.to_id_string();
            match (oid.as_str(), extension.parsed_extension()) {
                (_, ParsedExtension::KeyUsage(usage)) => {
                    read.usage.signs = usage.digital_signature();
                    read.usage.signs_certificates = usage.key_cert_sign();
                    read.usage.signs_lists = usage.crl_sign();
                }
                (_, ParsedExtension::BasicConstraints(constraints)) => {
                    (read.usage.is_ca, read.usage.path_length) = (constraints.ca, constraints.path_len_constraint);
                }
                (TN_AUTH_LIST, _) => {
                    read.numbers = TnAuthList::from_der(extension.value).map_or(Numbers::Unreadable, Numbers::Listed);
                }
                (JWT_CLAIM_CONSTRAINTS | ENHANCED_JWT_CLAIM_CONSTRAINTS, _) => read.constrains_claims = true,
                (_, ParsedExtension::AuthorityInfoAccess(access)) => {
                    let is_list = |one: &AccessDescription<'_>| one.access_method.to_id_string() == STIR_TN_LIST;
                    if read.numbers == Numbers::None && access.accessdescs.iter().any(is_list) {
                        read.numbers = Numbers::ElsewhereOnly;
                    }
                }
                // One that cannot be parsed would be taken for absent.
                _ if extension.oid == OID_X509_EXT_KEY_USAGE || extension.oid == OID_X509_EXT_BASIC_CONSTRAINTS => {
                    return Err(Fault::Certificate);
                }
                _ if extension.critical => return Err(Fault::CriticalExtension),
                _ => {}
            }
        }
        Ok(read)
    }
}

/// id-pe-TNAuthList (RFC 8226 9).
const TN_AUTH_LIST: &str = "1.3.6.1.5.5.7.1.26";
/// id-pe-JWTClaimConstraints (RFC 8226 8).
const JWT_CLAIM_CONSTRAINTS: &str = "1.3.6.1.5.5.7.1.27";
/// id-pe-eJWTClaimConstraints (RFC 9118).
const ENHANCED_JWT_CLAIM_CONSTRAINTS: &str = "1.3.6.1.5.5.7.1.33";
/// id-ad-stirTNList (RFC 8226 10.1).
const STIR_TN_LIST: &str = "1.3.6.1.5.5.7.48.14";
