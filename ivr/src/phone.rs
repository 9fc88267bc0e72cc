//! The built-in caller: a telephone of its own sockets that can be told what to do on the line. The demo, `simulate` and
//! the end-to-end tests use it. It knows the recorded clips, and everything else only from what it hears.
//!
//! [`call`] is one call; its parts are without sockets and clock: `dialog` (SIP), `rtp` (packets), the ear in
//! `voice-prompts`, `understanding` (what the clips mean) and `script` (what this caller does about it).

pub mod api;
pub mod applicant;
mod dialog;
mod g711;
mod judge;
mod line;
#[cfg(target_os = "linux")]
pub mod load;
mod message;
mod rtp;
mod script;
mod sdp;
mod understanding;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ivr_core::private::Private;
use tokio::sync::mpsc;
use voice_prompts::{Heard, PromptId, Vocabulary};

pub use g711::Law;
pub use script::{NoScenario, Scenario, Stage};

/// A call to be made.
#[derive(Debug, Clone)]
pub struct CallPlan {
    /// Where the INVITE goes.
    pub service: SocketAddr,
    /// Our own address; `None`: the one from which the service is reached.
    pub local: Option<IpAddr>,
    /// The number that is dialled: the user part of the Request-URI.
    pub dialled: String,
    /// Parameters of the Request-URI, such as the trunk's ingress secret.
    pub uri_parameters: Vec<String>,
    /// Who calls, as the network would say.
    pub identity: Identity,
    /// The codecs offered, the preferred one first.
    pub laws: Vec<Law>,
    /// What the caller does.
    pub scenario: Scenario,
    /// The code on the caller's screen.
    pub code: Private<String>,
    /// The voice that the caller may hear.
    pub vocabulary: Arc<Vocabulary>,
    /// The caller hangs up after this.
    pub patience: Duration,
}

/// The headers that say who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The From, without tag.
    pub from: Private<String>,
    /// P-Asserted-Identity, one header each.
    pub asserted: Vec<Private<String>>,
    /// Privacy (RFC 3323).
    pub privacy: Option<String>,
    /// Any others, name and value.
    pub others: Vec<(&'static str, Private<String>)>,
}

impl Identity {
    /// A number, as a carrier that may be believed says it.
    pub fn of(number: &str) -> Self {
        Self {
            from: Private::new(format!("<sip:{number}@caller.invalid;user=phone>")),
            asserted: vec![Private::new(format!("<tel:{number}>"))],
            privacy: None,
            others: Vec::new(),
        }
    }

    /// The same, with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.others.push((name, Private::new(value.into())));
        self
    }

    /// The same number, withheld.
    pub fn withheld(number: &str) -> Self {
        Self {
            from: Private::new("\"Anonymous\" <sip:anonymous@anonymous.invalid>".to_owned()),
            privacy: Some("id".to_owned()),
            ..Self::of(number)
        }
    }

    /// The number of a caller who does this.
    pub fn in_scenario(scenario: Scenario, number: &str) -> Self {
        match scenario {
            Scenario::Anonymous => Self::withheld(number),
            // The network vouches for another number than the one the caller claims.
            Scenario::Spoof => Self { asserted: Self::of(&neighbour(number)).asserted, ..Self::of(number) },
            _ => Self::of(number),
        }
    }

    fn headers(&self) -> Vec<(String, String)> {
        let asserted = self.asserted.iter().map(|value| ("P-Asserted-Identity", value.expose().clone()));
        let privacy = self.privacy.iter().map(|value| ("Privacy", value.clone()));
        let others = self.others.iter().map(|(name, value)| (*name, value.expose().clone()));
        let all = asserted.chain(privacy).chain(others);
        all.map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// The number beside it.
fn neighbour(number: &str) -> String {
    let (rest, last) = number.split_at(number.len().saturating_sub(1));
    format!("{rest}{}", script::other(last))
}

/// What happens during a call, as it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A provisional response.
    Progress(u16),
    /// The service answered.
    Answered {
        /// From the INVITE to the 200.
        setup: Duration,
    },
    /// A clip begins, ends, or breaks off.
    Heard(Heard),
    /// The caller pressed so many keys.
    Pressed(usize),
    /// The four digits that the app must show, too; the call goes on.
    KeyCheck(Private<String>),
    /// The six digits that the page wants; the call goes on.
    ReadBack(Private<String>),
    /// The call is over.
    Ended(EndedBy),
}

/// Who or what ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// The caller hung up.
    Caller,
    /// The service hung up.
    Service,
    /// The service refused the call.
    Refusal,
    /// The caller's patience was over.
    Patience,
}

/// What a call was like.
#[derive(Debug, Clone)]
pub struct CallReport {
    /// The SIP Call-ID.
    pub call_id: String,
    /// The final status of the INVITE; `None` if the caller hung up before there was one.
    pub status: Option<u16>,
    /// Its reason phrase.
    pub reason: String,
    /// From the INVITE to the 200.
    pub setup: Option<Duration>,
    /// From the INVITE to the end.
    pub duration: Duration,
    /// RTP packets sent.
    pub packets_sent: u64,
    /// RTP packets received.
    pub packets_received: u64,
    /// RTP packets missing.
    pub packets_lost: u64,
    /// How far each packet came from 20 ms after the one before it.
    pub spacing_errors: Vec<Duration>,
    /// The clips spoken to their end, in order.
    pub heard: Vec<PromptId>,
    /// The last digits of the number that the warning named.
    pub number_ending: Option<Private<String>>,
    /// The key check that was said, if an app began the verification.
    pub key_check: Option<Private<String>>,
    /// The digits read back.
    pub read_back: Option<Private<String>>,
    /// Who ended it.
    pub ended_by: EndedBy,
}

impl CallReport {
    /// Of a call of which nothing is known yet.
    fn of(call_id: String) -> Self {
        Self {
            call_id,
            status: None,
            reason: String::new(),
            setup: None,
            duration: Duration::ZERO,
            packets_sent: 0,
            packets_received: 0,
            packets_lost: 0,
            spacing_errors: Vec::new(),
            heard: Vec::new(),
            number_ending: None,
            key_check: None,
            read_back: None,
            ended_by: EndedBy::Caller,
        }
    }

    /// Whether a clip was spoken to its end.
    pub fn has_heard(&self, id: PromptId) -> bool {
        self.heard.contains(&id)
    }
}

/// Why there was no call at all.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// A socket cannot be opened or used.
    #[error("the socket to {service} fails: {cause}; is the service listening there?")]
    Socket {
        /// Where the INVITE should go.
        service: SocketAddr,
        /// Why.
        cause: std::io::Error,
    },
    /// The other side does not speak SIP as it should.
    #[error("the call failed: {0}")]
    Signalling(&'static str),
}

/// Makes a call and stays on the line until it is over. `tell` hears what happens, as it happens.
pub async fn call(plan: CallPlan, tell: impl FnMut(News)) -> Result<CallReport, CallError> {
    line::Line::dial(plan, tell).await?.stay().await
}

/// The same, and whatever the voice reads for the page is typed while the call goes on.
pub async fn call_and_type<Typing: Future<Output = ()>>(
    plan: CallPlan,
    mut tell: impl FnMut(News),
    mut type_in: impl FnMut(Private<String>) -> Typing,
) -> Result<CallReport, CallError> {
    // The call takes the only sender, so the page is closed with it. How much is read is bounded by its length.
    let (spoken, mut understood) = mpsc::unbounded_channel();
    let calling = call(plan, move |news| {
        if let News::ReadBack(digits) = &news {
            // The page is gone only when the call is.
            let _closed = spoken.send(digits.clone());
        }
        tell(news);
    });
    let typing = async {
        while let Some(digits) = understood.recv().await {
            type_in(digits).await;
        }
    };
    tokio::join!(calling, typing).0
}
