//! What is shown instead of numbers and addresses, until somebody says why they must see them.

use std::borrow::Cow;
use std::net::Ipv4Addr;

/// Digits in the user part of a SIP address that make it a telephone number.
const NUMBER_DIGITS: usize = 5;
/// Digits in a row that make any other text one.
const ROW_DIGITS: usize = 7;
/// Digits of a number in a header's value; a port has fewer.
const SPELLED_DIGITS: usize = 6;

/// A number by its last four digits.
pub fn number(last4: &str) -> String {
    format!("***{last4}")
}

/// `tel:+…` by its last four digits, `mailto:…` by its domain.
pub fn identity(identity: &str) -> String {
    match identity.rsplit_once('@') {
        Some((_, domain)) => format!("***@{domain}"),
        None => number(last4(identity)),
    }
}

/// A SIP message's start line and CSeq: addresses in it keep the last four digits of their numbers. A peer writes its
/// own address as it likes, so whatever may hide digits is masked, too.
pub fn summary(text: &str) -> String {
    let words: Vec<Cow<'_, str>> = text.split(' ').map(word).collect();
    words.join(" ")
}

fn word(word: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = word.split_once(':') else { return Cow::Borrowed(word) };
    let (user, host) = match rest.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, rest),
    };
    let is_number = |user: &str| user.contains('%') || user.bytes().filter(u8::is_ascii_digit).count() >= NUMBER_DIGITS;
    let host = if scheme.eq_ignore_ascii_case("tel") && is_number(host) { hidden(host) } else { rows(host) };
    Cow::Owned(match user {
        Some(user) if is_number(user) => format!("{scheme}:{}@{host}", hidden(user)),
        Some(user) => format!("{scheme}:{user}@{host}"),
        None => format!("{scheme}:{host}"),
    })
}

fn hidden(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    number(if text.contains('%') { "" } else { last4(&digits) })
}

/// Long rows of digits cut to their last four.
fn rows(text: &str) -> String {
    let (mut shown, mut row) = (String::new(), String::new());
    for c in text.chars().chain([' ']) {
        if c.is_ascii_digit() {
            row.push(c);
            continue;
        }
        if row.len() >= ROW_DIGITS {
            shown += &number(last4(&row));
        } else {
            shown += &row;
        }
        row.clear();
        shown.push(c);
    }
    shown.pop();
    shown
}

/// A header's value whose numbers keep their spelling and their last four digits: `+*******0143`.
pub fn spelling(text: &str) -> String {
    // Digits in escapes could be a number that looks like none.
    let escapes =
        text.as_bytes().windows(3).any(|three| three[0] == b'%' && three[1] == b'3' && three[2].is_ascii_digit());
    if escapes {
        return "(digits in escapes)".to_owned();
    }
    let (mut shown, mut run) = (String::new(), String::new());
    let mut rest = text.chars().chain([' ']).peekable();
    while let Some(c) = rest.next() {
        // One of these parts groups of digits only between them.
        let parts = matches!(c, ' ' | '/' | '_') && run.ends_with(|last: char| last.is_ascii_digit() || last == ')');
        let goes_on = parts && rest.peek().is_some_and(|next| next.is_ascii_digit() || *next == '(');
        if c.is_ascii_digit() || matches!(c, '-' | '.' | '(' | ')') || goes_on {
            run.push(c);
            continue;
        }
        shown += &starred(&run);
        run.clear();
        shown.push(c);
    }
    shown.pop();
    shown
}

/// Digits and what may part them.
fn starred(run: &str) -> String {
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    if digits < SPELLED_DIGITS || run.trim_matches('.').parse::<Ipv4Addr>().is_ok() {
        return run.to_owned();
    }
    let mut left = digits;
    let hide = |c: char| {
        left -= usize::from(c.is_ascii_digit());
        if c.is_ascii_digit() && left >= 4 { '*' } else { c }
    };
    run.chars().map(hide).collect()
}

fn last4(text: &str) -> &str {
    text.char_indices().rev().nth(3).map_or("", |(at, _)| &text[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_told_by_their_end() {
        assert_eq!(identity("tel:+12025550143"), "***0143");
        assert_eq!(identity("mailto:ada@example.org"), "***@example.org");
        assert_eq!(identity("mailto:\"a@b\"@example.org"), "***@example.org");
        assert_eq!(identity(""), "***");
    }

    #[test]
    fn a_spelling_shows_how_a_number_is_written_and_not_which() {
        for (text, expected) in [
            (
                "<sip:+12025550143@192.0.2.1:5060;user=phone>;tag=1",
                "<sip:+*******0143@192.0.2.1:5060;user=phone>;tag=1",
            ),
            ("\"+1 202 555 0143\" <sip:x@h>", "\"+* *** *** 0143\" <sip:x@h>"),
            ("+49 (30) 901820/43; a=1_2", "+** (**) ****20/43; a=1_2"),
            ("+1_202_555_0143, 7", "+*_***_***_0143, 7"),
            ("SIP/2.0/UDP 192.0.2.1:5060", "SIP/2.0/UDP 192.0.2.1:5060"),
            ("<tel:+1-202-555-0143>, \"x\"", "<tel:+*-***-***-0143>, \"x\""),
            ("<sip:0012025550143@h:50600>", "<sip:*********0143@h:50600>"),
            ("id;header", "id;header"),
            ("TN-Validation-Passed-A", "TN-Validation-Passed-A"),
            ("sip:%31%32%30%32@h", "(digits in escapes)"),
            ("<sip:+12025550143@[2001:db8::7]>;expires=3600", "<sip:+*******0143@[2001:db8::7]>;expires=3600"),
        ] {
            assert_eq!(spelling(text), expected);
        }
    }

    #[test]
    fn no_message_tells_a_number_and_all_else_stays() {
        let table = [
            ("SIP/2.0 200 OK (1 INVITE)", "SIP/2.0 200 OK (1 INVITE)"),
            (
                "INVITE sip:+12025550100@192.0.2.1:5060 SIP/2.0 (314159265)",
                "INVITE sip:***0100@192.0.2.1:5060 SIP/2.0 (314159265)",
            ),
            ("BYE sip:+1-202.555(0143)@192.0.2.7 SIP/2.0 (1)", "BYE sip:***0143@192.0.2.7 SIP/2.0 (1)"),
            ("BYE sip:%2B12025550143@192.0.2.7 SIP/2.0 (1)", "BYE sip:***@192.0.2.7 SIP/2.0 (1)"),
            ("BYE SIPS:12025550143;cpc=x@[2001:db8::7] SIP/2.0 (1)", "BYE SIPS:***0143@[2001:db8::7] SIP/2.0 (1)"),
            ("BYE tel:+1-202-555-0143 SIP/2.0 (1)", "BYE tel:***0143 SIP/2.0 (1)"),
            ("BYE sip:12025550143… SIP/2.0 (1)", "BYE sip:***0143… SIP/2.0 (1)"),
            ("BYE sip:gw@192.0.2.7;n=12025550143 SIP/2.0 (1)", "BYE sip:gw@192.0.2.7;n=***0143 SIP/2.0 (1)"),
            ("OPTIONS sip:192.0.2.1 SIP/2.0 (1)", "OPTIONS sip:192.0.2.1 SIP/2.0 (1)"),
        ];
        for (text, expected) in table {
            assert_eq!(summary(text), expected);
        }
    }
}
