//! The digits that are typed into the page.

use super::*;

on_both_databases!(
    twenty_right_read_backs_at_once_issue_one_certificate,
    of_twenty_wrong_read_backs_at_once_the_third_voids,
    a_read_back_is_worth_nothing_after_ninety_seconds,
    a_second_call_reads_other_digits_and_the_first_ones_count_no_more,
);

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
