//! A registration: what a REGISTER says, and what the registrar's answers mean (RFC 3261 10.2).

use std::time::{Duration, Instant};

use rand_core::Rng;

use super::{Account, LinkState, Next, Us, Wish, between, retry_after};
use crate::call::unguessable;
use crate::sip::digest::{Challenge, Credentials};
use crate::sip::header_lines::HeaderLine;
use crate::sip::identity::{NameAddress, split_at_bracket};
use crate::sip::message::{Method, Response};

/// What is known of it.
pub(super) struct Registration {
    /// For the registrar: what the last challenge wanted. It is used again until it is refused.
    own: Option<Credentials>,
    /// For a proxy before it.
    of_proxy: Option<Credentials>,
    /// Challenges that were answered in this attempt.
    answered: u8,
    /// It was said in this attempt that we ask for too short a time.
    was_too_brief: bool,
    /// How long it shall last, in seconds: as configured, or as long as the registrar wants at least.
    expires: u64,
    /// Where the registrar's INVITEs shall go, as it was said last.
    contact: String,
    /// When it ends.
    until: Option<Instant>,
}

/// The Contact may bear the ingress secret.
impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration").field("until", &self.until).finish_non_exhaustive()
    }
}

impl Registration {
    /// Nothing is known yet.
    pub(super) fn new(account: &Account) -> Self {
        Self {
            own: None,
            of_proxy: None,
            answered: 0,
            was_too_brief: false,
            expires: account.expires.as_secs(),
            contact: String::new(),
            until: None,
        }
    }

    /// A new attempt begins.
    pub(super) fn begin_attempt(&mut self) {
        (self.answered, self.was_too_brief) = (0, false);
    }

    /// Does the registrar send us calls?
    pub(super) fn is_bound(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// What the REGISTER says besides what all our requests say.
    pub(super) fn lines(&mut self, account: &Account, uri: &str, us: Us, wish: Wish) -> Vec<HeaderLine> {
        let expires = match wish {
            Wish::Stay => self.expires,
            // RFC 3261 10.2.2: our own binding, not those of others with this account.
            Wish::Leave => 0,
        };
        self.contact = us.uri(&format!("{}@", account.contact.expose()));
        let mut lines = vec![
            HeaderLine::new("Contact", format!("<{}>;expires={expires}", self.contact)),
            HeaderLine::new("Expires", expires.to_string()),
        ];
        let headers = [("Authorization", &mut self.own), ("Proxy-Authorization", &mut self.of_proxy)];
        for (name, credentials) in headers {
            if let Some(credentials) = credentials {
                lines.push(HeaderLine::new(name, credentials.value(&account.login, Method::Register, uri, b"")));
            }
        }
        lines
    }

    /// A final response.
    pub(super) fn on_response(&mut self, response: &Response, now: Instant, chance: &mut impl Rng) -> Next {
        let (status, leave_alone) = (response.status, retry_after(response));
        let refused = Next::Failed { state: LinkState::Refused { status }, leave_alone };
        match status {
            200..300 => match self.granted(response) {
                Some(lasts) => {
                    self.until = Some(now + lasts);
                    // Never all of them at once, and never so late that one lost packet ends it.
                    let rest = between(lasts.mul_f64(0.8), lasts.mul_f64(0.9), chance).max(SHORTEST_REST);
                    Next::Well { state: LinkState::Registered { lasts }, rest }
                }
                None => refused,
            },
            401 => self.answer("WWW-Authenticate", response, chance).unwrap_or(refused),
            407 => self.answer("Proxy-Authenticate", response, chance).unwrap_or(refused),
            423 => {
                let least = response.lines.value("Min-Expires").and_then(|seconds| seconds.trim().parse().ok());
                match least {
                    Some(least) if !self.was_too_brief && (self.expires..=LONGEST_EXPIRES).contains(&least) => {
                        (self.was_too_brief, self.expires) = (true, least);
                        Next::Again
                    }
                    _ => refused,
                }
            }
            // RFC 3263 4.3: this server fails, not the registrar.
            408 | 503 => Next::Elsewhere { state: LinkState::Refused { status }, leave_alone },
            _ => refused,
        }
    }

    /// Another server is asked: what this one's challenges got says nothing about those of the next.
    pub(super) fn move_on(&mut self) {
        (self.own, self.of_proxy, self.answered) = (None, None, 0);
    }

    /// Takes up a challenge. `None` if none of them is one that we can answer, or there were too many.
    fn answer(&mut self, header: &'static str, response: &Response, chance: &mut impl Rng) -> Option<Next> {
        let challenge = Challenge::first(&response.lines, header)?;
        let kept = if response.status == 401 { &mut self.own } else { &mut self.of_proxy };
        if let Some(sent) = kept {
            // What was kept from an earlier attempt may be too old without anybody saying so; what was made in this one,
            // or for this very nonce, was judged (RFC 3261 22.1: not again with credentials that were refused).
            let was_judged = sent.are_for(&challenge) && (self.answered > 0 || sent.answer(&challenge));
            if was_judged && !sent.are_only_stale(&challenge) {
                *kept = None;
                return Some(Next::Failed { state: LinkState::WrongPassword, leave_alone: Duration::ZERO });
            }
        }
        self.answered += 1;
        if self.answered > MOST_CHALLENGES {
            return None;
        }
        *kept = Some(Credentials::new(challenge, unguessable(chance)));
        Some(Next::Again)
    }

    /// How long the binding of this Contact lasts (RFC 3261 10.2.4); `None` if there is none. Some registrars change the
    /// Contact's host, or do not list it at all.
    fn granted(&self, response: &Response) -> Option<Duration> {
        let ours = self.contact.split(';').next().unwrap_or_default();
        let user = |uri: &str| uri.split_once('@').map(|(user, _)| user.to_owned());
        let bindings: Vec<(&str, Option<u64>)> = response
            .lines
            .entries("Contact")
            .filter_map(|entry| {
                let uri =
                    split_at_bracket(entry).and_then(|(_, rest)| rest.split_once('>')).map_or(entry, |(uri, _)| uri);
                let expires =
                    NameAddress::parse(entry)?.parameters.value("expires").and_then(|value| value.parse().ok());
                Some((uri.split(';').next().unwrap_or(uri), expires))
            })
            .collect();
        let same = bindings.iter().find(|(uri, _)| uri.eq_ignore_ascii_case(ours));
        let similar = || bindings.iter().find(|(uri, _)| user(uri) == user(ours));
        let stated = same.or_else(similar).and_then(|(_, expires)| *expires);
        let in_general = || response.lines.value("Expires").and_then(|value| value.trim().parse().ok());
        let seconds: u64 = stated.or_else(in_general).unwrap_or(self.expires);
        (seconds > 0).then(|| Duration::from_secs(seconds.min(LONGEST_EXPIRES)))
    }
}

/// Challenges that are answered in one attempt: a proxy's and the registrar's, and a nonce too old for each.
const MOST_CHALLENGES: u8 = 4;
/// A registrar that grants a moment must not have us ask without pause.
const SHORTEST_REST: Duration = Duration::from_secs(10);
/// A week: more is not agreed to, so that a moved service is forgotten at last.
const LONGEST_EXPIRES: u64 = 7 * 24 * 3_600;
