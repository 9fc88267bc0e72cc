//! One issue, step by step: intent committed, signed, result committed. A crash may come between any two
//! (ARCHITECTURE.md, crash table).

use std::time::Duration;

use ca::old_key::{Action, Signature, Statement};
use ca::{Assurance, Authority, Issued, KeyStanding, Order, Prepared, Reason, Refusal, Request, Serial, Subject};
use ivr_core::call::question::VerificationId;
use ivr_core::caller::Level;
use time::OffsetDateTime;
use tracing::{error, info};

use super::{IssueError, IssueParts, hold, lists, locating, old_key};
use crate::store::certificates::{New, Replaced};
use crate::store::{
    Columns, Conn, StoreError, audit, certificates, happenings, intents, records, revocations, verifications,
};

/// Signing takes milliseconds: an intent older than this has nobody who will give it a result.
const STALE_INTENT: time::Duration = time::Duration::seconds(30);

/// What a certificate is issued for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A number that was proved.
    Verification(VerificationId),
    /// A mailbox that was proved.
    Order(String),
    /// The key of an earlier certificate asked for another, with this nonce.
    Renewal(String),
}

impl Cause {
    /// What a row says.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Verification(id) => format!("verification:{id}"),
            Self::Order(id) => format!("order:{id}"),
            Self::Renewal(nonce) => format!("renewal:{nonce}"),
        }
    }

    /// The verification in what a row says.
    pub(crate) fn verification_of(name: &str) -> Option<VerificationId> {
        name.strip_prefix("verification:")?.parse().ok()
    }
}

/// Why a key may be certified although another key had the identity lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Consent {
    /// It is a mailbox: who reads it decides.
    NotNeeded,
    /// There is none: such a key waits.
    Missing,
    /// It has waited, and nobody objected.
    Waited,
    /// The other key is said to have signed for it.
    Signed(Spoken),
}

/// What an old key is said to have signed for a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spoken {
    pub(super) action: Action,
    pub(super) about: String,
    pub(super) nonce: Option<String>,
    pub(super) signature: Signature,
}

impl Spoken {
    /// Whether the key of this certificate signed it for the key of this request.
    pub(super) fn is_by(&self, certificate: &[u8], request: &Request) -> bool {
        let (nonce, key) = (self.nonce.as_deref(), Some(request.spki_sha256()));
        let statement = Statement { action: self.action, about: &self.about, nonce, key };
        self.signature.is_over(&statement, certificate)
    }
}

/// A certificate that somebody has proved to be theirs.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) cause: Cause,
    pub(super) subject: Subject,
    pub(super) request: Request,
    pub(super) assurance: Assurance,
    pub(super) level: Level,
    pub(super) consent: Consent,
    pub(super) publish: bool,
    /// Country and last four digits of a number.
    pub(super) shown: Option<(String, String)>,
    /// The evidence: the sealed proof of the call.
    pub(super) proof: Option<String>,
    /// When that proof ends, and with it every certificate that rests on it.
    pub(super) proof_ends: Option<OffsetDateTime>,
}

impl Wish {
    /// What the key of the certificate that is renewed signed, if one is.
    fn renewed(&self) -> Option<&Spoken> {
        match (&self.cause, &self.consent) {
            (Cause::Renewal(_), Consent::Signed(spoken)) => Some(spoken),
            _ => None,
        }
    }

    /// As long as the operator lets this level live, if the proof lasts as long.
    fn life(&self, authority: &Authority, now: OffsetDateTime) -> Duration {
        let longest = authority.lives().of(self.assurance.level());
        let rest = self.proof_ends.map(|ends| Duration::try_from(ends - now).unwrap_or(Duration::ZERO));
        rest.map_or(longest, |rest| rest.min(longest))
    }
}

/// Issues: all steps.
pub(super) async fn issue(parts: &IssueParts, wish: &Wish, now: OffsetDateTime) -> Result<(), IssueError> {
    let prepared = intend(parts, wish, now).await?;
    let (serial, issuing) = (prepared.serial().hex(), prepared.issuing());
    let issued = sign(parts, prepared, now).await?;
    let concluded = conclude(parts, wish, &issued, now).await;
    if concluded.is_err() {
        // The next try signs another: this serial is spent. If the database does not take even that, the next try voids
        // it once it is stale. (If the commit went through and only its answer was lost, there is nothing to void.)
        void(parts, &serial, issuing, now).await?;
    }
    concluded
}

/// The first step: builds and rehearses the certificate, then commits the intent to sign it.
pub(super) async fn intend(parts: &IssueParts, wish: &Wish, now: OffsetDateTime) -> Result<Prepared, IssueError> {
    let is_blocked = {
        let mut reader = parts.store.read().await?;
        revocations::is_blocked(&wish.request.spki_sha256(), &mut reader).await?
    };
    let standing = if is_blocked { KeyStanding::Compromised } else { KeyStanding::Clear };
    let serial = Serial::from_random(parts.clock.bytes());
    let (authority, ordered) = (parts.authority.clone(), wish.clone());
    let prepared = blocking(move || {
        authority.prepare(&Order {
            subject: &ordered.subject,
            request: &ordered.request,
            assurance: ordered.assurance,
            standing,
            serial,
            now,
            life: ordered.life(&authority, now),
        })
    })
    .await
    .map_err(refused)?;

    let (cause, issuing) = (wish.cause.name(), prepared.issuing());
    let mut writer = parts.store.begin().await?;
    if intents::insert(&serial.hex(), issuing, &prepared.tbs_hash(), &cause, now, &mut writer).await? {
        writer.commit().await?;
        return Ok(prepared);
    }
    // Somebody else is signing for this cause now, or did and could not say how it ended.
    let stale = intents::stale(&cause, now - STALE_INTENT, &mut writer).await?;
    drop(writer);
    if let Some(stale) = stale {
        void(parts, &stale, issuing, now).await?;
    }
    Err(StoreError::Busy.into())
}

/// The second step: signs once, and verifies what was signed. If the key failed, the serial is void.
pub(super) async fn sign(parts: &IssueParts, prepared: Prepared, now: OffsetDateTime) -> Result<Issued, IssueError> {
    let (serial, issuing) = (prepared.serial().hex(), prepared.issuing());
    let authority = parts.authority.clone();
    match blocking(move || prepared.sign(&authority)).await {
        Ok(issued) => Ok(issued),
        Err(why) => {
            error!(serial, %why, "certificate {serial} was not signed: {why}");
            void(parts, &serial, issuing, now).await?;
            Err(IssueError::Signing)
        }
    }
}

/// The third step, in one transaction: the certificate, what it replaces, the outbox, the verification, the audit.
pub(super) async fn conclude(
    parts: &IssueParts,
    wish: &Wish,
    issued: &Issued,
    now: OffsetDateTime,
) -> Result<(), IssueError> {
    let (serial, cause, identity) = (issued.serial_hex(), wish.cause.name(), wish.subject.identity());
    let (issuing, columns) = (wish.subject.issuing(), parts.store.columns());
    let mut writer = parts.store.begin().await?;
    // From here on nobody else changes this identity's certificates.
    let slot = records::lock(&identity, columns, &mut writer).await?;
    check_again(wish, issued, now, columns, &mut writer).await?;
    if !intents::fulfil(&serial, &mut writer).await? {
        // A start-up voided it meanwhile: what was signed is on the list, and the next try signs another.
        return Err(StoreError::Busy.into());
    }
    if let Cause::Verification(id) = &wish.cause
        && !verifications::issued(*id, &serial, &mut writer).await?
    {
        return Err(StoreError::Busy.into());
    }
    let replaced = certificates::supersede(&identity, columns, &mut writer).await?;
    let new = New {
        serial: &serial,
        issuing,
        identity: &identity,
        shown: wish.shown.clone(),
        level: wish.level,
        der: &issued.der,
        spki_sha256: issued.spki_sha256,
        not_before: issued.not_before,
        not_after: issued.not_after,
        issued_at: now,
        cause: &cause,
        proof: wish.proof.as_deref(),
    };
    if !certificates::insert(&new, columns, &mut writer).await? {
        return Err(StoreError::Busy.into());
    }
    if let Cause::Verification(id) = &wish.cause {
        happenings::state(*id, "issued", now, columns, &mut writer).await?;
    }
    let fresh = (serial.as_str(), &issued.der[..], identity.as_str());
    let is_listed = locating::list_first(fresh, &wish.cause, &replaced, columns, &mut writer).await?;
    verifications::await_beside(&serial, &identity, columns, &mut writer).await?;
    if wish.publish {
        let dates = (issued.not_before, issued.not_after);
        records::want_valid(&slot, (&serial, &cause), dates, now, &mut writer).await?;
    }
    let lists_changed = end_replaced(&replaced, wish.publish, now, &mut writer).await?;
    for row in audited(wish, &replaced, &serial, is_listed) {
        audit::add(row, now, columns, &mut writer).await?;
    }
    writer.commit().await?;

    info!(serial, cause, publish = wish.publish, "certificate {serial} is issued");
    parts.publisher.nudge();
    lists_changed.into_iter().for_each(|issuing| lists::refresh_soon(parts, issuing));
    Ok(())
}

/// What may have become known, or changed, while this was signed. Ask under the identity's lock.
async fn check_again(
    wish: &Wish,
    issued: &Issued,
    now: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<(), IssueError> {
    if revocations::is_blocked(&issued.spki_sha256, conn).await? {
        // The caller voids the serial.
        return Err(IssueError::Refused(ca::Refusal::CompromisedKey.to_string()));
    }
    if hold::obstacle(wish, now, columns, conn).await?.is_some() {
        // Another key of the number was certified: the next try holds this one.
        return Err(StoreError::Busy.into());
    }
    let identity = wish.subject.identity();
    if let Some(old) = wish.renewed()
        && let consent = old.nonce.as_deref().filter(|_| wish.publish)
        && old_key::impediment((&identity, &old.about), consent, now, columns, conn).await?.is_some()
    {
        // The old one was suspended, revoked, renewed or withdrawn: the next try is told so.
        return Err(StoreError::Busy.into());
    }
    Ok(())
}

/// Those that this one replaces go out of the directory, unless its record takes the place of theirs, and onto the lists
/// while their time is not over. Says which lists have changed.
async fn end_replaced(
    replaced: &[Replaced],
    publish: bool,
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<Vec<ca::Issuing>, StoreError> {
    let mut lists_changed = Vec::new();
    for old in replaced {
        if !publish {
            records::want_revoked(&old.serial, now, conn).await?;
        }
        if old.not_after > now {
            revocations::insert(&old.serial, old.issuing, Reason::Superseded, old.not_after, now, conn).await?;
            lists_changed.push(old.issuing);
        }
    }
    Ok(lists_changed)
}

/// What the audit says of an issue, in its order: who, what, about what.
fn audited<'a>(
    wish: &'a Wish,
    replaced: &'a [Replaced],
    serial: &'a str,
    is_listed: bool,
) -> Vec<(&'static str, &'static str, &'a str)> {
    let mut rows = Vec::new();
    rows.extend(wish.renewed().map(|old| ("old key", "renew", old.about.as_str())));
    rows.extend(replaced.iter().map(|old| ("issue", "supersede", old.serial.as_str())));
    rows.push(("issue", "issue", serial));
    rows.extend(is_listed.then_some(("issue", "locate", serial)));
    rows
}

/// A serial that was to be signed and has no result: it goes onto the list, because it may have been signed. `false` if it
/// has a result.
pub(super) async fn void(
    parts: &IssueParts,
    serial: &str,
    issuing: ca::Issuing,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let mut writer = parts.store.begin().await?;
    if !intents::void(serial, &mut writer).await? {
        return Ok(false);
    }
    let longest = issuing.longest_life(if issuing == ca::Issuing::Tel { ca::Level::L4 } else { ca::Level::L0 });
    let reason = Reason::CessationOfOperation;
    revocations::insert(serial, issuing, reason, now + longest, now, &mut writer).await?;
    audit::add(("issue", "void", serial), now, parts.store.columns(), &mut writer).await?;
    writer.commit().await?;
    lists::refresh_soon(parts, issuing);
    Ok(true)
}

/// What the person is told. A fault of ours is logged with its cause and told without.
fn refused(refusal: Refusal) -> IssueError {
    match refusal {
        Refusal::Request(_)
        | Refusal::CompromisedKey
        | Refusal::OwnKey
        | Refusal::KeyCannotDecrypt
        | Refusal::TooLarge { .. } => IssueError::Refused(refusal.to_string()),
        Refusal::TooShort { .. } => {
            IssueError::Refused("The last call from this number was almost 45 days ago. Call again.".to_owned())
        }
        Refusal::Assurance { .. }
        | Refusal::TooLong { .. }
        | Refusal::IssuerNotValid { .. }
        | Refusal::Lint(_)
        | Refusal::Encoding(_) => {
            error!(%refusal, "the authority refuses an order of ours: {refusal}");
            IssueError::Refused("The authority cannot issue this certificate now; its operator is told.".to_owned())
        }
    }
}

/// Signing takes a core for a moment: not one that serves pages and calls.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is going down: nobody waits for this any more.
            Err(_) => std::future::pending().await,
        },
    }
}

/// The level as the authority counts.
pub(crate) fn ca_level(level: Level) -> ca::Level {
    match level {
        Level::L0 => ca::Level::L0,
        Level::L1 => ca::Level::L1,
        Level::L2 => ca::Level::L2,
        Level::L3 => ca::Level::L3,
        Level::L4 => ca::Level::L4,
    }
}
