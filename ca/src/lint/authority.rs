//! ROOT, CA and DIR: the authority's own certificates.

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::ParsedExtension;

use super::{
    AUTHORITY_KEY_ID, BASIC_CONSTRAINTS, CLIENT_AUTH, Case, DAY, ECDSA_SHA384, EMAIL_PROTECTION, EXT_KEY_USAGE,
    KEY_USAGE, Lint, NAME_CONSTRAINTS, P256, P384, POLICIES, SUBJECT_KEY_ID, Wanted, require,
};
use crate::profile::Issuing;

/// keyCertSign and cRLSign (RFC 5280 4.2.1.3).
const SIGN_CERTIFICATES_AND_LISTS: u16 = 1 << 5 | 1 << 6;
const INTERMEDIATE_DAYS: i64 = 1095;

pub(super) const ROOT: &[Lint] = &[
    Lint { clause: "ROOT-1", check: is_self_signed },
    Lint { clause: "ROOT-2", check: |case| require(case.has_curve(P384, 97), "a key that is not P-384") },
    Lint { clause: "ROOT-3", check: |case| has_path_length(case, 1) },
    Lint { clause: "ROOT-4", check: signs_certificates_and_lists },
    Lint { clause: "ROOT-5", check: |case| lives(case, 3652) },
    Lint { clause: "ROOT-6", check: |case| has_keys_and(case, &[BASIC_CONSTRAINTS, KEY_USAGE, SUBJECT_KEY_ID]) },
];

pub(super) const INTERMEDIATE: &[Lint] = &[
    Lint { clause: "CA-1", check: is_signed_by_root },
    Lint { clause: "CA-2", check: has_intermediate_name },
    Lint { clause: "CA-3", check: |case| has_path_length(case, 0) },
    Lint { clause: "CA-4", check: signs_certificates_and_lists },
    Lint { clause: "CA-5", check: has_every_purpose },
    Lint { clause: "CA-6", check: |case| lives(case, INTERMEDIATE_DAYS) },
    Lint { clause: "CA-7", check: excludes_hosts },
    Lint { clause: "CA-8", check: has_its_policies },
    Lint {
        clause: "CA-9",
        check: |case| {
            let others = [BASIC_CONSTRAINTS, EXT_KEY_USAGE, KEY_USAGE, NAME_CONSTRAINTS, POLICIES, SUBJECT_KEY_ID];
            require(case.has_authority_key_identifier(), "no or another authority key identifier")?;
            has_keys_and(case, &[&[AUTHORITY_KEY_ID], &others[..]].concat())
        },
    },
    Lint { clause: "CA-10", check: |case| require(case.has_curve(P256, 65), "a key that is not P-256") },
];

pub(super) const DIRECTORY: &[Lint] = &[
    Lint { clause: "DIR-1", check: is_signed_by_root },
    Lint { clause: "DIR-2", check: |case| require(case.has_ed25519_key(), "a key that is not Ed25519") },
    Lint { clause: "DIR-3", check: signs_and_issues_nothing },
    Lint {
        clause: "DIR-4",
        check: |case| require(case.has_purposes(&[&case.own_id(".3.2")]), "another purpose than the directory"),
    },
    Lint { clause: "DIR-5", check: |case| lives(case, INTERMEDIATE_DAYS) },
    Lint {
        clause: "DIR-6",
        check: |case| {
            require(case.has_authority_key_identifier(), "no or another authority key identifier")?;
            has_keys_and(case, &[AUTHORITY_KEY_ID, BASIC_CONSTRAINTS, EXT_KEY_USAGE, KEY_USAGE, SUBJECT_KEY_ID])
        },
    },
];

fn is_signed_by_root(case: &Case<'_>) -> Result<(), &'static str> {
    require(
        case.has_version_3() && case.has_good_serial(),
        "another version, or a serial that is not 20 positive octets",
    )?;
    require(case.names_issuer() && case.is_signed_with(ECDSA_SHA384), "another issuer or signature algorithm")?;
    require(
        case.certificate.verify_signature(Some(case.issuer.public_key())).is_ok(),
        "a signature that is not the root's",
    )
}

fn is_self_signed(case: &Case<'_>) -> Result<(), &'static str> {
    is_signed_by_root(case)?;
    require(case.common_name() == Some(case.settings.root_name().as_str()), "another name")
}

fn has_intermediate_name(case: &Case<'_>) -> Result<(), &'static str> {
    let name = case.settings.intermediate_name(intermediate(case)?);
    require(case.common_name() == Some(name.as_str()), "another name")
}

fn intermediate(case: &Case<'_>) -> Result<Issuing, &'static str> {
    match case.wanted {
        Wanted::Intermediate(issuing) => Ok(issuing),
        Wanted::Root | Wanted::Directory | Wanted::Leaf(_) => Err("not an intermediate"),
    }
}

fn has_path_length(case: &Case<'_>, length: u32) -> Result<(), &'static str> {
    match case.parsed(BASIC_CONSTRAINTS, true) {
        Some(ParsedExtension::BasicConstraints(constraints)) => {
            require(constraints.ca && constraints.path_len_constraint == Some(length), "other basicConstraints")
        }
        _ => Err("no critical basicConstraints"),
    }
}

fn signs_certificates_and_lists(case: &Case<'_>) -> Result<(), &'static str> {
    require(case.key_usage() == Some(SIGN_CERTIFICATES_AND_LISTS), "another key usage")
}

fn lives(case: &Case<'_>, days: i64) -> Result<(), &'static str> {
    require(
        case.has_good_dates() && case.life_seconds() <= days * DAY,
        "dates outside the issuer's, or too long a life",
    )
}

fn has_keys_and(case: &Case<'_>, extensions: &[&str]) -> Result<(), &'static str> {
    require(case.has_key_identifier(), "no or another subject key identifier")?;
    require(case.has_extensions(extensions), "an extension too many, too few or twice")
}

fn has_every_purpose(case: &Case<'_>) -> Result<(), &'static str> {
    let peer = case.own_id(".3.1");
    let holds = match intermediate(case)? {
        Issuing::Tel => case.has_purposes(&[CLIENT_AUTH, &peer]),
        Issuing::Email => case.has_purposes(&[CLIENT_AUTH, EMAIL_PROTECTION, &peer]),
    };
    require(holds, "other key purposes")
}

/// An empty dNSName and the masks of zeros stand for every name and address (RFC 5280 4.2.1.10).
fn excludes_hosts(case: &Case<'_>) -> Result<(), &'static str> {
    let Some(ParsedExtension::NameConstraints(constraints)) = case.parsed(NAME_CONSTRAINTS, true) else {
        return Err("no critical name constraints");
    };
    require(constraints.permitted_subtrees.is_none(), "names that are permitted")?;
    let excluded: Vec<&GeneralName<'_>> =
        constraints.excluded_subtrees.iter().flatten().map(|subtree| &subtree.base).collect();
    let whole = matches!(excluded.as_slice(),
        [GeneralName::DNSName(""), GeneralName::IPAddress(v4), GeneralName::IPAddress(v6)]
            if **v4 == [0; 8] && **v6 == [0; 32]);
    require(whole, "other names excluded than all hosts and addresses")
}

fn has_its_policies(case: &Case<'_>) -> Result<(), &'static str> {
    let tails: &[&str] = match intermediate(case)? {
        Issuing::Tel => &[".1.1", ".1.2", ".1.3", ".1.4", ".2"],
        Issuing::Email => &[".1.0"],
    };
    let wanted: Vec<String> = tails.iter().map(|tail| case.own_id(tail)).collect();
    require(case.policies() == Some(wanted), "other policies")
}

fn signs_and_issues_nothing(case: &Case<'_>) -> Result<(), &'static str> {
    require(case.common_name() == Some(case.settings.directory_name().as_str()), "another name")?;
    match case.parsed(BASIC_CONSTRAINTS, true) {
        Some(ParsedExtension::BasicConstraints(constraints)) if !constraints.ca => {
            require(case.key_usage() == Some(1), "a key usage other than digitalSignature")
        }
        _ => Err("no critical basicConstraints, or an authority's"),
    }
}
