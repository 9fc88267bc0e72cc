//! A person with a key, a page and a telephone: starts a verification, calls, types what the voice reads back, and looks
//! at what became of it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ivr_core::call::flow::LONGER_THAN_A_CALL;
use ivr_core::call::question::NotAnId;
use ivr_core::caller::language::spoken_in;
use ivr_core::key_check::KeyCheck;
use ivr_core::number::Number;
use ivr_core::private::Private;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use voice_prompts::{Heard, Language, Library, Vocabulary};

use super::api::{Api, ApiError, Start, Started, Verification};
use super::judge;
use super::script::other;
use super::{CallError, CallPlan, CallReport, EndedBy, Identity, Law, News, Scenario};
use crate::clock::Clock;

/// Certificate and record follow the read-back within this.
const COMPLETION: Duration = Duration::from_secs(30);
/// Between two looks at a verification that is not complete yet.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What the person wants, and how.
#[derive(Debug, Clone)]
pub struct Application {
    /// The service's pages and API.
    pub api: Api,
    /// The service's SIP address.
    pub sip: SocketAddr,
    /// The number to be verified.
    pub number: String,
    /// How the person behaves.
    pub scenario: Scenario,
    /// Whether a record goes into the DHT.
    pub publish: bool,
    /// Whether a certificate is asked for, or only a result.
    pub certificate: bool,
    /// Whether the person has an app, which shows the check of its key, or a page.
    pub by_app: bool,
    /// The number to dial; `None`: the one the service tells.
    pub dialled: Option<String>,
    /// Parameters of the Request-URI.
    pub uri_parameters: Vec<String>,
    /// Codecs, the preferred first.
    pub laws: Vec<Law>,
    /// The language.
    pub locale: String,
    /// The voice: in the language of the number's country, and from the code on in that one.
    pub vocabulary: Arc<Vocabulary>,
}

impl Application {
    /// As the demo does it: a certificate, published, in English.
    pub fn new(api: Api, sip: SocketAddr, number: &str, scenario: Scenario) -> Self {
        Self {
            api,
            sip,
            number: number.to_owned(),
            scenario,
            publish: true,
            certificate: true,
            by_app: false,
            dialled: None,
            uri_parameters: Vec::new(),
            laws: vec![Law::Mu, Law::A],
            locale: "en".to_owned(),
            vocabulary: voice(number, "en"),
        }
    }

    /// In another language.
    pub fn speak(&mut self, locale: &str) {
        self.locale = locale.to_owned();
        self.vocabulary = voice(&self.number, locale);
    }
}

/// What somebody with this number and a page in this language may hear.
pub fn voice(number: &str, locale: &str) -> Arc<Vocabulary> {
    let warned = Number::parse(number).map_or(Language::ENGLISH, |number| spoken_in(number.country()));
    let library = Library::embedded();
    if warned == Language::of(locale) {
        Vocabulary::of(&library, locale)
    } else {
        Vocabulary::of_all(&library, &[warned.as_str(), locale])
    }
}

/// A line of the story. `Display` tells it.
#[derive(Debug, Clone)]
pub enum Tale {
    /// A key and a request were made, the service gave a code.
    Started {
        /// Where to call.
        dial: String,
        /// What to key in.
        code: Private<String>,
        /// What an app shows, to be compared.
        key_check: Option<KeyCheck>,
    },
    /// Something happened on the line.
    Line(News),
    /// The digits were typed into the page, which took them or not.
    Typed {
        /// Whether it took them.
        taken: bool,
    },
    /// How the verification stands in the end.
    State(String),
}

impl fmt::Display for Tale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { dial, code, key_check } => {
                write!(f, "verification started: call {dial}, code {}", code.expose())?;
                key_check.map_or(Ok(()), |check| write!(f, ", key check {}", check.as_str()))
            }
            Self::Line(News::Progress(status)) => write!(f, "the call goes through ({status})"),
            Self::Line(News::Answered { setup }) => write!(f, "answered after {:.1} ms", setup.as_secs_f64() * 1e3),
            Self::Line(News::Heard(Heard::Began(id))) => {
                write!(f, "the voice: {}", Library::embedded().text(*id, "en"))
            }
            Self::Line(News::Heard(Heard::Ended(_))) => Ok(()),
            Self::Line(News::Heard(Heard::Cut(_))) => f.write_str("the voice stops"),
            Self::Line(News::Pressed(1)) => f.write_str("pressed a key"),
            Self::Line(News::Pressed(keys)) => write!(f, "pressed {keys} keys"),
            Self::Line(News::KeyCheck(digits)) => write!(f, "understood the key check {}", digits.expose()),
            Self::Line(News::ReadBack(digits)) => write!(f, "understood the digits {}", digits.expose()),
            Self::Line(News::Ended(by)) => f.write_str(match by {
                EndedBy::Caller => "hung up",
                EndedBy::Service => "the service hung up",
                EndedBy::Refusal => "the service refused the call",
                EndedBy::Patience => "hung up, tired of waiting",
            }),
            Self::Typed { taken: true } => f.write_str("typed the digits into the page: taken"),
            Self::Typed { taken: false } => f.write_str("typed digits into the page: refused"),
            Self::State(state) => write!(f, "the verification is {state}"),
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The call.
    pub call: CallReport,
    /// How the verification stands.
    pub verification: Verification,
    /// The person's key, in PEM.
    pub key_pem: Private<String>,
    /// Whether everything went as the scenario should: if not, what did not.
    pub verdict: Result<(), String>,
}

/// Why there is no outcome: the step that failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The key or the request.
    #[error("making the key and the request")]
    Key(#[from] rcgen::Error),
    /// The name of the verification, which is hashed with the key.
    #[error("starting the verification: {0}")]
    Id(NotAnId),
    /// The start of the verification.
    #[error("starting the verification")]
    Start(#[source] ApiError),
    /// The call.
    #[error("calling")]
    Call(#[from] CallError),
    /// The look at the end.
    #[error("looking at the verification")]
    Look(#[source] ApiError),
}

/// A verification that was started, and the key it is for.
#[derive(Debug)]
pub struct Prepared {
    application: Application,
    started: Started,
    key_pem: Private<String>,
    /// What the app shows.
    key_check: Option<KeyCheck>,
}

/// Does everything from the key to the certificate. `tell` hears the story as it happens.
pub async fn apply(application: Application, tell: &(dyn Fn(Tale) + Sync)) -> Result<Outcome, Failure> {
    Prepared::start(application, tell).await?.call(tell).await
}

impl Prepared {
    /// Makes a key and a request, and starts the verification.
    pub async fn start(application: Application, tell: &(dyn Fn(Tale) + Sync)) -> Result<Self, Failure> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let csr = CertificateParams::default().serialize_request(&key)?.pem()?;
        let start = Start {
            number: &application.number,
            csr: application.certificate.then_some(&csr),
            publish: application.publish,
            locale: &application.locale,
        };
        let (started, key_check) = if application.by_app {
            let started = application.api.start_by_app(&start).await.map_err(Failure::Start)?;
            let id = started.id.parse().map_err(Failure::Id)?;
            (started, Some(KeyCheck::of(&key.subject_public_key_info(), id)))
        } else {
            (application.api.start(&start).await.map_err(Failure::Start)?, None)
        };
        tell(Tale::Started { dial: started.dial.number.clone(), code: started.code.clone(), key_check });
        Ok(Self { application, started, key_pem: Private::new(key.serialize_pem()), key_check })
    }

    /// Calls, types what is read back, and waits for what must come of it.
    pub async fn call(self, tell: &(dyn Fn(Tale) + Sync)) -> Result<Outcome, Failure> {
        let is_own = AtomicBool::new(self.key_check.is_none());
        let hear = |news: News| {
            if let News::KeyCheck(digits) = &news {
                is_own.store(KeyCheck::parse(digits.expose()) == self.key_check, Ordering::Relaxed);
            }
            tell(Tale::Line(news));
        };
        let (is_own, applicant) = (&is_own, &self);
        let type_in = |digits: Private<String>| async move {
            // Of a call that is about another key, nothing is typed.
            if is_own.load(Ordering::Relaxed) {
                applicant.type_in(digits.expose(), tell).await;
            }
        };
        let call = super::call_and_type(self.plan(), hear, type_in).await?;
        let verification = self.look(call.ended_by).await?;
        tell(Tale::State(verification.state.clone()));
        let number = &self.application.number;
        let verdict = judge::judge(self.application.scenario, number, self.key_check, &call, &verification);
        Ok(Outcome { call, verification, key_pem: self.key_pem, verdict })
    }

    fn plan(&self) -> CallPlan {
        let Application { sip, number, scenario, dialled, uri_parameters, laws, vocabulary, .. } = &self.application;
        CallPlan {
            service: *sip,
            local: None,
            dialled: dialled.clone().unwrap_or_else(|| self.started.dial.number.clone()),
            uri_parameters: uri_parameters.clone(),
            identity: Identity::in_scenario(*scenario, number),
            laws: laws.clone(),
            scenario: *scenario,
            code: self.started.code.clone(),
            vocabulary: vocabulary.clone(),
            patience: LONGER_THAN_A_CALL,
        }
    }

    async fn type_in(&self, digits: &str, tell: &(dyn Fn(Tale) + Sync)) {
        let typed: Vec<String> = match self.application.scenario {
            Scenario::NoReadBack => vec![],
            Scenario::WrongReadBack => vec![other(digits); 3],
            _ => vec![digits.to_owned()],
        };
        for digits in typed {
            let answer = self.application.api.type_in(&self.started, &digits).await;
            tell(Tale::Typed { taken: answer.is_ok() });
        }
    }

    /// What became of it. A success is waited for, as a page does, unless the call was refused.
    async fn look(&self, ended_by: EndedBy) -> Result<Verification, Failure> {
        let Application { api, scenario, publish, certificate, .. } = &self.application;
        let clock = Clock;
        let give_up = clock.now() + COMPLETION;
        let may_succeed = judge::issues(*scenario) && ended_by != EndedBy::Refusal;
        loop {
            let verification = api.look(&self.started).await.map_err(Failure::Look)?;
            let complete = verification.is_complete(*publish && *certificate);
            if complete || !may_succeed || verification.is_final() || clock.now() >= give_up {
                return Ok(verification);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}
