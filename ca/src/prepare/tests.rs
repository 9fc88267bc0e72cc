//! Orders that are carried out, orders that are refused, and what lies between preparing and signing.

use proptest::prelude::*;
use rcgen::{CertificateParams, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use time::macros::datetime;
use time::{Date, Month, OffsetDateTime, UtcOffset};

use super::*;
use crate::authority::{Outgoing, Rotation, names};
use crate::fixture::{
    NOW, PASSPHRASE, authority, authority_of, csr, email, files, issue, options, order, request, request_of, shared,
    tel,
};
use crate::signer::{KeyCost, Signer, open_ed25519};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn numbers_and_mailboxes_get_their_certificate() {
    let (authority, request) = (authority(), request());
    for subject in [tel(), email("Some.One+tag@Example.org")] {
        let issued = issue(&authority, &order(&subject, &request)).unwrap();
        assert_eq!(issued.spki_sha256, request.spki_sha256());
        assert!(issued.pem.starts_with("-----BEGIN CERTIFICATE-----\n"));
        assert_eq!(issued.chain_pem, pem("CERTIFICATE", authority.intermediate(subject.issuing())));
    }
}

#[test]
fn the_intent_foretells_what_is_signed() {
    let (authority, request, subject) = (authority(), request(), tel());
    let prepared = authority.prepare(&order(&subject, &request)).unwrap();
    let (serial, hash, issuing) = (prepared.serial(), prepared.tbs_hash(), prepared.issuing());
    let issued = prepared.sign(&authority).unwrap();
    let (_, certificate) = X509Certificate::from_der(&issued.der).unwrap();
    assert_eq!(hash, <[u8; 32]>::from(Sha256::digest(certificate.tbs_certificate.as_ref())));
    assert_eq!((serial, issuing), (issued.serial, Issuing::Tel));
    assert_eq!(certificate.raw_serial(), serial.as_bytes());
    assert_eq!(issued.serial_hex(), serial.hex());
    assert_eq!(certificate.validity().not_before.timestamp(), issued.not_before.unix_timestamp());
    assert_eq!(certificate.validity().not_after.timestamp(), issued.not_after.unix_timestamp());
}

#[test]
fn the_same_order_foretells_the_same_octets() {
    let (authority, request, subject) = (authority(), request(), tel());
    let hash = |serial| authority.prepare(&Order { serial, ..order(&subject, &request) }).unwrap().tbs_hash();
    let (one, other) = (Serial::from_random([1; 20]), Serial::from_random([2; 20]));
    assert_eq!(hash(one), hash(one));
    assert_ne!(hash(one), hash(other));
}

#[test]
fn what_was_prepared_for_one_authority_is_not_signed_by_another() {
    // The other has the same name and other keys.
    let (authority, other, request, subject) = (authority(), self::authority(), request(), tel());
    let prepared = authority.prepare(&order(&subject, &request)).unwrap();
    assert_eq!(prepared.sign(&other), Err(SignError::Unsound));
}

#[test]
fn only_the_key_of_a_request_gets_into_a_certificate() {
    let extras = include_bytes!("../request/openssl/p-256-extras.pem");
    let (authority, request, subject) = (authority(), Request::parse(extras).unwrap(), tel());
    let issued = issue(&authority, &order(&subject, &request)).unwrap();
    let findings = lint::leaf(&issued.der, authority.intermediate(Issuing::Tel), &subject, &authority.settings);
    assert_eq!(findings, []);
    for foreign in [&b"whatever"[..], b"ignored"] {
        assert!(!issued.der.windows(foreign.len()).any(|window| window == foreign));
    }
}

#[test]
fn a_key_fits_what_it_is_certified_for() {
    let authority = authority();
    let (number, mailbox) = (tel(), email("someone@example.org"));
    let table = [
        (&number, &PKCS_ECDSA_P256_SHA256, Ok(())),
        (&number, &PKCS_ED25519, Ok(())),
        (&mailbox, &PKCS_ECDSA_P256_SHA256, Ok(())),
        (&mailbox, &PKCS_ED25519, Err(Refusal::KeyCannotDecrypt)),
    ];
    for (subject, algorithm, expected) in table {
        let request = request_of(algorithm);
        assert_eq!(issue(&authority, &order(subject, &request)).map(|_| ()), expected, "{subject:?} {algorithm:?}");
    }
}

#[test]
fn a_compromised_key_is_not_certified_again() {
    let (authority, request, subject) = (authority(), request(), tel());
    let order = Order { standing: KeyStanding::Compromised, ..order(&subject, &request) };
    assert_eq!(issue(&authority, &order), Err(Refusal::CompromisedKey));
}

#[test]
fn the_authority_certifies_none_of_its_own_keys() {
    let files = files(&options());
    let authority = Authority::open(&files, PASSPHRASE).unwrap();
    let file = |name| files.iter().find(|file| file.name == name).unwrap().bytes.as_slice();
    let mut own = vec![];
    for name in [names::TEL_KEY, names::EMAIL_KEY, names::RESULT_KEY] {
        let key = Signer::open(file(name), PASSPHRASE, &PKCS_ECDSA_P256_SHA256).unwrap();
        own.push(CertificateParams::default().serialize_request(&key).unwrap());
    }
    let directory = open_ed25519(file(names::DIRECTORY_KEY), PASSPHRASE).unwrap();
    let pkcs8 = crate::signer::ed25519_pkcs8(&directory);
    let directory = rcgen::KeyPair::try_from(pkcs8.as_slice()).unwrap();
    own.push(CertificateParams::default().serialize_request(&directory).unwrap());
    // The directory key that gives way is one of them.
    let rotation = Rotation {
        root_key: file(names::ROOT_KEY),
        outgoing: Outgoing::Overlaps,
        now: NOW,
        entropy: [1; 32],
        passphrase: PASSPHRASE,
        cost: KeyCost::Throwaway,
    };
    let made = authority.rotate_directory_key(&rotation).unwrap();
    let rest = files.iter().filter(|file| made.iter().all(|newer| newer.name != file.name));
    let rotated = rest.chain(&made).cloned().collect::<Vec<_>>();
    let rotated = Authority::open(&rotated, PASSPHRASE).unwrap();
    for request in own {
        let (request, subject) = (Request::parse(request.der()).unwrap(), tel());
        for authority in [&authority, &rotated] {
            assert_eq!(issue(authority, &order(&subject, &request)), Err(Refusal::OwnKey));
        }
    }
}

#[test]
fn a_request_for_somebody_else_is_refused() {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = CertificateParams::new(["example.org".to_owned()]).unwrap();
    let (authority, request, subject) = (authority(), Request::parse(&csr(params, &key)).unwrap(), tel());
    let refusal = issue(&authority, &order(&subject, &request)).unwrap_err();
    assert!(matches!(refusal, Refusal::Request(RequestError::ForeignName(_))), "{refusal}");
}

#[test]
fn each_kind_of_subject_has_its_levels_and_their_lives() {
    use Level::{L0, L1, L2, L3, L4};
    let (authority, request) = (authority(), request());
    let (number, mailbox) = (tel(), email("someone@example.org"));
    let table = [
        (&number, Assurance::ReadBack(L0), None),
        (&number, Assurance::ReadBack(L1), Some(7)),
        (&number, Assurance::CodeOnly, Some(7)),
        (&number, Assurance::ReadBack(L2), Some(30)),
        (&number, Assurance::ReadBack(L3), Some(30)),
        (&number, Assurance::ReadBack(L4), Some(30)),
        (&mailbox, Assurance::ReadBack(L0), Some(90)),
        (&mailbox, Assurance::ReadBack(L1), None),
        (&mailbox, Assurance::CodeOnly, None),
    ];
    for (subject, assurance, days) in table {
        let with = |life| issue(&authority, &Order { assurance, life, ..order(subject, &request) });
        let Some(days) = days else {
            assert!(matches!(with(DAY), Err(Refusal::Assurance { .. })), "{subject:?} {assurance:?}");
            continue;
        };
        let (limit, second) = (days * DAY, Duration::from_secs(1));
        let issued = with(limit).unwrap();
        assert_eq!(issued.not_after - issued.not_before + second, limit, "{subject:?} {assurance:?}");
        let level = assurance.level();
        assert_eq!(with(limit + second), Err(Refusal::TooLong { asked: limit + second, limit, level }));
        assert!(with(SHORTEST_LIFE).is_ok());
        let asked = SHORTEST_LIFE - second;
        assert_eq!(with(asked), Err(Refusal::TooShort { asked }));
        assert!(matches!(with(Duration::MAX), Err(Refusal::TooLong { .. })));
    }
}

#[test]
fn a_leaf_begins_a_little_early_and_ends_with_its_issuer() {
    let (authority, request, subject) = (authority(), request(), tel());
    let ends = authority.issuer(Issuing::Tel).certificate.not_after;
    let at = |now| issue(&authority, &Order { now, ..order(&subject, &request) });

    let usual = at(NOW + DAY).unwrap();
    assert_eq!(usual.not_before, NOW + DAY - BACKDATED);
    let first = at(NOW).unwrap();
    assert_eq!(first.not_before, NOW - BACKDATED, "no earlier than the issuer");
    let last = at(ends - 2 * DAY).unwrap();
    assert!(last.not_after <= ends && ends - last.not_after < DAY);

    for now in [NOW - DAY, ends, ends + DAY] {
        assert!(matches!(at(now), Err(Refusal::IssuerNotValid { .. })), "{now}");
    }
}

#[test]
fn dates_are_whole_seconds_of_universal_time() {
    let (authority, request, subject) = (authority(), request(), tel());
    let now = datetime!(2026-03-02 14:00:00.987654321 +2);
    let issued = issue(&authority, &Order { now, ..order(&subject, &request) }).unwrap();
    assert_eq!(issued.not_before, datetime!(2026-03-02 11:55 UTC));
    assert_eq!(issued.not_before.offset(), UtcOffset::UTC);
}

#[test]
fn what_is_printed_tells_no_name() {
    let (authority, request, subject) = (authority(), request(), email("someone@example.org"));
    let order = order(&subject, &request);
    let prepared = authority.prepare(&order).unwrap();
    let printed = format!("{order:?} {prepared:?}") + &format!("{:?}", prepared.sign(&authority).unwrap());
    assert!(!printed.contains("someone") && !printed.contains("example.org"), "{printed}");
}

#[test]
fn strict_mailboxes_are_issued_as_specified() {
    let authority = authority_of(&crate::InitOptions { strict_smime: true, ..options() });
    let (request, subject) = (request(), email("someone@example.org"));
    assert!(issue(&authority, &order(&subject, &request)).is_ok());
}

/// An address of 254 octets, the most that mail can carry.
fn longest_address() -> Subject {
    let domain = format!("{0}.{0}.{0}.{1}.org", "d".repeat(60), "e".repeat(2));
    let subject = email(&format!("{}@{domain}", "l".repeat(64)));
    assert_eq!(subject.identity().len(), "mailto:".len() + 254);
    subject
}

/// An authority whose lists have addresses of this many octets.
fn authority_with_url_of(size: usize) -> Authority {
    let host = "u".repeat(size - "http:///ca/email.crl".len());
    let urls = crate::Urls::under(&format!("http://{host}"));
    assert_eq!(urls.crl(Issuing::Email).map(str::len), Some(size));
    authority_of(&crate::InitOptions { urls, ..options() })
}

#[test]
fn the_longest_address_fits_where_lists_have_a_usual_url() {
    let (subject, request) = (longest_address(), request());
    let issued = issue(&authority_with_url_of(57), &order(&subject, &request)).unwrap();
    assert!(issued.der.len() <= SIZE_LIMIT);
    let refusal = issue(&authority_with_url_of(58), &order(&subject, &request));
    assert_eq!(refusal, Err(Refusal::TooLarge { size: SIZE_LIMIT + 1 }));
}

#[test]
fn the_longest_url_fits_with_every_number_and_usual_addresses() {
    let (authority, request) = (authority_with_url_of(128), request());
    let address = email(&format!("{}@{}.example.org", "l".repeat(64), "d".repeat(60)));
    for subject in [Subject::tel("+123456789012345").unwrap(), address] {
        assert!(issue(&authority, &order(&subject, &request)).unwrap().der.len() <= SIZE_LIMIT);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_number_at_every_moment_gets_a_certificate_as_specified(
        digits in "[1-9][0-9]{6,14}", serial: [u8; 20], day in 0i64..1000, second in 0i64..86_400, level in 1usize..5
    ) {
        let (authority, request) = (shared(), request());
        let subject = Subject::tel(&format!("+{digits}")).unwrap();
        let level = Level::ALL[level];
        let now = NOW + time::Duration::days(day) + time::Duration::seconds(second);
        let life = Issuing::Tel.longest_life(level);
        let serial = Serial::from_random(serial);
        let order = Order { serial, now, life, assurance: Assurance::ReadBack(level), ..order(&subject, &request) };
        let issued = issue(authority, &order).unwrap();
        prop_assert_eq!(issued.serial, serial);
        prop_assert!(issued.not_after - issued.not_before < life);
    }
}

#[test]
fn a_root_of_the_next_century_is_dated_as_rfc_5280_says() {
    let now = OffsetDateTime::new_utc(Date::from_calendar_date(2048, Month::June, 1).unwrap(), time::Time::MIDNIGHT);
    let authority = authority_of(&crate::InitOptions { now, ..options() });
    let (request, subject) = (request(), tel());
    // The root and the intermediates end after 2049, the leaf before.
    assert!(issue(&authority, &Order { now, ..order(&subject, &request) }).is_ok());
    assert!(issue(&authority, &Order { now: now + 700 * DAY, ..order(&subject, &request) }).is_ok());
}
