//! A certificate of SHAKEN's kind (RFC 8226, ATIS-1000080): X.509 version 3, P-256 or RSA with SHA-256, and only such extensions that
//! limit it as are understood here. What is kept of it is what the checks ask for.

use sha2::{Digest as _, Sha256};
use x509_parser::asn1_rs::BitString;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{AccessDescription, ParsedExtension};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_PKCS1_RSAENCRYPTION, OID_PKCS1_SHA256WITHRSA,
    OID_SIG_ECDSA_WITH_SHA256, OID_X509_EXT_BASIC_CONSTRAINTS, OID_X509_EXT_KEY_USAGE, OID_X509_EXT_NAME_CONSTRAINTS,
};
use x509_parser::prelude::FromDer;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo, X509Version};

use super::key::{Algorithm, Key};
use super::name::Name;
use super::{Fault, TnAuthList};

/// What one certificate says.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    pub(super) subject: Name,
    pub(super) issuer: Name,
    /// See [`serial`].
    pub(super) serial: Vec<u8>,
    pub(super) validity: Validity,
    pub(super) key: Key,
    pub(super) usage: Usage,
    pub(super) numbers: Numbers,
    /// RFC 8226 8, RFC 9118.
    pub(super) constrains_claims: bool,
    pub(super) sha256: [u8; 32],
    /// `None` if that is of an unknown kind.
    signed: Option<Signed>,
}

/// What can be said of one that is of a kind which is not known here.
#[derive(Debug, Clone)]
pub(super) struct Unknown {
    pub(super) subject: Name,
    pub(super) is_ca: bool,
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

/// Octets and the signature over them.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    octets: Vec<u8>,
    algorithm: Algorithm,
    signature: Vec<u8>,
}

impl Certificate {
    /// Reads DER.
    pub(super) fn from_der(der: &[u8]) -> Result<Self, Fault> {
        let certificate = Self::anchor_from_der(der)?;
        if certificate.signed.is_some() { Ok(certificate) } else { Err(Fault::NotP256) }
    }

    /// The same of an anchor, which is believed as it is: how somebody signed it is nobody's concern.
    pub(super) fn anchor_from_der(der: &[u8]) -> Result<Self, Fault> {
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| Fault::Certificate)?;
        let tbs = &parsed.tbs_certificate;
        let is_each_once = tbs.extensions_map().is_ok();
        if !rest.is_empty() || tbs.version != X509Version::V3 || !is_each_once {
            return Err(Fault::Certificate);
        }
        if parsed.signature_algorithm != tbs.signature {
            return Err(Fault::Certificate);
        }
        let key = key(&tbs.subject_pki)?;
        let signed = match Signed::read(tbs.as_ref(), &parsed.signature_algorithm, &parsed.signature_value) {
            Ok(signed) => Some(signed),
            Err(Fault::NotP256) => None,
            Err(fault) => return Err(fault),
        };
        let extensions = Extensions::read(&parsed)?;
        Ok(Self {
            subject: Name::from(&tbs.subject),
            issuer: Name::from(&tbs.issuer),
            serial: serial(parsed.raw_serial()),
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
        self.signed.as_ref().is_some_and(|signed| issuer.has_signed(signed))
    }

    /// Does it name itself as its issuer?
    pub(super) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// May it issue a certificate with so many CAs below it? RFC 5280 6.1.4 k to n.
    pub(super) fn may_issue(&self, cas_below: u32) -> bool {
        let Usage { is_ca, signs_certificates, path_length, .. } = self.usage;
        is_ca && signs_certificates && path_length.is_none_or(|most| cas_below <= most)
    }
}

impl Unknown {
    /// Reads DER.
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let is_ca = parsed.basic_constraints().is_ok_and(|limits| limits.is_some_and(|limits| limits.value.ca));
        Some(Self { subject: Name::from(parsed.subject()), is_ca })
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
    /// Takes over what is signed, if by one of the two algorithms of RFC 8226 4.
    pub(super) fn read(
        octets: &[u8],
        algorithm: &AlgorithmIdentifier<'_>,
        signature: &BitString<'_>,
    ) -> Result<Self, Fault> {
        let algorithm = match &algorithm.algorithm {
            oid if *oid == OID_SIG_ECDSA_WITH_SHA256 => Algorithm::Ecdsa,
            oid if *oid == OID_PKCS1_SHA256WITHRSA => Algorithm::Rsa,
            _ => return Err(Fault::NotP256),
        };
        if signature.unused_bits != 0 {
            return Err(Fault::Certificate);
        }
        Ok(Self { octets: octets.to_vec(), algorithm, signature: signature.data.to_vec() })
    }

    fn is_by(&self, key: &Key) -> bool {
        key.has_signed(&self.octets, self.algorithm, &self.signature)
    }
}

/// A serial number by its value: those that are in order are positive (RFC 5280 4.1.2.2), and zeros before one say nothing.
pub(super) fn serial(octets: &[u8]) -> Vec<u8> {
    octets.iter().copied().skip_while(|octet| *octet == 0).collect()
}

fn key(info: &SubjectPublicKeyInfo<'_>) -> Result<Key, Fault> {
    let (kind, octets) = (&info.algorithm.algorithm, &info.subject_public_key.data);
    let curve = || info.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
    let key = if *kind == OID_KEY_TYPE_EC_PUBLIC_KEY && curve().is_some_and(|curve| curve == OID_EC_P256) {
        Key::p256(octets)
    } else if *kind == OID_PKCS1_RSAENCRYPTION {
        Key::rsa(octets)
    } else {
        None
    };
    key.ok_or(Fault::NotP256)
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
                // RFC 5280 4.2.1.10 has them critical, and 6.1.4 applies them also where they are not.
                _ if extension.critical || extension.oid == OID_X509_EXT_NAME_CONSTRAINTS => {
                    return Err(Fault::CriticalExtension);
                }
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

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// The certificate of RFC 9118 5. Nobody published its issuer's.
    const CONSTRAINED: &str = concat!(
        "MIICpzCCAk2gAwIBAgIUH7Zd3rQ5AsvOlzLnzUHhrVhDSlswCgYIKoZIzj0EAwIw",
        "KTELMAkGA1UEBhMCVVMxGjAYBgNVBAMMEUJPR1VTIFNIQUtFTiBST09UMB4XDTIx",
        "MDcxNTIxNTIxNVoXDTIyMDcxNTIxNTIxNVowbDELMAkGA1UEBhMCVVMxCzAJBgNV",
        "BAgMAlZBMRAwDgYDVQQHDAdIZXJuZG9uMR4wHAYDVQQKDBVCb2d1cyBFeGFtcGxl",
        "IFRlbGVjb20xDTALBgNVBAsMBFZvSVAxDzANBgNVBAMMBlNIQUtFTjBZMBMGByqG",
        "SM49AgEGCCqGSM49AwEHA0IABNR6C6nBWRA/fXTglV03aXkXy8hx9oBttVLhsTZ1",
        "IYVRBao4OZhVf/Xv1a3xLsZ6KfdhuylSeAKuCoSbVGojYDGjggEOMIIBCjAMBgNV",
        "HRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIHgDAdBgNVHQ4EFgQUDlG3dxHyzKL/FZfS",
        "PI7rpuueRbswHwYDVR0jBBgwFoAUlToKtrQeFrwwyXpMj1qu3TQEeoEwQgYJYIZI",
        "AYb4QgENBDUWM1RoaXMgY2VydGlmaWNhdGUgY2Fubm90IGJlIHRydXN0ZWQgZm9y",
        "IGFueSBwdXJwb3NlLjAWBggrBgEFBQcBGgQKMAigBhYEMTIzNDBOBggrBgEFBQcB",
        "IQRCMECgDjAMFgpjb25maWRlbmNloSAwHjAcFgpjb25maWRlbmNlMA4MBGhpZ2gM",
        "Bm1lZGl1baIMMAoWCHByaW9yaXR5MAoGCCqGSM49BAMCA0gAMEUCIQCbNR4QK1um",
        "+0vq2CE1B1/W3avYeREsPi/7RKHffL+5eQIgarHot+X9Rl7SOyNBq5X5JyEMx0SQ",
        "hRLkCY3Zoz2OCNQ=",
    );

    #[test]
    fn the_certificate_of_the_rfc_is_read_and_its_constraints_are_seen() {
        let read = Certificate::from_der(&STANDARD.decode(CONSTRAINED).unwrap()).unwrap();
        assert!(read.constrains_claims && read.key.is_for_tokens() && read.usage.signs && !read.usage.is_ca);
        assert_eq!(read.numbers.spcs(), ["1234"]);
        // 2021-07-15 to 2022-07-15, 21:52:15.
        assert_eq!((read.validity.from, read.validity.to), (1_626_385_935, 1_657_921_935));
    }
}
