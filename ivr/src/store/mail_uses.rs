//! What the limits of mails count. Whoever locked a bucket has it to itself until the end of the transaction, so that
//! what was counted still holds when the use is noted.

use ca::email::limits::Limit;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::{Columns, Conn, StoreError, millis, time_of};

/// Something that is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bucket(Vec<u8>);

impl Bucket {
    /// The bucket of this kind and value; only its HMAC is stored.
    pub(crate) fn new(kind: &str, value: &str, columns: &Columns) -> Self {
        Self(columns.tag("mail-use", &[kind.as_bytes(), value.as_bytes()]))
    }
}

/// Locks buckets until the transaction ends. Always in the same order, so that nobody waits for each other.
pub(crate) async fn lock<const N: usize>(
    mut buckets: [&Bucket; N],
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    buckets.sort_unstable();
    for bucket in buckets {
        sqlx::query(
            "INSERT INTO mail_buckets (tag, touched_at) VALUES ($1, $2)
             ON CONFLICT (tag) DO UPDATE SET touched_at = excluded.touched_at",
        )
        .bind(bucket.0.clone())
        .bind(millis(now))
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// When a locked bucket may be used again; `None` if now.
pub(crate) async fn free_at(
    bucket: &Bucket,
    limits: &[Limit],
    now: OffsetDateTime,
    conn: &mut Conn,
) -> Result<Option<OffsetDateTime>, StoreError> {
    let mut latest = None;
    for limit in limits {
        // A limit of n is used up while the n-th newest use lies within its span.
        let row = sqlx::query("SELECT at FROM mail_uses WHERE tag = $1 ORDER BY at DESC LIMIT 1 OFFSET $2")
            .bind(bucket.0.clone())
            .bind(i64::from(limit.most) - 1)
            .fetch_optional(&mut *conn)
            .await?;
        let Some(row) = row else { continue };
        let frees_at = time_of(row.try_get(0)?)? + limit.within;
        if frees_at > now {
            latest = latest.max(Some(frees_at));
        }
    }
    Ok(latest)
}

/// Notes a use of a locked bucket.
pub(crate) async fn note(bucket: &Bucket, now: OffsetDateTime, conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO mail_uses (tag, at) VALUES ($1, $2)")
        .bind(bucket.0.clone())
        .bind(millis(now))
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets what no limit looks back to.
pub(crate) async fn purge(before: OffsetDateTime, conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM mail_uses WHERE at < $1").bind(millis(before)).execute(&mut *conn).await?;
    sqlx::query("DELETE FROM mail_buckets WHERE touched_at < $1").bind(millis(before)).execute(conn).await?;
    Ok(())
}
