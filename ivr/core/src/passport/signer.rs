//! Whoever signs tokens, as the certificate says and an anchor confirms.

use super::certificate::Numbers;
use super::chain::{Chain, Given, add};
use super::key::Key;
use super::trust::Countries;
use super::{Authority, Fault, TnAuthList, Trust};
use crate::number::Number;

/// A signer whose chain leads to an anchor. It may be kept, as long as the [`Trust`] is the same: when it holds, and for which
/// numbers, is asked at each token.
#[derive(Debug, Clone)]
pub struct Signer {
    key: Key,
    numbers: TnAuthList,
    /// What it is before each authority, of which at least one confirms it.
    standings: Vec<Standing>,
    spcs: Vec<String>,
    sha256: [u8; 32],
    /// When the first of the chains ends that held when it was read.
    first_end: Option<i64>,
}

/// What a signer is before one authority.
#[derive(Debug, Clone)]
struct Standing {
    countries: Countries,
    chain: Result<Chain, Fault>,
}

impl Signer {
    /// Reads what lies at `x5u`: PEM certificates, the signer's first. Where more than one chain leads to an anchor of an
    /// authority, one that holds at that time, in seconds since 1970, is taken.
    ///
    /// # Errors
    /// What is wrong with the certificate or its chain.
    pub fn read(pem: &[u8], trust: &Trust, at: i64) -> Result<Self, Fault> {
        let given = Given::read(pem)?;
        let standing = |authority: &Authority| Standing {
            countries: authority.countries().clone(),
            chain: given.chain(authority, at),
        };
        let standings: Vec<Standing> = trust.authorities().iter().map(standing).collect();
        confirmed(
            standings.iter().map(|standing| standing.chain.as_ref().map(|_| ()).map_err(|fault| *fault)),
            given.unread.unwrap_or(Fault::NoAnchor),
        )?;
        let mut spcs = Vec::new();
        standings.iter().flat_map(|standing| &standing.chain).for_each(|chain| add(chain.spcs.clone(), &mut spcs));
        let holding = standings.iter().flat_map(|standing| &standing.chain).filter(|chain| chain.check(at).is_ok());
        let first_end = holding.map(Chain::end).min();
        let leaf = given.leaf;
        if !leaf.usage.signs || leaf.usage.is_ca {
            return Err(Fault::KeyUsage);
        }
        if !leaf.key.is_for_tokens() {
            return Err(Fault::NotP256);
        }
        if leaf.constrains_claims {
            return Err(Fault::ClaimConstraints);
        }
        let numbers = match leaf.numbers {
            Numbers::Listed(numbers) => numbers,
            Numbers::None => return Err(Fault::NoTnAuthList),
            Numbers::ElsewhereOnly => return Err(Fault::TnAuthListByReference),
            Numbers::Unreadable => return Err(Fault::BadTnAuthList),
        };
        Ok(Self { key: leaf.key, numbers, standings, spcs, sha256: leaf.sha256, first_end })
    }

    /// Is there an authority for this number (digits without `+`) that confirms the signer then: do the chain and the lists
    /// that cleared it hold?
    pub(super) fn check(&self, number: &str, at: i64) -> Result<(), Fault> {
        let country = || Number::parse(&format!("+{number}")).ok().map(|number| number.country());
        let answering = self.standings.iter().filter(|standing| standing.countries.have(country));
        let checked = |standing: &Standing| standing.chain.as_ref().map_err(|fault| *fault)?.check(at);
        confirmed(answering.map(checked), Fault::OtherCountry)
    }

    /// Has a chain or a list ended by then that held when this was read? Where a certificate was renewed, another way may hold:
    /// what lay at its x5u has to be read again.
    pub fn has_lapsed(&self, at: i64) -> bool {
        self.first_end.is_some_and(|end| at > end)
    }

    /// For which numbers it speaks.
    pub fn numbers(&self) -> &TnAuthList {
        &self.numbers
    }

    /// The service provider codes of all who answer for it, before whichever authority: its own, and those of the issuers above
    /// it.
    pub fn spcs(&self) -> &[String] {
        &self.spcs
    }

    /// SHA-256 of the certificate's DER.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }
}

/// Does one of these authorities confirm the signer? If not: what the first says that knows it, or this.
fn confirmed(verdicts: impl Iterator<Item = Result<(), Fault>>, unknown: Fault) -> Result<(), Fault> {
    let mut fault = unknown;
    for verdict in verdicts {
        match verdict {
            Ok(()) => return Ok(()),
            Err(found) if found != Fault::NoAnchor && fault == unknown => fault = found,
            Err(_) => {}
        }
    }
    Err(fault)
}
