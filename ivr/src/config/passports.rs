//! `[passports]`: whose signatures of callers are believed (STIR/SHAKEN). Without anchors nobody's are.

use std::path::{Path, PathBuf};

use ivr_core::caller::{Passports as Treatment, Policy, SignedIdentity};
use ivr_core::number::Country;
use serde::Deserialize;

use super::File;
use super::findings::Findings;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    anchors: Option<PathBuf>,
    #[serde(default)]
    revocation_lists: Vec<PathBuf>,
    delegates: Option<String>,
    #[serde(default)]
    authority: Vec<RawAuthority>,
    #[serde(default)]
    denied_spcs: Vec<String>,
    tls_roots: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAuthority {
    name: String,
    countries: Vec<String>,
    anchors: PathBuf,
    #[serde(default)]
    revocation_lists: Vec<PathBuf>,
    #[serde(default = "default_delegates")]
    delegates: String,
}

fn default_delegates() -> String {
    "refused".to_owned()
}

/// The checked section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passports {
    authorities: Vec<Authority>,
    denied_spcs: Vec<String>,
    tls_roots: Option<PathBuf>,
}

/// An authority over signers: its files, and for the numbers of which countries it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Its name, and the countries; `None` for the one that answers for all.
    only_for: Option<(String, Vec<Country>)>,
    anchors: PathBuf,
    revocation_lists: Vec<PathBuf>,
    believes_delegates: bool,
}

impl Passports {
    /// Whom chains must lead to; without any nothing is verified.
    pub fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    /// What becomes of signatures: they are verified if there are anchors.
    pub fn treatment(&self) -> Treatment {
        if self.authorities.is_empty() { Treatment::Ignored } else { Treatment::Verified }
    }

    /// Service provider codes whose signatures are not believed.
    pub fn denied_spcs(&self) -> &[String] {
        &self.denied_spcs
    }

    /// Roots that the servers of certificates may also have theirs from.
    pub fn tls_roots(&self) -> Option<&Path> {
        self.tls_roots.as_deref()
    }
}

impl Authority {
    /// The one that answers for the numbers of all countries.
    pub fn of_all(anchors: PathBuf, revocation_lists: Vec<PathBuf>) -> Self {
        Self { only_for: None, anchors, revocation_lists, believes_delegates: false }
    }

    /// Certificates that chains must lead to.
    pub fn anchors(&self) -> &Path {
        &self.anchors
    }

    /// Certificates that were revoked.
    pub fn revocation_lists(&self) -> &[PathBuf] {
        &self.revocation_lists
    }

    /// Are signers believed whom a provider certified for numbers (RFC 9060)?
    pub fn believes_delegates(&self) -> bool {
        self.believes_delegates
    }

    /// For the numbers of which countries it answers; `None` for all.
    pub fn countries(&self) -> Option<&[Country]> {
        self.only_for.as_ref().map(|(_, countries)| countries.as_slice())
    }

    /// Where a key of it stands, for findings.
    pub(crate) fn place(&self, key: &str) -> String {
        match &self.only_for {
            Some((name, _)) => place(name, key),
            None => format!("passports.{key}"),
        }
    }

    fn answers_for(&self, country: Country) -> bool {
        self.countries().is_none_or(|countries| countries.contains(&country))
    }
}

fn place(authority: &str, key: &str) -> String {
    format!("passports.authority {authority:?}.{key}")
}

pub(super) fn check(raw: Raw, file: &mut File<'_>) -> Option<Passports> {
    let has_anchors = raw.anchors.is_some();
    let of_anchors = [
        ("passports.revocation_lists", !raw.revocation_lists.is_empty()),
        ("passports.delegates", raw.delegates.is_some()),
    ];
    let of_anchors = of_anchors.into_iter().filter_map(|(place, stands)| stands.then_some(place));
    let is_idle = !has_anchors && raw.authority.is_empty();
    if is_idle && (of_anchors.clone().count() > 0 || !raw.denied_spcs.is_empty()) {
        file.findings
            .warn("passports.anchors", "without anchors no signature is verified, and the rest of [passports] is idle");
    }
    for place in of_anchors.filter(|_| !is_idle && !has_anchors) {
        file.findings.fault(place, "this belongs to anchors beside it: write it into their [[passports.authority]]");
    }
    if has_anchors && !raw.authority.is_empty() {
        let text = "these answer for the numbers of all countries, also of those that have a [[passports.authority]]";
        file.findings.warn("passports.anchors", text);
    }
    if raw.denied_spcs.iter().any(|spc| !is_spc(spc)) {
        file.findings
            .fault("passports.denied_spcs", "a service provider code stands as in the certificates, such as \"709J\"");
    }
    let mut authorities = Vec::new();
    for (index, authority) in raw.authority.iter().enumerate() {
        if raw.authority[..index].iter().any(|other| other.name == authority.name) {
            file.findings.fault(place(&authority.name, "name"), "two authorities have this name");
        }
        authorities.push(check_one(authority, file));
    }
    let word = raw.delegates.unwrap_or_else(default_delegates);
    let believes_delegates = delegates("passports.delegates", &word, file);
    authorities.extend(raw.anchors.map(|anchors| {
        let lists = raw.revocation_lists.iter().map(|path| file.path(path)).collect();
        Some(Authority { believes_delegates: believes_delegates?, ..Authority::of_all(file.path(&anchors), lists) })
    }));
    Some(Passports {
        authorities: authorities.into_iter().collect::<Option<_>>()?,
        denied_spcs: raw.denied_spcs,
        tls_roots: raw.tls_roots.map(|path| file.path(&path)),
    })
}

fn check_one(raw: &RawAuthority, file: &mut File<'_>) -> Option<Authority> {
    if raw.name.trim().is_empty() {
        file.findings.fault(place(&raw.name, "name"), "a name for records and messages, such as \"France\"");
    }
    let countries = place(&raw.name, "countries");
    if raw.countries.is_empty() {
        let text = "name the countries for whose numbers it answers, such as [\"US\", \"CA\"]";
        file.findings.fault(&countries, text);
    }
    Some(Authority {
        only_for: Some((raw.name.clone(), file.findings.parse_all(&countries, &raw.countries)?)),
        anchors: file.path(&raw.anchors),
        revocation_lists: raw.revocation_lists.iter().map(|path| file.path(path)).collect(),
        believes_delegates: delegates(&place(&raw.name, "delegates"), &raw.delegates, file)?,
    })
}

fn delegates(place: &str, word: &str, file: &mut File<'_>) -> Option<bool> {
    file.findings.choose(place, word, &[("refused", false), ("believed", true)])
}

/// Is it a service provider code as a certificate may have it?
pub(crate) fn is_spc(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Are there signatures to verify, and anchors to verify them with?
pub(super) fn check_together(policy: &Policy, passports: &Passports, findings: &mut Findings) {
    let hands_on = policy.trunks.iter().any(|trunk| trunk.identity_passthrough);
    if passports.treatment() == Treatment::Ignored {
        for trunk in policy.trunks.iter().filter(|trunk| trunk.identity == SignedIdentity::Required) {
            let text = "without anchors in [passports] no Identity is verified, and a made-up one is as good as any";
            findings.fault(format!("trunk {:?}.identity", trunk.name), text);
        }
    }
    match (hands_on, passports.treatment()) {
        (true, Treatment::Ignored) => findings.warn(
            "passports.anchors",
            "a trunk has identity_passthrough, but without anchors nothing that it hands on is verified: it raises no level",
        ),
        (false, Treatment::Verified) => findings.warn(
            "passports.anchors",
            "no trunk has identity_passthrough, so there is nothing to verify",
        ),
        (true, Treatment::Verified) => check_countries(policy, passports, findings),
        (false, Treatment::Ignored) => {}
    }
}

/// Is there an authority for the numbers that each trunk screens?
fn check_countries(policy: &Policy, passports: &Passports, findings: &mut Findings) {
    for trunk in policy.trunks.iter().filter(|trunk| trunk.identity_passthrough) {
        let Some(country) = trunk.country else { continue };
        if !passports.authorities.iter().any(|authority| authority.answers_for(country)) {
            findings.warn(
                format!("trunk {:?}.identity_passthrough", trunk.name),
                format!(
                    "no [[passports.authority]] answers for numbers of {country}: calls that are signed are refused"
                ),
            );
        }
    }
}
