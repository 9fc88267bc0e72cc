//! The specification, the lints and certificates that break it, held against each other.

mod authorities;
mod leaves;
mod mailboxes;
mod numbers;
mod parts;

use std::collections::BTreeSet;

use self::parts::Parts;
use super::*;
use crate::authority::names;
use crate::fixture::{PASSPHRASE, email, files, issue, options, order, request, tel};
use crate::signer::Signer;
use crate::{Authority, Subject};

const SPECIFICATION: &str = include_str!("../../../docs/certificate-specification.md");
const LISTS: [&[Lint]; 6] =
    [super::authority::ROOT, super::authority::INTERMEDIATE, super::authority::DIRECTORY, LEAF, TEL, EMAIL];
const LEAF: &[Lint] = super::leaf::LINTS;
const TEL: &[Lint] = super::tel::LINTS;
const EMAIL: &[Lint] = super::email::LINTS;

/// One certificate that breaks the specification: every clause that it breaks, and what the lints found.
type Row = (&'static str, Vec<Finding>);

/// Good certificates to be spoilt, and the key that signs the authority's own ones again.
struct Bench {
    authority: Authority,
    root_key: Signer,
    number: Subject,
    number_leaf: Vec<u8>,
    mailbox: Subject,
    mailbox_leaf: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let files = files(&options());
        let authority = Authority::open(&files, PASSPHRASE).unwrap();
        let root_key = files.iter().find(|file| file.name == names::ROOT_KEY).unwrap();
        let root_key = Signer::open(&root_key.bytes, PASSPHRASE, &rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        let (request, number, mailbox) = (request(), tel(), email("Someone@example.org"));
        let number_leaf = issue(&authority, &order(&number, &request)).unwrap().der;
        let mailbox_leaf = issue(&authority, &order(&mailbox, &request)).unwrap().der;
        Self { authority, root_key, number, number_leaf, mailbox, mailbox_leaf }
    }

    /// What is found in the leaf for a number after it was spoilt.
    fn number(&self, spoil: impl FnOnce(&mut Parts)) -> Vec<Finding> {
        let der = Parts::spoilt(&self.number_leaf, spoil);
        super::leaf(&der, self.authority.intermediate(Issuing::Tel), &self.number, &self.authority.settings)
    }

    /// What is found in the leaf for a mailbox after it was spoilt.
    fn mailbox(&self, spoil: impl FnOnce(&mut Parts)) -> Vec<Finding> {
        let der = Parts::spoilt(&self.mailbox_leaf, spoil);
        super::leaf(&der, self.authority.intermediate(Issuing::Email), &self.mailbox, &self.authority.settings)
    }
}

fn clauses(findings: &[Finding]) -> String {
    findings.iter().map(|finding| finding.clause).collect::<Vec<_>>().join(" ")
}

fn lints() -> Vec<&'static str> {
    LISTS.iter().copied().flatten().map(|lint| lint.clause).collect()
}

/// The numbers of the clauses: each is a bold word at the beginning of a list's item.
fn numbered(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("- **")?.split_once("** ").map(|(number, _)| number)).collect()
}

#[test]
fn every_clause_has_its_lint_and_every_lint_its_clause() {
    assert_eq!(numbered(SPECIFICATION), lints());
}

#[test]
fn every_clause_says_what_must_be() {
    for line in SPECIFICATION.lines().filter(|line| line.starts_with("- **")) {
        assert!(line.contains("MUST"), "{line}");
    }
}

#[test]
fn a_clause_is_read_from_the_page_only_where_one_is_stated() {
    assert_eq!(numbered("- **TEL-1** It MUST.\nsee **TEL-2** there\n- TEL-3 It MUST.\n"), ["TEL-1"]);
}

#[test]
fn the_lints_are_silent_on_what_this_crate_makes() {
    let bench = Bench::new();
    assert_eq!((bench.number(|_| ()), bench.mailbox(|_| ())), (vec![], vec![]));
    assert_eq!(bench.root(|_| ()), []);
    assert_eq!((bench.numbers_issuer(|_| ()), bench.mailboxes_issuer(|_| ())), (vec![], vec![]));
    assert_eq!(bench.directory(|_| ()), []);
}

#[test]
fn every_lint_fires_on_a_certificate_that_breaks_its_clause() {
    let bench = Bench::new();
    let tables = [bench.leaves(), bench.numbers(), bench.mailboxes(), bench.authorities()];
    let mut fired = BTreeSet::new();
    for (row, (broken, findings)) in tables.iter().flatten().enumerate() {
        assert_eq!(clauses(findings), *broken, "row {row}, {broken}: {findings:?}");
        fired.extend(findings.iter().map(|finding| finding.clause));
    }
    let silent: Vec<_> = lints().into_iter().filter(|clause| !fired.contains(clause)).collect();
    assert_eq!(silent, [""; 0], "these lints were never seen to fire");
}

#[test]
fn what_is_no_certificate_is_found_out() {
    let bench = Bench::new();
    let issuer = bench.authority.intermediate(Issuing::Tel);
    let trailing = [&bench.number_leaf[..], &[0]].concat();
    for bytes in [&b""[..], &[0x30, 0], &bench.number_leaf[1..], &trailing] {
        let findings = super::leaf(bytes, issuer, &bench.number, &bench.authority.settings);
        assert_eq!(clauses(&findings), "X.509");
    }
}
