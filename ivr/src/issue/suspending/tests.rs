//! Press 9: what it suspends and stops, who lifts it, and when it is final.

use std::sync::Arc;

use ca::old_key::{Action, Statement};
use ca::{Issuing, Serial};
use dht_client::Status;
use ivr_core::call::question::{Answer, Question};
use ivr_core::caller::{Attest, Caller, Level};
use ivr_core::passport::{Passport, Report, SignedBy};
use rcgen::KeyPair;
use time::Duration;

use super::*;
use crate::issue::{OldKeyError, Signed};
use crate::store::test_database::{TestDatabase, on_both_databases};
use crate::verify::State;
use crate::verify::fixture::{NUMBER, Service, caller, device, other_than, request, sign};

on_both_databases!(
    a_call_without_a_verification_hears_what_its_number_has,
    nine_suspends_and_the_old_key_lifts_it_at_once,
    a_suspension_is_final_after_a_day,
    a_suspension_of_a_day_is_not_lifted_before_it_is_made_final,
    what_was_lifted_is_not_made_final_by_who_saw_it_suspended,
    nine_works_once_a_day,
    what_lifted_a_suspension_does_not_lift_the_next,
    nine_works_although_the_wrong_codes_of_the_day_are_used_up,
    nine_stops_a_key_that_waits,
    what_a_call_of_a_higher_level_proved_stays,
    a_suspended_certificate_is_superseded_or_revoked_as_any_other,
    a_cut_while_something_is_suspended_loses_nothing,
    a_record_that_was_withdrawn_stays_so_when_a_suspension_is_lifted,
    whose_signature_a_suspension_rests_on_is_kept,
);

const IDENTITY: &str = "tel:+12025550143";

fn at(level: Level) -> Caller {
    Caller { level, ..caller(NUMBER) }
}

impl Service {
    async fn press_nine(&self, level: Level) -> Answer {
        self.verify.answer(Question::Suspend(at(level)), self.now).await
    }

    async fn hears(&self, who: &str) -> Answer {
        let whole = self.verify.answer(Question::Session(caller(who)), self.now).await;
        // The desk asks about many at once, and is told the same.
        let several = self.verify.sessions().answer(&[caller("+12025550199"), caller(who)], self.now).await;
        assert_eq!(several, [Answer::NoSession, whole.clone()]);
        whole
    }

    async fn directory(&self) -> Status {
        self.publish().await;
        self.lookup(IDENTITY).await.unwrap().0.status
    }

    async fn reasons(&self) -> Vec<Reason> {
        self.listed(Issuing::Tel).await.1.iter().map(|entry| entry.reason).collect()
    }

    async fn lifted(&self, key: &KeyPair, serial: &str) -> Result<(), OldKeyError> {
        let (nonce, _) = self.issue.nonce(&Serial::parse(serial).unwrap(), self.now);
        self.lift_with(&nonce, key, serial).await
    }

    async fn lift_with(&self, nonce: &str, key: &KeyPair, serial: &str) -> Result<(), OldKeyError> {
        let statement = Statement { action: Action::Lift, about: serial, nonce: Some(nonce), key: None };
        let (serial, signature) = (Serial::parse(serial).unwrap(), sign(key, &statement));
        self.issue.lift(&Signed { serial: &serial, nonce, signature: &signature }, self.now).await
    }
}

async fn a_call_without_a_verification_hears_what_its_number_has(database: TestDatabase) {
    let mut service = Service::over(database).await;
    assert_eq!(service.hears(NUMBER).await, Answer::NoSession);
    service.certified(request()).await;
    let (year, month, day) = service.now.date().to_calendar_date();
    let last = (u16::try_from(year).unwrap(), month.into(), day);
    let told = |count| Answer::Certified(ivr_core::call::question::Enrolled { count, last });
    assert_eq!(service.hears(NUMBER).await, told(1));
    service.certified(request()).await;
    assert_eq!(service.hears(NUMBER).await, told(2), "a key that waits is told of");
    assert_eq!(service.hears("+12025550144").await, Answer::NoSession);
    // Who has begun a verification proves the number; that comes first. But it may be somebody else's.
    service.start().await;
    assert_eq!(service.hears(NUMBER).await, Answer::Expected);
    let silent = service.verify.answer(Question::Certificates(caller(NUMBER)), service.now).await;
    assert_eq!(silent, told(2));
    let stranger = service.verify.answer(Question::Certificates(caller("+12025550144")), service.now).await;
    assert_eq!(stranger, Answer::NoSession);
    service.now += Duration::days(40);
    service.issue.finish_all(service.now).await.unwrap();
    assert_eq!(service.hears(NUMBER).await, Answer::NoSession, "the certificate has ended");
}

async fn nine_suspends_and_the_old_key_lifts_it_at_once(database: TestDatabase) {
    let service = Service::over(database).await;
    let (key, csr) = device();
    let started = service.certified(csr).await;
    assert_eq!(service.press_nine(Level::L2).await, Answer::Suspended);
    let suspended = service.certificate(&started).await;
    assert!(suspended.suspended.is_some() && suspended.revoked.is_none());
    assert!(matches!(service.directory().await, Status::Suspended(_)));
    assert_eq!(service.reasons().await, [Reason::CertificateHold]);
    // The number is told of it again, and the next day's 9 finds nothing more.
    assert!(matches!(service.hears(NUMBER).await, Answer::Certified(_)));

    let (stranger, _) = device();
    let refused = service.lifted(&stranger, &suspended.serial).await;
    assert!(matches!(refused, Err(OldKeyError::NotSigned)), "{refused:?}");
    service.lifted(&key, &suspended.serial).await.unwrap();
    let lifted = service.certificate(&started).await;
    assert!(lifted.suspended.is_none() && lifted.revoked.is_none());
    assert!(matches!(service.directory().await, Status::Valid(_)));
    assert!(service.reasons().await.is_empty(), "the list does not name it any more");
    let again = service.lifted(&key, &suspended.serial).await;
    assert!(matches!(again, Err(OldKeyError::NotNow(_))), "{again:?}");
    assert_eq!(service.issue.finalise_suspensions(service.now + Duration::days(2)).await.unwrap(), 0);
    assert_eq!(service.database.store.first_audit_break().await.unwrap(), None);
}

async fn whose_signature_a_suspension_rests_on_is_kept(database: TestDatabase) {
    let service = Service::over(database).await;
    let serial = service.certificate(&service.certified(request()).await).await.serial;
    let token = Passport::read(include_str!("../../../core/scenarios/passport/a.identity")).unwrap();
    let signer = SignedBy { spc: Some("709J".to_owned()), certificate: [0xab; 32] };
    let report = Report { signer: Some(signer), ..Report::of(&token, None, Ok(Attest::A)) };
    let caller = Caller { passport: Some(Arc::new(report)), ..at(Level::L3) };
    assert_eq!(service.verify.answer(Question::Suspend(caller), service.now).await, Answer::Suspended);
    let audit = service.database.contents(&["audit"]).await;
    let subjects = audit.iter().filter(|(column, _)| column == "audit.subject");
    let told = format!("{serial}: A by 709J (certificate {})", "ab".repeat(32));
    let signed = subjects.filter(|(_, subject)| String::from_utf8_lossy(subject).starts_with(&told));
    assert_eq!(signed.count(), 1);
}

async fn a_suspension_is_final_after_a_day(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (key, csr) = device();
    let started = service.certified(csr).await;
    service.press_nine(Level::L2).await;
    service.now += Duration::hours(23);
    assert_eq!(service.issue.finalise_suspensions(service.now).await.unwrap(), 0);
    service.now += Duration::hours(1);
    assert_eq!(service.issue.finalise_suspensions(service.now).await.unwrap(), 1);
    let ended = service.certificate(&started).await;
    assert_eq!(ended.revoked.map(|(_, reason)| reason), Some(Reason::CessationOfOperation));
    assert!(ended.suspended.is_none());
    assert_eq!(service.directory().await, Status::Revoked);
    assert_eq!(service.reasons().await, [Reason::CessationOfOperation]);
    let late = service.lifted(&key, &ended.serial).await;
    assert!(matches!(late, Err(OldKeyError::NotNow(_))), "{late:?}");
    assert_eq!(service.hears(NUMBER).await, Answer::NoSession);
}

/// The service was down when the day was over.
async fn a_suspension_of_a_day_is_not_lifted_before_it_is_made_final(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (key, csr) = device();
    let started = service.certified(csr).await;
    service.press_nine(Level::L2).await;
    service.now += Duration::hours(24);
    let late = service.lifted(&key, &service.certificate(&started).await.serial).await;
    assert!(matches!(late, Err(OldKeyError::NotNow(_))), "{late:?}");
    assert_eq!(service.issue.finalise_suspensions(service.now).await.unwrap(), 1);
}

async fn what_was_lifted_is_not_made_final_by_who_saw_it_suspended(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let (key, csr) = device();
    let started = service.certified(csr).await;
    let serial = service.certificate(&started).await.serial;
    service.press_nine(Level::L2).await;
    service.lifted(&key, &serial).await.unwrap();
    assert!(!make_final(service.parts(), &serial, service.now + Duration::days(1)).await.unwrap());
    assert!(service.certificate(&started).await.revoked.is_none());
    // Suspended anew, it has its day again.
    service.now += Duration::days(1);
    assert_eq!(service.press_nine(Level::L2).await, Answer::Suspended);
    assert!(!make_final(service.parts(), &serial, service.now).await.unwrap());
    assert!(service.certificate(&started).await.suspended.is_some());
    assert!(matches!(service.directory().await, Status::Suspended(_)));
}

async fn nine_works_once_a_day(database: TestDatabase) {
    let mut service = Service::over(database).await;
    // Where there is nothing to suspend, nothing is used up.
    assert_eq!(service.press_nine(Level::L2).await, Answer::NotSuspended);
    let (key, csr) = device();
    let started = service.certified(csr).await;
    let presses = (0..5).map(|_| service.press_nine(Level::L2));
    let answers = futures_util::future::join_all(presses).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Answer::Suspended).count(), 1, "{answers:?}");
    let serial = service.certificate(&started).await.serial;
    service.lifted(&key, &serial).await.unwrap();
    assert_eq!(service.press_nine(Level::L2).await, Answer::NotSuspended, "the owner is not annoyed all day");
    service.now += Duration::days(1);
    assert_eq!(service.press_nine(Level::L2).await, Answer::Suspended);
}

/// A number may suspend once on each day: twice within the ten minutes of a nonce, about midnight.
async fn what_lifted_a_suspension_does_not_lift_the_next(database: TestDatabase) {
    let mut service = Service::over(database).await;
    service.now = service.now.replace_time(time::Time::MIDNIGHT) + Duration::days(2) - Duration::minutes(5);
    let (key, csr) = device();
    let started = service.certified(csr).await;
    let serial = service.certificate(&started).await.serial;
    assert_eq!(service.press_nine(Level::L2).await, Answer::Suspended);
    let (nonce, _) = service.issue.nonce(&Serial::parse(&serial).unwrap(), service.now);
    service.lift_with(&nonce, &key, &serial).await.unwrap();
    service.now += Duration::minutes(6);
    assert_eq!(service.press_nine(Level::L2).await, Answer::Suspended);
    let again = service.lift_with(&nonce, &key, &serial).await;
    assert!(matches!(again, Err(OldKeyError::NotNow(_))), "{again:?}");
    assert!(service.certificate(&started).await.suspended.is_some());
    service.lifted(&key, &serial).await.unwrap();
    assert!(service.certificate(&started).await.suspended.is_none());
}

/// Whoever took the number over could use them up, and keep its owner from suspending.
async fn nine_works_although_the_wrong_codes_of_the_day_are_used_up(database: TestDatabase) {
    let service = Service::over(database).await;
    service.certified(request()).await;
    for tries in [6, 4] {
        let started = service.start().await;
        for _ in 0..tries {
            service.call(&other_than(started.code.expose())).await;
        }
    }
    assert!(matches!(service.hears(NUMBER).await, Answer::Certified(_)));
    assert_eq!(service.press_nine(Level::L2).await, Answer::Suspended);
}

async fn nine_stops_a_key_that_waits(database: TestDatabase) {
    let service = Service::over(database).await;
    let (key, csr) = device();
    let first = service.certified(csr).await;
    let waiting = service.certified(request()).await;
    assert_eq!(service.press_nine(Level::L2).await, Answer::Suspended);
    let view = service.view(&waiting).await;
    assert_eq!(view.state, State::Failed);
    assert!(view.failure.unwrap().contains("stopped"));
    let Status::Suspended(entry) = service.directory().await else { panic!("not suspended") };
    assert_eq!(entry.pending, None);
    // The owner goes on with the key that is theirs.
    service.lifted(&key, &service.certificate(&first).await.serial).await.unwrap();
    let Status::Valid(entry) = service.directory().await else { panic!("not valid") };
    assert_eq!(entry.pending, None);
    assert_eq!(service.issue.finish_all(service.now + Duration::days(2)).await.unwrap(), 0);
}

async fn what_a_call_of_a_higher_level_proved_stays(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.certified(request()).await;
    let waiting = service.certified(request()).await;
    assert_eq!(service.press_nine(Level::L1).await, Answer::NotSuspended);
    assert!(service.certificate(&started).await.suspended.is_none());
    assert_eq!(service.view(&waiting).await.state, State::Held);
    assert_eq!(service.press_nine(Level::L2).await, Answer::Suspended, "a call of less used nothing up");
}

async fn a_suspended_certificate_is_superseded_or_revoked_as_any_other(database: TestDatabase) {
    let service = Service::over(database).await;
    let csr = request();
    let first = service.certified(csr.clone()).await;
    service.press_nine(Level::L2).await;
    let second = service.certified(csr).await;
    let superseded = service.certificate(&first).await;
    assert_eq!(superseded.revoked.map(|(_, reason)| reason), Some(Reason::Superseded));
    assert!(superseded.suspended.is_none());
    assert_eq!(service.reasons().await, [Reason::Superseded]);
    let serial = Serial::parse(&service.certificate(&second).await.serial).unwrap();
    let mut writer = service.database.store.begin().await.unwrap();
    assert!(
        revocations::insert(
            &serial.hex(),
            Issuing::Tel,
            Reason::CertificateHold,
            service.now,
            service.now,
            &mut writer
        )
        .await
        .unwrap()
    );
    writer.commit().await.unwrap();
    service.issue.revoke(&serial, Reason::KeyCompromise, "owner", service.now).await.unwrap();
    let revoked = service.certificate(&second).await;
    assert_eq!(revoked.revoked.map(|(_, reason)| reason), Some(Reason::KeyCompromise));
}

async fn a_cut_while_something_is_suspended_loses_nothing(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let started = service.certified(request()).await;
    service.press_nine(Level::L2).await;
    service.now += Duration::hours(25);
    let service = service.restarted().await;
    assert!(matches!(service.directory().await, Status::Suspended(_)));
    assert_eq!(service.issue.finalise_suspensions(service.now).await.unwrap(), 1);
    assert_eq!(service.issue.finalise_suspensions(service.now).await.unwrap(), 0);
    assert!(service.certificate(&started).await.revoked.is_some());
    assert_eq!(service.directory().await, Status::Revoked);
}

async fn a_record_that_was_withdrawn_stays_so_when_a_suspension_is_lifted(database: TestDatabase) {
    let service = Service::over(database).await;
    let (key, csr) = device();
    let started = service.certified(csr).await;
    let serial = service.certificate(&started).await.serial;
    assert!(crate::issue::revoking::withdraw(service.parts(), &serial, "owner", service.now).await.unwrap());
    service.press_nine(Level::L2).await;
    assert_eq!(service.directory().await, Status::Revoked);
    service.lifted(&key, &serial).await.unwrap();
    assert_eq!(service.directory().await, Status::Revoked);
}
