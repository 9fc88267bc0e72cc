//! From a signer's certificate to an anchor.

use super::Fault;
use super::certificate::{Certificate, Numbers, Validity};
use super::tn_auth_list::Within;
use super::trust::{Authority, CERTIFICATE, Delegates, blocks};

/// What lies at an x5u.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) leaf: Certificate,
    others: Vec<Certificate>,
    /// Why one of the others could not be read: without it, the chain may lead nowhere.
    pub(super) unread: Option<Fault>,
}

/// When a chain holds whose signatures, issuing rights and revocation are in order. It is told apart, because the chain may
/// be kept for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// When all its certificates are valid.
    validity: Validity,
    /// When the lists that were looked into are in force.
    lists: Validity,
    /// The service provider codes of all who answer for the leaf: its own, then those of its issuers, each once.
    pub(super) spcs: Vec<String>,
}

impl Given {
    /// Reads PEM certificates, the leaf first (RFC 7515 4.1.5).
    pub(super) fn read(pem: &[u8]) -> Result<Self, Fault> {
        let blocks = blocks(pem, CERTIFICATE).map_err(|_| Fault::Certificate)?;
        if blocks.len() > MOST_CERTIFICATES {
            return Err(Fault::LongChain);
        }
        let mut given = blocks.iter().map(|block| Certificate::from_der(&block.contents));
        let leaf = given.next().ok_or(Fault::Certificate)??;
        // Some send along what nobody needs, such as a root that is certified once more with RSA.
        let (others, faults): (Vec<_>, Vec<_>) = given.partition(Result::is_ok);
        let others = others.into_iter().flatten().collect();
        Ok(Self { leaf, others, unread: faults.into_iter().find_map(Result::err) })
    }

    /// Follows them to an anchor of this authority. Of several ways that lead to one, one that holds then is taken.
    pub(super) fn chain(&self, authority: &Authority, at: i64) -> Result<Chain, Fault> {
        let mut search = Search {
            given: self,
            authority,
            at,
            signatures_left: MOST_SIGNATURES,
            found: None,
            fault: (0, Fault::NoAnchor),
        };
        search.go_on(&mut Vec::new());
        search.found.ok_or(search.fault.1)
    }

    /// What is to be said of the leaf and these issuers, of which the last is an anchor.
    fn judged(&self, above: &[&Certificate], authority: &Authority, at: i64) -> Result<Chain, Fault> {
        let leaf = &self.leaf;
        let (mut validity, mut lists, mut below) = (leaf.validity, EVER, leaf);
        let (mut limited, mut spcs) = (leaf, leaf.numbers.spcs());
        for &issuer in above {
            within_limits(limited, issuer, authority.delegates())?;
            if issuer.numbers != Numbers::None {
                limited = issuer;
            }
            add(issuer.numbers.spcs(), &mut spcs);
            validity = validity.and(issuer.validity);
            lists = lists.and(Lists { authority, at }.clear(below, Some(issuer), &[])?);
            below = issuer;
        }
        // An anchor is believed as it is; but whoever issued it may have taken that back.
        if !below.is_self_issued() {
            lists = lists.and(Lists { authority, at }.clear(below, None, &[])?);
        }
        Ok(Chain { validity, lists, spcs })
    }
}

impl Chain {
    /// Until when it holds, if nothing is looked into again.
    pub(super) fn end(&self) -> i64 {
        self.validity.and(self.lists).to
    }

    /// Does it hold then, and do the lists that cleared it?
    pub(super) fn check(&self, at: i64) -> Result<(), Fault> {
        self.validity.check(at)?;
        self.lists.check(at).map_err(|_| Fault::ListNotInForce)
    }
}

/// Looks for a way from the leaf to an anchor. Names need not tell two issuers apart, so all that fit are tried, as long as
/// there is patience left for whoever laid them there.
struct Search<'c> {
    given: &'c Given,
    authority: &'c Authority,
    at: i64,
    signatures_left: u32,
    /// A way that holds; or the first that did or will.
    found: Option<Chain>,
    /// What kept it from leading on, where it came farthest.
    fault: (usize, Fault),
}

impl<'c> Search<'c> {
    /// Tries every issuer of the last one of these, or of the leaf: none twice on one way, so no way has more than were given. Who
    /// has the same name and the same key is the same (RFC 5280 6.1), though somebody certified it once more.
    /// Says whether one was found that holds.
    fn go_on(&mut self, above: &mut Vec<&'c Certificate>) -> bool {
        let below = above.last().copied().unwrap_or(&self.given.leaf);
        // RFC 5280 6.1.4 l: one that a CA issued to itself, for another key, counts for nothing.
        let cas_below = above.iter().filter(|ca| !ca.is_self_issued()).count();
        let cas_below = u32::try_from(cas_below).expect("there are only a few");
        self.note(2 * above.len(), Fault::NoAnchor);
        let anchors = self.authority.anchors().iter().map(|anchor| (anchor, true));
        let others = self.given.others.iter().map(|other| (other, false));
        let is_named = |(issuer, _): &(&Certificate, bool)| issuer.subject == below.issuer;
        // A certificate that was renewed lies beside the one that ended, and mostly holds.
        let (mut issuers, ended): (Vec<_>, Vec<_>) =
            anchors.chain(others).filter(is_named).partition(|(issuer, _)| issuer.validity.check(self.at).is_ok());
        issuers.extend(ended);
        for (issuer, is_anchor) in issuers {
            if above.iter().any(|known| (&known.subject, &known.key) == (&issuer.subject, &issuer.key)) {
                continue;
            }
            if !issuer.may_issue(cas_below) {
                self.note(2 * above.len() + 1, Fault::NotAnIssuer);
                continue;
            }
            if self.signatures_left == 0 {
                return false;
            }
            self.signatures_left -= 1;
            if !below.is_signed_by(issuer) {
                self.note(2 * above.len() + 1, Fault::ChainSignature);
                continue;
            }
            above.push(issuer);
            let holds = if is_anchor { self.arrive(above) } else { self.go_on(above) };
            above.pop();
            if holds {
                return true;
            }
        }
        false
    }

    /// Judges a way that leads to an anchor. Says whether it holds.
    fn arrive(&mut self, above: &[&'c Certificate]) -> bool {
        match self.given.judged(above, self.authority, self.at) {
            Ok(chain) => {
                let holds = chain.check(self.at).is_ok();
                if holds || self.found.is_none() {
                    self.found = Some(chain);
                }
                holds
            }
            Err(fault) => {
                self.note(usize::MAX, fault);
                false
            }
        }
    }

    fn note(&mut self, how_far: usize, fault: Fault) {
        if how_far > self.fault.0 {
            self.fault = (how_far, fault);
        }
    }
}

/// Adds these codes, but for those that are there.
pub(super) fn add(more: Vec<String>, spcs: &mut Vec<String>) {
    for spc in more {
        if !spcs.contains(&spc) {
            spcs.push(spc);
        }
    }
}

/// What limits an issuer limits what it issues (RFC 8226 9): a list that it has must encompass the next one below (RFC 9060 4),
/// the leaf's or a CA's, which could name codes else that nobody gave it.
fn within_limits(below: &Certificate, issuer: &Certificate, delegates: Delegates) -> Result<(), Fault> {
    if issuer.constrains_claims {
        return Err(Fault::ClaimConstraints);
    }
    let within = match (&issuer.numbers, &below.numbers) {
        (Numbers::None, _) => Within::Wholly,
        (Numbers::Listed(of_issuer), Numbers::Listed(of_those_below)) => of_issuer.encompasses(of_those_below),
        (Numbers::Listed(_) | Numbers::ElsewhereOnly | Numbers::Unreadable, _) => Within::Not,
    };
    match (within, delegates) {
        (Within::Wholly, _) | (Within::ByCode, Delegates::Believed) => Ok(()),
        (Within::ByCode, Delegates::Refused) => Err(Fault::Delegate),
        (Within::Not, _) => Err(Fault::BeyondIssuer),
    }
}

/// The revocation lists of an authority, looked into at that time.
#[derive(Clone, Copy)]
struct Lists<'a> {
    authority: &'a Authority,
    at: i64,
}

impl<'a> Lists<'a> {
    /// When those that speak of this certificate are in force, if none names it. Its issuer need not be given if it is an anchor.
    /// Who signed a list that is being looked into is not asked about its own signers.
    fn clear(
        self,
        certificate: &Certificate,
        issuer: Option<&'a Certificate>,
        asked: &[&'a Certificate],
    ) -> Result<Validity, Fault> {
        let (mut in_force, anchors) = (EVER, self.authority.anchors());
        for list in self.authority.lists().iter().filter(|list| list.covers(&certificate.issuer)) {
            let signers = list.signers(issuer, anchors);
            let signer = signers.min_by_key(|signer| signer.validity.check(self.at).is_err());
            let signer = signer.ok_or(Fault::ListNotInForce)?;
            if asked.iter().any(|asked| std::ptr::eq(*asked, signer)) {
                continue;
            }
            if list.names(certificate) {
                return Err(Fault::Revoked);
            }
            in_force = in_force.and(list.validity()).and(signer.validity);
            // RFC 5280 6.3.3 f: its signer's own chain. One of the certificate's chain is looked at there, and nobody takes a
            // root back.
            let is_in_chain = issuer.is_some_and(|issuer| std::ptr::eq(issuer, signer));
            if !is_in_chain && !signer.is_self_issued() {
                let asked = [asked, &[signer]].concat();
                in_force = in_force.and(self.clear(signer, None, &asked).map_err(|_| Fault::ListNotInForce)?);
            }
        }
        Ok(in_force)
    }
}

/// A leaf, two CAs below an anchor, and the anchor itself, which some send along.
const MOST_CERTIFICATES: usize = 4;
/// That are looked at on the way to the anchors of one authority. Who is in order needs one of each certificate, and some more where
/// two issuers have one name.
const MOST_SIGNATURES: u32 = 24;

const EVER: Validity = Validity { from: i64::MIN, to: i64::MAX };
