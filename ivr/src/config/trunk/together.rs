//! What the sections show only together, and what their calls could prove at most.

use ivr_core::caller::{KeepsDiversion, Level, Passports, Policy, Realm, TrunkProfile};

use super::TrunkCertificate;
use crate::config::findings::Findings;
use crate::config::sip::Sip;

/// Two trunks that show the same certificate from the same addresses could not be told apart.
fn check_certificates(policy: &Policy, certificates: &[TrunkCertificate], findings: &mut Findings) {
    for (i, one) in certificates.iter().enumerate() {
        for other in &certificates[i + 1..] {
            let [of_one, of_other] = [one, other].map(|certificate| policy.trunk(certificate.trunk));
            let anywhere = of_one.sources.is_empty() || of_other.sources.is_empty();
            let meet = of_one.sources.iter().any(|a| of_other.sources.iter().any(|b| a.overlaps(*b)));
            let shared = one.names.iter().find(|name| other.names.contains(name)).filter(|_| anywhere || meet);
            if let Some(name) = shared {
                findings.fault(
                    format!("trunk {:?}.certificate_names", of_one.name),
                    format!("{name:?} is shown by trunk {:?}, too: state sources that tell them apart", of_other.name),
                );
            }
        }
    }
}

/// Without [sandbox] a trunk of it leads nowhere, and without any other the service does.
fn check_realms(policy: &Policy, has_sandbox: bool, findings: &mut Findings) {
    let of_the_sandbox = |trunk: &&TrunkProfile| trunk.realm == Realm::Sandbox;
    if let Some(trunk) = policy.trunks.iter().find(of_the_sandbox).filter(|_| !has_sandbox) {
        let text = "there is no [sandbox] whose numbers could call over it: add the section";
        findings.fault(format!("trunk {:?}.sandbox", trunk.name), text);
    }
    if policy.trunks.iter().all(|trunk| trunk.realm == Realm::Sandbox) {
        findings
            .fault("trunk", "all of them are of the sandbox: nobody could prove a number; describe a carrier as well");
    }
}

/// What no single section shows: trunks that share a source, trunks whose calls would all be refused.
pub(in crate::config) fn check_together(
    policy: &Policy,
    passports: Passports,
    (certificates, has_sandbox): (&[TrunkCertificate], bool),
    sip: &Sip,
    findings: &mut Findings,
) {
    check_certificates(policy, certificates, findings);
    check_realms(policy, has_sandbox, findings);
    for (i, trunk) in policy.trunks.iter().enumerate() {
        let place = |key: &str| format!("trunk {:?}.{key}", trunk.name);
        for other in &policy.trunks[i + 1..] {
            if trunk.name == other.name {
                findings.fault(place("name"), "two trunks have this name; records could not tell them apart");
            }
            // Who shows a certificate is told apart by it, and a carrier's address is never the sandbox's.
            if trunk.shows_certificate || other.shows_certificate || trunk.realm != other.realm {
                continue;
            }
            let shared = trunk.sources.iter().find(|a| other.sources.iter().any(|b| a.overlaps(*b)));
            if let Some(shared) = shared {
                findings.fault(
                    place("sources"),
                    format!(
                        "{shared} belongs to trunk {:?}, too: a call must come from exactly one; give one section both \
                         trunks' numbers",
                        other.name
                    ),
                );
            }
        }
        if trunk.realm == Realm::Sandbox && trunk.max_calls > sip.max_calls() / 10 {
            findings.warn(
                place("max_calls"),
                format!(
                    "{} of the {} calls that the node takes (sip.max_calls): rehearsals could leave few of them to the \
                     carriers; state a tenth or less",
                    trunk.max_calls,
                    sip.max_calls()
                ),
            );
        }
        let is_ipv4 = sip.listen().is_ipv4();
        if trunk.shows_certificate && sip.secure().is_none() {
            findings.fault(
                place("certificate_names"),
                "a certificate is shown over TLS only: set sip.tls_listen, sip.tls_certificate and sip.tls_key",
            );
        }
        let advertised = [Some(sip.advertise().sip), sip.advertise().sip_other];
        let has_ipv6 = advertised.into_iter().flatten().any(|address| address.is_ipv6());
        let has_sources = !trunk.sources.is_empty();
        if is_ipv4 && has_sources && trunk.sources.iter().all(|source| source.address().is_ipv6()) {
            findings.warn(place("sources"), "all are IPv6, but sip.listen is an IPv4 address: no call can arrive");
        } else if !has_ipv6 && trunk.sources.iter().any(|source| source.address().is_ipv6()) {
            findings.warn(
                place("sources"),
                "some are IPv6, but sip.advertise has no IPv6 address for them: name two, as in \
                 [\"198.51.100.1:5060\", \"[2001:db8::1]:5060\"]",
            );
        }
        let issue_from = policy.issue_from.lowest();
        let (most, caps) = most(trunk, passports);
        let is_useless = most < issue_from;
        if (is_useless || most == Level::L1) && trunk.max_level >= issue_from {
            let text = format!("proves at most {most}, because {}", caps.join(" and "));
            let useless = format!("{text}: every call over it will be refused while issue_from is {issue_from}");
            findings.warn(place("max_level"), if is_useless { useless } else { text });
        }
        if trunk.max_level < issue_from {
            findings.warn(
                place("max_level"),
                format!("{} is below issue_from = {issue_from}: every call over it will be refused", trunk.max_level),
            );
        }
        let is_anywhere = trunk.sources.iter().any(|source| source.prefix_length() == 0);
        let is_known = trunk.digest.is_some() || trunk.ingress_secret.is_some();
        match trunk.realm {
            Realm::Service if is_anywhere => {
                findings.warn(place("sources"), "this is every address of the Internet: anybody is this carrier");
            }
            Realm::Sandbox if is_anywhere && !is_known => findings.fault(
                place("sources"),
                "this is every address of the Internet, and anybody would take the places of those who rehearse: give it an \
                 account ([trunk.digest]) or an ingress_secret_file",
            ),
            Realm::Service | Realm::Sandbox => {}
        }
        // What is read out over a trunk of the sandbox opens nothing.
        if trunk.nat && trunk.realm == Realm::Service {
            findings
                .warn(place("nat"), "whoever sends the first RTP packet hears the call; only for networks you trust");
        }
    }
}

/// What a trunk's calls prove at most, whatever its `max_level`, and why, in words (the rules are the core's
/// `caller/policy.rs`).
fn most(trunk: &TrunkProfile, passports: Passports) -> (Level, Vec<&'static str>) {
    let mut caps = Vec::new();
    if trunk.is_open_to_others() {
        caps.push("its addresses are shared and there is no ingress_secret_file, nor [trunk.digest]");
    }
    if !trunk.cli_screened {
        caps.push("cli_screened is false");
    }
    if trunk.country.is_none() {
        caps.push("no country is stated");
    }
    // A forwarded call's PASSporT is about another destination, and A is all that a network can say.
    let are_signed = trunk.proves_by(passports);
    if trunk.keeps_diversion != KeepsDiversion::Yes && !are_signed {
        caps.push("keeps_diversion is not \"yes\"");
    }
    if !caps.is_empty() {
        return (Level::L1, caps);
    }
    if trunk.verstat.as_ref().is_none_or(|verstat| !verstat.may_raise()) && !are_signed {
        let why = "no [trunk.verstat] says with which word its network attests a caller with A, and no \
                   signatures are verified over it (identity_passthrough, and anchors in [passports])";
        return (Level::L2, vec![why]);
    }
    (Level::L3, vec!["nobody calls back"])
}
