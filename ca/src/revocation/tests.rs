//! Revocation lists: what they say, in which order they may replace each other, whose they are.

use std::time::Duration;

use x509_parser::prelude::ParsedExtension;

use super::*;
use crate::fixture::{NOW, authority};

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

fn revoked(first: u8, reason: Reason) -> Revoked {
    Revoked { serial: Serial::from_random([first; 20]), at: NOW - WEEK, reason }
}

fn read(crl: &Crl) -> CertificateRevocationList<'_> {
    let (rest, list) = CertificateRevocationList::from_der(&crl.der).unwrap();
    assert!(rest.is_empty());
    list
}

#[test]
fn a_list_says_which_certificates_are_revoked_since_when_and_why() {
    let authority = authority();
    let given: Vec<Revoked> = (1..).zip(Reason::ALL).map(|(first, reason)| revoked(first, reason)).collect();
    let crl = authority.crl(Issuing::Tel, &given, 7, NOW, NOW + WEEK).unwrap();
    let list = read(&crl);
    let found: Vec<Revoked> = list
        .iter_revoked_certificates()
        .map(|entry| Revoked {
            serial: Serial::from_random(entry.raw_serial().try_into().unwrap()),
            at: OffsetDateTime::from_unix_timestamp(entry.revocation_date.timestamp()).unwrap(),
            reason: Reason::from_code(entry.reason_code().map_or(0, |(_, code)| code.0)).unwrap(),
        })
        .collect();
    assert_eq!(found, given);
    // RFC 5280 5.3.1: an unspecified reason is left out.
    let reasons = list.iter_revoked_certificates().filter(|entry| entry.reason_code().is_some()).count();
    assert_eq!(reasons, Reason::ALL.len() - 1);
}

#[test]
fn a_list_has_the_number_and_the_dates_it_was_given() {
    let authority = authority();
    for number in [0, 1, 127, 128, 256, u64::MAX] {
        let crl = authority.crl(Issuing::Tel, &[], number, NOW, NOW + WEEK).unwrap();
        let list = read(&crl);
        assert_eq!(list.crl_number().map(ToString::to_string), Some(number.to_string()));
        assert_eq!(list.last_update().timestamp(), NOW.unix_timestamp());
        assert_eq!(list.next_update().unwrap().timestamp(), (NOW + WEEK).unix_timestamp());
    }
}

#[test]
fn a_list_without_revocations_has_no_empty_sequence() {
    // RFC 5280 5.1.2.6: with no revoked certificates, the list of them must be absent.
    let authority = authority();
    let none = authority.crl(Issuing::Email, &[], 1, NOW, NOW + WEEK).unwrap();
    assert_eq!(read(&none).tbs_cert_list.revoked_certificates, []);
    assert!(!none.der.windows(3).any(|window| window == [0x5a, 0x30, 0x00]), "dates followed by an empty SEQUENCE");
}

#[test]
fn each_intermediate_signs_its_own_list() {
    let authority = authority();
    let [tel, email] = Issuing::ALL.map(|issuing| authority.crl(issuing, &[], 1, NOW, NOW + WEEK).unwrap());
    let [tel_ca, email_ca] = Issuing::ALL.map(|issuing| authority.intermediate(issuing));
    assert!(verifies(&tel.der, tel_ca) && verifies(&email.der, email_ca));
    assert!(!verifies(&tel.der, email_ca) && !verifies(&email.der, tel_ca));
    let mut changed = tel.der.clone();
    let at = changed.windows(4).position(|window| window == b"2603").unwrap();
    changed[at + 3] = b'2';
    assert!(!verifies(&changed, tel_ca), "a list with another date");
    assert!(!verifies(&[&tel.der[..], &[0]].concat(), tel_ca));
}

#[test]
fn a_list_names_its_issuer_and_its_key() {
    let authority = authority();
    let crl = authority.crl(Issuing::Tel, &[], 1, NOW, NOW + WEEK).unwrap();
    let (list, (_, issuer)) = (read(&crl), X509Certificate::from_der(authority.intermediate(Issuing::Tel)).unwrap());
    assert_eq!(list.issuer().as_raw(), issuer.subject().as_raw());
    let key_id = issuer.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(found) => Some(found.0),
        _ => None,
    });
    let named = list.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(found) => found.key_identifier.as_ref().map(|found| found.0),
        _ => None,
    });
    assert!(key_id.is_some() && key_id == named);
    assert_eq!(crl.pem, pem("X509 CRL", &crl.der));
}

#[test]
fn a_list_that_ends_before_it_begins_is_not_made() {
    assert!(matches!(authority().crl(Issuing::Tel, &[], 1, NOW, NOW - WEEK), Err(SignError::Signer(_))));
}

#[test]
fn every_reason_is_stored_by_its_code() {
    for reason in Reason::ALL {
        assert_eq!(Reason::from_code(reason.code()), Some(reason));
        assert!(!reason.name().is_empty());
    }
    // 2 and 3 are about authorities, 7 is not used, 8 takes back a hold in delta lists (RFC 5280 5.3.1).
    for code in [2, 3, 7, 8, 10, 255] {
        assert_eq!(Reason::from_code(code), None);
    }
}
