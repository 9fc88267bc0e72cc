//! What lies in the outbox gets out: after a relay that was down, after a restart, and not after its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::clock::Clock;
use crate::enrol_email::State;
use crate::enrol_email::fixture::{Service, read};
use crate::mail::fake::{Fake, relay_at};
use crate::mail::{MailSender, Nudge, Transport};
use crate::store::mails;
use crate::store::test_database::{TestDatabase, on_both_databases};

on_both_databases!(
    a_mail_waits_for_a_relay_that_is_down_and_survives_a_restart,
    a_mail_that_nobody_needs_any_more_is_forgotten,
    a_refused_mail_is_not_tried_again,
    an_address_that_the_relay_cannot_carry_fails_its_order,
    what_lies_in_the_database_names_nobody,
    two_senders_at_once_send_a_mail_once,
);

async fn a_mail_waits_for_a_relay_that_is_down_and_survives_a_restart(database: TestDatabase) {
    let service = Service::over(database).await;
    let is_up = Arc::new(AtomicBool::new(false));
    let seen = is_up.clone();
    let relay = Fake::start(move |line| {
        (!seen.load(Ordering::Relaxed) && line.starts_with("MAIL")).then_some("421 going down")
    })
    .await;
    service.ask("somebody@example.org").await;
    let sender = service.postbox.sender(Transport::Relay(relay_at(relay.port())));
    sender.deliver_due(service.now).await.unwrap();
    sender.deliver_due(service.now + Duration::from_secs(4)).await.unwrap();
    assert_eq!(relay.heard("MAIL"), 1, "the second attempt came too early");
    sender.deliver_due(service.now + Duration::from_secs(5)).await.unwrap();
    assert_eq!((relay.heard("MAIL"), relay.heard("DATA")), (2, 0));

    is_up.store(true, Ordering::Relaxed);
    let again = service.database.opened_again().await;
    let sender = MailSender::new(again, Transport::Relay(relay_at(relay.port())), Nudge::default(), Clock);
    sender.deliver_due(service.now + Duration::from_secs(15)).await.unwrap();
    assert_eq!(relay.heard("DATA"), 1);
    sender.deliver_due(service.now + Duration::from_secs(3600)).await.unwrap();
    assert_eq!(relay.heard("DATA"), 1, "a mail went out twice");
}

async fn a_mail_that_nobody_needs_any_more_is_forgotten(database: TestDatabase) {
    let service = Service::over(database).await;
    service.ask("somebody@example.org").await;
    assert!(service.postbox.mails(service.now + Duration::from_secs(24 * 3600)).await.is_empty());
    assert!(is_empty(&service).await);
}

async fn a_refused_mail_is_not_tried_again(database: TestDatabase) {
    let service = Service::over(database).await;
    let relay = Fake::start(|line| line.starts_with("RCPT").then_some("550 5.1.1 unknown")).await;
    let begun = service.ask("somebody@example.org").await;
    let sender = service.postbox.sender(Transport::Relay(relay_at(relay.port())));
    sender.deliver_due(service.now).await.unwrap();
    assert_eq!(relay.heard("RCPT"), 1);
    assert!(is_empty(&service).await);
    let view = service.enrol.view(begun.id, begun.secret.expose(), service.now).await.unwrap();
    assert_eq!(view.state, State::Waiting, "the page told that there is no such mailbox");
}

async fn an_address_that_the_relay_cannot_carry_fails_its_order(database: TestDatabase) {
    let service = Service::over(database).await;
    let relay = Fake::start(|_| None).await;
    let begun = service.ask("jürgen@example.org").await;
    service.postbox.sender(Transport::Relay(relay_at(relay.port()))).deliver_due(service.now).await.unwrap();
    let view = service.enrol.view(begun.id, begun.secret.expose(), service.now).await.unwrap();
    assert_eq!(view.state, State::Failed);
    assert!(view.failure.unwrap().contains("outside ASCII"));
    assert!(is_empty(&service).await);
}

async fn what_lies_in_the_database_names_nobody(database: TestDatabase) {
    let service = Service::over(database).await;
    let begun = service.ask("somebody@example.org").await;
    let stored = mails::stored_octets(&mut service.database.store.read().await.unwrap()).await.unwrap();
    let (link, code) = read(&service.postbox.newest(service.now).await.mail.text);
    let code = code.grouped();
    for secret in ["somebody", "example.org", &link, &code, &code.replace('-', ""), begun.secret.expose(), "confirm"] {
        let found = stored.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret} lies readable in the database");
    }
}

async fn two_senders_at_once_send_a_mail_once(database: TestDatabase) {
    let service = Service::over(database).await;
    for (network, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        let network = u8::try_from(network).unwrap();
        service.ask_from(&format!("192.0.{network}.1"), &format!("{name}@example.org"), service.now).await.unwrap();
    }
    let senders = [0, 1, 2].map(|_| service.postbox.sender(Transport::Catcher(service.postbox.catcher.clone())));
    let now = service.now;
    let tasks = senders.map(|sender| tokio::spawn(async move { sender.deliver_due(now).await }));
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let mut to: Vec<String> =
        service.postbox.mails(service.now).await.iter().map(|caught| caught.mail.to.clone()).collect();
    to.sort_unstable();
    assert_eq!(to, ["a@example.org", "b@example.org", "c@example.org", "d@example.org"]);
}

async fn is_empty(service: &Service) -> bool {
    let mut conn = service.database.store.read().await.unwrap();
    mails::next_due(&mut conn).await.unwrap().is_none()
}
