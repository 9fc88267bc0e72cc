//! What a webhook tells: that a verification has its result, waits, or is over. Its shape is part of the API
//! (docs/protocol.md, "Webhooks"); a field more is a change that receivers must bear, a field less is not.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use time::OffsetDateTime;

use crate::hex;

/// Names an endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub(crate) [u8; 16]);

/// Names an event: the header `webhook-id`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventId(pub(crate) [u8; 16]);

/// It is the name of no endpoint, or of no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} and 32 hexadecimal digits are expected")]
pub struct NotAName(&'static str);

const ENDPOINT: &str = "ep_";
const EVENT: &str = "msg_";

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ENDPOINT}{}", hex::of(&self.0))
    }
}

impl fmt::Debug for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for EndpointId {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        text.strip_prefix(ENDPOINT).and_then(hex::read_array).map(Self).ok_or(NotAName(ENDPOINT))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{EVENT}{}", hex::of(&self.0))
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for EventId {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        text.strip_prefix(EVENT).and_then(hex::read_array).map(Self).ok_or(NotAName(EVENT))
    }
}

/// What is posted to an endpoint.
#[derive(Serialize, utoipa::ToSchema)]
pub struct WebhookEvent {
    /// `verification.issued`, `verification.held`, `verification.voided`, `verification.expired`, `verification.failed`:
    /// the state that the verification came to. `verification.expired` is told only to the endpoint that the verification
    /// names.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When that was. An attempt to tell of it has a time of its own, in `webhook-timestamp`.
    #[serde(with = "time::serde::rfc3339")]
    pub timestamp: OffsetDateTime,
    /// The verification, with the names of `GET /v1/verifications/{id}`.
    pub data: EventData,
}

/// A verification as an event tells of it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct EventData {
    /// Names it.
    pub id: String,
    /// `issued`, `held`, `voided`, `expired`, `failed`.
    pub state: &'static str,
    /// The number; masked as `***0143` if the verification does not name this endpoint.
    #[schema(example = "+12025550143")]
    pub number: String,
    /// Whether a record goes into the directory.
    pub publish: bool,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// While it is `held`: when its certificate will be issued, unless somebody objects.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub held_until: Option<OffsetDateTime>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Without a certificate request: the signed result, a JWS of the keys of `/.well-known/jwks.json`. Absent if the number
    /// is masked, because it names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Its certificate, once that is issued.
    #[serde(flatten)]
    pub certificate: Option<EventCertificate>,
}

/// A certificate as an event tells of it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct EventCertificate {
    /// The leaf, PEM. Absent if the number is masked, because it names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_pem: Option<String>,
    /// Hexadecimal.
    pub serial: String,
    /// `L1` to `L4`.
    pub level: String,
    /// First moment.
    #[serde(with = "time::serde::rfc3339")]
    pub not_before: OffsetDateTime,
    /// Last moment.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
}

/// The event of a verification that came to this state, and the state's name; `None` for those on the way.
pub(crate) fn of_state(state: &str) -> Option<(&'static str, &'static str)> {
    Some(match state {
        "issued" => ("verification.issued", "issued"),
        "held" => ("verification.held", "held"),
        "voided" => ("verification.voided", "voided"),
        "expired" => ("verification.expired", "expired"),
        "failed" => ("verification.failed", "failed"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::State;

    #[test]
    fn every_state_that_a_verification_may_stay_in_is_told_of() {
        for state in State::ALL {
            let is_on_the_way = matches!(state, State::Waiting | State::Calling | State::ReadBack | State::Issuing);
            assert_eq!(of_state(state.name()).is_none(), is_on_the_way, "{state:?}");
            if let Some((kind, name)) = of_state(state.name()) {
                assert_eq!((kind, name), (format!("verification.{}", state.name()).as_str(), state.name()));
            }
        }
    }

    #[test]
    fn a_name_is_read_as_it_was_written_and_no_other() {
        let (endpoint, event) = (EndpointId([0xab; 16]), EventId([7; 16]));
        assert_eq!(endpoint.to_string(), format!("ep_{}", "ab".repeat(16)));
        assert_eq!((endpoint.to_string().parse(), event.to_string().parse()), (Ok(endpoint), Ok(event)));
        assert_eq!(event.to_string().parse::<EndpointId>(), Err(NotAName("ep_")));
        assert!("ep_00".parse::<EndpointId>().is_err() && "".parse::<EventId>().is_err());
    }
}
