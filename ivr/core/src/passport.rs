//! Signed identities: a PASSporT (RFC 8225) of the kind that SHAKEN uses (RFC 8588), in an `Identity` header (RFC 8224),
//! signed with a certificate for telephone numbers (RFC 8226). Verifies and nothing else: whoever calls [`verify`] has
//! fetched the certificate, knows what time it is, and sees to it that a token serves once.
//!
//! The order is the shell's, the cheapest first: [`Passport::read`], [`Passport::check`] against the call, only then the
//! certificate is fetched, [`Signer::read`] follows its chain to an anchor, and [`verify`] checks the signature. Each check
//! has its own [`Fault`].

mod certificate;
mod chain;
mod claims;
mod fault;
mod header;
mod json;
mod key;
mod name;
mod report;
mod revocation;
mod signer;
#[cfg(test)]
mod testing;
mod tn_auth_list;
mod token;
mod trust;
#[cfg(test)]
mod vectors;

pub use claims::OrigId;
pub use fault::Fault;
pub use report::{Report, Said, SignedBy};
pub use signer::Signer;
pub use tn_auth_list::{BadTnAuthList, TnAuthList, TnEntry};
pub use token::{Claimed, Passport};
pub use trust::{Authority, Trust, Untrusted};

use crate::caller::Attest;

/// Everything that can be said of a token, given the signer's certificate: the signature, and whether the signer may speak
/// for the number. The token was [checked](Passport::check) before.
///
/// # Errors
/// The first check that failed.
pub fn verify(passport: &Passport, signer: &Signer, at: i64) -> Result<Attest, Fault> {
    // First, so that every other verdict is about whoever did sign: the report names them.
    passport.check_signature(signer.key())?;
    signer.check(passport.orig(), at)?;
    if !signer.numbers().speaks_for(passport.orig()) {
        return Err(Fault::NotAuthorized);
    }
    Ok(passport.attest())
}

/// How far `iat` may be from our clock, in seconds: RFC 8224 6.2 step 4 recommends it for the past. What is ahead by more is no fresher,
/// and a signer's clock may go wrong either way.
pub const FRESH_SECONDS: i64 = 60;
