//! A whole verification by a telephone that knows nothing of us: the test hears what it recorded, presses its keys, and types
//! what was read out into the page.

use std::time::Duration;

use ivr::phone::api::{Api, Start, Started};
use ivr::phone::{CallPlan, Identity, Law, News, Scenario, call};
use ivr_core::private::Private;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use voice_prompts::{Heard, Hearing, Library, PromptId, Vocabulary};

use crate::service::Service;

/// A softphone.
pub trait Telephone {
    /// Calls, and waits until the other side answers.
    ///
    /// # Panics
    /// If it refuses.
    fn dial(&mut self, uri: &str);

    /// Presses a key.
    fn press(&mut self, key: char);

    /// The samples (8 kHz) that were received since the last time, once there are any.
    ///
    /// # Panics
    /// If nothing more is received for a long time.
    fn listen(&mut self) -> Vec<i16>;

    /// Hangs up.
    fn hang_up(&mut self);
}

/// What the page of a verification has told so far, such as `code-matched`.
///
/// # Panics
/// If the service does not answer.
pub fn happenings(service: &Service, started: &Started) -> Vec<String> {
    let url = format!("{}/v1/verifications/{}", service.http(), started.id);
    let asked = async {
        let answer = reqwest::Client::new().get(url).bearer_auth(started.secret.expose()).send().await;
        answer.expect("an answer").json::<Value>().await.expect("an object")
    };
    let page = Runtime::new().expect("a runtime").block_on(asked);
    let list = page["happenings"].as_array().expect("a list");
    list.iter().map(|happening| happening["what"].as_str().expect("a word").to_owned()).collect()
}

/// The built-in caller of this number, who does everything right.
pub fn caller(service: &Service, number: &str, started: &Started) -> CallPlan {
    CallPlan {
        service: service.sip(),
        local: None,
        dialled: started.dial.number.clone(),
        uri_parameters: Vec::new(),
        identity: Identity::of(number),
        laws: vec![Law::Mu],
        scenario: Scenario::Happy,
        code: started.code.clone(),
        vocabulary: Vocabulary::of(&Library::embedded(), "en"),
        patience: Duration::from_secs(180),
    }
}

/// Calls so, and hands the digits that the voice reads to the page while the call goes on. Gives what the page came to.
///
/// # Panics
/// If the call fails, or no digits are read.
pub async fn call_and_type<T>(plan: CallPlan, page: impl AsyncFnOnce(Private<String>) -> T) -> T {
    let (spoken, mut understood) = mpsc::unbounded_channel();
    let calling = call(plan, move |news| {
        if let News::ReadBack(digits) = news {
            spoken.send(digits).expect("the page is open");
        }
    });
    let typing = async { page(understood.recv().await.expect("the voice reads digits")).await };
    let (report, typed) = tokio::join!(calling, typing);
    report.expect("a call");
    typed
}

/// What was said to its end since the last question, as digits and the sentence before them.
#[derive(Debug, Default)]
struct Said {
    sentence: Option<PromptId>,
    digits: String,
}

impl Said {
    fn hear(&mut self, ended: PromptId) {
        match ended {
            PromptId::Digit(digit) => self.digits.push(char::from(b'0' + digit)),
            sentence => *self = Self { sentence: Some(sentence), digits: String::new() },
        }
    }
}

/// What was read out to a telephone that proved its number.
#[derive(Debug)]
pub struct ReadOut {
    /// The six digits.
    pub digits: String,
    /// What the telephone had received until the sixth of them was spoken, at 8 kHz.
    pub samples: Vec<i16>,
}

/// The telephone of this number calls the URI that `at` makes of the number to dial, and proves its number.
///
/// # Panics
/// If it does not.
pub fn prove(number: &str, service: &Service, phone: &mut impl Telephone, at: impl Fn(&str) -> String) -> ReadOut {
    let runtime = Runtime::new().expect("a runtime");
    let api = Api::new(service.http());
    let start = Start { number, csr: None, publish: false, locale: "en" };
    let started = runtime.block_on(api.start(&start)).expect("a verification");

    phone.dial(&at(&started.dial.number));
    let mut hearing = Hearing::new(Vocabulary::of(&Library::embedded(), "en"));
    let (mut said, mut heard, mut is_verified) = (Said::default(), Vec::new(), false);
    let (mut samples, mut read_out) = (Vec::new(), None);
    while !is_verified {
        let received = phone.listen();
        hearing.hear(&received, &mut heard);
        samples.extend(received);
        for event in heard.drain(..) {
            let Heard::Ended(id) = event else { continue };
            said.hear(id);
            match (said.sentence, said.digits.len()) {
                (Some(PromptId::EnterCode), 0) => started.code.expose().chars().for_each(|key| phone.press(key)),
                (Some(PromptId::PressToConfirm), 1) => phone.press(said.digits.remove(0)),
                // What a busy telephone missed of them is read once more.
                (Some(PromptId::TypeIntoPage | PromptId::OnceMore), 6) if read_out.is_none() => {
                    runtime.block_on(api.type_in(&started, &said.digits)).expect("the digits are right");
                    read_out = Some(ReadOut { digits: said.digits.clone(), samples: samples.clone() });
                }
                (Some(PromptId::Verified), _) => is_verified = true,
                _ => {}
            }
        }
    }
    let verification = runtime.block_on(api.look(&started)).expect("the verification");
    assert!(verification.is_issued(), "{verification:?}");
    phone.hang_up();
    read_out.expect("who is verified has typed the digits in")
}
