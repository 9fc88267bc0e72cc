//! A sandbox for those who write programs against the API: the answers of a verification without a telephone
//! (docs/adr/0013-a-sandbox-of-its-own.md), or with calls over trunks of its own (docs/adr/0015-a-trunk-of-the-sandbox.md). It has
//! numbers, an authority and a memory of its own. Of the service it uses types and pure functions, and has none of its
//! parts: no store, no directory, no proof and no key that anybody trusts (`tests/tests/borders.rs`). What it issues
//! is signed by an authority that is made at its start and ends with the process.

mod calls;
mod product;
mod rehearsal;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ca::{Authority, InitError, InitOptions, KeyCost, OpenError, Request, RequestError, Serial, Urls};
use ivr_core::call::question::{Outcome, VerificationId};
use ivr_core::caller::{Dialled, Level};
use ivr_core::code::Code;
use ivr_core::number::Number;
use ivr_core::private::Private;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use time::OffsetDateTime;
use tokio::sync::mpsc;

use self::product::Product;
use self::rehearsal::{Asked, Rehearsal};
pub use self::rehearsal::{Does, Hears, Meanwhile};
use crate::clock::{Clock, whole_milliseconds};
use crate::issue::tel_subject;
use crate::verify::{Network, NoKey, Start, Started, State, Typed, View, network, new_secret, secret_sha256};

/// The sandbox of a service.
pub struct Sandbox {
    /// Whose numbers these are, the operator knows: nobody's.
    numbers: Vec<Number>,
    /// The numbers to dial: those of its trunks; without one, those of the service, where nobody takes the call.
    dialled: Dialled,
    code_life: Duration,
    authority: Authority,
    /// To its calls that wait for what is typed.
    outcomes: mpsc::Sender<(VerificationId, Outcome)>,
    clock: Clock,
    /// The oldest first, at most [`MOST`]: when there are so many, the oldest goes of the network that has most.
    rehearsals: Mutex<VecDeque<Rehearsal>>,
}

/// Why a rehearsal does not begin, or does not go on.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Only its own numbers are taken, so that nothing it says is about anybody.
    #[error("the sandbox takes the operator's test numbers only: {}", shown(.0))]
    NotATestNumber(Vec<Number>),
    /// The PKCS#10 is refused; its sender can mend it.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// An app without a key.
    #[error(transparent)]
    NoKey(#[from] NoKey),
    /// No such rehearsal, or not this secret; or it was long ago, or on another node.
    #[error("there is no such rehearsal")]
    Unknown,
    /// It cannot happen now.
    #[error("nothing such can happen: the rehearsal is {}", .0.name())]
    NotExpected(State),
    /// Its authority does not sign it.
    #[error("the sandbox cannot sign this: {0}")]
    Signing(String),
}

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum FoundingError {
    /// Its authority cannot be made.
    #[error("the authority of the sandbox cannot be made: {0}")]
    Init(#[from] InitError),
    /// Or not opened.
    #[error("the authority of the sandbox cannot be opened: {0}")]
    Open(#[from] OpenError),
}

impl Sandbox {
    /// A sandbox with these numbers. It makes its own authority: none can be given to it.
    ///
    /// # Errors
    /// If its authority cannot be made.
    pub fn new(
        numbers: Vec<Number>,
        dialled: Dialled,
        code_life: Duration,
        outcomes: mpsc::Sender<(VerificationId, Outcome)>,
        clock: Clock,
    ) -> Result<Self, FoundingError> {
        let passphrase = new_secret(clock);
        let files = Authority::init(&InitOptions {
            name: NAME.to_owned(),
            // RFC 5612: for documentation. No level of a service has a policy under it.
            oid_arc: vec![1, 3, 6, 1, 4, 1, 32473],
            urls: Urls::under("http://sandbox.invalid"),
            strict_smime: false,
            now: clock.wall(),
            entropy: clock.bytes(),
            passphrase: &passphrase,
            cost: KeyCost::Throwaway,
        })?;
        let authority = Authority::open(&files, &passphrase)?;
        Ok(Self { numbers, dialled, code_life, authority, outcomes, clock, rehearsals: Mutex::default() })
    }

    /// Begins a rehearsal.
    ///
    /// # Errors
    /// What the asker has to change.
    pub fn start(&self, start: Start, now: OffsetDateTime) -> Result<Started, SandboxError> {
        let Start { number, csr, location: _, webhook: _, started_by, publish, locale, source } = start;
        if !self.numbers.contains(&number) {
            return Err(SandboxError::NotATestNumber(self.numbers.clone()));
        }
        let request = csr.as_deref().map(Request::parse).transpose()?;
        if let Some(request) = &request {
            request.names_only(&tel_subject(&number))?;
        }
        let id = VerificationId(self.clock.bytes());
        let key_check = started_by.key_check(request.as_ref(), id)?;
        let now = whole_milliseconds(now);
        let (secret, expires_at) = (new_secret(self.clock), now + self.code_life);
        let dial = self.dialled.from(number.country()).clone();
        let asked = Asked { number, request, key_check, publish, locale: locale.clone() };
        let times = (now, expires_at);
        let by = (network(source), secret_sha256(&secret));
        let mut rehearsals = self.rehearsals();
        if rehearsals.len() >= MOST {
            evict(&mut rehearsals);
        }
        let mut chance = self.chance();
        let is_free = |code: &Code| !rehearsals.iter().any(|one| one.number() == &asked.number && one.has_code(code));
        let drawn = std::iter::repeat_with(|| Code::draw(&mut chance)).find(is_free);
        let code = drawn.expect("there are more codes than rehearsals");
        rehearsals.push_back(Rehearsal::begin(id, by, code.clone(), asked, times));
        Ok(Started { id, secret: Private::new(secret), code: Private::new(code), dial, expires_at, locale })
    }

    /// Shows it to its owner.
    ///
    /// # Errors
    /// [`SandboxError::Unknown`] for any wrong id or secret.
    pub fn view(&self, id: VerificationId, secret: &str, now: OffsetDateTime) -> Result<View, SandboxError> {
        self.with(id, secret, |rehearsal| Ok(rehearsal.view(&self.dialled, now)))
    }

    /// A call that was never made: what the service would do, and what its voice would say.
    ///
    /// # Errors
    /// As [`view`](Self::view).
    pub fn call(
        &self,
        id: VerificationId,
        secret: &str,
        does: Does,
        now: OffsetDateTime,
    ) -> Result<Hears, SandboxError> {
        self.with(id, secret, |rehearsal| Ok(rehearsal.call(does, now, &mut self.chance())))
    }

    /// The digits that the voice would have read. Right ones issue, from the sandbox's own authority.
    ///
    /// # Errors
    /// As [`view`](Self::view); or the request asks for what no authority signs.
    pub fn type_in(
        &self,
        id: VerificationId,
        secret: &str,
        digits: &Code,
        now: OffsetDateTime,
    ) -> Result<Typed, SandboxError> {
        let (typed, state) = self.with(id, secret, |rehearsal| {
            let typed = rehearsal.type_in(digits, now, |asked, level| self.make((id, asked), level, now))?;
            Ok((typed, rehearsal.state(now)))
        })?;
        self.tell_call(id, typed, state);
        Ok(typed)
    }

    /// What happens to its number beside its calls.
    ///
    /// # Errors
    /// As [`type_in`](Self::type_in), or [`SandboxError::NotExpected`].
    pub fn meanwhile(
        &self,
        id: VerificationId,
        secret: &str,
        happens: Meanwhile,
        now: OffsetDateTime,
    ) -> Result<(), SandboxError> {
        self.with(id, secret, |rehearsal| {
            rehearsal.meanwhile(happens, now, |asked, level| self.make((id, asked), level, now))
        })
    }

    /// Its owner gives it up.
    ///
    /// # Errors
    /// As [`view`](Self::view).
    pub fn cancel(&self, id: VerificationId, secret: &str, now: OffsetDateTime) -> Result<(), SandboxError> {
        self.with(id, secret, |rehearsal| {
            rehearsal.cancel(now);
            Ok(())
        })
    }

    /// What its certificates and results are verified with: the root's certificate, PEM, and the key of results, a JWK set.
    pub fn anchors(&self) -> (String, serde_json::Value) {
        (self.authority.root_pem(), self.authority.result_key().jwks())
    }

    fn make(
        &self,
        rehearsal: (VerificationId, &Asked),
        level: Level,
        now: OffsetDateTime,
    ) -> Result<Product, SandboxError> {
        let serial = Serial::from_random(self.clock.bytes());
        product::make(&self.authority, rehearsal, level, serial, now)
    }

    fn with<T>(
        &self,
        id: VerificationId,
        secret: &str,
        work: impl FnOnce(&mut Rehearsal) -> Result<T, SandboxError>,
    ) -> Result<T, SandboxError> {
        let hash = secret_sha256(secret);
        let mut rehearsals = self.rehearsals();
        let found = rehearsals.iter_mut().find(|rehearsal| rehearsal.is(id, &hash));
        found.map_or(Err(SandboxError::Unknown), work)
    }

    fn rehearsals(&self) -> MutexGuard<'_, VecDeque<Rehearsal>> {
        self.rehearsals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chance(&self) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(self.clock.bytes())
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sandbox({} rehearsals)", self.rehearsals().len())
    }
}

/// Ends the oldest of the network that has most, so that nobody ends all the others'.
fn evict(rehearsals: &mut VecDeque<Rehearsal>) {
    let mut counts: HashMap<Network, usize> = HashMap::new();
    rehearsals.iter().for_each(|rehearsal| *counts.entry(rehearsal.network).or_default() += 1);
    let most = counts.values().max();
    if let Some(oldest) = rehearsals.iter().position(|rehearsal| counts.get(&rehearsal.network) == most) {
        rehearsals.remove(oldest);
    }
}

fn shown(numbers: &[Number]) -> String {
    numbers.iter().map(Number::as_str).collect::<Vec<_>>().join(", ")
}

/// In every certificate and result of a sandbox.
pub const NAME: &str = "SANDBOX, proves nothing";
/// Some 4 MB, if each has the largest request.
const MOST: usize = 500;

#[cfg(test)]
mod tests;
