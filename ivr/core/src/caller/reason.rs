//! Why a call is refused: for each reason its code in records and counters, its answer to the trunk, and its sentences
//! for the page and for the console (`sentences.rs`). Whatever refuses a call names one of these, so that nothing is
//! refused without words.

/// Why a call is refused before it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No trunk profile has this source address, or several have it.
    UnknownPeer,
    /// The Request-URI lacks the trunk's ingress secret.
    IngressSecret,
    /// User or password of the trunk's account is wrong.
    Credentials,
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
    /// The trunk's calls must bear a signed identity, and this one bears none.
    IdentityMissing,
    /// The call bears a signed identity that is not of this minute.
    StaleIdentity,
    /// The certificate of its signed identity cannot be had.
    IdentityUnfetched,
    /// That certificate is not believed, or not for this number.
    IdentityUncertified,
    /// Its signed identity does not hold, or is about another call.
    IdentityInvalid,
    /// The call proves less than certificates are issued for.
    BelowIssuingLevel,
    /// The service has just begun and takes no calls yet.
    Starting,
    /// The service is about to end.
    Draining,
    /// The node has as many calls as it may have.
    NodeFull,
    /// The trunk has.
    TrunkFull,
    /// Too many calls of the trunk wait for their ACK.
    UnacknowledgedFull,
    /// Too many calls of the trunk began just now.
    TrunkRate,
    /// The number has as many calls as it may have.
    NumberBusy,
    /// The session description cannot be read.
    BadOffer,
    /// No audio that we speak.
    NoCodec,
    /// The audio must be protected, and no key can be taken up.
    NoSrtp,
    /// The session timer cannot be read (RFC 4028).
    BadSessionTimer,
    /// It is shorter than we allow.
    SessionTooShort,
    /// There is no Contact that a dialog could go to.
    NoContact,
    /// No media port is free.
    NoPort,
    /// The store does not answer, or not in time.
    Unavailable,
    /// The number has used up its wrong codes of the day.
    NumberExhausted,
    /// Too many calls of the number were answered today and ended without a right code.
    CallsUsedUp,
    /// Nobody waits for a call from this number.
    NoSession,
    /// The operator announced the call, to see what arrives of it.
    Probe,
    /// The caller gave up before the answer.
    Cancelled,
}

impl Reason {
    /// Every reason, for the tables of console and documents.
    pub const ALL: [Self; 42] = [
        Self::UnknownPeer,
        Self::IngressSecret,
        Self::Credentials,
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
        Self::IdentityMissing,
        Self::StaleIdentity,
        Self::IdentityUnfetched,
        Self::IdentityUncertified,
        Self::IdentityInvalid,
        Self::BelowIssuingLevel,
        Self::Starting,
        Self::Draining,
        Self::NodeFull,
        Self::TrunkFull,
        Self::UnacknowledgedFull,
        Self::TrunkRate,
        Self::NumberBusy,
        Self::BadOffer,
        Self::NoCodec,
        Self::NoSrtp,
        Self::BadSessionTimer,
        Self::SessionTooShort,
        Self::NoContact,
        Self::NoPort,
        Self::Unavailable,
        Self::NumberExhausted,
        Self::CallsUsedUp,
        Self::NoSession,
        Self::Probe,
        Self::Cancelled,
    ];

    /// The reason of this code, as a record has it.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The stable code of records, counters and the API.
    pub fn code(self) -> &'static str {
        self.answer().0
    }

    /// The final response. Only what is true of the whole node is a 503, because that makes a trunk stop sending
    /// everything (RFC 3261 21.5.4). None is a 6xx, which would speak for every other place of the number.
    pub fn status(self) -> u16 {
        self.answer().1
    }

    /// Code and status.
    fn answer(self) -> (&'static str, u16) {
        match self {
            Self::UnknownPeer => ("unknown-peer", 403),
            Self::IngressSecret => ("ingress-secret", 403),
            // RFC 3261 22.1: instead of the challenge again.
            Self::Credentials => ("credentials", 403),
            Self::NotOurNumber => ("not-our-number", 404),
            Self::MalformedIdentity => ("malformed-identity", 400),
            Self::NoNumber => ("no-number", 403),
            Self::Unscreened => ("unscreened", 403),
            Self::IdentitiesDiffer => ("identities-differ", 403),
            // RFC 5079: Anonymity Disallowed.
            Self::Anonymous => ("anonymous", 433),
            Self::Extension => ("extension", 403),
            Self::SharedLine => ("shared-line", 403),
            Self::NumberFormat => ("number-format", 403),
            Self::NumberKind => ("number-kind", 403),
            Self::Forwarded => ("forwarded", 403),
            Self::Transferred => ("transferred", 403),
            // RFC 8224 6.2.2: Invalid Identity Header.
            Self::ValidationFailed => ("validation-failed", 438),
            // RFC 8224 6.2.2: Use Identity Header, Stale Date, Bad Identity Info, Unsupported Credential, Invalid Identity Header.
            Self::IdentityMissing => ("use-identity-header", 428),
            Self::StaleIdentity => ("stale-identity", 403),
            Self::IdentityUnfetched => ("bad-identity-info", 436),
            Self::IdentityUncertified => ("unsupported-credential", 437),
            Self::IdentityInvalid => ("invalid-identity", 438),
            Self::BelowIssuingLevel => ("below-issuing-level", 403),
            Self::Starting => ("starting", 503),
            Self::Draining => ("draining", 503),
            Self::NodeFull => ("node-full", 503),
            Self::TrunkFull => ("trunk-full", 480),
            Self::UnacknowledgedFull => ("unacknowledged-full", 480),
            Self::TrunkRate => ("trunk-rate", 480),
            Self::NumberBusy => ("number-busy", 486),
            Self::BadOffer => ("bad-offer", 400),
            Self::NoCodec => ("no-codec", 488),
            Self::NoSrtp => ("no-srtp", 488),
            Self::BadSessionTimer => ("bad-session-timer", 400),
            // RFC 4028 9: Session Interval Too Small.
            Self::SessionTooShort => ("session-too-short", 422),
            Self::NoContact => ("no-contact", 400),
            Self::NoPort => ("no-port", 503),
            // Not a 5xx: the trunk would stop sending calls that have nothing to do with this one.
            Self::Unavailable => ("unavailable", 480),
            Self::NumberExhausted => ("number-exhausted", 486),
            Self::CallsUsedUp => ("calls-used-up", 486),
            Self::NoSession => ("no-session", 480),
            Self::Probe => ("probe", 480),
            Self::Cancelled => ("cancelled", 487),
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
        // None is left out: they are numbered from 0.
        assert!(Reason::ALL.iter().enumerate().all(|(at, reason)| *reason as usize == at));
        assert_eq!(Reason::ALL.len(), Reason::Cancelled as usize + 1);
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(reason));
            assert!((400..500).contains(&reason.status()) || reason.status() == 503, "{reason:?}");
        }
        assert_eq!(Reason::from_code("humming"), None);
    }

    #[test]
    fn the_document_names_every_reason_with_its_status() {
        const PROTOCOL: &str = include_str!("../../../../docs/protocol.md");
        let (_, rows) = PROTOCOL.split_once("| check | reason code | status |\n|---|---|---|\n").unwrap();
        let mut named = HashSet::new();
        for row in rows.lines().take_while(|line| line.starts_with('|')) {
            let cells: Vec<&str> = row.split('|').collect();
            let [_, _, codes, statuses, _] = cells[..] else { panic!("{row}") };
            let codes: Vec<&str> = codes.split('`').skip(1).step_by(2).collect();
            let statuses: Vec<u16> =
                statuses.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
            assert!(statuses.len() == 1 || statuses.len() == codes.len(), "{row}");
            for (code, status) in codes.iter().zip(statuses.iter().cycle()) {
                assert_eq!(Reason::from_code(code).map(Reason::status), Some(*status), "{code}");
                named.insert(*code);
            }
        }
        let all: HashSet<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(named, all);
    }
}
