//! Who did what, in a chain: a row that was changed or taken out breaks it. The chain runs over salted commitments, so a
//! row's words may be erased later and the chain still verifies.

use sha2::{Digest, Sha256};
use sqlx::Row as _;
use time::OffsetDateTime;

use super::{Columns, Conn, StoreError, millis};

/// Adds a row. Do it last in a transaction: the end of the chain is locked until its end.
pub(crate) async fn add(
    (actor, action, subject): (&str, &str, &str),
    at: OffsetDateTime,
    columns: &Columns,
    conn: &mut Conn,
) -> Result<(), StoreError> {
    let head = sqlx::query("UPDATE audit_head SET number = number + 1 WHERE id = 1 RETURNING number, chain")
        .fetch_one(&mut *conn)
        .await?;
    let number: i64 = head.try_get(0)?;
    let before: Option<Vec<u8>> = head.try_get(1)?;
    let salt: [u8; 16] = columns.clock().bytes();
    let commitment = commitment(&salt, number, millis(at), [actor, action, subject]);
    let chain = link(before.as_deref().unwrap_or_default(), &commitment);
    sqlx::query(
        "INSERT INTO audit (number, at, actor, action, subject, salt, commitment, chain)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(number)
    .bind(millis(at))
    .bind(actor)
    .bind(action)
    .bind(subject)
    .bind(salt.to_vec())
    .bind(commitment.to_vec())
    .bind(chain.to_vec())
    .execute(&mut *conn)
    .await?;
    sqlx::query("UPDATE audit_head SET chain = $1 WHERE id = 1").bind(chain.to_vec()).execute(conn).await?;
    Ok(())
}

/// How the chain ends, or ended once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// So many rows.
    pub rows: i64,
    /// The chain over them: 32 octets, or none before the first row.
    pub chain: Vec<u8>,
}

/// How the chain ends now.
pub(crate) async fn head(conn: &mut Conn) -> Result<Head, StoreError> {
    let row = sqlx::query("SELECT number, chain FROM audit_head WHERE id = 1").fetch_one(conn).await?;
    Ok(Head { rows: row.try_get(0)?, chain: row.try_get::<Option<Vec<u8>>, _>(1)?.unwrap_or_default() })
}

/// Did the chain end like this once, as its rows tell? Whoever changed a row and chained all later ones anew made other ends.
pub(crate) async fn had(head: &Head, conn: &mut Conn) -> Result<bool, StoreError> {
    if head.rows == 0 {
        return Ok(head.chain.is_empty());
    }
    let row = sqlx::query("SELECT chain FROM audit WHERE number = $1").bind(head.rows).fetch_optional(conn).await?;
    let chain: Option<Vec<u8>> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(chain.is_some_and(|chain| chain == head.chain))
}

/// The number of the first row whose words or place are not what they were, if there is one.
pub(crate) async fn first_break(conn: &mut Conn) -> Result<Option<i64>, StoreError> {
    let rows =
        sqlx::query("SELECT number, at, actor, action, subject, salt, commitment, chain FROM audit ORDER BY number")
            .fetch_all(&mut *conn)
            .await?;
    let mut chain = Vec::new();
    for (row, expected) in rows.iter().zip(1_i64..) {
        let number: i64 = row.try_get(0)?;
        let stored: Vec<u8> = row.try_get(6)?;
        let (actor, action): (Option<String>, Option<String>) = (row.try_get(2)?, row.try_get(3)?);
        let (subject, salt): (Option<String>, Option<Vec<u8>>) = (row.try_get(4)?, row.try_get(5)?);
        let words_hold = match (actor, action, subject, salt) {
            (Some(actor), Some(action), Some(subject), Some(salt)) => {
                commitment(&salt, number, row.try_get(1)?, [&actor, &action, &subject]).as_slice() == stored
            }
            // Erased, all of it: the commitment alone stands.
            (None, None, None, None) => true,
            _ => false,
        };
        chain = link(&chain, &stored).to_vec();
        if number != expected || !words_hold || chain != row.try_get::<Vec<u8>, _>(7)? {
            return Ok(Some(expected));
        }
    }
    let head = head(conn).await?;
    let is_whole = usize::try_from(head.rows) == Ok(rows.len()) && head.chain == chain;
    Ok((!is_whole).then_some(head.rows))
}

fn commitment(salt: &[u8], number: i64, at: i64, words: [&str; 3]) -> [u8; 32] {
    let mut hash = Sha256::new().chain_update(salt).chain_update(number.to_be_bytes()).chain_update(at.to_be_bytes());
    for word in words {
        hash.update((word.len() as u64).to_be_bytes());
        hash.update(word);
    }
    hash.finalize().into()
}

fn link(before: &[u8], commitment: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(before).chain_update(commitment).finalize().into()
}
