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

    /// Follows them to an anchor of this authority. Of several issuers that would do, one that is valid then is taken.
    pub(super) fn chain(&self, authority: &Authority, at: i64) -> Result<Chain, Fault> {
        let Self { leaf, others, .. } = self;
        let above = path(leaf, others, authority.anchors(), at)?;
        let (mut validity, mut lists, mut below) = (leaf.validity, EVER, leaf);
        let (mut limited, mut spcs) = (leaf, leaf.numbers.spcs());
        for issuer in above {
            within_limits(limited, issuer, authority.delegates())?;
            if issuer.numbers != Numbers::None {
                limited = issuer;
            }
            add(issuer.numbers.spcs(), &mut spcs);
            validity = validity.and(issuer.validity);
            lists = lists.and(unrevoked(below, Some(issuer), authority)?);
            below = issuer;
        }
        // An anchor is believed as it is; but whoever issued it may have taken that back.
        if below.issuer != below.subject {
            lists = lists.and(unrevoked(below, None, authority)?);
        }
        Ok(Chain { validity, lists, spcs })
    }
}

impl Chain {
    /// Does it hold then, and do the lists that cleared it?
    pub(super) fn check(&self, at: i64) -> Result<(), Fault> {
        self.validity.check(at)?;
        self.lists.check(at).map_err(|_| Fault::ListNotInForce)
    }
}

/// The issuers of `leaf`, up to an anchor, which is the last.
fn path<'c>(
    leaf: &'c Certificate,
    others: &'c [Certificate],
    anchors: &'c [Certificate],
    at: i64,
) -> Result<Vec<&'c Certificate>, Fault> {
    let mut path = Vec::new();
    let mut below = leaf;
    for cas_below in 0..MOST_CERTIFICATES {
        let cas_below = u32::try_from(cas_below).expect("there are only a few");
        let mut fault = Fault::NoAnchor;
        let mut issuer_among = |candidates: &'c [Certificate]| {
            let named = candidates.iter().filter(|candidate| candidate.subject == below.issuer);
            let (valid, others): (Vec<_>, Vec<_>) = named.partition(|candidate| candidate.validity.check(at).is_ok());
            valid.into_iter().chain(others).find(|candidate| {
                fault = match (candidate.may_issue(cas_below), below.is_signed_by(candidate)) {
                    (false, _) => Fault::NotAnIssuer,
                    (true, false) => Fault::ChainSignature,
                    (true, true) => return true,
                };
                false
            })
        };
        if let Some(anchor) = issuer_among(anchors) {
            path.push(anchor);
            return Ok(path);
        }
        let Some(issuer) = issuer_among(others) else { return Err(fault) };
        path.push(issuer);
        below = issuer;
    }
    Err(Fault::NoAnchor)
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

/// When the lists that speak of this certificate are in force, if none names it. Its issuer need not be given if it is an anchor.
fn unrevoked(
    certificate: &Certificate,
    issuer: Option<&Certificate>,
    authority: &Authority,
) -> Result<Validity, Fault> {
    let mut in_force = EVER;
    for list in authority.lists().iter().filter(|list| list.covers(&certificate.issuer, authority.anchors())) {
        if !list.is_signed_by_any(issuer.into_iter().chain(authority.anchors())) {
            return Err(Fault::ListNotInForce);
        }
        if list.names(certificate, authority.anchors()) {
            return Err(Fault::Revoked);
        }
        in_force = in_force.and(list.validity());
    }
    Ok(in_force)
}

/// A leaf, two CAs below an anchor, and the anchor itself, which some send along.
const MOST_CERTIFICATES: usize = 4;

const EVER: Validity = Validity { from: i64::MIN, to: i64::MAX };
