//! EMAIL: a leaf for a mailbox.

use sha2::{Digest, Sha256};
use x509_parser::prelude::{GeneralName, ParsedExtension};

use super::{CLIENT_AUTH, Case, DAY, EMAIL_PROTECTION, Lint, P256, SUBJECT_ALT_NAME, Wanted, require};
use crate::email::Address;
use crate::subject::Subject;

/// digitalSignature and keyAgreement (RFC 5280 4.2.1.3).
const SIGN_AND_AGREE: u16 = 1 | 1 << 4;

pub(super) const LINTS: &[Lint] = &[
    Lint { clause: "EMAIL-1", check: has_common_name },
    Lint { clause: "EMAIL-2", check: has_mailbox },
    Lint { clause: "EMAIL-3", check: |case| require(case.key_usage() == Some(SIGN_AND_AGREE), "another key usage") },
    Lint { clause: "EMAIL-4", check: has_mail_purposes },
    Lint {
        clause: "EMAIL-5",
        check: |case| require(case.policies() == Some(vec![case.own_id(".1.0")]), "another policy than L0"),
    },
    Lint { clause: "EMAIL-6", check: |case| require(case.life_seconds() <= 90 * DAY, "a life of more than 90 days") },
    Lint { clause: "EMAIL-7", check: |case| require(case.has_curve(P256, 65), "a key that is not P-256") },
    Lint { clause: "EMAIL-8", check: is_of_email_issuer },
];

fn address<'a>(case: &Case<'a>) -> Result<&'a Address, &'static str> {
    match case.wanted {
        Wanted::Leaf(Subject::Email(address)) => Ok(address),
        _ => Err("not a leaf for a mailbox"),
    }
}

fn has_common_name(case: &Case<'_>) -> Result<(), &'static str> {
    let (address, folded) = (address(case)?.verbatim(), address(case)?.key());
    let found = case.common_name().unwrap_or_default();
    if address.chars().count() <= 64 {
        return require(found == address, "another common name than the address");
    }
    let hash = Sha256::digest(folded);
    let expected = hash[..16].iter().fold("mailbox ".to_owned(), |text, octet| format!("{text}{octet:02x}"));
    require(found == expected, "another common name than the hash of a long address")
}

fn has_mailbox(case: &Case<'_>) -> Result<(), &'static str> {
    let address = address(case)?.verbatim();
    let Some(ParsedExtension::SubjectAlternativeName(names)) = case.parsed(SUBJECT_ALT_NAME, false) else {
        return Err("no subjectAltName");
    };
    let right = |name: &GeneralName<'_>| match name {
        GeneralName::RFC822Name(found) => address.is_ascii() && *found == address,
        GeneralName::OtherName(kind, value) => {
            !address.is_ascii() && crate::request::utf8_mailbox(kind, value).as_deref() == Some(address)
        }
        _ => false,
    };
    require(names.general_names.iter().all(right), "a name other than the address")
}

fn has_mail_purposes(case: &Case<'_>) -> Result<(), &'static str> {
    let holds = if case.settings.strict_smime {
        case.has_purposes(&[EMAIL_PROTECTION])
    } else {
        case.has_purposes(&[EMAIL_PROTECTION, CLIENT_AUTH, &case.own_id(".3.1")])
    };
    require(holds, "other key purposes")
}

fn is_of_email_issuer(case: &Case<'_>) -> Result<(), &'static str> {
    require(case.issuer_policies() == [case.own_id(".1.0")], "the other intermediate")
}
