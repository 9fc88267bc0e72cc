//! Replays `scenarios/sip-*.txt`: SIP as text, on a clock that only the text moves. `UPDATE_TRANSCRIPTS=1 cargo test
//! -p ivr-core` rewrites them; the diff is the review.
//!
//! `#` lines at the top say what is shown and may set `# strangers: ignore`, `# calls: 1`, `# max-calls: 1` (of the
//! trunk), `# unacknowledged: 1`, `# srtp: required`, `# keys: auto` (of the trunk) or `# asserts: Remote-Party-ID` (the trunk, while
//! its From is free text; `both`: beside P-Asserted-Identity), `# passports: verified` (it hands on signed identities, but not
//! Diversion), `# identity: required`
//! and `# digest: required` (of the trunk), `# begins: refusing` (until `ready`),
//! `# register: sip:carrier.example` and `# expires: 600`, `# probe: sip:carrier.example`; `# show: everything` shows
//! headers and lines of a description that are always alike. `1.500 > BYE` is what arrives, `<` what is sent or asked or
//! told to the media thread, `=` what is recorded, `counted` what the counters say in the end. After the last `>` the
//! endpoint goes on until it waits for nothing.
//!
//! A request is a method and changes to it: `INVITE | Require: 100rel | -Contact | sdp sendonly | from 192.0.2.2:5060 |
//! from tcp 192.0.2.1:40000 #1 (which then stays) | tag x | branch y | call b | body 5\r\n | digest first` (an answer to our
//! last challenge; or `second`, `next`, `wrong`, `again`). `again` repeats the last one, `200 BYE` or `200 UPDATE |
//! Session-Expires: 90` answers ours, `401 REGISTER | WWW-Authenticate: …` and `200 OPTIONS` are a server's, `dns 10 1 5060
//! a.example, …` a name server's; `probe normal +12025550143` announces a call for three minutes, `probe off` none. Keys of
//! SRTP are not shown, but numbered: whether ours is another one is what matters. `press 48` are keys by telephone-event, `sing 48` by tones;
//! `wrong` is the store's answer to a code, with two tries left.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use voice_prompts::Language;

use super::testing::{Caller, Server, config, peer};
use super::*;
use crate::call::question::{Answer, Enrolled, Outcome, Presented, Question, Session};
use crate::caller::probe::{self, Expected};
use crate::caller::{Attest, TrunkIndex};
use crate::link::{Naptr, Query, Records, Srv};
use crate::media::{KeySource, MediaCommand, MediaEvent, Quality, Silence};
use crate::passport::{Fault, Report};
use crate::sip::peer::Flow;
use crate::sip::stream::{Framed, Framer};

mod settings;
mod shown;

use settings::{configured, setting};

#[test]
fn endpoints_do_as_their_transcripts_say() {
    let update = std::env::var_os("UPDATE_TRANSCRIPTS").is_some();
    let mut changed = Vec::new();
    let paths = transcripts();
    assert!(paths.len() >= 40, "the transcripts are in {FOLDER}");
    for path in paths {
        let written = std::fs::read_to_string(&path).unwrap();
        let replayed = replay(&written);
        if replayed != written {
            if update {
                std::fs::write(&path, &replayed).unwrap();
            }
            changed.push(format!("{}:\n{}", path.display(), difference(&written, &replayed)));
        }
    }
    assert!(update || changed.is_empty(), "(UPDATE_TRANSCRIPTS=1 rewrites them)\n{}", changed.join("\n"));
}

fn transcripts() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new(FOLDER)).unwrap().map(|entry| entry.unwrap().path());
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("sip-") && name.ends_with(".txt")
    };
    let mut paths: Vec<_> = entries.filter(is_ours).collect();
    paths.sort();
    paths
}

/// The transcript as the endpoint plays it.
fn replay(written: &str) -> String {
    let mut play = Replay::new(written);
    for line in written.lines() {
        if let Some((time, event)) = line.split_once(" > ") {
            let at = Duration::from_secs_f64(time.trim().parse().unwrap_or_else(|_| panic!("no time: {line}")));
            play.run_until(at);
            writeln!(play.text, "{} > {event}", stamp(at)).unwrap();
            play.on_event(event, at);
        } else if line.starts_with('#') || line.is_empty() {
            writeln!(play.text, "{line}").unwrap();
        }
    }
    play.run_until(Duration::MAX);
    assert_eq!(play.endpoint.live_calls(), 0, "a call never ends:\n{}", play.text);
    play.text + &counted(play.endpoint.counters())
}

/// What the counters say at the end, without those that say nothing.
fn counted(counters: Counters) -> String {
    let all = format!("{counters:?}").replace('_', " ");
    let all = all.trim_start_matches("Counters { ").trim_end_matches(" }");
    let told: Vec<String> =
        all.split(", ").filter(|counter| !counter.ends_with(": 0")).map(|counter| counter.replace(':', "")).collect();
    format!("   counted: {}\n", told.join(", "))
}

struct Replay {
    endpoint: Endpoint,
    began: Instant,
    /// By the name that `| call x` gives them.
    callers: HashMap<String, Caller>,
    /// The endpoint's key of each caller.
    keys: HashMap<String, CallKey>,
    server: Server,
    /// What a name server was asked last.
    query: Option<(LinkKey, Query)>,
    /// Of each connection.
    framers: HashMap<Flow, Framer>,
    /// The utterance begun last.
    play: u32,
    shows_everything: bool,
    /// Every datagram that was sent, to tell a repetition.
    sent: Vec<Vec<u8>>,
    /// Our keys of SRTP.
    secrets: Vec<String>,
    text: String,
}

impl Replay {
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
    fn new(written: &str) -> Self {
        Self {
            endpoint: Endpoint::new(configured(written), [7; 32]),
            began: Instant::now(),
            callers: HashMap::new(),
            keys: HashMap::new(),
            server: Server::default(),
            query: None,
            framers: HashMap::new(),
            play: 0,
            shows_everything: setting(written, "show") == Some("everything"),
            sent: Vec::new(),
            secrets: Vec::new(),
            text: String::new(),
        }
    }

    /// Lets the endpoint's deadlines pass, as long as they are due by then.
    fn run_until(&mut self, at: Duration) {
        while let Some(due) = self.endpoint.deadline().map(|due| due - self.began).filter(|due| *due <= at) {
            self.handle(Input::Timeout, due);
            assert!(
                self.text.len() < 1 << 20,
                "links go on until the transcript says drain or end:\n{}",
                &self.text[..2_000]
            );
            assert!(
                self.endpoint.deadline().is_none_or(|next| next - self.began > due),
                "it would spin:\n{}",
                self.text
            );
        }
    }

    fn on_event(&mut self, event: &str, at: Duration) {
        let mut parts = event.split(" | ");
        let what = parts.next().unwrap();
        let changes: Vec<&str> = parts.collect();
        let name = changes.iter().find_map(|change| change.strip_prefix("call ")).unwrap_or("a").to_owned();
        if let Some(input) = self.input(what, &name, at) {
            return input.into_iter().for_each(|input| self.handle(input, at));
        }
        if let Some((status, "REGISTER" | "OPTIONS")) = what.split_once(' ') {
            let (from, bytes) = self.server.message(status, &changes);
            return self.handle(Input::Message { from, bytes: &bytes }, at);
        }
        let caller = self.callers.entry(name.clone()).or_insert_with(|| Caller::new(&name));
        let (from, bytes) = caller.message(what, &changes);
        let Some(flow) = from.flow else { return self.handle(Input::Message { from, bytes: &bytes }, at) };
        let now = self.began + at;
        self.framers.entry(flow).or_default().push(&bytes, now);
        while let Some(framed) = self.framers.get_mut(&flow).and_then(|framer| framer.next(now)) {
            match framed {
                Framed::Message(bytes) => self.handle(Input::Message { from, bytes: &bytes }, at),
                Framed::Broken(bytes) => self.handle(Input::Broken { from, bytes: &bytes }, at),
                Framed::Ping => writeln!(self.text, "{} < an empty line #{}", stamp(at), flow.0).unwrap(),
            }
        }
    }

    /// What is no datagram.
    fn input(&self, what: &str, name: &str, at: Duration) -> Option<Vec<Input<'static>>> {
        let key = self.keys.get(name).copied().unwrap_or(CallKey(0));
        let answer = |answer| Some(vec![Input::Answer(key, answer)]);
        let media = |event| Some(vec![Input::Media(key, event)]);
        let pressed = |digits: &str, source| {
            Some(digits.chars().map(|digit| Input::Media(key, MediaEvent::Key(digit, source))).collect())
        };
        let outcome = |outcome| Some(vec![Input::Outcome(VerificationId([0xab; 16]), outcome)]);
        match what.split_once(' ').unwrap_or((what, "")) {
            ("expected", "") => answer(Answer::Expected),
            ("verified", finding) => answer(Answer::Verified(verified(finding))),
            ("no", "session") => answer(Answer::NoSession),
            ("certified", _) => answer(Answer::Certified(Enrolled { count: 1, last: (2026, 3, 9) })),
            ("suspended", _) => answer(Answer::Suspended),
            ("exhausted", _) => answer(Answer::NumberExhausted),
            ("calls", "used up") => answer(Answer::CallsUsedUp),
            ("unavailable", _) => answer(Answer::Unavailable),
            ("matched", locale) => {
                let (id, language) = (VerificationId([0xab; 16]), Language::of(locale));
                answer(Answer::Matched(Session { id, key_check: None, language }))
            }
            ("wrong", _) => answer(Answer::Wrong { tries_left: 2 }),
            ("stored", _) => answer(Answer::Stored),
            ("issued", _) => outcome(Outcome::Issued),
            ("play", "ended") => media(MediaEvent::PlayEnded(self.play)),
            ("press", digits) => pressed(digits, KeySource::TelephoneEvent),
            ("sing", digits) => pressed(digits, KeySource::InBand),
            ("no", "audio") => media(MediaEvent::Silent(Silence::NoAudio)),
            ("audio", "stopped") => media(MediaEvent::Silent(Silence::AudioStopped)),
            ("figures", _) => media(MediaEvent::Closed(Quality::default())),
            ("connect", _) => Some(vec![Input::Connected]),
            ("dns", records) => {
                let (key, query) = self.query.clone().expect("a name server was asked");
                let records = read_records(&query, records);
                Some(vec![Input::Located(key, query, records)])
            }
            ("unreached", there) => Some(vec![Input::Unreached { to: peer(there) }]),
            ("probe", call) => {
                let expected = call.split_once(' ').map(|(step, number)| Expected {
                    step: probe::Step::from_name(step).unwrap(),
                    number: Number::parse(number).unwrap(),
                    forwarder: None,
                });
                let until = self.began + at + Duration::from_secs(180);
                Some(vec![Input::Probe(TrunkIndex(0), expected.map(|expected| (expected, until)))])
            }
            ("ready", _) => Some(vec![Input::TakeCalls { rtp_ports: config().rtp_ports }]),
            ("drain", _) => Some(vec![Input::RefuseNewCalls]),
            ("end", _) => Some(vec![Input::EndCalls]),
            _ => None,
        }
    }

    fn handle(&mut self, input: Input<'_>, at: Duration) {
        let mut out = Outbox::new();
        self.endpoint.handle(input, self.began + at, &mut out);
        for output in out {
            let Some(shown) = self.shown(output) else { continue };
            let mut lines = shown.lines();
            writeln!(self.text, "{} {}", stamp(at), lines.next().unwrap()).unwrap();
            lines.for_each(|line| writeln!(self.text, "         | {line}").unwrap());
        }
    }

    fn shown(&mut self, output: Output) -> Option<String> {
        Some(match output {
            Output::Message { to, bytes } => {
                self.callers.values_mut().for_each(|caller| caller.hear(&bytes));
                self.server.hear(to, &bytes);
                let fits = self.callers.values().all(|caller| caller.cancels_with_the_tag_of_its_invite(&bytes));
                assert!(fits, "another tag than the INVITE got:\n{}", self.text);
                let again = self.sent.contains(&bytes);
                let shown = shown::message(to, &bytes, again, self.shows_everything);
                self.sent.push(bytes);
                self.without_secrets(shown)
            }
            Output::Farewell { flow, bytes } if bytes.is_empty() => format!("< close #{}", flow.0),
            Output::Farewell { flow, bytes } => {
                let start = String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned();
                format!("< {}, and close #{}", start.trim_start_matches("SIP/2.0 "), flow.0)
            }
            Output::Media(_, command) => {
                if let MediaCommand::Say { play, .. } = command {
                    self.play = play;
                }
                format!("< media: {}", shown::command(&command))
            }
            Output::Ask(_, Question::Passport(Presented { orig, dest, .. })) => {
                format!("< ask what is signed of {} to {}", orig.as_str(), dest.as_str())
            }
            Output::Ask(_, Question::Session(caller)) => {
                format!("< ask whether {} is expected", caller.number.as_str())
            }
            Output::Ask(_, Question::Code { .. }) => "< ask about the code".to_owned(),
            Output::Ask(_, Question::Rehearsed { .. }) => "< ask to rehearse".to_owned(),
            Output::Ask(_, Question::Certificates(_)) => "< ask for certificates".to_owned(),
            Output::Ask(_, Question::Suspend(_)) => "< ask to suspend".to_owned(),
            Output::Ask(..) => "< ask to keep the proof".to_owned(),
            Output::Probed(_, call) => {
                let capture = call.capture;
                let names: Vec<&str> = capture.headers.iter().map(|(name, _)| name.as_str()).collect();
                let verdict = capture.verdict.map_or_else(|reason| reason.code().to_owned(), |level| level.to_string());
                format!("= probed: {}; it would have been {verdict}", names.join(", "))
            }
            Output::Locate(key, query) => {
                let shown = format!("< look up {}", shown::query(&query));
                self.query = Some((key, query));
                shown
            }
            Output::Link(LinkKey(key), state) => format!("= link {key}: {}", shown::state(state)),
            Output::Record(_, Entry::Message { .. }) => return None,
            Output::Record(key, entry) => {
                if let Entry::Began { sip_call_id, .. } = &entry {
                    let name = sip_call_id.strip_prefix("call-").unwrap_or("a");
                    self.keys.insert(name.to_owned(), key);
                }
                format!("= {}", shown::entry(&entry))
            }
        })
    }
}

impl Replay {
    fn without_secrets(&mut self, shown: String) -> String {
        let Some((before, behind)) = shown.split_once("inline:") else { return shown };
        let end = behind.find(|c: char| c == ';' || c.is_whitespace()).unwrap_or(behind.len());
        let (secret, after) = behind.split_at(end);
        let place = self.secrets.iter().position(|known| known == secret).unwrap_or_else(|| {
            self.secrets.push(secret.to_owned());
            self.secrets.len() - 1
        });
        format!("{before}(our key {}){after}", place + 1)
    }
}

/// What was found out about a signed identity: `A`, `B`, or a fault.
fn verified(finding: &str) -> Arc<Report> {
    let verdict = match finding {
        "A" => Ok(Attest::A),
        "B" => Ok(Attest::B),
        "stale" => Err(Fault::Stale),
        "no anchor" => Err(Fault::NoAnchor),
        "slow" => Err(Fault::Slow),
        "busy" => Err(Fault::Busy),
        _ => Err(Fault::Signature),
    };
    Arc::new(Report { verdict, said: None, signer: None })
}

/// Records as a zone file writes them, separated by `, `.
fn read_records(query: &Query, text: &str) -> Records {
    let rows = text.split(", ").filter(|row| !row.is_empty()).map(|row| row.split(' ').collect::<Vec<_>>());
    let number = |text: &str| text.parse().unwrap();
    match query {
        Query::Naptr(_) => Records::Naptr(
            rows.map(|row| Naptr {
                order: number(row[0]),
                preference: number(row[1]),
                flags: row[2].to_owned(),
                services: row[3].to_owned(),
                replacement: row[4].to_owned(),
            })
            .collect(),
        ),
        Query::Srv(_) => Records::Srv(
            rows.map(|row| Srv {
                priority: number(row[0]),
                weight: number(row[1]),
                port: number(row[2]),
                target: row[3].to_owned(),
            })
            .collect(),
        ),
        Query::Addresses(_) => Records::Addresses(rows.map(|row| row[0].parse().unwrap()).collect()),
    }
}

fn stamp(at: Duration) -> String {
    format!("{:8.3}", at.as_secs_f64())
}

/// The first lines that differ.
fn difference(written: &str, replayed: &str) -> String {
    let (mut old, mut new) = (written.lines(), replayed.lines());
    loop {
        match (old.next(), new.next()) {
            (Some(a), Some(b)) if a == b => {}
            (a, b) => return format!("  written:  {}\n  replayed: {}", a.unwrap_or("(end)"), b.unwrap_or("(end)")),
        }
    }
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
