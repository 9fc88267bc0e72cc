//! `[[trunk]]`: one carrier's connection each, and what the operator states about it.

use std::path::PathBuf;

use ivr_core::caller::{
    KeepsDiversion, KeyWays, Level, Network, Pace, Realm, SignedIdentity, Srtp, TrunkIndex, TrunkProfile, Verstat,
};
use ivr_core::link::LinkProfile;
use ivr_core::number::{Country, Number};
use ivr_core::private::Private;
use serde::Deserialize;
use toml::Spanned;
use toml::de::DeValue;

use super::File;
use super::digest;
use super::link::{self, Links};
use super::verstat;

mod format;
mod together;

pub(super) use together::check_together;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    name: String,
    #[serde(default)]
    sandbox: bool,
    #[serde(default)]
    sources: Vec<String>,
    #[serde(default)]
    certificate_names: Vec<String>,
    certificate_authorities: Option<PathBuf>,
    #[serde(default)]
    media_networks: Vec<String>,
    numbers: Vec<String>,
    ingress_secret_file: Option<PathBuf>,
    digest: Option<digest::Raw>,
    #[serde(default = "yes")]
    shared_addresses: bool,
    #[serde(default)]
    trust_pai: bool,
    #[serde(default)]
    trust_rpid: bool,
    #[serde(default)]
    cli_screened: bool,
    #[serde(default)]
    from_is_free_text: bool,
    #[serde(default = "yes")]
    bare_user_is_number: bool,
    country: Option<String>,
    #[serde(default = "default_number_format")]
    number_format: String,
    trunk_prefix: Option<String>,
    international_prefix: Option<String>,
    #[serde(default)]
    strip_prefixes: Vec<String>,
    verstat: Option<verstat::Raw>,
    #[serde(default)]
    identity_passthrough: bool,
    #[serde(default = "default_identity")]
    identity: String,
    #[serde(default = "default_keeps_diversion")]
    keeps_diversion: String,
    #[serde(default)]
    nat: bool,
    #[serde(default = "default_srtp")]
    srtp: String,
    #[serde(default = "default_keys")]
    keys: String,
    #[serde(default = "default_max_level")]
    max_level: String,
    #[serde(default = "default_max_calls")]
    max_calls: usize,
    #[serde(default = "default_calls_per_second")]
    calls_per_second: u32,
    register: Option<link::Raw>,
    probe: Option<String>,
}

fn yes() -> bool {
    true
}

fn default_number_format() -> String {
    "e164".to_owned()
}

fn default_identity() -> String {
    "optional".to_owned()
}

fn default_keeps_diversion() -> String {
    "unknown".to_owned()
}

fn default_srtp() -> String {
    "offered".to_owned()
}

fn default_keys() -> String {
    "agreed".to_owned()
}

fn default_max_level() -> String {
    "L3".to_owned()
}

fn default_max_calls() -> usize {
    100
}

fn default_calls_per_second() -> u32 {
    Pace::default().calls_per_second
}

/// The certificate that a trunk shows over TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrunkCertificate {
    /// Of which trunk.
    pub trunk: TrunkIndex,
    /// The domains that it may name (RFC 5922 7.1); one of them is enough.
    pub names: Vec<String>,
    /// PEM file of the authorities that may have signed it; without one, those of the public web.
    pub authorities: Option<PathBuf>,
}

/// A checked section.
struct Trunk {
    profile: TrunkProfile,
    certificate: Option<TrunkCertificate>,
    links: Links,
    /// The files with its secrets, by their keys.
    secrets: Vec<(&'static str, PathBuf)>,
}

/// What the sections say that is no part of their profiles, of all trunks together.
#[derive(Default)]
pub(super) struct Beside {
    pub(super) certificates: Vec<TrunkCertificate>,
    pub(super) links: Vec<LinkProfile>,
    pub(super) secrets: Vec<(&'static str, PathBuf)>,
}

/// The profiles in the order of their sections, and what stands beside them.
pub(super) fn check(file: &mut File<'_>) -> Option<(Vec<TrunkProfile>, Beside)> {
    let sections: Vec<_> = match file.table.remove("trunk").map(Spanned::into_inner) {
        Some(DeValue::Array(sections)) => sections.into_iter().collect(),
        Some(_) => {
            file.findings.fault("trunk", "trunks are a list: write [[trunk]]");
            return None;
        }
        None => Vec::new(),
    };
    if sections.is_empty() {
        file.findings.fault("trunk", "no carrier, no calls: describe at least one in a [[trunk]] section");
        return None;
    }
    let numbered = (0..).map(TrunkIndex).zip(sections);
    let trunks: Vec<Option<Trunk>> = numbered.map(|(index, section)| check_one(index, section, file)).collect();
    trunks.into_iter().collect::<Option<_>>().map(apart)
}

fn apart(trunks: Vec<Trunk>) -> (Vec<TrunkProfile>, Beside) {
    let mut beside = Beside::default();
    let profile = |trunk: Trunk| {
        beside.certificates.extend(trunk.certificate);
        beside.links.extend(trunk.links.links);
        beside.secrets.extend(trunk.secrets);
        trunk.profile
    };
    let profiles = trunks.into_iter().map(profile).collect();
    (profiles, beside)
}

fn check_one<'a>(index: TrunkIndex, section: Spanned<DeValue<'a>>, file: &mut File<'a>) -> Option<Trunk> {
    // As the faults of its values name it, if it has got a name.
    let name = section.get_ref().get("name").and_then(|name| name.get_ref().as_str());
    let place = name.map_or_else(|| format!("trunk[{}]", index.0), |name| format!("trunk {:?}", name.trim()));
    let raw: Raw = file.section(&place, section)?;
    let name = raw.name.trim().to_owned();
    let place = |key: &str| format!("trunk {name:?}.{key}");
    if name.is_empty() || name.len() > 40 || name.chars().any(char::is_control) {
        file.findings.fault(format!("trunk[{}].name", index.0), "a name is one line of 1 to 40 bytes");
    }
    let sources: Option<Vec<Network>> = file.findings.parse_all(&place("sources"), &raw.sources);
    let certificate = certificate(index, &place, &raw, file);
    if raw.sources.is_empty() && certificate.is_none() {
        file.findings.fault(
            place("sources"),
            "name the addresses that this carrier's SIP comes from, or the certificate that it shows over TLS",
        );
    }
    let media_networks: Option<Vec<Network>> = file.findings.parse_all(&place("media_networks"), &raw.media_networks);
    let what = "name the numbers of yours that this carrier delivers, such as \"+12025550100\"";
    let numbers = numbers(&place("numbers"), &raw.numbers, what, file);
    let ingress_secret = secret(&place("ingress_secret_file"), raw.ingress_secret_file.as_ref(), file);
    let digest = digest::check(&place, raw.digest.as_ref(), file);
    let country: Option<Option<Country>> = match &raw.country {
        Some(text) => file.findings.parse(&place("country"), text).map(Some),
        None => Some(None),
    };
    let number_format = format::check(&place, &raw, file);
    let verstat = verstat(&place, &raw, file);
    let identity = identity(&place, &raw, file);
    let keeps_diversion = file.findings.choose(
        &place("keeps_diversion"),
        &raw.keeps_diversion,
        &[("yes", KeepsDiversion::Yes), ("no", KeepsDiversion::No), ("unknown", KeepsDiversion::Unknown)],
    );
    let srtp =
        file.findings.choose(&place("srtp"), &raw.srtp, &[("offered", Srtp::Offered), ("required", Srtp::Required)]);
    let keys = file.findings.choose(&place("keys"), &raw.keys, &[("agreed", KeyWays::Agreed), ("auto", KeyWays::Auto)]);
    let max_level = max_level(&place, &raw, file);
    check_load(&place, &raw, file);
    if raw.sandbox {
        check_sandbox(&place, &raw, file);
    }
    let profile = TrunkProfile {
        name: name.clone(),
        realm: if raw.sandbox { Realm::Sandbox } else { Realm::Service },
        sources: sources?,
        shows_certificate: certificate.is_some(),
        media_networks: media_networks?,
        numbers: numbers?,
        ingress_secret: ingress_secret?,
        digest: digest?,
        shared_addresses: raw.shared_addresses,
        trust_pai: raw.trust_pai,
        trust_rpid: raw.trust_rpid,
        cli_screened: raw.cli_screened,
        from_is_free_text: raw.from_is_free_text,
        bare_user_is_number: raw.bare_user_is_number,
        country: country?,
        number_format: number_format?,
        strip_prefixes: raw.strip_prefixes.clone(),
        verstat: verstat?,
        identity_passthrough: raw.identity_passthrough,
        identity: identity?,
        keeps_diversion: keeps_diversion?,
        nat: raw.nat,
        srtp: srtp?,
        keys: keys?,
        max_level: max_level?,
        max_calls: raw.max_calls,
        pace: Pace::of(raw.calls_per_second),
    };
    let links = link::check(index, &profile, (raw.register.as_ref(), raw.probe.as_deref()), file)?;
    let secrets = secrets(&raw, &links, file);
    Some(Trunk { profile, certificate, links, secrets })
}

/// What its network says of a caller, which counts only where the header that it says it in may be believed.
fn verstat(place: &impl Fn(&str) -> String, raw: &Raw, file: &mut File<'_>) -> Option<Option<Verstat>> {
    let verstat = verstat::check(place, raw.verstat.as_ref(), file);
    let said_in = raw.verstat.as_ref().map_or("", |verstat| verstat.header.as_str());
    if said_in.eq_ignore_ascii_case("P-Asserted-Identity") && !raw.trust_pai {
        let text = "P-Asserted-Identity is not believed: set trust_pai = true, if it is true";
        file.findings.fault(place("verstat.header"), text);
    }
    if said_in.eq_ignore_ascii_case("From") && raw.from_is_free_text {
        let text = "from_is_free_text says that From may be about anybody, so nothing in it is about the caller";
        file.findings.fault(place("verstat.header"), text);
    }
    verstat
}

fn identity(place: &impl Fn(&str) -> String, raw: &Raw, file: &mut File<'_>) -> Option<SignedIdentity> {
    let words = [("optional", SignedIdentity::Optional), ("required", SignedIdentity::Required)];
    let identity = file.findings.choose(&place("identity"), &raw.identity, &words)?;
    if identity == SignedIdentity::Required && !raw.identity_passthrough {
        let text = "without identity_passthrough = true no Identity is looked at, and every call would be refused";
        file.findings.fault(place("identity"), text);
    }
    Some(identity)
}

fn max_level(place: &impl Fn(&str) -> String, raw: &Raw, file: &mut File<'_>) -> Option<Level> {
    let level: Level = file.findings.parse(&place("max_level"), &raw.max_level)?;
    if level == Level::L0 {
        file.findings.fault(place("max_level"), "L0 is what email proves; a trunk proves at least L1");
    }
    Some(level)
}

/// How many calls it may bring, at once and a second.
fn check_load(place: &impl Fn(&str) -> String, raw: &Raw, file: &mut File<'_>) {
    if raw.max_calls == 0 {
        file.findings.fault(place("max_calls"), "at least 1; leave the section out to refuse the carrier");
    }
    if !(1..=MOST_CALLS_PER_SECOND).contains(&raw.calls_per_second) {
        file.findings.fault(place("calls_per_second"), format!("between 1 and {MOST_CALLS_PER_SECOND}"));
    }
}

/// The files with the passwords of its accounts, that with which we register and that of its calls, and with what its requests carry.
fn secrets(raw: &Raw, links: &Links, file: &File<'_>) -> Vec<(&'static str, PathBuf)> {
    let digest = raw.digest.as_ref().map(|raw| file.path(raw.password_file()));
    let files = [
        ("trunk.register.password_file", links.password_file.clone()),
        ("trunk.digest.password_file", digest),
        ("trunk.ingress_secret_file", raw.ingress_secret_file.as_ref().map(|secret| file.path(secret))),
    ];
    files.into_iter().filter_map(|(key, path)| Some((key, path?))).collect()
}

/// What a carrier has and a trunk of the sandbox has not: whoever dials that is no carrier.
fn check_sandbox(place: &impl Fn(&str) -> String, raw: &Raw, file: &mut File<'_>) {
    let senseless = [
        ("register", raw.register.is_some(), "over a trunk of the sandbox nobody registers with a carrier"),
        ("probe", raw.probe.is_some(), "behind a trunk of the sandbox there is no carrier that could answer"),
        ("identity_passthrough", raw.identity_passthrough, "a signed identity is a real one: none is rehearsed with"),
    ];
    for (key, _, why) in senseless.into_iter().filter(|(_, is_set, _)| *is_set) {
        file.findings.fault(place(key), format!("{why}; leave it out"));
    }
}

/// Numbers in E.164, at least one; `what` says which are wanted.
pub(super) fn numbers(place: &str, texts: &[String], what: &str, file: &mut File<'_>) -> Option<Vec<Number>> {
    if texts.is_empty() {
        file.findings.fault(place, what);
        return None;
    }
    let mut numbers = Vec::new();
    for text in texts {
        match Number::parse(text) {
            Ok(number) => numbers.push(number),
            Err(error) => {
                let hint = error.did_you_mean().map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
                file.findings.fault(place, format!("{text:?}: {error}{hint}"));
            }
        }
    }
    (numbers.len() == texts.len()).then_some(numbers)
}

fn certificate(
    trunk: TrunkIndex,
    place: &impl Fn(&str) -> String,
    raw: &Raw,
    file: &mut File<'_>,
) -> Option<TrunkCertificate> {
    if raw.certificate_names.is_empty() {
        if raw.certificate_authorities.is_some() {
            file.findings.fault(place("certificate_authorities"), "say in certificate_names whom they certify");
        }
        return None;
    }
    for name in &raw.certificate_names {
        let is_name = name.len() <= 253
            && name.contains('.')
            && name.split('.').all(|label| {
                !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            });
        if !is_name {
            file.findings.fault(
                place("certificate_names"),
                format!("{name:?}: a domain of its certificate, such as \"sip.example.net\"; none stands for several"),
            );
        }
    }
    let names = raw.certificate_names.iter().map(|name| name.to_ascii_lowercase()).collect();
    let authorities = raw.certificate_authorities.as_ref().map(|path| file.path(path));
    Some(TrunkCertificate { trunk, names, authorities })
}

/// The secret lies in a file of its own, so that the configuration can be shown.
fn secret(place: &str, path: Option<&PathBuf>, file: &mut File<'_>) -> Option<Option<Private<String>>> {
    let Some(path) = path else { return Some(None) };
    let path = file.path(path);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            file.findings.fault(place, format!("{} cannot be read: {error}", path.display()));
            return None;
        }
    };
    let secret = text.trim();
    let is_plain = secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if secret.len() < SHORTEST_SECRET || !is_plain {
        file.findings.fault(
            place,
            format!(
                "the secret becomes part of a SIP URI and must not be guessed: at least {SHORTEST_SECRET} random \
                 letters and digits"
            ),
        );
        return None;
    }
    Some(Some(Private::new(secret.to_owned())))
}

/// What is remembered of a call for 32 s takes memory.
const MOST_CALLS_PER_SECOND: u32 = 10_000;
/// Letters and digits: 16 of them are 95 bits.
const SHORTEST_SECRET: usize = 16;
