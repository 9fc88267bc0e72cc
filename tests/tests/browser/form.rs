//! The form that begins a verification: its key, its work, and that it is sent once.

use std::ops::Deref;

use end_to_end::browser::{Browser, DESKTOP, NARROW};
use end_to_end::installation::{BELIEVED, Families, Installation, Wanted, own_ring};
use end_to_end::service::{Service, media_ports};

use super::{dial_and_code, start};

/// A service that asks everybody for work, and this line of its configuration.
fn flooded(line: &str) -> Flooded {
    let (media, dht) = (media_ports(), own_ring());
    let trunks = format!(
        "[[trunk]]\nname = \"carrier\"\nsources = [\"127.0.0.1\"]\n{BELIEVED}\n[verification]\nstarts_a_minute = 0\n{line}\n"
    );
    let wanted = Wanted { families: Families::Ipv4, media: &media, sip: "", trunks: &trunks, dht: &dht };
    let at = Installation::new(tempfile::tempdir().expect("a temporary folder"), wanted);
    Flooded { service: at.serve(), _at: at }
}

/// With the folder that it lies in.
struct Flooded {
    service: Service,
    _at: Installation,
}

impl Deref for Flooded {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "peers"), ignore = "needs chromium and chromedriver: run tests/run")]
async fn while_too_many_begin_the_browser_works_and_goes_on_by_itself() {
    let service = flooded("puzzle_bits = 14");
    let browser = Browser::open(DESKTOP).await;
    start(&browser, &service, "+12025550143").await;
    browser.click("#start button").await;
    dial_and_code(&browser).await;
    assert_eq!(browser.complaints().await, [""; 0]);

    // A program does the same.
    let api = ivr::phone::api::Api::new(service.http());
    let begin = ivr::phone::api::Start { number: "+12025550144", csr: None, publish: false, locale: "en" };
    api.start(&begin).await.expect("a verification");
}

/// The work of the shipped difficulty, on this machine and on a sixth of it. How often it has to try is chance; what is measured is
/// how fast it does. Figures: docs/performance.md.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "peers"), ignore = "needs chromium and chromedriver: run tests/run")]
async fn a_slow_telephone_does_the_work_in_seconds_and_shows_how_far_it_is() {
    const TRIES: f64 = 262_144.0;
    let service = flooded("");
    let browser = Browser::open(NARROW).await;
    browser
        .run_in_every_page(
            "addEventListener('formdata', ({ formData }) => {
                const work = document.getElementById('work');
                if (formData.has('solution')) sessionStorage.work = JSON.stringify(
                    [+formData.get('solution'), performance.now(), !work.hidden, work.value]);
            });",
        )
        .await;
    for (times, numbers) in [(1, 143..=145), (6, 146..=148)] {
        browser.slow_down(times).await;
        let (mut tries, mut milliseconds) = (0.0, 0.0);
        for last in numbers {
            start(&browser, &service, &format!("+12025550{last}")).await;
            browser.click("#start button").await;
            browser.wait_for_sight("#code").await;
            let told = browser.run("return JSON.parse(sessionStorage.work)").await;
            let [solution, took, value] = [0, 1, 3].map(|at| told[at].as_f64().expect("a number"));
            assert!(told[2] == true && (value > 0.0 || solution < 4_096.0), "no progress is shown: {told}");
            (tries, milliseconds) = (tries + solution + 1.0, milliseconds + took);
        }
        let seconds = TRIES * milliseconds / tries / 1e3;
        println!(
            "a processor slowed down {times} times: {:.0} tries a second; {seconds:.1} s on average, one of twenty takes {:.1} s",
            tries / milliseconds * 1e3,
            3.0 * seconds
        );
    }
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "peers"), ignore = "needs chromium and chromedriver: run tests/run")]
async fn a_form_that_is_being_sent_is_not_sent_twice_and_can_be_sent_again_from_its_history() {
    let service = Service::demo();
    let browser = Browser::open(DESKTOP).await;
    start(&browser, &service, "+12025550143").await;
    // Pages are shown when they are loaded, too, which may end while the key is still being made.
    let sent_and_shown = "const button = document.querySelector('#start button');
        button.click();
        dispatchEvent(new PageTransitionEvent('pageshow'));
        const is_busy = button.disabled;
        button.form.requestSubmit();
        return is_busy;";
    assert_eq!(browser.run(sent_and_shown).await, true, "the button can be pressed again while the key is made");
    let (_, code) = dial_and_code(&browser).await;
    // The request went along: there will be a certificate.
    browser.wait_for_text(".steps li:last-child", "Your certificate is made.").await;

    browser.run("history.back()").await;
    browser.wait_for_sight("#start").await;
    assert_eq!(browser.run("return document.querySelector('#start button').disabled").await, false);
    browser.click("#start button").await;
    let (_, next) = dial_and_code(&browser).await;
    assert_ne!(next, code);
    browser.wait_for_text(".steps li:last-child", "Your certificate is made.").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "peers"), ignore = "needs chromium and chromedriver: run tests/run")]
async fn a_form_whose_key_cannot_be_kept_is_not_sent_and_says_so_however_that_fails() {
    let service = Service::demo();
    for broken in [
        "IDBDatabase.prototype.transaction = () => { throw new DOMException('closed', 'InvalidStateError'); };",
        // Asked for in vain only when it is to be kept, as on a full disk.
        "const put = IDBObjectStore.prototype.put;
        IDBObjectStore.prototype.put = function (...all) {
            const asked = put.apply(this, all);
            asked.addEventListener('success', () => this.transaction.abort());
            return asked;
        };",
    ] {
        let browser = Browser::open(DESKTOP).await;
        browser.run_in_every_page(broken).await;
        start(&browser, &service, "+12025550143").await;
        browser.click("#start button").await;
        browser.wait_for_text("#own-key", "This browser cannot make a key").await;
        assert_eq!(browser.run("return document.querySelector('#start button').disabled").await, false);
        assert_eq!(browser.complaints().await, [""; 0]);
    }
    // What fails once is tried again.
    let browser = Browser::open(DESKTOP).await;
    let once = "const { transaction } = IDBDatabase.prototype;
        IDBDatabase.prototype.transaction = function (names, mode) {
            if (mode == 'readwrite') IDBDatabase.prototype.transaction = transaction;
            return mode == 'readwrite' ? undefined : transaction.call(this, names, mode);
        };";
    browser.run_in_every_page(once).await;
    start(&browser, &service, "+12025550143").await;
    browser.click("#start button").await;
    dial_and_code(&browser).await;
}
