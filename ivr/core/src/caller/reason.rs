//! Why a call is refused: a code for records, a status for the trunk, a sentence for the page.

/// Why a call is refused before it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No trunk profile has this source address, or several have it.
    UnknownPeer,
    /// The Request-URI lacks the trunk's ingress secret.
    IngressSecret,
    /// The Request-URI is none of the trunk's numbers.
    NotOurNumber,
    /// From, P-Asserted-Identity or Remote-Party-ID cannot be read, or there are too many.
    MalformedIdentity,
    /// The identity is not a telephone number.
    NoNumber,
    /// The trunk says that nobody checked the number.
    Unscreened,
    /// Two identity headers name different numbers.
    IdentitiesDiffer,
    /// The caller withholds the number.
    Anonymous,
    /// An extension or subaddress: many lines behind one number.
    Extension,
    /// A payphone, an operator's position, a test line, a prison.
    SharedLine,
    /// The number is not of the trunk's stated format, or could be two.
    NumberFormat,
    /// A kind of number that nobody answers in person.
    NumberKind,
    /// The call was forwarded to us.
    Forwarded,
    /// The call was transferred to us or takes over another.
    Transferred,
    /// The network checked the caller's signature and found it bad.
    ValidationFailed,
    /// The call proves less than certificates are issued for.
    BelowIssuingLevel,
}

impl Reason {
    /// Every reason, for the tables of console and documents.
    pub const ALL: [Self; 16] = [
        Self::UnknownPeer,
        Self::IngressSecret,
        Self::NotOurNumber,
        Self::MalformedIdentity,
        Self::NoNumber,
        Self::Unscreened,
        Self::IdentitiesDiffer,
        Self::Anonymous,
        Self::Extension,
        Self::SharedLine,
        Self::NumberFormat,
        Self::NumberKind,
        Self::Forwarded,
        Self::Transferred,
        Self::ValidationFailed,
        Self::BelowIssuingLevel,
    ];

    /// The stable code of records, counters and the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownPeer => "unknown-peer",
            Self::IngressSecret => "ingress-secret",
            Self::NotOurNumber => "not-our-number",
            Self::MalformedIdentity => "malformed-identity",
            Self::NoNumber => "no-number",
            Self::Unscreened => "unscreened",
            Self::IdentitiesDiffer => "identities-differ",
            Self::Anonymous => "anonymous",
            Self::Extension => "extension",
            Self::SharedLine => "shared-line",
            Self::NumberFormat => "number-format",
            Self::NumberKind => "number-kind",
            Self::Forwarded => "forwarded",
            Self::Transferred => "transferred",
            Self::ValidationFailed => "validation-failed",
            Self::BelowIssuingLevel => "below-issuing-level",
        }
    }

    /// The final response. None of them is a 503 or 5xx: those would make the trunk stop sending everything
    /// (RFC 3261 21.5.4), and none is a 6xx, which would speak for every other place of the number.
    pub fn status(self) -> u16 {
        match self {
            Self::MalformedIdentity => 400,
            Self::NotOurNumber => 404,
            // RFC 5079: Anonymity Disallowed.
            Self::Anonymous => 433,
            // RFC 8224 6.2.2: Invalid Identity Header.
            Self::ValidationFailed => 438,
            Self::UnknownPeer
            | Self::IngressSecret
            | Self::NoNumber
            | Self::Unscreened
            | Self::IdentitiesDiffer
            | Self::Extension
            | Self::SharedLine
            | Self::NumberFormat
            | Self::NumberKind
            | Self::Forwarded
            | Self::Transferred
            | Self::BelowIssuingLevel => 403,
        }
    }

    /// What the person at the page may do about it.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::UnknownPeer | Self::IngressSecret => {
                "A call came in a way that this service does not accept. Dial the number shown with an ordinary telephone."
            }
            Self::NotOurNumber => "The call was for another number. Dial the number shown.",
            Self::MalformedIdentity | Self::NoNumber => {
                "Your telephone company did not say which number is calling. Call from another line, or ask it to \
                 present your number."
            }
            Self::Unscreened | Self::ValidationFailed | Self::BelowIssuingLevel => {
                "Your telephone company does not vouch for your number on this call. Call from another line or over \
                 another company."
            }
            Self::IdentitiesDiffer => {
                "Your line shows another number than its own. Switch off the number it presents instead, then call \
                 again."
            }
            Self::Anonymous => {
                "Your number is withheld. Dial *82 (North America) or *31# (most mobile networks) before the number, \
                 or switch your caller ID on in the telephone's settings."
            }
            Self::Extension => "Extensions behind a switchboard cannot be verified. Call from a line of its own.",
            Self::SharedLine => "Payphones and shared lines cannot be verified. Call from your own line.",
            Self::NumberFormat => "The number that arrived is not a complete telephone number. Call from another line.",
            Self::NumberKind => {
                "Toll-free, premium and other service numbers cannot be verified. Call from a fixed or mobile line."
            }
            Self::Forwarded | Self::Transferred => {
                "The call was forwarded or transferred. Switch forwarding off and dial the number shown yourself."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_reason_has_a_code_of_its_own_and_a_final_refusal() {
        let codes: HashSet<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            assert!((400..500).contains(&reason.status()), "{reason:?}");
            assert!(reason.sentence().ends_with('.'), "{reason:?}");
        }
    }
}
