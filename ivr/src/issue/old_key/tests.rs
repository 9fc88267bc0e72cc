//! What an old key may do by its signature, and what nobody else may.

use rcgen::KeyPair;
use time::Duration;

use super::*;
use crate::store::test_database::{TestDatabase, on_both_databases};
use crate::verify::fixture::{NUMBER, SOURCE, Service, caller, device, request, sign, spki};
use crate::verify::{Spoken as Heard, Started, State};

on_both_databases!(
    a_key_that_the_old_one_signed_for_before_the_call_never_waits,
    a_key_that_waits_goes_on_when_the_old_one_signs,
    what_is_kept_before_the_call_tells_nothing_and_is_looked_at_afterwards,
    only_the_key_of_the_last_certificate_speaks,
    a_key_that_others_know_speaks_for_nobody,
    a_key_renews_its_certificate_at_the_same_level_and_not_beyond_the_call,
    a_renewal_asked_twice_is_one,
    a_nonce_renews_for_one_key_and_one_wish,
    a_certificate_is_renewed_a_day_after_it_was_issued,
    what_is_suspended_or_renewed_while_a_renewal_is_signed_stays_so,
    a_call_that_is_worth_too_little_by_now_is_not_renewed,
    the_audit_tells_a_renewal_from_a_call,
    who_proved_the_number_withdraws_what_was_renewed,
    a_withdrawal_while_a_renewal_is_signed_publishes_nothing,
    a_withdrawal_finds_what_was_renewed_meanwhile,
    a_pending_key_stands_beside_the_renewed_certificate,
    what_was_revoked_or_superseded_is_not_renewed,
    the_old_key_stops_a_key_that_waits,
    what_stopped_a_key_does_not_stop_it_when_it_is_proved_again,
    the_old_key_takes_the_record_away_and_the_certificate_stays_good,
    a_nonce_is_good_for_its_certificate_and_ten_minutes,
);

const IDENTITY: &str = "tel:+12025550143";

/// What the old key signs for the new key of a verification.
fn consent(key: &KeyPair, started: &Started, csr: &[u8]) -> Signature {
    let about = started.id.to_string();
    sign(key, &Statement { action: Action::Change, about: &about, nonce: None, key: Some(spki(csr)) })
}

impl Service {
    async fn serial(&self, started: &Started) -> Serial {
        Serial::parse(&self.view(started).await.certificate.unwrap().serial).unwrap()
    }

    async fn speak(&self, started: &Started, signature: &Signature) -> Heard {
        let spoken = self.verify.old_key_signed(started.id, started.secret.expose(), signature, self.now).await;
        spoken.unwrap()
    }

    async fn stored(&self, serial: &Serial) -> Stored {
        let mut reader = self.database.store.read().await.unwrap();
        certificates::by_serial(&serial.hex(), self.database.store.columns(), &mut reader).await.unwrap().unwrap()
    }

    /// A statement of this key about its certificate.
    fn says(&self, signer: &KeyPair, serial: &Serial, action: Action, key: Option<[u8; 32]>) -> (String, Signature) {
        let (nonce, _) = self.issue.nonce(serial, self.now);
        let about = serial.hex();
        let signature = sign(signer, &Statement { action, about: &about, nonce: Some(&nonce), key });
        (nonce, signature)
    }

    async fn renewed(&self, signer: &KeyPair, serial: &Serial, csr: &[u8]) -> Result<Certified, OldKeyError> {
        let (nonce, signature) = self.says(signer, serial, Action::Renew, Some(spki(csr)));
        let signed = Signed { serial, nonce: &nonce, signature: &signature };
        self.issue.renew(&signed, csr, true, self.now).await
    }

    async fn stopped(&self, signer: &KeyPair, serial: &Serial, csr: &[u8]) -> Result<(), OldKeyError> {
        let (nonce, signature) = self.says(signer, serial, Action::Veto, Some(spki(csr)));
        self.issue.veto(&Signed { serial, nonce: &nonce, signature: &signature }, spki(csr), self.now).await
    }
}

async fn a_key_that_the_old_one_signed_for_before_the_call_never_waits(database: TestDatabase) {
    let service = Service::over(database).await;
    let (old, csr) = device();
    service.certified(csr).await;
    let csr = request();
    let started = service.try_start(NUMBER, SOURCE, Some(csr.clone())).await.unwrap();
    assert_eq!(service.speak(&started, &consent(&old, &started, &csr)).await, Heard::Kept);
    let heard = service.call(started.code.expose()).await.heard.unwrap();
    service.verify.type_in(started.id, started.secret.expose(), &heard, service.now).await.unwrap();
    let view = service.view(&started).await;
    assert_eq!(view.state, State::Issued);
    assert!(view.happenings.iter().all(|line| line.what != "held"), "it never waited");
}

async fn a_key_that_waits_goes_on_when_the_old_one_signs(database: TestDatabase) {
    let service = Service::over(database).await;
    let (old, csr) = device();
    service.certified(csr).await;
    let csr = request();
    let started = service.certified(csr.clone()).await;
    assert_eq!(service.view(&started).await.state, State::Held);
    let (stranger, _) = device();
    for wrong in [consent(&stranger, &started, &csr), consent(&old, &started, &request())] {
        assert_eq!(service.speak(&started, &wrong).await, Heard::NotSigned);
        assert_eq!(service.view(&started).await.state, State::Held);
    }
    assert_eq!(service.speak(&started, &consent(&old, &started, &csr)).await, Heard::Released);
    assert_eq!(service.view(&started).await.state, State::Issued);
    let again = service.speak(&started, &consent(&old, &started, &csr)).await;
    assert_eq!(again, Heard::TooLate(State::Issued));
    service.publish().await;
    let dht_client::Status::Valid(entry) = service.lookup(IDENTITY).await.unwrap().0.status else {
        panic!("no record")
    };
    assert_eq!(entry.pending, None);
}

/// Whoever starts a verification for a foreign number learns nothing about the keys that it had.
async fn what_is_kept_before_the_call_tells_nothing_and_is_looked_at_afterwards(database: TestDatabase) {
    let service = Service::over(database).await;
    let csr = request();
    let (stranger, _) = device();
    let unknown = service.try_start("+12025550144", SOURCE, Some(csr.clone())).await.unwrap();
    assert_eq!(service.speak(&unknown, &consent(&stranger, &unknown, &csr)).await, Heard::Kept);
    service.certified(request()).await;
    let known = service.try_start(NUMBER, SOURCE, Some(csr.clone())).await.unwrap();
    assert_eq!(service.speak(&known, &consent(&stranger, &known, &csr)).await, Heard::Kept);
    let heard = service.call(known.code.expose()).await.heard.unwrap();
    service.verify.type_in(known.id, known.secret.expose(), &heard, service.now).await.unwrap();
    assert_eq!(service.view(&known).await.state, State::Held);
}

/// A thief's key that the owner replaced does not shorten the thief's next try, nor the owner's lost key anything.
async fn only_the_key_of_the_last_certificate_speaks(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (first, csr) = device();
    let early = service.certified(csr).await;
    let (_, csr) = device();
    service.succeeded(csr).await;
    let csr = request();
    let third = service.certified(csr.clone()).await;
    assert_eq!(service.speak(&third, &consent(&first, &third, &csr)).await, Heard::NotSigned);
    let serial = service.serial(&early).await;
    let stopped = service.stopped(&first, &serial, &csr).await;
    assert!(matches!(stopped, Err(OldKeyError::NotNow(_))), "{stopped:?}");
    let renewed = service.renewed(&first, &serial, &request()).await;
    assert!(matches!(renewed, Err(OldKeyError::NotNow(_))), "{renewed:?}");
}

async fn a_key_that_others_know_speaks_for_nobody(database: TestDatabase) {
    let service = Service::over(database).await;
    let (old, csr) = device();
    let first = service.certified(csr).await;
    let serial = service.serial(&first).await;
    service.issue.revoke(&serial, ca::Reason::KeyCompromise, "owner", service.now).await.unwrap();
    let csr = request();
    let second = service.certified(csr.clone()).await;
    assert_eq!(service.speak(&second, &consent(&old, &second, &csr)).await, Heard::NotSigned);
    let stopped = service.stopped(&old, &serial, &csr).await;
    assert!(matches!(stopped, Err(OldKeyError::NotNow(_))), "{stopped:?}");
}

async fn a_key_renews_its_certificate_at_the_same_level_and_not_beyond_the_call(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let called_at = service.now;
    let (mut signer, csr) = device();
    let first = service.certified(csr).await;
    let mut serial = service.serial(&first).await;
    for day in [20, 44] {
        service.now = called_at + Duration::days(day);
        let (next, csr) = device();
        let renewed = service.renewed(&signer, &serial, &csr).await.unwrap();
        assert_eq!(renewed.level, ivr_core::caller::Level::L2);
        assert!(renewed.not_after <= called_at + Duration::days(45), "{renewed:?}");
        assert_eq!(renewed.spki_sha256, spki(&csr));
        assert!(service.issue.certificate(&serial).await.unwrap().revoked.is_some(), "one is in force");
        (signer, serial) = (next, Serial::parse(&renewed.serial).unwrap());
    }
    service.now = called_at + Duration::days(45);
    let late = service.renewed(&signer, &serial, &request()).await;
    assert!(matches!(late, Err(OldKeyError::NotNow(_))), "{late:?}");
    assert_eq!(service.database.store.first_audit_break().await.unwrap(), None);
}

async fn a_renewal_asked_twice_is_one(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (old, csr) = device();
    let serial = service.serial(&service.certified(csr).await).await;
    service.now += Duration::days(1);
    let csr = request();
    let (nonce, signature) = service.says(&old, &serial, Action::Renew, Some(spki(&csr)));
    let signed = Signed { serial: &serial, nonce: &nonce, signature: &signature };
    let once = service.issue.renew(&signed, &csr, true, service.now).await.unwrap();
    let twice = service.issue.renew(&signed, &csr, true, service.now).await.unwrap();
    assert_eq!(once.serial, twice.serial);
    assert_eq!(service.all().await.len(), 2);
}

/// A nonce and what the key signed over it are asked with again, but with something else beside them.
async fn a_nonce_renews_for_one_key_and_one_wish(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (old, csr) = device();
    let serial = service.serial(&service.certified(csr).await).await;
    service.now += Duration::days(1);
    let csr = request();
    let (nonce, signature) = service.says(&old, &serial, Action::Renew, Some(spki(&csr)));
    let signed = Signed { serial: &serial, nonce: &nonce, signature: &signature };
    service.issue.renew(&signed, &csr, true, service.now).await.unwrap();
    let hidden = service.issue.renew(&signed, &csr, false, service.now).await;
    assert!(matches!(hidden, Err(OldKeyError::NotNow(_))), "{hidden:?}");
    let other = request();
    let about = serial.hex();
    let statement = Statement { action: Action::Renew, about: &about, nonce: Some(&nonce), key: Some(spki(&other)) };
    let signature = sign(&old, &statement);
    let signed = Signed { serial: &serial, nonce: &nonce, signature: &signature };
    let other = service.issue.renew(&signed, &other, true, service.now).await;
    assert!(matches!(other, Err(OldKeyError::NotNow(_))), "{other:?}");
}

async fn a_certificate_is_renewed_a_day_after_it_was_issued(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (key, csr) = device();
    let mut serial = service.serial(&service.certified(csr.clone()).await).await;
    for _ in 0..2 {
        let issued_at = service.issue.certificate(&serial).await.unwrap().issued_at;
        service.now += Duration::hours(23);
        let early = service.renewed(&key, &serial, &csr).await;
        assert!(matches!(early, Err(OldKeyError::TooSoon(from)) if from == issued_at + RENEWABLE), "{early:?}");
        service.now += Duration::hours(1);
        serial = Serial::parse(&service.renewed(&key, &serial, &csr).await.unwrap().serial).unwrap();
    }
    assert_eq!(service.all().await.len(), 3);
}

async fn what_is_suspended_or_renewed_while_a_renewal_is_signed_stays_so(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (key, csr) = device();
    let started = service.certified(csr.clone()).await;
    let serial = service.serial(&started).await;
    service.now += Duration::days(1);
    let stored = service.stored(&serial).await;
    let wish = async || {
        let (nonce, signature) = service.says(&key, &serial, Action::Renew, Some(spki(&csr)));
        let signed = Signed { serial: &serial, nonce: &nonce, signature: &signature };
        let asked = (Cause::Renewal(nonce.clone()), Request::parse(&csr).unwrap(), true);
        wanted(service.parts(), &signed, &stored, asked, service.now).await.unwrap()
    };
    let (slow, slower) = (wish().await, wish().await);
    let signed = service.sign(service.intend(&slow).await).await;
    assert!(service.issue.suspend(&caller(NUMBER), service.now).await.unwrap());
    let late = wish::conclude(service.parts(), &slow, &signed, service.now).await;
    assert!(matches!(late, Err(IssueError::Store(StoreError::Busy))), "{late:?}");
    assert_eq!(service.all().await.len(), 1);
    assert!(service.certificate(&started).await.suspended.is_some());

    assert!(crate::issue::suspending::lift(service.parts(), &serial.hex(), service.now, service.now).await.unwrap());
    let signed = service.sign(service.intend(&slower).await).await;
    service.renewed(&key, &serial, &csr).await.unwrap();
    let late = wish::conclude(service.parts(), &slower, &signed, service.now).await;
    assert!(matches!(late, Err(IssueError::Store(StoreError::Busy))), "{late:?}");
    assert_eq!(service.all().await.len(), 2);
}

async fn a_call_that_is_worth_too_little_by_now_is_not_renewed(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (key, csr) = device();
    let serial = service.serial(&service.certified(csr.clone()).await).await;
    service.now += Duration::days(1);
    let issue_from = ivr_core::caller::Level::L3.into();
    service.issue = crate::issue::Issue::new(IssueParts { issue_from, ..service.parts().clone() });
    let renewed = service.renewed(&key, &serial, &csr).await;
    assert!(matches!(renewed, Err(OldKeyError::NotNow(why)) if why.contains("proved less")));
}

async fn the_audit_tells_a_renewal_from_a_call(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (key, csr) = device();
    let serial = service.serial(&service.certified(csr.clone()).await).await;
    service.now += Duration::days(1);
    service.renewed(&key, &serial, &csr).await.unwrap();
    let contents = service.database.contents(&["audit"]).await;
    let of = |column: &str| -> Vec<String> {
        let values = contents.iter().filter(|(name, _)| name == column);
        values.map(|(_, value)| String::from_utf8(value.clone()).unwrap()).collect()
    };
    assert_eq!(of("audit.action"), ["issue", "renew", "supersede", "issue"]);
    assert_eq!((&of("audit.actor")[1], &of("audit.subject")[1]), (&"old key".to_owned(), &serial.hex()));
    assert_eq!(service.database.store.first_audit_break().await.unwrap(), None);
}

/// The consent was given with the call, and is withdrawn by whoever made it.
async fn who_proved_the_number_withdraws_what_was_renewed(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (key, csr) = device();
    let started = service.certified(csr.clone()).await;
    let serial = service.serial(&started).await;
    service.now += Duration::days(1);
    let renewed = service.renewed(&key, &serial, &csr).await.unwrap();
    let withdraw = || service.verify.withdraw(started.id, started.secret.expose(), service.now);
    assert!(withdraw().await.unwrap());
    service.publish().await;
    assert_eq!(service.lookup(IDENTITY).await.unwrap().0.status, dht_client::Status::Revoked);
    let renewed = service.issue.certificate(&Serial::parse(&renewed.serial).unwrap()).await.unwrap();
    assert!(renewed.revoked.is_none());
    assert!(!withdraw().await.unwrap());
    // Another call is another consent.
    service.certified(csr).await;
    assert!(!withdraw().await.unwrap());
}

/// The renewal is to be published, and was asked for before the owner withdrew the consent.
async fn a_withdrawal_while_a_renewal_is_signed_publishes_nothing(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (key, csr) = device();
    let started = service.certified(csr.clone()).await;
    let serial = service.serial(&started).await;
    service.now += Duration::days(1);
    let stored = service.stored(&serial).await;
    let (nonce, signature) = service.says(&key, &serial, Action::Renew, Some(spki(&csr)));
    let signed = Signed { serial: &serial, nonce: &nonce, signature: &signature };
    let asked = (Cause::Renewal(nonce.clone()), Request::parse(&csr).unwrap(), true);
    let slow = wanted(service.parts(), &signed, &stored, asked, service.now).await.unwrap();
    let slow_signed = service.sign(service.intend(&slow).await).await;

    service.now += Duration::seconds(5);
    assert!(service.verify.withdraw(started.id, started.secret.expose(), service.now).await.unwrap());
    let late = wish::conclude(service.parts(), &slow, &slow_signed, service.now).await;
    assert!(matches!(late, Err(IssueError::Store(StoreError::Busy))), "{late:?}");
    wish::void(service.parts(), &slow_signed.serial_hex(), Issuing::Tel, service.now).await.unwrap();
    let again = service.issue.renew(&signed, &csr, true, service.now).await;
    assert!(matches!(again, Err(OldKeyError::NotNow(why)) if why.contains("withdrawn")), "{again:?}");
    service.publish().await;
    assert_eq!(service.lookup(IDENTITY).await.unwrap().0.status, dht_client::Status::Revoked);

    // Unpublished it is renewed; and a nonce that was given since is another consent.
    let hidden = service.issue.renew(&signed, &csr, false, service.now).await.unwrap();
    assert!(hidden.record.is_none());
    service.now += Duration::days(1);
    service.renewed(&key, &Serial::parse(&hidden.serial).unwrap(), &csr).await.unwrap();
    service.publish().await;
    assert!(matches!(service.lookup(IDENTITY).await.unwrap().0.status, dht_client::Status::Valid(_)));
}

/// Both at once, again and again: whichever is first, nothing is found afterwards.
async fn a_withdrawal_finds_what_was_renewed_meanwhile(database: TestDatabase) {
    let mut service = Service::over(database).await;
    for _ in 0..8 {
        let (key, csr) = device();
        let started = service.certified(csr.clone()).await;
        let serial = service.serial(&started).await;
        service.now += Duration::days(1);
        let (renewed, withdrawn) = tokio::join!(
            service.renewed(&key, &serial, &csr),
            service.verify.withdraw(started.id, started.secret.expose(), service.now)
        );
        assert!(withdrawn.unwrap(), "{renewed:?}");
        service.publish().await;
        assert_eq!(service.lookup(IDENTITY).await.unwrap().0.status, dht_client::Status::Revoked, "{renewed:?}");
        service.now += Duration::days(46);
    }
}

async fn a_pending_key_stands_beside_the_renewed_certificate(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (old, csr) = device();
    let serial = service.serial(&service.certified(csr.clone()).await).await;
    service.now += Duration::days(1);
    let waiting = service.certified(request()).await;
    let renewed = service.renewed(&old, &serial, &csr).await.unwrap();
    assert_eq!(service.view(&waiting).await.state, State::Held);
    let renewed = service.issue.certificate(&Serial::parse(&renewed.serial).unwrap()).await.unwrap();
    assert!(renewed.pending.is_some());
    assert_eq!(service.issue.certificate(&serial).await.unwrap().pending, None);
}

async fn what_was_revoked_or_superseded_is_not_renewed(database: TestDatabase) {
    let service = Service::over(database).await;
    let (old, csr) = device();
    let serial = service.serial(&service.certified(csr).await).await;
    service.issue.revoke(&serial, ca::Reason::CessationOfOperation, "owner", service.now).await.unwrap();
    let renewed = service.renewed(&old, &serial, &request()).await;
    assert!(matches!(renewed, Err(OldKeyError::NotNow(_))), "{renewed:?}");
}

async fn the_old_key_stops_a_key_that_waits(database: TestDatabase) {
    let service = Service::over(database).await;
    let (old, csr) = device();
    let serial = service.serial(&service.certified(csr).await).await;
    let (thief, csr) = device();
    let waiting = service.certified(csr.clone()).await;
    let own = service.stopped(&thief, &serial, &csr).await;
    assert!(matches!(own, Err(OldKeyError::NotSigned)), "{own:?}");
    let other = service.stopped(&old, &serial, &request()).await;
    assert!(matches!(other, Err(OldKeyError::NotNow(_))), "{other:?}");
    service.stopped(&old, &serial, &csr).await.unwrap();
    let view = service.view(&waiting).await;
    assert_eq!(view.state, State::Failed);
    assert!(view.failure.unwrap().contains("stopped"));
    assert_eq!(service.issue.certificate(&serial).await.unwrap().pending, None);
    assert_eq!(service.issue.finish_all(service.now + Duration::days(2)).await.unwrap(), 0);
}

/// The owner found that the key is theirs, and proves it again within the ten minutes of the nonce.
async fn what_stopped_a_key_does_not_stop_it_when_it_is_proved_again(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (old, csr) = device();
    let serial = service.serial(&service.certified(csr).await).await;
    let csr = request();
    service.certified(csr.clone()).await;
    let (nonce, signature) = service.says(&old, &serial, Action::Veto, Some(spki(&csr)));
    let signed = Signed { serial: &serial, nonce: &nonce, signature: &signature };
    service.issue.veto(&signed, spki(&csr), service.now).await.unwrap();
    service.now += Duration::minutes(1);
    let waiting = service.certified(csr.clone()).await;
    let again = service.issue.veto(&signed, spki(&csr), service.now).await;
    assert!(matches!(again, Err(OldKeyError::NotNow(_))), "{again:?}");
    assert_eq!(service.view(&waiting).await.state, State::Held);
    service.stopped(&old, &serial, &csr).await.unwrap();
    assert_eq!(service.view(&waiting).await.state, State::Failed);
}

async fn the_old_key_takes_the_record_away_and_the_certificate_stays_good(database: TestDatabase) {
    let service = Service::over(database).await;
    let (old, csr) = device();
    let serial = service.serial(&service.certified(csr).await).await;
    service.publish().await;
    let withdraw = async || {
        let (nonce, signature) = service.says(&old, &serial, Action::Withdraw, None);
        service
            .issue
            .withdraw_by_key(&Signed { serial: &serial, nonce: &nonce, signature: &signature }, service.now)
            .await
    };
    withdraw().await.unwrap();
    service.publish().await;
    assert_eq!(service.lookup(IDENTITY).await.unwrap().0.status, dht_client::Status::Revoked);
    assert!(service.issue.certificate(&serial).await.unwrap().revoked.is_none());
    assert!(service.serials_listed(Issuing::Tel).await.is_empty());
    let again = withdraw().await;
    assert!(matches!(again, Err(OldKeyError::NotNow(_))), "{again:?}");
}

async fn a_nonce_is_good_for_its_certificate_and_ten_minutes(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (serial, other) = (Serial::from_random([7; 20]), Serial::from_random([8; 20]));
    let (nonce, ends) = service.issue.nonce(&serial, service.now);
    assert_eq!(ends, service.now + NONCE_LIFE);
    let is_good = |serial: &Serial, nonce: &str, at| is_ours(service.parts(), serial.as_bytes(), nonce, at);
    assert!(is_good(&serial, &nonce, service.now));
    assert!(!is_good(&serial, &nonce, ends) && !is_good(&other, &nonce, service.now));
    for at in 0..nonce.len() {
        let mut changed = nonce.clone();
        changed.replace_range(at..=at, if nonce.as_bytes()[at] == b'0' { "1" } else { "0" });
        assert!(!is_good(&serial, &changed, service.now), "{at}");
    }
    for bad in ["", "00", &nonce.to_ascii_uppercase(), &format!("{nonce}0"), &"é".repeat(40)] {
        assert!(!is_good(&serial, bad, service.now) || bad == nonce, "{bad}");
    }
    // After a restart, and on another node, it is good as well.
    service = service.restarted().await;
    assert!(is_ours(service.parts(), serial.as_bytes(), &nonce, service.now));
}
