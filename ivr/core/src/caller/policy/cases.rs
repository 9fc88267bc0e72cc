//! The checks as tables: (name, given, expected). A line of `given` is a header; the trunk is the screened one below
//! unless the table changes it.

mod forwarding;
mod hostile;
mod identity;
mod level;
mod order;
mod passport;
mod peer;
mod verstat;

use super::*;
use crate::caller::trunk::KeepsDiversion;
use crate::caller::{Finding, Verstat};

const PEER: &str = "192.0.2.10:5060";
const OURS: &str = "sip:+12025550100@198.51.100.1";

/// A trunk whose word earns L2.
fn screened() -> TrunkProfile {
    TrunkProfile {
        name: "carrier".to_owned(),
        sources: vec!["192.0.2.0/28".parse().unwrap()],
        numbers: vec![Number::parse("+12025550100").unwrap()],
        shared_addresses: false,
        trust_pai: true,
        cli_screened: true,
        country: Some("US".parse().unwrap()),
        keeps_diversion: KeepsDiversion::Yes,
        max_calls: 10,
        ..TrunkProfile::default()
    }
}

/// A dialect whose words stand there.
fn dialect(header: &str, attestation_header: Option<&str>, words: &[(&str, Finding)]) -> Verstat {
    Verstat {
        header: header.to_owned(),
        attestation_header: attestation_header.map(str::to_owned),
        words: words.iter().map(|(word, finding)| ((*word).to_owned(), *finding)).collect(),
    }
}

fn policy(trunk: TrunkProfile) -> Policy {
    Policy { trunks: vec![trunk], issue_from: Level::L1.into(), kinds: KindPolicy { voip: true, personal: false } }
}

/// The headers of one case: lines of `Name: value`; a From of +12025550143 unless it brings its own.
fn headers(text: &str) -> Vec<(&str, &str)> {
    let mut headers: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| line.split_once(':').unwrap_or_else(|| panic!("{line} is no header")))
        .collect();
    if !headers.iter().any(|(name, _)| ["from", "f"].contains(&name.to_ascii_lowercase().as_str())) {
        headers.push(("From", "<sip:+12025550143@carrier.example>;tag=1"));
    }
    headers
}

/// `+number Ln`, or the code of the reason, with `(+number)` if the verdict names who was refused.
fn told(policy: &Policy, peer: &str, uri: &str, text: &str) -> String {
    shown(&judge(policy, &Peer::udp(peer.parse().unwrap()), uri, &headers(text)))
}

fn shown(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accept { caller, .. } => format!("{} {}", caller.number.as_str(), caller.level),
        Verdict::Refuse(refusal) => match &refusal.claimed {
            Some(number) => format!("{} ({})", refusal.reason.code(), number.as_str()),
            None => refusal.reason.code().to_owned(),
        },
    }
}

fn check(policy: &Policy, table: &[(&str, &str, &str)]) {
    for (name, given, expected) in table {
        assert_eq!(told(policy, PEER, OURS, given), *expected, "{name}: {given}");
    }
}
