//! Names of subjects and issuers, as they are compared (RFC 5280 7.1): whoever writes a revocation list may take a UTF8String where
//! the certificate has a PrintableString, and other capitals and blanks. To compare octets would believe who stands on such a list.

use std::sync::Arc;

use stringprep::tables::{case_fold_for_nfkc, commonly_mapped_to_nothing};
use unicode_normalization::UnicodeNormalization as _;
use x509_parser::asn1_rs::{Any, BmpString, Class, Tag, UniversalString};
use x509_parser::x509::{AttributeTypeAndValue, RelativeDistinguishedName, X509Name};

/// A distinguished name. Clones share it: each entry of a list has one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Name(Arc<[Vec<Attribute>]>);

/// What it says of one thing, such as the country.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Attribute {
    /// An object identifier.
    kind: Vec<u8>,
    value: Value,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Value {
    Text(String),
    /// No text, or none that can be read: its tag and octets are compared.
    Encoded(u32, Vec<u8>),
}

impl From<&X509Name<'_>> for Name {
    fn from(name: &X509Name<'_>) -> Self {
        let part = |part: &RelativeDistinguishedName<'_>| {
            let mut attributes: Vec<Attribute> = part.iter().map(Attribute::from).collect();
            // DER sorts them as they are encoded.
            attributes.sort_unstable();
            attributes
        };
        Self(name.iter_rdn().map(part).collect())
    }
}

impl From<&AttributeTypeAndValue<'_>> for Attribute {
    fn from(attribute: &AttributeTypeAndValue<'_>) -> Self {
        let value = attribute.attr_value();
        let encoded = || Value::Encoded(value.tag().0, value.data.to_vec());
        Self {
            kind: attribute.attr_type().as_bytes().to_vec(),
            value: text(value).map_or_else(encoded, |text| Value::Text(prepared(&text))),
        }
    }
}

/// What it says, if it is of a type of text that names are written in (RFC 5280 4.1.2.4, and appendix A).
fn text(value: &Any<'_>) -> Option<String> {
    if value.class() != Class::Universal {
        return None;
    }
    match value.tag() {
        Tag::Utf8String => String::from_utf8(value.data.to_vec()).ok(),
        // They are ASCII; but some write in them what their keyboard has, in UTF-8 or in Latin-1.
        Tag::PrintableString | Tag::NumericString | Tag::Ia5String => {
            Some(String::from_utf8(value.data.to_vec()).unwrap_or_else(|_| latin_1(value.data)))
        }
        // Nobody writes T.61: all take it for Latin-1.
        Tag::T61String => Some(latin_1(value.data)),
        Tag::BmpString => BmpString::try_from(value).ok().map(|text| text.string()),
        Tag::UniversalString => UniversalString::try_from(value).ok().map(|text| text.string()),
        _ => None,
    }
}

fn latin_1(octets: &[u8]) -> String {
    octets.iter().copied().map(char::from).collect()
}

/// RFC 4518 2, with the folding of capitals that RFC 5280 7.1 wants. What it prohibits is compared as it is.
fn prepared(text: &str) -> String {
    let is_nothing = |char: &char| commonly_mapped_to_nothing(*char) || (char.is_control() && !char.is_whitespace());
    let folded = text.chars().filter(|char| !is_nothing(char)).flat_map(case_fold_for_nfkc);
    let normal: String = folded.nfkc().collect();
    normal.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::FromDer;

    use super::super::testing::tlv;
    use super::*;

    const COMMON_NAME: &[u8] = &[0x55, 4, 3];
    const COUNTRY: &[u8] = &[0x55, 4, 6];
    const UTF8: u8 = 0x0c;
    const PRINTABLE: u8 = 0x13;
    const T61: u8 = 0x14;
    const IA5: u8 = 0x16;
    const UNIVERSAL: u8 = 0x1c;
    const BMP: u8 = 0x1e;
    const OCTETS: u8 = 0x04;

    /// Its kind, the tag of its value, and that.
    type Written<'a> = (&'a [u8], u8, &'a [u8]);

    /// A name of such parts.
    fn name(parts: &[&[Written<'_>]]) -> Name {
        let attribute = |(kind, tag, value): &Written<'_>| tlv(0x30, &[&tlv(0x06, &[kind]), &tlv(*tag, &[value])]);
        let part = |part: &&[Written<'_>]| tlv(0x31, &[&part.iter().flat_map(attribute).collect::<Vec<u8>>()]);
        let der = tlv(0x30, &[&parts.iter().flat_map(part).collect::<Vec<u8>>()]);
        Name::from(&X509Name::from_der(&der).unwrap().1)
    }

    fn common(tag: u8, value: &[u8]) -> Name {
        name(&[&[(COMMON_NAME, tag, value)]])
    }

    #[test]
    fn a_name_is_the_same_in_every_type_of_text_and_with_other_capitals_and_blanks() {
        for (tag, value) in [
            (UTF8, "Opérateur 1".as_bytes()),
            (UTF8, "  OPÉRATEUR \t 1 ".as_bytes()),
            (UTF8, "Ope\u{301}rateur\u{a0}1".as_bytes()),
            (UTF8, "Op\u{ad}érateur\u{200b} 1\0".as_bytes()),
            (T61, b"Op\xe9rateur 1"),
            (PRINTABLE, b"Op\xe9rateur 1"),
            (IA5, b"Op\xe9rateur 1"),
            (IA5, "Opérateur 1".as_bytes()),
            (BMP, b"\0O\0p\0\xe9\0r\0a\0t\0e\0u\0r\0 \x001"),
            (UNIVERSAL, b"\0\0\0O\0\0\0p\0\0\0\xe9\0\0\0r\0\0\0a\0\0\0t\0\0\0e\0\0\0u\0\0\0r\0\0\0 \0\0\x001"),
        ] {
            assert_eq!(common(tag, value), common(UTF8, "opérateur 1".as_bytes()), "{tag:#x} {value:?}");
        }
        assert_eq!(common(PRINTABLE, b"SHAKEN root"), common(IA5, b"shaken  Root"));
        assert_eq!(common(UTF8, "Straße".as_bytes()), common(PRINTABLE, b"STRASSE"));
        // One part's attributes stand in the order of their encoding.
        let (short, long) = ((COUNTRY, PRINTABLE, &b"US"[..]), (COMMON_NAME, UTF8, &b"root"[..]));
        assert_eq!(name(&[&[short, long]]), name(&[&[long, short]]));
    }

    #[test]
    fn other_names_are_others() {
        let root = || common(UTF8, b"root");
        for other in [
            common(UTF8, b"root 2"),
            common(UTF8, b"ro ot"),
            name(&[]),
            name(&[&[(COUNTRY, UTF8, b"root")]]),
            name(&[&[(COMMON_NAME, UTF8, b"root")], &[(COMMON_NAME, UTF8, b"root")]]),
            common(OCTETS, b"root"),
            common(UTF8, b"root\xff"),
        ] {
            assert_ne!(root(), other);
        }
        let (us, cn) = ((COUNTRY, PRINTABLE, &b"US"[..]), (COMMON_NAME, UTF8, &b"root"[..]));
        assert_ne!(name(&[&[us], &[cn]]), name(&[&[cn], &[us]]), "in this order");
        assert_ne!(name(&[&[us], &[cn]]), name(&[&[us, cn]]));
        // What cannot be read as text is the same only octet by octet.
        assert_eq!(common(UTF8, b"root\xff"), common(UTF8, b"root\xff"));
        assert_ne!(common(UTF8, b"root\xff"), common(UTF8, b"Root\xff"));
        assert_ne!(common(OCTETS, b"root"), common(OCTETS, b"Root"));
    }
}
