//! Digest authentication as a server: challenges without keeping anything of who is challenged, and the check of what comes
//! back. Only a right answer leaves a trace, so that it is taken once.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::IpAddr;
use std::time::Instant;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{DigestAlgorithm, DigestLogin, Hash, Parameters, Protection, Terms, digests, hexadecimal, known};
use crate::caller::TrunkIndex;
use crate::sip::message::Request;

/// Whose answers a nonce takes: a trunk's, from one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) trunk: TrunkIndex,
    /// The address of who was challenged.
    pub(crate) ip: IpAddr,
}

/// What a request proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It says nothing about this realm.
    Missing,
    /// Not the password, or not as we asked for it.
    Wrong,
    /// The password, but over a nonce that is too old, another's, or used up (RFC 7616 3.3).
    Stale,
    /// The password.
    Right,
}

/// Makes challenges and checks answers.
pub(crate) struct Challenger {
    key: [u8; 32],
    /// Nonces count their seconds from here.
    began: Option<Instant>,
    /// Of each trunk: what one uses up takes nothing from the others.
    used: Vec<Used>,
}

/// The key is nobody's business.
impl fmt::Debug for Challenger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used: usize = self.used.iter().map(|used| used.counts.len()).sum();
        f.debug_struct("Challenger").field("used", &used).finish_non_exhaustive()
    }
}

impl Challenger {
    /// With a key of its own, for so many trunks.
    pub(crate) fn new(key: [u8; 32], trunks: usize) -> Self {
        Self { key, began: None, used: std::iter::repeat_with(Used::default).take(trunks).collect() }
    }

    /// The values of `WWW-Authenticate`, the one that we like best first (RFC 8760 2.3). `random` makes the nonce unlike all
    /// others of its second.
    pub(crate) fn challenge(
        &mut self,
        DigestLogin { realm, algorithms, .. }: &DigestLogin,
        scope: Scope,
        is_stale: bool,
        random: [u8; RANDOM],
        now: Instant,
    ) -> Vec<String> {
        let mut body = [0; SECONDS + RANDOM];
        body[..SECONDS].copy_from_slice(&self.second(now).to_be_bytes());
        body[SECONDS..].copy_from_slice(&random);
        let nonce = hexadecimal(&body) + &hexadecimal(&self.tag(&body, scope));
        let stale = if is_stale { ", stale=true" } else { "" };
        let challenge = |algorithm: &DigestAlgorithm| {
            let algorithm = algorithm.name();
            format!(r#"Digest realm="{realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{stale}"#)
        };
        algorithms.iter().map(challenge).collect()
    }

    /// Does this request bear the login? A right answer uses up its count of its nonce.
    pub(crate) fn check(&mut self, account: &DigestLogin, request: &Request, scope: Scope, now: Instant) -> Proof {
        // Credentials of several realms may stand side by side (RFC 3261 22.3).
        let mut all = request.lines.named("Authorization").filter_map(|line| digests(&line.value)).flatten();
        let Some(ours) = all.find(|given| given.get("realm") == Some(Some(&account.realm))) else {
            return Proof::Missing;
        };
        let Some(answer) = Answer::of(&ours).filter(|answer| answer.is_right(account, request)) else {
            return Proof::Wrong;
        };
        let second = self.second(now);
        match self.made(answer.nonce, scope) {
            Some((made, random))
                if second.saturating_sub(made) < NONCE_LIFE_SECONDS
                    && self.used[scope.trunk.0].admit((made, random), answer.count, second) =>
            {
                Proof::Right
            }
            _ => Proof::Stale,
        }
    }

    fn second(&mut self, now: Instant) -> u32 {
        let began = *self.began.get_or_insert(now);
        u32::try_from(now.saturating_duration_since(began).as_secs()).unwrap_or(u32::MAX)
    }

    /// When a nonce was made, and what it has of its own, if it is one of ours for this scope.
    fn made(&self, nonce: &str, scope: Scope) -> Option<(u32, [u8; RANDOM])> {
        let octets = octets(nonce)?;
        let (body, tag) = octets.split_at_checked(SECONDS + RANDOM)?;
        let body: [u8; SECONDS + RANDOM] = body.try_into().ok()?;
        let is_ours = bool::from(self.tag(&body, scope).ct_eq(tag));
        let (seconds, random) = body.split_first_chunk().filter(|_| is_ours)?;
        Some((u32::from_be_bytes(*seconds), random.try_into().ok()?))
    }

    fn tag(&self, body: &[u8; SECONDS + RANDOM], Scope { trunk: TrunkIndex(trunk), ip }: Scope) -> [u8; TAG] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(body);
        mac.update(&trunk.to_be_bytes());
        match ip.to_canonical() {
            IpAddr::V4(ip) => mac.update(&ip.octets()),
            IpAddr::V6(ip) => mac.update(&ip.octets()),
        }
        let mut tag = [0; TAG];
        tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG]);
        tag
    }
}

/// Credentials in the way that we ask for.
struct Answer<'a> {
    user: &'a str,
    uri: &'a str,
    response: &'a str,
    hash: Hash,
    nonce: &'a str,
    nc: &'a str,
    count: u32,
    cnonce: &'a str,
}

impl<'a> Answer<'a> {
    /// `None` if something lacks or was not offered. RFC 3261 22.4 (8): who is sent `qop` must
    /// answer with it.
    fn of(given: &Parameters<'a>) -> Option<Self> {
        let get = |name| given.get(name)?;
        let (hash, is_session) = given.get("algorithm")?.map_or(Some((Hash::Md5, false)), known)?;
        let nc = get("nc").filter(|nc| nc.len() == 8 && nc.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        (!is_session && get("qop")?.eq_ignore_ascii_case(Protection::Auth.name())).then_some(Self {
            user: get("username")?,
            uri: get("uri")?,
            response: get("response")?,
            hash,
            nonce: get("nonce")?,
            nc,
            count: u32::from_str_radix(nc, 16).ok()?,
            cnonce: get("cnonce")?,
        })
    }

    /// The URI is hashed as it stands there: a proxy may have changed the request's (RFC 3261 22.4 (6)).
    fn is_right(&self, DigestLogin { realm, login, algorithms }: &DigestLogin, request: &Request) -> bool {
        let Self { hash, nonce, nc, cnonce, .. } = *self;
        if !algorithms.iter().any(|algorithm| algorithm.hash() == hash) {
            return false;
        }
        let terms = Terms { realm, nonce, hash, session: false, protection: Some(Protection::Auth), nc, cnonce };
        let expected = terms.response(login, request.method, self.uri, &request.body);
        let is_right = self.response.to_ascii_lowercase().as_bytes().ct_eq(expected.as_bytes());
        bool::from(is_right & self.user.as_bytes().ct_eq(login.user.expose().as_bytes()))
    }
}

/// How often the nonces of right answers were used: a count that is not above the last is a repetition.
#[derive(Debug, Default)]
struct Used {
    counts: HashMap<[u8; RANDOM], u32>,
    /// The same in the order of their first use.
    order: VecDeque<(u32, [u8; RANDOM])>,
    /// What was made before this second is no longer known, so it is taken for used up.
    forgotten_until: u32,
}

impl Used {
    /// Takes a count of a nonce that was made then, unless it was taken before.
    fn admit(&mut self, (made, random): (u32, [u8; RANDOM]), count: u32, second: u32) -> bool {
        // Made at the same time or before, so over by now.
        while let Some((_, old)) =
            self.order.pop_front_if(|(used, _)| second.saturating_sub(*used) >= NONCE_LIFE_SECONDS)
        {
            self.counts.remove(&old);
        }
        if let Some(last) = self.counts.get_mut(&random) {
            let is_new = count > *last;
            *last = count.max(*last);
            return is_new;
        }
        if made < self.forgotten_until {
            return false;
        }
        if self.counts.len() >= MOST_USED
            && let Some((used, old)) = self.order.pop_front()
        {
            self.counts.remove(&old);
            self.forgotten_until = used + 1;
            if made < self.forgotten_until {
                return false;
            }
        }
        self.counts.insert(random, count);
        self.order.push_back((second, random));
        true
    }
}

fn octets(digits: &str) -> Option<Vec<u8>> {
    if digits.len() != 2 * (SECONDS + RANDOM + TAG) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
}

/// The parts of a nonce: when it was made, what it has of its own, the beginning of a keyed hash.
const SECONDS: usize = 4;
/// See [`Challenger::challenge`].
pub(crate) const RANDOM: usize = 8;
const TAG: usize = 16;
/// A challenge is answered at once; who keeps a nonce for later calls is sent another.
const NONCE_LIFE_SECONDS: u32 = 60;
/// Nonces of right answers that are remembered of a trunk: 270 new ones in a second for their whole life, some 1 MB. Beyond, the oldest
/// is forgotten, and with it every nonce that was made until its first use.
const MOST_USED: usize = 16_384;

#[cfg(test)]
mod tests;
