//! The pages in a real browser: a whole verification with a real call, with scripts and without.

mod form;
mod old_key;
mod pages;
mod simulated;

use std::process::{Command, Output};

use end_to_end::browser::{Browser, DESKTOP, PLAIN};
use end_to_end::service::Service;
use ivr::phone::{self, CallPlan, Identity, Law, News, Scenario};
use ivr_core::private::Private;
use rcgen::{CertificateParams, KeyPair};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use voice_prompts::{Library, Vocabulary};

/// Longer than any call may be.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(200);

/// A telephone calls the number on the page and keys in the code on it; the digits that the voice reads come back.
fn call(
    service: &Service,
    number: &str,
    dialled: String,
    code: String,
) -> (mpsc::UnboundedReceiver<String>, JoinHandle<()>) {
    let plan = CallPlan {
        service: service.sip(),
        local: None,
        dialled,
        uri_parameters: Vec::new(),
        identity: Identity::of(number),
        laws: vec![Law::Mu],
        scenario: Scenario::Happy,
        code: Private::new(code),
        vocabulary: Vocabulary::of(&Library::embedded(), "en"),
        patience: PATIENCE,
    };
    let (tell, digits) = mpsc::unbounded_channel();
    let calling = tokio::spawn(async move {
        let news = move |news| {
            if let News::ReadBack(digits) = news {
                // A test that failed no longer listens.
                let _ = tell.send(digits.expose().clone());
            }
        };
        phone::call(plan, news).await.expect("the call goes through");
    });
    (digits, calling)
}

/// Fills in the start page.
async fn start(browser: &Browser, service: &Service, number: &str) {
    browser.go(service.http()).await;
    browser.type_into("#number", number).await;
    browser.click("input[name=publish][value=yes]").await;
}

/// Number to dial and code, as the page shows them.
async fn dial_and_code(browser: &Browser) -> (String, String) {
    browser.wait_for_sight("#code").await;
    let link = browser.find(".dial a").await.attr("href").await.expect("a link").expect("a link has an address");
    let dialled = link.strip_prefix("tel:").expect("a telephone link").to_owned();
    (dialled, browser.text("#code").await.replace(' ', ""))
}

#[track_caller]
fn openssl(arguments: &[&str]) -> Output {
    let output = Command::new("openssl").args(arguments).output().expect("openssl is installed");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A page that anybody can use, with a picture of it to look at.
async fn examine(browser: &Browser, name: &str) {
    browser.picture(name).await;
    assert_eq!(browser.obstacles().await, [""; 0], "{name}");
    assert_eq!(browser.complaints().await, [""; 0], "{name}");
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "peers"), ignore = "needs chromium and chromedriver: run tests/run")]
async fn a_number_is_verified_in_a_browser_and_found_by_a_stranger() {
    let service = Service::demo();
    let browser = Browser::open(DESKTOP).await;
    start(&browser, &service, "+1 (202) 555-0143").await;
    examine(&browser, "start").await;
    browser.click("#start button").await;

    let (dialled, code) = dial_and_code(&browser).await;
    examine(&browser, "call").await;
    let (mut digits, calling) = call(&service, "+12025550143", dialled, code);
    let digits = digits.recv().await.expect("the voice reads digits");
    browser.wait_for_sight("#read-back").await;
    assert_eq!(browser.text("[aria-current=step]").await, "Type the six digits that the voice reads to you.");
    assert_eq!(browser.run("return document.activeElement.id").await, "digits");
    examine(&browser, "read-back").await;
    browser.type_into("#digits", &digits).await;
    browser.click("#read-back button").await;

    browser.wait_for_text("h1", "+1 202-555-0143 is verified").await;
    calling.await.expect("the call ends well");
    browser.wait_for_text("#record", "Published in").await;
    // On a narrow window a label stands over its value, which has the whole width.
    for (width, is_stacked) in [(320, true), (1024, false)] {
        browser.widen(width).await;
        examine(&browser, &format!("certificate-{width}")).await;
        let places = "return ['dt', 'dd'].map((tag) => document.querySelector(tag).getBoundingClientRect())
            .map(({ top, bottom }) => [top, bottom]);";
        let places = browser.run(places).await;
        let (end_of_label, value) = (places[0][1].as_f64(), places[1][0].as_f64());
        assert_eq!(end_of_label <= value, is_stacked, "{width} px: {places}");
    }

    browser.type_into("#password", "correct horse").await;
    browser.click("#p12 button").await;
    let file = browser.downloaded("p12");
    let file = file.to_str().expect("a plain path");
    let pem = browser.run("return document.getElementById('pem').textContent").await;
    let unlock = ["pkcs12", "-in", file, "-passin", "pass:correct horse"];
    let key = openssl(&[&unlock[..], &["-nocerts", "-nodes"]].concat()).stdout;
    let kept = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(kept.path(), key).expect("a temporary file can be written");
    let own = openssl(&["pkey", "-pubout", "-in", kept.path().to_str().expect("a plain path")]).stdout;
    std::fs::write(kept.path(), pem.as_str().expect("a text")).expect("a temporary file can be written");
    let certified = openssl(&["x509", "-pubkey", "-noout", "-in", kept.path().to_str().expect("a plain path")]).stdout;
    assert_eq!(own, certified, "the file holds another key than the certificate");
    let chain = openssl(&[&unlock[..], &["-nokeys"]].concat()).stdout;
    assert_eq!(String::from_utf8_lossy(&chain).matches("BEGIN CERTIFICATE").count(), 2);

    let found = service.lookup("tel:+12025550143");
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let found: serde_json::Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert_eq!(found["certificate_pem"], pem);

    // The key speaks on a page of its own, which it does not leave.
    let both = openssl(&[&unlock[..], &["-nodes"]].concat()).stdout;
    let chosen = file_with(&both);
    browser.go(&format!("{}/key", service.http())).await;
    examine(&browser, "key").await;
    browser.type_into("#pem", chosen.path().to_str().expect("a plain path")).await;
    browser.click("input[value=lift]").await;
    browser.click("#speak button").await;
    browser.wait_for_text("#spoken", "is not suspended").await;
    browser.click("input[value=withdraw]").await;
    browser.click("#speak button").await;
    browser.wait_for_text("#spoken", "Done").await;
    end_to_end::service::wait_until("the directory shows it no more", || {
        !service.lookup("tel:+12025550143").status.success()
    });
}

/// A file for the browser to choose.
fn file_with(content: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".pem").tempfile().expect("a temporary file");
    std::fs::write(file.path(), content).expect("a temporary file can be written");
    file
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "peers"), ignore = "needs chromium and chromedriver: run tests/run")]
async fn without_scripts_a_request_is_pasted_and_the_page_goes_on_by_itself() {
    let service = Service::demo();
    let browser = Browser::open(PLAIN).await;
    start(&browser, &service, "+12025550144").await;
    let key = KeyPair::generate().expect("a key");
    let csr = CertificateParams::default().serialize_request(&key).and_then(|csr| csr.pem()).expect("a request");
    browser.type_into("#csr", &csr).await;
    examine(&browser, "start-without-scripts").await;
    browser.click("#start button").await;

    let (dialled, code) = dial_and_code(&browser).await;
    let (mut digits, calling) = call(&service, "+12025550144", dialled, code);
    let digits = digits.recv().await.expect("the voice reads digits");
    browser.wait_for_sight("#read-back").await;
    browser.type_into("#digits", &digits).await;
    browser.click("#read-back button").await;
    browser.wait_for_text("h1", "is verified").await;
    calling.await.expect("the call ends well");
    browser.wait_for_text("#record", "Published in").await;
    examine(&browser, "certificate-without-scripts").await;
    let link = browser.find("a[download]").await.attr("href").await.expect("a link").expect("a link has an address");
    assert!(link.ends_with("/certificate.pem"), "{link}");
}
