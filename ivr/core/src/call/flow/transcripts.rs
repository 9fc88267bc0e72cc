//! Replays `scenarios/*.txt`: calls as text. `UPDATE_TRANSCRIPTS=1 cargo test -p ivr-core` rewrites them; the diff is
//! the review.
//!
//! `#` lines at the top say what the call shows and may set `# binding: code-only`, `# level: L3` or, for a caller without a
//! session, `# certified: 1 2026-03-09`.
//! `3.0 > press 12` is what happens, `<` is what the script does, `. patience ends` is its own deadline. After the last
//! `>` the script goes on until it waits for nothing.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use voice_prompts::{Language, Library, PromptId, Segment};

use super::*;
use crate::call::question::Session;
use crate::caller::{Caps, Level, LineParameters, Realm};
use crate::key_check::KeyCheck;
use crate::number::Number;
use crate::proof::ProvedNumber;

#[test]
fn calls_go_as_their_transcripts_say() {
    let update = std::env::var_os("UPDATE_TRANSCRIPTS").is_some();
    let mut changed = Vec::new();
    let paths = transcripts();
    assert!(paths.len() >= 20, "the transcripts are in {}", FOLDER);
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

#[test]
fn every_ending_has_a_transcript() {
    let all: String = transcripts().iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for ending in [
        Ending::Verified,
        Ending::Held,
        Ending::HungUpAfterReadBack,
        Ending::HungUp,
        Ending::NoAudio,
        Ending::AudioStopped,
        Ending::Displaced,
        Ending::TooManyWrongCodes,
        Ending::WrongConfirmKey,
        Ending::ReadBackExpired,
        Ending::ReadBackVoided,
        Ending::NothingHeard,
        Ending::SessionGone,
        Ending::ServiceFailed,
        Ending::Told,
        Ending::Suspended,
        Ending::TooLong,
    ] {
        assert!(all.contains(&format!("< note {:?}\n", Step::Ended(ending))), "{ending:?}");
    }
}

fn transcripts() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new(FOLDER)).unwrap().map(|entry| entry.unwrap().path());
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("call-") && name.ends_with(".txt")
    };
    let mut paths: Vec<_> = entries.filter(is_ours).collect();
    paths.sort();
    paths
}

/// The transcript as the script plays it.
fn replay(written: &str) -> String {
    let mut call = Replay::new(written);
    for line in written.lines() {
        if let Some((time, event)) = line.split_once(" > ") {
            let at = Duration::from_secs_f64(time.trim().parse().unwrap_or_else(|_| panic!("no time: {line}")));
            call.run_until(at);
            writeln!(call.text, "{} > {event}", stamp(at)).unwrap();
            events(event).into_iter().for_each(|event| call.on_event(event, at));
        } else if line.starts_with('#') || line.is_empty() {
            writeln!(call.text, "{line}").unwrap();
        }
    }
    call.run_until(Duration::MAX);
    call.text
}

#[test]
fn keys_are_judged_where_one_digit_was_named_and_never_in_a_code() {
    let written = std::fs::read_to_string(Path::new(FOLDER).join("call-happy.txt")).unwrap();
    let (mut call, mut judged) = (Replay::new(&written), Vec::new());
    for (time, event) in written.lines().filter_map(|line| line.split_once(" > ")) {
        let at = Duration::from_secs_f64(time.trim().parse().unwrap());
        call.run_until(at);
        for event in events(event) {
            if matches!(event, Event::Key(_)) {
                let told: Vec<bool> =
                    "0123456789*#ABCD".chars().filter_map(|key| call.flow.is_the_digit(key)).collect();
                judged.push((told.len(), told.iter().filter(|is_right| **is_right).count()));
            }
            call.on_event(event, at);
        }
    }
    // Six of the code; of the ten digits that may confirm, one does.
    assert_eq!(judged, [(0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (10, 1)]);
}

#[test]
fn a_digit_ends_the_sentences_whose_clips_may_be_ended_and_no_others() {
    let library = Library::embedded();
    let all_digits_are_one = |id| if let PromptId::Digit(_) = id { PromptId::Digit(0) } else { id };
    let mut ended = BTreeSet::new();
    for path in transcripts() {
        let written = std::fs::read_to_string(&path).unwrap();
        let happenings: Vec<(&str, &str)> = written.lines().filter_map(|line| line.split_once(" > ")).collect();
        for before in 0..=happenings.len() {
            let (mut call, mut now) = (Replay::new(&written), Duration::ZERO);
            for (n, (time, event)) in happenings.iter().enumerate().take(before + 1) {
                now = Duration::from_secs_f64(time.trim().parse().unwrap());
                call.run_until(now);
                if n < before {
                    events(event).into_iter().for_each(|event| call.on_event(event, now));
                }
            }
            let Some(said) = call.saying.filter(|_| !matches!(call.flow.state, State::Over)) else { continue };
            let clips = said.0.iter().filter_map(|segment| match segment {
                Segment::Clip(id) => Some(*id),
                Segment::Pause(_) => None,
            });
            let mut out = Vec::new();
            call.flow.on_event(Event::Key('5'), call.began + now, &mut call.chance, &mut out);
            let is_ended = out.iter().any(|action| matches!(action, Action::Hush | Action::Say(_)));
            for language in library.languages() {
                let may_be = clips.clone().all(|id| library.barge_in(id, language));
                assert_eq!(is_ended, may_be, "{language}: {}, before {before} of {}", spoken(&said), path.display());
            }
            if is_ended {
                ended.extend(clips.map(all_digits_are_one));
            }
        }
    }
    for (language, id) in library.languages().flat_map(|language| PromptId::ALL.map(|id| (language, id))) {
        let is_ended = ended.contains(&all_digits_are_one(id));
        assert_eq!(library.barge_in(id, language), is_ended, "{language}: {}", id.name());
    }
}

struct Replay {
    flow: Flow,
    began: Instant,
    chance: ChaCha20Rng,
    /// What has been begun and has not ended.
    saying: Option<Utterance>,
    text: String,
}

impl Replay {
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
    fn new(written: &str) -> Self {
        let binding = setting(written, "binding").and_then(Binding::from_name).unwrap_or(Binding::ReadBack);
        let level = setting(written, "level").map_or(Level::L2, |level| level.parse().unwrap());
        let realm = setting(written, "realm").map_or(Realm::Service, |_| Realm::Sandbox);
        let number = Number::parse("+12025550143").unwrap();
        let (began, caller) = (
            Instant::now(),
            Caller {
                number,
                level,
                trunk: "carrier".to_owned(),
                caps: Caps::default(),
                line: LineParameters::default(),
                realm,
                passport: None,
            },
        );
        let purpose =
            setting(written, "certified").map_or(Purpose::Prove(binding), |told| Purpose::Tell(enrolled(told)));
        let flow = Flow::new(caller, purpose, began);
        let chance = ChaCha20Rng::seed_from_u64(1);
        Self { flow, began, chance, saying: None, text: String::new() }
    }

    /// Lets the script's own deadlines pass, as long as they are due by then.
    fn run_until(&mut self, at: Duration) {
        while let Some(due) = self.flow.deadline().map(|due| due - self.began).filter(|due| *due <= at) {
            writeln!(self.text, "{} . patience ends", stamp(due)).unwrap();
            self.on_event(Event::Timeout, due);
            assert!(self.flow.deadline().is_none_or(|next| next - self.began > due), "it would spin:\n{}", self.text);
        }
    }

    fn on_event(&mut self, event: Event, at: Duration) {
        let mut out = Vec::new();
        if event == Event::PlayEnded {
            self.saying = None;
        }
        self.flow.on_event(event, self.began + at, &mut self.chance, &mut out);
        for action in out {
            match &action {
                Action::Say(utterance) => self.saying = Some(utterance.clone()),
                Action::Hush => self.saying = None,
                _ => {}
            }
            writeln!(self.text, "{} < {}", stamp(at), shown(&action)).unwrap();
        }
    }
}

fn setting<'a>(written: &'a str, name: &str) -> Option<&'a str> {
    written.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(name)?.strip_prefix(": "))
}

/// `1 2026-03-09`
fn enrolled(text: &str) -> Enrolled {
    let numbers: Vec<u16> = text.split([' ', '-']).map(|number| number.parse().unwrap()).collect();
    let [count, year, month, day] = numbers[..] else { panic!("no count and date: {text}") };
    Enrolled { count, last: (year, month.try_into().unwrap(), day.try_into().unwrap()) }
}

fn events(text: &str) -> Vec<Event> {
    let answer = |answer| vec![Event::Answer(answer)];
    match text.split_once(' ').unwrap_or((text, "")) {
        ("confirmed", _) => vec![Event::Confirmed],
        ("play", "ended") => vec![Event::PlayEnded],
        ("press", keys) => keys.chars().map(Event::Key).collect(),
        ("matched", rest) => {
            let key_check = rest.strip_prefix("by an app, key check ").map(|digits| KeyCheck::parse(digits).unwrap());
            let (id, language) = (VerificationId([0xab; 16]), Language::ENGLISH);
            answer(Answer::Matched(Session { id, key_check, language }))
        }
        ("wrong,", left) => answer(Answer::Wrong { tries_left: left.trim_end_matches(" left").parse().unwrap() }),
        ("exhausted", _) => answer(Answer::NumberExhausted),
        ("certified", told) => answer(Answer::Certified(enrolled(told))),
        ("none", _) => answer(Answer::NoSession),
        ("stored", _) => answer(Answer::Stored),
        ("suspended", _) => answer(Answer::Suspended),
        ("not", "suspended") => answer(Answer::NotSuspended),
        ("gone", _) => answer(Answer::Gone),
        ("unavailable", _) => answer(Answer::Unavailable),
        ("issued", _) => vec![Event::Outcome(Outcome::Issued)],
        ("held", _) => vec![Event::Outcome(Outcome::Held)],
        ("voided", _) => vec![Event::Outcome(Outcome::Voided)],
        ("failed", _) => vec![Event::Outcome(Outcome::Failed)],
        ("hung", "up") => vec![Event::HungUp],
        ("no", "audio") => vec![Event::Silent(Silence::NoAudio)],
        ("audio", "stopped") => vec![Event::Silent(Silence::AudioStopped)],
        ("displaced", _) => vec![Event::Displaced],
        _ => panic!("no such event: {text}"),
    }
}

fn shown(action: &Action) -> String {
    match action {
        Action::Say(utterance) => format!("say {}", spoken(utterance)),
        Action::Hush => "hush".to_owned(),
        Action::Ask(Question::Passport(_) | Question::Session(_)) => "ask before the 200".to_owned(),
        Action::Ask(Question::Code { entered, .. }) => format!("ask whether {} is the code", entered.expose().as_str()),
        Action::Ask(Question::ReadBack { proof, digits, .. }) => {
            format!("ask to keep {} with {}", digits.expose().as_str(), proved(proof))
        }
        Action::Ask(Question::CodeOnly { proof, .. }) => format!("ask to issue for {}", proved(proof)),
        Action::Ask(Question::Rehearsed { digits, .. }) => format!("ask to rehearse with {}", digits.expose().as_str()),
        Action::Ask(Question::Certificates(caller)) => format!("ask what {} has", caller.number.as_str()),
        Action::Ask(Question::Suspend(caller)) => {
            format!("ask to suspend what {} has up to {}", caller.number.as_str(), caller.level)
        }
        Action::HangUp => "hang up".to_owned(),
        Action::Note(step) => format!("note {step:?}"),
    }
}

fn proved(proof: &ProvedNumber) -> String {
    format!("{} at {}", proof.number().as_str(), proof.level())
}

fn spoken(utterance: &Utterance) -> String {
    let mut text = String::new();
    for segment in &utterance.0 {
        match segment {
            Segment::Clip(PromptId::Digit(digit)) => write!(text, "{digit}").unwrap(),
            Segment::Clip(id) => write!(text, " {} ", id.name()).unwrap(),
            Segment::Pause(Utterance::BETWEEN_DIGITS) => {}
            Segment::Pause(_) => text.push(' '),
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn stamp(at: Duration) -> String {
    format!("{:6.1}", at.as_secs_f64())
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
