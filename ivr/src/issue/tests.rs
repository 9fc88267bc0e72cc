//! From proof to certificate, with a power cut between any two steps.

use ca::{Issued, Prepared, Revoked, Serial};
use ivr_core::call::question::Outcome;
use ivr_core::proof::ProvedNumber;
use time::Duration;
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use super::*;
use crate::store::test_database::{TestDatabase, on_both_databases};
use crate::store::{intents, verifications};
use crate::verify::fixture::{NUMBER, SOURCE, Service, request};
use crate::verify::{StartError, Started, State, Typed};

on_both_databases!(
    a_cut_before_the_intent_loses_nothing,
    a_cut_after_the_intent_voids_its_serial_and_issues_another,
    a_cut_after_the_signature_voids_what_was_signed,
    what_was_voided_meanwhile_is_not_stored_however_it_is_signed,
    a_cut_after_the_result_loses_no_record,
    a_start_that_finds_nothing_changes_nothing,
    an_intent_that_nobody_ended_is_voided_once_it_is_stale,
    the_same_key_supersedes_at_once,
    two_verifications_of_one_number_finished_at_once_leave_one_certificate,
    a_compromised_key_is_never_certified_again,
    a_revocation_is_on_the_next_list_and_lists_are_numbered,
    twenty_who_ask_for_a_stale_list_get_lists_of_growing_numbers,
    a_mailbox_gets_one_certificate_an_order,
    eight_at_once_for_one_order_get_one_certificate,
    pages_of_certificates_are_filtered_and_follow_each_other,
    an_audit_row_that_is_changed_breaks_the_chain,
    a_proof_that_is_a_day_old_issues_nothing,
    a_certificate_is_kept_for_a_year_after_its_end,
    what_is_proved_and_was_left_behind_is_finished_by_whoever_looks,
    a_key_reported_late_is_blocked_and_its_other_certificates_go_too,
    a_mailbox_that_reports_its_key_ends_its_own_certificate_only,
    a_key_that_becomes_known_while_it_is_signed_for_gets_nothing,
    an_issue_whose_intent_is_lost_voids_its_serial,
);

impl Service {
    pub(super) fn parts(&self) -> &IssueParts {
        &self.issue.parts
    }

    /// A verification whose digits were typed right, in a process that dies at that moment.
    pub(super) async fn claimed(&self) -> Started {
        self.claimed_by(request()).await
    }

    /// The same by this key.
    pub(super) async fn claimed_by(&self, csr: Vec<u8>) -> Started {
        let started = self.try_start(NUMBER, SOURCE, Some(csr)).await.unwrap();
        let heard = self.call(started.code.expose()).await.heard.unwrap();
        let columns = self.database.store.columns();
        let secret = crate::verify::secret_sha256(started.secret.expose());
        let mut writer = self.database.store.begin().await.unwrap();
        let checked =
            verifications::check_read_back(started.id, &secret, &heard, self.now, columns, &mut writer).await.unwrap();
        assert_eq!(checked, verifications::Checked::Right);
        writer.commit().await.unwrap();
        started
    }

    /// What is to be issued for a claimed verification.
    pub(super) async fn wish(&self, started: &Started) -> wish::Wish {
        let columns = self.database.store.columns();
        let mut reader = self.database.store.read().await.unwrap();
        let job = verifications::to_issue(started.id, "issuing", columns, &mut reader).await.unwrap().unwrap();
        let (proof, _) = ProvedNumber::open(&job.proof, &job.number, &columns.keys().proof_key()).unwrap();
        verification::wish((&proof, self.now), &job, job.request.as_deref().unwrap(), self.now).unwrap()
    }

    pub(super) async fn intend(&self, wish: &wish::Wish) -> Prepared {
        wish::intend(self.parts(), wish, self.now).await.unwrap()
    }

    pub(super) async fn sign(&self, prepared: Prepared) -> Issued {
        wish::sign(self.parts(), prepared, self.now).await.unwrap()
    }

    pub(super) async fn all(&self) -> Vec<Certified> {
        self.issue.certificates(&CertificateFilter { limit: 100, ..Default::default() }, self.now).await.unwrap()
    }

    /// The serials of a list, its number checked against the last.
    pub(super) async fn listed(&self, issuing: Issuing) -> (u64, Vec<Revoked>) {
        let (der, _) = self.issue.crl(issuing, self.now).await.unwrap();
        let (_, list) = CertificateRevocationList::from_der(&der).unwrap();
        let number = u64::try_from(list.crl_number().unwrap()).unwrap();
        let entry = |entry: &x509_parser::revocation_list::RevokedCertificate<'_>| Revoked {
            serial: Serial::parse(&format!("{:040x}", entry.user_certificate)).unwrap(),
            at: entry.revocation_date.to_datetime(),
            reason: Reason::from_code(entry.reason_code().map_or(0, |(_, code)| code.0)).unwrap(),
        };
        (number, list.iter_revoked_certificates().map(entry).collect())
    }

    pub(super) async fn serials_listed(&self, issuing: Issuing) -> Vec<String> {
        self.listed(issuing).await.1.iter().map(|entry| entry.serial.hex()).collect()
    }

    pub(super) async fn open_intents(&self) -> usize {
        intents::open(&mut self.database.store.read().await.unwrap()).await.unwrap().len()
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

fn der_of(certified: &Certified) -> Vec<u8> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(certified.certificate_pem.as_bytes()).unwrap();
    pem.contents
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

/// The node that took the digits died, and this one goes on.
async fn what_is_proved_and_was_left_behind_is_finished_by_whoever_looks(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.claimed().await;
    assert_eq!(service.issue.finish_all(service.now).await.unwrap(), 1);
    is_whole(&service, &started).await;
    assert_eq!(service.issue.finish_all(service.now).await.unwrap(), 0);
}

async fn a_revocation_is_on_the_next_list_and_lists_are_numbered(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let started = service.certified(request()).await;
    let (before, listed) = service.listed(Issuing::Tel).await;
    assert!(listed.is_empty());
    assert_eq!(service.listed(Issuing::Tel).await.0, before, "a fresh list is served again");

    let serial = Serial::parse(&service.view(&started).await.certificate.unwrap().serial).unwrap();
    service.issue.revoke(&serial, Reason::PrivilegeWithdrawn, "operator", service.now).await.unwrap();
    let (after, listed) = service.listed(Issuing::Tel).await;
    assert!(after > before);
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].serial, listed[0].reason), (serial, Reason::PrivilegeWithdrawn));
    let (der, max_age) = service.issue.crl(Issuing::Tel, service.now).await.unwrap();
    assert_eq!(std::fs::read(service.folder.path().join("tel.crl")).unwrap(), der);
    assert!(max_age <= std::time::Duration::from_secs(3600));
    assert_eq!(service.listed(Issuing::Email).await.1, []);

    service.now += Duration::hours(20);
    assert!(service.listed(Issuing::Tel).await.0 > after, "a list that ends soon is made anew");
    service.now += Duration::days(40);
    assert!(service.serials_listed(Issuing::Tel).await.is_empty(), "an ended certificate need not be named");
    let unknown = Serial::from_random([7; 20]);
    let refused = service.issue.revoke(&unknown, Reason::Unspecified, "operator", service.now).await;
    assert!(matches!(refused, Err(IssueError::Unknown)), "{refused:?}");
}

async fn twenty_who_ask_for_a_stale_list_get_lists_of_growing_numbers(database: TestDatabase) {
    let service = Service::over(database).await;
    let asked = (0..20).map(|_| service.listed(Issuing::Email));
    let numbers: Vec<u64> = futures_util::future::join_all(asked).await.into_iter().map(|(number, _)| number).collect();
    // Whoever lost the race is given the winner's list.
    assert!(numbers.iter().all(|number| *number == 1), "{numbers:?}");
}

async fn a_mailbox_gets_one_certificate_an_order(database: TestDatabase) {
    let service = Service::over(database).await;
    let address = Address::parse("Someone@example.org").unwrap();
    let request = Request::parse(&request()).unwrap();
    let order = |id| EmailOrder { id, address: &address, request: &request, publish: true };
    let first = service.issue.issue_email(&order("a"), service.now).await.unwrap();
    let again = service.issue.issue_email(&order("a"), service.now).await.unwrap();
    assert_eq!(first.serial, again.serial);
    assert_eq!(first.identity.expose(), "mailto:someone@example.org");
    assert_eq!(first.level, Level::L0);
    let second = service.issue.issue_email(&order("b"), service.now).await.unwrap();
    assert_ne!(first.serial, second.serial);
    assert_eq!(service.serials_listed(Issuing::Email).await, [first.serial]);
    service.publish().await;
    let (record, _) = service.lookup("mailto:someone@example.org").await.unwrap();
    let dht_client::Status::Valid(entry) = record.status else { panic!("{record:?}") };
    assert_eq!(entry.certificate, der_of(&second));
}

async fn eight_at_once_for_one_order_get_one_certificate(database: TestDatabase) {
    let service = Service::over(database).await;
    let address = Address::parse("someone@example.org").unwrap();
    let request = Request::parse(&request()).unwrap();
    let order = EmailOrder { id: "a", address: &address, request: &request, publish: true };
    let asked = (0..8).map(|_| service.issue.issue_email(&order, service.now));
    let answers = futures_util::future::join_all(asked).await;
    let serials: std::collections::BTreeSet<String> =
        answers.iter().filter_map(|answer| answer.as_ref().ok()).map(|certified| certified.serial.clone()).collect();
    assert_eq!(serials.len(), 1, "{answers:?}");
    // Who came meanwhile is told to ask again, and then gets the same.
    let busy = |error: &IssueError| matches!(error, IssueError::Store(StoreError::Busy));
    assert!(answers.iter().all(|answer| answer.as_ref().map_or_else(busy, |_| true)), "{answers:?}");
    let again = service.issue.issue_email(&order, service.now).await.unwrap();
    assert!(serials.contains(&again.serial));
    assert_eq!(service.all().await.len(), 1);
}

async fn pages_of_certificates_are_filtered_and_follow_each_other(database: TestDatabase) {
    let service = Service::over(database).await;
    let mut serials = Vec::new();
    for name in ["a@example.org", "b@example.org", "c@example.org"] {
        let address = Address::parse(name).unwrap();
        let request = Request::parse(&request()).unwrap();
        let order = EmailOrder { id: name, address: &address, request: &request, publish: false };
        serials.push(service.issue.issue_email(&order, service.now).await.unwrap().serial);
    }
    let first = Serial::parse(&serials[0]).unwrap();
    service.issue.revoke(&first, Reason::Unspecified, "operator", service.now).await.unwrap();

    let list = |filter: CertificateFilter, at| {
        let issue = service.issue.clone();
        async move { issue.certificates(&filter, at).await.unwrap() }
    };
    let page = |before| CertificateFilter { limit: 2, before, ..Default::default() };
    let newest = list(page(None), service.now).await;
    let end = (crate::store::millis(newest[1].issued_at), newest[1].serial.clone());
    let older = list(page(Some(end)), service.now).await;
    let mut seen: Vec<&str> = newest.iter().chain(&older).map(|certified| certified.serial.as_str()).collect();
    seen.sort_unstable();
    let mut expected: Vec<&str> = serials.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!((newest.len(), older.len(), seen), (2, 1, expected));

    let count = |search: Option<&str>, status: Option<&str>, at| {
        let filter = CertificateFilter {
            search: search.map(str::to_owned),
            status: status.map(str::to_owned),
            limit: 10,
            ..Default::default()
        };
        let listed = list(filter, at);
        async move { listed.await.len() }
    };
    let (now, later) = (service.now, service.now + Duration::days(91));
    let table = [
        (None, None, now, 3),
        (Some("B@example.org"), None, now, 1),
        (Some("mailto:b@example.org"), Some("valid"), now, 1),
        (Some("a@example.org"), Some("valid"), now, 0),
        (Some(serials[2].as_str()), None, now, 1),
        (Some("+12025550143"), None, now, 0),
        (Some("nonsense"), None, now, 0),
        (None, Some("revoked"), now, 1),
        (None, Some("valid"), now, 2),
        (None, Some("expired"), later, 2),
    ];
    for (search, status, at, expected) in table {
        assert_eq!(count(search, status, at).await, expected, "{search:?} {status:?}");
    }
}

async fn an_audit_row_that_is_changed_breaks_the_chain(database: TestDatabase) {
    let service = Service::over(database).await;
    let csr = request();
    service.certified(csr.clone()).await;
    service.certified(csr).await;
    let store = &service.database.store;
    assert_eq!(store.first_audit_break().await.unwrap(), None);
    store.erase_audit_words(1).await;
    assert_eq!(store.first_audit_break().await.unwrap(), None, "erasing words keeps the chain");
    store.erase_audit_salt(2).await;
    assert_eq!(store.first_audit_break().await.unwrap(), Some(2), "words without their salt prove nothing");
    store.erase_audit_words(2).await;
    store.change_audit_actor(3).await;
    assert_eq!(store.first_audit_break().await.unwrap(), Some(3));
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

async fn a_certificate_is_kept_for_a_year_after_its_end(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let started = service.certified(request()).await;
    service.publish().await;
    let ends = service.view(&started).await.certificate.unwrap().not_after;
    service.issue.purge(ends + Duration::days(365)).await.unwrap();
    assert_eq!(service.all().await.len(), 1);
    // The service runs meanwhile, and sees that the record's time is over.
    service.now = ends + Duration::days(1);
    service.publish().await;
    assert!(service.issue.purge(ends + Duration::days(367)).await.unwrap() > 0);
    let left = service.database.contents(&["certificates", "records", "intents", "revocations"]).await;
    assert!(left.is_empty(), "{:?}", left.iter().map(|(name, _)| name).collect::<Vec<_>>());
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

/// The serial of a stored certificate is the one inside it.
#[tokio::test]
async fn what_is_stored_is_what_was_signed() {
    let service = Service::over(TestDatabase::sqlite().await).await;
    let started = service.certified(request()).await;
    let certified = service.view(&started).await.certificate.unwrap();
    let der = der_of(&certified);
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    assert_eq!(format!("{:040x}", certificate.serial), certified.serial);
    assert_eq!(certificate.validity().not_after.timestamp(), certified.not_after.unix_timestamp());
    let columns = service.database.store.columns();
    let mut reader = service.database.store.read().await.unwrap();
    let stored = certificates::by_serial(&certified.serial, columns, &mut reader).await.unwrap().unwrap();
    assert_eq!(stored.der, der);
    assert!(certified.chain_pem.starts_with("-----BEGIN CERTIFICATE-----"));
}
