//! Every page: narrow, by night, on a desktop, in every language; and the console's probe of a trunk.

use end_to_end::browser::{Browser, DESKTOP, Look, NARROW};
use end_to_end::service::Service;

use super::{call, examine, start};

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "peers"), ignore = "needs chromium and chromedriver: run tests/run")]
async fn every_page_can_be_used_narrow_and_by_night_and_on_a_desktop() {
    let service = Service::demo();
    for (look, name) in [(DESKTOP, "desktop"), (NARROW, "narrow")] {
        pages(&service, look, name).await;
    }
}

async fn pages(service: &Service, look: Look, look_name: &str) {
    let browser = Browser::open(look).await;
    for (name, path) in [
        ("start", "/"),
        ("about", "/about"),
        ("key", "/key"),
        ("problem", "/problems/number-kind"),
        ("email", "/email"),
    ] {
        browser.go(&format!("{}{path}", service.http())).await;
        examine(&browser, &format!("{name}-{look_name}")).await;
    }
    start(&browser, service, "911").await;
    browser.click("#start button").await;
    browser.wait_for_sight("#number-hint").await;
    examine(&browser, &format!("hint-{look_name}")).await;
    start(&browser, service, "+12025550145").await;
    browser.click("#start button").await;
    browser.wait_for_sight("#code").await;
    examine(&browser, &format!("call-{look_name}")).await;
    browser.click("form[action$=cancel] button").await;
    browser.wait_for_sight("#start").await;
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "peers"), ignore = "needs chromium and chromedriver: run tests/run")]
async fn a_verification_can_be_gone_through_narrow_in_every_language() {
    let service = Service::demo();
    tokio::join!(
        in_language(&service, "es", "+12025550151", "Verificación correcta", "Publicado en"),
        in_language(&service, "fr", "+12025550152", "Vérification réussie", "Publié dans"),
        in_language(&service, "de", "+12025550153", "ist bestätigt", "Veröffentlicht"),
    );
}

/// All pages of a verification that ends well; the call is the demonstration's own.
async fn in_language(service: &Service, language: &'static str, number: &str, verified: &str, published: &str) {
    let browser = Browser::open(NARROW.reading(language)).await;
    let examine = async |name: &str| {
        assert_eq!(browser.run("return document.documentElement.lang").await, language, "{name}");
        examine(&browser, &format!("{name}-{language}")).await;
    };
    for (name, path) in [("key", "/key"), ("about", "/about"), ("email", "/email"), ("start", "/")] {
        browser.go(&format!("{}{path}", service.http())).await;
        examine(name).await;
    }
    start(&browser, service, "911").await;
    browser.click("#start button").await;
    browser.wait_for_sight("#number-hint").await;
    examine("hint").await;
    start(&browser, service, number).await;
    browser.click("#start button").await;
    browser.wait_for_sight("#code").await;
    examine("call").await;
    browser.click("button[name=scenario][value=call]").await;
    browser.wait_for_sight("#read-back").await;
    examine("read-back").await;
    browser.wait_for_text("h1", verified).await;
    browser.wait_for_text("#record", published).await;
    examine("certificate").await;
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "peers"), ignore = "needs chromium and chromedriver: run tests/run")]
async fn the_probe_of_a_trunk_can_be_used_narrow_and_on_a_desktop() {
    let service = Service::demo();
    let browser = Browser::open(DESKTOP).await;
    let link = service.said().split_whitespace().find(|word| word.contains("/console/enter/")).expect("a link");
    browser.go(link).await;
    browser.click("main button").await;
    browser.wait_for_text("h1", "Calls").await;
    let page = format!("{}/console/trunks", service.http());
    browser.go(&page).await;
    examine(&browser, "trunks").await;
    browser.click("td a").await;
    browser.type_into("#number", "+12025550143").await;
    browser.click("main form button").await;
    browser.wait_for_text("[role=status]", "Waiting for the call").await;
    examine(&browser, "probe-waiting").await;

    let (mut digits, calling) = call(&service, "+12025550143", "+12025550100".to_owned(), "000000".to_owned());
    assert_eq!(digits.recv().await, None, "an announced call is refused");
    calling.await.expect("the call ends");
    browser.click("[role=status] a").await;
    browser.wait_for_text("main", "Proposed profile").await;
    for (width, name) in [(1280, "desktop"), (NARROW.width, "narrow")] {
        browser.widen(width).await;
        examine(&browser, &format!("probe-{name}")).await;
    }
}
