//! A person proves a number: the whole way, and every wrong turn, on both databases.

use std::sync::Arc;

use ivr_core::call::flow::Step;
use ivr_core::call::question::{Answer, Enrolled, Outcome, Question, Session};
use ivr_core::caller::{Attest, Caller, Level, Reason};
use ivr_core::code::Code;
use ivr_core::key_check::KeyCheck;
use ivr_core::passport::{Passport, Report};
use ivr_core::proof::Binding;
use time::Duration;
use voice_prompts::Language;

use super::fixture::{Call, FRUITLESS_CALLS, NUMBER, SOURCE, Service, caller, number, other_than, request, start};
use super::*;
use crate::store::purging::PIECE;
use crate::store::test_database::{TestDatabase, on_both_databases};
use crate::store::{StoreError, budgets, passports};

on_both_databases!(
    a_number_is_proved_from_the_code_to_the_certificate,
    who_has_not_the_secret_sees_nothing,
    a_call_that_nobody_waits_for_has_no_session,
    a_page_is_spoken_for_only_from_its_code_on,
    the_code_of_another_number_opens_nothing,
    twenty_right_read_backs_at_once_issue_one_certificate,
    of_twenty_wrong_read_backs_at_once_the_third_voids,
    six_wrong_codes_void_the_verification,
    of_thirty_wrong_codes_at_once_ten_are_compared_a_day,
    a_number_whose_calls_end_for_nothing_is_answered_no_more_today,
    who_uses_up_a_numbers_calls_does_not_keep_its_owner_from_suspending,
    a_slip_after_a_missed_read_back_may_be_mended,
    the_fourth_from_one_network_waits,
    of_a_crowd_the_largest_source_loses_its_oldest,
    of_many_networks_with_as_many_those_of_one_provider_lose_theirs,
    a_crowd_that_is_on_the_telephone_lets_nobody_in,
    nothing_opens_after_its_time,
    a_read_back_is_worth_nothing_after_ninety_seconds,
    a_second_call_reads_other_digits_and_the_first_ones_count_no_more,
    the_code_alone_is_enough_where_it_is_configured,
    an_apps_call_is_told_the_check_of_its_key,
    without_a_request_there_is_a_signed_result,
    who_gives_up_frees_the_code,
    a_page_is_told_of_steps_and_refusals,
    what_is_over_is_purged_and_what_is_live_is_not,
    a_backlog_is_purged_piece_by_piece,
    a_stolen_database_tells_no_number_and_no_code,
    a_signed_identity_completes_one_verification,
    a_signed_identity_on_many_calls_at_once_completes_one_verification,
);

/// What a call hears that keyed in the code of a page.
fn matched(started: &Started) -> Answer {
    Answer::Matched(Session { id: started.id, key_check: None, language: Language::ENGLISH })
}

async fn type_in(service: &Service, started: &Started, digits: &Code) -> Typed {
    service.verify.type_in(started.id, started.secret.expose(), digits, service.now).await.unwrap()
}

async fn a_number_is_proved_from_the_code_to_the_certificate(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let mut bell = service.verify.bell();
    let started = service.start().await;
    let waiting = service.view(&started).await;
    assert_eq!((waiting.state, waiting.number), (State::Waiting, number(NUMBER)));
    assert_eq!(waiting.code.unwrap().expose(), started.code.expose());
    assert!(waiting.wants_certificate && waiting.publish);

    let expected = service.verify.answer(Question::Session(caller(NUMBER)), service.now).await;
    assert_eq!(expected, Answer::Expected);
    let call = service.call(started.code.expose()).await;
    assert_eq!(call.answers, [matched(&started), Answer::Stored]);
    assert_eq!(bell.try_recv(), Ok(started.id));
    let reading = service.view(&started).await;
    assert_eq!((reading.state, reading.read_backs_left), (State::ReadBack, 3));
    assert_eq!(reading.read_back_until, Some(time_in(&service, 90)));

    assert_eq!(type_in(&service, &started, &call.heard.unwrap()).await, Typed::Right);
    let issued = service.view(&started).await;
    assert_eq!((issued.state, issued.failure), (State::Issued, None));
    assert!(issued.code.is_none(), "a used code is not shown");
    let certificate = issued.certificate.unwrap();
    assert_eq!(certificate.identity.expose(), "tel:+12025550143");
    assert_eq!(certificate.level, Level::L2);
    assert!(certificate.revoked.is_none() && !certificate.record.unwrap().published);
    assert_eq!(service.outcomes.recv().await, Some((started.id, Outcome::Issued)));
    let states: Vec<&str> = issued.happenings.iter().map(|line| line.what.as_str()).collect();
    assert_eq!(states, ["calling", "read-back", "issuing", "issued"]);
}

/// In milliseconds, as the database keeps times.
fn time_in(service: &Service, seconds: i64) -> OffsetDateTime {
    let at = service.now + Duration::seconds(seconds);
    crate::store::time_of(crate::store::millis(at)).unwrap()
}

/// A signed identity, and the caller who bears it.
fn signed() -> (Passport, Caller) {
    let token = Passport::read(include_str!("../../core/scenarios/passport/a.identity")).unwrap();
    let report = Report::of(&token, None, Ok(Attest::A));
    (token, Caller { passport: Some(Arc::new(report)), ..caller(NUMBER) })
}

async fn a_signed_identity_completes_one_verification(database: TestDatabase) {
    let service = Service::over(database).await;
    let (token, caller) = signed();
    for (binding, last) in [(Binding::ReadBack, Answer::Stored), (Binding::CodeOnly, Answer::Gone)] {
        let started = service.start().await;
        let mut call = Call::new(caller.clone(), binding, service.now);
        call.run(&service.verify, started.code.expose()).await;
        assert_eq!(call.answers, [matched(&started), last]);
        let kept = if binding == Binding::ReadBack { State::ReadBack } else { State::Calling };
        assert_eq!(service.view(&started).await.state, kept, "what was not signed anew leaves nothing behind");
    }
    // Once nobody can use it any more, it is forgotten.
    service.verify.purge(service.now + Duration::hours(2)).await.unwrap();
    let mut reader = service.database.store.read().await.unwrap();
    assert!(!passports::has_served(&token.hash(), &mut reader).await.unwrap());
}

async fn a_signed_identity_on_many_calls_at_once_completes_one_verification(database: TestDatabase) {
    let service = Service::over(database).await;
    let (_, caller) = signed();
    let mut calls = Vec::new();
    for n in 0..8 {
        let started = service.try_start(NUMBER, &format!("192.0.{n}.1"), None).await.unwrap();
        calls.push((started, Call::new(caller.clone(), Binding::ReadBack, service.now)));
    }
    let run = calls.iter_mut().map(|(started, call)| call.run(&service.verify, started.code.expose()));
    futures_util::future::join_all(run).await;
    let ended = |as_this: &Answer| calls.iter().filter(|(_, call)| call.answers.last() == Some(as_this)).count();
    assert_eq!((ended(&Answer::Stored), ended(&Answer::Gone)), (1, 7));
    let mut reading_back = 0;
    for (started, _) in &calls {
        reading_back += usize::from(service.view(started).await.state == State::ReadBack);
    }
    assert_eq!(reading_back, 1);
    let audit = service.database.contents(&["audit"]).await;
    let signed = audit.iter().filter(|(column, value)| column == "audit.action" && value == b"signed").count();
    assert_eq!(signed, 1, "what came to nothing is not told");
}

async fn who_has_not_the_secret_sees_nothing(database: TestDatabase) {
    let service = Service::over(database).await;
    let (started, heard) = service.proved().await;
    for secret in ["", "secret", &started.secret.expose()[1..]] {
        let seen = service.verify.view(started.id, secret, service.now).await;
        assert!(matches!(seen, Err(AccessError::Unknown)), "{seen:?}");
        let typed = service.verify.type_in(started.id, secret, &heard, service.now).await;
        assert!(matches!(typed, Err(AccessError::Unknown)), "{typed:?}");
        let cancelled = service.verify.cancel(started.id, secret, service.now).await;
        assert!(matches!(cancelled, Err(AccessError::Unknown)), "{cancelled:?}");
    }
    assert_eq!(type_in(&service, &started, &heard).await, Typed::Right);
}

async fn a_call_that_nobody_waits_for_has_no_session(database: TestDatabase) {
    let service = Service::over(database).await;
    service.start().await;
    let other = Question::Session(caller("+12025550144"));
    assert_eq!(service.verify.answer(other, service.now).await, Answer::NoSession);
}

async fn a_page_is_spoken_for_only_from_its_code_on(database: TestDatabase) {
    let service = Service::over(database).await;
    let start = |locale: &str, source| Start { locale: locale.to_owned(), ..start(NUMBER, source, None) };
    service.verify.start(start("es", "198.51.100.1"), service.now).await.unwrap();
    let owners = service.verify.start(start("de-AT", SOURCE), service.now).await.unwrap();
    // Whose warning it is, in which language, no page is asked; whoever has the code has the page.
    assert_eq!(service.verify.answer(Question::Session(caller(NUMBER)), service.now).await, Answer::Expected);
    let session = Session { id: owners.id, key_check: None, language: Language::of("de") };
    assert_eq!(service.call(owners.code.expose()).await.answers[0], Answer::Matched(session));
}

async fn the_code_of_another_number_opens_nothing(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.start().await;
    let other = service.try_start("+12025550144", SOURCE, None).await.unwrap();
    let call = service.call_from("+12025550144", started.code.expose(), Binding::ReadBack).await;
    // By one chance in a million both have the same code, and then it is the caller's own that opens.
    if started.code.expose() != other.code.expose() {
        assert_eq!(call.answers, [Answer::Wrong { tries_left: 5 }]);
    }
    assert_eq!(service.view(&started).await.state, State::Waiting);
}

async fn twenty_right_read_backs_at_once_issue_one_certificate(database: TestDatabase) {
    let service = Service::over(database).await;
    let (started, heard) = service.proved().await;
    let posts = (0..20).map(|_| type_in(&service, &started, &heard));
    let typed = futures_util::future::join_all(posts).await;
    assert_eq!(typed.iter().filter(|typed| **typed == Typed::Right).count(), 1, "{typed:?}");
    assert!(
        typed.iter().all(|typed| matches!(typed, Typed::Right | Typed::NotExpected(State::Issuing | State::Issued)))
    );
    let all = service.issue.certificates(&Default::default(), service.now).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(service.view(&started).await.state, State::Issued);
}

async fn of_twenty_wrong_read_backs_at_once_the_third_voids(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (started, heard) = service.proved().await;
    let wrong = other_than(&heard);
    let posts = (0..20).map(|_| type_in(&service, &started, &wrong));
    let typed = futures_util::future::join_all(posts).await;
    for expected in [Typed::Wrong { left: 2 }, Typed::Wrong { left: 1 }, Typed::Voided] {
        assert_eq!(typed.iter().filter(|typed| **typed == expected).count(), 1, "{typed:?}");
    }
    assert_eq!(typed.iter().filter(|typed| **typed == Typed::NotExpected(State::Voided)).count(), 17);
    assert_eq!(service.outcomes.recv().await, Some((started.id, Outcome::Voided)));
    assert_eq!(type_in(&service, &started, &heard).await, Typed::NotExpected(State::Voided));
    assert!(service.view(&started).await.failure.is_some());
}

async fn six_wrong_codes_void_the_verification(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.start().await;
    let wrong = other_than(started.code.expose());
    for left in [5, 4, 3, 2, 1, 0] {
        assert_eq!(service.call(&wrong).await.answers, [Answer::Wrong { tries_left: left }]);
    }
    assert_eq!(service.view(&started).await.state, State::Voided);
    assert_eq!(service.call(started.code.expose()).await.answers, [Answer::Gone]);
    // The number is not: who begins again may call again.
    let again = service.start().await;
    assert_eq!(service.call(again.code.expose()).await.answers.len(), 2);
}

async fn of_thirty_wrong_codes_at_once_ten_are_compared_a_day(database: TestDatabase) {
    let service = Service::over(database).await;
    let first = service.start().await;
    let wrong = other_than(first.code.expose());
    for _ in 0..6 {
        service.call(&wrong).await;
    }
    let second = service.start().await;
    let wrong = other_than(second.code.expose());
    let calls = (0..30).map(|_| service.call(&wrong));
    let answers: Vec<Answer> =
        futures_util::future::join_all(calls).await.into_iter().flat_map(|call| call.answers).collect();
    let compared = answers.iter().filter(|answer| matches!(answer, Answer::Wrong { .. })).count();
    let exhausted = answers.iter().filter(|answer| **answer == Answer::NumberExhausted).count();
    assert_eq!((compared, exhausted), (4, 26), "{answers:?}");
    assert!(answers.contains(&Answer::Wrong { tries_left: 0 }), "{answers:?}");

    let session = |at| service.verify.answer(Question::Session(caller(NUMBER)), at);
    assert_eq!(session(service.now).await, Answer::NumberExhausted);
    assert_eq!(service.call(second.code.expose()).await.answers, [Answer::NumberExhausted]);
    // The page is not told, and another number is not touched.
    assert_eq!(service.view(&second).await.state, State::Waiting);
    // A clock that goes back, or another node's, gives no new tries.
    let yesterday = service.now - Duration::days(1);
    let columns = service.database.store.columns();
    let mut writer = service.database.store.begin().await.unwrap();
    budgets::lock(&number(NUMBER), yesterday, columns, &mut writer).await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(session(yesterday).await, Answer::NumberExhausted);
    assert_eq!(session(service.now).await, Answer::NumberExhausted);
    let tomorrow = service.now + Duration::days(1);
    assert_eq!(session(tomorrow).await, Answer::NoSession);
}

async fn a_number_whose_calls_end_for_nothing_is_answered_no_more_today(database: TestDatabase) {
    let service = Service::over(database).await;
    service.start().await;
    let calls = |count: i64, of: &str| vec![number(of); usize::try_from(count).unwrap()];
    // Others call meanwhile, more than one statement counts.
    let others = (0..70).map(|n| number(&format!("+1212555{:04}", 100 + n)));
    let (mut many, at) = (calls(FRUITLESS_CALLS - 1, NUMBER), service.now);
    many.extend(others);
    service.verify.note_fruitless(&many, at).await.unwrap();
    let session = |of: &str, at| service.verify.answer(Question::Session(caller(of)), at);
    let sessions = service.verify.sessions();
    assert_eq!(session(NUMBER, at).await, Answer::Expected);
    assert!(sessions.expects(&caller(NUMBER), at));

    service.verify.note_fruitless(&calls(1, NUMBER), at).await.unwrap();
    assert!(!sessions.expects(&caller(NUMBER), at), "the node would still answer it");
    assert_eq!(session(NUMBER, at).await, Answer::CallsUsedUp);
    assert_eq!(service.verify.sessions().answer(&[caller(NUMBER)], at).await, [Answer::CallsUsedUp]);
    // Nor does another verification, a wrong code or a clock that goes back change that.
    service.start().await;
    assert!(!sessions.expects(&caller(NUMBER), at));
    let mut writer = service.database.store.begin().await.unwrap();
    let columns = service.database.store.columns();
    budgets::count_wrong_code(&number(NUMBER), at - Duration::days(1), columns, &mut writer).await.unwrap();
    let used = budgets::lock(&number(NUMBER), at, columns, &mut writer).await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!((used.wrong_codes, used.fruitless_calls), (1, FRUITLESS_CALLS));
    assert_eq!(session(NUMBER, at).await, Answer::CallsUsedUp);
    // Other numbers, and other days, are not touched.
    assert_eq!(session("+12125550100", at).await, Answer::NoSession);
    assert_eq!(session(NUMBER, at + Duration::days(1)).await, Answer::NoSession);
}

async fn who_uses_up_a_numbers_calls_does_not_keep_its_owner_from_suspending(database: TestDatabase) {
    let service = Service::over(database).await;
    service.certified_unpublished().await;
    service.start().await;
    let calls = |count: i64| vec![number(NUMBER); usize::try_from(count).unwrap()];
    let session = || service.verify.answer(Question::Session(caller(NUMBER)), service.now);
    let at_once = async || service.verify.sessions().answer(&[caller(NUMBER)], service.now).await;
    service.verify.note_fruitless(&calls(FRUITLESS_CALLS), service.now).await.unwrap();
    // No code is taken, but its owner is told, and may press 9.
    for answer in [session().await, at_once().await.remove(0)] {
        assert!(matches!(answer, Answer::Certified(Enrolled { count: 1, .. })), "{answer:?}");
    }
    // That has an end as well, far from the first.
    service.verify.note_fruitless(&calls(FRUITLESS_CALLS * 9 - 1), service.now).await.unwrap();
    assert!(matches!(session().await, Answer::Certified(_)));
    service.verify.note_fruitless(&calls(1), service.now).await.unwrap();
    // From then on it is one call in a quarter of an hour, of each level. An INVITE alone takes nobody's turn.
    for answer in [session().await, at_once().await.remove(0)] {
        assert!(matches!(answer, Answer::Certified(_)), "{answer:?}");
    }
    service.verify.note_told(&[(number(NUMBER), caller(NUMBER).level)], service.now).await.unwrap();
    assert_eq!((session().await, at_once().await.remove(0)), (Answer::CallsUsedUp, Answer::CallsUsedUp));
    let hears = async |level, at| {
        let caller = Caller { level, ..caller(NUMBER) };
        let answer = service.verify.answer(Question::Session(caller), at).await;
        if matches!(answer, Answer::Certified(_)) {
            service.verify.note_told(&[(number(NUMBER), level)], at).await.unwrap();
        }
        answer
    };
    let told = hears(Level::L3, service.now).await;
    assert!(matches!(told, Answer::Certified(_)), "a call of a lower level took its turn: {told:?}");
    assert_eq!(hears(Level::L3, service.now).await, Answer::CallsUsedUp);
    let later = service.now + budgets::TURN;
    // Perhaps on the next day.
    service.verify.note_fruitless(&calls(FRUITLESS_CALLS * 10), later).await.unwrap();
    assert_eq!(hears(Level::L2, later - Duration::seconds(1)).await, Answer::CallsUsedUp);
    assert!(matches!(hears(Level::L2, later).await, Answer::Certified(_)));
    assert_eq!(hears(Level::L2, later).await, Answer::CallsUsedUp);
    // What is over is forgotten, and nobody without a certificate has turns.
    service.verify.purge(later + budgets::TURN).await.unwrap();
    assert_eq!(service.database.contents(&["told_turns"]).await, []);
    service
        .verify
        .note_fruitless(&vec![number("+12025550144"); 10 * calls(FRUITLESS_CALLS).len()], later)
        .await
        .unwrap();
    let none = service.verify.answer(Question::Session(caller("+12025550144")), later).await;
    assert_eq!(none, Answer::CallsUsedUp);
    assert_eq!(service.database.contents(&["told_turns"]).await, []);
}

async fn a_slip_after_a_missed_read_back_may_be_mended(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (started, _) = service.proved().await;
    service.now += Duration::seconds(91);
    let wrong = other_than(started.code.expose());
    assert_eq!(service.call(&wrong).await.answers, [Answer::Wrong { tries_left: 5 }]);
    let again = service.call(started.code.expose()).await;
    assert_eq!(again.answers, [matched(&started), Answer::Stored]);
}

async fn the_fourth_from_one_network_waits(database: TestDatabase) {
    let service = Service::over(database).await;
    for source in ["192.0.2.1", "192.0.2.77", "192.0.2.254"] {
        service.try_start(NUMBER, source, None).await.unwrap();
    }
    let refused = service.try_start(NUMBER, "192.0.2.5", None).await;
    let Err(StartError::NumberFull { retry_after }) = refused else { panic!("{refused:?}") };
    assert!(retry_after <= std::time::Duration::from_secs(600) && retry_after.as_secs() >= 599, "{retry_after:?}");
    service.try_start(NUMBER, "198.51.100.5", None).await.unwrap();
    service.try_start("+12025550144", "192.0.2.5", None).await.unwrap();
}

async fn of_a_crowd_the_largest_source_loses_its_oldest(database: TestDatabase) {
    let limits = Limits { of_number: 6, ..Limits::default() };
    let service = Service::with(database, limits).await;
    let mut crowd = Vec::new();
    for source in ["192.0.2.1", "198.51.100.1", "198.51.100.1", "198.51.100.1", "203.0.113.1", "203.0.113.1"] {
        crowd.push(service.try_start(NUMBER, source, None).await.unwrap());
    }
    let newcomer = service.try_start(NUMBER, "192.0.2.200", None).await.unwrap();
    let mut states = Vec::new();
    for started in crowd.iter().chain([&newcomer]) {
        states.push(service.view(started).await.state);
    }
    // All began in the same moment: which of the three of the largest source is the oldest is not told.
    let ended: Vec<usize> =
        states.iter().enumerate().filter(|(_, state)| **state == State::Expired).map(|(index, _)| index).collect();
    assert!(matches!(ended.as_slice(), [1..=3]), "{states:?}");
}

async fn of_many_networks_with_as_many_those_of_one_provider_lose_theirs(database: TestDatabase) {
    let limits = Limits { of_number: 6, of_number_unworked: 6, ..Limits::default() };
    let mut service = Service::with(database, limits).await;
    let mut all = Vec::new();
    // The owner is the oldest, and has one as everybody else.
    for source in ["198.51.100.1", "203.0.113.1", "2001:db8:7::1", "2001:db8:7:100::1", "2001:db8:8::1", "2001:db9::1"]
    {
        assert!(!service.verify.is_crowded(&number(NUMBER), service.now).await.unwrap(), "{source}");
        all.push(service.try_start(NUMBER, source, None).await.unwrap());
        service.now += Duration::seconds(1);
    }
    assert!(service.verify.is_crowded(&number(NUMBER), service.now).await.unwrap());
    assert!(!service.verify.is_crowded(&number("+12025550144"), service.now).await.unwrap());
    all.push(service.try_start(NUMBER, "2001:db8:9::1", None).await.unwrap());
    all.push(service.try_start(NUMBER, "2001:db8:10::1", None).await.unwrap());
    let mut ended = Vec::new();
    for (index, started) in all.iter().enumerate() {
        if service.view(started).await.state == State::Expired {
            ended.push(index);
        }
    }
    assert_eq!(ended, [2, 3], "the oldest of 2001:db8::/32");
    service.now += Duration::minutes(11);
    assert!(!service.verify.is_crowded(&number(NUMBER), service.now).await.unwrap());
}

async fn nothing_opens_after_its_time(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let started = service.start().await;
    service.now += Duration::seconds(600);
    let expired = service.view(&started).await;
    assert_eq!((expired.state, expired.code.is_none()), (State::Expired, true));
    let session = service.verify.answer(Question::Session(caller(NUMBER)), service.now).await;
    assert_eq!(session, Answer::NoSession);
    assert_eq!(service.call(started.code.expose()).await.answers, [Answer::Gone]);
}

async fn a_read_back_is_worth_nothing_after_ninety_seconds(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (started, heard) = service.proved().await;
    service.now += Duration::seconds(90);
    assert_eq!(type_in(&service, &started, &heard).await, Typed::NotExpected(State::Waiting));
    // The code is still good: another call reads other digits.
    let again = service.call(started.code.expose()).await.heard.unwrap();
    assert_eq!(type_in(&service, &started, &again).await, Typed::Right);
}

async fn a_second_call_reads_other_digits_and_the_first_ones_count_no_more(database: TestDatabase) {
    let service = Service::over(database).await;
    let (started, first) = service.proved().await;
    let second = service.call(started.code.expose()).await.heard.unwrap();
    if first != second {
        assert_eq!(type_in(&service, &started, &first).await, Typed::Wrong { left: 2 });
    }
    assert_eq!(type_in(&service, &started, &second).await, Typed::Right);
}

async fn an_apps_call_is_told_the_check_of_its_key(database: TestDatabase) {
    let service = Service::over(database).await;
    let start = |csr| Start { started_by: StartedBy::App, ..start(NUMBER, SOURCE, csr) };
    let refused = service.verify.start(start(None), service.now).await;
    assert!(matches!(refused, Err(StartError::NoKey(NoKey))), "{refused:?}");
    let csr = request();
    let started = service.verify.start(start(Some(csr.clone())), service.now).await.unwrap();
    let call = service.call(started.code.expose()).await;
    let key_check = KeyCheck::of(&ca::Request::parse(&csr).unwrap().spki(), started.id);
    let session = Session { id: started.id, key_check: Some(key_check), language: Language::ENGLISH };
    assert_eq!(call.answers, [Answer::Matched(session), Answer::Stored]);
    // The same key in another verification has another one.
    let again = service.verify.start(start(Some(csr)), service.now).await.unwrap();
    let call = service.call(again.code.expose()).await;
    assert!(matches!(call.answers[0], Answer::Matched(Session { key_check: Some(other), .. }) if other != key_check));
}

async fn the_code_alone_is_enough_where_it_is_configured(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let started = service.start().await;
    let call = service.call_from(NUMBER, started.code.expose(), Binding::CodeOnly).await;
    assert_eq!(call.answers, [matched(&started), Answer::Stored]);
    assert_eq!(service.outcomes.recv().await, Some((started.id, Outcome::Issued)));
    let view = service.view(&started).await;
    assert!(view.is_code_only, "its page and the API say so");
    let certificate = view.certificate.unwrap();
    assert_eq!(certificate.level, Level::L1, "a code alone is worth no more");
    assert!(certificate.not_after - certificate.not_before <= Duration::days(7));
}

async fn without_a_request_there_is_a_signed_result(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.try_start(NUMBER, SOURCE, None).await.unwrap();
    let heard = service.call(started.code.expose()).await.heard.unwrap();
    assert_eq!(type_in(&service, &started, &heard).await, Typed::Right);
    let view = service.view(&started).await;
    assert!(view.state == State::Issued && !view.wants_certificate && view.certificate.is_none());
    let claims =
        service.authority.result_key().verify(ca::signed_result::Statement::Result, &view.result.unwrap()).unwrap();
    assert_eq!(claims["sub"], "tel:+12025550143");
    assert_eq!(claims["level"], "L2");
    assert_eq!(claims["jti"], started.id.to_string());
}

async fn who_gives_up_frees_the_code(database: TestDatabase) {
    let service = Service::over(database).await;
    let (started, heard) = service.proved().await;
    service.verify.cancel(started.id, started.secret.expose(), service.now).await.unwrap();
    service.verify.cancel(started.id, started.secret.expose(), service.now).await.unwrap();
    assert_eq!(service.view(&started).await.state, State::Expired);
    assert_eq!(type_in(&service, &started, &heard).await, Typed::NotExpected(State::Expired));
    assert_eq!(service.call(started.code.expose()).await.answers, [Answer::Gone]);
}

fn refused(of: &str, at: time::OffsetDateTime) -> Refused {
    Refused { number: number(of), reason: Reason::Forwarded, at }
}

async fn a_crowd_that_is_on_the_telephone_lets_nobody_in(database: TestDatabase) {
    let limits = Limits { of_number: 2, ..Limits::default() };
    let service = Service::with(database, limits).await;
    for source in ["192.0.2.1", "198.51.100.1"] {
        let started = service.try_start(NUMBER, source, None).await.unwrap();
        service.call(started.code.expose()).await;
    }
    let newcomer = service.try_start(NUMBER, "203.0.113.1", None).await;
    assert!(matches!(newcomer, Err(StartError::NumberFull { .. })), "{newcomer:?}");
}

async fn a_page_is_told_of_steps_and_refusals(database: TestDatabase) {
    let service = Service::over(database).await;
    let mut bell = service.verify.bell();
    let started = service.start().await;
    service.verify.note_refusals(&[refused("+12025550144", service.now)]).await.unwrap();
    assert!(bell.try_recv().is_err(), "another number's refusal is not this page's");
    service.verify.note_refusals(&[refused(NUMBER, time_in(&service, -1))]).await.unwrap();
    assert!(bell.try_recv().is_err(), "what was before it began is not this page's");
    service.verify.note_refusals(&[refused(NUMBER, service.now)]).await.unwrap();
    assert_eq!(bell.recv().await, Ok(started.id));
    service.call(started.code.expose()).await;
    service.verify.note_step(started.id, Step::Confirming, service.now).await.unwrap();
    let lines = service.view(&started).await.happenings;
    let told: Vec<(i64, &str, &str)> = lines.iter().map(|line| (line.number, line.kind, line.what.as_str())).collect();
    assert_eq!(
        told,
        [(1, "refused", "forwarded"), (2, "state", "calling"), (3, "state", "read-back"), (4, "step", "confirming")]
    );
    assert!(lines[0].sentence.contains("forwarding"), "{}", lines[0].sentence);
}

async fn what_is_over_is_purged_and_what_is_live_is_not(database: TestDatabase) {
    let service = Service::over(database).await;
    let (done, heard) = service.proved().await;
    type_in(&service, &done, &heard).await;
    let over = service.start().await;
    let day_later = service.now + Duration::hours(23);
    assert_eq!(service.verify.purge(day_later).await.unwrap(), 0);
    let later = service.now + Duration::hours(25);
    assert_eq!(service.verify.purge(later).await.unwrap(), 1);
    let gone = service.verify.view(over.id, over.secret.expose(), later).await;
    assert!(matches!(gone, Err(AccessError::Unknown)), "{gone:?}");
    assert!(!service.view(&done).await.happenings.is_empty(), "an issued one is shown for a month");
    let serial = service.view(&done).await.certificate.unwrap().serial;
    service.database.store.add_call_of(done.id).await;
    assert_eq!(service.verify.purge(service.now + Duration::days(32)).await.unwrap(), 1);
    assert_eq!(service.database.store.serial_of_call().await, Some(serial), "the call is kept longer, and tells it");
}

async fn a_backlog_is_purged_piece_by_piece(database: TestDatabase) {
    let service = Service::over(database).await;
    let store = &service.database.store;
    let (more_than_a_piece, two_days_later) = (PIECE + 1, service.now + Duration::days(2));
    store.add_verifications(usize::try_from(more_than_a_piece).unwrap(), service.now).await;
    let mut writer = store.begin().await.unwrap();
    for n in 0..more_than_a_piece {
        let mut token = [0; 32];
        token[..8].copy_from_slice(&n.to_be_bytes());
        assert!(passports::serve(&token, service.now, &mut writer).await.unwrap());
    }
    assert!(passports::serve(&[0xff; 32], two_days_later, &mut writer).await.unwrap());
    writer.commit().await.unwrap();
    assert_eq!(service.verify.purge(two_days_later).await.unwrap(), more_than_a_piece.unsigned_abs());
    assert_eq!(service.database.contents(&["served_passports"]).await.len(), 1, "what is not over stays");
}

/// Whoever has the files but not the key file reads neither number nor code nor certificate.
async fn a_stolen_database_tells_no_number_and_no_code(database: TestDatabase) {
    let service = Service::over(database).await;
    let (started, heard) = service.proved().await;
    type_in(&service, &started, &heard).await;
    service.publish().await;
    let tables =
        ["verifications", "number_days", "happenings", "intents", "certificates", "revocations", "records", "audit"];
    let contents = service.database.contents(&tables).await;
    assert!(contents.iter().any(|(name, _)| name == "certificates.certificate_sealed"), "the rows were read");
    for (name, value) in contents {
        let holds = |secret: &str| value.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!holds("2025550143"), "{name} holds the number");
        // Six digits may stand in a serial number by chance, so it is the whole value that must not be the code.
        for code in [started.code.expose(), &heard] {
            assert_ne!(value, code.as_str().as_bytes(), "{name} is a code");
        }
    }
}

#[tokio::test]
async fn a_kind_that_is_not_proved_and_a_request_for_somebody_else_are_refused() {
    let service = Service::over(TestDatabase::sqlite().await).await;
    let refused = service.try_start("+18005550199", SOURCE, None).await;
    assert!(matches!(refused, Err(StartError::Kind("a toll-free number"))), "{refused:?}");
    let refused = service.try_start(NUMBER, SOURCE, Some(b"no request".to_vec())).await;
    assert!(matches!(refused, Err(StartError::Request(_))), "{refused:?}");
    let mut params = rcgen::CertificateParams::default();
    params.subject_alt_names = vec![rcgen::SanType::URI("tel:+12025550144".try_into().unwrap())];
    let csr = params.serialize_request(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec();
    let refused = service.try_start(NUMBER, SOURCE, Some(csr)).await;
    assert!(matches!(refused, Err(StartError::Request(ca::RequestError::ForeignName(_)))), "{refused:?}");
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_said_to_the_call_and_to_the_page() {
    let service = Service::over(TestDatabase::sqlite().await).await;
    let (started, heard) = service.proved().await;
    let _holder = service.database.store.begin().await.unwrap();
    let typed = service.verify.type_in(started.id, started.secret.expose(), &heard, service.now);
    let (typed, call, begun) =
        tokio::join!(typed, service.call(started.code.expose()), service.try_start(NUMBER, SOURCE, Some(request())));
    assert!(matches!(typed, Err(AccessError::Store(StoreError::Busy))), "{typed:?}");
    assert!(matches!(begun, Err(StartError::Store(StoreError::Busy))), "{begun:?}");
    assert_eq!(call.answers, [Answer::Unavailable]);
    // Reading goes on.
    assert_eq!(service.view(&started).await.state, State::ReadBack);
}
