//! Who calls, as the headers spell it: lists of addresses, URIs with telephone numbers in them, Privacy. Read from the
//! raw values by our own reader, because the parameters that decide about a caller stand inside the user part
//! (`sip:+12025550143;cpc=payphone@host`), where a message model does not look. Reads only; `caller/policy.rs` judges.

use std::borrow::Cow;

/// The headers of a request as name and raw value, unfolded, in their order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Headers<'a>(pub(crate) &'a [(&'a str, &'a str)]);

impl<'a> Headers<'a> {
    /// The values of every header of this name. `compact` is its one-letter form (RFC 3261 7.3.3).
    pub(crate) fn values<'n>(
        self,
        name: &'n str,
        compact: Option<&'static str>,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        let is_named = move |given: &str| {
            given.eq_ignore_ascii_case(name) || compact.is_some_and(|compact| given.eq_ignore_ascii_case(compact))
        };
        self.0.iter().filter(move |(given, _)| is_named(given.trim_ascii())).map(|(_, value)| value.trim())
    }

    /// The values with comma-separated lists taken apart (RFC 3261 7.3.1), empty ones included.
    pub(crate) fn entries<'n>(
        self,
        name: &'n str,
        compact: Option<&'static str>,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.values(name, compact).flat_map(|value| Pieces::of(value, b','))
    }

    /// Is there a header of this name, be it empty?
    pub(crate) fn has(self, name: &'static str, compact: Option<&'static str>) -> bool {
        self.values(name, compact).next().is_some()
    }
}

/// The pieces of a text between separators that stand outside quotes and angle brackets.
pub(crate) struct Pieces<'a> {
    rest: Option<&'a str>,
    at: u8,
}

impl<'a> Pieces<'a> {
    /// The pieces of a text; one empty piece of an empty text.
    pub(crate) fn of(text: &'a str, at: u8) -> Self {
        Self { rest: Some(text), at }
    }

    /// What was not taken yet.
    pub(crate) fn rest(&self) -> Option<&'a str> {
        self.rest
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let (bytes, mut from) = (rest.as_bytes(), 0);
        while let Some(length) = bytes[from..].iter().position(|byte| *byte == self.at || matches!(byte, b'"' | b'<')) {
            let i = from + length;
            match bytes[i] {
                b'"' => from = after_quotes(bytes, i),
                b'<' => from = bytes[i..].iter().position(|byte| *byte == b'>').map_or(bytes.len(), |end| i + end + 1),
                _ => {
                    self.rest = Some(&rest[i + 1..]);
                    return Some(rest[..i].trim());
                }
            }
        }
        self.rest = None;
        Some(rest.trim())
    }
}

/// Where a text goes on after the quotes that open at `from`: at its end, if they do not close.
fn after_quotes(text: &[u8], from: usize) -> usize {
    let mut i = from + 1;
    while let Some(length) = text[i.min(text.len())..].iter().position(|byte| matches!(byte, b'"' | b'\\')) {
        i += length + 1;
        if text[i - 1] == b'"' {
            return i;
        }
        // What follows a backslash means itself.
        i += 1;
    }
    text.len()
}

/// `;`-separated parameters, with or without the first `;`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parameters<'a>(pub(crate) &'a str);

impl<'a> Parameters<'a> {
    /// Name and value (without quotes; empty for a flag) of each.
    pub(crate) fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let pieces = (!self.0.is_empty()).then(|| Pieces::of(self.0, b';')).into_iter().flatten();
        pieces.filter(|piece| !piece.is_empty()).map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (name.trim(), value.trim().trim_matches('"'))
        })
    }

    /// The first value of this name.
    pub(crate) fn value(self, name: &str) -> Option<&'a str> {
        self.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// One entry of From, P-Asserted-Identity, Diversion, History-Info, …: `"Name" <uri>;parameters`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameAddress<'a> {
    /// The display name without its quotes.
    pub(crate) display: &'a str,
    /// What it names.
    pub(crate) uri: Uri<'a>,
    /// What stands after the address.
    pub(crate) parameters: Parameters<'a>,
}

impl<'a> NameAddress<'a> {
    /// Reads one entry, or says that it is none.
    pub(crate) fn parse(entry: &'a str) -> Option<Self> {
        let Some((display, rest)) = split_at_bracket(entry) else {
            // RFC 3261 20.10 gives what follows a `;` to the header; a telephone number's own parameters may stand
            // there, too. Whoever asks for a parameter looks in both, so the URI may keep them.
            return Some(Self { display: "", uri: Uri::parse(entry)?, parameters: Parameters("") });
        };
        let (uri, parameters) = rest.split_once('>')?;
        let parameters = parameters.trim();
        if !parameters.is_empty() && !parameters.starts_with(';') {
            return None;
        }
        Some(Self {
            display: display.trim().trim_matches('"').trim(),
            uri: Uri::parse(uri.trim())?,
            parameters: Parameters(parameters),
        })
    }

    /// The value of a parameter, wherever it stands: in the user part, the URI or after the address. Several different
    /// values are all returned, because who adds a second one wants one of them overlooked.
    pub(crate) fn everywhere(&self, name: &'static str) -> impl Iterator<Item = &'a str> {
        self.all_parameters().filter(move |(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Name and value of every parameter, wherever it stands.
    pub(crate) fn all_parameters(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        [self.uri.user_parameters, self.uri.parameters, self.parameters].into_iter().flat_map(Parameters::iter)
    }
}

/// Display name and the text after the `<` that opens the address; a `<` inside quotes opens nothing.
pub(crate) fn split_at_bracket(entry: &str) -> Option<(&str, &str)> {
    let (bytes, mut from) = (entry.as_bytes(), 0);
    while let Some(length) = bytes[from..].iter().position(|byte| matches!(byte, b'"' | b'<')) {
        let i = from + length;
        match bytes[i] {
            b'"' => from = after_quotes(bytes, i),
            _ => return Some((&entry[..i], &entry[i + 1..])),
        }
    }
    None
}

/// The schemes that an identity may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// `sip:` and `sips:`
    Sip,
    /// `tel:`
    Tel,
}

/// A `sip:`, `sips:` or `tel:` URI, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Uri<'a> {
    /// Which of the two.
    pub(crate) scheme: Scheme,
    /// The user part, or the number of a `tel:` URI: escapes undone, without parameters and password.
    pub(crate) user: Cow<'a, str>,
    /// Parameters inside the user part (RFC 3261 19.1.6), or those of a `tel:` URI.
    pub(crate) user_parameters: Parameters<'a>,
    /// Host without its port; empty in a `tel:` URI.
    pub(crate) host: &'a str,
    /// URI parameters.
    pub(crate) parameters: Parameters<'a>,
    /// What stands after `?`.
    pub(crate) headers: &'a str,
}

impl<'a> Uri<'a> {
    /// Reads a URI, or says that it is none of ours.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        if scheme.eq_ignore_ascii_case("tel") {
            let (number, parameters) = split_before(rest, ';');
            return Some(Self {
                scheme: Scheme::Tel,
                user: unescaped(number)?,
                user_parameters: Parameters(parameters),
                host: "",
                parameters: Parameters(""),
                headers: "",
            });
        }
        if !scheme.eq_ignore_ascii_case("sip") && !scheme.eq_ignore_ascii_case("sips") {
            return None;
        }
        // An unescaped @ is legal nowhere but before the host (RFC 3261 25.1): a second one would let two readers
        // see two users.
        let (userinfo, rest) = match rest.split_once('@') {
            Some((_, rest)) if rest.contains('@') => return None,
            Some((userinfo, rest)) => (userinfo, rest),
            None => ("", rest),
        };
        let (rest, headers) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, parameters) = split_before(rest, ';');
        let (user, user_parameters) = split_before(userinfo, ';');
        let user = user.split_once(':').map_or(user, |(user, _password)| user);
        Some(Self {
            scheme: Scheme::Sip,
            user: unescaped(user)?,
            user_parameters: Parameters(user_parameters),
            host: without_port(host),
            parameters: Parameters(parameters),
            headers,
        })
    }

    /// Does it say that its user is a telephone number?
    pub(crate) fn is_telephone(&self) -> bool {
        match self.scheme {
            Scheme::Tel => true,
            Scheme::Sip => self.parameters.value("user").is_some_and(|value| value.eq_ignore_ascii_case("phone")),
        }
    }

    /// `+` (if there is one) and digits, visual separators removed (RFC 3966 5.1.1); `None` for anything else.
    pub(crate) fn telephone_digits(&self) -> Option<String> {
        let digits: String = self.user.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')')).collect();
        let bare = digits.strip_prefix('+').unwrap_or(&digits);
        (!bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
    }

    /// The value of a header inside the URI, escapes undone.
    pub(crate) fn header(&self, name: &str) -> Option<Cow<'a, str>> {
        self.headers
            .split('&')
            .filter_map(|header| header.split_once('='))
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| unescaped(value))
    }
}

/// What stands before the first `at`, and from it on.
fn split_before(text: &str, at: char) -> (&str, &str) {
    text.find(at).map_or((text, ""), |i| text.split_at(i))
}

fn without_port(host: &str) -> &str {
    if host.starts_with('[') {
        return host.find(']').map_or(host, |end| &host[..=end]);
    }
    host.split_once(':').map_or(host, |(host, _port)| host)
}

/// Undoes `%HH` (RFC 3261 19.1.2); `None` if an escape is broken or hides what is not UTF-8.
fn unescaped(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).expect("two hexadecimal digits are a byte"));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// What the caller asks the network to hide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Privacy {
    /// Nothing: no header, or `none`.
    Open,
    /// `session` or `history`: the way of the call, not who calls.
    Way,
    /// `id` (RFC 3325 9.3), `header`, `user`, `critical` (RFC 3323 4.2): who calls.
    Withheld,
}

impl Privacy {
    /// The most that any Privacy header asks for. RFC 3323 4.2 separates values by `;`; some senders use commas.
    pub(crate) fn of(headers: Headers<'_>) -> Self {
        headers
            .values("Privacy", None)
            .flat_map(|value| value.split([';', ',']))
            .map(|value| match value.trim().to_ascii_lowercase().as_str() {
                "id" | "header" | "user" | "critical" => Self::Withheld,
                // Not in the RFC, but what Remote-Party-ID calls the same wish.
                "full" | "name" | "uri" => Self::Withheld,
                "session" | "history" => Self::Way,
                _ => Self::Open,
            })
            .max()
            .unwrap_or(Self::Open)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entries(value: &str) -> Vec<&str> {
        Pieces::of(value, b',').collect()
    }

    #[test]
    fn commas_part_entries_only_outside_quotes_and_brackets() {
        assert_eq!(entries("<sip:a@h>, <tel:+1>"), ["<sip:a@h>", "<tel:+1>"]);
        assert_eq!(entries(r#""Doe, J" <sip:a,b@h>;x="1,2""#), [r#""Doe, J" <sip:a,b@h>;x="1,2""#]);
        assert_eq!(entries(r#""a\", b" <sip:x@h>, y"#), [r#""a\", b" <sip:x@h>"#, "y"]);
        assert_eq!(entries("a,,b"), ["a", "", "b"]);
        assert_eq!(entries(""), [""]);
    }

    #[test]
    fn a_quoted_bracket_opens_no_address() {
        let entry = NameAddress::parse(r#""<sip:+12025550100@evil>" <sip:+12025550143@h>;tag=1"#).unwrap();
        assert_eq!(entry.uri.user, "+12025550143");
        assert_eq!(entry.display, "<sip:+12025550100@evil>");
        assert_eq!(entry.parameters.value("TAG"), Some("1"));
    }

    #[test]
    fn uris_are_taken_apart() {
        type UserHostClass<'a> = (&'a str, &'a str, &'a str);
        let table: &[(&str, Option<UserHostClass<'_>>)] = &[
            ("sip:+12025550143@192.0.2.1:5060;user=phone", Some(("+12025550143", "192.0.2.1", ""))),
            ("SIPS:%2B12025550143@[2001:db8::1]:5061", Some(("+12025550143", "[2001:db8::1]", ""))),
            ("sip:+12025550143;npdi;cpc=payphone@h", Some(("+12025550143", "h", "payphone"))),
            ("tel:+1-202-555-0143;cpc=operator", Some(("+1-202-555-0143", "", "operator"))),
            ("sip:alice:secret@h", Some(("alice", "h", ""))),
            ("sip:h", Some(("", "h", ""))),
            ("sip:@h", Some(("", "h", ""))),
            ("sip:a@b@c", None),
            ("sip:%4@h", None),
            ("sip:%zz@h", None),
            ("sip:%ff@h", None),
            ("mailto:a@b", None),
            ("urn:service:sos", None),
            ("+12025550143", None),
            ("", None),
        ];
        for (given, expected) in table {
            let uri = Uri::parse(given);
            let found = uri
                .as_ref()
                .map(|uri| (uri.user.as_ref(), uri.host, uri.user_parameters.value("cpc").unwrap_or_default()));
            assert_eq!(found, *expected, "{given}");
        }
    }

    #[test]
    fn only_a_plus_and_digits_are_a_telephone_number() {
        for (uri, digits) in [
            ("tel:+1-202-555.0143", Some("+12025550143")),
            ("tel:(202)555-0143", Some("2025550143")),
            ("sip:12025550143@h", Some("12025550143")),
            ("tel:+", None),
            ("tel:++12025550143", None),
            ("tel:*67", None),
            ("tel:202555014A", None),
            ("sip:2025550143%20@h", None),
            ("sip:alice@h", None),
            ("sip:h", None),
        ] {
            assert_eq!(Uri::parse(uri).unwrap().telephone_digits().as_deref(), digits, "{uri}");
        }
    }

    #[test]
    fn privacy_is_the_most_that_is_asked_for() {
        for (values, expected) in [
            (&[][..], Privacy::Open),
            (&["none"], Privacy::Open),
            (&["id"], Privacy::Withheld),
            (&["none", "ID"], Privacy::Withheld),
            (&["session;critical"], Privacy::Withheld),
            (&["history"], Privacy::Way),
            (&["session , user"], Privacy::Withheld),
            (&[""], Privacy::Open),
        ] {
            let headers: Vec<_> = values.iter().map(|value| ("privacy", *value)).collect();
            assert_eq!(Privacy::of(Headers(&headers)), expected, "{values:?}");
        }
    }

    #[test]
    fn headers_are_found_by_long_and_compact_name() {
        let headers = [("F", "<sip:a@h>"), ("p-asserted-identity", "<sip:b@h>, <tel:+1>"), ("From ", "x")];
        let headers = Headers(&headers);
        assert_eq!(headers.values("From", Some("f")).collect::<Vec<_>>(), ["<sip:a@h>", "x"]);
        assert_eq!(headers.entries("P-Asserted-Identity", None).collect::<Vec<_>>(), ["<sip:b@h>", "<tel:+1>"]);
        assert!(!headers.has("Diversion", None));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_readers_panic(text in "\\PC{0,60}") {
            let _ = NameAddress::parse(&text).map(|entry| entry.everywhere("cpc").count());
            let _ = Uri::parse(&text).map(|uri| (uri.telephone_digits(), uri.header("Reason")));
            prop_assert!(entries(&text).len() <= text.len() + 1);
        }

        #[test]
        fn uri_like_text_never_panics(text in "(sips?|tel):[+%;:@?&=<>\",a-f0-9]{0,40}") {
            let _ = Uri::parse(&text).map(|uri| (uri.telephone_digits(), uri.header("Reason"), uri.is_telephone()));
        }
    }
}
