//! What a power cut, another node or a locked database leaves behind, and who finishes it.

use ivr_core::call::question::Outcome;

use super::*;
use crate::verify::Typed;

on_both_databases!(
    a_cut_before_the_intent_loses_nothing,
    a_cut_after_the_intent_voids_its_serial_and_issues_another,
    a_cut_after_the_signature_voids_what_was_signed,
    what_was_voided_meanwhile_is_not_stored_however_it_is_signed,
    a_cut_after_the_result_loses_no_record,
    a_start_that_finds_nothing_changes_nothing,
    an_intent_that_nobody_ended_is_voided_once_it_is_stale,
    a_proof_that_is_a_day_old_issues_nothing,
    what_is_proved_and_was_left_behind_is_finished_by_whoever_looks,
    an_issue_whose_intent_is_lost_voids_its_serial,
);

impl Service {
    /// What would be issued for a verification, whatever its state.
    async fn wish_of_another_time(&self, started: &Started) -> wish::Wish {
        wish::Wish {
            cause: Cause::Verification(started.id),
            subject: Subject::tel(NUMBER).unwrap(),
            request: Request::parse(&request()).unwrap(),
            assurance: ca::Assurance::ReadBack(ca::Level::L2),
            level: Level::L2,
            consent: wish::Consent::Missing,
            publish: true,
            shown: None,
            proof: None,
            proof_ends: None,
        }
    }
}

fn recovered(voided: u64, reissued: u64) -> Recovered {
    Recovered { voided, reissued }
}

/// After a crash and a start: the verification has its certificate, and there is one.
async fn is_whole(service: &Service, started: &Started) {
    let view = service.view(started).await;
    assert_eq!((view.state, view.failure), (State::Issued, None));
    let all = service.all().await;
    assert_eq!(all.len(), 1, "nothing is issued twice");
    assert_eq!(view.certificate.unwrap().serial, all[0].serial);
    assert_eq!(service.open_intents().await, 0);
    assert_eq!(service.database.store.first_audit_break().await.unwrap(), None);
    service.publish().await;
    let (record, _) = service.lookup("tel:+12025550143").await.expect("the record is published");
    assert!(matches!(record.status, dht_client::Status::Valid(_)));
}

async fn a_cut_before_the_intent_loses_nothing(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.claimed().await;
    let service = service.restarted().await;
    assert_eq!(service.issue.recover(service.now).await.unwrap(), recovered(0, 1));
    is_whole(&service, &started).await;
    assert_eq!(service.serials_listed(Issuing::Tel).await.len(), 0);
}

async fn a_cut_after_the_intent_voids_its_serial_and_issues_another(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.claimed().await;
    let wish = service.wish(&started).await;
    let serial = service.intend(&wish).await.serial().hex();
    let service = service.restarted().await;
    assert_eq!(service.issue.recover(service.now).await.unwrap(), recovered(1, 1));
    is_whole(&service, &started).await;
    assert_ne!(service.all().await[0].serial, serial);
    let (_, listed) = service.listed(Issuing::Tel).await;
    assert_eq!(listed.iter().map(|entry| entry.serial.hex()).collect::<Vec<_>>(), [serial]);
    assert_eq!(listed[0].reason, Reason::CessationOfOperation);
}

async fn a_cut_after_the_signature_voids_what_was_signed(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.claimed().await;
    let wish = service.wish(&started).await;
    let prepared = service.intend(&wish).await;
    let signed = service.sign(prepared).await;
    let service = service.restarted().await;
    assert_eq!(service.issue.recover(service.now).await.unwrap(), recovered(1, 1));
    is_whole(&service, &started).await;
    assert_eq!(service.serials_listed(Issuing::Tel).await, [signed.serial_hex()]);
}

/// The other node of two: it signs while this one starts up and voids.
async fn what_was_voided_meanwhile_is_not_stored_however_it_is_signed(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.claimed().await;
    let wish = service.wish(&started).await;
    let prepared = service.intend(&wish).await;
    let signed = service.sign(prepared).await;
    assert!(wish::void(service.parts(), &signed.serial_hex(), Issuing::Tel, service.now).await.unwrap());
    let late = wish::conclude(service.parts(), &wish, &signed, service.now).await;
    assert!(matches!(late, Err(IssueError::Store(StoreError::Busy))), "{late:?}");
    assert_eq!(service.issue.recover(service.now).await.unwrap(), recovered(0, 1));
    let late = wish::conclude(service.parts(), &wish, &signed, service.now).await;
    assert!(matches!(late, Err(IssueError::Store(StoreError::Busy))), "{late:?}");
    is_whole(&service, &started).await;
}

async fn a_cut_after_the_result_loses_no_record(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.certified(request()).await;
    assert!(service.lookup("tel:+12025550143").await.is_none(), "nothing published it yet");
    let service = service.restarted().await;
    assert_eq!(service.issue.recover(service.now).await.unwrap(), recovered(0, 0));
    is_whole(&service, &started).await;
    assert!(service.view(&started).await.certificate.unwrap().record.unwrap().published);
}

async fn a_start_that_finds_nothing_changes_nothing(database: TestDatabase) {
    let service = Service::over(database).await;
    let waiting = service.start().await;
    for _ in 0..2 {
        assert_eq!(service.issue.recover(service.now).await.unwrap(), recovered(0, 0));
    }
    assert_eq!(service.view(&waiting).await.state, State::Waiting);
}

/// A try that could not say how it ended left its intent: it is voided once it is stale, and another serial is issued.
async fn an_intent_that_nobody_ended_is_voided_once_it_is_stale(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (started, heard) = service.proved().await;
    let earlier = service.wish_of_another_time(&started).await;
    let a_minute_ago = service.now - Duration::minutes(1);
    let lost = wish::intend(service.parts(), &earlier, a_minute_ago).await.unwrap().serial().hex();
    let typed = service.verify.type_in(started.id, started.secret.expose(), &heard, service.now).await.unwrap();
    assert_eq!(typed, Typed::Right);
    // It took a second try.
    service.now += Duration::seconds(5);
    is_whole(&service, &started).await;
    assert_eq!(service.serials_listed(Issuing::Tel).await, [lost]);
}

/// The node that took the digits died, and this one goes on.
async fn what_is_proved_and_was_left_behind_is_finished_by_whoever_looks(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.claimed().await;
    assert_eq!(service.issue.finish_all(service.now).await.unwrap(), 1);
    is_whole(&service, &started).await;
    assert_eq!(service.issue.finish_all(service.now).await.unwrap(), 0);
}

async fn a_proof_that_is_a_day_old_issues_nothing(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let started = service.claimed().await;
    service.now += Duration::hours(25);
    let service = service.restarted().await;
    assert_eq!(service.issue.recover(service.now).await.unwrap(), recovered(0, 0));
    let view = service.view(&started).await;
    assert_eq!(view.state, State::Failed);
    assert!(view.failure.unwrap().contains("Begin again"));
    assert!(service.all().await.is_empty());
}

/// The verification ended between intent and result: what was signed for it is on the list, and nothing is stored.
async fn an_issue_whose_intent_is_lost_voids_its_serial(database: TestDatabase) {
    let service = Service::over(database).await;
    let (started, _) = service.proved().await;
    // It was never claimed, so no result may be stored for it.
    let wish = service.wish_of_another_time(&started).await;
    let refused = wish::issue(service.parts(), &wish, service.now).await;
    assert!(matches!(refused, Err(IssueError::Store(StoreError::Busy))), "{refused:?}");
    assert!(service.all().await.is_empty());
    assert_eq!((service.open_intents().await, service.serials_listed(Issuing::Tel).await.len()), (0, 1));
    assert_eq!(service.view(&started).await.state, State::ReadBack);
}

/// The database is locked while a proof waits to be issued: it is issued when the lock is gone.
#[tokio::test]
async fn what_is_proved_is_issued_when_the_database_is_free_again() {
    let service = Service::over(TestDatabase::sqlite().await).await;
    let started = service.claimed().await;
    let holder = service.database.store.begin().await.unwrap();
    let (issue, now) = (service.issue.clone(), service.now);
    let finishing = tokio::spawn(async move { issue.finish_patiently(started.id, now).await });
    // The first try gives up after the store's patience; this one waits as long for the same lock.
    let waited = service.database.store.begin().await;
    assert!(matches!(waited, Err(StoreError::Busy)));
    assert!(!finishing.is_finished());
    drop(holder);
    assert_eq!(finishing.await.unwrap(), Outcome::Issued);
    assert_eq!(service.all().await.len(), 1);
}
