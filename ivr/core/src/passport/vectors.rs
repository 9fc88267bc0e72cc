//! Tokens that are right, by others' hands, and tokens that are wrong in one thing each, by name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use rcgen::CertificateParams;

use super::key::tests::TOKEN;
use super::testing::{
    AT, CALL, Holder, ONE, RANGE, SPC, X5U, armoured, claims, header, judged, tn_auth_list, trusting, trusting_but,
};
use super::{Authority, Claimed, Fault, Passport, Report, Signer, Trust, Untrusted, verify};
use crate::caller::Attest;

mod chains;
mod hostile;

/// One of the files that `scenarios/passport/make` makes with OpenSSL and secsipidx.
fn made(name: &str) -> String {
    std::fs::read_to_string(format!("{}/scenarios/passport/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// What we say of one of its tokens, when it was made.
fn of_secsipidx(token: &str, chain: &str, trust: &Trust) -> Result<Attest, Fault> {
    let passport = Passport::read(&made(token))?;
    passport.check(CALL, passport.iat())?;
    verify(&passport, &Signer::read(made(chain).as_bytes(), trust, passport.iat())?, passport.iat())
}

#[test]
fn tokens_of_secsipidx_over_a_chain_of_openssl_are_judged_as_they_are() {
    for (token, chain, list, expected) in [
        ("a.identity", "spc.pem", None, Ok(Attest::A)),
        ("b.identity", "spc.pem", None, Ok(Attest::B)),
        ("c.identity", "spc.pem", None, Ok(Attest::C)),
        ("a.identity", "range.pem", None, Ok(Attest::A)),
        ("a.identity", "one.pem", None, Ok(Attest::A)),
        ("a.identity", "spc.pem", Some("crl-empty.pem"), Ok(Attest::A)),
        ("a.identity", "range.pem", Some("crl-spc.pem"), Ok(Attest::A)),
        ("z.identity", "spc.pem", None, Err(Fault::Attest)),
        ("stranger.identity", "spc.pem", None, Err(Fault::Signature)),
        ("a.identity", "other.pem", None, Err(Fault::NotAuthorized)),
        ("a.identity", "uri.pem", None, Err(Fault::TnAuthListByReference)),
        ("a.identity", "none.pem", None, Err(Fault::NoTnAuthList)),
        ("a.identity", "spc.pem", Some("crl-spc.pem"), Err(Fault::Revoked)),
    ] {
        let root = made("root.pem");
        let trust = list.map_or_else(|| trusting(&root), |list| trusting_but(&root, &made(list)));
        assert_eq!(of_secsipidx(token, chain, &trust), expected, "{token} {chain} {list:?}");
    }
}

/// RFC 8226 4 has certificates signed with RSA, too, and a root in the American list is. That of a third kind there is passed over.
#[test]
fn a_certificate_is_signed_with_p256_or_rsa_and_always_for_p256() {
    for (root, chain, expected) in [
        ("rsa-root.pem", "by-rsa-root.pem", Ok(Attest::A)),
        ("rsa-root.pem", "by-rsa-root-sha384.pem", Err(Fault::NotP256)),
        ("root.pem", "by-root-sha384.pem", Err(Fault::NotP256)),
        ("root.pem", "by-rsa-root.pem", Err(Fault::NoAnchor)),
        ("root.pem", "for-rsa.pem", Err(Fault::NotP256)),
    ] {
        assert_eq!(of_secsipidx("a.identity", chain, &trusting(&made(root))), expected, "{root} {chain}");
    }
    for other_kind in ["p384-root.pem", "short-root.pem"] {
        let refused = Untrusted::Certificate { place: 1, fault: Fault::NotP256 };
        assert_eq!(Authority::anchored(made(other_kind).as_bytes()).err(), Some(refused), "{other_kind}");
        let authority = Authority::anchored((made(other_kind) + &made("root.pem")).as_bytes()).unwrap();
        assert_eq!(authority.passed_over().collect::<Vec<_>>(), [refused], "{other_kind}");
        assert_eq!(of_secsipidx("a.identity", "spc.pem", &authority.into()), Ok(Attest::A), "{other_kind}");
    }
}

#[test]
fn a_chain_of_openssl_over_a_providers_delegates_is_judged_as_it_is() {
    let root = made("root.pem");
    let believing = Authority::anchored(root.as_bytes()).unwrap().with_delegates().into();
    for (chain, refused, believed) in [
        ("delegate-one.pem", Fault::Delegate, Ok(Attest::A)),
        ("delegate-other.pem", Fault::Delegate, Err(Fault::NotAuthorized)),
        ("delegate-spc.pem", Fault::BeyondIssuer, Err(Fault::BeyondIssuer)),
    ] {
        assert_eq!(of_secsipidx("a.identity", chain, &trusting(&root)), Err(refused), "{chain}");
        assert_eq!(of_secsipidx("a.identity", chain, &believing), believed, "{chain}");
    }
}

#[test]
fn a_report_says_who_signed() {
    let trust = trusting(&made("root.pem"));
    let passport = Passport::read(&made("a.identity")).unwrap();
    for (chain, spc) in [("spc.pem", Some("709J")), ("range.pem", None)] {
        let signer = Signer::read(made(chain).as_bytes(), &trust, passport.iat()).unwrap();
        let report = Report::of(&passport, Some(&signer), Ok(Attest::A));
        for denied in ["709J", "709j"] {
            let verdict = if spc.is_some() { Err(Fault::DeniedSpc) } else { Ok(Attest::A) };
            assert_eq!(report.clone().but_for(&[denied.to_owned()]).verdict, verdict, "{chain} {denied}");
        }
        assert_eq!(report.signer.unwrap().spc.as_deref(), spc, "{chain}");
        let said = report.said.unwrap();
        assert_eq!((said.attest, said.x5u.as_str(), said.iat), (Attest::A, X5U, passport.iat()));
    }
}

#[test]
fn whose_certificate_is_only_pointed_at_is_not_said_to_have_signed() {
    let (trust, innocent) = pki();
    let signer = Signer::read(innocent.pem.as_bytes(), &trust, AT).unwrap();
    let (_, stranger) = pki();
    for (holder, at, expected, is_named) in [
        (&stranger, AT, Err(Fault::Signature), false),
        (&stranger, i64::MAX, Err(Fault::Signature), false),
        (&innocent, i64::MAX, Err(Fault::Expired), true),
        (&innocent, AT, Ok(Attest::A), true),
    ] {
        let passport = Passport::read(&holder.token()).unwrap();
        let report = Report::of(&passport, Some(&signer), verify(&passport, &signer, at));
        assert_eq!((report.verdict, report.signer.is_some()), (expected, is_named));
    }
}

#[test]
fn no_octet_that_is_signed_and_no_letter_of_a_token_can_be_another() {
    let trust = trusting(&made("root.pem"));
    let chain = made("spc.pem");
    let (leaf, issuer) = chain.split_at(chain.find("-----END CERTIFICATE-----\n").unwrap() + 26);
    let lines: String = leaf.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(lines).unwrap();
    // Both headers have four octets; what is signed has the second, and at the end stand R and S.
    let signed_end = 8 + usize::from(u16::from_be_bytes([der[6], der[7]]));
    for at in (4..signed_end).chain(der.len() - 60..der.len()) {
        for bit in [0x01, 0x80] {
            let mut changed = der.clone();
            changed[at] ^= bit;
            let pem = armoured("CERTIFICATE", &changed) + issuer;
            assert!(Signer::read(pem.as_bytes(), &trust, AT).is_err(), "octet {at}, {bit:#x}");
        }
    }
    let signer = Signer::read(chain.as_bytes(), &trust, AT).unwrap();
    let identity = made("a.identity");
    let token = identity.split_once(';').unwrap().0.len();
    for at in 0..token {
        let other = if &identity[at..=at] == "A" { "B" } else { "A" };
        let changed = format!("{}{other}{}", &identity[..at], &identity[at + 1..]);
        let verdict = Passport::read(&changed).and_then(|passport| verify(&passport, &signer, passport.iat()));
        assert!(verdict.is_err(), "letter {at}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_readers_panic(text in "\\PC{0,200}", octets in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Passport::read(&text).is_err());
        prop_assert!(Signer::read(&octets, &Trust::default(), AT).is_err());
        let pem = |label: &str| armoured(label, &octets);
        prop_assert!(Authority::anchored(pem("CERTIFICATE").as_bytes()).is_err());
        let authority = Authority::anchored(made("root.pem").as_bytes()).unwrap();
        prop_assert!(authority.with_lists(pem("X509 CRL").as_bytes()).is_err());
    }
}

/// It attests nothing. Its signature is looked at in `key.rs`.
#[test]
fn the_base_passport_of_the_rfc_is_another_kind() {
    let info = "info=<https://biloxi.example.org/biloxi.cert>";
    assert_eq!(Passport::read(&format!("{TOKEN};{info}")), Err(Fault::Extension));
    // Called by another name it would still say so itself; without header and claims it could not.
    assert_eq!(Passport::read(&format!("{TOKEN};{info};ppt=shaken")), Err(Fault::Extension));
    let compact = format!("..{}", TOKEN.rsplit_once('.').unwrap().1);
    assert_eq!(Passport::read(&format!("{compact};{info};ppt=shaken")), Err(Fault::Compact));
    let base = header().replace(r#""ppt":"shaken","#, "");
    let (_, signer) = pki();
    assert_eq!(Passport::read(&signer.identity(&base, &claims())), Err(Fault::Extension));
}

/// An anchor and a signer below it.
fn pki() -> (Trust, Holder) {
    let root = Holder::root("root", |_| {});
    let signer = root.signer(|_| {});
    (trusting(&root.pem), signer)
}

/// A signer that differs in something, and what we say of its token.
fn with_certificate(change: impl FnOnce(&mut CertificateParams)) -> Result<Attest, Fault> {
    let root = Holder::root("root", |_| {});
    let signer = root.signer(change);
    judged(&signer.token(), &signer.pem, &trusting(&root.pem))
}

/// A CA between root and signer that differs in something.
fn with_authority(change: impl FnOnce(&mut CertificateParams)) -> Result<Attest, Fault> {
    let root = Holder::root("root", |_| {});
    let authority = root.authority("authority", change);
    let signer = authority.signer(|_| {});
    let pem = signer.pem.clone() + &authority.pem;
    judged(&signer.token(), &pem, &trusting(&root.pem))
}

/// A token whose header and claims differ in something.
fn with_token(in_header: (&str, &str), in_claims: (&str, &str)) -> Result<Attest, Fault> {
    let (trust, signer) = pki();
    let replaced = |text: String, (from, to): (&str, &str)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let identity = signer.identity(&replaced(header(), in_header), &replaced(claims(), in_claims));
    judged(&identity, &signer.pem, &trust)
}

const SAME: (&str, &str) = ("", "");

#[test]
fn what_is_right_in_everything_is_believed() {
    assert_eq!(with_token(SAME, SAME), Ok(Attest::A));
    assert_eq!(with_authority(|_| {}), Ok(Attest::A));
    for list in [SPC, RANGE, ONE] {
        assert_eq!(with_certificate(|params| params.custom_extensions = vec![tn_auth_list(list)]), Ok(Attest::A));
    }
    // Claims and headers that we do not know, and more than one number called.
    assert_eq!(with_token(("\"typ\"", "\"kid\":\"1\",\"typ\""), ("\"iat\"", "\"rph\":{},\"iat\"")), Ok(Attest::A));
    assert_eq!(with_token(SAME, ("[\"12025550199\"", "[\"12025550100\",\"12025550199\"")), Ok(Attest::A));
}

#[test]
fn a_token_by_another_key_is_refused() {
    let (trust, signer) = pki();
    let (_, stranger) = pki();
    assert_eq!(judged(&stranger.token(), &signer.pem, &trust), Err(Fault::Signature));
}

#[test]
fn a_token_whose_words_were_changed_is_refused() {
    let (trust, signer) = pki();
    let (token, other) = (signer.token(), signer.identity(&header(), &claims().replace("\"A\"", "\"B\"")));
    let parts: Vec<&str> = token.split('.').collect();
    let changed = token.replace(parts[1], other.split('.').nth(1).unwrap());
    assert_eq!(judged(&changed, &signer.pem, &trust), Err(Fault::Signature));
}

#[test]
fn a_token_is_fresh_for_a_minute_both_ways() {
    let (_, signer) = pki();
    let passport = Passport::read(&signer.token()).unwrap();
    for (at, expected) in [
        (AT - 61, Err(Fault::Future)),
        (AT - 60, Ok(())),
        (AT + 60, Ok(())),
        (AT + 61, Err(Fault::Stale)),
        (i64::MAX, Err(Fault::Stale)),
        (i64::MIN, Err(Fault::Future)),
    ] {
        assert_eq!(passport.check(CALL, at), expected, "{at}");
    }
}

#[test]
fn a_token_about_another_call_is_refused() {
    let (_, signer) = pki();
    let passport = Passport::read(&signer.token()).unwrap();
    for (orig, dest, fault) in [
        ("12025550142", CALL.dest, Fault::OtherOrig),
        ("2025550143", CALL.dest, Fault::OtherOrig),
        (CALL.orig, "12025550198", Fault::OtherDest),
    ] {
        assert_eq!(passport.check(Claimed { orig, dest }, AT), Err(fault), "{orig} {dest}");
    }
}

#[test]
fn attestation_z_is_none() {
    assert_eq!(with_token(SAME, ("\"A\"", "\"Z\"")), Err(Fault::Attest));
}

#[test]
fn the_compact_form_is_refused() {
    let (_, signer) = pki();
    let token = signer.token();
    let (token, parameters) = token.split_once(';').unwrap();
    let (_, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(Passport::read(&format!("..{signature};{parameters}")), Err(Fault::Compact));
}

#[test]
fn info_that_differs_from_x5u_is_refused() {
    let (_, signer) = pki();
    let elsewhere = signer.token().replace(X5U, "https://certificates.example/other.pem");
    assert_eq!(Passport::read(&elsewhere), Err(Fault::InfoDiffers));
}

#[test]
fn another_algorithm_is_refused_wherever_it_stands() {
    for alg in ["none", "HS256", "ES384", "es256"] {
        assert_eq!(with_token(("ES256", alg), SAME), Err(Fault::Algorithm), "{alg}");
    }
    let (_, signer) = pki();
    assert_eq!(Passport::read(&signer.token().replace("alg=ES256", "alg=none")), Err(Fault::Algorithm));
}

#[test]
fn another_kind_of_token_is_refused() {
    for ppt in ["div", "div-o", "rph", "SHAKEN"] {
        assert_eq!(with_token(("shaken", ppt), SAME), Err(Fault::Extension), "{ppt}");
    }
    assert_eq!(with_token(("\"passport\"", "\"JWT\""), SAME), Err(Fault::Type));
    assert_eq!(with_token(("{", "{\"crit\":[\"exp\"],"), SAME), Err(Fault::Critical));
}

#[test]
fn duplicate_keys_are_refused_in_header_and_claims() {
    assert_eq!(with_token(("{", "{\"alg\":\"ES256\","), SAME), Err(Fault::DuplicateKey));
    assert_eq!(with_token(SAME, ("{", "{\"attest\":\"A\",")), Err(Fault::DuplicateKey));
    assert_eq!(with_token(SAME, ("{\"tn\":", "{\"tn\":\"1\",\"tn\":")), Err(Fault::DuplicateKey));
}

#[test]
fn orig_as_a_string_and_dest_that_is_no_array_are_refused() {
    assert_eq!(with_token(SAME, ("{\"tn\":\"12025550143\"}", "\"12025550143\"")), Err(Fault::Orig));
    assert_eq!(with_token(SAME, ("[\"12025550199\"]", "\"12025550199\"")), Err(Fault::Dest));
}

#[test]
fn a_certificate_at_anything_but_a_plain_https_url_is_refused() {
    for url in [
        "http://certificates.example/leaf.pem",
        "file:///etc/passwd",
        "",
        "https://a b",
        "https://certificates.example/leaf.pem?1",
        "https://certificates.example/leaf.pem#1",
    ] {
        assert_eq!(with_token((X5U, url), SAME), Err(Fault::X5u), "{url}");
    }
}

#[test]
fn a_token_of_more_than_8_kib_is_refused() {
    let (_, signer) = pki();
    let long = claims().replace("{\"attest\"", &format!("{{\"x\":\"{}\",\"attest\"", "x".repeat(8 * 1024)));
    assert_eq!(Passport::read(&signer.identity(&header(), &long)), Err(Fault::TooLong));
}

#[test]
fn a_token_that_is_no_base64url_or_has_padding_is_refused() {
    let (_, signer) = pki();
    let token = signer.token();
    for (from, to) in [(".", "=."), (".", "+."), (".", ".x."), ("e", "é")] {
        assert_eq!(Passport::read(&token.replacen(from, to, 1)), Err(Fault::Token), "{from} {to}");
    }
    let (signed, _) = token.split_once(';').unwrap().0.rsplit_once('.').unwrap();
    let short = format!("{signed}.AAAA;info=<{X5U}>;ppt=shaken");
    assert_eq!(Passport::read(&short), Err(Fault::Signature));
}
