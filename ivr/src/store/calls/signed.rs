//! What was found out about a call's signed identity, as its column has it.

use ivr_core::passport::Report;
use serde::{Deserialize, Serialize};

use crate::hex;
use crate::store::StoreError;

/// A signed identity (STIR/SHAKEN), without the numbers that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// `A`, `B` or `C` if it holds; or the code of the first check that failed.
    pub verdict: String,
    /// What it says: `A`, `B` or `C`.
    pub attest: Option<String>,
    /// What it calls the caller's customer or gateway: free text of whoever wrote it, as is `x5u`.
    pub origid: Option<String>,
    /// When it was made, in seconds since 1970.
    pub iat: Option<i64>,
    /// Where its certificate lies, as it says.
    pub x5u: Option<String>,
    /// The service provider codes of the certificate, or of a delegate its provider's, if the signature is by its key.
    pub spc: Option<String>,
    /// SHA-256 of the certificate, in hexadecimal digits, if the signature is by its key.
    pub certificate: Option<String>,
}

impl Signed {
    /// Of a report, with the letters and codes that are kept.
    pub(crate) fn of(report: &Report) -> Self {
        let (said, signer) = (report.said.as_ref(), report.signer.as_ref());
        Self {
            verdict: report.verdict.map_or_else(|fault| fault.code(), |attest| attest.letter()).to_owned(),
            attest: said.map(|said| said.attest.letter().to_owned()),
            origid: said.map(|said| said.origid.as_str().to_owned()),
            iat: said.map(|said| said.iat),
            x5u: said.map(|said| said.x5u.clone()),
            spc: signer.and_then(|signer| signer.spc.clone()),
            certificate: signer.map(|signer| hex::of(&signer.certificate)),
        }
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("texts and a number are JSON")
    }

    pub(super) fn parse(json: &str) -> Result<Self, StoreError> {
        serde_json::from_str(json).map_err(|_| StoreError::damaged("a call's signed identity"))
    }
}

/// As the audit has it: `A by 709J (certificate 3f…), origid 9d1a…, from https://…`
impl std::fmt::Display for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let [spc, certificate] = [&self.spc, &self.certificate].map(text);
        let [origid, x5u] = [&self.origid, &self.x5u].map(text);
        write!(f, "{} by {spc} (certificate {certificate}), origid {origid}, from {x5u}", self.verdict)
    }
}
