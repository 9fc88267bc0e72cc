//! What is stored of certificates, how it is listed, and how long it is kept.

use super::*;

on_both_databases!(
    pages_of_certificates_are_filtered_and_follow_each_other,
    an_audit_row_that_is_changed_breaks_the_chain,
    a_certificate_is_kept_for_a_year_after_its_end,
);

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
