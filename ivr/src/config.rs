//! The configuration file: read as it is written, then checked once, with every fault reported at once. One file a
//! section under `config/`; a new key goes into its section's `Raw`, its checked form, and `config.example.toml`
//! (a test asserts that every key stands there).

pub mod ca;
pub mod database;
pub mod dht;
mod digest;
pub mod draft;
pub mod findings;
pub mod http;
pub mod keys;
mod link;
mod misread;
pub mod operators;
pub mod passports;
pub mod sandbox;
pub mod service;
pub mod sip;
pub mod smtp;
pub mod trunk;
pub mod verification;
mod verstat;
pub mod webhooks;

use std::path::{Path, PathBuf};

use ivr_core::caller::Policy;
use ivr_core::link::LinkProfile;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use findings::Findings;

/// What the configuration is for: some settings are only for trying things out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The service itself.
    Serve,
    /// `dialproof demo`: loopback, documentation identifiers and a DHT that ends with the process are welcome.
    Demo,
}

/// A configuration whose every value was checked.
#[derive(Debug, Clone)]
pub struct Config {
    service: service::Service,
    http: http::Http,
    sip: sip::Sip,
    policy: Policy,
    trunk_certificates: Vec<trunk::TrunkCertificate>,
    links: Vec<LinkProfile>,
    trunk_secrets: Vec<(&'static str, PathBuf)>,
    verification: verification::Verification,
    ca: ca::Ca,
    database: database::Database,
    dht: dht::Dht,
    smtp: Option<smtp::Smtp>,
    keys: keys::Keys,
    operators: operators::Operators,
    sandbox: Option<sandbox::Sandbox>,
    passports: passports::Passports,
    webhooks: webhooks::Webhooks,
}

impl Config {
    /// Reads and checks a file. Relative paths in it count from the folder it lies in.
    ///
    /// # Errors
    /// If it cannot be read, or with all faults that were found.
    pub fn read(file: &Path, purpose: Purpose) -> Result<(Self, Findings), ConfigError> {
        let text =
            std::fs::read_to_string(file).map_err(|cause| ConfigError::Unreadable { file: file.to_owned(), cause })?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut findings = Findings::default();
        match Self::parse(&text, folder, purpose, &mut findings) {
            Some(config) => Ok((config, findings)),
            None => Err(ConfigError::Faulty { file: file.to_owned(), findings }),
        }
    }

    /// Checks a text, as if it lay in `folder`. `None` if there is any fault; all of them are in `findings` then.
    pub fn parse(text: &str, folder: &Path, purpose: Purpose, findings: &mut Findings) -> Option<Self> {
        let table = match DeTable::parse(text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                // What stands in the line may be a password.
                let line = error.span().map_or_else(String::new, |span| misread::in_line(span.start, text));
                findings.fault("file", format!("this is not TOML{line}: {}", error.message()));
                return None;
            }
        };
        let mut file = File { text, table, folder, findings };

        let service = file.required("service").and_then(|raw| service::check(raw, &mut file));
        let data = service.as_ref().map_or(folder, service::Service::data_dir).to_owned();
        let http = file.required("http").and_then(|raw| http::check(raw, service.as_ref(), &mut file));
        let sip = file.required("sip").and_then(|raw| sip::check(raw, &mut file));
        let (trunks, beside_trunks) = trunk::check(&mut file).unzip();
        let verification = file.optional("verification").and_then(|raw| verification::check(raw, &mut file));
        let ca = file.optional("ca").and_then(|raw| ca::check(raw, &data, purpose, &mut file));
        let database = file.optional("database").and_then(|raw| database::check(raw, &data, &mut file));
        let dht = dht::check(purpose, &mut file);
        let smtp = smtp::check(&mut file);
        let keys = file.optional("keys").map(|raw| keys::check(raw, &data, &file));
        let operators = file.optional("operators").and_then(|raw| operators::check(raw, &mut file));
        let sandbox = sandbox::check(&mut file);
        let passports = file.optional("passports").and_then(|raw| passports::check(raw, &mut file));
        let webhooks = file.optional("webhooks").map(|raw| webhooks::check(raw, &file));
        file.refuse_the_rest();

        let policy = trunks.zip(verification.as_ref()).map(|(trunks, verification)| Policy {
            trunks,
            issue_from: verification.issue_from(),
            kinds: verification.kinds(),
        });
        if let (Some(policy), Some(passports)) = (&policy, &passports) {
            passports::check_together(policy, passports, findings);
        }
        if let (Some(http), Some(sip)) = (&http, &sip) {
            sip::check_together(http, sip, findings);
        }
        if let (Some(policy), Some(beside), Some(sip)) = (&policy, &beside_trunks, &sip) {
            let treatment = passports.as_ref().map(passports::Passports::treatment).unwrap_or_default();
            // A faulty one is told of already.
            let has_sandbox = sandbox.as_ref().is_none_or(Option::is_some);
            trunk::check_together(policy, treatment, (&beside.certificates, has_sandbox), sip, findings);
        }
        let trunk::Beside { certificates, links, secrets } = beside_trunks?;
        let config = Self {
            service: service?,
            http: http?,
            sip: sip?,
            policy: policy?,
            trunk_certificates: certificates,
            links,
            trunk_secrets: secrets,
            verification: verification?,
            ca: ca?,
            database: database?,
            dht: dht?,
            smtp: smtp?,
            keys: keys?,
            operators: operators?,
            sandbox: sandbox?,
            passports: passports?,
            webhooks: webhooks?,
        };
        (!findings.has_faults()).then_some(config)
    }

    /// Name, data folder, public address.
    pub fn service(&self) -> &service::Service {
        &self.service
    }

    /// The pages' listener.
    pub fn http(&self) -> &http::Http {
        &self.http
    }

    /// The telephone's listener.
    pub fn sip(&self) -> &sip::Sip {
        &self.sip
    }

    /// Who may call: trunks, issuing level, kinds of numbers.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The certificates that trunks show.
    pub fn trunk_certificates(&self) -> &[trunk::TrunkCertificate] {
        &self.trunk_certificates
    }

    /// Where we register, and whom we probe.
    pub fn links(&self) -> &[LinkProfile] {
        &self.links
    }

    /// The files with the trunks' secrets, each with the key that names it.
    pub fn trunk_secrets(&self) -> &[(&'static str, PathBuf)] {
        &self.trunk_secrets
    }

    /// How a number is proved.
    pub fn verification(&self) -> &verification::Verification {
        &self.verification
    }

    /// Where the authority's keys are.
    pub fn ca(&self) -> &ca::Ca {
        &self.ca
    }

    /// Where the rows are.
    pub fn database(&self) -> &database::Database {
        &self.database
    }

    /// Where the directory is.
    pub fn dht(&self) -> &dht::Dht {
        &self.dht
    }

    /// The mail relay; without one there is no enrolment by email.
    pub fn smtp(&self) -> Option<&smtp::Smtp> {
        self.smtp.as_ref()
    }

    /// Where the service's own keys are.
    pub fn keys(&self) -> &keys::Keys {
        &self.keys
    }

    /// Verifications without a telephone; without the section there are none.
    pub fn sandbox(&self) -> Option<&sandbox::Sandbox> {
        self.sandbox.as_ref()
    }

    /// Whose signatures of callers are believed.
    pub fn passports(&self) -> &passports::Passports {
        &self.passports
    }

    /// How events reach their endpoints.
    pub fn webhooks(&self) -> &webhooks::Webhooks {
        &self.webhooks
    }

    /// The console's people.
    pub fn operators(&self) -> &operators::Operators {
        &self.operators
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {} cannot be read{}", file.display(), hint(cause))]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// It has faults.
    #[error("the configuration {} has faults:\n{findings}", file.display())]
    Faulty {
        /// Which file.
        file: PathBuf,
        /// All of them.
        findings: Findings,
    },
}

fn hint(cause: &std::io::Error) -> &'static str {
    match cause.kind() {
        std::io::ErrorKind::NotFound => " (--config names another place, `dialproof init` makes one)",
        _ => "",
    }
}

/// All sections, as they are written.
const SECTIONS: [&str; 14] = [
    "service",
    "http",
    "sip",
    "trunk",
    "verification",
    "ca",
    "database",
    "dht",
    "smtp",
    "keys",
    "operators",
    "sandbox",
    "passports",
    "webhooks",
];

/// The file while its sections are taken out of it.
struct File<'a> {
    text: &'a str,
    table: DeTable<'a>,
    folder: &'a Path,
    findings: &'a mut Findings,
}

impl<'a> File<'a> {
    /// A section that must be there.
    fn required<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        if !self.table.contains_key(name) {
            self.findings.fault(name, format!("the section [{name}] is missing"));
            return None;
        }
        self.optional(name)
    }

    /// A section that may be left out: then every key has its default.
    fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.table.remove(name).unwrap_or_else(|| Spanned::new(0..0, DeValue::Table(DeTable::new())));
        self.section(name, value)
    }

    fn section<T: DeserializeOwned>(&mut self, place: &str, value: Spanned<DeValue<'a>>) -> Option<T> {
        if !value.get_ref().is_table() {
            let line = misread::in_line(value.span().start, self.text);
            self.findings.fault(place, format!("this is a section{line}: write [{place}], and its keys below"));
            return None;
        }
        let read = T::deserialize(ValueDeserializer::from(value));
        read.map_err(|error| misread::tell(place, &error, self.text, self.findings)).ok()
    }

    fn refuse_the_rest(self) {
        for name in self.table.keys() {
            let line = misread::in_line(name.span().start, self.text);
            let meant = misread::meant(name.get_ref(), &SECTIONS);
            self.findings.fault(name.get_ref().clone(), format!("there is no such section{line}; {meant}"));
        }
    }

    /// A path as the file means it.
    fn path(&self, written: &Path) -> PathBuf {
        self.folder.join(written)
    }
}

#[cfg(test)]
mod tests;
