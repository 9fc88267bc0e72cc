//! What people are told of a refused call, of a level and of what holds it down: the page what its person may do, the console
//! what its operator may. A language is three functions like those of [`ENGLISH`] and a place in [`LANGUAGES`]; each `match`
//! says when something lacks words.

mod french;
mod german;
mod spanish;

use super::{Cap, Level, Reason};

/// The words for one reason or cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sentences {
    /// For the person at the page: what to do about it. It names neither trunk nor time.
    pub page: &'static str,
    /// For the operator: what was wrong, and where to look.
    pub console: &'static str,
}

impl Reason {
    /// Why a call was refused, in the language of a tag such as `en-GB`, or in English where that is not spoken.
    pub fn sentences(self, locale: &str) -> Sentences {
        (language(locale).reason)(self)
    }
}

impl Cap {
    /// Why the level is no higher; languages as in [`Reason::sentences`].
    pub fn sentences(self, locale: &str) -> Sentences {
        (language(locale).cap)(self)
    }
}

impl Level {
    /// What a certificate of this level says, for everybody; languages as in [`Reason::sentences`].
    pub fn meaning(self, locale: &str) -> &'static str {
        (language(locale).level)(self)
    }
}

/// All words of a language.
struct Language {
    /// The primary subtag (RFC 5646 2.2.1).
    tag: &'static str,
    reason: fn(Reason) -> Sentences,
    cap: fn(Cap) -> Sentences,
    level: fn(Level) -> &'static str,
}

/// The first is spoken where no other is known.
const LANGUAGES: [Language; 4] = [ENGLISH, spanish::SPANISH, french::FRENCH, german::GERMAN];

const ENGLISH: Language = Language { tag: "en", reason: english_reason, cap: english_cap, level: english_level };

fn language(locale: &str) -> &'static Language {
    let tag = locale.split(['-', '_']).next().unwrap_or_default();
    LANGUAGES.iter().find(|language| language.tag.eq_ignore_ascii_case(tag)).unwrap_or(&LANGUAGES[0])
}

const DIALLED: &str =
    "A call came in a way that this service does not accept. Dial the number shown with an ordinary telephone.";
const NOT_VOUCHED: &str = "Your telephone company does not vouch for your number on this call. Call from another line or \
                           over another company.";
const NOT_SAID: &str = "Your telephone company did not say which number is calling. Call from another line, or ask it to \
                        present your number.";
const FORWARDED: &str =
    "The call was forwarded or transferred. Switch forwarding off and dial the number shown yourself.";
const BUSY: &str = "Too many calls are going on just now. Wait a minute, then call again.";
const NOT_NOW: &str = "The service could not take your call just now. Wait a minute, then call again.";
const NOT_SPOKEN: &str = "Your telephone's connection cannot be taken. Call from another telephone or another line.";

fn english_reason(reason: Reason) -> Sentences {
    let (page, console) = match reason {
        Reason::UnknownPeer => (DIALLED, "No trunk has this source address, or two have it: see `sources`."),
        Reason::IngressSecret => (
            DIALLED,
            "The Request-URI does not bear the trunk's ingress secret: another customer of the carrier, or a wrong URI there.",
        ),
        Reason::Credentials => (
            DIALLED,
            "User or password is not that of the trunk's account (`[trunk.digest]`), or the answer has no qop=auth.",
        ),
        Reason::NotOurNumber => (
            "The call was for another number. Dial the number shown.",
            "The number that was called is none of the trunk's `numbers`, or is not in its `number_format`.",
        ),
        Reason::MalformedIdentity => {
            (NOT_SAID, "From, P-Asserted-Identity or Remote-Party-ID cannot be read, or there are too many of them.")
        }
        Reason::NoNumber => (NOT_SAID, "What names the caller is no telephone number."),
        Reason::Unscreened => (NOT_VOUCHED, "Remote-Party-ID does not say screen=yes and privacy=off."),
        Reason::IdentitiesDiffer => (
            "Your line shows another number than its own. Switch off the number it presents instead, then call again.",
            "Headers name different callers: see `from_is_free_text`, if the carrier lets From hold anything.",
        ),
        Reason::Anonymous => (
            "Your number is withheld. Dial *82 (North America) or *31# (most mobile networks) before the number, or switch \
             your caller ID on in the telephone's settings.",
            "The caller withholds the number.",
        ),
        Reason::Extension => (
            "Extensions behind a switchboard cannot be verified. Call from a line of its own.",
            "The number has an extension or a subaddress: it is not one line.",
        ),
        Reason::SharedLine => (
            "Payphones and shared lines cannot be verified. Call from your own line.",
            "The network says payphone, operator, test line or prison (cpc, isup-oli).",
        ),
        Reason::NumberFormat => (
            "The number that arrived is not a complete telephone number. Call from another line.",
            "In the trunk's `number_format` this is no valid number, or could be two.",
        ),
        Reason::NumberKind => (
            "Toll-free, premium and other service numbers cannot be verified. Call from a fixed or mobile line.",
            "A kind of number that may not be proved: see `allow_voip` and `allow_personal`.",
        ),
        Reason::Forwarded => (
            FORWARDED,
            "The call was forwarded: Diversion, History-Info, a div PASSporT or the trunk's verstat says so.",
        ),
        Reason::Transferred => {
            (FORWARDED, "The call was transferred or takes another over: Referred-By, Replaces or Join.")
        }
        Reason::ValidationFailed => {
            (NOT_VOUCHED, "The network checked the caller's signature (STIR/SHAKEN), and it was bad.")
        }
        Reason::IdentityMissing => (
            NOT_VOUCHED,
            "The call bears no signed identity (STIR/SHAKEN), and the trunk's `identity` is \"required\".",
        ),
        Reason::StaleIdentity => (
            NOT_VOUCHED,
            "The signed identity (STIR/SHAKEN) is more than a minute old or ahead: somebody plays an old one again, or a clock \
             is wrong.",
        ),
        Reason::IdentityUnfetched => (
            NOT_VOUCHED,
            "The certificate of the signed identity could not be fetched from its x5u: the fault in the record says why.",
        ),
        Reason::IdentityUncertified => (
            NOT_VOUCHED,
            "The certificate of the signed identity is not believed, or does not cover the number: the fault in the record \
             says why; see `[passports]`.",
        ),
        Reason::IdentityInvalid => (
            NOT_VOUCHED,
            "The signed identity does not hold, is about another call or has served before: the fault in the record says \
             which.",
        ),
        Reason::BelowIssuingLevel => (
            NOT_VOUCHED,
            "The call was worth less than certificates are issued for: the level says what it was, and what held it down.",
        ),
        Reason::Starting => (NOT_NOW, "The service had just begun and took no calls yet."),
        Reason::Draining => (NOT_NOW, "The service was about to end."),
        Reason::NodeFull => (BUSY, "The node had as many calls as `sip.max_calls` allows."),
        Reason::TrunkFull => (BUSY, "The trunk had as many calls as its `max_calls` allows."),
        Reason::UnacknowledgedFull => {
            (BUSY, "Too many calls of the trunk waited for their ACK: a slow network, or forged source addresses.")
        }
        Reason::TrunkRate => (BUSY, "Calls of the trunk began faster than its `calls_per_second` allows."),
        Reason::NumberBusy => (
            "Other calls from your number are going on. End them, then call again.",
            "The number had two calls at this node already.",
        ),
        Reason::BadOffer => (NOT_SPOKEN, "The session description cannot be read."),
        Reason::NoCodec => (NOT_SPOKEN, "No audio with PCMU, PCMA or G.722 at an address that we reach was offered."),
        Reason::NoSrtp => {
            (NOT_SPOKEN, "The audio must be encrypted (see `srtp`), and no a=crypto line could be taken up.")
        }
        Reason::BadSessionTimer => (NOT_SPOKEN, "Session-Expires or Min-SE cannot be read (RFC 4028)."),
        Reason::SessionTooShort => (NOT_SPOKEN, "The session timer asked for less than 90 seconds (RFC 4028)."),
        Reason::NoContact => (NOT_SPOKEN, "The INVITE has no Contact that a dialog could go to."),
        Reason::NoPort => (BUSY, "No media port was free: make `sip.rtp_ports` longer."),
        Reason::Unavailable => (
            NOT_NOW,
            "The database did not answer in time: see the log of that moment. Or a certificate had to be fetched, and too many \
             were already (`x5u-busy` in the call's record).",
        ),
        Reason::NumberExhausted => (
            "Too many wrong codes were keyed in from your number today. Try again tomorrow.",
            "The number has used up its wrong codes of the day.",
        ),
        Reason::CallsUsedUp => (
            "Too many calls came from your number today and ended without the code. Try again tomorrow.",
            "The number used up `verification.fruitless_calls_a_day`: calls that were answered and ended without a right code.",
        ),
        Reason::NoSession => (
            "A call from your number came while nobody waited for it. Call again while this page shows a code.",
            "No verification waited for this number: its person called too early, too late, or from another number than was typed.",
        ),
        Reason::Probe => {
            (NOT_NOW, "The operator's own call for a probe of the trunk: what arrived stands on the trunk's page.")
        }
        Reason::Cancelled => (
            "The call ended before it was answered. Call again, and let it ring.",
            "The caller, or the carrier, gave up before the answer.",
        ),
    };
    Sentences { page, console }
}

fn english_level(level: Level) -> &'static str {
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

fn english_cap(cap: Cap) -> Sentences {
    let (page, console) = match cap {
        Cap::SharedAddresses => (
            "The way in which your call reached us cannot be told from that of others.",
            "The trunk's addresses are shared, and it has neither `ingress_secret_file` nor `[trunk.digest]`.",
        ),
        Cap::Unscreened => (
            "The carrier that brought your call does not check its callers' numbers.",
            "`cli_screened` is false: nobody checks the numbers that this carrier's customers show.",
        ),
        Cap::Foreign => (
            "The carrier that brought your call is not known to be of your number's country.",
            "The number is not of the trunk's `country`, or none is stated.",
        ),
        Cap::Diversion => (
            "The carrier that brought your call does not say whether calls were forwarded.",
            "`keeps_diversion` is not \"yes\": the call may have been forwarded.",
        ),
        Cap::Privacy => {
            ("Your call asked to have its way hidden.", "The call asked for privacy (Privacy: session or history).")
        }
        Cap::Attestation => (
            "Your telephone company does not fully attest that the number is yours.",
            "The network attests B or C, or used a word that is not in `[trunk.verstat]`.",
        ),
        Cap::TrunkLimit => ("Calls by this way are not trusted with more.", "The trunk's `max_level` allows no more."),
        Cap::Unattested => (
            "No signature of your telephone company (STIR/SHAKEN, attestation A) came with your call.",
            "No attestation A came that counts: none was signed, or the trunk has no `[trunk.verstat]`.",
        ),
        Cap::NoReturnPath => ("Your number was not called back.", "There is no return path to the number."),
    };
    Sentences { page, console }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(of: &str, Sentences { page, console }: Sentences) {
        for sentence in [page, console] {
            assert!(sentence.len() > 20 && sentence.ends_with('.'), "{of}: {sentence:?}");
        }
        // What a page may learn: nothing of trunks and settings.
        assert!(!page.contains('`') && !page.contains("trunk"), "{of}: {page:?}");
    }

    #[test]
    fn every_reason_cap_and_level_has_its_sentences_in_every_language() {
        for Language { tag, level, .. } in &LANGUAGES {
            Reason::ALL.iter().for_each(|reason| check(&format!("{tag} {reason:?}"), reason.sentences(tag)));
            Cap::ALL.iter().for_each(|cap| check(&format!("{tag} {cap:?}"), cap.sentences(tag)));
            let levels = (0..5).filter_map(Level::from_number);
            assert!(levels.map(level).all(|meaning| meaning.ends_with('.')), "{tag}");
        }
    }

    #[test]
    fn a_page_is_told_in_its_own_language_and_the_console_in_english() {
        let pages = ["en", "es-MX", "fr", "de_AT"].map(|locale| Reason::Anonymous.sentences(locale));
        let first = pages.map(|sentences| sentences.page.split(' ').next().unwrap());
        assert_eq!(first, ["Your", "Su", "Votre", "Ihre"]);
        assert!(pages.iter().all(|sentences| sentences.console == pages[0].console));
    }

    #[test]
    fn a_language_that_is_not_spoken_is_told_in_english() {
        for locale in ["en", "en-GB", "EN_us", "tlh", ""] {
            assert_eq!(Reason::Anonymous.sentences(locale), english_reason(Reason::Anonymous), "{locale}");
        }
    }
}
