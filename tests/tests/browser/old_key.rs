//! A key that waits, and what the old one says to that.

use end_to_end::browser::{Browser, DESKTOP, NARROW};
use end_to_end::service::Service;
use ivr::phone::applicant::{self, Application};
use ivr::phone::{self, Scenario};

use super::{call, dial_and_code, examine, file_with, start};

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "peers"), ignore = "needs chromium and chromedriver: run tests/run")]
async fn a_key_that_waits_is_looked_at_again_and_its_own_is_not_forgotten_meanwhile() {
    let service = Service::demo();
    let browser = Browser::open(DESKTOP).await;
    // The page of a key that waits, as far as its script sees, in a world where a minute is a tenth of a second.
    browser.go(&format!("{}/key", service.http())).await;
    let chosen = file_with(b"a key");
    browser.type_into("#pem", chosen.path().to_str().expect("a plain path")).await;
    let hurry = "const every = setInterval, script = document.createElement('script');
        setInterval = (work, pause) => every(work, pause / 600);
        document.getElementById('speak').dataset.page = '/';
        script.src = document.querySelector('script[src*=key]').src;
        return new Promise((done) => { script.onload = () => setTimeout(done, 500); document.head.append(script); });";
    browser.run(hurry).await;
    assert!(browser.address().await.ends_with("/key"), "it goes away under the hands of who is about to sign");
    browser.run("document.getElementById('pem').value = ''").await;
    browser.wait_for_sight("#start").await;

    let keys = "const keys = (work) => new Promise((done) => {
            const open = indexedDB.open('dialproof', 1);
            open.onupgradeneeded = () => open.result.createObjectStore('keys');
            open.onsuccess = () => {
                const all = open.result.transaction('keys', 'readwrite').objectStore('keys'), asked = work(all);
                all.transaction.oncomplete = () => { open.result.close(); done(asked && asked.result); };
            };
        });";
    let put = "return keys((all) => { for (const days of [7, 9]) all.put({ id: days, made: Date.now() - days * 864e5 }, days); });";
    browser.run(&(keys.to_owned() + put)).await;
    browser.go(service.http()).await;
    let kept = "return new Promise((done) => setTimeout(done, 500)).then(() => keys((all) => all.getAllKeys()));";
    assert_eq!(browser.run(&(keys.to_owned() + kept)).await, serde_json::json!([7]));
    assert_eq!(browser.complaints().await, [""; 0]);
}

/// A number that is proved already, and the file of its certificate and key.
async fn enrolled(service: &Service, number: &str) -> tempfile::NamedTempFile {
    let api = phone::api::Api::new(service.http());
    let application = Application::new(api, service.sip(), number, Scenario::Happy);
    let first = applicant::apply(application, &|_| {}).await.expect("the number is proved");
    assert_eq!(first.verdict, Ok(()));
    let certificate = first.verification.certificate_pem.expect("a certificate");
    file_with(format!("{certificate}{}", first.key_pem.expose()).as_bytes())
}

/// The number again, in this browser and so with another key: which waits.
async fn change_key(browser: &Browser, service: &Service, number: &str) {
    start(browser, service, number).await;
    browser.click("#start button").await;
    let (dialled, code) = dial_and_code(browser).await;
    let (mut digits, calling) = call(service, number, dialled, code);
    let digits = digits.recv().await.expect("the voice reads digits");
    browser.wait_for_sight("#read-back").await;
    browser.type_into("#digits", &digits).await;
    browser.click("#read-back button").await;
    browser.wait_for_text("h1", "and its new key waits").await;
    calling.await.expect("the call ends well");
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "peers"), ignore = "needs chromium and chromedriver: run tests/run")]
async fn the_old_key_lets_a_new_one_that_waits_go_through_at_once() {
    let service = Service::demo();
    let (browser, number) = (Browser::open(DESKTOP).await, "+12025550146");
    let (old, stranger) = (enrolled(&service, number).await, enrolled(&service, "+12025550147").await);
    change_key(&browser, &service, number).await;
    examine(&browser, "held").await;
    // Another number's key says nothing about this one.
    browser.type_into("#pem", stranger.path().to_str().expect("a plain path")).await;
    browser.click("#speak button").await;
    browser.wait_for_sight("[role=alert]").await;
    examine(&browser, "held-not-signed").await;
    browser.type_into("#pem", old.path().to_str().expect("a plain path")).await;
    browser.click("#speak button").await;
    browser.wait_for_text("h1", "is verified").await;
    // The key that this browser made is the certificate's.
    browser.wait_for_sight("#p12").await;
    browser.wait_for_text("#record", "Published in").await;
    let shown = browser.run("return document.getElementById('pem').textContent").await;
    let found = service.lookup(&format!("tel:{number}"));
    let found: serde_json::Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert_eq!(found["certificate_pem"], shown, "the directory shows the old one");
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "peers"), ignore = "needs chromium and chromedriver: run tests/run")]
async fn the_old_key_stops_a_new_one_that_waits() {
    let service = Service::demo();
    let (stranger, owner, number) = (Browser::open(DESKTOP).await, Browser::open(NARROW).await, "+12025550148");
    let old = enrolled(&service, number).await;
    change_key(&stranger, &service, number).await;
    let waiting = stranger.run("return document.getElementById('speak').dataset.key").await;
    let waiting = waiting.as_str().expect("64 digits").to_owned();
    // The owner, who sees it on the page of the certificate, speaks with its key. No other key is stopped by that.
    owner.go(&format!("{}/key", service.http())).await;
    owner.type_into("#pem", old.path().to_str().expect("a plain path")).await;
    owner.click("input[value=veto]").await;
    owner.type_into("#waiting", &"0".repeat(64)).await;
    owner.click("#speak button").await;
    owner.wait_for_text("#spoken", "waits").await;
    assert!(!owner.text("#spoken").await.contains("Done"));
    owner.run("document.getElementById('waiting').value = ''").await;
    owner.type_into("#waiting", &waiting).await;
    owner.click("#speak button").await;
    owner.wait_for_text("#spoken", "Done").await;
    examine(&owner, "key-veto").await;
    let held = stranger.address().await;
    stranger.go(&held).await;
    stranger.wait_for_text("main", "stopped this one").await;
    examine(&stranger, "held-stopped").await;
    let found = service.lookup(&format!("tel:{number}"));
    let found: serde_json::Value = serde_json::from_slice(&found.stdout).expect("JSON");
    let own = std::fs::read_to_string(old.path()).expect("a file");
    assert!(own.contains(found["certificate_pem"].as_str().expect("PEM")), "the owner's stays: {found}");
}
