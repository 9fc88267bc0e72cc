//! Which key has the number: the newest, and never one that others know.

use ivr_core::call::question::Outcome;

use super::*;
use crate::verify::StartError;

on_both_databases!(
    the_same_key_supersedes_at_once,
    two_verifications_of_one_number_finished_at_once_leave_one_certificate,
    a_compromised_key_is_never_certified_again,
    a_key_reported_late_is_blocked_and_its_other_certificates_go_too,
    a_mailbox_that_reports_its_key_ends_its_own_certificate_only,
    a_key_that_becomes_known_while_it_is_signed_for_gets_nothing,
);

async fn the_same_key_supersedes_at_once(database: TestDatabase) {
    let service = Service::over(database).await;
    let csr = request();
    let first = service.certified(csr.clone()).await;
    service.publish().await;
    let (_, item) = service.lookup("tel:+12025550143").await.unwrap();
    let second = service.certified(csr).await;

    let old = service.view(&first).await.certificate.unwrap();
    let new = service.view(&second).await.certificate.unwrap();
    assert_eq!(old.revoked.map(|(_, reason)| reason), Some(Reason::Superseded));
    assert!(old.record.is_none() && new.revoked.is_none());
    assert_eq!(service.serials_listed(Issuing::Tel).await, std::slice::from_ref(&old.serial));
    let serial = Serial::parse(&old.serial).unwrap();
    let again = service.issue.revoke(&serial, Reason::Unspecified, "operator", service.now).await;
    assert!(matches!(again, Err(IssueError::AlreadyRevoked)), "{again:?}");

    service.publish().await;
    let (record, replaced) = service.lookup("tel:+12025550143").await.unwrap();
    assert!(replaced.seq() > item.seq());
    let dht_client::Status::Valid(entry) = record.status else { panic!("{record:?}") };
    assert_eq!(entry.certificate, der_of(&new));
}

async fn two_verifications_of_one_number_finished_at_once_leave_one_certificate(database: TestDatabase) {
    let service = Service::over(database).await;
    let csr = request();
    let mut claimed = Vec::new();
    for _ in 0..3 {
        claimed.push(service.claimed_by(csr.clone()).await.id);
    }
    let finished = claimed.iter().map(|id| service.issue.finish_patiently(*id, service.now));
    let outcomes = futures_util::future::join_all(finished).await;
    assert_eq!(outcomes, [Outcome::Issued; 3]);
    let all = service.all().await;
    assert_eq!(all.len(), 3);
    assert_eq!(all.iter().filter(|certificate| certificate.revoked.is_none()).count(), 1);
    assert_eq!(service.serials_listed(Issuing::Tel).await.len(), 2);
    assert_eq!(service.database.store.first_audit_break().await.unwrap(), None);
}

async fn a_compromised_key_is_never_certified_again(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let csr = request();
    let first = service.certified(csr.clone()).await;
    let waiting = service.try_start(NUMBER, SOURCE, Some(csr.clone())).await.unwrap();
    let serial = Serial::parse(&service.view(&first).await.certificate.unwrap().serial).unwrap();
    service.issue.revoke(&serial, Reason::KeyCompromise, "owner", service.now).await.unwrap();

    let refused = service.try_start(NUMBER, SOURCE, Some(csr)).await;
    assert!(matches!(refused, Err(StartError::BlockedKey)), "{refused:?}");
    // One that began before fails with a sentence for its page, and its caller hears it.
    let heard = service.call(waiting.code.expose()).await.heard.unwrap();
    service.verify.type_in(waiting.id, waiting.secret.expose(), &heard, service.now).await.unwrap();
    let view = service.view(&waiting).await;
    assert_eq!(view.state, State::Failed);
    assert!(view.failure.unwrap().contains("compromised"));
    assert_eq!(service.outcomes.recv().await, Some((first.id, Outcome::Issued)));
    assert_eq!(service.outcomes.recv().await, Some((waiting.id, Outcome::Failed)));
}

/// The owner of a superseded certificate reports its key: the certificate cannot be revoked again, and the key is blocked
/// all the same, with everything else that it has.
async fn a_key_reported_late_is_blocked_and_its_other_certificates_go_too(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let csr = request();
    let first = service.certified(csr.clone()).await;
    let address = Address::parse("someone@example.org").unwrap();
    let stolen = Request::parse(&csr).unwrap();
    let order = EmailOrder { id: "a", address: &address, request: &stolen, publish: true };
    let mailbox = service.issue.issue_email(&order, service.now).await.unwrap();
    let second = service.succeeded(request()).await;

    let superseded = Serial::parse(&service.view(&first).await.certificate.unwrap().serial).unwrap();
    let again = service.issue.revoke(&superseded, Reason::KeyCompromise, "owner", service.now).await;
    assert!(matches!(again, Err(IssueError::AlreadyRevoked)), "{again:?}");
    let refused = service.try_start(NUMBER, SOURCE, Some(csr)).await;
    assert!(matches!(refused, Err(StartError::BlockedKey)), "{refused:?}");
    let mailbox = service.issue.certificate(&Serial::parse(&mailbox.serial).unwrap()).await.unwrap();
    assert_eq!(mailbox.revoked.map(|(_, reason)| reason), Some(Reason::KeyCompromise));
    assert!(service.view(&second).await.certificate.unwrap().revoked.is_none(), "another key is untouched");
}

/// Whoever reads a mailbox, its provider for one, does not end what a telephone proved.
async fn a_mailbox_that_reports_its_key_ends_its_own_certificate_only(database: TestDatabase) {
    let service = Service::over(database).await;
    let csr = request();
    let number = service.certified(csr.clone()).await;
    let address = Address::parse("someone@example.org").unwrap();
    let key = Request::parse(&csr).unwrap();
    let order = EmailOrder { id: "a", address: &address, request: &key, publish: true };
    let mailbox = Serial::parse(&service.issue.issue_email(&order, service.now).await.unwrap().serial).unwrap();

    service.issue.revoke_alone(&mailbox, Reason::KeyCompromise, "mailbox", service.now).await.unwrap();
    assert!(service.issue.certificate(&mailbox).await.unwrap().revoked.is_some());
    assert!(service.view(&number).await.certificate.unwrap().revoked.is_none());
    let refused = service.try_start(NUMBER, SOURCE, Some(csr)).await;
    assert!(matches!(refused, Err(StartError::BlockedKey)), "{refused:?}");
}

async fn a_key_that_becomes_known_while_it_is_signed_for_gets_nothing(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.claimed().await;
    let wish = service.wish(&started).await;
    let prepared = service.intend(&wish).await;
    let issued = service.sign(prepared).await;
    let mut writer = service.database.store.begin().await.unwrap();
    revocations::block_key(&issued.spki_sha256, service.now, &mut writer).await.unwrap();
    writer.commit().await.unwrap();
    let concluded = wish::conclude(service.parts(), &wish, &issued, service.now).await;
    assert!(matches!(concluded, Err(IssueError::Refused(_))), "{concluded:?}");
    assert!(service.all().await.is_empty());
}
