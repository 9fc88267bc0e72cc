//! Certificates of mailboxes.

use super::*;

on_both_databases!(a_mailbox_gets_one_certificate_an_order, eight_at_once_for_one_order_get_one_certificate,);

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
