//! Times, lengths and names of the records, as people read them.

use std::time::Duration;

use ivr_core::caller::{Caps, Level, Reason};
use ivr_core::media::Mos;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// How calls end, as in `calls.outcome`, and what the console says of it.
pub(super) const OUTCOMES: [(&str, &str); 21] = [
    ("live", "On the line"),
    ("verified", "Verified"),
    ("held", "Verified, key waits"),
    ("refused", "Refused"),
    ("hung-up", "Hung up"),
    ("no-audio", "No audio arrived"),
    ("audio-stopped", "Audio stopped"),
    ("displaced", "Gave way to a newer call"),
    ("hung-up-after-read-back", "Hung up after the digits"),
    ("too-many-wrong-codes", "Too many wrong codes"),
    ("wrong-confirm-key", "Wrong confirm key"),
    ("read-back-expired", "Digits not typed in time"),
    ("read-back-voided", "Digits typed wrong"),
    ("nothing-heard", "No key heard"),
    ("session-gone", "Verification ended"),
    ("service-failed", "Service failed"),
    ("too-long", "Call too long"),
    ("told", "Heard of its certificates"),
    ("suspended", "Suspended its certificates"),
    ("cancelled", "Ended without conversation"),
    ("lost", "Lost in a crash"),
];

/// What is said of an outcome.
pub(super) fn outcome(name: &str) -> &str {
    OUTCOMES.iter().find(|(known, _)| *known == name).map_or(name, |(_, words)| words)
}

/// What an outcome means and what to look at, where its name does not say it.
pub(super) fn advice(outcome: &str) -> Option<&'static str> {
    match outcome {
        "no-audio" => Some(
            "SIP arrived, but in 30 s no audio packet of the caller's did, and we hung up. Does a firewall let UDP in to the \
             ports of [sip] rtp_ports? Can the caller reach the address of advertise, and does rtp_address lead there? Does a \
             softphone have a sound card? Packets from elsewhere, counted below, may be the caller's: see media_networks and \
             nat of its trunk; those that are not authentic were encrypted with another key than the offer's.",
        ),
        "audio-stopped" => Some(
            "Audio of the caller's arrived and then stopped without a BYE, and after 30 s we hung up: the telephone is gone, \
             has lost its network, or sends nothing while it is muted or hears silence.",
        ),
        _ => None,
    }
}

/// What the console tells of a reason code; nothing of one that this version does not know.
pub(super) fn reason(code: &str) -> &'static str {
    Reason::from_code(code).map_or("", |reason| reason.sentences(LANGUAGE).console)
}

/// What a level means.
pub(super) fn level(level: Level) -> &'static str {
    level.meaning(LANGUAGE)
}

/// Why a level is no higher, a sentence each.
pub(super) fn caps(caps: Caps) -> Vec<&'static str> {
    caps.iter().map(|cap| cap.sentences(LANGUAGE).console).collect()
}

/// The console's.
const LANGUAGE: &str = "en";

/// A time, for people and for programs.
pub(super) struct Moment {
    pub(super) text: String,
    pub(super) iso: String,
}

impl Moment {
    /// To the second, UTC.
    pub(super) fn of(at: OffsetDateTime) -> Self {
        let text = at.format(format_description!("[year]-[month]-[day] [hour]:[minute]:[second]")).unwrap_or_default();
        Self { text, iso: iso(at) }
    }
}

/// RFC 3339.
pub(super) fn iso(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

/// `1 min 05 s`, `12.3 s`, `4.2 ms`
pub(super) fn length(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match duration.as_millis() {
        0..1000 => format!("{:.1} ms", duration.as_secs_f64() * 1e3),
        1000..60_000 => format!("{:.1} s", duration.as_secs_f64()),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// A mean opinion score: `4.33`
pub(super) fn mos(mos: Mos) -> String {
    format!("{}.{:02}", mos.hundredths / 100, mos.hundredths % 100)
}

/// A part of a whole: `3 (0.2 %)`
pub(super) fn part(part: u64, whole: u64) -> String {
    // A call of 180 s has 9,000 packets: they are counted exactly.
    let share = if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 };
    format!("{part} ({share:.1} %)")
}

/// How long after the beginning: `+1.234 s`
pub(super) fn offset(from: OffsetDateTime, at: OffsetDateTime) -> String {
    format!("+{:.3} s", (at - from).as_seconds_f64().max(0.0))
}

/// A name such as `entering-code` as words.
pub(super) fn plain(name: &str) -> String {
    name.replace('-', " ")
}

/// The beginning of a serial number, which is enough to tell it from its neighbours.
pub(super) fn short(serial: &str) -> String {
    serial.chars().take(8).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_well() {
        let table = [(0.0, "0.0 ms"), (0.004_21, "4.2 ms"), (1.0, "1.0 s"), (59.94, "59.9 s"), (65.4, "1 min 05 s")];
        for (seconds, words) in table {
            assert_eq!(length(Duration::from_secs_f64(seconds)), words);
        }
    }

    #[test]
    fn figures_read_well() {
        assert_eq!([433, 405, 100].map(|hundredths| mos(Mos { hundredths })), ["4.33", "4.05", "1.00"]);
        assert_eq!((part(15, 1_000), part(0, 0)), ("15 (1.5 %)".to_owned(), "0 (0.0 %)".to_owned()));
    }
}
