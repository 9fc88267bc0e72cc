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
fn call(n: u8, caller: &str) -> Change {
    let began = Began {
        at: BEGAN + time::Duration::minutes(i64::from(n)),
        sip_call_id: format!("{n}_50%@Carrier"),
        trunk: Some(if n.is_multiple_of(2) { "even" } else { "odd" }.to_owned()),
        source: ([192, 0, 2, n], 5060).into(),
    };
    Change {
        began: Some(began),
        number: Some(number(caller)),
        worth: Some((Level::L2, Caps::default())),
        ..Change::of(id(n))
    }
}

async fn add(n: u8, caller: &str, store: &Store) {
    save(&[call(n, caller)], store).await;
}

async fn save(changes: &[Change], store: &Store) {
    let mut writer = store.begin().await.unwrap();
    write(changes, "node", store.columns(), &mut writer).await.unwrap();
    writer.commit().await.unwrap();
}

fn refused(n: u8) -> Change {
    Change { refusal: Some((480, "no-session")), outcome: Some("refused"), ..Change::of(id(n)) }
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
    let level = Change { worth: Some((Level::L1, Caps::default())), ..Change::of(id(3)) };
    let outcome = Change { outcome: Some("verified"), ..Change::of(id(4)) };
    save(&[refused(2), level, outcome], store).await;

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
    let mut change = call(1, "+12025550143");
    change.began.as_mut().unwrap().trunk = Some("Übersee".to_owned());
    save(&[change], store).await;
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
    for n in [0, 1, 2, 60] {
        let at = BEGAN + time::Duration::minutes(i64::from(n));
        let lines = vec![
            Line { number: 1, at, kind: "received", what: What::Message(Private::new("INVITE".to_owned())) },
            Line { number: 2, at, kind: "step", what: What::Word("warning".into()) },
        ];
        save(&[Change { lines, ..call(n, "+12025550143") }], store).await;
        each_in_its_row(n, at, store).await;
    }
    save(&[refused(1), refused(60)], store).await;
    let mut writer = store.begin().await.unwrap();
    let half = BEGAN + time::Duration::minutes(30);
    for (which, before) in [(Which::Refused, half), (Which::Any, BEGAN + time::Duration::minutes(1))] {
        let gone = over(which, before, &mut writer).await.unwrap();
        assert_eq!(forget(&gone, &mut writer).await.unwrap(), 1);
    }
    assert_eq!(old_messages(half).delete_some(&mut writer).await.unwrap(), 1, "of one for each");
    assert_eq!(forget_messages(half, &mut writer).await.unwrap(), 1, "of a row with lines");
    assert_eq!(forget_sources(half, &mut writer).await.unwrap(), 1);
    assert_eq!(old_messages(half).delete_some(&mut writer).await.unwrap(), 0);
    assert_eq!(forget_messages(half, &mut writer).await.unwrap(), 0);
    assert_eq!(forget_sources(half, &mut writer).await.unwrap(), 0);
    writer.commit().await.unwrap();
    assert_eq!(found(&CallFilter::default(), store).await, [60, 2]);
    let mut kinds = Vec::new();
    for n in [0, 1, 2, 60] {
        let events = events(id(n), store.columns(), &mut store.read().await.unwrap()).await.unwrap();
        kinds.push(events.iter().map(|event| event.kind.clone()).collect::<Vec<_>>());
    }
    assert_eq!(kinds, [vec![], vec![], vec!["step", "key"], vec!["received", "step", "received", "key"]]);
    for (n, source, call_id) in [(2, "", "2_50%@"), (60, "192.0.2.60:5060", "60_50%@Carrier")] {
        let call = find(id(n), &mut store.read().await.unwrap()).await.unwrap().expect("an answered call stays");
        let told = (call.source.as_str(), call.sip_call_id.as_str());
        assert_eq!(told, (source, call_id), "where it came from is forgotten with the refused calls of its time");
    }
}

/// A message and a key of a call as they were written when each line had a row of its own.
async fn each_in_its_row(n: u8, at: OffsetDateTime, store: &Store) {
    let mut writer = store.begin().await.unwrap();
    for (number, kind, sealed) in [(3, "received", Some("call_events.message")), (4, "key", None)] {
        let place = [&id(n).0[..], &i64::to_be_bytes(number)].concat();
        sqlx::query("INSERT INTO call_events (call, number, at, kind, sealed) VALUES ($1, $2, $3, $4, $5)")
            .bind(id(n).0.to_vec())
            .bind(number)
            .bind(millis(at))
            .bind(kind)
            .bind(sealed.map(|column| store.columns().seal(column, &place, b"ACK")))
            .execute(&mut *writer)
            .await
            .unwrap();
    }
    writer.commit().await.unwrap();
}

/// Holds what a writer of calls needs, until it is dropped.
pub(crate) async fn hold_calls(database: &TestDatabase) -> crate::store::Writer {
    let mut holder = database.store.begin().await.unwrap();
    if database.url.starts_with("postgres") {
        sqlx::query("LOCK TABLE calls IN EXCLUSIVE MODE").execute(&mut *holder).await.unwrap();
    }
    holder
}
