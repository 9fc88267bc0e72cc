//! EMAIL: what no leaf for a mailbox may be.

use super::parts::{Critical, policies, purposes};
use super::*;
use crate::der::{sequence, tlv};
use crate::fixture::der::{name, object, public_key};

const SMTP_UTF8_MAILBOX: &str = "1.3.6.1.5.5.7.8.9";

/// An address as RFC 9598 writes one that is not ASCII.
fn utf8(address: &str) -> Vec<u8> {
    let value = tlv(0xa0, &tlv(0x0c, address.as_bytes()));
    tlv(0x30, &tlv(0xa0, &[object(SMTP_UTF8_MAILBOX), value].concat()))
}

impl Bench {
    pub(super) fn mailboxes(&self) -> Vec<Row> {
        use Critical::{No, Yes};
        let with = |id: &str, critical, value: &[u8]| self.mailbox(|leaf| leaf.put(id, critical, value));
        let named = |kind, value: &str| with(SUBJECT_ALT_NAME, No, &tlv(0x30, &tlv(kind, value.as_bytes())));
        let peer = &self.own(".3.1");
        let (l0, l1, code_only) = (&self.own(".1.0"), &self.own(".1.1"), &self.own(".2"));
        vec![
            ("EMAIL-1", self.mailbox(|leaf| leaf.subject = name(&[("2.5.4.3", "someone@example.org")]))),
            ("EMAIL-2", named(0x81, "someone@example.org")),
            ("EMAIL-2", named(0x86, "mailto:Someone@example.org")),
            ("EMAIL-2", with(SUBJECT_ALT_NAME, No, &utf8("Someone@example.org"))),
            ("EMAIL-3", with(KEY_USAGE, Yes, &[3, 2, 7, 0x80])),
            ("EMAIL-3", with(KEY_USAGE, Yes, &[3, 2, 3, 0xa8])),
            ("EMAIL-4", with(EXT_KEY_USAGE, No, &purposes(&[EMAIL_PROTECTION]))),
            (
                "EMAIL-4",
                with(EXT_KEY_USAGE, No, &purposes(&[EMAIL_PROTECTION, CLIENT_AUTH, peer, "1.3.6.1.5.5.7.3.1"])),
            ),
            ("EMAIL-5", with(POLICIES, No, &policies(&[l1]))),
            ("EMAIL-5", with(POLICIES, No, &policies(&[l0, code_only]))),
            ("EMAIL-6", self.mailbox(|leaf| leaf.dates("260302000000Z", "260531000000Z"))),
            ("LEAF-9 EMAIL-7", self.mailbox(|leaf| leaf.key = public_key(&[ED25519], &[9; 32]))),
            ("LEAF-4 LEAF-8 EMAIL-8", self.of_the_intermediate_for_numbers()),
        ]
    }

    fn of_the_intermediate_for_numbers(&self) -> Vec<Finding> {
        let other = self.authority.intermediate(Issuing::Tel);
        super::super::leaf(&self.mailbox_leaf, other, &self.mailbox, &self.authority.settings)
    }
}

#[test]
fn ninety_days_are_the_longest_life_of_a_mailbox_to_the_second() {
    let bench = Bench::new();
    let lives = |end: &str| clauses(&bench.mailbox(|leaf| leaf.dates("260302000000Z", end)));
    assert_eq!(lives("260530235959Z"), "");
    assert_eq!(lives("260531000000Z"), "EMAIL-6");
}

#[test]
fn a_long_address_is_named_by_its_own_hash() {
    let bench = Bench::new();
    let long = email(&format!("{}@example.org", "a".repeat(60)));
    let request = request();
    let leaf = issue(&bench.authority, &order(&long, &request)).unwrap().der;
    let issuer = bench.authority.intermediate(Issuing::Email);
    let judge = |der: &[u8]| clauses(&super::super::leaf(der, issuer, &long, &bench.authority.settings));
    assert_eq!(judge(&leaf), "");
    for other in ["mailbox 00112233445566778899aabbccddeeff", &format!("{}@example.org", "a".repeat(60))] {
        assert_eq!(judge(&Parts::spoilt(&leaf, |leaf| leaf.subject = name(&[("2.5.4.3", other)]))), "EMAIL-1");
    }
}

#[test]
fn an_address_that_is_not_ascii_is_named_as_rfc_9598_does() {
    let bench = Bench::new();
    let address = email("jörg@example.org");
    let request = request();
    let leaf = issue(&bench.authority, &order(&address, &request)).unwrap().der;
    let issuer = bench.authority.intermediate(Issuing::Email);
    let judge = |der: &[u8]| clauses(&super::super::leaf(der, issuer, &address, &bench.authority.settings));
    assert_eq!(judge(&leaf), "");
    let other = Parts::spoilt(&leaf, |leaf| leaf.put(SUBJECT_ALT_NAME, Critical::No, &utf8("jorg@example.org")));
    assert_eq!(judge(&other), "EMAIL-2");
    let empty = Parts::spoilt(&leaf, |leaf| {
        leaf.put(SUBJECT_ALT_NAME, Critical::No, &tlv(0x30, &tlv(0xa0, &sequence(&[]))));
    });
    assert!(!judge(&empty).is_empty());
}

#[test]
fn strict_mailboxes_are_for_mail_alone() {
    let bench = Bench::new();
    let strict = Settings { strict_smime: true, ..bench.authority.settings.clone() };
    let issuer = bench.authority.intermediate(Issuing::Email);
    let judge = |der: &[u8]| clauses(&super::super::leaf(der, issuer, &bench.mailbox, &strict));
    assert_eq!(judge(&bench.mailbox_leaf), "EMAIL-4");
    let mail_alone = |leaf: &mut Parts| leaf.put(EXT_KEY_USAGE, Critical::No, &purposes(&[EMAIL_PROTECTION]));
    assert_eq!(judge(&Parts::spoilt(&bench.mailbox_leaf, mail_alone)), "");
}
