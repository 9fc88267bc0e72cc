//! The email pages as a person meets them, and the API's enrolments.

mod api;
mod catcher;

use axum::http::StatusCode;
use axum::http::header::LOCATION;

use super::browser::Answer;
use super::{Browser, Service};
use crate::clock::Clock;
use crate::enrol_email::fixture::{read, token, wrong};
use crate::verify::fixture::request;

/// A request as a person pastes it.
pub(super) fn pasted() -> String {
    use base64::Engine;
    let base64 = base64::engine::general_purpose::STANDARD.encode(request());
    format!("-----BEGIN CERTIFICATE REQUEST-----\n{base64}\n-----END CERTIFICATE REQUEST-----\n")
}

async fn ask(browser: &mut Browser, address: &str) -> Answer {
    let csr = pasted();
    browser.submit("/email", "/email/orders", &[("address", address), ("publish", "yes"), ("csr", &csr)]).await
}

/// An order of this browser: its page, and link and code from the mailbox.
async fn ordered(service: &Service, browser: &mut Browser) -> (String, String, ca::email::Code) {
    let began = ask(browser, "somebody@example.org").await;
    assert_eq!(began.status, StatusCode::SEE_OTHER, "{began:?}");
    let (link, code) = read(&service.postbox.newest(Clock.wall()).await.mail.text);
    (began.location(), format!("/email/confirm/{link}"), code)
}

#[tokio::test]
async fn a_person_types_the_code_and_gets_the_certificate() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    browser.get("/").await.says("href=\"/email\"");
    let (page, _, code) = ordered(&service, &mut browser).await;
    browser.get(&page).await.says("Look into your mailbox").says("somebody@example.org");
    let typed = format!(" {} ", code.grouped().to_lowercase());
    let path = format!("{page}/code");
    let answer = browser.submit(&page, &path, &[("code", &wrong(&code).grouped())]).await;
    answer.says("you can try 4 times more");
    let answer = browser.submit(&page, &path, &[("code", "1234")]).await;
    answer.says("eight letters and digits").does_not_say("3 times");
    let answer = browser.submit(&page, &path, &[("code", &typed)]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, page.clone()));
    browser.get(&page).await.says("somebody@example.org</span> is verified").says("Whoever knows your address finds");
    let pem = browser.get(&format!("{page}/certificate.pem")).await;
    assert_eq!(pem.body.matches("BEGIN CERTIFICATE").count(), 2);
}

#[tokio::test]
async fn the_link_has_a_button_only_in_the_browser_that_asked() {
    let service = Service::new().await;
    let mut own = Browser::new(&service.router);
    let (page, link, code) = ordered(&service, &mut own).await;

    // A stranger's browser, or a program that examines mail: the code, who asked, and nothing to press.
    let mut foreign = Browser::new(&service.router);
    for _ in 0..3 {
        let shown = foreign.get(&link).await;
        shown.says("Not in this browser").says(&code.grouped()).says("a program");
        shown.does_not_say("<button").does_not_say("<form");
    }
    let token = foreign.get("/email").await.token();
    let pressed = foreign.post(&link, &[("csrf", &token)]).await;
    assert_eq!((pressed.status, pressed.location()), (StatusCode::SEE_OTHER, link.clone()));
    own.get(&page).await.says("Look into your mailbox");

    own.get(&link).await.says("Yes, make the certificate").does_not_say(&code.grouped());
    own.get(&page).await.says("Look into your mailbox");
    let without_token = own.post(&link, &[]).await;
    assert_eq!(without_token.status, StatusCode::FORBIDDEN);
    let confirmed = own.submit(&link, &link, &[]).await;
    assert_eq!((confirmed.status, confirmed.location()), (StatusCode::SEE_OTHER, page.clone()));
    own.get(&page).await.says("is verified");
    own.get(&link).await.says("Confirmed already").does_not_say("<button");
    foreign.get(&link).await.says("Confirmed already").does_not_say(&code.grouped());
}

#[tokio::test]
async fn the_browser_of_another_order_is_a_foreign_one() {
    let service = Service::new().await;
    let (mut own, mut other) = (Browser::new(&service.router), Browser::new(&service.router));
    let (page, link, code) = ordered(&service, &mut own).await;
    ask(&mut other, "other@example.org").await;
    other.get(&link).await.says(&code.grouped()).does_not_say("<button");
    assert_eq!(other.get(&page).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn five_wrong_codes_end_on_a_page_that_says_so() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    let (page, link, code) = ordered(&service, &mut browser).await;
    let path = format!("{page}/code");
    for _ in 0..5 {
        browser.submit(&page, &path, &[("code", &wrong(&code).grouped())]).await;
    }
    browser.get(&page).await.says("Too many wrong codes");
    browser.get(&link).await.says("no longer works").does_not_say("<button");
}

#[tokio::test]
async fn the_form_says_what_to_change_and_keeps_what_was_typed() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    let csr = pasted();
    let table = [
        ("somebody", "yes", csr.as_str(), "An email address is written local@domain."),
        ("\"a b\"@example.org", "yes", &csr, "Quoted local parts"),
        ("somebody@example.org", "", &csr, "Choose one of the two."),
        ("somebody@example.org", "no", "", "<p id=\"csr-hint\" class=\"hint\">A certificate needs a key"),
        ("somebody@example.org", "no", "", "aria-invalid=\"true\" aria-describedby=\"csr-hint\""),
        ("somebody@example.org", "no", "-----BEGIN CERTIFICATE REQUEST-----", "This is not a PKCS#10"),
    ];
    for (address, publish, csr, said) in table {
        let fields = [("address", address), ("publish", publish), ("csr", csr)];
        let answer = browser.submit("/email", "/email/orders", &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{address}");
        answer.says(said).says("Please check");
        if !address.contains('"') {
            answer.says(&format!("value=\"{address}\""));
        }
    }
    assert!(service.postbox.mails(Clock.wall()).await.is_empty());
}

#[tokio::test]
async fn a_mailbox_that_was_written_to_is_answered_like_any_other() {
    let service = Service::new().await;
    let mut pages = Vec::new();
    for _ in 0..2 {
        let mut browser = Browser::new(&service.router);
        let began = ask(&mut browser, "somebody@example.org").await;
        assert_eq!(began.status, StatusCode::SEE_OTHER);
        let page = browser.get(&began.location()).await;
        let known = |line: &&str| !["csrf", "action", "class=\"long\""].iter().any(|varying| line.contains(varying));
        pages.push(page.body.lines().filter(known).map(str::to_owned).collect::<Vec<_>>());
    }
    assert_eq!(pages[0], pages[1], "the second page tells that nothing was sent");
    assert_eq!(service.postbox.mails(Clock.wall()).await.len(), 1);
}

#[tokio::test]
async fn the_notice_opens_a_page_that_revokes_by_a_button() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    let (page, _, code) = ordered(&service, &mut browser).await;
    browser.submit(&page, &format!("{page}/code"), &[("code", &code.grouped())]).await;
    let notice = service.postbox.about("was issued", Clock.wall()).await;
    let link = format!("/email/revoke/{}", token(&notice.mail.text, "revoke"));

    let mut elsewhere = Browser::new(&service.router);
    for _ in 0..2 {
        elsewhere.get(&link).await.says("Revoke it").does_not_say("was revoked");
    }
    elsewhere.submit(&link, &link, &[("reason", "because")]).await.says("Choose a reason.");
    let revoked = elsewhere.submit(&link, &link, &[("reason", "not-me")]).await;
    assert_eq!((revoked.status, revoked.header(LOCATION)), (StatusCode::SEE_OTHER, link.as_str()));
    elsewhere.get(&link).await.says("It was revoked on").does_not_say("<button");
    browser.get(&page).await.says("This certificate was revoked on");
}

#[tokio::test]
async fn links_that_nobody_sent_open_nothing() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    let nobodys = "A".repeat(43);
    for path in ["confirm", "revoke"] {
        for token in [nobodys.as_str(), "x", "%00"] {
            let answer = browser.get(&format!("/email/{path}/{token}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path} {token}");
        }
    }
    assert_eq!(browser.get(&format!("/email/orders/{}", "0".repeat(32))).await.status, StatusCode::NOT_FOUND);
}
