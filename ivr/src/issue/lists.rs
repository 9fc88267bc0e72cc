//! Revocation lists: made when somebody asks for one and the last is stale, and soon after each revocation.

use std::time::Duration;

use ca::{File, Issuing};
use time::OffsetDateTime;
use tracing::warn;

use super::{IssueError, IssueParts, wish};
use crate::store::intents::issuing_name;
use crate::store::{StoreError, revocations};

/// A list says that the next comes a day later.
const LIFE: time::Duration = time::Duration::days(1);
/// A new one is made this long before the last ends, so that no relying party holds an ended one.
const MARGIN: time::Duration = time::Duration::hours(6);
/// How long others may keep it: a revocation is known this much later at most.
const MAX_AGE: Duration = Duration::from_secs(300);
/// Others may make a list at the same moment; one of so many tries wins.
const TRIES: u32 = 8;

pub(super) async fn crl(
    parts: &IssueParts,
    issuing: Issuing,
    now: OffsetDateTime,
) -> Result<(Vec<u8>, Duration), IssueError> {
    for _ in 0..TRIES {
        let mut reader = parts.store.read().await?;
        let list = revocations::list(issuing, &mut reader).await?;
        if let Some(der) = list.der
            && list.listed == list.revocations
            && now < list.next_at - MARGIN
        {
            return Ok((der, MAX_AGE));
        }
        // Read after the count: the list may know more than it says, never less.
        let entries = revocations::listed(issuing, now, &mut reader).await?;
        drop(reader);
        let number = u64::try_from(list.number + 1).map_err(|_| StoreError::damaged("a list's number"))?;
        let authority = parts.authority.clone();
        let signed = wish::blocking(move || authority.crl(issuing, &entries, number, now, now + LIFE)).await;
        let der = signed.map_err(|_| IssueError::Signing)?.der;
        let mut writer = parts.store.begin().await?;
        let dates = (now, now + LIFE);
        if revocations::replace_list(issuing, list.number, &der, list.revocations, dates, &mut writer).await? {
            // Before the commit, which frees the row: so a later list is written later.
            write_file(parts, issuing, &der).await;
            writer.commit().await?;
            return Ok((der, MAX_AGE));
        }
    }
    Err(StoreError::Busy.into())
}

/// Makes the list in the background. If that fails, the next who asks for it makes it.
pub(super) fn refresh_soon(parts: &IssueParts, issuing: Issuing) {
    let parts = parts.clone();
    tokio::spawn(async move {
        let now = parts.clock.wall();
        if let Err(error) = crl(&parts, issuing, now).await {
            warn!(%error, "the revocation list is made later: {error}");
        }
    });
}

/// A copy for a web server beside this one. The list is served from the database, so a full disk only costs the copy.
async fn write_file(parts: &IssueParts, issuing: Issuing, der: &[u8]) {
    let Some(folder) = parts.crl_folder.clone() else { return };
    let file = File { name: format!("{}.crl", issuing_name(issuing)), bytes: der.to_vec() };
    if let Err(error) = wish::blocking(move || ca::files::replace(&folder, &file)).await {
        warn!(%error, "the copy of a revocation list is not written: {error}");
    }
}
