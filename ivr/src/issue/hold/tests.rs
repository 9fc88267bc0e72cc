//! A number whose key changes: held, shown, replaced, issued, and a power cut between any two steps.

use ca::Issuing;
use dht_client::Status;
use ivr_core::call::question::Outcome;
use ivr_core::proof::Binding;
use time::Duration;

use super::*;
use crate::issue::{Certified, wish};
use crate::store::test_database::{TestDatabase, on_both_databases};
use crate::verify::fixture::{HOLD, NUMBER, SOURCE, Service, request, spki};
use crate::verify::{Started, State};

on_both_databases!(
    another_key_waits_beside_the_valid_record_and_then_follows_it,
    a_key_that_was_revoked_or_has_expired_holds_others_back_as_well,
    after_forty_five_days_nobody_waits,
    of_two_keys_that_wait_the_later_stays_and_waits_its_whole_time,
    a_key_that_a_weaker_call_proved_does_not_push_out_one_that_waits,
    a_key_that_comes_to_stand_in_the_way_while_it_is_signed_for_holds_it_back,
    who_gives_up_is_not_shown_any_more,
    a_cut_while_a_key_waits_loses_nothing,
    a_cut_after_the_release_issues_at_the_next_start,
    a_cut_after_the_intent_of_a_released_key_issues_once,
    what_waited_too_long_for_the_service_has_to_begin_again,
    what_waited_is_measured_by_what_is_asked_for_when_it_is_released,
    a_refusal_after_the_wait_takes_the_pending_key_away,
    a_signed_result_certifies_no_key_and_waits_for_none,
    a_mailbox_changes_its_key_at_once,
);

const IDENTITY: &str = "tel:+12025550143";

impl Service {
    pub(in crate::issue) async fn certificate(&self, started: &Started) -> Certified {
        self.view(started).await.certificate.unwrap()
    }

    /// What the directory says beside the valid certificate of [`NUMBER`].
    async fn shown_pending(&self) -> Option<dht_client::Pending> {
        self.publish().await;
        match self.lookup(IDENTITY).await.unwrap().0.status {
            Status::Valid(entry) => entry.pending,
            other => panic!("{other:?}"),
        }
    }

    async fn last_audit(&self) -> Vec<String> {
        let contents = self.database.contents(&["audit"]).await;
        let words = contents.into_iter().filter(|(name, _)| name == "audit.action");
        words.map(|(_, value)| String::from_utf8(value).unwrap()).collect()
    }
}

/// In milliseconds, as the database keeps times.
fn stored(at: OffsetDateTime) -> OffsetDateTime {
    crate::store::time_of(crate::store::millis(at)).unwrap()
}

async fn another_key_waits_beside_the_valid_record_and_then_follows_it(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let first = service.certified(request()).await;
    assert_eq!(service.shown_pending().await, None);
    let csr = request();
    let second = service.certified(csr.clone()).await;

    // The caller, the page, the owner of the first, the directory and the audit hear of it.
    assert_eq!(service.outcomes.recv().await, Some((first.id, Outcome::Issued)));
    assert_eq!(service.outcomes.recv().await, Some((second.id, Outcome::Held)));
    let waiting = service.view(&second).await;
    let until = stored(service.now + HOLD);
    assert_eq!((waiting.state, waiting.held_until), (State::Held, Some(until)));
    assert!(waiting.certificate.is_none());
    let old = service.certificate(&first).await;
    assert!(old.revoked.is_none());
    let pending = old.pending.unwrap();
    assert_eq!((pending.since, pending.until, pending.spki_sha256), (stored(service.now), until, spki(&csr)));
    let shown = service.shown_pending().await.unwrap();
    assert_eq!((shown.since, &shown.key[..]), (service.now.unix_timestamp(), &spki(&csr)[..16]));
    assert_eq!(service.last_audit().await, ["issue", "hold"]);

    // A minute before its time it waits still.
    service.now += HOLD - std::time::Duration::from_secs(60);
    assert_eq!(service.issue.finish_all(service.now).await.unwrap(), 0);
    assert_eq!(service.view(&second).await.state, State::Held);
    service.now += Duration::minutes(1);
    assert_eq!(service.issue.finish_all(service.now).await.unwrap(), 1);
    let issued = service.view(&second).await;
    assert_eq!((issued.state, issued.held_until), (State::Issued, None));
    let states: Vec<&str> = issued.happenings.iter().map(|line| line.what.as_str()).collect();
    assert_eq!(states, ["calling", "read-back", "issuing", "held", "issuing", "issued"]);
    let old = service.certificate(&first).await;
    assert_eq!(old.revoked.map(|(_, reason)| reason), Some(ca::Reason::Superseded));
    assert_eq!(old.pending, None);
    assert_eq!(service.shown_pending().await, None);
    assert_eq!(service.database.store.first_audit_break().await.unwrap(), None);
}

/// Whoever takes a number over gains nothing by taking the old certificate back first.
async fn a_key_that_was_revoked_or_has_expired_holds_others_back_as_well(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let first = service.certified(request()).await;
    let serial = ca::Serial::parse(&service.certificate(&first).await.serial).unwrap();
    service.issue.revoke(&serial, ca::Reason::CessationOfOperation, "owner", service.now).await.unwrap();
    let second = service.certified(request()).await;
    assert_eq!(service.view(&second).await.state, State::Held);
    service.wait().await;
    // The certificate of the second has expired, but 45 days have not passed.
    service.now += Duration::days(40);
    let third = service.certified(request()).await;
    assert_eq!(service.view(&third).await.state, State::Held);
}

async fn after_forty_five_days_nobody_waits(database: TestDatabase) {
    let mut service = Service::over(database).await;
    service.certified(request()).await;
    service.now += Duration::days(45);
    let other = service.certified(request()).await;
    assert_eq!(service.view(&other).await.state, State::Issued);
}

async fn of_two_keys_that_wait_the_later_stays_and_waits_its_whole_time(database: TestDatabase) {
    let mut service = Service::over(database).await;
    service.certified(request()).await;
    let early = service.certified(request()).await;
    service.now += Duration::hours(23);
    let csr = request();
    let late = service.certified(csr.clone()).await;
    let replaced = service.view(&early).await;
    assert_eq!(replaced.state, State::Failed);
    assert!(replaced.failure.unwrap().contains("took its place"));
    assert_eq!(&service.shown_pending().await.unwrap().key[..], &spki(&csr)[..16]);
    service.now += Duration::hours(2);
    assert_eq!(service.issue.finish_all(service.now).await.unwrap(), 0, "the time of the first is not the second's");
    service.now += Duration::hours(22);
    assert_eq!(service.issue.finish_all(service.now).await.unwrap(), 1);
    assert_eq!(service.view(&late).await.state, State::Issued);
}

async fn a_key_that_a_weaker_call_proved_does_not_push_out_one_that_waits(database: TestDatabase) {
    let mut service = Service::over(database).await;
    service.certified(request()).await;
    let strong = service.certified(request()).await;
    for outcome in [Outcome::Issued, Outcome::Held] {
        assert_eq!(service.outcomes.recv().await.unwrap().1, outcome);
    }
    let weak = service.try_start(NUMBER, SOURCE, Some(request())).await.unwrap();
    service.call_from(NUMBER, weak.code.expose(), Binding::CodeOnly).await;
    assert_eq!(service.outcomes.recv().await, Some((weak.id, Outcome::Failed)));
    assert!(service.view(&weak).await.failure.unwrap().contains("worth more"));
    assert_eq!(service.view(&strong).await.state, State::Held);
}

/// Two keys are proved for a number that had none, and finish at once.
async fn a_key_that_comes_to_stand_in_the_way_while_it_is_signed_for_holds_it_back(database: TestDatabase) {
    let service = Service::over(database).await;
    let slow = service.claimed().await;
    let wished = service.wish(&slow).await;
    let prepared = service.intend(&wished).await;
    let signed = service.sign(prepared).await;
    let fast = service.certified(request()).await;
    let late = wish::conclude(service.parts(), &wished, &signed, service.now).await;
    assert!(matches!(late, Err(IssueError::Store(StoreError::Busy))), "{late:?}");
    assert!(wish::void(service.parts(), &signed.serial_hex(), Issuing::Tel, service.now).await.unwrap());
    assert_eq!(service.issue.finish_patiently(slow.id, service.now).await, Outcome::Held);
    assert_eq!(service.all().await.len(), 1);
    assert!(service.certificate(&fast).await.pending.is_some());
}

async fn who_gives_up_is_not_shown_any_more(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let first = service.certified(request()).await;
    let second = service.certified(request()).await;
    assert!(service.shown_pending().await.is_some());
    service.verify.cancel(second.id, second.secret.expose(), service.now).await.unwrap();
    assert_eq!(service.view(&second).await.state, State::Expired);
    assert_eq!(service.certificate(&first).await.pending, None);
    assert_eq!(service.shown_pending().await, None);
    service.now += HOLD;
    assert_eq!(service.issue.finish_all(service.now).await.unwrap(), 0);
}

async fn a_cut_while_a_key_waits_loses_nothing(database: TestDatabase) {
    let service = Service::over(database).await;
    service.certified(request()).await;
    let second = service.certified(request()).await;
    let mut service = service.restarted().await;
    assert_eq!(service.issue.recover(service.now).await.unwrap(), Default::default());
    assert!(service.shown_pending().await.is_some());
    // An hourly purge a day and a half later finds it still there.
    assert_eq!(service.verify.purge(service.now + Duration::hours(40)).await.unwrap(), 0);
    service.now += HOLD;
    let service = service.restarted().await;
    let recovered = service.issue.recover(service.now).await.unwrap();
    assert_eq!((recovered.voided, recovered.reissued), (0, 1));
    assert_eq!(service.view(&second).await.state, State::Issued);
    assert_eq!(service.shown_pending().await, None);
}

async fn a_cut_after_the_release_issues_at_the_next_start(database: TestDatabase) {
    let mut service = Service::over(database).await;
    service.certified(request()).await;
    let second = service.certified(request()).await;
    service.now += HOLD;
    release_ripe(service.parts(), service.now).await.unwrap();
    assert_eq!(service.view(&second).await.state, State::Issuing);
    let service = service.restarted().await;
    let recovered = service.issue.recover(service.now).await.unwrap();
    assert_eq!((recovered.voided, recovered.reissued), (0, 1));
    assert_eq!(service.all().await.len(), 2);
}

async fn a_cut_after_the_intent_of_a_released_key_issues_once(database: TestDatabase) {
    let mut service = Service::over(database).await;
    service.certified(request()).await;
    let second = service.certified(request()).await;
    service.now += HOLD;
    release_ripe(service.parts(), service.now).await.unwrap();
    let wished = service.wish(&second).await;
    assert_eq!(wished.consent, Consent::Waited);
    let prepared = service.intend(&wished).await;
    let signed = service.sign(prepared).await;
    let service = service.restarted().await;
    let recovered = service.issue.recover(service.now).await.unwrap();
    assert_eq!((recovered.voided, recovered.reissued), (1, 1));
    assert_eq!(service.all().await.len(), 2);
    assert!(service.serials_listed(Issuing::Tel).await.contains(&signed.serial_hex()));
    assert_eq!(service.database.store.first_audit_break().await.unwrap(), None);
}

/// The day that a proof may wait for the service begins when its hold is over.
async fn what_waited_too_long_for_the_service_has_to_begin_again(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let first = service.certified(request()).await;
    let second = service.certified(request()).await;
    service.now += HOLD + HOLD + std::time::Duration::from_secs(3600);
    assert_eq!(service.issue.finish_all(service.now).await.unwrap(), 0);
    let view = service.view(&second).await;
    assert_eq!(view.state, State::Failed);
    assert!(view.failure.unwrap().contains("Begin again"));
    assert_eq!(service.certificate(&first).await.pending, None);
}

/// The operator became stricter while a key waited.
async fn what_waited_is_measured_by_what_is_asked_for_when_it_is_released(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let first = service.certified(request()).await;
    let second = service.certified(request()).await;
    assert!(service.shown_pending().await.is_some());
    let issue_from = ivr_core::caller::Level::L3.into();
    service.issue = crate::issue::Issue::new(IssueParts { issue_from, ..service.parts().clone() });
    service.now += HOLD;
    assert_eq!(service.issue.finish_all(service.now).await.unwrap(), 0);
    let view = service.view(&second).await;
    assert_eq!((view.state, view.certificate.is_some()), (State::Failed, false));
    assert!(view.failure.unwrap().contains("asks for more"));
    assert_eq!(service.shown_pending().await, None);
    // What was issued before stays.
    assert!(service.certificate(&first).await.revoked.is_none());
    assert_eq!(service.all().await.len(), 1);
}

async fn a_refusal_after_the_wait_takes_the_pending_key_away(database: TestDatabase) {
    let mut service = Service::over(database).await;
    service.certified(request()).await;
    let csr = request();
    let second = service.certified(csr.clone()).await;
    assert!(service.shown_pending().await.is_some());
    let mut writer = service.database.store.begin().await.unwrap();
    crate::store::revocations::block_key(&spki(&csr), service.now, &mut writer).await.unwrap();
    writer.commit().await.unwrap();
    service.now += HOLD;
    assert_eq!(service.issue.finish_all(service.now).await.unwrap(), 0);
    assert_eq!(service.view(&second).await.state, State::Failed);
    assert_eq!(service.shown_pending().await, None);
}

async fn a_signed_result_certifies_no_key_and_waits_for_none(database: TestDatabase) {
    let service = Service::over(database).await;
    service.certified(request()).await;
    let started = service.try_start(NUMBER, SOURCE, None).await.unwrap();
    let heard = service.call(started.code.expose()).await.heard.unwrap();
    service.verify.type_in(started.id, started.secret.expose(), &heard, service.now).await.unwrap();
    let view = service.view(&started).await;
    assert!(view.state == State::Issued && view.result.is_some());
}

async fn a_mailbox_changes_its_key_at_once(database: TestDatabase) {
    let service = Service::over(database).await;
    let address = ca::email::Address::parse("someone@example.org").unwrap();
    for id in ["a", "b"] {
        let request = ca::Request::parse(&request()).unwrap();
        let order = crate::issue::EmailOrder { id, address: &address, request: &request, publish: true };
        service.issue.issue_email(&order, service.now).await.unwrap();
    }
    assert_eq!(service.all().await.len(), 2);
}
