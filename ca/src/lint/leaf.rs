//! LEAF: what every leaf has.

use x509_parser::extensions::{DistributionPointName, GeneralName};
use x509_parser::prelude::ParsedExtension;

use super::{
    AUTHORITY_KEY_ID, BASIC_CONSTRAINTS, CRL_DISTRIBUTION_POINTS, Case, ECDSA_SHA256, EXT_KEY_USAGE, KEY_USAGE, Lint,
    P256, POLICIES, SUBJECT_ALT_NAME, SUBJECT_KEY_ID, Wanted, require,
};
use crate::subject::Subject;

/// LEAF-16: what fits into a record of the directory beside its other members.
const LARGEST: usize = 860;
const TN_AUTH_LIST: &str = "1.3.6.1.5.5.7.1.26";

pub(super) const LINTS: &[Lint] = &[
    Lint { clause: "LEAF-1", check: |case| require(case.has_version_3(), "another version") },
    Lint { clause: "LEAF-2", check: |case| require(case.has_good_serial(), "a serial that is not 20 positive octets") },
    Lint { clause: "LEAF-3", check: |case| require(case.is_signed_with(ECDSA_SHA256), "another signature algorithm") },
    Lint { clause: "LEAF-4", check: |case| require(case.names_issuer(), "another issuer name") },
    Lint { clause: "LEAF-5", check: |case| require(case.has_good_dates(), "dates outside the issuer's or misspelled") },
    Lint {
        clause: "LEAF-6",
        check: |case| require(case.common_name().is_some_and(|name| !name.is_empty()), "a subject other than one name"),
    },
    Lint {
        clause: "LEAF-7",
        check: |case| require(case.has_curve(P256, 65) || case.has_ed25519_key(), "another kind of key"),
    },
    Lint {
        clause: "LEAF-8",
        check: |case| require(case.has_authority_key_identifier(), "no or another authority key identifier"),
    },
    Lint { clause: "LEAF-9", check: |case| require(case.has_key_identifier(), "no or another subject key identifier") },
    Lint { clause: "LEAF-10", check: is_no_authority },
    Lint { clause: "LEAF-11", check: has_one_name },
    Lint { clause: "LEAF-12", check: has_known_extensions },
    Lint { clause: "LEAF-13", check: has_distribution_point },
    Lint { clause: "LEAF-14", check: has_one_level },
    Lint { clause: "LEAF-15", check: has_no_unique_identifiers },
    Lint { clause: "LEAF-16", check: |case| require(case.der.len() <= LARGEST, "more than 860 octets") },
];

fn is_no_authority(case: &Case<'_>) -> Result<(), &'static str> {
    match case.parsed(BASIC_CONSTRAINTS, true) {
        Some(ParsedExtension::BasicConstraints(constraints)) => {
            require(!constraints.ca && constraints.path_len_constraint.is_none(), "basicConstraints of an authority")
        }
        _ => Err("no critical basicConstraints"),
    }
}

fn has_one_name(case: &Case<'_>) -> Result<(), &'static str> {
    match case.parsed(SUBJECT_ALT_NAME, false) {
        Some(ParsedExtension::SubjectAlternativeName(names)) => {
            require(names.general_names.len() == 1, "not exactly one name")
        }
        _ => Err("no subjectAltName that is not critical"),
    }
}

fn has_known_extensions(case: &Case<'_>) -> Result<(), &'static str> {
    let mut wanted =
        vec![AUTHORITY_KEY_ID, BASIC_CONSTRAINTS, EXT_KEY_USAGE, KEY_USAGE, POLICIES, SUBJECT_ALT_NAME, SUBJECT_KEY_ID];
    if case.extension(CRL_DISTRIBUTION_POINTS).is_some() {
        wanted.push(CRL_DISTRIBUTION_POINTS);
    }
    if matches!(case.wanted, Wanted::Leaf(Subject::Tel(_))) {
        wanted.push(TN_AUTH_LIST);
    }
    require(case.has_extensions(&wanted), "an extension too many, too few or twice")
}

fn has_distribution_point(case: &Case<'_>) -> Result<(), &'static str> {
    let Wanted::Leaf(subject) = case.wanted else { return Err("not a leaf") };
    let Some(url) = case.settings.urls.crl(subject.issuing()) else {
        return require(
            case.extension(CRL_DISTRIBUTION_POINTS).is_none(),
            "a distribution point that is not configured",
        );
    };
    let Some(ParsedExtension::CRLDistributionPoints(points)) = case.parsed(CRL_DISTRIBUTION_POINTS, false) else {
        return Err("no distribution point");
    };
    let [point] = points.points.as_slice() else { return Err("several distribution points") };
    match &point.distribution_point {
        Some(DistributionPointName::FullName(names)) if point.reasons.is_none() && point.crl_issuer.is_none() => {
            require(
                matches!(names.as_slice(), [GeneralName::URI(found)] if *found == url),
                "another distribution point",
            )
        }
        _ => Err("a distribution point of another form"),
    }
}

fn has_one_level(case: &Case<'_>) -> Result<(), &'static str> {
    let policies = case.policies().ok_or("no policies, critical ones, or qualifiers")?;
    let levels: Vec<String> = (0..=4).map(|level| case.own_id(&format!(".1.{level}"))).collect();
    let stated = policies.iter().filter(|policy| levels.contains(policy)).count();
    let code_only = policies.iter().filter(|policy| **policy == case.own_id(".2")).count();
    require(stated == 1 && code_only <= 1 && policies.len() == stated + code_only, "not exactly one level")
}

fn has_no_unique_identifiers(case: &Case<'_>) -> Result<(), &'static str> {
    let inner = &case.certificate.tbs_certificate;
    require(inner.issuer_uid.is_none() && inner.subject_uid.is_none(), "a unique identifier")
}
