//! What was found out about one signed identity: for the level of its call, for records, and for whoever asks
//! `dialproof passport verify`.

use super::{Fault, OrigId, Passport, Signer};
use crate::caller::Attest;

/// Everything that may be told of it: none of the call's numbers. `origid` and `x5u` are what whoever wrote the token put
/// there, freely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What it proves, or the first check that failed.
    pub verdict: Result<Attest, Fault>,
    /// What it says, if it could be read.
    pub said: Option<Said>,
    /// Who signed it, if the signature holds and a chain leads from there to an anchor: whose certificate the token only
    /// points at has signed nothing.
    pub signer: Option<SignedBy>,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The signer's right to the number.
    pub attest: Attest,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// See [`OrigId`].
    pub origid: OrigId,
    /// Where the certificate lies.
    pub x5u: String,
    /// Tells the token from others: see [`Passport::hash`].
    pub token: [u8; 32],
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBy {
    /// The service provider codes of all who answer for the signer (see [`Signer::spcs`]), separated by spaces; `None` if there
    /// are none.
    pub spc: Option<String>,
    /// SHA-256 of the certificate.
    pub certificate: [u8; 32],
}

impl Report {
    /// Of what could not even be read.
    pub fn unread(fault: Fault) -> Self {
        Self { verdict: Err(fault), said: None, signer: None }
    }

    /// Of a token that could, and what [`verify`](super::verify) says of it and this signer, if it came so far.
    pub fn of(passport: &Passport, signer: Option<&Signer>, verdict: Result<Attest, Fault>) -> Self {
        let said = Said {
            attest: passport.attest(),
            iat: passport.iat(),
            origid: passport.origid().clone(),
            x5u: passport.x5u().to_owned(),
            token: passport.hash(),
        };
        let signer = signer.filter(|_| verdict != Err(Fault::Signature)).map(|signer| {
            let spcs = signer.spcs();
            SignedBy { spc: (!spcs.is_empty()).then(|| spcs.join(" ")), certificate: signer.sha256() }
        });
        Self { verdict, said: Some(said), signer }
    }

    /// The same, if nobody with one of these service provider codes is believed, however they are written: two providers'
    /// codes never differ in their case alone.
    #[must_use]
    pub fn but_for(self, denied_spcs: &[String]) -> Self {
        let mut spcs = self.signer.iter().filter_map(|signer| signer.spc.as_deref()).flat_map(|spcs| spcs.split(' '));
        let is_denied = spcs.any(|spc| denied_spcs.iter().any(|denied| denied.eq_ignore_ascii_case(spc)));
        let verdict = self.verdict.and_then(|attest| if is_denied { Err(Fault::DeniedSpc) } else { Ok(attest) });
        Self { verdict, ..self }
    }
}
