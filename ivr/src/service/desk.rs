//! The desk between calls and use cases: what calls ask is answered.

use std::sync::Arc;

use ivr_core::call::question::{Answer, Presented, Question};
use ivr_core::caller::language::spoken_in;
use ivr_core::caller::{Caller, Realm};
use ivr_core::media::{CallKey, Voices};
use ivr_core::number::Country;
use time::OffsetDateTime;
use tokio::sync::{Semaphore, mpsc};
use tracing::{error, warn};
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

/// The answer, once the clips are encoded that the call is spoken to with: once for all calls, some ten milliseconds in which
/// the questions behind it wait. Whom nobody answers needs none. `country` is that of a caller whose call is not answered yet.
async fn voiced(answer: Answer, country: Option<Country>, voices: &Voices) -> Answer {
    let language = match &answer {
        Answer::Expected | Answer::Certified(_) => country.map(spoken_in),
        Answer::Matched(session) => Some(session.language),
        _ => None,
    };
    match language {
        Some(language) if !is_spoken(language, voices).await => Answer::Unavailable,
        _ => answer,
    }
}

/// Has it, or English in its place, been encoded by now? The media thread would not wait for it.
async fn is_spoken(language: Language, voices: &Voices) -> bool {
    for language in [language, Language::ENGLISH] {
        if voices.is_prepared(language) {
            return true;
        }
        let encoding = voices.clone();
        match tokio::task::spawn_blocking(move || encoding.prepare(language)).await {
            Ok(()) => return true,
            Err(error) => error!(%error, %language, "the clips of {language} cannot be encoded: {error}"),
        }
    }
    false
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
            match question {
                rehearsed if rehearsed.realm() == Realm::Sandbox => {
                    let country = country(&rehearsed);
                    let answer = voiced(ways.rehearse(rehearsed, clock.wall()), country, voices).await;
                    // The call may have ended meanwhile, and the telephone with it.
                    let _gone = answers.send((call, answer)).await;
                }
                Question::Session(caller) if sessions.expects(&caller, clock.wall()) => {
                    let answer = voiced(Answer::Expected, Some(caller.number.country()), voices).await;
                    let _gone = answers.send((call, answer)).await;
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
        for ((call, caller), answer) in calls.into_iter().zip(callers).zip(answered) {
            let answer = voiced(answer, Some(caller.number.country()), voices).await;
            let _gone = answers.send((call, answer)).await;
        }
    }
}

/// Whose call it is, if the question is whether to answer it.
fn country(question: &Question) -> Option<Country> {
    match question {
        Question::Session(caller) => Some(caller.number.country()),
        _ => None,
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
            let answer = voiced(verify.answer(question, clock.wall()).await, None, &voices).await;
            let _gone = answers.send((call, answer)).await;
            drop(place);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::task::JoinHandle;
    use voice_prompts::Library;

    use super::*;
    use crate::store::test_database::TestDatabase;
    use crate::verify::Start;
    use crate::verify::fixture::{self, Service, caller};

    /// Far longer than anything takes; only a test that fails waits for it.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// A desk over a service, with a voice that has not said anything.
    struct Desk {
        service: Service,
        voices: Voices,
        questions: mpsc::Sender<(CallKey, Question)>,
        answers: mpsc::Receiver<(CallKey, Answer)>,
        _task: JoinHandle<()>,
    }

    impl Desk {
        async fn open() -> Self {
            let service = Service::over(TestDatabase::sqlite().await).await;
            let voices = Voices::new(Library::embedded());
            let ((questions, asked), (answer, answers)) = (mpsc::channel(QUESTIONS), mpsc::channel(ANSWERS));
            let answerers = Answerers { verify: service.verify.clone(), passports: None, sandbox: None };
            let task = tokio::spawn(super::answer(answerers, voices.clone(), asked, answer, Clock));
            Self { service, voices, questions, answers, _task: task }
        }

        async fn ask(&mut self, question: Question) -> Answer {
            self.questions.send((CallKey(1), question)).await.unwrap();
            let answer = tokio::time::timeout(PATIENCE, self.answers.recv()).await;
            answer.expect("no answer").expect("the desk is closed").1
        }

        fn speaks(&self) -> Vec<Language> {
            self.voices.languages().into_iter().filter(|language| self.voices.is_prepared(*language)).collect()
        }
    }

    #[tokio::test]
    async fn a_voice_is_prepared_before_a_call_is_answered_in_it_and_for_no_call_that_is_not() {
        let mut desk = Desk::open().await;
        let german = "+4930901820";
        assert_eq!(desk.ask(Question::Session(caller(german))).await, Answer::NoSession);
        assert_eq!(desk.speaks(), [], "nobody waits for this call");

        let begun = Start { locale: "fr".into(), ..fixture::start(german, fixture::SOURCE, None) };
        let started = desk.service.verify.start(begun, desk.service.now).await.unwrap();
        assert_eq!(desk.ask(Question::Session(caller(german))).await, Answer::Expected);
        assert_eq!(desk.speaks(), [Language::of("de")]);

        let answer = desk.ask(Question::Code { caller: caller(german), entered: started.code }).await;
        assert!(matches!(answer, Answer::Matched(session) if session.language == Language::of("fr")), "{answer:?}");
        assert_eq!(desk.speaks(), ["de", "fr"].map(Language::of));
    }
}
