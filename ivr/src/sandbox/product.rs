//! What a rehearsal ends with: a certificate or a result, which the sandbox's own authority signs and nobody keeps.

use ca::signed_result::Statement;
use ca::{Assurance, Authority, KeyStanding, Order, Request, Serial};
use ivr_core::call::question::VerificationId;
use ivr_core::caller::Level;
use ivr_core::number::Number;
use ivr_core::private::Private;
use serde_json::json;
use time::OffsetDateTime;

use super::rehearsal::Asked;
use super::{NAME, SandboxError};
use crate::issue::{Certified, ca_level, tel_subject};

/// What was signed.
#[derive(Debug)]
pub(super) enum Product {
    Certificate(Box<Certified>),
    /// A JWS.
    Result(Private<String>),
}

impl Product {
    /// The certificate or the result, as pages show them.
    pub(super) fn shown(&self) -> (Option<Certified>, Option<String>) {
        match self {
            Self::Certificate(certified) => (Some(Certified::clone(certified)), None),
            Self::Result(result) => (None, Some(result.expose().clone())),
        }
    }
}

/// Signs what was asked for, at the level of the call.
pub(super) fn make(
    authority: &Authority,
    (id, asked): (VerificationId, &Asked),
    level: Level,
    serial: Serial,
    now: OffsetDateTime,
) -> Result<Product, SandboxError> {
    match &asked.request {
        Some(request) => certificate(authority, (&asked.number, request), level, serial, now),
        None => result(authority, (id, &asked.number), level, now),
    }
}

fn certificate(
    authority: &Authority,
    (number, request): (&Number, &Request),
    level: Level,
    serial: Serial,
    now: OffsetDateTime,
) -> Result<Product, SandboxError> {
    let (subject, assurance) = (tel_subject(number), Assurance::ReadBack(ca_level(level)));
    let order = Order {
        subject: &subject,
        request,
        assurance,
        standing: KeyStanding::Clear,
        serial,
        now,
        life: authority.lives().of(assurance.level()),
    };
    let prepared = authority.prepare(&order).map_err(|refusal| SandboxError::Signing(refusal.to_string()))?;
    let issued = prepared.sign(authority).map_err(|error| SandboxError::Signing(error.to_string()))?;
    Ok(Product::Certificate(Box::new(Certified {
        serial: issued.serial_hex(),
        identity: Private::new(subject.identity()),
        level,
        certificate_pem: issued.pem,
        chain_pem: issued.chain_pem,
        spki_sha256: issued.spki_sha256,
        not_before: issued.not_before,
        not_after: issued.not_after,
        issued_at: now,
        suspended: None,
        revoked: None,
        pending: None,
        record: None,
    })))
}

/// The claims of a result of the service, under another issuer and with a word that says what it is.
fn result(
    authority: &Authority,
    (id, number): (VerificationId, &Number),
    level: Level,
    now: OffsetDateTime,
) -> Result<Product, SandboxError> {
    let claims = json!({
        "iss": NAME,
        "sandbox": true,
        "sub": format!("tel:{}", number.as_str()),
        "level": level.to_string(),
        "binding": "read-back",
        "jti": id.to_string(),
        "iat": now.unix_timestamp(),
    });
    let signed = authority.result_key().sign(Statement::Result, &claims);
    signed.map(|text| Product::Result(Private::new(text))).map_err(|error| SandboxError::Signing(error.to_string()))
}
