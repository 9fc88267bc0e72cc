//! Tokens and certificates by somebody who knows the standards, and where verifiers are lenient.

use p256::ecdsa::Signature;
use rcgen::{CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, date_time_ymd};

use super::{SAME, pki, with_authority, with_certificate, with_token};
use crate::caller::Attest;
use crate::passport::testing::{
    AT, CALL, Holder, ONE, OTHER, SPC, armoured, claims, header, judged, tn_auth_list, trusting, trusting_but,
};
use crate::passport::{Authority, Fault, Passport, Trust};

/// The order of the curve (SEC 2 2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[test]
fn a_signature_is_r_and_s_within_the_curves_order_and_nothing_else() {
    let (trust, signer) = pki();
    let halves = |r: [u8; 32], s: [u8; 32]| [r, s].concat();
    let of = |signature: &Signature| -> ([u8; 32], [u8; 32]) {
        let (r, s) = signature.split_bytes();
        (r.into(), s.into())
    };
    type Forge<'a> = &'a dyn Fn(Signature) -> Vec<u8>;
    let forged: [(&str, Forge<'_>); 10] = [
        ("DER", &|signature| signature.to_der().as_bytes().to_vec()),
        ("zeros", &|_| vec![0; 64]),
        ("r of zero", &|signature| halves([0; 32], of(&signature).1)),
        ("s of zero", &|signature| halves(of(&signature).0, [0; 32])),
        ("r of the order", &|signature| halves(ORDER, of(&signature).1)),
        ("s of the order", &|signature| halves(of(&signature).0, ORDER)),
        ("ones", &|_| vec![0xff; 64]),
        ("an octet less", &|signature| signature.to_bytes()[1..].to_vec()),
        ("an octet more", &|signature| [&[0], &signature.to_bytes()[..]].concat()),
        ("nothing", &|_| Vec::new()),
    ];
    for (name, forge) in forged {
        assert_eq!(judged(&signer.token_with(forge), &signer.pem, &trust), Err(Fault::Signature), "{name}");
    }
}

/// Whoever has (r, s) can make (r, n - s), which is as good (RFC 7518 3.4 does not forbid it): it must not be another token.
#[test]
fn the_other_signature_that_anybody_can_make_is_over_the_same_token() {
    let (trust, signer) = pki();
    let hash = |identity: &str| Passport::read(identity).unwrap().hash();
    let other =
        |signature: Signature| Signature::from_scalars(signature.r(), -signature.s()).unwrap().to_bytes().to_vec();
    let (token, twin) = (signer.token_with(|signature| signature.to_bytes().to_vec()), signer.token_with(other));
    for identity in [&token, &twin] {
        assert_eq!(judged(identity, &signer.pem, &trust), Ok(Attest::A));
    }
    assert_eq!(hash(&token), hash(&twin));
}

#[test]
fn base64url_with_loose_bits_padding_or_blanks_is_no_token() {
    let (_, signer) = pki();
    // Of another length, so that each part ends in the middle of an octet.
    let token = (0..3).map(|more| {
        let header = header().replacen('{', &format!("{{\"x\":\"{}\",", "x".repeat(more)), 1);
        signer.identity(&header, &claims().replacen('{', &format!("{{\"x\":\"{}\",", "x".repeat(more)), 1))
    });
    let mut loose = 0;
    for identity in token {
        assert!(Passport::read(&identity).is_ok());
        let (jws, parameters) = identity.split_once(';').unwrap();
        let parts: Vec<&str> = jws.split('.').collect();
        for (at, part) in parts.iter().enumerate() {
            let with = |changed: String| {
                let mut parts = parts.clone();
                parts[at] = &changed;
                Passport::read(&format!("{};{parameters}", parts.join(".")))
            };
            if part.len() % 4 != 0 {
                // The last letter's last bits are none of an octet's, and must be 0: the next letter has one that is 1.
                let next = char::from(part.as_bytes()[part.len() - 1] + 1);
                assert_eq!(with(format!("{}{next}", &part[..part.len() - 1])), Err(Fault::Token), "{part}");
                loose += 1;
            }
            let (first, rest) = part.split_at(4);
            for changed in [
                format!("{part}="),
                format!("{part}=="),
                format!("{first}\n{rest}"),
                format!("{first} {rest}"),
                format!("{part}\0"),
                // The alphabet of plain base64.
                format!("{first}+/{rest}"),
            ] {
                assert_eq!(with(changed.clone()), Err(Fault::Token), "{changed}");
            }
        }
    }
    assert!(loose >= 5, "only {loose} of the parts could be tried");
}

#[test]
fn orig_and_dest_are_digits_as_they_are_called() {
    for (orig, fault) in [
        ("\"012025550143\"", Fault::OtherOrig),
        ("\"0012025550143\"", Fault::OtherOrig),
        ("\"2025550143\"", Fault::OtherOrig),
        ("\"+12025550143\"", Fault::Orig),
        ("\"1-202-555-0143\"", Fault::Orig),
        ("\" 12025550143\"", Fault::Orig),
        ("\"12025550143\\u0000\"", Fault::Orig),
        ("\"\u{ff11}2025550143\"", Fault::Orig),
        ("\"\"", Fault::Orig),
        ("12025550143", Fault::Orig),
        ("[\"12025550143\"]", Fault::Orig),
        ("{\"tn\":\"12025550143\"}", Fault::Orig),
        ("null", Fault::Orig),
    ] {
        assert_eq!(with_token(SAME, (&format!("\"{}\"", CALL.orig), orig)), Err(fault), "{orig}");
    }
    for (dest, expected) in [
        ("{\"tn\":[\"12025550199\"],\"uri\":[\"sip:alice@example.com\"]}", Ok(Attest::A)),
        ("{\"uri\":[\"sip:12025550199@example.com\"],\"tn\":[\"12025550199\"]}", Ok(Attest::A)),
        ("{\"uri\":[\"sip:12025550199@example.com\"]}", Err(Fault::Dest)),
        ("{\"uri\":[\"tel:+12025550199\"],\"tn\":[]}", Err(Fault::OtherDest)),
        ("{\"tn\":[\"+12025550199\"]}", Err(Fault::Dest)),
        ("{\"tn\":[\"012025550199\"]}", Err(Fault::OtherDest)),
        ("{\"tn\":[\"12025550199\",7]}", Err(Fault::Dest)),
        ("{\"tn\":[[\"12025550199\"]]}", Err(Fault::Dest)),
        ("{\"tn\":{\"0\":\"12025550199\"}}", Err(Fault::Dest)),
        ("[{\"tn\":[\"12025550199\"]}]", Err(Fault::Dest)),
    ] {
        assert_eq!(with_token(SAME, ("{\"tn\":[\"12025550199\"]}", dest)), expected, "{dest}");
    }
}

#[test]
fn a_time_is_a_whole_number_of_seconds_near_ours() {
    let iat = format!("\"iat\":{AT}");
    for (other, fault) in [
        (format!("{AT}.0"), Fault::Iat),
        ("1767225600e0".to_owned(), Fault::Iat),
        ("18446744073709551616".to_owned(), Fault::Iat),
        ("9223372036854775808".to_owned(), Fault::Iat),
        ("null".to_owned(), Fault::Iat),
        (format!("[{AT}]"), Fault::Iat),
    ] {
        assert_eq!(with_token(SAME, (&iat, &format!("\"iat\":{other}"))), Err(fault), "{other}");
    }
    let (_, signer) = pki();
    for (iat, fault) in
        [(i64::MAX, Fault::Future), (AT * 1_000, Fault::Future), (-AT, Fault::Stale), (i64::MIN, Fault::Stale)]
    {
        let token = signer.identity(&header(), &claims().replace(&AT.to_string(), &iat.to_string()));
        assert_eq!(Passport::read(&token).unwrap().check(CALL, AT), Err(fault), "{iat}");
    }
}

/// RFC 7515 4.1 has other ways to name a key. A verifier that follows one verifies with the attacker's.
#[test]
fn a_key_that_a_token_brings_along_is_nobodys() {
    let (trust, signer) = pki();
    let (_, stranger) = pki();
    for key in
        ["\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\"}", "\"jku\":\"https://h/k\"", "\"x5c\":[\"MIIB\"]", "\"kid\":\"1\""]
    {
        let header = header().replacen('{', &format!("{{{key},"), 1);
        assert_eq!(judged(&stranger.identity(&header, &claims()), &signer.pem, &trust), Err(Fault::Signature), "{key}");
    }
    // RFC 7797: what is signed is not what it looks like.
    let header = header().replacen('{', "{\"b64\":false,\"crit\":[\"b64\"],", 1);
    assert_eq!(judged(&signer.identity(&header, &claims()), &signer.pem, &trust), Err(Fault::Critical));
}

#[test]
fn a_leaf_issues_nothing_whatever_its_key_may_do() {
    let root = Holder::root("root", |_| {});
    let trust = trusting(&root.pem);
    let may_sign = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign];
    for usages in [vec![KeyUsagePurpose::DigitalSignature], may_sign] {
        for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa] {
            let leaf = root.signer(|params| (params.key_usages, params.is_ca) = (usages.clone(), is_ca));
            let below = leaf.signer(|_| {});
            let chain = below.pem.clone() + &leaf.pem;
            assert_eq!(judged(&below.token(), &chain, &trust), Err(Fault::NotAnIssuer), "{usages:?}");
        }
    }
    // Nor does one who shows a root's certificate before its own.
    let signer = root.signer(|_| {});
    assert_eq!(judged(&signer.token(), &(root.pem.clone() + &signer.pem), &trust), Err(Fault::KeyUsage));
}

#[test]
fn what_limits_a_certificate_and_is_not_understood_refuses_it() {
    let extension = |oid: &[u64], value: &[u8], is_critical| {
        let mut extension = CustomExtension::from_oid_content(oid, value.to_vec());
        extension.set_criticality(is_critical);
        move |params: &mut CertificateParams| params.custom_extensions.push(extension)
    };
    // Only names below C=US; no policy may be implied; of no policy; a purpose, of TLS servers.
    let names = b"\x30\x11\xa0\x0f\x30\x0d\xa4\x0b\x30\x09\x31\x07\x30\x05\x06\x03\x55\x04\x06";
    let (policies, none): (&[u8], &[u8]) = (b"\x30\x03\x80\x01\x00", b"\x02\x01\x00");
    let purpose = b"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01";
    for (oid, value, is_critical) in [
        (&[2, 5, 29, 30][..], &names[..], true),
        (&[2, 5, 29, 30], names, false),
        (&[2, 5, 29, 36], policies, true),
        (&[2, 5, 29, 54], none, true),
        (&[2, 5, 29, 37], purpose, true),
    ] {
        let refused = Err(Fault::CriticalExtension);
        assert_eq!(with_authority(extension(oid, value, is_critical)), refused, "{oid:?}");
        assert_eq!(with_certificate(extension(oid, value, is_critical)), refused, "{oid:?}");
    }
}

/// RFC 8226 has no purpose for tokens, and some authorities name those that their software names: the list of numbers says what a
/// certificate is for.
#[test]
fn a_purpose_that_need_not_be_understood_is_not_looked_at() {
    let purposes = vec![ExtendedKeyUsagePurpose::ClientAuth];
    assert_eq!(with_certificate(|params| params.extended_key_usages = purposes), Ok(Attest::A));
}

#[test]
fn an_extension_that_stands_twice_or_cannot_be_read_is_not_taken_for_another() {
    let other = || CustomExtension::from_oid_content(&[2, 5, 29, 15], vec![0x04, 0x00]);
    for (name, change) in [
        (
            "two lists",
            Box::new(|params: &mut CertificateParams| {
                params.custom_extensions = vec![tn_auth_list(SPC), tn_auth_list(ONE)];
            }) as Box<dyn FnOnce(&mut CertificateParams)>,
        ),
        ("two usages", Box::new(move |params: &mut CertificateParams| params.custom_extensions.push(other()))),
        (
            "no usage but one that is none",
            Box::new(move |params: &mut CertificateParams| {
                params.key_usages.clear();
                params.custom_extensions.push(other());
            }),
        ),
        (
            "constraints that are none",
            Box::new(|params: &mut CertificateParams| {
                params.is_ca = IsCa::NoCa;
                params.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 19], vec![0x04, 0x00]));
            }),
        ),
    ] {
        assert_eq!(with_certificate(change), Err(Fault::Certificate), "{name}");
    }
}

#[test]
fn times_of_every_encoding_are_read_as_they_are() {
    let until = |year| move |params: &mut CertificateParams| params.not_after = date_time_ymd(year, 12, 31);
    // UTCTime until 2049, whose 50 is 1950, and GeneralizedTime from then on (RFC 5280 4.1.2.5).
    for year in [2049, 2050, 2051, 9999] {
        assert_eq!(with_certificate(until(year)), Ok(Attest::A), "{year}");
    }
    for year in [1950, 1999] {
        let from = |params: &mut CertificateParams| params.not_before = date_time_ymd(1950, 1, 1);
        let over = with_certificate(|params| {
            from(params);
            until(year)(params);
        });
        assert_eq!(over, Err(Fault::Expired), "{year}");
    }
    let never = |params: &mut CertificateParams| {
        (params.not_before, params.not_after) = (date_time_ymd(2027, 1, 1), date_time_ymd(2025, 1, 1));
    };
    assert_eq!(with_certificate(never), Err(Fault::NotYetValid), "it ends before it begins");
}

#[test]
fn der_that_says_two_things_or_goes_on_is_no_certificate() {
    let root = Holder::root("root", |_| {});
    let (trust, signer) = (trusting(&root.pem), root.signer(|_| {}));
    // The octet that stands so far behind the beginning of these is turned into another.
    let anew = |octets: &[u8], after: usize, turn: fn(u8) -> u8| {
        root.signed_anew(&signer.pem, |der| {
            let at = after + der.windows(octets.len()).position(|found| found == octets).unwrap();
            der[at] = turn(der[at]);
        })
    };
    // [0] INTEGER 2 is version 3; the algorithm's identifier ends so.
    let (version, algorithm) = (&[0xa0, 3, 2, 1], &[0x04, 0x03, 0x02]);
    assert_eq!(judged(&signer.token(), &anew(version, 4, |_| 2), &trust), Ok(Attest::A), "as it was");
    for (name, pem) in [
        ("version 2", anew(version, 4, |_| 1)),
        ("version 1, and extensions", anew(version, 4, |_| 0)),
        ("another algorithm inside", anew(algorithm, 2, |_| 3)),
        ("something behind it", {
            let der = crate::passport::trust::blocks(signer.pem.as_bytes(), "CERTIFICATE").unwrap()[0].contents.clone();
            armoured("CERTIFICATE", &[&der[..], &[5, 0]].concat())
        }),
    ] {
        assert_eq!(judged(&signer.token(), &pem, &trust), Err(Fault::Certificate), "{name}");
    }
    // A key that is no point of the curve is read, and has signed nothing. It is the first uncompressed one.
    let elsewhere = anew(&[0x03, 0x42, 0x00, 0x04], 20, |octet| octet ^ 1);
    assert_eq!(judged(&signer.token(), &elsewhere, &trust), Err(Fault::Signature));
}

/// Two issuers have one name and one key, and only one leads on.
#[test]
fn every_issuer_that_fits_is_tried() {
    let (root, other) = (Holder::root("root", |_| {}), Holder::root("other", |_| {}));
    let authority = root.authority("authority", |params| params.serial_number = Some(9_u64.into()));
    let signer = authority.signer(|_| {});
    let numbers = |list| move |params: &mut CertificateParams| params.custom_extensions = vec![tn_auth_list(list)];
    let again = |change: &dyn Fn(&mut CertificateParams)| authority.certified_by(&root, change);
    let impostor = Holder::root("authority", |_| {});
    for (name, decoy) in [
        ("another's key", impostor.pem.clone()),
        ("below a root that is no anchor", authority.certified_by(&other, |_| {})),
        ("limited to other numbers", again(&numbers(OTHER))),
        (
            "limited in what tokens say",
            again(&|params: &mut CertificateParams| {
                params
                    .custom_extensions
                    .push(CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 27], vec![0x30, 0]));
            }),
        ),
        ("revoked", again(&|params: &mut CertificateParams| params.serial_number = Some(10_u64.into()))),
        ("no CA", again(&|params: &mut CertificateParams| params.is_ca = IsCa::ExplicitNoCa)),
        ("expired", again(&|params: &mut CertificateParams| params.not_after = date_time_ymd(2025, 12, 31))),
        ("a loop", authority.certified_by(&authority, |_| {})),
    ] {
        for others in [decoy.clone() + &authority.pem, authority.pem.clone() + &decoy] {
            let trust = trusting_but(&root.pem, &root.list(&[10], (2026, 6, 1)));
            assert_eq!(judged(&signer.token(), &(signer.pem.clone() + &others), &trust), Ok(Attest::A), "{name}");
            let alone = judged(&signer.token(), &(signer.pem.clone() + &decoy), &trust);
            assert!(alone.is_err(), "{name} is no decoy");
        }
    }
    // The same among anchors, which are asked first.
    let limited = again(&numbers(OTHER));
    for anchors in [limited.clone() + &authority.pem, authority.pem.clone() + &limited] {
        assert_eq!(judged(&signer.token(), &signer.pem, &trusting(&anchors)), Ok(Attest::A));
    }
}

#[test]
fn whoever_lays_many_certificates_there_has_few_of_them_tried() {
    let root = Holder::root("root", |_| {});
    let signer = root.signer(|_| {});
    let impostors: Vec<String> = (0..24).map(|_| Holder::root("root", |_| {}).pem).collect();
    for (many, expected) in [(23, Ok(Attest::A)), (24, Err(Fault::ChainSignature))] {
        let trust: Trust = Authority::anchored((impostors[..many].concat() + &root.pem).as_bytes()).unwrap().into();
        assert_eq!(judged(&signer.token(), &signer.pem, &trust), expected, "{many}");
    }
    // Three that certify each other, in whichever order, and the leaf.
    let stranger = Holder::root("stranger", |_| {});
    let below = stranger.signer(|_| {});
    let chain = below.pem.clone() + &stranger.pem + &stranger.renewed(|_| {}) + &stranger.renewed(|_| {});
    assert_eq!(judged(&below.token(), &chain, &trusting(&root.pem)), Err(Fault::NoAnchor));
}
