//! A confirmed order becomes one certificate and two mails, whatever happens in between.

use std::sync::Arc;
use std::time::Duration;

use ca::Reason;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::enrol_email::fixture::{Service, asked, on, read, token};
use crate::enrol_email::{Begin, BeginError, Confirmation, RevokeReason, State};
use crate::issue::IssueError;
use crate::store::orders::{self, Checked};
use crate::store::test_database::{TestDatabase, on_both_databases};
use crate::verify::AccessError;
use crate::verify::fixture::request;

on_both_databases!(
    the_right_code_issues_and_the_certificate_comes_by_mail,
    the_mails_of_an_order_are_in_its_language,
    the_link_issues_in_the_browser_that_asked,
    twenty_confirmations_at_once_issue_once,
    a_cut_after_the_confirmation_loses_nothing,
    what_was_finished_twice_is_told_once,
    the_record_can_be_looked_up,
    the_link_in_the_notice_revokes_once,
    a_key_that_was_reported_lost_is_never_certified_again,
);

async fn the_right_code_issues_and_the_certificate_comes_by_mail(database: TestDatabase) {
    let service = Service::over(database).await;
    let (begun, _, code) = service.ask_and_read("Some.Body@example.org").await;
    let (id, secret) = (begun.id, begun.secret.expose());
    let done = service.enrol.confirm_by_code(id, secret, &code, service.now).await.unwrap();
    assert_eq!(done, Confirmation::Done(State::Issued));
    let view = service.enrol.view(id, secret, service.now).await.unwrap();
    let certificate = view.certificate.unwrap();

    let mail = service.postbox.about("Your certificate", service.now).await;
    assert_eq!(mail.mail.to, "Some.Body@example.org");
    let leaf = &mail.mail.attachments[0].bytes;
    let (_, parsed) = X509Certificate::from_der(leaf).unwrap();
    let names = parsed.subject_alternative_name().unwrap().unwrap();
    assert_eq!(names.value.general_names, [GeneralName::RFC822Name("Some.Body@example.org")]);
    assert_eq!(parsed.raw_serial_as_string().replace(':', ""), certificate.serial);
    let notice = service.postbox.about("was issued", service.now).await;
    assert!(notice.mail.text.contains(&certificate.serial) && notice.mail.text.contains("Firefox on Linux"));
    assert_eq!(service.postbox.mails(service.now).await.len(), 3);
}

async fn the_mails_of_an_order_are_in_its_language(database: TestDatabase) {
    let service = Service::over(database).await;
    let csr = request();
    let order = Begin { locale: "es", ..asked("192.0.2.1".parse().unwrap(), "somebody@example.org", &csr) };
    let begun = service.enrol.begin(order, service.now).await.unwrap();
    let mail = service.postbox.about("¿Es este su buzón?", service.now).await;
    let (_, code) = read(&mail.mail.text);
    service.enrol.confirm_by_code(begun.id, begun.secret.expose(), &code, service.now).await.unwrap();
    let certificate = service.postbox.about("Su certificado", service.now).await;
    assert_eq!(certificate.mail.attachments.len(), 2);
    let notice = service.postbox.about("ha emitido un certificado", service.now).await;
    assert!(notice.mail.text.contains("Firefox en Linux"), "{}", notice.mail.text);
    token(&notice.mail.text, "revoke");
}

async fn the_link_issues_in_the_browser_that_asked(database: TestDatabase) {
    let service = Service::over(database).await;
    let (begun, link, code) = service.ask_and_read("somebody@example.org").await;
    let secret = begun.secret.expose();
    let done = service.enrol.confirm_by_link(&link, secret, service.now).await.unwrap();
    assert_eq!(done, Confirmation::Done(State::Issued));
    let again = Confirmation::NotExpected(State::Issued);
    assert_eq!(service.enrol.confirm_by_link(&link, secret, service.now).await.unwrap(), again);
    assert_eq!(service.enrol.confirm_by_code(begun.id, secret, &code, service.now).await.unwrap(), again);
}

async fn twenty_confirmations_at_once_issue_once(database: TestDatabase) {
    let service = Arc::new(Service::over(database).await);
    let (begun, link, code) = service.ask_and_read("somebody@example.org").await;
    let tasks: Vec<_> = (0..20)
        .map(|index| {
            let (service, begun, link, code) = (service.clone(), begun.clone(), link.clone(), code.clone());
            tokio::spawn(async move {
                let (secret, now) = (begun.secret.expose(), service.now);
                if index % 2 == 0 {
                    service.enrol.confirm_by_code(begun.id, secret, &code, now).await.unwrap()
                } else {
                    service.enrol.confirm_by_link(&link, secret, now).await.unwrap()
                }
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += usize::from(matches!(task.await.unwrap(), Confirmation::Done(_)));
    }
    assert_eq!(done, 1);
    let filter = crate::issue::CertificateFilter { limit: 10, ..Default::default() };
    assert_eq!(service.issue.certificates(&filter, service.now).await.unwrap().len(), 1);
    assert_eq!(service.postbox.mails(service.now).await.len(), 3, "confirmation, certificate, notice");
}

/// The process dies between the confirmation and everything after it.
async fn a_cut_after_the_confirmation_loses_nothing(database: TestDatabase) {
    let service = Service::over(database).await;
    let (begun, _, code) = service.ask_and_read("somebody@example.org").await;
    let mac = service.enrol.mac_of(&code, begun.id);
    let secret = ca::email::Token::parse(begun.secret.expose()).unwrap().hash();
    let mut writer = service.database.store.begin().await.unwrap();
    let checked = orders::check_code(begun.id, &secret, &mac, service.now, &mut writer).await.unwrap();
    assert_eq!(checked, Checked::Right);
    writer.commit().await.unwrap();

    let again = on(service.database.opened_again().await, service.issue.clone(), "https://verify.example.org");
    let view = again.view(begun.id, begun.secret.expose(), service.now).await.unwrap();
    assert_eq!(view.state, State::Issuing);
    again.tidy(service.now).await.unwrap();
    let view = again.view(begun.id, begun.secret.expose(), service.now).await.unwrap();
    assert_eq!(view.state, State::Issued);
    assert_eq!(service.postbox.mails(service.now).await.len(), 3);
}

/// The certificate exists, but the process died before it noted that: the same certificate is told, once.
async fn what_was_finished_twice_is_told_once(database: TestDatabase) {
    let service = Service::over(database).await;
    let (begun, _, code) = service.ask_and_read("somebody@example.org").await;
    let secret = begun.secret.expose();
    service.enrol.confirm_by_code(begun.id, secret, &code, service.now).await.unwrap();
    let serial = service.enrol.view(begun.id, secret, service.now).await.unwrap().certificate.unwrap().serial;
    let mut writer = service.database.store.begin().await.unwrap();
    orders::unfinish(begun.id, &crate::verify::fixture::request(), service.database.store.columns(), &mut writer)
        .await
        .unwrap();
    writer.commit().await.unwrap();
    for _ in 0..2 {
        service.enrol.tidy(service.now).await.unwrap();
        let view = service.enrol.view(begun.id, secret, service.now).await.unwrap();
        assert_eq!((view.state, view.certificate.unwrap().serial), (State::Issued, serial.clone()));
    }
    assert_eq!(service.postbox.mails(service.now).await.len(), 5, "two more mails for the one more finish");
}

async fn the_record_can_be_looked_up(database: TestDatabase) {
    let service = Service::over(database).await;
    let (begun, _, code) = service.ask_and_read("Somebody@Example.org").await;
    service.enrol.confirm_by_code(begun.id, begun.secret.expose(), &code, service.now).await.unwrap();
    service.publish().await;
    let (record, _) = service.lookup("mailto:somebody@example.org").await.expect("the record is published");
    assert!(matches!(record.status, dht_client::Status::Valid(_)));
}

async fn the_link_in_the_notice_revokes_once(database: TestDatabase) {
    let service = Service::over(database).await;
    let (begun, link, code) = service.ask_and_read("somebody@example.org").await;
    service.enrol.confirm_by_code(begun.id, begun.secret.expose(), &code, service.now).await.unwrap();
    let revoke = token(&service.postbox.about("was issued", service.now).await.mail.text, "revoke");
    for _ in 0..2 {
        let opened = service.enrol.open_revoke_link(&revoke).await.unwrap();
        assert_eq!(opened.certificate.revoked, None, "opening the link revoked");
    }
    for wrong in [link.as_str(), begun.secret.expose(), ""] {
        assert!(matches!(service.enrol.open_revoke_link(wrong).await, Err(AccessError::Unknown)));
        let refused = service.enrol.revoke(wrong, RevokeReason::NotMe, service.now).await;
        assert!(matches!(refused, Err(IssueError::Unknown)), "{refused:?}");
    }
    service.enrol.revoke(&revoke, RevokeReason::NotMe, service.now).await.unwrap();
    let opened = service.enrol.open_revoke_link(&revoke).await.unwrap();
    assert_eq!(opened.certificate.revoked.map(|(_, reason)| reason), Some(Reason::PrivilegeWithdrawn));
    let again = service.enrol.revoke(&revoke, RevokeReason::KeyLost, service.now).await;
    assert!(matches!(again, Err(IssueError::AlreadyRevoked)), "{again:?}");
}

async fn a_key_that_was_reported_lost_is_never_certified_again(database: TestDatabase) {
    let service = Service::over(database).await;
    let (begun, _, code) = service.ask_and_read("somebody@example.org").await;
    let later = service.now + Duration::from_secs(60);
    service.ask_from("192.0.2.1", "somebody@example.org", later).await.unwrap();
    service.enrol.confirm_by_code(begun.id, begun.secret.expose(), &code, service.now).await.unwrap();
    let revoke = token(&service.postbox.about("was issued", service.now).await.mail.text, "revoke");
    service.enrol.revoke(&revoke, RevokeReason::KeyLost, service.now).await.unwrap();
    let refused = service.ask_from("192.0.2.1", "other@example.org", service.now).await;
    let Err(BeginError::Refused(refusal)) = refused else { panic!("{refused:?}") };
    assert_eq!(refusal, ca::Refusal::CompromisedKey);
}
