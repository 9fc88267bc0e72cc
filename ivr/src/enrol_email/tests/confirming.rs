//! From the form to the certificate in the mailbox, and what cannot be confirmed.

use std::time::Duration;

use crate::enrol_email::fixture::{Service, wrong};
use crate::enrol_email::{Confirmation, Here, State};
use crate::store::test_database::{TestDatabase, on_both_databases};
use crate::verify::AccessError;

on_both_databases!(
    the_fifth_wrong_code_voids_the_order,
    wrong_codes_at_once_are_all_counted,
    an_order_dies_after_a_day_and_is_forgotten_after_two,
    opening_a_link_changes_nothing_and_shows_a_stranger_the_code_only,
    a_link_confirms_nothing_without_the_secret_of_its_order,
    an_order_opens_with_its_own_secret_only,
);

async fn the_fifth_wrong_code_voids_the_order(database: TestDatabase) {
    let service = Service::over(database).await;
    let (begun, _, code) = service.ask_and_read("somebody@example.org").await;
    let (id, secret) = (begun.id, begun.secret.expose());
    for left in [4, 3, 2, 1] {
        let typed = service.enrol.confirm_by_code(id, secret, &wrong(&code), service.now).await.unwrap();
        assert_eq!(typed, Confirmation::Wrong { left });
    }
    let typed = service.enrol.confirm_by_code(id, secret, &wrong(&code), service.now).await.unwrap();
    assert_eq!(typed, Confirmation::Voided);
    let typed = service.enrol.confirm_by_code(id, secret, &code, service.now).await.unwrap();
    assert_eq!(typed, Confirmation::NotExpected(State::Voided), "the right code worked after the fifth wrong one");
}

async fn wrong_codes_at_once_are_all_counted(database: TestDatabase) {
    let service = std::sync::Arc::new(Service::over(database).await);
    let (begun, _, code) = service.ask_and_read("somebody@example.org").await;
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (service, begun, code) = (service.clone(), begun.clone(), wrong(&code));
            tokio::spawn(async move {
                service.enrol.confirm_by_code(begun.id, begun.secret.expose(), &code, service.now).await.unwrap()
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    let counted = |wanted: Confirmation| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    for left in [4, 3, 2, 1] {
        assert_eq!(counted(Confirmation::Wrong { left }), 1, "{outcomes:?}");
    }
    assert_eq!(counted(Confirmation::Voided), 1, "{outcomes:?}");
    assert_eq!(counted(Confirmation::NotExpected(State::Voided)), 15, "{outcomes:?}");
}

async fn an_order_dies_after_a_day_and_is_forgotten_after_two(database: TestDatabase) {
    let service = Service::over(database).await;
    let (begun, link, code) = service.ask_and_read("somebody@example.org").await;
    let (id, secret) = (begun.id, begun.secret.expose());
    let dead = service.now + Duration::from_secs(24 * 3600);
    assert_eq!(begun.expires_at, crate::clock::whole_milliseconds(dead));
    assert_eq!(service.enrol.view(id, secret, dead - Duration::from_secs(1)).await.unwrap().state, State::Waiting);
    assert_eq!(service.enrol.view(id, secret, dead).await.unwrap().state, State::Expired);
    let expired = Confirmation::NotExpected(State::Expired);
    assert_eq!(service.enrol.confirm_by_code(id, secret, &code, dead).await.unwrap(), expired);
    assert_eq!(service.enrol.confirm_by_link(&link, secret, dead).await.unwrap(), expired);
    service.enrol.tidy(dead).await.unwrap();
    assert_eq!(service.enrol.view(id, secret, dead).await.unwrap().state, State::Expired);
    service.enrol.tidy(dead + Duration::from_secs(24 * 3600)).await.unwrap();
    assert!(matches!(service.enrol.view(id, secret, dead).await, Err(AccessError::Unknown)));
}

async fn opening_a_link_changes_nothing_and_shows_a_stranger_the_code_only(database: TestDatabase) {
    let service = Service::over(database).await;
    let (begun, link, code) = service.ask_and_read("somebody@example.org").await;
    let other = service.ask_from("198.51.100.1", "other@example.org", service.now).await.unwrap();
    for secret in [None, Some(String::new()), Some(other.secret.expose().clone())] {
        let asked = service.enrol.open_link(&link, |_| secret, service.now).await.unwrap();
        assert_eq!(asked.here, Here::ShowCode(code.clone()));
        assert_eq!((asked.id, asked.device.as_str()), (begun.id, "Firefox on Linux"));
    }
    let here = |id| (id == begun.id).then(|| begun.secret.expose().clone());
    for _ in 0..3 {
        let asked = service.enrol.open_link(&link, here, service.now).await.unwrap();
        assert_eq!((asked.here, asked.state), (Here::Confirm, State::Waiting));
    }
    let view = service.enrol.view(begun.id, begun.secret.expose(), service.now).await.unwrap();
    assert_eq!((view.state, view.tries_left), (State::Waiting, 5));
    assert!(
        service.enrol.open_link(other.secret.expose(), |_| None, service.now).await.is_err(),
        "a secret opened as a link"
    );
}

async fn a_link_confirms_nothing_without_the_secret_of_its_order(database: TestDatabase) {
    let service = Service::over(database).await;
    let (begun, link, _) = service.ask_and_read("somebody@example.org").await;
    let other = service.ask_from("198.51.100.1", "other@example.org", service.now).await.unwrap();
    for secret in ["", &link, other.secret.expose()] {
        let refused = service.enrol.confirm_by_link(&link, secret, service.now).await;
        assert!(matches!(refused, Err(AccessError::Unknown)), "{refused:?}");
    }
    let view = service.enrol.view(begun.id, begun.secret.expose(), service.now).await.unwrap();
    assert_eq!(view.state, State::Waiting);
}

async fn an_order_opens_with_its_own_secret_only(database: TestDatabase) {
    let service = Service::over(database).await;
    let (begun, _, code) = service.ask_and_read("somebody@example.org").await;
    let other = service.ask_from("198.51.100.1", "other@example.org", service.now).await.unwrap();
    for secret in ["", "x", other.secret.expose()] {
        assert!(matches!(service.enrol.view(begun.id, secret, service.now).await, Err(AccessError::Unknown)));
        let typed = service.enrol.confirm_by_code(begun.id, secret, &code, service.now).await;
        assert!(matches!(typed, Err(AccessError::Unknown)), "{typed:?}");
    }
    let typed = service.enrol.confirm_by_code(other.id, other.secret.expose(), &code, service.now).await.unwrap();
    assert_eq!(typed, Confirmation::Wrong { left: 4 }, "a code of another order was taken");
}
