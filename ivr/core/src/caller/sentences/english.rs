//! English, for pages, and for whoever speaks none of the others.

use super::{Advice, Cap, Language, Level};

pub(super) const ENGLISH: Language = Language { tag: "en", advice, cap, level };

fn advice(advice: Advice) -> &'static str {
    match advice {
        Advice::OddWay => {
            "A call came in a way that this service does not accept. Dial the number shown with an ordinary telephone."
        }
        Advice::NotSaid => {
            "Your telephone company did not say which number is calling. Call from another line, or ask it to present your number."
        }
        Advice::NotVouched => {
            "Your telephone company does not vouch for your number on this call. Call from another line or over another company."
        }
        Advice::Forwarded => {
            "The call was forwarded or transferred. Switch forwarding off and dial the number shown yourself."
        }
        Advice::NotNow => "The service could not take your call just now. Wait a minute, then call again.",
        Advice::Busy => "Too many calls are going on just now. Wait a minute, then call again.",
        Advice::NotSpoken => {
            "Your telephone's connection cannot be taken. Call from another telephone or another line."
        }
        Advice::OtherNumber => "The call was for another number. Dial the number shown.",
        Advice::NumbersDiffer => {
            "Your line shows another number than its own. Switch off the number it presents instead, then call again."
        }
        Advice::Withheld => {
            "Your number is withheld. Dial *82 (North America) or *31# (most mobile networks) before the number, or switch your caller ID on in the telephone's settings."
        }
        Advice::Extension => "Extensions behind a switchboard cannot be verified. Call from a line of its own.",
        Advice::SharedLine => "Payphones and shared lines cannot be verified. Call from your own line.",
        Advice::Incomplete => "The number that arrived is not a complete telephone number. Call from another line.",
        Advice::ServiceNumber => {
            "Toll-free, premium and other service numbers cannot be verified. Call from a fixed or mobile line."
        }
        Advice::NumberBusy => "Other calls from your number are going on. End them, then call again.",
        Advice::CodesUsedUp => "Too many wrong codes were keyed in from your number today. Try again tomorrow.",
        Advice::CallsUsedUp => {
            "Too many calls came from your number today and ended without the code. Try again tomorrow."
        }
        Advice::NotExpected => {
            "A call from your number came while nobody waited for it. Call again while this page shows a code."
        }
        Advice::Cancelled => "The call ended before it was answered. Call again, and let it ring.",
    }
}

fn cap(cap: Cap) -> &'static str {
    match cap {
        Cap::SharedAddresses => "The way in which your call reached us cannot be told from that of others.",
        Cap::Unscreened => "The carrier that brought your call does not check its callers' numbers.",
        Cap::Foreign => "The carrier that brought your call is not known to be of your number's country.",
        Cap::Diversion => "The carrier that brought your call does not say whether calls were forwarded.",
        Cap::Privacy => "Your call asked to have its way hidden.",
        Cap::Attestation => "Your telephone company does not fully attest that the number is yours.",
        Cap::TrunkLimit => "Calls by this way are not trusted with more.",
        Cap::Unattested => "No signature of your telephone company (STIR/SHAKEN, attestation A) came with your call.",
        Cap::NoReturnPath => "Your number was not called back.",
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::L0 => "A mailbox was proved, no telephone number.",
        Level::L1 => {
            "Somebody called from this number, or made it look so: nobody vouches that the caller ID was not forged."
        }
        Level::L2 => {
            "The call came over a carrier of the same country that checks by contract which numbers its customers show."
        }
        Level::L3 => {
            "As L2, and the network attested with a signature that the caller may use the number (STIR/SHAKEN, attestation A)."
        }
        Level::L4 => "As L2 or L3, and the number was called back.",
    }
}
