//! The store itself: opening, waiting, being full.

use std::time::Duration;

use sqlx::Executor;

use super::test_database::{TestDatabase, on_both_databases};
use super::*;

on_both_databases!(
    a_database_is_opened_again_as_it_was_left,
    a_writer_that_is_dropped_wrote_nothing,
    twenty_writers_at_once_lose_no_count,
    a_database_locked_by_another_is_busy,
);

async fn count_up(store: &Store) -> Result<i64, StoreError> {
    let mut writer = store.begin().await?;
    let row = sqlx::query("UPDATE audit_head SET number = number + 1 WHERE id = 1 RETURNING number")
        .fetch_one(&mut *writer)
        .await?;
    writer.commit().await?;
    Ok(sqlx::Row::try_get(&row, 0)?)
}

async fn a_database_is_opened_again_as_it_was_left(database: TestDatabase) {
    assert_eq!(count_up(&database.store).await.unwrap(), 1);
    let again = database.opened_again().await;
    again.ping().await.unwrap();
    assert_eq!(count_up(&again).await.unwrap(), 2);
}

async fn a_writer_that_is_dropped_wrote_nothing(database: TestDatabase) {
    let mut writer = database.store.begin().await.unwrap();
    writer.execute("UPDATE audit_head SET number = 41").await.unwrap();
    drop(writer);
    assert_eq!(count_up(&database.store).await.unwrap(), 1);
}

async fn twenty_writers_at_once_lose_no_count(database: TestDatabase) {
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let store = database.store.clone();
            tokio::spawn(async move { count_up(&store).await.unwrap() })
        })
        .collect();
    let mut seen = Vec::new();
    for task in tasks {
        seen.push(task.await.unwrap());
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=20).collect::<Vec<i64>>());
}

/// Another process holds the lock: who has to wait too long is told to come again, and then it works.
async fn a_database_locked_by_another_is_busy(database: TestDatabase) {
    let patience = Duration::from_millis(200);
    let hasty = database.opened_with(Tuning { patience, ..Tuning::default() }).await;
    let mut holder = database.store.begin().await.unwrap();
    holder.execute("UPDATE audit_head SET number = number").await.unwrap();
    let refused = count_up(&hasty).await;
    assert!(matches!(refused, Err(StoreError::Busy)), "{refused:?}");
    holder.commit().await.unwrap();
    assert_eq!(count_up(&hasty).await.unwrap(), 1);
}

#[tokio::test]
async fn a_full_disk_is_told_apart_from_a_busy_database() {
    let database = TestDatabase::sqlite().await;
    let store = database.opened_with(Tuning { connections: 1, ..Tuning::default() }).await;
    // SQLite refuses to grow the file, as a full disk does (SQLITE_FULL). It holds for this one connection.
    store.read().await.unwrap().execute("PRAGMA max_page_count = 1").await.unwrap();
    let mut refused = Ok(());
    for _ in 0..100 {
        let mut writer = store.begin().await.unwrap();
        let big = sqlx::query("INSERT INTO blocked_keys (spki_sha256, at) VALUES ($1, 0)")
            .bind(Clock.bytes::<8192>().to_vec())
            .execute(&mut *writer)
            .await;
        refused = big.map(drop).map_err(StoreError::from);
        if refused.is_err() {
            break;
        }
        writer.commit().await.unwrap();
    }
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    store.ping().await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_repeating_it() {
    let keys = TestDatabase::sqlite().await.keys;
    for url in ["", "mysql://root:secret@localhost/x", "sqlite:", "sqlite::memory:", "postgres://user:secret@[/x"] {
        let error = Store::open(url, keys.clone()).await.unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let database = TestDatabase::sqlite().await;
    for entry in std::fs::read_dir(database.folder().unwrap()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}
