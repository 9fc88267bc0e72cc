//! TNAuthList (RFC 8226 9): for which telephone numbers a certificate speaks.

use x509_parser::asn1_rs::{Any, Class, FromDer, Ia5String, Integer, Sequence, Tag};

/// The list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TnAuthList(Vec<TnEntry>);

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TnEntry {
    /// A service provider code: whatever numbers that provider has.
    Spc(String),
    /// So many numbers from the first on, of as many digits.
    Range {
        /// Digits, without `+`.
        start: String,
        /// At least two.
        count: u64,
    },
    /// A number: digits, without `+`.
    One(String),
}

/// How far a list is within another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Within {
    /// All of it.
    Wholly,
    /// As far as can be seen: numbers below a service provider code, and which numbers a provider has, no certificate says.
    ByCode,
    /// Not all of it.
    Not,
}

/// The octets are no TNAuthList.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no TNAuthList (RFC 8226 9)")]
pub struct BadTnAuthList;

impl TnAuthList {
    /// Decodes the value of the extension: `SEQUENCE SIZE (1..MAX) OF TNEntry`, in a module with explicit tags.
    ///
    /// # Errors
    /// If it is anything else, or has too many entries.
    pub fn from_der(der: &[u8]) -> Result<Self, BadTnAuthList> {
        let (rest, list) = Sequence::from_der(der).map_err(|_| BadTnAuthList)?;
        let (mut left, mut entries) = (&*list.content, Vec::new());
        while !left.is_empty() && entries.len() < MOST_ENTRIES {
            let (after, entry) = Any::from_der(left).map_err(|_| BadTnAuthList)?;
            entries.push(TnEntry::read(&entry)?);
            left = after;
        }
        let is_whole = rest.is_empty() && left.is_empty() && !entries.is_empty();
        if is_whole { Ok(Self(entries)) } else { Err(BadTnAuthList) }
    }

    /// Its entries.
    pub fn entries(&self) -> &[TnEntry] {
        &self.0
    }

    /// The service provider codes.
    pub fn spcs(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|entry| match entry {
            TnEntry::Spc(spc) => Some(spc.as_str()),
            TnEntry::Range { .. } | TnEntry::One(_) => None,
        })
    }

    /// Is each entry of the other within one entry of this?
    pub(super) fn encompasses(&self, other: &Self) -> Within {
        let within = |narrow: &TnEntry| self.0.iter().map(|wide| wide.encompasses(narrow)).min();
        other.0.iter().filter_map(within).max().unwrap_or(Within::Not)
    }

    /// May its holder sign for this number (digits without `+`)? Which numbers a provider has, its code does not say: who
    /// certified it for SHAKEN answers for that.
    pub(super) fn speaks_for(&self, number: &str) -> bool {
        self.0.iter().any(|entry| matches!(entry, TnEntry::Spc(_)) || entry.holds(number, 1))
    }
}

impl TnEntry {
    fn encompasses(&self, narrow: &Self) -> Within {
        let is_within = match (self, narrow) {
            (Self::Spc(own), Self::Spc(code)) => own == code,
            (Self::Spc(_), Self::Range { .. } | Self::One(_)) => return Within::ByCode,
            (Self::Range { .. } | Self::One(_), Self::Spc(_)) => false,
            (_, Self::Range { start, count }) => self.holds(start, *count),
            (_, Self::One(number)) => self.holds(number, 1),
        };
        if is_within { Within::Wholly } else { Within::Not }
    }

    /// Are these so many numbers from that one on among those that it names itself?
    fn holds(&self, number: &str, many: u64) -> bool {
        match self {
            Self::Spc(_) => false,
            Self::One(one) => many == 1 && one == number,
            Self::Range { start, count } => match (start.parse::<u64>(), number.parse::<u64>()) {
                (Ok(first), Ok(asked)) if start.len() == number.len() => asked
                    .checked_sub(first)
                    .and_then(|before| before.checked_add(many))
                    .is_some_and(|needed| needed <= *count),
                _ => false,
            },
        }
    }

    fn read(entry: &Any<'_>) -> Result<Self, BadTnAuthList> {
        if entry.class() != Class::ContextSpecific || !entry.header.constructed() {
            return Err(BadTnAuthList);
        }
        match entry.tag() {
            Tag(0) => Ok(Self::Spc(spc(entry.data)?)),
            Tag(1) => {
                let (rest, range) = Sequence::from_der(entry.data).map_err(|_| BadTnAuthList)?;
                let (after, start) = Ia5String::from_der(&range.content).map_err(|_| BadTnAuthList)?;
                // What follows the count are extensions to come ("..."): they are not ours to understand.
                let (_, count) = Integer::from_der(after).map_err(|_| BadTnAuthList)?;
                let count = count.as_u64().map_err(|_| BadTnAuthList)?;
                let start = number(start.as_ref())?;
                if rest.is_empty() && is_range(&start, count) {
                    Ok(Self::Range { start, count })
                } else {
                    Err(BadTnAuthList)
                }
            }
            Tag(2) => Ok(Self::One(number(&only_text(entry.data)?)?)),
            _ => Err(BadTnAuthList),
        }
    }
}

/// RFC 8226 9: at least two numbers, of digits, none of them longer than the first.
fn is_range(start: &str, count: u64) -> bool {
    let digits = start.bytes().all(|byte| byte.is_ascii_digit());
    let (first, length) = (start.parse::<u64>(), u32::try_from(start.len()));
    match (first, length) {
        (Ok(first), Ok(length)) if digits && count >= 2 => {
            first.checked_add(count).is_some_and(|after| after <= 10_u64.pow(length))
        }
        _ => false,
    }
}

/// The one IA5String in these octets.
fn only_text(der: &[u8]) -> Result<String, BadTnAuthList> {
    match Ia5String::from_der(der) {
        Ok(([], text)) => Ok(text.as_ref().to_owned()),
        _ => Err(BadTnAuthList),
    }
}

/// It is shown and compared: short and printable.
fn spc(der: &[u8]) -> Result<String, BadTnAuthList> {
    let spc = only_text(der)?;
    let is_code = (1..=LONGEST_SPC).contains(&spc.len()) && spc.bytes().all(|byte| byte.is_ascii_graphic());
    if is_code { Ok(spc) } else { Err(BadTnAuthList) }
}

/// `TelephoneNumber ::= IA5String (SIZE (1..15)) (FROM ("0123456789#*"))`
fn number(text: &str) -> Result<String, BadTnAuthList> {
    let is_number =
        (1..=15).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'#' | b'*'));
    if is_number { Ok(text.to_owned()) } else { Err(BadTnAuthList) }
}

/// A provider has one code or a few; a list of single numbers is an enterprise's.
const MOST_ENTRIES: usize = 1_000;
const LONGEST_SPC: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(hex: &str) -> Result<TnAuthList, BadTnAuthList> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        TnAuthList::from_der(&digits.chunks(2).map(byte).collect::<Vec<u8>>())
    }

    /// 12025550100, as an IA5String.
    const START: &str = "160b 3132303235353530313030";

    #[test]
    fn each_kind_of_entry_is_decoded() {
        for (hex, expected) in [
            ("3008 a006 1604 37303964", TnEntry::Spc("709d".to_owned())),
            (&format!("3014 a112 3010 {START} 020164"), TnEntry::Range { start: "12025550100".to_owned(), count: 100 }),
            (&format!("300f a20d {START}"), TnEntry::One("12025550100".to_owned())),
            ("300b a109 3007 1602 3130 02015a", TnEntry::Range { start: "10".to_owned(), count: 90 }),
        ] {
            assert_eq!(list(hex).unwrap().entries(), [expected], "{hex}");
        }
        let two = list(&format!("3017 a006 1604 37303964 a20d {START}")).unwrap();
        assert_eq!((two.entries().len(), two.spcs().collect::<Vec<_>>()), (2, vec!["709d"]));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for (name, hex) in [
            ("nothing", ""),
            // 10 and 91 numbers, RFC 8226 9's own example: the last would have three digits.
            ("a range that grows in length", "300b a109 3007 1602 3130 02015b"),
            ("an empty list", "3000"),
            ("a URI instead", "1613 68747470733a2f2f6578616d706c652e636f6d"),
            ("something behind it", "3008 a006 1604 37303964 00"),
            ("implicit tags", "3006 8004 37303964"),
            ("an unknown entry", "3008 a306 1604 37303964"),
            ("UTF8String", "3008 a006 0c04 37303964"),
            ("a code with a line break", "3008 a006 1604 3730390a"),
            ("a range of one", &format!("3014 a112 3010 {START} 020101")),
            ("a range of less than none", &format!("3014 a112 3010 {START} 0201ff")),
            ("a number with a plus", "3006 a204 1602 2b31"),
            ("a number of 16 digits", "3014 a212 1610 31323334353637383930313233343536"),
            ("a list that is cut", "3008 a006 1604 3730"),
        ] {
            assert_eq!(list(hex), Err(BadTnAuthList), "{name}");
        }
    }

    #[test]
    fn a_range_holds_its_numbers_and_no_others() {
        let range = list(&format!("3014 a112 3010 {START} 020164")).unwrap();
        for (number, inside) in [
            ("12025550100", true),
            ("12025550199", true),
            ("12025550200", false),
            ("12025550099", false),
            ("012025550100", false),
            ("2025550100", false),
            ("1202555010*", false),
        ] {
            assert_eq!(range.speaks_for(number), inside, "{number}");
        }
        let last = TnAuthList(vec![TnEntry::Range { start: "999999999999999".to_owned(), count: u64::MAX }]);
        assert!(last.speaks_for("999999999999999") && !last.speaks_for("1000000000000000"));
    }

    #[test]
    fn a_list_encompasses_what_is_within_its_entries_and_nothing_else() {
        use Within::{ByCode, Not, Wholly};

        let (code, other) = (TnEntry::Spc("709d".to_owned()), TnEntry::Spc("709e".to_owned()));
        let one = |number: &str| TnEntry::One(number.to_owned());
        let range = |start: &str, count| TnEntry::Range { start: start.to_owned(), count };
        let hundred = range("12025550100", 100);
        for (wide, narrow, expected) in [
            (&code, &code, Wholly),
            (&code, &other, Not),
            (&code, &one("12025550100"), ByCode),
            (&code, &hundred, ByCode),
            (&hundred, &code, Not),
            (&hundred, &hundred, Wholly),
            (&hundred, &range("12025550150", 50), Wholly),
            (&hundred, &range("12025550150", 51), Not),
            (&hundred, &range("12025550099", 2), Not),
            (&hundred, &range("12025550199", u64::MAX), Not),
            (&hundred, &one("12025550199"), Wholly),
            (&hundred, &one("12025550200"), Not),
            (&one("12025550100"), &one("12025550100"), Wholly),
            (&one("12025550100"), &range("12025550100", 2), Not),
        ] {
            let list = |entry: &TnEntry| TnAuthList(vec![entry.clone()]);
            assert_eq!(list(wide).encompasses(&list(narrow)), expected, "{wide:?} {narrow:?}");
        }
        let both = TnAuthList(vec![code.clone(), hundred.clone()]);
        let more = TnAuthList(vec![hundred.clone(), other]);
        let (only_code, only_hundred) = (TnAuthList(vec![code]), TnAuthList(vec![hundred]));
        for (wide, narrow, expected) in [
            (&both, &both, Wholly),
            (&both, &only_hundred, Wholly),
            (&only_code, &both, ByCode),
            (&only_hundred, &both, Not),
            (&only_code, &more, Not),
        ] {
            assert_eq!(wide.encompasses(narrow), expected, "{wide:?} {narrow:?}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_make_it_panic(der in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = TnAuthList::from_der(&der).map(|list| list.speaks_for("12025550143"));
        }
    }
}
