//! The pages in a real browser: a whole verification with a real call, with scripts and without.

use std::ops::Deref;
use std::process::{Command, Output};

use end_to_end::browser::{Browser, DESKTOP, Look, NARROW, PLAIN};
use end_to_end::installation::{BELIEVED, Families, Installation, Wanted, own_ring};
use end_to_end::service::{Service, media_ports};
use ivr::phone::applicant::{self, Application};
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
