//! Revocation lists (RFC 5280 5): those of an issuer for its own certificates, and indirect ones, as SHAKEN's policy
//! administrator publishes one for all authorities (ATIS-1000080).

use std::collections::HashSet;

use x509_parser::asn1_rs::{Any, Class, Sequence, Tag};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::{CertificateRevocationList, RevokedCertificate};

use super::certificate::{Certificate, Signed, Validity};

/// One list.
#[derive(Debug, Clone)]
pub(super) struct RevocationList {
    issuer: Vec<u8>,
    validity: Validity,
    is_indirect: bool,
    /// Issuer and serial number.
    revoked: HashSet<(Vec<u8>, Vec<u8>)>,
    signed: Signed,
}

impl RevocationList {
    /// Reads a whole list in DER. None of its critical extensions may be unknown, and it must say when the next one comes.
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        let (rest, list) = CertificateRevocationList::from_der(der).ok()?;
        let tbs = &list.tbs_cert_list;
        tbs.extensions_map().ok().filter(|_| rest.is_empty() && list.signature_algorithm == tbs.signature)?;
        let mut is_indirect = false;
        for extension in tbs.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::IssuingDistributionPoint(point) => {
                    if point.only_some_reasons.is_some() || point.only_contains_attribute_certs {
                        return None;
                    }
                    is_indirect = point.indirect_crl;
                }
                _ if extension.critical => return None,
                _ => {}
            }
        }
        let issuer = tbs.issuer.as_raw().to_vec();
        Some(Self {
            revoked: revoked(&tbs.revoked_certificates, &issuer)?,
            issuer,
            validity: Validity { from: tbs.this_update.timestamp(), to: tbs.next_update?.timestamp() },
            is_indirect,
            signed: Signed::read(tbs.as_ref(), &list.signature_algorithm, &list.signature_value.data).ok()?,
        })
    }

    /// When it is in force.
    pub(super) fn validity(&self) -> Validity {
        self.validity
    }

    /// Does it speak of certificates of this issuer?
    pub(super) fn covers(&self, issuer: &[u8]) -> bool {
        self.is_indirect || self.issuer == issuer
    }

    /// Is it signed by one of these?
    pub(super) fn is_signed_by_any<'c>(&self, mut issuers: impl Iterator<Item = &'c Certificate>) -> bool {
        issuers
            .any(|issuer| issuer.subject == self.issuer && issuer.usage.signs_lists && issuer.has_signed(&self.signed))
    }

    /// Does this certificate stand on it?
    pub(super) fn names(&self, certificate: &Certificate) -> bool {
        self.revoked.contains(&(certificate.issuer.clone(), certificate.serial.clone()))
    }
}

/// RFC 5280 5.3.3: an entry is of the issuer that it names, or else of the one before; in the beginning, of the list's.
fn revoked(entries: &[RevokedCertificate<'_>], issuer: &[u8]) -> Option<HashSet<(Vec<u8>, Vec<u8>)>> {
    let (mut issuer, mut revoked) = (issuer.to_vec(), HashSet::with_capacity(entries.len()));
    for entry in entries {
        for extension in entry.extensions() {
            match extension.oid.to_id_string().as_str() {
                CERTIFICATE_ISSUER => issuer = directory_name(extension.value)?,
                _ if extension.critical => return None,
                _ => {}
            }
        }
        revoked.insert((issuer.clone(), entry.raw_serial().to_vec()));
    }
    Some(revoked)
}

/// The distinguished name among the `GeneralNames` of a certificate's issuer, as it is encoded.
fn directory_name(names: &[u8]) -> Option<Vec<u8>> {
    let (_, names) = Sequence::from_der(names).ok()?;
    let mut left = &*names.content;
    while !left.is_empty() {
        let (after, name) = Any::from_der(left).ok()?;
        // directoryName [4], explicit because Name is a CHOICE.
        if name.class() == Class::ContextSpecific && name.tag() == Tag(4) {
            return Some(name.data.to_vec());
        }
        left = after;
    }
    None
}

/// id-ce-certificateIssuer (RFC 5280 5.3.3).
const CERTIFICATE_ISSUER: &str = "2.5.29.29";
