//! Calls as rows, on both databases.

use time::macros::datetime;

use super::*;
use crate::store::Store;
use crate::store::test_database::{TestDatabase, on_both_databases};

on_both_databases!(
    every_filter_finds_its_calls_and_no_others,
    pages_follow_each_other_completely_while_calls_come_in,
    what_its_time_is_over_for_is_forgotten,
    text_outside_ascii_is_found_as_it_is_written,
);

const BEGAN: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);

fn id(n: u8) -> CallId {
    CallId([n; 16])
}

fn number(text: &str) -> Number {
    Number::parse(text).unwrap()
}

/// A call that was answered, `n` minutes after [`BEGAN`].
async fn add(n: u8, caller: &str, store: &Store) {
    let mut writer = store.begin().await.unwrap();
    let new = New {
        id: id(n),
        node: "node",
        sip_call_id: &format!("{n}_50%@Carrier"),
        began_at: BEGAN + time::Duration::minutes(i64::from(n)),
        trunk: Some(if n.is_multiple_of(2) { "even" } else { "odd" }),
        source: &format!("192.0.2.{n}:5060"),
    };
    insert(&new, &mut writer).await.unwrap();
    set_number(id(n), &number(caller), Some(Level::L2), store.columns(), &mut writer).await.unwrap();
    writer.commit().await.unwrap();
}

async fn found(filter: &CallFilter, store: &Store) -> Vec<u8> {
    let filter = CallFilter { limit: if filter.limit == 0 { 100 } else { filter.limit }, ..filter.clone() };
    let calls = list(&filter, store.columns(), &mut store.read().await.unwrap()).await.unwrap();
    calls.iter().map(|call| call.id.0[0]).collect()
}

async fn every_filter_finds_its_calls_and_no_others(database: TestDatabase) {
    let store = &database.store;
    for (n, caller) in [(1, "+12025550143"), (2, "+12025550144"), (3, "+442079460018"), (4, "+12025550143")] {
        add(n, caller, store).await;
    }
    let mut writer = store.begin().await.unwrap();
    set_refused(id(2), 480, "no-session", &mut writer).await.unwrap();
    set_number(id(3), &number("+442079460018"), Some(Level::L1), store.columns(), &mut writer).await.unwrap();
    set_outcome(id(4), "verified", &mut writer).await.unwrap();
    writer.commit().await.unwrap();

    let minute = |n: i64| Some(BEGAN + time::Duration::minutes(n));
    let text = |text: &str| CallFilter { text: text.into(), ..CallFilter::default() };
    let table: [(&str, CallFilter, &[u8]); 18] = [
        ("nothing", CallFilter::default(), &[4, 3, 2, 1]),
        ("a number", CallFilter { number: Some(number("+12025550143")), ..CallFilter::default() }, &[4, 1]),
        (
            "a number that never called",
            CallFilter { number: Some(number("+12025550199")), ..CallFilter::default() },
            &[],
        ),
        ("the last digits", CallFilter { last4: "0144".into(), ..CallFilter::default() }, &[2]),
        ("a Call-ID", CallFilter { call_id: "3_50%@Carrier".into(), ..CallFilter::default() }, &[3]),
        ("part of a Call-ID", CallFilter { call_id: "50%".into(), ..CallFilter::default() }, &[]),
        ("an outcome", CallFilter { outcome: "verified".into(), ..CallFilter::default() }, &[4]),
        ("what is live", CallFilter { outcome: "live".into(), ..CallFilter::default() }, &[3, 1]),
        ("a reason", CallFilter { reason: "no-session".into(), ..CallFilter::default() }, &[2]),
        ("a country", CallFilter { country: "GB".into(), ..CallFilter::default() }, &[3]),
        ("a trunk", CallFilter { trunk: "odd".into(), ..CallFilter::default() }, &[3, 1]),
        ("a level", CallFilter { level: Some(Level::L1), ..CallFilter::default() }, &[3]),
        ("from", CallFilter { from: minute(3), ..CallFilter::default() }, &[4, 3]),
        ("until", CallFilter { until: minute(3), ..CallFilter::default() }, &[2, 1]),
        ("text in any case", text("cARRIER"), &[4, 3, 2, 1]),
        ("text with the characters of patterns", text("2_50%"), &[2]),
        ("a pattern is text", text("%no_session"), &[]),
        ("two at once", CallFilter { trunk: "even".into(), ..text("session") }, &[2]),
    ];
    for (name, filter, expected) in table {
        assert_eq!(found(&filter, store).await, expected, "{name}");
    }
}

async fn text_outside_ascii_is_found_as_it_is_written(database: TestDatabase) {
    let store = &database.store;
    let mut writer = store.begin().await.unwrap();
    let (id, began_at) = (id(1), BEGAN);
    let new = New { id, node: "node", sip_call_id: "1", began_at, trunk: Some("Übersee"), source: "192.0.2.1:5060" };
    insert(&new, &mut writer).await.unwrap();
    writer.commit().await.unwrap();
    for (text, expected) in [("Übersee", &[1][..]), ("ÜBERSEE", &[1]), ("BERSEE", &[1]), ("Ubersee", &[])] {
        let filter = CallFilter { text: text.into(), ..CallFilter::default() };
        assert_eq!(found(&filter, store).await, expected, "{text}");
    }
}

async fn pages_follow_each_other_completely_while_calls_come_in(database: TestDatabase) {
    let store = &database.store;
    for n in 1..=9 {
        // Three began in the same millisecond: their ids order them.
        add(n, "+12025550143", store).await;
    }
    let mut writer = store.begin().await.unwrap();
    sqlx::query("UPDATE calls SET began_at = $1 WHERE began_at <= $2 AND began_at > $3")
        .bind(millis(BEGAN))
        .bind(millis(BEGAN + time::Duration::minutes(6)))
        .bind(millis(BEGAN + time::Duration::minutes(3)))
        .execute(&mut *writer)
        .await
        .unwrap();
    writer.commit().await.unwrap();
    let (mut filter, mut seen) = (CallFilter { limit: 2, ..CallFilter::default() }, Vec::new());
    for newer in 20..40 {
        let page = list(&filter, store.columns(), &mut store.read().await.unwrap()).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.after = Some((last.began_at, last.id));
        seen.extend(page.iter().map(|call| call.id.0[0]));
        add(newer, "+12025550143", store).await;
    }
    assert_eq!(seen, [9, 8, 7, 3, 2, 1, 6, 5, 4]);
}

async fn what_its_time_is_over_for_is_forgotten(database: TestDatabase) {
    let store = &database.store;
    let messages = |n| CallFilter { call_id: format!("{n}_50%@Carrier"), ..CallFilter::default() };
    for n in [0, 1, 2, 60] {
        add(n, "+12025550143", store).await;
        let mut writer = store.begin().await.unwrap();
        for (number, kind) in [(1, "received"), (2, "step")] {
            let event = Event {
                number,
                at: BEGAN + time::Duration::minutes(i64::from(n)),
                kind: kind.into(),
                what: None,
                message: (kind == "received").then(|| Private::new("INVITE".to_owned())),
            };
            add_event(id(n), &event, store.columns(), &mut writer).await.unwrap();
        }
        writer.commit().await.unwrap();
    }
    let mut writer = store.begin().await.unwrap();
    set_refused(id(1), 480, "no-session", &mut writer).await.unwrap();
    set_refused(id(60), 480, "no-session", &mut writer).await.unwrap();
    let half = BEGAN + time::Duration::minutes(30);
    purge((half, BEGAN + time::Duration::minutes(1)), half, &mut writer).await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(found(&CallFilter::default(), store).await, [60, 2]);
    let mut kinds = Vec::new();
    for n in [0, 1, 2, 60] {
        let events = events(id(n), store.columns(), &mut store.read().await.unwrap()).await.unwrap();
        kinds.push(events.iter().map(|event| event.kind.clone()).collect::<Vec<_>>());
    }
    assert_eq!(kinds, [vec![], vec![], vec!["step"], vec!["received", "step"]]);
    assert_eq!(found(&messages(2), store).await, [2], "an answered call stays");
}

/// Holds what a writer of calls needs, until it is dropped.
pub(crate) async fn hold_calls(database: &TestDatabase) -> crate::store::Writer {
    let mut holder = database.store.begin().await.unwrap();
    if database.url.starts_with("postgres") {
        sqlx::query("LOCK TABLE calls IN EXCLUSIVE MODE").execute(&mut *holder).await.unwrap();
    }
    holder
}
