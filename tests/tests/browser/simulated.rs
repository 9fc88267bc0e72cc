//! The demo's own calls.

use end_to_end::browser::{Browser, DESKTOP, Look, PLAIN};
use end_to_end::service::Service;

use super::{examine, start};

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "peers"), ignore = "needs chromium and chromedriver: run tests/run")]
async fn the_page_of_a_simulated_call_takes_no_other_until_it_is_over() {
    let service = Service::demo();
    tokio::join!(simulated_alone(&service, DESKTOP, "+12025550154"), simulated_alone(&service, PLAIN, "+12025550155"));
}

/// A call that hangs up, and after it one that proves the number.
async fn simulated_alone(service: &Service, look: Look, number: &str) {
    let browser = Browser::open(look).await;
    start(&browser, service, number).await;
    browser.click("input[name=publish][value=no]").await;
    browser.click("#start button").await;
    browser.click("button[value=hang-up]").await;
    browser.wait_for_text("#simulate:disabled + p", "is on the line").await;
    examine(&browser, if look.runs_scripts { "simulated" } else { "simulated-without-scripts" }).await;
    // Without a click, with scripts as without.
    browser.wait_for_sight("button[value=call]:enabled").await;
    assert_eq!(browser.text("#simulate + p").await, "");
    browser.click("button[value=call]").await;
    browser.wait_for_sight("#simulate:disabled").await;
    browser.wait_for_text("h1", "is verified").await;
}
