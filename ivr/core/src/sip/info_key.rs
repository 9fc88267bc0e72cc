//! A key press in the body of an INFO, in the two ways that gateways write one; neither has an RFC.
//! `application/dtmf-relay` has lines, `Signal=5` and `Duration=160`; `application/dtmf` is the key and nothing else.

/// Why a body tells no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is of another type.
    MediaType,
    /// It is not as its type is written.
    Malformed,
}

/// The key: `0`–`9`, `*`, `#`, `A`–`D`. `None` is a hook flash, which is no key.
pub(crate) fn read(content_type: &str, body: &[u8]) -> Result<Option<char>, Unreadable> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let is = |known: &str| media_type.eq_ignore_ascii_case(known);
    if !is(RELAY) && !is(BARE) {
        return Err(Unreadable::MediaType);
    }
    let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= LONGEST_BODY_BYTES);
    let text = text.ok_or(Unreadable::Malformed)?;
    let written = if is(RELAY) { signal(text) } else { Some(text.trim()) };
    written.and_then(key).ok_or(Unreadable::Malformed)
}

/// The value of the only `Signal`. How long the key was held is not asked.
fn signal(text: &str) -> Option<&str> {
    let fields = text.split(['\r', '\n']).filter_map(|line| line.split_once('='));
    let mut signals = fields.filter(|(name, _)| name.trim().eq_ignore_ascii_case("Signal"));
    let (_, value) = signals.next()?;
    signals.next().is_none().then(|| value.trim())
}

/// A key as itself or as the number of its event (RFC 4733 3.2); 16, or `!`, is a flash.
fn key(text: &str) -> Option<Option<char>> {
    let mut characters = text.chars();
    if let (Some(only), None) = (characters.next(), characters.next()) {
        let only = only.to_ascii_uppercase();
        return KEYS.contains(only).then_some(Some(only)).or((only == '!').then_some(None));
    }
    match text {
        "10" | "11" | "12" | "13" | "14" | "15" => Some(KEYS.chars().nth(text.parse().ok()?)),
        "16" => Some(None),
        _ => None,
    }
}

/// The media types of the two.
pub(crate) const RELAY: &str = "application/dtmf-relay";
pub(crate) const BARE: &str = "application/dtmf";
/// In the order of their events.
const KEYS: &str = "0123456789*#ABCD";
/// A key and how long it was held take about 30.
const LONGEST_BODY_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_is_read_in_both_ways_and_nothing_else_is_one() {
        let key = |key| Ok(Some(key));
        let malformed = Err(Unreadable::Malformed);
        for (media_type, body, expected) in [
            (RELAY, "Signal=5\r\nDuration=160\r\n", key('5')),
            (RELAY, "Signal=5\r\nDuration=160", key('5')),
            (RELAY, "Signal= 5\nDuration= 160\n", key('5')),
            (RELAY, "Duration=160\r\nSignal=*\r\n", key('*')),
            (RELAY, " signal = # ", key('#')),
            (RELAY, "Signal=d", key('D')),
            (RELAY, "Signal=10", key('*')),
            (RELAY, "Signal=11", key('#')),
            (RELAY, "Signal=15", key('D')),
            (RELAY, "Signal=16\r\nDuration=160\r\n", Ok(None)),
            (RELAY, "Signal=!", Ok(None)),
            (RELAY, "Signal=17", malformed),
            (RELAY, "Signal=05", malformed),
            (RELAY, "Signal=55", malformed),
            (RELAY, "Signal=E", malformed),
            (RELAY, "Signal=", malformed),
            (RELAY, "Signal=1\r\nSignal=2", malformed),
            (RELAY, "Duration=160", malformed),
            (RELAY, "5", malformed),
            (RELAY, "", malformed),
            (BARE, "5", key('5')),
            (BARE, " 5\r\n", key('5')),
            (BARE, "#", key('#')),
            (BARE, "11", key('#')),
            (BARE, "5 5", malformed),
            (BARE, "Signal=5", malformed),
            (BARE, "", malformed),
            (BARE, "\u{665}", malformed),
            ("Application/DTMF-Relay; charset=utf-8", "Signal=7", key('7')),
            ("application/dtmf-relayed", "Signal=7", Err(Unreadable::MediaType)),
            ("application/sdp", "5", Err(Unreadable::MediaType)),
            ("", "5", Err(Unreadable::MediaType)),
        ] {
            assert_eq!(read(media_type, body.as_bytes()), expected, "{media_type}: {body:?}");
        }
        assert_eq!(read(BARE, b"\xff"), malformed);
        let long = format!("Signal=5\r\nDuration={}", "0".repeat(LONGEST_BODY_BYTES));
        assert_eq!(read(RELAY, long.as_bytes()), malformed);
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_a_key(
            relay in any::<bool>(),
            body in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..40),
                "(Signal|Duration)?[ =]{0,3}[0-9a-d*#! ]{0,3}[\r\n]{0,2}[ -~]{0,20}".prop_map(String::into_bytes),
            ],
        ) {
            if let Ok(Some(key)) = read(if relay { RELAY } else { BARE }, &body) {
                prop_assert!(KEYS.contains(key));
            }
        }
    }
}
