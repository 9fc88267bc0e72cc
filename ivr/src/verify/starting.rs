//! Step 1: a number, a key, a code.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ivr_core::call::question::VerificationId;
use ivr_core::code::Code;
use ivr_core::number::Number;
use ivr_core::private::Private;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tracing::info;

use super::limits::{network, provider};
use super::{NoKey, StartedBy, VerifyParts};
use crate::clock::{Clock, whole_milliseconds};
use crate::event::EndpointId;
use crate::issue::{FirstListing, KeyRefusal, NotListed};
use crate::store::verifications::{self, New};
use crate::store::{Conn, StoreError, budgets, endpoints};

/// What a verification begins with.
pub struct Start {
    /// The number to prove.
    pub number: Number,
    /// A PKCS#10, PEM or DER; without one there is a signed result and no certificate.
    pub csr: Option<Vec<u8>>,
    /// What is to be listed beside the certificate from the beginning.
    pub location: Option<FirstListing>,
    /// Where its events go.
    pub webhook: Option<EndpointId>,
    /// Who made the key.
    pub started_by: StartedBy,
    /// Whether a record goes into the DHT.
    pub publish: bool,
    /// Language of page and voice, such as `en`.
    pub locale: String,
    /// Who asks, for the limits.
    pub source: IpAddr,
}

/// What its owner gets, once.
#[derive(Debug, Clone)]
pub struct Started {
    /// Names it.
    pub id: VerificationId,
    /// Opens it: 32 random bytes, base64url.
    pub secret: Private<String>,
    /// The code to key in.
    pub code: Private<Code>,
    /// The number to dial.
    pub dial: Number,
    /// Until when the code may be dialled.
    pub expires_at: OffsetDateTime,
    /// The language that voice and sentences are in.
    pub locale: String,
}

/// Why none was started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The PKCS#10 is refused; its sender can mend it.
    #[error(transparent)]
    Request(#[from] ca::RequestError),
    /// An app without a key.
    #[error(transparent)]
    NoKey(#[from] NoKey),
    /// Location keys that are not signed for.
    #[error(transparent)]
    NotListed(#[from] NotListed),
    /// Location keys, and no certificate beside which they could be listed.
    #[error("location keys are listed beside a certificate: send a request, too")]
    NothingBeside,
    /// Nobody has set up such an endpoint.
    #[error("there is no such endpoint: its operator's `dialproof webhook add` says its name")]
    NoEndpoint,
    /// A certificate for this key was revoked because the key was compromised.
    #[error("this key was revoked as compromised: make a new one")]
    BlockedKey,
    /// This kind of number is not proved here.
    #[error("{0} cannot be verified")]
    Kind(&'static str),
    /// One of the sandbox: what is rehearsed with is never proved.
    #[error("this is a test number, which is nobody's: rehearse with it at /v1/sandbox")]
    TestNumber,
    /// One that people dial to be verified.
    #[error("this is a number of this service, which others call to be verified: name the number that you call from")]
    OwnNumber,
    /// As many of this number are open as may be, from this source or at all.
    #[error("as many verifications of this number are open as may be")]
    NumberFull {
        /// When one of them ends by itself.
        retry_after: Duration,
    },
    /// Too many from this source.
    #[error("too many verifications were started from here")]
    TooMany {
        /// When it may be tried again.
        retry_after: Duration,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<KeyRefusal> for StartError {
    fn from(refusal: KeyRefusal) -> Self {
        match refusal {
            KeyRefusal::Request(error) => Self::Request(error),
            KeyRefusal::Blocked => Self::BlockedKey,
            KeyRefusal::Store(error) => Self::Store(error),
        }
    }
}

/// Draws of a code before giving up: with 50 live codes of a million, the second is hardly ever needed.
const DRAWS: u32 = 20;

pub(super) async fn start(parts: &VerifyParts, start: Start, now: OffsetDateTime) -> Result<Started, StartError> {
    let Start { number, csr, location, webhook, started_by, publish, locale, source } = start;
    if !number.kind().is_permitted(parts.kinds) {
        return Err(StartError::Kind(number.kind().described()));
    }
    if parts.test_numbers.contains(&number) {
        return Err(StartError::TestNumber);
    }
    if parts.own_numbers.contains(&number) {
        return Err(StartError::OwnNumber);
    }
    let request = match &csr {
        Some(csr) => Some(parts.issue.accept_request(csr, &number).await?),
        None => None,
    };
    let location_keys = match (&location, &request) {
        (Some(listing), Some(request)) => Some(parts.issue.accept_location(listing, request, now)?),
        (Some(_), None) => return Err(StartError::NothingBeside),
        (None, _) => None,
    };
    let id = VerificationId(parts.clock.bytes());
    let key_check = started_by.key_check(request.as_ref(), id)?;

    let (store, columns) = (&parts.store, parts.store.columns());
    let source_tag = columns.tag("source", &[&network(source)]);
    let provider_tag = columns.tag("provider", &[&provider(source)]);
    let secret = new_secret(parts.clock);
    let new = New {
        id,
        secret_sha256: secret_sha256(&secret),
        number: &number,
        source_tag: &source_tag,
        provider_tag: &provider_tag,
        request: csr.as_deref(),
        key_check,
        location_keys,
        webhook,
        publish,
        locale: &locale,
        created_at: now,
        expires_at: now + parts.code_life,
    };
    let mut writer = store.begin().await?;
    if let Some(webhook) = webhook
        && !endpoints::exists(webhook, &mut writer).await?
    {
        return Err(StartError::NoEndpoint);
    }
    // From here on nobody else begins one for this number.
    let used = budgets::lock(&number, now, columns, &mut writer).await?;
    let evicted = make_room(parts, &new, &mut writer).await?;
    let code = insert(parts, &new, &mut writer).await?;
    writer.commit().await?;
    if used.wrong_codes < budgets::WRONG_CODES_A_DAY && used.fruitless_calls < parts.fruitless_calls {
        parts.expected.note(&number, new.expires_at);
    }
    if let Some(evicted) = evicted {
        parts.bell.ring(evicted);
    }
    info!(verification = %id, wants_certificate = csr.is_some(), publish, "{id} begins");
    Ok(Started {
        id,
        secret: Private::new(secret),
        code: Private::new(code),
        dial: parts.dialled.from(number.country()).clone(),
        expires_at: whole_milliseconds(new.expires_at),
        locale,
    })
}

/// Lets one more of its number be alive: refuses it, or says whom it displaces. Call it under the number's lock.
async fn make_room(parts: &VerifyParts, new: &New<'_>, conn: &mut Conn) -> Result<Option<VerificationId>, StartError> {
    let (limits, columns, now) = (parts.limits, parts.store.columns(), new.created_at);
    let crowd = verifications::crowd(new.number, new.source_tag, now, columns, conn).await?;
    let frees_at = crowd.source_frees_at.unwrap_or(now + parts.code_life);
    let retry_after = (frees_at - now).try_into().unwrap_or(parts.code_life);
    if crowd.of_source >= i64::from(limits.of_number_and_source) {
        return Err(StartError::NumberFull { retry_after });
    }
    if verifications::alive_of_source(new.source_tag, now, conn).await? >= i64::from(limits.of_source) {
        return Err(StartError::TooMany { retry_after });
    }
    if crowd.of_number < i64::from(limits.of_number) {
        return Ok(None);
    }
    let evicted = verifications::evict(new.number, now, columns, conn).await?;
    // Of those that a call keyed the code of, none is ended for a newcomer.
    evicted.map(Some).ok_or(StartError::NumberFull { retry_after: parts.code_life })
}

/// Stores it under a code that no other of its number has.
async fn insert(parts: &VerifyParts, new: &New<'_>, conn: &mut Conn) -> Result<Code, StoreError> {
    let mut chance = ChaCha20Rng::from_seed(parts.clock.bytes());
    for _ in 0..DRAWS {
        let code = Code::draw(&mut chance);
        if verifications::insert(new, &code, parts.store.columns(), conn).await? {
            return Ok(code);
        }
    }
    Err(StoreError::Failed("no code of this number is free".to_owned()))
}

/// What opens a verification: 32 random bytes, base64url.
pub(crate) fn new_secret(clock: Clock) -> String {
    URL_SAFE_NO_PAD.encode(clock.bytes::<32>())
}

/// What is stored of a secret. It has 256 bits: a slow hash would protect nothing more.
pub(crate) fn secret_sha256(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}
