//! Certificates in the console.

use ivr_core::caller::Level;

use super::*;

#[tokio::test]
async fn a_certificate_tells_what_its_level_means_and_why_it_is_no_higher() {
    let service = Service::new().await;
    let started = service.certified(request()).await;
    service.record(happy(started.id)).await;
    let view = service.view(&started).await;
    assert_eq!((view.caps.to_string().as_str(), view.is_code_only), ("not-attested", false));
    let serial = view.certificate.unwrap().serial;
    let mut ada = service.operator("ada").await;
    ada.get(&format!("/console/certificates/{serial}"))
        .await
        .says(&format!("L2: {}", Level::L2.meaning("en")))
        .says("No higher: No attestation A came that counts")
        .does_not_say("code only");
    for (level, count) in [("L2", 1), ("L1", 0)] {
        let list = ada.get(&format!("/console/certificates?level={level}")).await;
        assert_eq!(list.body.matches("<tr role=\"row\"><td").count(), count, "{level}");
    }
    assert_eq!(ada.get("/console/certificates?level=L9").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn certificates_are_listed_shown_and_revoked() {
    let service = Service::new().await;
    let started = service.certified(request()).await;
    let serial = service.view(&started).await.certificate.unwrap().serial;
    let mut ada = service.operator("ada").await;
    let path = format!("/console/certificates/{serial}");
    let list = ada.get("/console/certificates").await;
    list.says(&format!("href=\"{path}\""))
        .says("***0143")
        .says(">valid<")
        .says("publishing")
        .does_not_say("2025550143");
    service.publish_now().await;
    for (query, count) in [
        ("search=%2B12025550143", 1),
        (&format!("search={serial}"), 1),
        ("status=valid", 1),
        ("status=revoked", 0),
        ("search=%2B12025550199", 0),
        ("search=nonsense", 0),
    ] {
        let page = ada.get(&format!("/console/certificates?{query}")).await;
        assert_eq!(page.body.matches("<tr role=\"row\"><td").count(), count, "{query}");
    }
    assert_eq!(ada.get("/console/certificates?search=&status=").await.location(), "/console/certificates");
    assert_eq!(ada.get("/console/certificates?status=good").await.status, StatusCode::UNPROCESSABLE_ENTITY);

    let page = ada.get(&path).await;
    page.says("Certificate for <span class=\"long\">***0143</span>").says("<dd>valid, published</dd>").says(&serial);
    page.does_not_say("2025550143").does_not_say("BEGIN CERTIFICATE");
    let revealed = ada.submit(&path, &format!("{path}/reveal"), &[("why", "an abuse report")]).await;
    revealed.says("tel:+12025550143").says("BEGIN CERTIFICATE");
    let audit = service.database.contents(&["audit"]).await;
    let noted = format!("certificate {serial}: an abuse report");
    assert!(audit.iter().any(|(_, value)| value == noted.as_bytes()));

    for reason in ["", "certificateHold", "because"] {
        let page = ada.submit(&path, &format!("{path}/revoke"), &[("reason", reason)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{reason}");
        page.says("Choose why.");
    }
    let token = page.token();
    let revoke = [("csrf", token.as_str()), ("reason", "privilegeWithdrawn")];
    assert_eq!(ada.post(&format!("{path}/revoke"), &revoke).await.location(), path);
    ada.get(&path).await.says(">revoked<").says("privilegeWithdrawn").does_not_say("Revoke for good");
    assert_eq!(ada.post(&format!("{path}/revoke"), &revoke).await.status, StatusCode::CONFLICT);
    let unknown = path.replace(&serial, &format!("{}00", &serial[..38]));
    assert_eq!(ada.get(&unknown).await.status, StatusCode::NOT_FOUND);
    assert_eq!(service.database.store.first_audit_break().await.unwrap(), None);
}
