//! What operators are told, in English alone.

use super::{Cap, Reason};

pub(super) fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::UnknownPeer => "No trunk has this source address, or two have it: see `sources`.",
        Reason::IngressSecret => {
            "The Request-URI does not bear the trunk's ingress secret: another customer of the carrier, or a wrong URI there."
        }
        Reason::Credentials => {
            "User or password is not that of the trunk's account (`[trunk.digest]`), or the answer has no qop=auth."
        }
        Reason::NotOurNumber => {
            "The number that was called is none of the trunk's `numbers`, or is not in its `number_format`."
        }
        Reason::MalformedIdentity => {
            "From, P-Asserted-Identity or Remote-Party-ID cannot be read, or there are too many of them."
        }
        Reason::NoNumber => "What names the caller is no telephone number.",
        Reason::Unscreened => "Remote-Party-ID does not say screen=yes and privacy=off.",
        Reason::IdentitiesDiffer => {
            "Headers name different callers: see `from_is_free_text`, if the carrier lets From hold anything."
        }
        Reason::Anonymous => "The caller withholds the number.",
        Reason::Extension => "The number has an extension or a subaddress: it is not one line.",
        Reason::SharedLine => "The network says payphone, operator, test line or prison (cpc, isup-oli).",
        Reason::NumberFormat => "In the trunk's `number_format` this is no valid number, or could be two.",
        Reason::NumberKind => "A kind of number that may not be proved: see `allow_voip` and `allow_personal`.",
        Reason::Forwarded => {
            "The call was forwarded: Diversion, History-Info, a div PASSporT or the trunk's verstat says so."
        }
        Reason::Transferred => "The call was transferred or takes another over: Referred-By, Replaces or Join.",
        Reason::ValidationFailed => "The network checked the caller's signature (STIR/SHAKEN), and it was bad.",
        Reason::IdentityMissing => {
            "The call bears no signed identity (STIR/SHAKEN), and the trunk's `identity` is \"required\"."
        }
        Reason::StaleIdentity => {
            "The signed identity (STIR/SHAKEN) is more than a minute old or ahead: somebody plays an old one again, or a clock is wrong."
        }
        Reason::IdentityUnfetched => {
            "The certificate of the signed identity could not be fetched from its x5u: the fault in the record says why."
        }
        Reason::IdentityUncertified => {
            "The certificate of the signed identity is not believed, or does not cover the number: the fault in the record says why; see `[passports]`."
        }
        Reason::IdentityInvalid => {
            "The signed identity does not hold, is about another call or has served before: the fault in the record says which."
        }
        Reason::BelowIssuingLevel => {
            "The call was worth less than certificates are issued for: the level says what it was, and what held it down."
        }
        Reason::Starting => "The service had just begun and took no calls yet.",
        Reason::Draining => "The service was about to end.",
        Reason::NodeFull => "The node had as many calls as `sip.max_calls` allows.",
        Reason::TrunkFull => "The trunk had as many calls as its `max_calls` allows.",
        Reason::UnacknowledgedFull => {
            "Too many calls of the trunk waited for their ACK: a slow network, or forged source addresses."
        }
        Reason::TrunkRate => "Calls of the trunk began faster than its `calls_per_second` allows.",
        Reason::NumberBusy => "The number had two calls at this node already.",
        Reason::BadOffer => "The session description cannot be read.",
        Reason::NoCodec => "No audio with PCMU, PCMA or G.722 at an address that we reach was offered.",
        Reason::NoSrtp => "The audio must be encrypted (see `srtp`), and no a=crypto line could be taken up.",
        Reason::BadSessionTimer => "Session-Expires or Min-SE cannot be read (RFC 4028).",
        Reason::SessionTooShort => "The session timer asked for less than 90 seconds (RFC 4028).",
        Reason::NoContact => "The INVITE has no Contact that a dialog could go to.",
        Reason::NoPort => "No media port was free: make `sip.rtp_ports` longer.",
        Reason::Unavailable => {
            "The database did not answer in time: see the log of that moment. Or a certificate had to be fetched, and too many were already (`x5u-busy` in the call's record)."
        }
        Reason::NumberExhausted => "The number has used up its wrong codes of the day.",
        Reason::CallsUsedUp => {
            "The number used up `verification.fruitless_calls_a_day`: calls that were answered and ended without a right code."
        }
        Reason::NoSession => {
            "No verification waited for this number: its person called too early, too late, or from another number than was typed."
        }
        Reason::Probe => "The operator's own call for a probe of the trunk: what arrived stands on the trunk's page.",
        Reason::Cancelled => "The caller, or the carrier, gave up before the answer.",
    }
}

pub(super) fn cap(cap: Cap) -> &'static str {
    match cap {
        Cap::SharedAddresses => {
            "The trunk's addresses are shared, and it has neither `ingress_secret_file` nor `[trunk.digest]`."
        }
        Cap::Unscreened => "`cli_screened` is false: nobody checks the numbers that this carrier's customers show.",
        Cap::Foreign => "The number is not of the trunk's `country`, or none is stated.",
        Cap::Diversion => "`keeps_diversion` is not \"yes\": the call may have been forwarded.",
        Cap::Privacy => "The call asked for privacy (Privacy: session or history).",
        Cap::Attestation => "The network attests B or C, or used a word that is not in `[trunk.verstat]`.",
        Cap::TrunkLimit => "The trunk's `max_level` allows no more.",
        Cap::Unattested => "No attestation A came that counts: none was signed, or the trunk has no `[trunk.verstat]`.",
        Cap::NoReturnPath => "There is no return path to the number.",
    }
}
