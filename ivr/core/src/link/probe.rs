//! Does a server answer? An OPTIONS about once a minute (RFC 3261 11).

use std::time::Duration;

use rand_core::Rng;

use super::{LinkState, Next, Us, between, retry_after};
use crate::sip::header_lines::HeaderLine;
use crate::sip::message::Response;

/// What a probe remembers: nothing.
#[derive(Debug)]
pub(super) struct Probe;

impl Probe {
    /// What its OPTIONS says besides what all our requests say (RFC 3261 11.1).
    pub(super) fn lines(us: Us) -> Vec<HeaderLine> {
        vec![HeaderLine::new("Contact", format!("<{}>", us.uri(""))), HeaderLine::new("Accept", "application/sdp")]
    }

    /// Who answers serves, be it with 404, 405 or a challenge: such a server reads SIP and is there. Who says 503 wants no
    /// calls, and a 408 is a proxy's word that nobody behind it answers.
    pub(super) fn on_response(response: &Response, chance: &mut impl Rng) -> Next {
        match response.status {
            status @ (408 | 503) => {
                Next::Elsewhere { state: LinkState::Refused { status }, leave_alone: retry_after(response) }
            }
            _ => Next::Well { state: LinkState::Reachable, rest: interval(chance) },
        }
    }
}

/// A minute, more or less: many services that were started together shall not ask together.
pub(super) fn interval(chance: &mut impl Rng) -> Duration {
    between(Duration::from_secs(54), Duration::from_secs(66), chance)
}
