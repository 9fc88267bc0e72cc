//! Lists of what was revoked.

use super::*;

on_both_databases!(
    a_revocation_is_on_the_next_list_and_lists_are_numbered,
    twenty_who_ask_for_a_stale_list_get_lists_of_growing_numbers,
);

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
