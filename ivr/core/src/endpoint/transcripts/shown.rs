//! How a transcript shows what comes out of the endpoint.

use std::fmt::Write as _;

use voice_prompts::{Language, Segment};

use super::super::testing::PEER;
use super::super::*;
use crate::link::{LinkState, Query};
use crate::media::{Control, MediaCommand, MediaPlan};

pub(super) fn message(to: Peer, bytes: &[u8], again: bool, everything: bool) -> String {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").expect("a message has an empty line");
    let mut lines = head.lines();
    let start = lines.next().unwrap();
    let start = start.strip_prefix("SIP/2.0 ").unwrap_or(start);
    let headers: Vec<(&str, &str)> = lines.map(|line| line.split_once(": ").unwrap_or((line, ""))).collect();
    let value = |name| headers.iter().find(|(given, _)| *given == name).map_or("", |(_, value)| *value);
    assert_eq!(value("Content-Length").parse(), Ok(body.len()), "{text}");
    let mut shown = format!("< {start} ({})", value("CSeq"));
    if to != Peer::udp(PEER.parse().unwrap()) {
        write!(shown, " to {to}").unwrap();
    }
    if let Some(flow) = to.flow {
        write!(shown, " #{}", flow.0).unwrap();
    }
    if again {
        return shown + " again";
    }
    // The last seven are alike in every message that has them.
    const COMMON: [&str; 14] = [
        "From",
        "To",
        "Call-ID",
        "CSeq",
        "Content-Length",
        "Content-Type",
        "Max-Forwards",
        "Via",
        "Contact",
        "Allow",
        "Accept",
        "Accept-Encoding",
        "Supported",
        "Supported:",
    ];
    let hidden = if everything { &COMMON[..7] } else { &COMMON[..] };
    for (name, value) in headers.iter().filter(|(name, _)| !hidden.contains(name)) {
        write!(shown, "\n{}", format!("{}: {value}", name.trim_end_matches(':')).trim_end()).unwrap();
    }
    let hidden: &[&str] = if everything { &["o="] } else { &["v=", "o=", "s=", "c=", "t=", "a=rtpmap", "a=fmtp"] };
    let telling = body.lines().filter(|line| !hidden.iter().any(|start| line.starts_with(start)));
    if everything {
        telling.for_each(|line| write!(shown, "\n{line}").unwrap());
    } else if !body.is_empty() {
        write!(shown, "\n{}", telling.collect::<Vec<_>>().join("; ")).unwrap();
    }
    shown
}

pub(super) fn command(command: &MediaCommand) -> String {
    let plan_text = |plan: &MediaPlan| {
        let keys = match (plan.event_payload_type, plan.hears_tones) {
            (Some(payload), true) => format!("keys {payload} and tones"),
            (Some(payload), false) => format!("keys {payload}"),
            (None, _) => "no keys".to_owned(),
        };
        let held = if plan.held { ", held" } else { "" };
        let reports = match plan.control {
            Control::At(_) => "",
            Control::Muxed => ", reports with it",
            Control::Off => ", no reports",
        };
        let srtp = plan.security.as_ref().map_or(String::new(), |security| format!(", {}", security.suite.name()));
        format!("{:?} to {}, {keys}, {} ms{held}{reports}{srtp}", plan.codec, plan.remote, plan.packet_time.as_millis())
    };
    match command {
        MediaCommand::Open { port, plan, language, .. } => {
            let spoken = if *language == Language::ENGLISH { String::new() } else { format!(", in {language}") };
            format!("open port {} for {}{spoken}", port.0, plan_text(plan))
        }
        MediaCommand::Listen => "listen".to_owned(),
        MediaCommand::Speak(language) => format!("speak {language}"),
        MediaCommand::Change(plan) => format!("change to {}", plan_text(plan)),
        MediaCommand::Say { play, utterance } => {
            let clips = utterance.0.iter().filter_map(|segment| match segment {
                Segment::Clip(id) => Some(id.name()),
                Segment::Pause(_) => None,
            });
            format!("say {play}: {}", clips.map(|name| name.to_string()).collect::<Vec<_>>().join(" "))
        }
        MediaCommand::Hush => "hush".to_owned(),
        MediaCommand::Close => "close".to_owned(),
    }
}

pub(super) fn entry(entry: &Entry) -> String {
    match entry {
        Entry::Began { trunk, source, caller, .. } => {
            let caller = caller
                .as_ref()
                .map_or("nobody known".to_owned(), |caller| format!("{} at {}", caller.number.as_str(), caller.level));
            format!("a call of {caller} over {} from {source}", trunk.as_deref().unwrap_or("no trunk"))
        }
        Entry::Message { .. } => String::new(),
        Entry::Verified { report, level, caps } => {
            let verdict = report.verdict.map_or_else(|fault| fault.code().to_owned(), |attest| format!("{attest:?}"));
            format!("signed: {verdict}; {level}, held by {caps}")
        }
        Entry::Answered { setup } => format!("answered after {} ms", setup.as_millis()),
        Entry::Step(step) => format!("{step:?}"),
        Entry::KeyPressed { source, matched } => {
            let judged = matched.map_or("", |matched| if matched { ", the right digit" } else { ", a wrong digit" });
            format!("a key by {}{judged}", source.name())
        }
        Entry::Refused { reason, claimed } => {
            let (status, reason) = (reason.status(), reason.code());
            let claimed = claimed.as_ref().map_or("no number", |number| number.as_str());
            format!("refused with {status}, {reason}, {claimed}")
        }
        Entry::Quality(_) => "figures".to_owned(),
        Entry::Over { duration } => format!("over after {} ms", duration.as_millis()),
    }
}

pub(super) fn query(query: &Query) -> String {
    match query {
        Query::Naptr(name) => format!("NAPTR {name}"),
        Query::Srv(name) => format!("SRV {name}"),
        Query::Addresses(name) => format!("A and AAAA {name}"),
    }
}

pub(super) fn state(state: LinkState) -> String {
    match state {
        LinkState::Registered { lasts } => format!("registered for {} s", lasts.as_secs()),
        LinkState::Refused { status } => format!("refused with {status}"),
        other => format!("{other:?}"),
    }
}
