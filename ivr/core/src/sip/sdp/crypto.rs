//! How a stream is protected: a=crypto (RFC 4568) under RTP/SAVP, and under RTP/AVP where the other side would like to and need
//! not (RFC 8643).

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rand_core::Rng;
use sdp_types::Media;

use crate::caller::Srtp;
use crate::media::{MasterKey, Security, Suite};

/// A line: the key of its writer, who sends under it, and the suite of both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Crypto {
    /// Names an offered line in the answer that takes it up.
    tag: u32,
    suite: Suite,
    key: MasterKey,
    key_name_bytes: u8,
}

/// What a description may say about the protection of its stream.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sought<'a> {
    /// An offer: whatever the trunk's rule allows.
    Offer(Srtp),
    /// An answer: what our offer said, with this profile and key.
    Answer { profile: &'a str, ours: Option<&'a Crypto>, srtp: Srtp },
}

/// A stream must not be taken up as it is protected, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotProtected;

/// The line to take up; `None` takes the stream up in the clear.
pub(super) fn read(media: &Media, sought: Sought<'_>) -> Result<Option<Crypto>, NotProtected> {
    let lines = media.get_attribute_values("crypto").flatten();
    // RFC 4568 5.1.2: they stand in the order of preference.
    let mut known = lines.filter_map(Crypto::parse);
    let (crypto, srtp) = match sought {
        Sought::Offer(srtp) => (known.next(), srtp),
        Sought::Answer { profile, .. } if profile != media.proto => return Err(NotProtected),
        // RFC 4568 5.1.3: the answer names one of the lines of the offer.
        Sought::Answer { ours: Some(ours), srtp, .. } => (known.find(|theirs| theirs.answers(ours)), srtp),
        Sought::Answer { ours: None, srtp, .. } => (None, srtp),
    };
    match crypto {
        None if media.proto != CLEAR_PROFILE || srtp == Srtp::Required => Err(NotProtected),
        crypto => Ok(crypto),
    }
}

impl Crypto {
    /// The line of our own first offer.
    pub(crate) fn offer(chance: &mut impl Rng) -> Self {
        Self::drawn(FIRST_TAG, Suite::AesCm128Sha1_80, chance)
    }

    /// Our line for this one.
    pub(crate) fn answer(&self, chance: &mut impl Rng) -> Self {
        Self::drawn(self.tag, self.suite, chance)
    }

    fn drawn(tag: u32, suite: Suite, chance: &mut impl Rng) -> Self {
        let mut octets = vec![0; suite.master_bytes()];
        chance.fill_bytes(&mut octets);
        let key = MasterKey::new(octets, suite).expect("so many were drawn");
        Self { tag, suite, key, key_name_bytes: 0 }
    }

    /// What both lines agree on.
    pub(crate) fn with(&self, theirs: &Self) -> Security {
        Security {
            suite: theirs.suite,
            ours: self.key.clone(),
            theirs: theirs.key.clone(),
            key_name_bytes: theirs.key_name_bytes,
        }
    }

    /// The value of the attribute.
    pub(super) fn written(&self) -> String {
        format!("{} {} inline:{}", self.tag, self.suite.name(), BASE64.encode(self.key.expose()))
    }

    fn answers(&self, ours: &Self) -> bool {
        (self.tag, self.suite) == (ours.tag, ours.suite)
    }

    /// RFC 4568 9.1. `None` for a line that we do not know or cannot obey.
    fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next().filter(|tag| tag.len() <= LONGEST_TAG && is_number(tag))?.parse().ok()?;
        let suite = Suite::from_name(words.next()?)?;
        let (key, key_name_bytes) = parameters(words.next()?, suite)?;
        words.all(obeyed).then_some(Self { tag, suite, key, key_name_bytes })
    }
}

/// `inline:` key and salt, lifetime, and name of the key (RFC 4568 6.1). Several keys in one line would need their names to be
/// told apart; no telephone writes such lines.
fn parameters(text: &str, suite: Suite) -> Option<(MasterKey, u8)> {
    let (method, info) = text.split_at_checked(METHOD.len())?;
    if !method.eq_ignore_ascii_case(METHOD) {
        return None;
    }
    let mut parts = info.split('|');
    let key = MasterKey::new(BASE64.decode(parts.next()?).ok()?, suite)?;
    let (lifetime, name) = match (parts.next(), parts.next(), parts.next()) {
        (None, ..) => (None, None),
        (Some(only), None, _) if only.contains(':') => (None, Some(only)),
        (Some(lifetime), name, None) => (Some(lifetime), name),
        _ => return None,
    };
    // It binds the one who sends under the key, and no call lasts as long as the shortest that anybody would write.
    if !lifetime.is_none_or(is_lifetime) {
        return None;
    }
    Some((key, name.map_or(Some(0), name_bytes)?))
}

/// `2^31` or a number of packets, 2^48 at most.
fn is_lifetime(text: &str) -> bool {
    match text.strip_prefix("2^") {
        Some(power) => is_number(power) && power.parse::<u8>().is_ok_and(|power| power <= 48),
        None => is_number(text) && text.parse::<u64>().is_ok_and(|packets| (1..=1 << 48).contains(&packets)),
    }
}

/// `1:4`: the name, and how many octets it has in every packet. Which name it is does not matter where there is one key.
fn name_bytes(text: &str) -> Option<u8> {
    let (name, length) = text.split_once(':')?;
    let length = length.parse().ok().filter(|length| is_number(name) && (1..=LONGEST_NAME).contains(length))?;
    Some(length)
}

/// May a line have this session parameter (RFC 4568 6.3)? How large the other side would have our window is a hint. All others
/// would change what is protected or how keys are derived, or are unknown; of these, `-` marks what need not be known.
fn obeyed(parameter: &str) -> bool {
    parameter.starts_with('-') || parameter.strip_prefix("WSH=").is_some_and(is_number)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())
}

/// Some write no padding, some do.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const METHOD: &str = "inline:";
const FIRST_TAG: u32 = 1;
/// RFC 4568 9.1: nine digits.
const LONGEST_TAG: usize = 9;
/// RFC 4568 6.1.
const LONGEST_NAME: u8 = 128;
/// The profile of streams that may be in the clear.
pub(super) const CLEAR_PROFILE: &str = "RTP/AVP";
/// The profile of our own offers that must be protected.
pub(super) const SECURE_PROFILE: &str = "RTP/SAVP";
/// Profiles of streams that we can take up. Feedback (AVPF) is an offer, too: we send none.
pub(super) const PROFILES: [&str; 3] = [CLEAR_PROFILE, SECURE_PROFILE, "RTP/SAVPF"];

#[cfg(test)]
mod tests;
