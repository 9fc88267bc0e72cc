//! A service without telephone: the use cases over a database in a temporary folder, and a caller who needs no line.

use std::sync::Arc;

use axum::Router;
use dht_client::backend::Health;
use ivr_core::call::flow::{Action, Event, Flow};
use ivr_core::call::question::{Answer, Question, VerificationId};
use ivr_core::caller::{Caller, Level};
use ivr_core::code::Code;
use ivr_core::endpoint::Counters;
use ivr_core::number::{Country, KindPolicy, Number};
use ivr_core::private::Private;
use ivr_core::proof::Binding;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tempfile::TempDir;
use tokio::sync::mpsc;
use voice_prompts::{PromptId, Segment, Utterance};

use crate::clock::Clock;
use crate::key_file::KeyFile;
use crate::store::Store;
use crate::verify::{Bell, Limits, Verify, VerifyParts};
use crate::web::{self, App, Parts, Published, Settings, csrf};

/// The number that calls.
pub(super) const NUMBER: &str = "+12025550143";
/// The number that is called.
pub(super) const DIAL: &str = "+12025550100";

pub(super) struct Service {
    pub(super) app: App,
    pub(super) router: Router,
    _folder: TempDir,
}

impl Service {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With other settings.
    pub(super) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Arc::new(KeyFile::generate(|| Clock.bytes()));
        let database = format!("sqlite:{}", folder.path().join("test.db").display());
        let store = Store::open(&database, keys.clone()).await.unwrap();
        let bell = Bell::default();
        let issue = crate::issue::Issue {};
        let (outcomes, _) = mpsc::channel(8);
        let verify = Verify::new(VerifyParts {
            store: store.clone(),
            issue: issue.clone(),
            dial: Number::parse(DIAL).unwrap(),
            code_life: std::time::Duration::from_secs(600),
            kinds: KindPolicy::default(),
            limits: Limits::default(),
            bell,
            outcomes,
            clock: Clock,
        });
        let mut settings = Settings {
            service_name: "Example & Co".to_owned(),
            public_url: "http://127.0.0.1:8080".to_owned(),
            languages: vec!["en".to_owned()],
            binding: Binding::ReadBack,
            default_country: Some("US".parse::<Country>().unwrap()),
            trusted_proxies: Vec::new(),
            directory: "a ring of mainline".to_owned(),
            demo: None,
        };
        change(&mut settings);
        let app = App::new(Parts {
            clock: Clock,
            verify,
            issue,
            store,
            settings,
            csrf: csrf::Key::new(keys.derived("csrf")),
            authority: Published {
                bundle_pem: "-----BEGIN CERTIFICATE-----\n".to_owned(),
                root_sha256: [0xab; 32],
                jwks: serde_json::json!({ "keys": [] }),
            },
            counters: Box::new(|| Counters { invites: 7, ..Counters::default() }),
            directory: Box::new(|| {
                Box::pin(async { vec![Health { backend: "mainline", reachable: 3, configured: 3 }] })
            }),
            enrol: None,
            operators: None,
        });
        Self { router: web::router(app.clone()), app, _folder: folder }
    }

    /// A call by [`NUMBER`] that keys in this code, up to the digits that the voice reads.
    pub(super) async fn call(&self, code: &str) -> Call {
        let caller = Caller { number: Number::parse(NUMBER).unwrap(), level: Level::L2, trunk: "test".to_owned() };
        let mut call = Call {
            verify: self.app.verify.clone(),
            flow: Flow::new(caller, Binding::ReadBack, Clock.now()),
            session: None,
            confirm: None,
            digits: None,
        };
        call.tell(Event::Confirmed).await;
        call.tell(Event::PlayEnded).await;
        for key in code.chars() {
            call.tell(Event::Key(key)).await;
        }
        call
    }
}

/// The script of a call, whose questions the use case answers.
pub(super) struct Call {
    verify: Verify,
    flow: Flow,
    session: Option<VerificationId>,
    confirm: Option<char>,
    digits: Option<Private<Code>>,
}

impl Call {
    /// The code matched: presses the confirm digit, and hears the digits.
    pub(super) async fn confirm(&mut self) -> String {
        self.tell(Event::PlayEnded).await;
        let digit = self.confirm.expect("the voice named a digit");
        self.tell(Event::Key(digit)).await;
        self.digits.as_ref().expect("the voice read digits").expose().as_str().to_owned()
    }

    pub(super) async fn hang_up(mut self) {
        self.tell(Event::HungUp).await;
    }

    async fn tell(&mut self, event: Event) {
        let mut chance = ChaCha20Rng::from_seed(Clock.bytes());
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let mut out = Vec::new();
            self.flow.on_event(event, Clock.now(), &mut chance, &mut out);
            for action in out {
                match action {
                    Action::Ask(question) => {
                        if let Question::ReadBack { digits, .. } = &question {
                            self.digits = Some(digits.clone());
                        }
                        let answer = self.verify.answer(question, Clock.wall()).await;
                        if let Answer::Matched(session) = answer {
                            self.session = Some(session);
                        }
                        events.push(Event::Answer(answer));
                    }
                    Action::Note(step) => {
                        if let Some(session) = self.session {
                            self.verify.note_step(session, step, Clock.wall()).await.unwrap();
                        }
                    }
                    Action::Say(utterance) => self.confirm = spoken_digit(&utterance).or(self.confirm),
                    Action::Hush | Action::HangUp => {}
                }
            }
        }
    }
}

/// The one digit of an utterance.
fn spoken_digit(utterance: &Utterance) -> Option<char> {
    let digits: Vec<u8> = utterance
        .0
        .iter()
        .filter_map(|segment| match segment {
            Segment::Clip(PromptId::Digit(digit)) => Some(*digit),
            _ => None,
        })
        .collect();
    match digits.as_slice() {
        [digit] => char::from_digit(u32::from(*digit), 10),
        _ => None,
    }
}
