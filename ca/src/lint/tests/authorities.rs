//! ROOT, CA and DIR: what the authority's own certificates may not be. Each is signed again after it was spoilt, so
//! that its signature is not what is found.

use super::parts::{Critical, policies, purposes};
use super::*;
use crate::der::{sequence, tlv};
use crate::fixture::der::{name, object, public_key};

/// keyCertSign and cRLSign; with digitalSignature; digitalSignature alone.
const ISSUES: &[u8] = &[3, 2, 1, 0x06];
const SIGNS_TOO: &[u8] = &[3, 2, 1, 0x86];
const SIGNS: &[u8] = &[3, 2, 7, 0x80];

impl Bench {
    pub(super) fn root(&self, spoil: impl FnOnce(&mut Parts)) -> Vec<Finding> {
        let der = Parts::signed_again(self.authority.root(), &self.root_key, spoil);
        super::super::root(&der, &self.authority.settings)
    }

    pub(super) fn numbers_issuer(&self, spoil: impl FnOnce(&mut Parts)) -> Vec<Finding> {
        self.issuer(Issuing::Tel, spoil)
    }

    pub(super) fn mailboxes_issuer(&self, spoil: impl FnOnce(&mut Parts)) -> Vec<Finding> {
        self.issuer(Issuing::Email, spoil)
    }

    fn issuer(&self, issuing: Issuing, spoil: impl FnOnce(&mut Parts)) -> Vec<Finding> {
        let der = Parts::signed_again(self.authority.intermediate(issuing), &self.root_key, spoil);
        super::super::intermediate(&der, self.authority.root(), issuing, &self.authority.settings)
    }

    pub(super) fn directory(&self, spoil: impl FnOnce(&mut Parts)) -> Vec<Finding> {
        let der = Parts::signed_again(self.authority.directory_certificate(), &self.root_key, spoil);
        super::super::directory(&der, self.authority.root(), &self.authority.settings)
    }

    pub(super) fn authorities(&self) -> Vec<Row> {
        [self.roots(), self.intermediates(), self.directories()].into_iter().flatten().collect()
    }

    fn roots(&self) -> Vec<Row> {
        use Critical::{No, Yes};
        let with = |id: &str, critical, value: &[u8]| self.root(|root| root.put(id, critical, value));
        vec![
            ("ROOT-1", self.root(|root| root.version = vec![0xa0, 3, 2, 1, 1])),
            ("ROOT-1", self.root(|root| root.serial = vec![2, 1, 5])),
            ("ROOT-1", self.root(|root| root.issuer = name(&[("2.5.4.3", "Other root")]))),
            ("ROOT-1", self.root(|root| renamed(root, "Other root"))),
            ("ROOT-1", self.root(|root| root.outer = sequence(&[&object(ECDSA_SHA256)]))),
            ("ROOT-1", self.unsigned(self.authority.root(), super::super::root)),
            ("ROOT-1 ROOT-2 ROOT-6", self.root(|root| root.key = public_key(&[EC_KEY, P256], &[4; 65]))),
            ("ROOT-3", with(BASIC_CONSTRAINTS, Yes, &[0x30, 6, 1, 1, 0xff, 2, 1, 0])),
            ("ROOT-3", with(BASIC_CONSTRAINTS, Yes, &[0x30, 3, 1, 1, 0xff])),
            ("ROOT-3", with(BASIC_CONSTRAINTS, No, &[0x30, 6, 1, 1, 0xff, 2, 1, 1])),
            ("ROOT-4", with(KEY_USAGE, Yes, SIGNS_TOO)),
            ("ROOT-4", with(KEY_USAGE, No, ISSUES)),
            ("ROOT-5", self.root(|root| root.dates("260301000000Z", "360229000000Z"))),
            ("ROOT-6", with(SUBJECT_KEY_ID, No, &tlv(4, &[7; 20]))),
            ("ROOT-6", with(EXT_KEY_USAGE, No, &purposes(&[CLIENT_AUTH]))),
            ("ROOT-6", self.root(|root| root.repeat(KEY_USAGE))),
        ]
    }

    fn intermediates(&self) -> Vec<Row> {
        use Critical::{No, Yes};
        let spoilt = |spoil: &dyn Fn(&mut Parts)| self.numbers_issuer(|issuer| spoil(issuer));
        let with = |id: &str, critical, value: &[u8]| self.numbers_issuer(|issuer| issuer.put(id, critical, value));
        let peer = &self.own(".3.1");
        let [l0, l1, l2, l3, l4] = &[0, 1, 2, 3, 4].map(|level| self.own(&format!(".1.{level}")));
        let code_only = &self.own(".2");
        let (hosts, v4, v6) = (tlv(0x82, b""), tlv(0x87, &[0; 8]), tlv(0x87, &[0; 32]));
        let excluding = |names: &[&Vec<u8>]| {
            let trees: Vec<u8> = names.iter().flat_map(|name| sequence(&[name])).collect();
            sequence(&[&tlv(0xa1, &trees)])
        };
        let permitting = sequence(&[&tlv(0xa0, &sequence(&[&tlv(0x81, b"example.org")]))]);
        vec![
            ("CA-1", spoilt(&|issuer| issuer.version = vec![0xa0, 3, 2, 1, 1])),
            ("CA-1", spoilt(&|issuer| issuer.serial = vec![2, 1, 5])),
            ("CA-1", spoilt(&|issuer| issuer.issuer = name(&[("2.5.4.3", "Other root")]))),
            ("CA-1", spoilt(&|issuer| issuer.inner = sequence(&[&object(ECDSA_SHA256)]))),
            (
                "CA-1",
                self.unsigned(self.authority.intermediate(Issuing::Tel), |der, settings| {
                    super::super::intermediate(der, self.authority.root(), Issuing::Tel, settings)
                }),
            ),
            ("CA-2", spoilt(&|issuer| issuer.subject = name(&[("2.5.4.3", "Example mailboxes")]))),
            ("CA-3", with(BASIC_CONSTRAINTS, Yes, &[0x30, 6, 1, 1, 0xff, 2, 1, 1])),
            ("CA-3", with(BASIC_CONSTRAINTS, Yes, &[0x30, 3, 1, 1, 0xff])),
            ("CA-3 CA-9", spoilt(&|issuer| issuer.remove(BASIC_CONSTRAINTS))),
            ("CA-4", with(KEY_USAGE, Yes, SIGNS_TOO)),
            ("CA-5", with(EXT_KEY_USAGE, No, &purposes(&[CLIENT_AUTH]))),
            ("CA-5", with(EXT_KEY_USAGE, No, &purposes(&[CLIENT_AUTH, peer, EMAIL_PROTECTION]))),
            ("CA-5", self.mailboxes_issuer(|i| i.put(EXT_KEY_USAGE, No, &purposes(&[CLIENT_AUTH, peer])))),
            ("CA-6", spoilt(&|issuer| issuer.dates("260301120000Z", "290301000000Z"))),
            ("CA-6", spoilt(&|issuer| issuer.dates("260301000000Z", "270301000000Z"))),
            ("CA-7", with(NAME_CONSTRAINTS, Yes, &excluding(&[&hosts, &v4]))),
            ("CA-7", with(NAME_CONSTRAINTS, Yes, &excluding(&[&hosts, &v4, &v6, &tlv(0x86, b"example.org")]))),
            ("CA-7", with(NAME_CONSTRAINTS, Yes, &permitting)),
            ("CA-7", with(NAME_CONSTRAINTS, No, &excluding(&[&hosts, &v4, &v6]))),
            ("CA-8", with(POLICIES, No, &policies(&[l1, l2, l3, l4]))),
            ("CA-8", with(POLICIES, No, &policies(&[l0, l1, l2, l3, l4, code_only]))),
            ("CA-8", self.mailboxes_issuer(|issuer| issuer.put(POLICIES, No, &policies(&[l0, l2])))),
            ("CA-9", with(AUTHORITY_KEY_ID, No, &sequence(&[&tlv(0x80, &[7; 20])]))),
            ("CA-9", with(SUBJECT_KEY_ID, No, &tlv(4, &[7; 20]))),
            ("CA-9", with(CRL_DISTRIBUTION_POINTS, No, &[0x30, 0])),
            ("CA-9 CA-10", spoilt(&|issuer| issuer.key = public_key(&[EC_KEY, P384], &[4; 97]))),
        ]
    }

    fn directories(&self) -> Vec<Row> {
        use Critical::{No, Yes};
        let spoilt = |spoil: &dyn Fn(&mut Parts)| self.directory(|directory| spoil(directory));
        let with = |id: &str, critical, value: &[u8]| self.directory(|leaf| leaf.put(id, critical, value));
        let purpose = &self.own(".3.2");
        vec![
            ("DIR-1", spoilt(&|directory| directory.serial = vec![2, 1, 5])),
            ("DIR-1", spoilt(&|directory| directory.issuer = name(&[("2.5.4.3", "Example mailboxes")]))),
            (
                "DIR-1",
                self.unsigned(self.authority.directory_certificate(), |der, settings| {
                    super::super::directory(der, self.authority.root(), settings)
                }),
            ),
            ("DIR-2 DIR-6", spoilt(&|directory| directory.key = public_key(&[EC_KEY, P256], &[4; 65]))),
            ("DIR-3", spoilt(&|directory| directory.subject = name(&[("2.5.4.3", "Other directory")]))),
            ("DIR-3", with(BASIC_CONSTRAINTS, Yes, &[0x30, 3, 1, 1, 0xff])),
            ("DIR-3", with(KEY_USAGE, Yes, SIGNS_TOO)),
            ("DIR-3", with(KEY_USAGE, No, SIGNS)),
            ("DIR-4", with(EXT_KEY_USAGE, No, &purposes(&[purpose, &self.own(".3.1")]))),
            ("DIR-4", with(EXT_KEY_USAGE, No, &purposes(&["2.5.29.37.0"]))),
            ("DIR-5", spoilt(&|directory| directory.dates("260301120000Z", "290301000000Z"))),
            ("DIR-6", with(AUTHORITY_KEY_ID, No, &sequence(&[&tlv(0x80, &[7; 20])]))),
            ("DIR-6", with(POLICIES, No, &policies(&[&self.own(".1.2")]))),
        ]
    }

    /// What is found in a certificate whose end was not signed: one octet of its serial is another.
    fn unsigned(&self, der: &[u8], judge: impl Fn(&[u8], &Settings) -> Vec<Finding>) -> Vec<Finding> {
        let der = Parts::spoilt(der, |parts| *parts.serial.last_mut().unwrap() ^= 1);
        judge(&der, &self.authority.settings)
    }
}

/// Another name in both places.
fn renamed(root: &mut Parts, to: &str) {
    root.subject = name(&[("2.5.4.3", to)]);
    root.issuer = root.subject.clone();
}
