//! The desk between calls and use cases: what calls ask is answered.

use std::sync::Arc;

use ivr_core::call::question::{Answer, Presented, Question};
use ivr_core::caller::language::spoken_in;
use ivr_core::caller::{Caller, Realm};
use ivr_core::media::{CallKey, Voices};
use time::OffsetDateTime;
use tokio::sync::{Semaphore, mpsc};
use tracing::warn;
use voice_prompts::Language;

use crate::clock::Clock;
use crate::passports::Passports;
use crate::sandbox::Sandbox;
use crate::sip_driver::Recorded;
use crate::verify::{Sessions, Verify};

/// Questions of calls that nobody has taken up. A full queue is answered "unavailable" by the driver.
pub const QUESTIONS: usize = 1_024;
/// Answers on their way back. A full queue makes those who answer wait.
pub const ANSWERS: usize = 256;
/// Lines for the call records: what 2,500 short calls a second say in two seconds, while a commit takes so long. When it is
/// full (about 20 MB) the driver drops and counts them.
pub const RECORDS: usize = 65_536;
/// Questions of calls that go on that are being answered at a time: more than the database has connections gains nothing.
/// The next waits in a queue as long as the first.
const ANSWERED_AT_ONCE: usize = 16;

/// Signed identities that are being verified at a time. Nearly all of them wait for nothing; the others, 3 s at most.
const VERIFIED_AT_ONCE: usize = 512;

/// This side of the channels of a [`Desk`](crate::sip_driver::Desk).
pub(super) struct Ends {
    pub(super) questions: mpsc::Receiver<(CallKey, Question)>,
    pub(super) answers: mpsc::Sender<(CallKey, Answer)>,
    pub(super) records: mpsc::Receiver<Recorded>,
}

/// Who knows the answers.
#[derive(Debug)]
pub struct Answerers {
    /// The rows.
    pub verify: Verify,
    /// Who verifies signed identities, if there are anchors.
    pub passports: Option<Passports>,
    /// Whom calls over its own trunks ask, if it is there.
    pub sandbox: Option<Arc<Sandbox>>,
}

/// Answers what calls ask until the telephone is gone: first questions many at once, the others several at a time.
pub async fn answer(
    Answerers { verify, passports, sandbox }: Answerers,
    voices: Voices,
    questions: mpsc::Receiver<(CallKey, Question)>,
    answers: mpsc::Sender<(CallKey, Answer)>,
    clock: Clock,
) {
    let (signed, presented) = mpsc::channel(QUESTIONS);
    let (others, queued) = mpsc::channel(QUESTIONS);
    let ways = Ways { sandbox, signed, others };
    let first = answer_first(verify.sessions(), &voices, questions, ways, &answers, clock);
    let verifying = verify_passports(passports, presented, &answers, clock);
    tokio::join!(first, answer_others(verify, &voices, queued, &answers, clock), verifying);
}

/// Where questions go that are not for a session of the service.
struct Ways {
    /// Has everything in memory, and answers at once.
    sandbox: Option<Arc<Sandbox>>,
    signed: mpsc::Sender<(CallKey, Presented)>,
    others: mpsc::Sender<(CallKey, Question)>,
}

impl Ways {
    /// What a call of the sandbox is told. Without a sandbox the configuration has no trunk of it.
    fn rehearse(&self, question: Question, now: OffsetDateTime) -> Answer {
        self.sandbox.as_ref().map_or(Answer::Unavailable, |sandbox| sandbox.answer(question, now))
    }

    /// Takes a question in, if its queue has room.
    fn take(&self, call: CallKey, question: Question) -> bool {
        match question {
            Question::Passport(presented) => self.signed.try_send((call, presented)).is_ok(),
            other => self.others.try_send((call, other)).is_ok(),
        }
    }
}

/// Before the first call in a language is answered, its clips are encoded: once, and away from whatever else is waiting.
async fn prepare(voices: &Voices, language: Language) {
    if !voices.is_prepared(language) {
        let voices = voices.clone();
        // If it fails, English is spoken.
        let _prepared = tokio::task::spawn_blocking(move || voices.prepare(language)).await;
    }
}

/// Whatever asks for a session while the database answers those before waits together for the next answer.
async fn answer_first(
    mut sessions: Sessions,
    voices: &Voices,
    mut questions: mpsc::Receiver<(CallKey, Question)>,
    ways: Ways,
    answers: &mpsc::Sender<(CallKey, Answer)>,
    clock: Clock,
) {
    let mut arrived = Vec::with_capacity(Sessions::AT_ONCE);
    while questions.recv_many(&mut arrived, Sessions::AT_ONCE).await > 0 {
        let (mut calls, mut callers): (Vec<CallKey>, Vec<Caller>) = Default::default();
        for (call, question) in arrived.drain(..) {
            if let Question::Session(caller) = &question {
                prepare(voices, spoken_in(caller.number.country())).await;
            }
            match question {
                rehearsed if rehearsed.realm() == Realm::Sandbox => {
                    let answer = ways.rehearse(rehearsed, clock.wall());
                    if let Answer::Matched(session) = &answer {
                        prepare(voices, session.language).await;
                    }
                    // The call may have ended meanwhile, and the telephone with it.
                    let _gone = answers.send((call, answer)).await;
                }
                Question::Session(caller) if sessions.expects(&caller, clock.wall()) => {
                    let _gone = answers.send((call, Answer::Expected)).await;
                }
                Question::Session(caller) => {
                    calls.push(call);
                    callers.push(caller);
                }
                other => {
                    if !ways.take(call, other) {
                        let _gone = answers.send((call, Answer::Unavailable)).await;
                    }
                }
            }
        }
        if calls.is_empty() {
            continue;
        }
        let answered = sessions.answer(&callers, clock.wall()).await;
        for told in calls.into_iter().zip(answered) {
            let _gone = answers.send(told).await;
        }
    }
}

/// Signed identities have places of their own: somebody's slow server must not hold up the calls that go on.
async fn verify_passports(
    passports: Option<Passports>,
    mut presented: mpsc::Receiver<(CallKey, Presented)>,
    answers: &mpsc::Sender<(CallKey, Answer)>,
    clock: Clock,
) {
    // Without anchors the endpoint asks for none.
    let Some(passports) = passports else { return };
    let places = Arc::new(Semaphore::new(VERIFIED_AT_ONCE));
    while let Some((call, presented)) = presented.recv().await {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (passports, answers) = (passports.clone(), answers.clone());
        tokio::spawn(async move {
            let answer = match passports.judge(&presented, clock.wall()).await {
                Ok(report) => Answer::Verified(Arc::new(report)),
                Err(error) => {
                    warn!(%error, "a signed identity is not verified: {error}");
                    Answer::Unavailable
                }
            };
            let _gone = answers.send((call, answer)).await;
            drop(place);
        });
    }
}

async fn answer_others(
    verify: Verify,
    voices: &Voices,
    mut questions: mpsc::Receiver<(CallKey, Question)>,
    answers: &mpsc::Sender<(CallKey, Answer)>,
    clock: Clock,
) {
    let places = Arc::new(Semaphore::new(ANSWERED_AT_ONCE));
    while let Some((call, question)) = questions.recv().await {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (verify, voices, answers) = (verify.clone(), voices.clone(), answers.clone());
        tokio::spawn(async move {
            let answer = verify.answer(question, clock.wall()).await;
            if let Answer::Matched(session) = &answer {
                prepare(&voices, session.language).await;
            }
            let _gone = answers.send((call, answer)).await;
            drop(place);
        });
    }
}
