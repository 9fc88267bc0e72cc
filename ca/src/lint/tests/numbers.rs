//! TEL: what no leaf for a number may be.

use super::parts::{Critical, policies, purposes};
use super::*;
use crate::der::tlv;
use crate::extensions::tn_auth_list_value;
use crate::fixture::der::name;

const TN_AUTH_LIST: &str = "1.3.6.1.5.5.7.1.26";

impl Bench {
    pub(super) fn numbers(&self) -> Vec<Row> {
        use Critical::{No, Yes};
        let with = |id: &str, critical, value: &[u8]| self.number(|leaf| leaf.put(id, critical, value));
        let named = |kind, value: &str| with(SUBJECT_ALT_NAME, No, &tlv(0x30, &tlv(kind, value.as_bytes())));
        let peer = &self.own(".3.1");
        let (l0, l1, l2, code_only) = (&self.own(".1.0"), &self.own(".1.1"), &self.own(".1.2"), &self.own(".2"));
        vec![
            ("TEL-1", self.number(|leaf| leaf.subject = name(&[("2.5.4.3", "+12025550144")]))),
            ("TEL-2", named(0x86, "tel:+12025550144")),
            ("TEL-2", named(0x86, "tel:+1-202-555-0143")),
            ("TEL-2", named(0x86, "TEL:+12025550143")),
            ("TEL-2", named(0x86, "tel:+12025550143;ext=1")),
            ("TEL-2", named(0x81, "someone@example.org")),
            ("TEL-2", named(0x82, "example.org")),
            ("TEL-3", with(KEY_USAGE, Yes, &[3, 2, 6, 0xc0])),
            ("TEL-3", with(KEY_USAGE, No, &[3, 2, 7, 0x80])),
            ("TEL-4", with(EXT_KEY_USAGE, No, &purposes(&[CLIENT_AUTH, peer, "1.3.6.1.5.5.7.3.1"]))),
            ("TEL-4", with(EXT_KEY_USAGE, No, &purposes(&[CLIENT_AUTH]))),
            ("TEL-4", with(EXT_KEY_USAGE, No, &purposes(&[CLIENT_AUTH, peer, "2.5.29.37.0"]))),
            ("TEL-4", with(EXT_KEY_USAGE, Yes, &purposes(&[CLIENT_AUTH, peer]))),
            ("TEL-5", with(TN_AUTH_LIST, No, &tn_auth_list_value("12025550144"))),
            ("TEL-5", with(TN_AUTH_LIST, No, &tn_auth_list_value("+12025550143"))),
            ("TEL-5", with(TN_AUTH_LIST, Yes, &tn_auth_list_value("12025550143"))),
            ("LEAF-12 TEL-5", self.number(|leaf| leaf.remove(TN_AUTH_LIST))),
            ("TEL-6", with(POLICIES, No, &policies(&[l0]))),
            ("TEL-6", with(POLICIES, No, &policies(&[l2, code_only]))),
            ("TEL-7", with(POLICIES, No, &policies(&[l1]))),
            ("TEL-7", with(POLICIES, No, &policies(&[l1, code_only]))),
            ("TEL-7", self.number(|leaf| leaf.dates("260302000000Z", "260401000000Z"))),
            ("LEAF-4 LEAF-8 TEL-8", self.of_the_other_intermediate()),
        ]
    }

    fn of_the_other_intermediate(&self) -> Vec<Finding> {
        let other = self.authority.intermediate(Issuing::Email);
        super::super::leaf(&self.number_leaf, other, &self.number, &self.authority.settings)
    }
}

#[test]
fn thirty_days_are_the_longest_life_of_a_number_to_the_second() {
    let bench = Bench::new();
    let lives = |end: &str| clauses(&bench.number(|leaf| leaf.dates("260302000000Z", end)));
    assert_eq!(lives("260331235959Z"), "");
    assert_eq!(lives("260401000000Z"), "TEL-7");
}

#[test]
fn a_leaf_for_a_number_is_none_for_a_mailbox() {
    let bench = Bench::new();
    let issuer = bench.authority.intermediate(Issuing::Email);
    let findings = super::super::leaf(&bench.number_leaf, issuer, &bench.mailbox, &bench.authority.settings);
    for clause in ["LEAF-4", "LEAF-12", "EMAIL-1", "EMAIL-2", "EMAIL-3", "EMAIL-4", "EMAIL-5"] {
        assert!(findings.iter().any(|finding| finding.clause == clause), "{clause}");
    }
}
