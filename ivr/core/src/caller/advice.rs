//! What a refused call tells its person: for many reasons the same. A language says each of these once (`sentences/`).

use super::Reason;

/// What the person at the page can do about a refused call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advice {
    /// The call came by a way that is not taken: an ordinary telephone will do.
    OddWay,
    /// Nobody said which number calls.
    NotSaid,
    /// Nobody vouches for the number.
    NotVouched,
    /// The call did not come straight from its person.
    Forwarded,
    /// The service could not take it; later it can.
    NotNow,
    /// Too many others call.
    Busy,
    /// The telephone speaks what we do not.
    NotSpoken,
    /// Another number than ours was dialled.
    OtherNumber,
    /// The line shows another number than its own.
    NumbersDiffer,
    /// The number is withheld.
    Withheld,
    /// The telephone has no line of its own.
    Extension,
    /// The telephone is not one person's.
    SharedLine,
    /// What arrived is no whole number.
    Incomplete,
    /// It is a kind of number that nobody answers in person.
    ServiceNumber,
    /// The same number calls already.
    NumberBusy,
    /// Its wrong codes of the day are used up.
    CodesUsedUp,
    /// Its fruitless calls of the day are used up.
    CallsUsedUp,
    /// Nobody waits for a call from it.
    NotExpected,
    /// It ended before it was answered.
    Cancelled,
}

impl Reason {
    /// What its person is told.
    pub(super) fn advice(self) -> Advice {
        match self {
            Self::UnknownPeer | Self::IngressSecret | Self::Credentials => Advice::OddWay,
            Self::MalformedIdentity | Self::NoNumber => Advice::NotSaid,
            Self::Unscreened
            | Self::ValidationFailed
            | Self::IdentityMissing
            | Self::StaleIdentity
            | Self::IdentityUnfetched
            | Self::IdentityUncertified
            | Self::IdentityInvalid
            | Self::BelowIssuingLevel => Advice::NotVouched,
            Self::Forwarded | Self::Transferred => Advice::Forwarded,
            Self::Starting | Self::Draining | Self::Unavailable | Self::Probe => Advice::NotNow,
            Self::NodeFull | Self::TrunkFull | Self::UnacknowledgedFull | Self::TrunkRate | Self::NoPort => {
                Advice::Busy
            }
            Self::BadOffer
            | Self::NoCodec
            | Self::NoSrtp
            | Self::BadSessionTimer
            | Self::SessionTooShort
            | Self::NoContact => Advice::NotSpoken,
            Self::NotOurNumber => Advice::OtherNumber,
            Self::IdentitiesDiffer => Advice::NumbersDiffer,
            Self::Anonymous => Advice::Withheld,
            Self::Extension => Advice::Extension,
            Self::SharedLine => Advice::SharedLine,
            Self::NumberFormat => Advice::Incomplete,
            Self::NumberKind => Advice::ServiceNumber,
            Self::NumberBusy => Advice::NumberBusy,
            Self::NumberExhausted => Advice::CodesUsedUp,
            Self::CallsUsedUp => Advice::CallsUsedUp,
            Self::NoSession => Advice::NotExpected,
            Self::Cancelled => Advice::Cancelled,
        }
    }
}
