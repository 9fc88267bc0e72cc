//! Opening an authority from its files, and refusing one whose parts do not belong together.

use rcgen::{Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Authority, Certificate, DirectoryKey, Intermediate, Settings, names};
use crate::files::File;
use crate::lint::{self, Finding};
use crate::lives::Lives;
use crate::profile::Issuing;
use crate::signed_result::ResultKey;
use crate::signer::{self, KeyFileError, Signer};

/// Why an authority does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file is missing.
    #[error("the authority's folder lacks {0}: restore it from the backup, or make an authority with init")]
    Missing(&'static str),
    /// A file cannot be read.
    #[error("the authority's {file} cannot be read: {why}")]
    Malformed {
        /// Its name.
        file: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A key cannot be used.
    #[error("the authority's {file} cannot be used: {why}")]
    Key {
        /// Its name.
        file: &'static str,
        /// What is wrong with it.
        why: KeyFileError,
    },
    /// A key is not the one that was certified.
    #[error("the authority's {key} is not the key of {certificate}")]
    OtherKey {
        /// The key's file.
        key: &'static str,
        /// The certificate's file.
        certificate: &'static str,
    },
    /// A certificate is not of this root or not as specified.
    #[error("the authority's {file} is not as specified: {findings:?}")]
    Lint {
        /// Its name.
        file: &'static str,
        /// Where it departs.
        findings: Vec<Finding>,
    },
    /// The library refuses a certificate.
    #[error("a certificate of the authority cannot be used")]
    Library(#[from] rcgen::Error),
}

impl Authority {
    /// Opens the authority. The root's key is not needed and not looked at.
    ///
    /// # Errors
    /// The first file that is missing, unreadable, or does not belong to the others.
    pub fn open(files: &[File], passphrase: &str) -> Result<Self, OpenError> {
        let folder = Folder { files, passphrase };
        let settings: Settings = serde_json::from_slice(folder.file(names::SETTINGS)?)
            .map_err(|_| OpenError::Malformed { file: names::SETTINGS, why: "it is not the JSON that init wrote" })?;
        let root = folder.certificate(names::ROOT)?;
        lint_clean(names::ROOT, lint::root(&root.der, &settings))?;

        let tel = folder.intermediate(Issuing::Tel, (names::TEL, names::TEL_KEY), &root, &settings)?;
        let email = folder.intermediate(Issuing::Email, (names::EMAIL, names::EMAIL_KEY), &root, &settings)?;

        let (directory, outgoing) = folder.directory(&root, &settings)?;
        let results = folder.key(names::RESULT_KEY)?;
        let results = ResultKey::from_signer(&results)
            .ok_or(OpenError::Key { file: names::RESULT_KEY, why: KeyFileError::OtherKind })?;
        Ok(Self { settings, root, tel, email, directory, outgoing, results, lives: Lives::default() })
    }
}

struct Folder<'a> {
    files: &'a [File],
    passphrase: &'a str,
}

impl Folder<'_> {
    fn file(&self, name: &'static str) -> Result<&[u8], OpenError> {
        let found = self.files.iter().find(|file| file.name == name);
        found.map(|file| file.bytes.as_slice()).ok_or(OpenError::Missing(name))
    }

    fn certificate(&self, name: &'static str) -> Result<Certificate, OpenError> {
        certificate_in(self.file(name)?, name)
    }

    fn key(&self, name: &'static str) -> Result<Signer, OpenError> {
        Signer::open(self.file(name)?, self.passphrase, &PKCS_ECDSA_P256_SHA256)
            .map_err(|why| OpenError::Key { file: name, why })
    }

    /// The directory key, and the one that gives way to it. The certificates say which these are: a key that has none was left by
    /// a rotation that was cut short.
    fn directory(
        &self,
        root: &Certificate,
        settings: &Settings,
    ) -> Result<(DirectoryKey, Option<DirectoryKey>), OpenError> {
        let keys = blocks(self.file(names::DIRECTORY_KEY)?)
            .into_iter()
            .map(|block| signer::open_ed25519(block, self.passphrase))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|why| OpenError::Key { file: names::DIRECTORY_KEY, why })?;
        let certified = |block: &[u8]| -> Result<DirectoryKey, OpenError> {
            let certificate = certificate_in(block, names::DIRECTORY)?;
            lint_clean(names::DIRECTORY, lint::directory(&certificate.der, &root.der, settings))?;
            let octets = key_octets(&certificate.der);
            let key = keys.iter().find(|key| octets.as_deref() == Some(&key.verifying_key().to_bytes()[..]));
            let key = key.ok_or(OpenError::OtherKey { key: names::DIRECTORY_KEY, certificate: names::DIRECTORY })?;
            Ok(DirectoryKey { key: key.clone(), certificate })
        };
        match blocks(self.file(names::DIRECTORY)?)[..] {
            [only] => Ok((certified(only)?, None)),
            [newer, older] => {
                let newer = certified(newer)?;
                let is_one_uncertified = || keys.iter().any(|key| key.verifying_key().to_bytes() != newer.public());
                match certified(older) {
                    // The keys were brought from a node that has rotated since: the certificates come next.
                    Err(OpenError::OtherKey { .. }) if is_one_uncertified() => Ok((newer, None)),
                    older => Ok((newer, Some(older?))),
                }
            }
            _ => Err(OpenError::Malformed { file: names::DIRECTORY, why: "it holds more than two certificates" }),
        }
    }

    fn intermediate(
        &self,
        issuing: Issuing,
        (certificate_file, key_file): (&'static str, &'static str),
        root: &Certificate,
        settings: &Settings,
    ) -> Result<Intermediate, OpenError> {
        let certificate = self.certificate(certificate_file)?;
        lint_clean(certificate_file, lint::intermediate(&certificate.der, &root.der, issuing, settings))?;
        let key = self.key(key_file)?;
        if key_octets(&certificate.der).as_deref() != Some(key.der_bytes()) {
            return Err(OpenError::OtherKey { key: key_file, certificate: certificate_file });
        }
        let der = certificate.der.as_slice().into();
        let rehearsal = Issuer::from_ca_cert_der(&der, KeyPair::generate()?)?;
        let issuer = Issuer::from_ca_cert_der(&der, key)?;
        Ok(Intermediate { certificate, issuer, rehearsal })
    }
}

/// The PEM blocks of a file, one at least.
fn blocks(file: &[u8]) -> Vec<&[u8]> {
    const BEGIN: &[u8] = b"\n-----BEGIN ";
    let (mut blocks, mut rest) = (Vec::new(), file);
    while let Some(at) = rest.windows(BEGIN.len()).position(|window| window == BEGIN) {
        let (block, next) = rest.split_at(at + 1);
        blocks.push(block);
        rest = next;
    }
    blocks.push(rest);
    blocks
}

fn certificate_in(block: &[u8], name: &'static str) -> Result<Certificate, OpenError> {
    let malformed = |why| OpenError::Malformed { file: name, why };
    let (label, der) = pkcs8::der::pem::decode_vec(block).map_err(|_| malformed("it is not one PEM block"))?;
    if label != "CERTIFICATE" {
        return Err(malformed("it is not a certificate"));
    }
    let parsed = match X509Certificate::from_der(&der) {
        Ok(([], parsed)) => parsed,
        _ => return Err(malformed("its DER cannot be read")),
    };
    let date =
        |seconds| OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| malformed("its dates cannot be read"));
    let not_before = date(parsed.validity().not_before.timestamp())?;
    let not_after = date(parsed.validity().not_after.timestamp())?;
    Ok(Certificate { der, not_before, not_after })
}

fn lint_clean(file: &'static str, findings: Vec<Finding>) -> Result<(), OpenError> {
    if findings.is_empty() { Ok(()) } else { Err(OpenError::Lint { file, findings }) }
}

pub(super) fn key_octets(der: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.public_key().subject_public_key.data.to_vec())
}
