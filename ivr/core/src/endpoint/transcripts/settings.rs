//! What the `#` lines at the top of a transcript set.

use super::super::testing::{account, config, probe, registration};
use super::super::{EndpointConfig, Strangers};
use crate::caller::{KeepsDiversion, KeyWays, Passports, Realm, SignedIdentity, Srtp};

/// The configuration of its endpoint.
pub(super) fn configured(written: &str) -> EndpointConfig {
    let mut config = config();
    let number = |name| setting(written, name).map(|value| value.parse().unwrap());
    if setting(written, "strangers") == Some("ignore") {
        config.strangers = Strangers::Ignore;
    }
    config.limits.calls = number("calls").unwrap_or(config.limits.calls);
    if setting(written, "begins") == Some("refusing") {
        config.rtp_ports.clear();
    }
    let trunk = &mut config.policy.trunks[0];
    trunk.max_calls = number("max-calls").unwrap_or(trunk.max_calls);
    trunk.pace.unacknowledged = number("unacknowledged").unwrap_or(trunk.pace.unacknowledged);
    if let Some(at_once) = setting(written, "at-once") {
        trunk.pace.calls_at_once = at_once.parse().unwrap();
    }
    if setting(written, "passports") == Some("verified") {
        trunk.identity_passthrough = true;
        trunk.keeps_diversion = KeepsDiversion::No;
        config.passports = Passports::Verified;
    }
    if setting(written, "identity") == Some("required") {
        trunk.identity = SignedIdentity::Required;
    }
    if setting(written, "srtp") == Some("required") {
        trunk.srtp = Srtp::Required;
    }
    if setting(written, "keys") == Some("auto") {
        trunk.keys = KeyWays::Auto;
    }
    if let Some(country) = setting(written, "country") {
        trunk.country = Some(country.parse().unwrap());
    }
    if setting(written, "realm") == Some("sandbox") {
        trunk.realm = Realm::Sandbox;
    }
    if setting(written, "digest") == Some("required") {
        trunk.digest = Some(account());
    }
    if setting(written, "asserts") == Some("Remote-Party-ID") {
        (trunk.trust_pai, trunk.trust_rpid, trunk.from_is_free_text) = (false, true, true);
    }
    if setting(written, "asserts") == Some("both") {
        trunk.trust_rpid = true;
    }
    let registrar = setting(written, "register").map(|uri| registration(uri, number("expires").unwrap_or(600) as u64));
    config.links = registrar.into_iter().chain(setting(written, "probe").map(probe)).collect();
    config
}

/// What it sets under this name.
pub(super) fn setting<'a>(written: &'a str, name: &str) -> Option<&'a str> {
    written.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(name)?.strip_prefix(": "))
}
