//! The authority: a root that is used seldom, an intermediate for numbers, one for mailboxes, the key that writes the
//! directory, for a while two of them, and the key that signs results for web sites.

mod init;
mod maker;
mod open;
mod rotate;

use ed25519_dalek::SigningKey as Ed25519Key;
use rcgen::{Issuer, KeyPair};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use x509_parser::extensions::ParsedExtension;

pub use self::init::{InitError, InitOptions};
pub use self::open::OpenError;
pub use self::rotate::{Outgoing, RotateError, Rotation};
use crate::bundle::pem;
use crate::lives::Lives;
use crate::profile::Issuing;
use crate::signed_result::ResultKey;
use crate::signer::Signer;

/// Names of the files in the authority's folder.
pub mod names {
    /// How the authority names things: see `InitOptions`.
    pub const SETTINGS: &str = "authority.json";
    /// The root's certificate.
    pub const ROOT: &str = "root-ca.pem";
    /// The root's key. It is needed to certify intermediates and directory keys only: keep it elsewhere.
    pub const ROOT_KEY: &str = "root-ca.key";
    /// The certificate of the intermediate for telephone numbers.
    pub const TEL: &str = "tel-ca.pem";
    /// Its key.
    pub const TEL_KEY: &str = "tel-ca.key";
    /// The certificate of the intermediate for mailboxes.
    pub const EMAIL: &str = "email-ca.pem";
    /// Its key.
    pub const EMAIL_KEY: &str = "email-ca.key";
    /// The certificate of the directory key; while another takes its place, those of both, the newer first.
    pub const DIRECTORY: &str = "directory.pem";
    /// The directory key, or both.
    pub const DIRECTORY_KEY: &str = "directory.key";
    /// The key of signed results.
    pub const RESULT_KEY: &str = "result.key";
    /// The bundle that relying parties read. `init` cannot make it, because it says where the directory lies.
    pub const BUNDLE: &str = "bundle.pem";
}

/// An opened authority, which can issue. It holds no root key.
#[derive(Debug)]
pub struct Authority {
    pub(crate) settings: Settings,
    root: Certificate,
    tel: Intermediate,
    email: Intermediate,
    directory: DirectoryKey,
    /// The key that gives way to it. Once its certificate is over, nothing is written under it.
    outgoing: Option<DirectoryKey>,
    results: ResultKey,
    lives: Lives,
}

/// How the authority names things; stored beside its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) oid_arc: Vec<u64>,
    #[serde(default)]
    pub(crate) strict_smime: bool,
    #[serde(default)]
    pub(crate) urls: Urls,
}

/// Where relying parties find the revocation lists; written into every certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Urls {
    tel_crl: Option<String>,
    email_crl: Option<String>,
}

/// The path of the revocation list for telephone numbers under the service's address.
pub const TEL_CRL_PATH: &str = "/ca/tel.crl";
/// The path of the revocation list for mailboxes under the service's address.
pub const EMAIL_CRL_PATH: &str = "/ca/email.crl";

/// A certificate, and when it is valid.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
}

/// An intermediate that can issue.
pub(crate) struct Intermediate {
    pub(crate) certificate: Certificate,
    pub(crate) issuer: Issuer<'static, Signer>,
    /// The same name and key identifier with a key that certifies nothing: what it signs can be examined, and thrown
    /// away, before the real key signs the same octets.
    pub(crate) rehearsal: Issuer<'static, KeyPair>,
}

/// A key under which the directory is written, and its certificate by the root. Its Debug tells the public half only.
pub struct DirectoryKey {
    key: Ed25519Key,
    certificate: Certificate,
}

impl Authority {
    /// The root's certificate, DER.
    pub fn root(&self) -> &[u8] {
        &self.root.der
    }

    /// The same, PEM.
    pub fn root_pem(&self) -> String {
        pem("CERTIFICATE", &self.root.der)
    }

    /// SHA-256 of the root's certificate: what relying parties pin.
    pub fn root_sha256(&self) -> [u8; 32] {
        use sha2::Digest as _;
        sha2::Sha256::digest(&self.root.der).into()
    }

    /// The certificate of an intermediate, DER.
    pub fn intermediate(&self, issuing: Issuing) -> &[u8] {
        &self.issuer(issuing).certificate.der
    }

    /// The certificate of the directory key, DER.
    pub fn directory_certificate(&self) -> &[u8] {
        &self.directory.certificate.der
    }

    /// The key that signs the directory's records and the bundle's terms.
    pub fn directory_key(&self) -> &Ed25519Key {
        &self.directory.key
    }

    /// The keys under which the directory is written now, the newest first: while one replaces another, both.
    pub fn directory_keys(&self, now: OffsetDateTime) -> impl Iterator<Item = &DirectoryKey> {
        let newest = std::iter::once(&self.directory);
        newest.chain(self.outgoing.iter().filter(move |key| now <= key.not_after()))
    }

    /// The same, with one whose time is over.
    pub(crate) fn all_directory_keys(&self) -> impl Iterator<Item = &DirectoryKey> {
        std::iter::once(&self.directory).chain(&self.outgoing)
    }

    /// The key that signs results for web sites.
    pub fn result_key(&self) -> &ResultKey {
        &self.results
    }

    /// The authority's name, as in its certificates.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// The arc under which policies and key purposes are numbered.
    pub fn oid_arc(&self) -> &[u64] {
        &self.settings.oid_arc
    }

    /// Another address for the revocation lists than the one given to `init`, for certificates issued from now on.
    #[must_use]
    pub fn with_urls(mut self, urls: Urls) -> Self {
        self.settings.urls = urls;
        self
    }

    /// Other lives than the longest, for certificates issued from now on.
    #[must_use]
    pub fn with_lives(mut self, lives: Lives) -> Self {
        self.lives = lives;
        self
    }

    /// How long certificates live.
    pub fn lives(&self) -> &Lives {
        &self.lives
    }

    /// Does this leaf (PEM) state that its number was proved by the code alone (LEAF-14)? What is no certificate states
    /// nothing.
    pub fn states_code_only(&self, leaf_pem: &str) -> bool {
        let Ok((_, pem)) = x509_parser::pem::parse_x509_pem(leaf_pem.as_bytes()) else { return false };
        let Ok(leaf) = pem.parse_x509() else { return false };
        let arcs: Vec<String> = self.settings.code_only_policy().iter().map(u64::to_string).collect();
        let code_only = arcs.join(".");
        leaf.extensions().iter().any(|extension| match extension.parsed_extension() {
            ParsedExtension::CertificatePolicies(policies) => {
                policies.iter().any(|policy| policy.policy_id.to_id_string() == code_only)
            }
            _ => false,
        })
    }

    pub(crate) fn issuer(&self, issuing: Issuing) -> &Intermediate {
        match issuing {
            Issuing::Tel => &self.tel,
            Issuing::Email => &self.email,
        }
    }
}

impl DirectoryKey {
    /// What signs.
    pub fn key(&self) -> &Ed25519Key {
        &self.key
    }

    /// Its public half, by which its slots are named.
    pub fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// The last moment of its certificate, and of what is written under it.
    pub fn not_after(&self) -> OffsetDateTime {
        self.certificate.not_after
    }

    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate.der
    }
}

impl Settings {
    /// `.1.n` under the arc.
    pub(crate) fn level_policy(&self, level: crate::profile::Level) -> Vec<u64> {
        self.under_arc(&[1, level.number()])
    }

    /// `.2` under the arc.
    pub(crate) fn code_only_policy(&self) -> Vec<u64> {
        self.under_arc(&[2])
    }

    /// `.3.1` under the arc.
    pub(crate) fn peer_purpose(&self) -> Vec<u64> {
        self.under_arc(&[3, 1])
    }

    /// `.3.2` under the arc.
    pub(crate) fn directory_purpose(&self) -> Vec<u64> {
        self.under_arc(&[3, 2])
    }

    fn under_arc(&self, tail: &[u64]) -> Vec<u64> {
        [&self.oid_arc, tail].concat()
    }

    pub(crate) fn root_name(&self) -> String {
        format!("{} root", self.name)
    }

    pub(crate) fn intermediate_name(&self, issuing: Issuing) -> String {
        format!("{} {}", self.name, issuing.noun())
    }

    pub(crate) fn directory_name(&self) -> String {
        format!("{} directory", self.name)
    }
}

impl Urls {
    /// The lists under the address of a service, such as `https://verify.example.org`.
    pub fn under(service: &str) -> Self {
        let service = service.trim_end_matches('/');
        let at = |path| Some(format!("{service}{path}"));
        Self { tel_crl: at(TEL_CRL_PATH), email_crl: at(EMAIL_CRL_PATH) }
    }

    /// Where the list of an intermediate is.
    pub fn crl(&self, issuing: Issuing) -> Option<&str> {
        match issuing {
            Issuing::Tel => self.tel_crl.as_deref(),
            Issuing::Email => self.email_crl.as_deref(),
        }
    }

    /// LEAF-13: what fits into a certificate and into the record that carries it.
    fn are_sound(&self) -> bool {
        let sound = |url: &str| {
            let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
            rest.is_some_and(|rest| !rest.is_empty())
                && url.len() <= 128
                && url.bytes().all(|octet| octet.is_ascii_graphic())
        };
        Issuing::ALL.into_iter().filter_map(|issuing| self.crl(issuing)).all(sound)
    }
}

impl std::fmt::Debug for Intermediate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Intermediate(until {})", self.certificate.not_after)
    }
}

impl std::fmt::Debug for DirectoryKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DirectoryKey({} until {})", crate::serial::hex(&self.public()), self.not_after())
    }
}

#[cfg(test)]
mod tests;
