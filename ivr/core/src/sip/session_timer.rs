//! Session timers (RFC 4028): how long a session may stay without a refresh, and who refreshes it. We ask for no timer
//! of our own, because a call is over before any would matter; we take up what the other side or a proxy asks for.

use std::time::Duration;

use super::header_lines::{HeaderLine, HeaderLines};
use super::identity::Parameters;
use super::message::{Reply, Request};

/// What both sides agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// The session interval.
    pub(crate) seconds: u32,
    pub(crate) refresher: Refresher,
}

/// Who refreshes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refresher {
    Us,
    Peer,
}

/// Why a request's session timer cannot be taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unagreeable {
    /// Session-Expires or Min-SE is not as RFC 4028 4 and 5 write it.
    Unreadable,
    /// The interval is shorter than [`SHORTEST_SESSION_SECONDS`].
    TooShort,
}

impl Agreement {
    /// What a 2xx to this INVITE or UPDATE agrees to (RFC 4028 9); `None` if there is no timer: then none runs, whatever
    /// was agreed before.
    pub(crate) fn of(request: &Request) -> Result<Option<Self>, Unagreeable> {
        let Some(Wish { seconds, refresher }) = Wish::read(&request.lines)? else { return Ok(None) };
        let supports = request.supports("timer");
        if seconds < SHORTEST_SESSION_SECONDS {
            // RFC 4028 9: only who knows the timer can make use of a 422. For the others a shorter interval may not be
            // answered (4), nor a longer one (9): no timer is.
            return if supports { Err(Unagreeable::TooShort) } else { Ok(None) };
        }
        // RFC 4028 9, table 2. If we may choose, the caller refreshes: it keeps the call up, we only answer.
        let refresher = match refresher {
            _ if !supports => Refresher::Us,
            Some(Role::Called) => Refresher::Us,
            Some(Role::Caller) | None => Refresher::Peer,
        };
        Ok(Some(Self { seconds, refresher }))
    }

    /// What the 2xx to a refresh of ours agrees to (RFC 4028 7.2). Without Session-Expires no timer runs any more.
    pub(crate) fn of_response(lines: &HeaderLines) -> Option<Self> {
        let wish = Wish::read(lines).ok()??;
        let refresher = match wish.refresher {
            Some(Role::Called) => Refresher::Peer,
            Some(Role::Caller) | None => Refresher::Us,
        };
        Some(Self { seconds: wish.seconds.max(SHORTEST_SESSION_SECONDS), refresher })
    }

    /// Says so in a 2xx to this request. Who must refresh, or knows that we do, has to read it (RFC 4028 9).
    pub(crate) fn told(self, reply: Reply, request: &Request) -> Reply {
        let role = match self.refresher {
            Refresher::Us => "uas",
            Refresher::Peer => "uac",
        };
        let reply = reply.header("Session-Expires", format!("{};refresher={role}", self.seconds));
        if request.supports("timer") { reply.require("timer") } else { reply }
    }

    /// The headers of a refresh of ours: it is the request's sender who goes on refreshing (RFC 4028 7.4). `least` is
    /// the greatest Min-SE that was heard in the dialog (7.4, too).
    pub(crate) fn refresh(self, least: Option<u32>) -> Vec<HeaderLine> {
        let seconds = self.seconds.max(least.unwrap_or_default());
        let expires = HeaderLine::new("Session-Expires", format!("{seconds};refresher=uac"));
        let least = least.map(|least| HeaderLine::new("Min-SE", least.to_string()));
        [HeaderLine::new("Supported", "timer"), expires].into_iter().chain(least).collect()
    }

    /// The session interval.
    pub(crate) fn interval(self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// RFC 4028 10: without a refresh, the call is ended a little before the interval is over.
    pub(crate) fn patience(self) -> Duration {
        self.interval() - (self.interval() / 3).min(LONGEST_MARGIN)
    }
}

/// What Min-SE says, in seconds, unless it goes without saying (RFC 4028 5).
pub(crate) fn least(lines: &HeaderLines) -> Option<u32> {
    lines.value("Min-SE").and_then(seconds).filter(|seconds| *seconds > SHORTEST_SESSION_SECONDS)
}

/// What Session-Expires says (RFC 4028 4).
struct Wish {
    seconds: u32,
    refresher: Option<Role>,
}

/// The sides of the request that bears the header.
#[derive(Clone, Copy)]
enum Role {
    Caller,
    Called,
}

impl Wish {
    fn read(lines: &HeaderLines) -> Result<Option<Self>, Unagreeable> {
        if lines.value("Min-SE").is_some_and(|value| seconds(value).is_none()) {
            return Err(Unagreeable::Unreadable);
        }
        let Some(value) = lines.value("Session-Expires") else { return Ok(None) };
        let wish = Self { seconds: seconds(value).ok_or(Unagreeable::Unreadable)?, refresher: refresher(value)? };
        Ok(Some(wish))
    }
}

/// Whole seconds before the parameters. More than 32 bits hold is for ever.
fn seconds(value: &str) -> Option<u32> {
    let digits = value.split(';').next().unwrap_or_default().trim();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u32::MAX))
}

fn refresher(value: &str) -> Result<Option<Role>, Unagreeable> {
    let Some((_, parameters)) = value.split_once(';') else { return Ok(None) };
    match Parameters(parameters).value("refresher") {
        None => Ok(None),
        Some(role) if role.eq_ignore_ascii_case("uac") => Ok(Some(Role::Caller)),
        Some(role) if role.eq_ignore_ascii_case("uas") => Ok(Some(Role::Called)),
        Some(_) => Err(Unagreeable::Unreadable),
    }
}

/// RFC 4028 5: less may nobody ask for.
pub(crate) const SHORTEST_SESSION_SECONDS: u32 = 90;
/// RFC 4028 10.
const LONGEST_MARGIN: Duration = Duration::from_secs(32);

#[cfg(test)]
mod tests;
