//! Chains that are wrong in one certificate, by name.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, DnValue, IsCa, KeyUsagePurpose, date_time_ymd,
};

use super::{made, pki, with_authority, with_certificate};
use crate::caller::Attest;
use crate::passport::testing::{
    AT, Holder, ONE, OTHER, OTHER_RANGE, RANGE, SPC, judged, judged_at, tn_auth_list, trusting, trusting_but,
};
use crate::passport::{Authority, Fault, Passport, Report, Signer, Trust, Untrusted, verify};

#[test]
fn a_list_that_lacks_the_number_is_refused() {
    assert_eq!(
        with_certificate(|params| params.custom_extensions = vec![tn_auth_list(OTHER)]),
        Err(Fault::NotAuthorized)
    );
}

#[test]
fn a_uri_instead_of_the_list_is_refused() {
    let uri = b"\x16\x14https://numbers.test";
    assert_eq!(
        with_certificate(|params| params.custom_extensions = vec![tn_auth_list(uri)]),
        Err(Fault::BadTnAuthList)
    );
    assert_eq!(with_certificate(|params| params.custom_extensions.clear()), Err(Fault::NoTnAuthList));
}

#[test]
fn constraints_on_claims_are_not_overlooked() {
    for last in [27, 33] {
        let constraints = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, last], vec![0x30, 0]);
        let changed = with_certificate(|params| params.custom_extensions.push(constraints));
        assert_eq!(changed, Err(Fault::ClaimConstraints));
    }
}

#[test]
fn a_critical_extension_that_nobody_knows_is_refused() {
    let mut unknown = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 32473, 1], vec![5, 0]);
    unknown.set_criticality(true);
    assert_eq!(with_certificate(|params| params.custom_extensions.push(unknown)), Err(Fault::CriticalExtension));
}

#[test]
fn an_issuers_name_may_be_written_otherwise() {
    let root = Holder::root("root", |_| {});
    let signer = root.signer(|_| {});
    let printable = DnValue::PrintableString("ROOT".try_into().unwrap());
    let anchor = root.renewed(|params| params.distinguished_name.push(DnType::CommonName, printable));
    assert_eq!(judged(&signer.token(), &signer.pem, &trusting(&anchor)), Ok(Attest::A));
}

#[test]
fn a_ca_without_key_cert_sign_issues_nothing() {
    assert_eq!(with_authority(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]), Err(Fault::NotAnIssuer));
    assert_eq!(with_authority(|params| params.is_ca = IsCa::ExplicitNoCa), Err(Fault::NotAnIssuer));
}

#[test]
fn a_leaf_that_may_not_sign_or_is_a_ca_signs_no_tokens() {
    assert_eq!(
        with_certificate(|params| params.key_usages = vec![KeyUsagePurpose::KeyAgreement]),
        Err(Fault::KeyUsage)
    );
    assert_eq!(with_certificate(|params| params.key_usages.clear()), Err(Fault::KeyUsage));
    let is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    assert_eq!(with_certificate(|params| params.is_ca = is_ca), Err(Fault::KeyUsage));
}

#[test]
fn an_expired_certificate_anywhere_in_the_chain_is_refused() {
    let expire = |params: &mut CertificateParams| params.not_after = date_time_ymd(2025, 12, 31);
    assert_eq!(with_certificate(expire), Err(Fault::Expired));
    assert_eq!(with_authority(expire), Err(Fault::Expired));
    let root = Holder::root("root", expire);
    let signer = root.signer(|_| {});
    let trust = trusting(&root.pem);
    assert_eq!(judged(&signer.token(), &signer.pem, &trust), Err(Fault::Expired));
}

#[test]
fn a_certificate_that_is_not_yet_valid_is_refused() {
    let later = |params: &mut CertificateParams| params.not_before = date_time_ymd(2026, 1, 2);
    assert_eq!(with_certificate(later), Err(Fault::NotYetValid));
    assert_eq!(with_authority(later), Err(Fault::NotYetValid));
}

#[test]
fn a_revoked_certificate_is_refused_and_so_is_an_old_list() {
    let root = Holder::root("root", |_| {});
    let signer = root.signer(|_| {});
    let looked_up = |list: &str, at| {
        let trust = trusting_but(&root.pem, list);
        judged_at(&signer.token(), &signer.pem, &trust, at)
    };
    assert_eq!(looked_up(&root.list(&[7], (2026, 6, 1)), AT), Err(Fault::Revoked));
    assert_eq!(looked_up(&root.list(&[8], (2026, 6, 1)), AT), Ok(Attest::A));
    assert_eq!(looked_up(&root.list(&[], (2025, 12, 1)), AT), Err(Fault::ListNotInForce));
    // Somebody else's list of the same name.
    let impostor = Holder::root("root", |_| {});
    assert_eq!(looked_up(&impostor.list(&[], (2026, 6, 1)), AT), Err(Fault::ListNotInForce));
    // Somebody else's list says nothing of this signer.
    let elsewhere = Holder::root("elsewhere", |_| {});
    assert_eq!(looked_up(&elsewhere.list(&[7], (2026, 6, 1)), AT), Ok(Attest::A));
}

#[test]
fn a_revoked_authority_is_refused() {
    let root = Holder::root("root", |_| {});
    let authority = root.authority("authority", |params| params.serial_number = Some(9_u64.into()));
    let signer = authority.signer(|_| {});
    let trust = trusting_but(&root.pem, &root.list(&[9], (2026, 6, 1)));
    assert_eq!(judged(&signer.token(), &(signer.pem.clone() + &authority.pem), &trust), Err(Fault::Revoked));
}

/// As France has it: authorities do not lie at x5u, and their root signs a list without cRLSign.
#[test]
fn a_revoked_authority_that_is_an_anchor_is_refused() {
    let root = Holder::root("root", |params| params.key_usages = vec![KeyUsagePurpose::KeyCertSign]);
    let authority = root.authority("authority", |params| params.serial_number = Some(9_u64.into()));
    let signer = authority.signer(|_| {});
    let (impostor, until) = (Holder::root("root", |_| {}), (2026, 6, 1));
    let both = root.pem.clone() + &authority.pem;
    for (name, list, anchors, expected) in [
        ("it is on it", root.list(&[9], until), &both, Err(Fault::Revoked)),
        ("another is, and the signer's number", root.list(&[7, 8], until), &both, Ok(Attest::A)),
        ("the list has ended", root.list(&[], (2025, 12, 1)), &both, Err(Fault::ListNotInForce)),
        ("somebody else signed it", impostor.list(&[], until), &both, Err(Fault::ListNotInForce)),
        ("its issuer is no anchor", root.list(&[], until), &authority.pem, Err(Fault::ListNotInForce)),
    ] {
        let trust = trusting_but(anchors, &list);
        assert_eq!(judged(&signer.token(), &signer.pem, &trust), expected, "{name}");
    }
}

#[test]
fn another_root_is_no_anchor_even_if_it_has_the_name() {
    let (_, signer) = pki();
    for (name, fault) in [("another", Fault::NoAnchor), ("root", Fault::ChainSignature)] {
        let other = Holder::root(name, |_| {});
        let trust = trusting(&other.pem);
        assert_eq!(judged(&signer.token(), &signer.pem, &trust), Err(fault));
    }
    assert_eq!(judged(&signer.token(), &signer.pem, &Trust::default()), Err(Fault::NoAnchor), "none is shipped");
    let own = Holder::root("own", |_| {});
    let signer = own.signer(|_| {});
    let chain = signer.pem.clone() + &own.pem;
    let fault = judged(&signer.token(), &chain, &Trust::default());
    assert_eq!(fault, Err(Fault::NoAnchor), "a root that is only sent along");
}

#[test]
fn a_path_may_be_no_longer_than_its_cas_say() {
    let root = Holder::root("root", |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    let authority = root.authority("authority", |_| {});
    let signer = authority.signer(|_| {});
    let trust = trusting(&root.pem);
    let chain = signer.pem.clone() + &authority.pem;
    assert_eq!(judged(&signer.token(), &chain, &trust), Err(Fault::NotAnIssuer));
    assert_eq!(judged(&signer.token(), &chain.repeat(3), &trust), Err(Fault::LongChain));
    let at_once = root.signer(|_| {});
    assert_eq!(judged(&at_once.token(), &at_once.pem, &trust), Ok(Attest::A));
}

/// RFC 5280 6.1.4 l.
#[test]
fn what_a_ca_issued_to_itself_for_another_key_makes_no_path_longer() {
    let root = Holder::root("root", |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1)));
    let authority = root.authority("authority", |_| {});
    let of = |name| {
        let next = authority.authority(name, |_| {});
        let signer = next.signer(|_| {});
        judged(&signer.token(), &(signer.pem.clone() + &next.pem + &authority.pem), &trusting(&root.pem))
    };
    assert_eq!(of("authority"), Ok(Attest::A));
    assert_eq!(of("another"), Err(Fault::NotAnIssuer));
}

#[test]
fn who_was_read_before_a_chain_ended_is_read_again_once() {
    let root = Holder::root("root", |_| {});
    let authority = root.authority("authority", |params| params.not_after = date_time_ymd(2026, 6, 1));
    let renewed = authority.certified_by(&root, |params| params.not_after = date_time_ymd(2027, 1, 1));
    let signer = authority.signer(|_| {});
    let (passport, trust) = (Passport::read(&signer.token()).unwrap(), trusting(&root.pem));
    let after = AT + 200 * 24 * 60 * 60;
    let read = |others: &str, at| Signer::read((signer.pem.clone() + others).as_bytes(), &trust, at).unwrap();
    let first = read(&(authority.pem.clone() + &renewed), AT);
    assert!(!first.has_lapsed(AT) && first.has_lapsed(after));
    assert_eq!(verify(&passport, &first, after), Err(Fault::Expired));
    let again = read(&(authority.pem.clone() + &renewed), after);
    assert!(!again.has_lapsed(after));
    assert_eq!(verify(&passport, &again, after), Ok(Attest::A));
    // Where no other way holds, reading it again serves nobody.
    let ended = read(&authority.pem, after);
    assert!(!ended.has_lapsed(after));
    assert_eq!(verify(&passport, &ended, after), Err(Fault::Expired));
}

#[test]
fn an_issuer_that_is_limited_issues_nothing_beyond() {
    let limited =
        |list: &'static [u8]| with_authority(move |params| params.custom_extensions = vec![tn_auth_list(list)]);
    assert_eq!(limited(SPC), Ok(Attest::A), "the signer's own list");
    for list in [b"\x30\x08\xa0\x06\x16\x04999X", RANGE, ONE, OTHER, b"\x30\x00"] {
        assert_eq!(limited(list), Err(Fault::BeyondIssuer), "{list:?}");
    }
    // Numbers within numbers, two CAs down, and an anchor that is limited.
    let numbers = |list| move |params: &mut CertificateParams| params.custom_extensions = vec![tn_auth_list(list)];
    for (list, expected) in [(RANGE, Ok(Attest::A)), (OTHER, Err(Fault::BeyondIssuer)), (SPC, Err(Fault::Delegate))] {
        let root = Holder::root("root", |_| {});
        let (upper, limited_root) = (root.authority("upper", numbers(list)), Holder::root("root", numbers(list)));
        let lower = upper.authority("lower", |_| {});
        let (far, near) = (lower.signer(numbers(ONE)), limited_root.signer(numbers(ONE)));
        let chain = far.pem.clone() + &lower.pem + &upper.pem;
        for (signer, chain, root) in [(&far, &chain, &root), (&near, &near.pem, &limited_root)] {
            let trust = trusting(&root.pem);
            assert_eq!(judged(&signer.token(), chain, &trust), expected, "{list:?}");
        }
    }
    let constraints = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 27], vec![0x30, 0]);
    let constrained = with_authority(|params| params.custom_extensions = vec![constraints]);
    assert_eq!(constrained, Err(Fault::ClaimConstraints));
}

#[test]
fn a_delegate_of_a_provider_is_believed_where_the_operator_says_so_and_the_provider_answers_for_it() {
    let numbers = |list| move |params: &mut CertificateParams| params.custom_extensions = vec![tn_auth_list(list)];
    let root = Holder::root("root", |_| {});
    let provider = root.authority("provider", numbers(SPC));
    let judge = |signer: &Holder, between: &str, authority: Authority| -> Result<_, Fault> {
        let pem = signer.pem.clone() + between + &provider.pem;
        let (passport, trust) = (Passport::read(&signer.token())?, Trust::from(authority));
        let signer = Signer::read(pem.as_bytes(), &trust, AT)?;
        let verdict = verify(&passport, &signer, AT);
        Ok((verdict?, Report::of(&passport, Some(&signer), verdict).signer.unwrap().spc))
    };
    let refusing = || Authority::anchored(root.pem.as_bytes()).unwrap();
    let answered_for = Ok((Attest::A, Some("709J".to_owned())));
    for list in [ONE, RANGE] {
        let delegate = provider.signer(numbers(list));
        assert_eq!(judge(&delegate, "", refusing()), Err(Fault::Delegate));
        assert_eq!(judge(&delegate, "", refusing().with_delegates()), answered_for);
    }
    let other = provider.signer(numbers(OTHER));
    assert_eq!(judge(&other, "", refusing().with_delegates()), Err(Fault::NotAuthorized), "not its number");
    // A delegate that delegates: what it does not have, it cannot give.
    let customer = provider.authority("customer", numbers(RANGE));
    let within = customer.signer(numbers(ONE));
    assert_eq!(judge(&within, &customer.pem, refusing().with_delegates()), answered_for);
    for (list, fault) in [(OTHER_RANGE, Fault::BeyondIssuer), (SPC, Fault::BeyondIssuer)] {
        let beyond = customer.signer(numbers(list));
        assert_eq!(judge(&beyond, &customer.pem, refusing().with_delegates()), Err(fault), "{list:?}");
    }
}

#[test]
fn no_code_between_hides_the_provider_above_who_is_denied() {
    let numbers = |list| move |params: &mut CertificateParams| params.custom_extensions = vec![tn_auth_list(list)];
    // Numbers that have the caller's, and a code; and two codes.
    let range_and_code: &[u8] = b"\x30\x1c\xa1\x12\x30\x10\x16\x0b12025550100\x02\x01\x32\xa0\x06\x16\x04999X";
    let codes: &[u8] = b"\x30\x10\xa0\x06\x16\x04709J\xa0\x06\x16\x04999X";
    let root = Holder::root("root", |_| {});
    let trust = Trust::from(Authority::anchored(root.pem.as_bytes()).unwrap().with_delegates());
    for (of_provider, expected) in [
        // It has no such code to give.
        (SPC, Err(Fault::BeyondIssuer)),
        // The code is its own, too, and it is still the one that is denied.
        (codes, Err(Fault::DeniedSpc)),
    ] {
        let provider = root.authority("provider", numbers(of_provider));
        let customer = provider.authority("customer", numbers(range_and_code));
        let signer = customer.signer(numbers(RANGE));
        let pem = signer.pem.clone() + &customer.pem + &provider.pem;
        let passport = Passport::read(&signer.token()).unwrap();
        let verdict = Signer::read(pem.as_bytes(), &trust, AT).and_then(|signer| {
            let report = Report::of(&passport, Some(&signer), verify(&passport, &signer, AT));
            assert_eq!(
                (report.verdict, report.signer.as_ref().unwrap().spc.as_deref()),
                (Ok(Attest::A), Some("999X 709J"))
            );
            report.but_for(&["709J".to_owned()]).verdict
        });
        assert_eq!(verdict, expected, "{of_provider:?}");
    }
}

#[test]
fn an_anchor_that_was_renewed_counts_before_the_one_that_ended() {
    let root = Holder::root("root", |params| params.not_after = date_time_ymd(2025, 12, 31));
    let renewed = root.renewed(|params| params.not_after = date_time_ymd(2027, 1, 1));
    let signer = root.signer(|_| {});
    for anchors in [root.pem.clone() + &renewed, renewed.clone() + &root.pem] {
        let trust = trusting(&anchors);
        assert_eq!(judged(&signer.token(), &signer.pem, &trust), Ok(Attest::A));
    }
}

#[test]
fn what_is_no_certificate_is_refused() {
    let (trust, signer) = pki();
    let damaged = signer.pem.replace("BEGIN CERTIFICATE-----\nMII", "BEGIN CERTIFICATE-----\nMIA");
    for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &damaged] {
        assert_eq!(judged(&signer.token(), pem, &trust), Err(Fault::Certificate), "{pem}");
    }
}

#[test]
fn an_anchor_must_be_one() {
    let (_, signer) = pki();
    assert_eq!(Authority::anchored(signer.pem.as_bytes()).err(), Some(Untrusted::NoIssuer { place: 1 }));
    assert_eq!(Authority::anchored(b"").err(), Some(Untrusted::Nothing("CERTIFICATE")));
    let authority = Authority::anchored(made("root.pem").as_bytes()).unwrap();
    assert_eq!(authority.with_lists(signer.pem.as_bytes()).err(), Some(Untrusted::Nothing("X509 CRL")));
}
