//! One rehearsal: the states of a verification, moved by what its program says that the caller does, or by a caller.

use ivr_core::call::flow::{LONGER_THAN_A_CALL, READ_BACK_LIFE, Step};
use ivr_core::call::question::{Session, VerificationId};
use ivr_core::caller::{Caps, Dialled, Level, Reason};
use ivr_core::code::{Code, WRONG_CODES, WRONG_READ_BACKS};
use ivr_core::key_check::KeyCheck;
use ivr_core::number::Number;
use ivr_core::private::Private;
use rand_core::Rng;
use time::OffsetDateTime;
use voice_prompts::Language;

mod certified;

pub use self::certified::Meanwhile;
use super::SandboxError;
use super::product::Product;
use crate::verify::{Happening, Network, State, Typed, View, step_name};
use crate::words::Words;

/// What a caller does in a call that nobody makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// All that is asked: the code, and the digit that confirms.
    Code,
    /// A wrong code.
    WrongCode,
    /// It withholds its number.
    Withheld,
    /// It keys in nothing, hears what is certified for its number, and suspends that.
    Suspend,
}

/// What the caller would have heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hears {
    /// The digits for the program, and before them the key check, if an app began it.
    ReadBack {
        /// Four digits.
        key_check: Option<KeyCheck>,
        /// Six digits.
        digits: Private<Code>,
    },
    /// That the code was wrong; so many may still be.
    WrongCode {
        /// Tries left.
        left: u8,
    },
    /// What is certified for the number; and that it is suspended, if it is.
    Certificates {
        /// So many, and keys that wait.
        certificates: u16,
        /// Were they suspended by this call?
        suspended: bool,
    },
    /// Nothing: the call is refused.
    Refused(Reason),
}

/// What is rehearsed.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) number: Number,
    pub(super) request: Option<ca::Request>,
    pub(super) key_check: Option<KeyCheck>,
    pub(super) publish: bool,
    pub(super) locale: String,
}

/// A rehearsal.
#[derive(Debug)]
pub(super) struct Rehearsal {
    id: VerificationId,
    /// Who began it.
    pub(super) network: Network,
    secret_sha256: [u8; 32],
    code: Code,
    asked: Asked,
    created_at: OffsetDateTime,
    expires_at: OffsetDateTime,
    wrong_codes_left: u8,
    read_backs_left: u8,
    /// Another key was certified for the number lately.
    other: Option<certified::OtherKey>,
    stage: Stage,
    happenings: Vec<Happening>,
}

/// Where it stands.
#[derive(Debug)]
enum Stage {
    Waiting,
    /// A caller has keyed in the code.
    Calling {
        until: OffsetDateTime,
    },
    ReadBack {
        digits: Code,
        level: Level,
        until: OffsetDateTime,
    },
    /// The key waits, because another was certified for the number.
    Held {
        level: Level,
        since: OffsetDateTime,
        until: OffsetDateTime,
        key: [u8; 32],
    },
    Issued(Box<Product>),
    /// A call stopped the key that waited.
    Stopped,
    Voided,
    GivenUp,
}

impl Rehearsal {
    /// A rehearsal that begins, and until when its code may be dialled.
    pub(super) fn begin(
        id: VerificationId,
        (network, secret_sha256): (Network, [u8; 32]),
        code: Code,
        asked: Asked,
        (created_at, expires_at): (OffsetDateTime, OffsetDateTime),
    ) -> Self {
        Self {
            id,
            network,
            secret_sha256,
            code,
            asked,
            created_at,
            expires_at,
            wrong_codes_left: WRONG_CODES,
            read_backs_left: WRONG_READ_BACKS,
            other: None,
            stage: Stage::Waiting,
            happenings: Vec::new(),
        }
    }

    /// Is it this one, and its owner's secret?
    pub(super) fn is(&self, id: VerificationId, secret_sha256: &[u8; 32]) -> bool {
        self.id == id && self.secret_sha256 == *secret_sha256
    }

    pub(super) fn id(&self) -> VerificationId {
        self.id
    }

    pub(super) fn number(&self) -> &Number {
        &self.asked.number
    }

    pub(super) fn has_code(&self, code: &Code) -> bool {
        self.code == *code
    }

    /// May a call be for it?
    pub(super) fn may_be_called(&self, now: OffsetDateTime) -> bool {
        let is_open = matches!(self.state(now), State::Waiting | State::Calling | State::ReadBack);
        is_open && self.created_at <= now && now < self.expires_at
    }

    /// A caller keyed in its code: from now on a call is going on, and an earlier read-back counts no more.
    pub(super) fn match_code(&mut self, now: OffsetDateTime) -> Session {
        self.stage = Stage::Calling { until: now + LONGER_THAN_A_CALL };
        self.note("state", State::Calling.name(), now);
        Session { id: self.id, key_check: self.asked.key_check, language: Language::of(&self.asked.locale) }
    }

    /// A wrong code; so many may still be.
    pub(super) fn miss_code(&mut self, now: OffsetDateTime) -> u8 {
        self.wrong_codes_left = self.wrong_codes_left.saturating_sub(1);
        if self.wrong_codes_left == 0 {
            self.void(now);
        }
        self.wrong_codes_left
    }

    /// The voice is about to read these digits to a caller of this level. `false` if it is over.
    pub(super) fn read_back(&mut self, digits: Code, level: Level, now: OffsetDateTime) -> bool {
        let is_calling = self.state(now) == State::Calling;
        if is_calling {
            self.stage = Stage::ReadBack { digits, level, until: now + READ_BACK_LIFE };
            self.note("state", State::ReadBack.name(), now);
        }
        is_calling
    }

    /// A step of its call. One that ended before anything was read back may be made again.
    pub(super) fn hear_step(&mut self, step: &Step, at: OffsetDateTime) {
        self.note_steps(&[*step], at);
        if matches!((step, &self.stage), (Step::Ended(_), Stage::Calling { .. })) {
            self.stage = Stage::Waiting;
        }
    }

    /// A call of its number was refused.
    pub(super) fn hear_refusal(&mut self, reason: Reason, at: OffsetDateTime) {
        self.note("refused", reason.code(), at);
    }

    /// A call of its number that nobody makes.
    pub(super) fn call(&mut self, does: Does, now: OffsetDateTime, chance: &mut impl Rng) -> Hears {
        let is_expected = self.may_be_called(now);
        match does {
            Does::Withheld => {
                self.hear_refusal(Reason::Anonymous, now);
                Hears::Refused(Reason::Anonymous)
            }
            Does::Code | Does::WrongCode if !is_expected => Hears::Refused(Reason::NoSession),
            Does::Code => {
                self.note_steps(
                    &[Step::CodeMatched(self.id), Step::Confirming, Step::Confirmed, Step::ReadingBack],
                    now,
                );
                self.note("state", State::ReadBack.name(), now);
                let digits = Code::draw(chance);
                let (level, until) = (Level::L2, now + READ_BACK_LIFE);
                self.stage = Stage::ReadBack { digits: digits.clone(), level, until };
                Hears::ReadBack { key_check: self.asked.key_check, digits: Private::new(digits) }
            }
            Does::WrongCode => Hears::WrongCode { left: self.miss_code(now) },
            Does::Suspend => self.hear_and_suspend(now),
        }
    }

    /// Digits of the voice; `make` makes what right ones bring.
    pub(super) fn type_in(
        &mut self,
        digits: &Code,
        now: OffsetDateTime,
        make: impl FnOnce(&Asked, Level) -> Result<Product, SandboxError>,
    ) -> Result<Typed, SandboxError> {
        let state = self.state(now);
        let Stage::ReadBack { digits: expected, level, .. } = &self.stage else { return Ok(Typed::NotExpected(state)) };
        if state != State::ReadBack {
            return Ok(Typed::NotExpected(state));
        }
        if digits == expected {
            self.stage = self.prove(*level, now, make)?;
            self.note("state", self.state(now).name(), now);
            return Ok(Typed::Right);
        }
        self.read_backs_left -= 1;
        if self.read_backs_left == 0 {
            self.void(now);
            return Ok(Typed::Voided);
        }
        Ok(Typed::Wrong { left: self.read_backs_left })
    }

    /// Its owner gives it up, unless it is over.
    pub(super) fn cancel(&mut self, now: OffsetDateTime) {
        if matches!(self.stage, Stage::Waiting | Stage::Calling { .. } | Stage::ReadBack { .. } | Stage::Held { .. }) {
            self.stage = Stage::GivenUp;
            self.note("state", State::Expired.name(), now);
        }
    }

    /// What its owner may see.
    pub(super) fn view(&self, dialled: &Dialled, now: OffsetDateTime) -> View {
        let state = self.state(now);
        let may_key_in = self.may_be_called(now);
        let (certificate, result) = match &self.stage {
            Stage::Issued(product) => product.shown(),
            _ => (None, None),
        };
        let read_back_until = match &self.stage {
            Stage::ReadBack { until, .. } if state == State::ReadBack => Some(*until),
            _ => None,
        };
        let (held_until, held_key) = self.held();
        View {
            id: self.id,
            number: self.asked.number.clone(),
            dial: dialled.from(self.asked.number.country()).clone(),
            state,
            code: may_key_in.then(|| Private::new(self.code.clone())),
            locale: self.asked.locale.clone(),
            publish: self.asked.publish,
            wants_certificate: self.asked.request.is_some(),
            created_at: self.created_at,
            expires_at: self.expires_at,
            read_back_until,
            read_backs_left: self.read_backs_left,
            held_until,
            held_key,
            happenings: self.happenings.clone(),
            certificate,
            is_code_only: false,
            caps: Caps::default(),
            result,
            failure: self.failure(),
        }
    }

    /// Where it stands.
    pub(super) fn state(&self, now: OffsetDateTime) -> State {
        match &self.stage {
            Stage::ReadBack { until, .. } if now < *until => State::ReadBack,
            Stage::Calling { until } if now < *until => State::Calling,
            Stage::Waiting | Stage::Calling { .. } | Stage::ReadBack { .. } if now < self.expires_at => State::Waiting,
            Stage::Waiting | Stage::Calling { .. } | Stage::ReadBack { .. } | Stage::GivenUp => State::Expired,
            Stage::Held { .. } => State::Held,
            Stage::Issued(_) => State::Issued,
            Stage::Stopped => State::Failed,
            Stage::Voided => State::Voided,
        }
    }

    fn void(&mut self, now: OffsetDateTime) {
        self.stage = Stage::Voided;
        self.note("state", State::Voided.name(), now);
    }

    fn note_steps(&mut self, steps: &[Step], now: OffsetDateTime) {
        steps.iter().for_each(|step| self.note("step", step_name(step), now));
    }

    /// A line for its owner; what a program does again and again adds no more than there is room for.
    fn note(&mut self, kind: &'static str, what: &str, at: OffsetDateTime) {
        let words = Words::of(&self.asked.locale);
        let sentence = match kind {
            "step" => words.step(what),
            "refused" => Reason::from_code(what).map(|reason| reason.sentences(&self.asked.locale).page),
            _ => State::from_name(what).map(|state| words.state(state)),
        };
        if let Some(sentence) = sentence.filter(|_| self.happenings.len() < MOST_HAPPENINGS) {
            let number = i64::try_from(self.happenings.len() + 1).unwrap_or(i64::MAX);
            self.happenings.push(Happening { number, at, kind, what: what.to_owned(), sentence: sentence.to_owned() });
        }
    }
}

/// Lines of one rehearsal.
const MOST_HAPPENINGS: usize = 50;
