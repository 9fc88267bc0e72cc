//! A certificate taken apart, so that one part of it can be spoilt.

use rcgen::SigningKey;

use crate::der::{sequence, tlv};
use crate::fixture::der::{children, object};

/// The parts of a certificate (RFC 5280 4.1), each as DER.
pub(super) struct Parts {
    pub(super) version: Vec<u8>,
    pub(super) serial: Vec<u8>,
    /// The signature's algorithm, as the signed part names it.
    pub(super) inner: Vec<u8>,
    pub(super) issuer: Vec<u8>,
    pub(super) validity: Vec<u8>,
    pub(super) subject: Vec<u8>,
    pub(super) key: Vec<u8>,
    /// Issuer and subject unique identifiers, which no good certificate has.
    pub(super) unique: Vec<u8>,
    extensions: Vec<Vec<u8>>,
    /// The signature's algorithm, as it is named outside.
    pub(super) outer: Vec<u8>,
    signature: Vec<u8>,
}

impl Parts {
    /// The certificate after `spoil`, with its old signature.
    pub(super) fn spoilt(der: &[u8], spoil: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut parts = Self::read(der);
        spoil(&mut parts);
        let signature = parts.signature.clone();
        parts.write(&signature)
    }

    /// The certificate after `spoil`, signed again.
    pub(super) fn signed_again(der: &[u8], key: &impl SigningKey, spoil: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut parts = Self::read(der);
        spoil(&mut parts);
        let signature = key.sign(&parts.to_be_signed()).unwrap();
        parts.write(&tlv(0x03, &[&[0], &signature[..]].concat()))
    }

    fn read(der: &[u8]) -> Self {
        let [tbs, outer, signature] = children(der).try_into().unwrap();
        let [version, serial, inner, issuer, validity, subject, key, extensions] = children(&tbs).try_into().unwrap();
        let extensions = children(&children(&extensions)[0]);
        let unique = Vec::new();
        Self { version, serial, inner, issuer, validity, subject, key, unique, extensions, outer, signature }
    }

    fn to_be_signed(&self) -> Vec<u8> {
        let extensions = tlv(0xa3, &tlv(0x30, &self.extensions.concat()));
        let Self { version, serial, inner, issuer, validity, subject, key, unique, .. } = self;
        sequence(&[version, serial, inner, issuer, validity, subject, key, unique, &extensions])
    }

    fn write(&self, signature: &[u8]) -> Vec<u8> {
        sequence(&[&self.to_be_signed(), &self.outer, signature])
    }

    /// Puts an extension in the place of the one with the same identifier, or beside the others.
    pub(super) fn put(&mut self, id: &str, critical: Critical, value: &[u8]) {
        self.remove(id);
        let critical: &[u8] = if critical == Critical::Yes { &[1, 1, 0xff] } else { &[] };
        self.extensions.push(sequence(&[&object(id), critical, &tlv(0x04, value)]));
    }

    pub(super) fn remove(&mut self, id: &str) {
        let id = object(id);
        self.extensions.retain(|extension| children(extension)[0] != id);
    }

    pub(super) fn repeat(&mut self, id: &str) {
        let id = object(id);
        let found = self.extensions.iter().find(|extension| children(extension)[0] == id).unwrap().clone();
        self.extensions.push(found);
    }

    /// Valid from one moment to the other, each `YYMMDDhhmmssZ`.
    pub(super) fn dates(&mut self, begin: &str, end: &str) {
        self.validity = sequence(&[&tlv(0x17, begin.as_bytes()), &tlv(0x17, end.as_bytes())]);
    }
}

#[derive(PartialEq, Eq)]
pub(super) enum Critical {
    Yes,
    No,
}

/// extKeyUsage.
pub(super) fn purposes(ids: &[&str]) -> Vec<u8> {
    tlv(0x30, &ids.iter().flat_map(|id| object(id)).collect::<Vec<_>>())
}

/// certificatePolicies without qualifiers.
pub(super) fn policies(ids: &[&str]) -> Vec<u8> {
    tlv(0x30, &ids.iter().flat_map(|id| sequence(&[&object(id)])).collect::<Vec<_>>())
}
