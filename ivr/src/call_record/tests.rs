//! What the telephone says becomes rows and reaches pages, on both databases.

use std::net::SocketAddr;

use ivr_core::call::flow::{Ending, Step};
use ivr_core::call::question::VerificationId;
use ivr_core::caller::{Attest, Realm, Reason};
use ivr_core::media::{CallKey, KeySource, Quality, Reported, Suite};
use ivr_core::passport::Report;
use ivr_core::private::Private;
use sha2::{Digest, Sha256};

use super::live::{LINES, REMEMBERED};
use super::*;
use crate::store::Tuning;
use crate::store::budgets;
use crate::store::calls::tests::hold_calls;
use crate::store::test_database::{TestDatabase, on_both_databases};
use crate::verify::fixture::{FRUITLESS_CALLS, NUMBER, Service, caller, number};

const KEY: Entry = Entry::KeyPressed { source: KeySource::TelephoneEvent, matched: None };

on_both_databases!(
    a_happy_call_is_recorded_and_its_page_hears_of_the_steps,
    a_refused_call_is_recorded_and_the_pages_of_its_number_hear_why,
    a_burst_is_recorded_completely_and_in_order,
    a_database_that_is_busy_for_a_while_loses_nothing,
    a_database_that_stays_busy_loses_lines_and_counts_them,
    a_line_that_cannot_be_stored_costs_no_other_call,
    hostile_call_ids_are_stored,
    a_call_that_was_live_at_a_crash_is_closed_as_lost,
    a_call_without_beginning_is_passed_over,
    a_stolen_database_tells_no_number,
    who_reveals_a_number_stands_in_the_audit,
    only_a_call_that_was_answered_for_nothing_is_counted_for_its_number,
    only_a_call_that_is_told_beyond_those_of_the_day_takes_a_turn,
);

const CALL: CallKey = CallKey(7);

fn source() -> SocketAddr {
    "192.0.2.7:5060".parse().unwrap()
}

fn began(sip_call_id: &str, answered: bool) -> Entry {
    Entry::Began {
        sip_call_id: sip_call_id.to_owned(),
        trunk: Some("carrier".to_owned()),
        realm: Realm::Service,
        source: source(),
        caller: answered.then(|| caller(NUMBER)),
    }
}

fn message(sent: bool, summary: &str) -> Entry {
    Entry::Message { sent, summary: Private::new(summary.to_owned()) }
}

fn refused(claimed: Option<&str>) -> Entry {
    Entry::Refused { reason: Reason::Anonymous, claimed: claimed.map(number) }
}

/// Lets a recorder of this node write these lines, and end.
async fn record(entries: Vec<(CallKey, Entry)>, service: &Service) -> CallRecord {
    record_into(service.database.store.clone(), entries, service).await
}

async fn record_into(store: Store, entries: Vec<(CallKey, Entry)>, service: &Service) -> CallRecord {
    let calls = CallRecord::new(store, "node".to_owned(), Clock);
    calls.clone().run(service.verify.clone(), sent(entries).await).await;
    calls
}

/// A channel that holds these lines and is closed.
async fn sent(entries: Vec<(CallKey, Entry)>) -> mpsc::Receiver<Recorded> {
    let (sender, receiver) = mpsc::channel(entries.len().max(1));
    for (call, entry) in entries {
        sender.send(Recorded { call, at: Clock.wall(), entry }).await.unwrap();
    }
    receiver
}

async fn listed(calls: &CallRecord) -> Vec<Call> {
    calls.list(&CallFilter { limit: 100, ..CallFilter::default() }).await.unwrap()
}

/// The only call.
async fn story(calls: &CallRecord) -> Story {
    let [call] = listed(calls).await.try_into().expect("one call is recorded");
    calls.story(call.id).await.unwrap().unwrap()
}

const REPORTED: Reported = Reported {
    packets_expected: 1490,
    packets_lost: 60,
    jitter: Duration::from_micros(4_125),
    round_trip: Some(Duration::from_micros(20_250)),
};
const MOS: [u16; 2] = [439, 401];

fn happy(page: VerificationId) -> Vec<(CallKey, Entry)> {
    let quality = Quality {
        packets_sent: 1500,
        packets_received: 1498,
        packets_lost: 2,
        packets_foreign: 1,
        packets_unauthentic: 4,
        jitter: Duration::from_micros(1250),
        reported: Some(REPORTED),
        srtp: Some(Suite::AesGcm256),
    };
    let entries = [
        began("happy@192.0.2.7", true),
        message(false, "INVITE sip:+12025550100@192.0.2.1 SIP/2.0 (1)"),
        message(true, "SIP/2.0 200 OK (1 INVITE)"),
        Entry::Answered { setup: Duration::from_micros(4321) },
        Entry::Step(Step::Warning),
        Entry::Step(Step::EnteringCode),
        Entry::KeyPressed { source: KeySource::InBand, matched: Some(false) },
        Entry::Step(Step::CodeMatched(page)),
        Entry::Step(Step::Confirming),
        Entry::Step(Step::Ended(Ending::Verified)),
        Entry::Quality(quality),
        Entry::Over { duration: Duration::from_millis(30_250) },
    ];
    entries.map(|entry| (CALL, entry)).into()
}

async fn a_happy_call_is_recorded_and_its_page_hears_of_the_steps(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.start().await;
    let calls = record(happy(started.id), &service).await;
    let Story { call, events } = story(&calls).await;
    assert_eq!((call.sip_call_id.as_str(), call.trunk.as_deref()), ("happy@192.0.2.7", Some("carrier")));
    assert_eq!((call.source.as_str(), call.outcome.as_str()), ("192.0.2.7:5060", "verified"));
    assert_eq!((call.country.as_deref(), call.last4.as_deref()), (Some("US"), Some("0143")));
    assert_eq!((call.level, call.verification), (Some(ivr_core::caller::Level::L2), Some(started.id)));
    assert_eq!((call.refusal, call.serial), (None, None));
    assert_eq!(call.setup, Some(Duration::from_micros(4321)));
    assert_eq!(call.duration, Some(Duration::from_millis(30_250)));
    let rated = call.quality.unwrap();
    let mos = [rated.mos_received, rated.mos_sent].map(|mos| mos.unwrap().hundredths);
    assert_eq!(mos, MOS);
    let quality = rated.quality;
    assert_eq!(quality.reported, Some(REPORTED));
    assert_eq!((quality.packets_sent, quality.packets_received), (1500, 1498));
    assert_eq!((quality.packets_lost, quality.packets_foreign), (2, 1));
    assert_eq!((quality.srtp, quality.packets_unauthentic), (Some(Suite::AesGcm256), 4));
    assert_eq!(quality.jitter, Duration::from_micros(1250));
    let lines: Vec<(&str, &str)> =
        events.iter().map(|event| (event.kind.as_str(), event.what.as_deref().unwrap_or_default())).collect();
    assert_eq!(
        lines,
        [
            ("received", ""),
            ("sent", ""),
            ("answered", ""),
            ("step", "warning"),
            ("step", "entering-code"),
            ("key", "in-band wrong"),
            ("step", "code-matched"),
            ("step", "confirming"),
            ("step", "ended: verified"),
            ("over", ""),
        ]
    );
    assert_eq!(events[1].message.as_ref().unwrap().expose(), "SIP/2.0 200 OK (1 INVITE)");
    let told: Vec<String> = service.view(&started).await.happenings.into_iter().map(|line| line.what).collect();
    assert_eq!(told, ["code-matched", "confirming", "ended"], "a page hears nothing before its code was keyed in");
}

async fn a_refused_call_is_recorded_and_the_pages_of_its_number_hear_why(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.start().await;
    let entries = vec![(CALL, began("refused", false)), (CALL, refused(Some(NUMBER)))];
    let calls = record(entries, &service).await;
    let Story { call, events } = story(&calls).await;
    assert_eq!((call.outcome.as_str(), call.refusal), ("refused", Some((433, "anonymous".to_owned()))));
    assert_eq!((call.last4.as_deref(), call.level, call.duration), (Some("0143"), None, None));
    assert_eq!(events.len(), 1);
    let told = service.view(&started).await.happenings;
    assert_eq!((told[0].kind, told[0].what.as_str()), ("refused", "anonymous"));
    let nameless = record(vec![(CALL, began("nameless", false)), (CALL, refused(None))], &service).await;
    assert_eq!(service.view(&started).await.happenings.len(), 1);
    let call = &listed(&nameless).await[0];
    assert_eq!((call.sip_call_id.as_str(), &call.last4, &call.country), ("nameless", &None, &None));
    assert_eq!(nameless.reveal(call.id, "ada", "why not", service.now).await.unwrap(), None);
}

async fn a_burst_is_recorded_completely_and_in_order(database: TestDatabase) {
    let service = Service::over(database).await;
    let calls = 20;
    let mut entries: Vec<(CallKey, Entry)> = (0..calls).map(|n| (CallKey(n), began(&n.to_string(), true))).collect();
    for line in 0..420 {
        entries.extend((0..calls).map(|n| (CallKey(n), message(true, &line.to_string()))));
    }
    assert!(entries.len() > 2 * BURST);
    let record = record(entries, &service).await;
    let listed = listed(&record).await;
    assert_eq!(listed.len(), 20);
    for call in listed {
        assert_eq!(call.outcome, "live");
        let events = record.story(call.id).await.unwrap().unwrap().events;
        let said: Vec<String> = events.iter().map(|event| event.message.clone().unwrap().into_inner()).collect();
        assert_eq!(said, (0..420).map(|line| line.to_string()).collect::<Vec<_>>());
    }
}

async fn a_database_that_is_busy_for_a_while_loses_nothing(database: TestDatabase) {
    let service = Service::over(database).await;
    let hasty = Tuning { patience: Duration::from_millis(100), ..Tuning::default() };
    let calls = CallRecord::new(service.database.opened_with(hasty).await, "node".to_owned(), Clock);
    let holder = hold_calls(&service.database).await;
    let entries = vec![(CALL, began("late", true)), (CALL, Entry::Over { duration: Duration::from_secs(1) })];
    let writing = tokio::spawn(calls.clone().run(service.verify.clone(), sent(entries).await));
    while calls.figures().retried.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    drop(holder);
    writing.await.unwrap();
    assert_eq!(calls.figures().lost.load(Ordering::Relaxed), 0);
    assert_eq!(story(&calls).await.call.sip_call_id, "late");
}

async fn a_database_that_stays_busy_loses_lines_and_counts_them(database: TestDatabase) {
    let service = Service::over(database).await;
    let hasty = Tuning { patience: Duration::from_millis(100), ..Tuning::default() };
    let store = service.database.opened_with(hasty).await;
    let holder = hold_calls(&service.database).await;
    let entries = vec![(CALL, began("lost", true)), (CALL, Entry::Over { duration: Duration::from_secs(1) })];
    let calls = record_into(store.clone(), entries, &service).await;
    assert_eq!(calls.figures().lost.load(Ordering::Relaxed), 2);
    drop(holder);
    let later = record_into(store, vec![(CALL, began("after", true))], &service).await;
    assert_eq!(story(&later).await.call.sip_call_id, "after");
}

async fn a_line_that_cannot_be_stored_costs_no_other_call(database: TestDatabase) {
    let service = Service::over(database).await;
    service.database.refuse_a_call_id_twice().await;
    let call_ids = ["one", "two", "two", "three", "four", "two"];
    let entries = (0..).zip(call_ids).flat_map(|(n, id)| [began(id, true), KEY].map(|e| (CallKey(n), e)));
    let calls = record(entries.collect(), &service).await;
    let mut stored = Vec::new();
    for call in listed(&calls).await {
        let events = calls.story(call.id).await.unwrap().unwrap().events;
        stored.push((call.sip_call_id, events.len()));
    }
    stored.sort();
    assert_eq!(stored, ["four", "one", "three", "two"].map(|id| (id.to_owned(), 1)));
    assert_eq!(calls.figures().lost.load(Ordering::Relaxed), 4);
}

async fn hostile_call_ids_are_stored(database: TestDatabase) {
    let service = Service::over(database).await;
    let long = "ä".repeat(70_000);
    let calls = record(
        ["a\0b", "'; DROP TABLE calls; --", "<script>", "", &long]
            .into_iter()
            .zip(0..)
            .map(|(id, n)| (CallKey(n), began(id, true)))
            .collect(),
        &service,
    )
    .await;
    let mut ids: Vec<String> = listed(&calls).await.into_iter().map(|call| call.sip_call_id).collect();
    ids.sort();
    assert_eq!(ids, ["", "'; DROP TABLE calls; --", "<script>", "a\u{FFFD}b", &"ä".repeat(255)]);
    assert_eq!(calls.figures().lost.load(Ordering::Relaxed), 0);
}

async fn a_call_that_was_live_at_a_crash_is_closed_as_lost(database: TestDatabase) {
    let service = Service::over(database).await;
    record(
        vec![(CALL, began("cut", true)), (CallKey(8), began("refused", true)), (CallKey(8), refused(None))],
        &service,
    )
    .await;
    let other = CallRecord::new(service.database.store.clone(), "another node".to_owned(), Clock);
    other.clone().run(service.verify.clone(), sent(vec![(CALL, began("elsewhere", true))]).await).await;
    let again = record(vec![(CALL, began("new", true))], &service).await;
    let mut outcomes: Vec<(String, String)> =
        listed(&again).await.into_iter().map(|call| (call.sip_call_id, call.outcome)).collect();
    outcomes.sort();
    let expected = [("cut", "lost"), ("elsewhere", "live"), ("new", "live"), ("refused", "refused")];
    assert_eq!(outcomes, expected.map(|(id, outcome)| (id.to_owned(), outcome.to_owned())));
}

async fn a_call_without_beginning_is_passed_over(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.start().await;
    let calls = record(
        vec![
            (CALL, KEY),
            (CALL, Entry::Step(Step::CodeMatched(started.id))),
            (CALL, Entry::Over { duration: Duration::ZERO }),
            (CallKey(8), began("whole", true)),
        ],
        &service,
    )
    .await;
    assert_eq!(story(&calls).await.call.sip_call_id, "whole");
    assert_eq!(calls.figures().lost.load(Ordering::Relaxed), 0);
}

async fn a_stolen_database_tells_no_number(database: TestDatabase) {
    let service = Service::over(database).await;
    let mut entries = happy(VerificationId([1; 16]));
    entries.insert(1, (CALL, message(true, "BYE sip:+12025550143@192.0.2.7 SIP/2.0 (1)")));
    record(entries, &service).await;
    let contents = service.database.contents(&["calls", "call_lines"]).await;
    assert!(contents.iter().any(|(column, value)| column == "calls.last4" && value == b"0143"));
    let hash = Sha256::digest(format!("tel:{NUMBER}")).to_vec();
    for (column, value) in contents {
        let holds = |told: &[u8]| value.windows(told.len()).any(|window| window == told);
        assert!(!holds(b"2025550143") && !holds(&hash), "{column}");
    }
}

async fn who_reveals_a_number_stands_in_the_audit(database: TestDatabase) {
    let service = Service::over(database).await;
    let calls = record(happy(VerificationId([1; 16])), &service).await;
    let id = story(&calls).await.call.id;
    let shown = calls.reveal(id, "ada", "the caller complained", service.now).await.unwrap();
    assert_eq!(shown, Some(number(NUMBER)));
    let audit = service.database.contents(&["audit"]).await;
    let says = |column: &str, text: &str| audit.iter().any(|(at, value)| at == column && value == text.as_bytes());
    assert!(says("audit.actor", "ada") && says("audit.action", "reveal"));
    assert!(says("audit.subject", &format!("call {id}: the caller complained")));
    assert_eq!(service.database.store.first_audit_break().await.unwrap(), None);
    assert_eq!(calls.reveal(CallId([9; 16]), "ada", "none", service.now).await.unwrap(), None);
}

#[test]
fn more_lines_than_a_call_may_have_are_not_kept_and_its_end_still_counts() {
    let mut live = Live::default();
    let line = |entry| Recorded { call: CALL, at: Clock.wall(), entry };
    live.begin(&line(began("talker", true)), Clock);
    let kept = (0..2 * LINES).filter(|_| live.place(line(KEY)).unwrap().number.is_some()).count();
    assert_eq!(i64::try_from(kept).unwrap(), LINES);
    assert!(live.place(line(Entry::Over { duration: Duration::ZERO })).unwrap().number.is_none());
    assert!(live.place(line(KEY)).is_none(), "nothing follows the end");
}

#[test]
fn the_memory_of_live_calls_is_bounded_and_forgets_the_oldest() {
    let mut live = Live::default();
    let remembered = u64::try_from(REMEMBERED).unwrap();
    for n in 0..=remembered {
        live.begin(&Recorded { call: CallKey(n), at: Clock.wall(), entry: began("", true) }, Clock);
    }
    assert_eq!(live.len(), REMEMBERED);
    let line = |n| Recorded { call: CallKey(n), at: Clock.wall(), entry: KEY };
    assert!(live.place(line(0)).is_none() && live.place(line(remembered)).is_some());
}

async fn only_a_call_that_was_answered_for_nothing_is_counted_for_its_number(database: TestDatabase) {
    let service = Service::over(database).await;
    let matched = Step::CodeMatched(VerificationId([7; 16]));
    let table: &[(&[Step], i64)] = &[
        (&[Step::Warning, Step::EnteringCode, Step::Ended(Ending::NothingHeard)], 1),
        (&[Step::Warning, Step::Ended(Ending::HungUp)], 1),
        (&[Step::Warning, Step::WrongCode(0), Step::Ended(Ending::TooManyWrongCodes)], 1),
        (&[Step::Telling, Step::Ended(Ending::Told)], 1),
        (&[Step::Telling, Step::Suspending, Step::Ended(Ending::Suspended)], 0),
        (&[Step::Warning, matched, Step::Ended(Ending::WrongConfirmKey)], 0),
        (&[Step::Warning, Step::Ended(Ending::ServiceFailed)], 0),
        // Without an ACK anybody could have sent the INVITE.
        (&[Step::Ended(Ending::HungUp)], 0),
    ];
    let mut counted = 0;
    for (n, (steps, more)) in table.iter().enumerate() {
        let call = CallKey(u64::try_from(n).unwrap());
        let steps = steps.iter().map(|step| (call, Entry::Step(*step)));
        let over = (call, Entry::Over { duration: Duration::from_secs(9) });
        let entries = [(call, began("call@192.0.2.7", true))].into_iter().chain(steps).chain([over]).collect();
        record(entries, &service).await;
        let mut writer = service.database.store.begin().await.unwrap();
        let columns = service.database.store.columns();
        let used = budgets::lock(&number(NUMBER), Clock.wall(), columns, &mut writer).await.unwrap();
        writer.commit().await.unwrap();
        counted += more;
        assert_eq!(used.fruitless_calls, counted, "{:?}", table[n].0);
    }
}

async fn only_a_call_that_is_told_beyond_those_of_the_day_takes_a_turn(database: TestDatabase) {
    let service = Service::over(database).await;
    let over = || Entry::Over { duration: Duration::from_secs(9) };
    let report = Arc::new(Report { verdict: Ok(Attest::A), said: None, signer: None });
    let verified = Entry::Verified { report, level: Level::L3, caps: Caps::default() };
    let told = |entries: Vec<Entry>| {
        let entries = [began("call@192.0.2.7", true)].into_iter().chain(entries).chain([over()]);
        entries.map(|entry| (CALL, entry)).collect::<Vec<_>>()
    };
    // A tag of each row; numbers are not among the contents.
    let turns = async || service.database.contents(&["told_turns"]).await.len();
    record(told(vec![Entry::Step(Step::Telling), Entry::Step(Step::Ended(Ending::Suspended))]), &service).await;
    assert_eq!(turns().await, 0, "the calls of the day are not used up");
    let used_up = usize::try_from(FRUITLESS_CALLS * budgets::TOLD_FOR_EACH).unwrap();
    service.verify.note_fruitless(&vec![number(NUMBER); used_up], Clock.wall()).await.unwrap();
    let unheard = vec![Entry::Answered { setup: Duration::ZERO }, Entry::Step(Step::Ended(Ending::HungUp))];
    record(told(unheard), &service).await;
    assert_eq!(turns().await, 0, "without an ACK anybody could have sent the INVITE");
    for _ in 0..2 {
        record(told(vec![Entry::Step(Step::Telling)]), &service).await;
        assert_eq!(turns().await, 1);
    }
    // At the level that its signature proved.
    record(told(vec![verified, Entry::Step(Step::Telling)]), &service).await;
    assert_eq!(turns().await, 2);
}

#[test]
fn a_page_follows_the_call_that_keyed_in_its_code_last() {
    let mut live = Live::default();
    let (earlier, later) = (CallKey(1), CallKey(2));
    for call in [earlier, later] {
        live.begin(&Recorded { call, at: Clock.wall(), entry: began("", true) }, Clock);
    }
    let (page, ended) = (VerificationId([7; 16]), Step::Ended(Ending::NothingHeard));
    assert_eq!(live.page(earlier, &Step::CodeMatched(page)), Some(page));
    assert_eq!(live.page(earlier, &Step::Confirming), Some(page));
    assert_eq!(live.page(later, &Step::CodeMatched(page)), Some(page));
    assert_eq!(live.page(earlier, &ended), None, "the earlier call's end is not the page's");
    assert_eq!(live.page(later, &ended), Some(page));
}
