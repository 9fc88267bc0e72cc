//! The demonstration's mails on their page.

use axum::http::StatusCode;

use super::ordered;
use crate::clock::Clock;
use crate::mail::Catcher;
use crate::web::DemoPlaces;
use crate::web::tests::{Browser, Service};

async fn demonstration() -> Service {
    let mut service = Service::with(|settings| {
        settings.demo = Some(DemoPlaces {
            sip: "127.0.0.1:5060".parse().unwrap(),
            bundle: "bundle.pem".into(),
            mails: Some(Catcher::new("Example")),
        });
    })
    .await;
    service.postbox.catcher = service.app.settings.demo.as_ref().unwrap().mails.clone().unwrap();
    service
}

#[tokio::test]
async fn a_demonstration_shows_its_mails_and_their_attachments() {
    let service = demonstration().await;
    let mut browser = Browser::new(&service.router);
    browser.get("/demo/mail").await.says("There is none yet");
    let (page, link, code) = ordered(&service, &mut browser).await;
    browser.get(&page).await.says("href=\"/demo/mail\"");
    browser.get("/demo/mail").await.says("Is this your mailbox?").says("somebody@example.org");
    browser.get("/demo/mail/1").await.says(&format!("href=\"{link}\"")).says(&code.grouped());
    browser.submit(&page, &format!("{page}/code"), &[("code", &code.grouped())]).await;
    service.postbox.mails(Clock.wall()).await;

    let certificate = service.postbox.about("Your certificate", Clock.wall()).await;
    let at = format!("/demo/mail/{}", certificate.number);
    browser.get(&at).await.says("certificate.cer").says("certificate.p7c");
    for (place, kind) in ["application/pkix-cert", "application/pkcs7-mime; smime-type=certs-only"].iter().enumerate() {
        let file = browser.get(&format!("{at}/attachments/{place}")).await;
        assert_eq!((file.status, file.header("content-type")), (StatusCode::OK, *kind));
        assert!(file.header("content-disposition").starts_with("attachment; filename=\"certificate."));
    }
    let message = browser.get(&format!("{at}/message.eml")).await;
    message.says("Auto-Submitted: auto-generated").says("Content-Type: application/pkix-cert");
    for missing in ["/demo/mail/99", "/demo/mail/x", &format!("{at}/attachments/2"), "/demo/mail/1/attachments/0"] {
        assert_eq!(browser.get(missing).await.status, StatusCode::NOT_FOUND, "{missing}");
    }
}

#[tokio::test]
async fn a_real_service_shows_no_mails() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    for path in ["/demo/mail", "/demo/mail/1", "/demo/mail/1/message.eml", "/demo/mail/1/attachments/0"] {
        assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}
