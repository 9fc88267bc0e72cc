//! Another directory key in the place of the one in use.
//!
//! The root certifies the new key, and certifies the one that gives way anew: until the end of the overlap. So the date stands in
//! the certificate that the directory is read by, and nowhere else. Two files change, one after the other, each in one step: the
//! keys, then the certificates, which say what counts. Until these are written, every key stays that the present ones name; what
//! no certificate names any more is taken out of the keys at last.

use std::time::Duration;

use ed25519_dalek::SigningKey as Ed25519Key;
use rcgen::{Issuer, PKCS_ECDSA_P384_SHA384, PublicKeyData};
use time::OffsetDateTime;

use super::maker::{Maker, PublicHalf};
use super::open::key_octets;
use super::{Authority, names};
use crate::bundle::pem;
use crate::files::File;
use crate::lint::{self, Finding};
use crate::lives::Lives;
use crate::profile::{self, Level};
use crate::signer::{KeyCost, KeyFileError, Signer};

/// What becomes of the key in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outgoing {
    /// The directory is written under it, too, until no certificate lives that was published before: then everybody who looks
    /// somebody up has had the time to take the new bundle.
    Overlaps,
    /// Somebody else has it: nothing is written under it any more, nor under one that gave way to it.
    Stolen,
}

/// What a rotation needs.
#[derive(Clone)]
pub struct Rotation<'a> {
    /// The file of the root's key, from where it is kept.
    pub root_key: &'a [u8],
    /// What becomes of the key in use.
    pub outgoing: Outgoing,
    /// Now.
    pub now: OffsetDateTime,
    /// 32 random octets, used for nothing else: the key, serials and salts come from them.
    pub entropy: [u8; 32],
    /// What the key files are encrypted with.
    pub passphrase: &'a str,
    /// What trying a passphrase costs.
    pub cost: KeyCost,
}

/// Why the directory key was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// An overlap is not over.
    #[error("the directory is written under the key before this one until {until}")]
    Overlap {
        /// When it is.
        until: OffsetDateTime,
    },
    /// The root's key does not open.
    #[error("the root's key cannot be used: {0}")]
    RootKey(KeyFileError),
    /// It is another root's.
    #[error("this is not the key of the authority's root")]
    OtherRoot,
    /// The library could not encode a certificate.
    #[error("a certificate could not be made")]
    Library(#[from] rcgen::Error),
    /// A key could not be encrypted.
    #[error("a key could not be encrypted: {0}")]
    Seal(#[from] KeyFileError),
    /// A certificate is not as specified: the root's time is over, or a fault of this crate.
    #[error("the new directory certificate is not as specified: {0:?}")]
    Lint(Vec<Finding>),
}

impl Authority {
    /// Makes another directory key. The files take the places of those of their names, in this order
    /// ([`crate::files::replace`]), one of them perhaps twice: after each the authority opens, until the certificates are written
    /// with the keys that it had.
    ///
    /// # Errors
    /// As named.
    pub fn rotate_directory_key(&self, rotation: &Rotation<'_>) -> Result<Vec<File>, RotateError> {
        let Rotation { root_key, outgoing, now, entropy, passphrase, cost } = *rotation;
        if outgoing == Outgoing::Overlaps
            && let Some(older) = self.directory_keys(now).nth(1)
        {
            return Err(RotateError::Overlap { until: older.not_after() });
        }
        let issuer = self.root_that_signs(root_key, passphrase)?;
        let maker = Maker::new(entropy, passphrase, cost);
        let key = Ed25519Key::from_bytes(&maker.derive("directory key"));
        let mut written = vec![Written { key: &key, name: "newest", until: self.root.not_after }];
        let until = self.directory.not_after().min(now + overlap());
        if outgoing == Outgoing::Overlaps && until > now {
            written.push(Written { key: self.directory.key(), name: "outgoing", until });
        }

        let certificates = self.certified(&written, now, &issuer, &maker)?;
        let mut keys = String::new();
        for Written { key, name, .. } in &written {
            keys += &maker.sealed(key, name)?;
        }
        let mut all_keys = keys.clone();
        for (before, name) in self.all_directory_keys().zip(["before", "outgoing before"]) {
            if written.iter().all(|stays| stays.key.verifying_key().to_bytes() != before.public()) {
                all_keys += &maker.sealed(before.key(), name)?;
            }
        }
        let file = |name: &str, text: String| File { name: name.to_owned(), bytes: text.into_bytes() };
        let is_one_over = all_keys != keys;
        let mut files = vec![file(names::DIRECTORY_KEY, all_keys), file(names::DIRECTORY, certificates)];
        files.extend(is_one_over.then(|| file(names::DIRECTORY_KEY, keys)));
        Ok(files)
    }

    /// The root with its key, from the file that is kept elsewhere.
    fn root_that_signs(&self, file: &[u8], passphrase: &str) -> Result<Issuer<'static, Signer>, RotateError> {
        let key = Signer::open(file, passphrase, &PKCS_ECDSA_P384_SHA384).map_err(RotateError::RootKey)?;
        if key_octets(self.root()).as_deref() != Some(key.der_bytes()) {
            return Err(RotateError::OtherRoot);
        }
        Ok(Issuer::from_ca_cert_der(&self.root().into(), key)?)
    }

    /// The certificates of these keys, as PEM, in their order.
    fn certified(
        &self,
        written: &[Written<'_>],
        now: OffsetDateTime,
        issuer: &Issuer<'_, Signer>,
        maker: &Maker<'_>,
    ) -> Result<String, RotateError> {
        let (mut certificates, mut findings) = (String::new(), Vec::new());
        for Written { key, name, until } in written {
            let mut params = profile::directory(maker.serial(name), now, &self.settings);
            params.not_after = params.not_after.min(profile::whole_second(*until));
            let certificate = params.signed_by(&PublicHalf(key.verifying_key().to_bytes()), issuer)?;
            findings.extend(lint::directory(certificate.der(), self.root(), &self.settings));
            certificates += &pem("CERTIFICATE", certificate.der());
        }
        if findings.is_empty() { Ok(certificates) } else { Err(RotateError::Lint(findings)) }
    }
}

/// A key that the directory is written under after the rotation.
struct Written<'a> {
    key: &'a Ed25519Key,
    /// For what the maker derives.
    name: &'static str,
    until: OffsetDateTime,
}

/// As long as any certificate lives.
fn overlap() -> Duration {
    Level::ALL.map(Lives::longest).into_iter().max().expect("there are levels")
}

impl std::fmt::Debug for Rotation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rotation({:?}, secrets [private])", self.outgoing)
    }
}
