//! LEAF: what no leaf may be, shown on the one for a number.

use super::parts::{Critical, policies};
use super::*;
use crate::der::{sequence, tlv};
use crate::fixture::der::{name, object, public_key};

const URI: &[u8] = b"tel:+12025550143";
const LIST: &[u8] = b"http://ca.example.org/ca/tel.crl";

/// A distribution point with one URL, and what else it may have.
fn point(url: &[u8], more: &[u8]) -> Vec<u8> {
    sequence(&[&tlv(0xa0, &tlv(0xa0, &tlv(0x86, url))), more])
}

fn points(points: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &points.concat())
}

fn names(names: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &names.iter().flat_map(|uri| tlv(0x86, uri)).collect::<Vec<_>>())
}

impl Bench {
    pub(super) fn leaves(&self) -> Vec<Row> {
        use Critical::{No, Yes};
        let number = |spoil: &dyn Fn(&mut Parts)| self.number(|leaf| spoil(leaf));
        let with = |id: &str, critical, value: &[u8]| self.number(|leaf| leaf.put(id, critical, value));
        let with_policies = |ids: &[&str]| with(POLICIES, No, &policies(ids));
        let with_points = |found: &[Vec<u8>]| with(CRL_DISTRIBUTION_POINTS, No, &points(found));
        let (l1, l2, l3) = (&self.own(".1.1"), &self.own(".1.2"), &self.own(".1.3"));
        let (l5, code_only) = (&self.own(".1.5"), &self.own(".2"));
        let qualified = sequence(&[&sequence(&[
            &object(l2),
            &sequence(&[&sequence(&[&object("1.3.6.1.5.5.7.2.1"), &tlv(0x16, b"http://x")])]),
        ])]);
        vec![
            ("LEAF-1", number(&|leaf| leaf.version = vec![0xa0, 3, 2, 1, 1])),
            ("LEAF-2", number(&|leaf| leaf.serial = vec![2, 1, 5])),
            ("LEAF-2", number(&|leaf| leaf.serial = tlv(2, &[0x3f; 20]))),
            ("LEAF-2", number(&|leaf| leaf.serial = tlv(2, &[0xff; 20]))),
            ("LEAF-2", number(&|leaf| leaf.serial = tlv(2, &[0x40; 21]))),
            ("LEAF-3", number(&|leaf| leaf.inner = sequence(&[&object(ECDSA_SHA384)]))),
            ("LEAF-3", number(&|leaf| leaf.outer = sequence(&[&object(ECDSA_SHA384)]))),
            (
                "LEAF-3",
                number(&|leaf| {
                    leaf.inner = sequence(&[&object(ECDSA_SHA256), &[5, 0]]);
                    leaf.outer = leaf.inner.clone();
                }),
            ),
            ("LEAF-4", number(&|leaf| leaf.issuer = name(&[("2.5.4.3", "Example mailboxes")]))),
            ("LEAF-5", number(&|leaf| leaf.dates("260301115459Z", "260320000000Z"))),
            ("LEAF-5", number(&|leaf| leaf.dates("290215000000Z", "290301000000Z"))),
            ("LEAF-5", number(&|leaf| leaf.dates("260320000000Z", "260310000000Z"))),
            (
                "LEAF-5",
                number(&|leaf| {
                    leaf.validity = sequence(&[&tlv(0x17, b"260302000000Z"), &tlv(0x18, b"20260310000000Z")]);
                }),
            ),
            ("LEAF-6 TEL-1", number(&|leaf| leaf.subject = name(&[]))),
            ("LEAF-6 TEL-1", number(&|leaf| leaf.subject = name(&[("2.5.4.3", "")]))),
            ("LEAF-6 TEL-1", number(&|leaf| leaf.subject = name(&[("2.5.4.10", "+12025550143")]))),
            (
                "LEAF-6 TEL-1",
                number(&|leaf| leaf.subject = name(&[("2.5.4.3", "+12025550143"), ("2.5.4.10", "Example")])),
            ),
            ("LEAF-7 LEAF-9", number(&|leaf| leaf.key = public_key(&[EC_KEY, P384], &[4; 97]))),
            ("LEAF-7 LEAF-9", number(&|leaf| leaf.key = public_key(&[EC_KEY, P256], &[2; 33]))),
            ("LEAF-7 LEAF-9", number(&|leaf| leaf.key = public_key(&[EC_KEY], &[4; 65]))),
            ("LEAF-7 LEAF-9", number(&|leaf| leaf.key = public_key(&["1.3.101.113"], &[9; 57]))),
            ("LEAF-7 LEAF-9", number(&|leaf| leaf.key = public_key(&[ED25519, P256], &[9; 32]))),
            ("LEAF-7 LEAF-9", number(&|leaf| leaf.key = p256_in_an_octet_string())),
            ("LEAF-8", with(AUTHORITY_KEY_ID, No, &sequence(&[&tlv(0x80, &[7; 20])]))),
            (
                "LEAF-8",
                number(&|leaf| {
                    let id = subject_key_id(self.authority.intermediate(Issuing::Tel));
                    leaf.put(AUTHORITY_KEY_ID, No, &sequence(&[&tlv(0x80, &id), &[0xa1, 0], &[0x82, 1, 5]]));
                }),
            ),
            ("LEAF-8 LEAF-12", number(&|leaf| leaf.remove(AUTHORITY_KEY_ID))),
            ("LEAF-9", with(SUBJECT_KEY_ID, No, &tlv(4, &[7; 20]))),
            ("LEAF-9 LEAF-12", number(&|leaf| leaf.remove(SUBJECT_KEY_ID))),
            ("LEAF-10", with(BASIC_CONSTRAINTS, Yes, &[0x30, 3, 1, 1, 0xff])),
            ("LEAF-10", with(BASIC_CONSTRAINTS, Yes, &[0x30, 3, 2, 1, 0])),
            ("LEAF-10", with(BASIC_CONSTRAINTS, No, &[0x30, 0])),
            ("LEAF-10 LEAF-12", number(&|leaf| leaf.remove(BASIC_CONSTRAINTS))),
            ("LEAF-11", with(SUBJECT_ALT_NAME, No, &names(&[URI, URI]))),
            ("LEAF-11", with(SUBJECT_ALT_NAME, No, &names(&[]))),
            ("LEAF-11 TEL-2", with(SUBJECT_ALT_NAME, Yes, &names(&[URI]))),
            ("LEAF-12", with("1.3.6.1.5.5.7.1.1", No, &[0x30, 0])),
            ("LEAF-12", number(&|leaf| leaf.repeat(KEY_USAGE))),
            ("LEAF-13", number(&|leaf| leaf.remove(CRL_DISTRIBUTION_POINTS))),
            ("LEAF-13", with_points(&[point(b"http://ca.example.org/ca/email.crl", &[])])),
            ("LEAF-13", with_points(&[point(LIST, &[]), point(LIST, &[])])),
            ("LEAF-13", with_points(&[point(LIST, &[0x81, 2, 6, 0x40])])),
            ("LEAF-13", with_points(&[point(LIST, &tlv(0xa2, &tlv(0xa4, &name(&[("2.5.4.3", "Other")]))))])),
            ("LEAF-13", with(CRL_DISTRIBUTION_POINTS, Yes, &points(&[point(LIST, &[])]))),
            ("LEAF-14", with_policies(&[l2, l3])),
            ("LEAF-14", with_policies(&[l5])),
            ("LEAF-14", with_policies(&[l2, "2.5.29.32.0"])),
            ("LEAF-14 TEL-7", with_policies(&[l1, code_only, code_only])),
            ("LEAF-14 TEL-6", with(POLICIES, Yes, &policies(&[l2]))),
            ("LEAF-14 TEL-6", with(POLICIES, No, &qualified)),
            ("LEAF-15", number(&|leaf| leaf.unique = vec![0x81, 2, 0, 9])),
            ("LEAF-15", number(&|leaf| leaf.unique = vec![0x82, 2, 0, 9])),
            ("LEAF-12 LEAF-16", with("1.3.6.1.5.5.7.1.1", No, &tlv(0x30, &[0; 300]))),
        ]
    }

    /// An object identifier under the authority's arc.
    pub(super) fn own(&self, tail: &str) -> String {
        "1.3.6.1.4.1.32473".to_owned() + tail
    }
}

/// The right octets under the wrong tag, which a careless reader takes for the right curve.
fn p256_in_an_octet_string() -> Vec<u8> {
    let curve = tlv(0x04, &object(P256)[2..]);
    sequence(&[&sequence(&[&object(EC_KEY), &curve]), &tlv(0x03, &[&[0], &[4; 65][..]].concat())])
}

fn subject_key_id(der: &[u8]) -> Vec<u8> {
    let (_, certificate) = X509Certificate::from_der(der).unwrap();
    let found = certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(found) => Some(found.0.to_vec()),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn a_leaf_has_no_distribution_point_where_none_is_configured() {
    let bench = Bench::new();
    let settings = Settings { urls: crate::Urls::default(), ..bench.authority.settings.clone() };
    let issuer = bench.authority.intermediate(Issuing::Tel);
    let judge = |der: &[u8]| clauses(&super::super::leaf(der, issuer, &bench.number, &settings));
    assert_eq!(judge(&bench.number_leaf), "LEAF-13");
    assert_eq!(judge(&Parts::spoilt(&bench.number_leaf, |leaf| leaf.remove(CRL_DISTRIBUTION_POINTS))), "");
}
