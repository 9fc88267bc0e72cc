//! Whoever signs tokens, as the certificate says and an anchor confirms.

use super::certificate::{Numbers, Validity};
use super::chain::Chain;
use super::key::Key;
use super::{Fault, TnAuthList, Trust};

/// A signer whose chain leads to an anchor. It may be kept, as long as the [`Trust`] is the same: when it holds is asked
/// at each token.
#[derive(Debug, Clone)]
pub struct Signer {
    key: Key,
    numbers: TnAuthList,
    validity: Validity,
    lists: Validity,
    sha256: [u8; 32],
}

impl Signer {
    /// Reads what lies at `x5u`: PEM certificates, the signer's first. Where more than one chain leads to an anchor, one that
    /// holds at that time, in seconds since 1970, is taken.
    ///
    /// # Errors
    /// What is wrong with the certificate or its chain.
    pub fn read(pem: &[u8], trust: &Trust, at: i64) -> Result<Self, Fault> {
        let Chain { leaf, validity, lists } = Chain::read(pem, trust, at)?;
        if !leaf.usage.signs || leaf.usage.is_ca {
            return Err(Fault::KeyUsage);
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
        Ok(Self { key: leaf.key, numbers, validity, lists, sha256: leaf.sha256 })
    }

    /// Do the chain and the lists that cleared it hold then?
    pub(super) fn check(&self, at: i64) -> Result<(), Fault> {
        self.validity.check(at)?;
        self.lists.check(at).map_err(|_| Fault::ListNotInForce)
    }

    /// For which numbers it speaks.
    pub fn numbers(&self) -> &TnAuthList {
        &self.numbers
    }

    /// SHA-256 of the certificate's DER.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }
}
