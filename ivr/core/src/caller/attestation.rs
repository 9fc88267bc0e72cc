//! What the network says that it knows about the caller (STIR). A signature is not verified here, so nothing in these
//! headers raises a level; what speaks against the caller is believed from anybody.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::Reason;
use crate::sip::identity::{Headers, NameAddress, Parameters};

/// What the attestations allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attestation {
    /// None, or nothing that lowers the level.
    Silent,
    /// B or C: the carrier does not say that the number is the caller's.
    Partial,
}

/// Reads `Identity` (RFC 8224), `P-Attestation-Indicator`, and `verstat` in every header that names the caller.
pub(super) fn read<'n, 'a: 'n>(
    headers: Headers<'_>,
    named: impl Iterator<Item = &'n NameAddress<'a>>,
) -> Result<Attestation, Reason> {
    let mut partial = headers.values("P-Attestation-Indicator", None).any(is_partial);
    for identity in headers.values("Identity", Some("y")) {
        let (token, parameters) = identity.split_once(';').unwrap_or((identity, ""));
        let parameters = Parameters(parameters);
        match parameters.value("ppt").map(str::to_ascii_lowercase).as_deref() {
            // RFC 8946: a diversion signed this.
            Some("div" | "div-o") => return Err(Reason::Forwarded),
            Some("shaken") | None => partial |= attested(token).is_some_and(|level| is_partial(&level)),
            Some(_) => {}
        }
    }
    for verstat in named.flat_map(|named| named.everywhere("verstat")) {
        let verstat = verstat.to_ascii_lowercase();
        if verstat.starts_with("tn-validation-failed") {
            return Err(Reason::ValidationFailed);
        }
        partial |= verstat.strip_prefix("tn-validation-passed-").is_some_and(is_partial);
    }
    Ok(if partial { Attestation::Partial } else { Attestation::Silent })
}

fn is_partial(level: &str) -> bool {
    level.trim().eq_ignore_ascii_case("B") || level.trim().eq_ignore_ascii_case("C")
}

/// `attest` of a PASSporT in full form (RFC 8588 4), unverified.
fn attested(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        attest: String,
    }
    if token.len() > LARGEST_TOKEN_BYTES {
        return None;
    }
    let payload = token.trim().split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice::<Claims>(&payload).ok().map(|claims| claims.attest)
}

const LARGEST_TOKEN_BYTES: usize = 8 * 1024;
