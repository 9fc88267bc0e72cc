//! How many wrong codes and fruitless calls a number has, and what it is told once they are used up.

use ivr_core::call::question::Enrolled;

use super::*;
use crate::store::budgets;
use crate::verify::fixture::FRUITLESS_CALLS;

on_both_databases!(
    six_wrong_codes_void_the_verification,
    of_thirty_wrong_codes_at_once_ten_are_compared_a_day,
    a_number_whose_calls_end_for_nothing_is_answered_no_more_today,
    who_uses_up_a_numbers_calls_does_not_keep_its_owner_from_suspending,
    a_slip_after_a_missed_read_back_may_be_mended,
);

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
