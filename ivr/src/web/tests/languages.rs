//! Pages in the language of their visitor.

use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE};
use axum::http::{Method, StatusCode};

use super::browser::Answer;
use super::email::pasted;
use super::{Browser, Service};
use crate::clock::Clock;
use crate::enrol_email::fixture::read;

/// What browsers send, and what they get: the language, the start page's heading, and the hint about a short number.
const VISITORS: [(&str, &str, &str, &str); 9] = [
    ("es-MX,es;q=0.9,en;q=0.8", "es", "Verifique su número de teléfono", "demasiado corto"),
    ("fr", "fr", "Vérifiez votre numéro de téléphone", "trop court"),
    ("tlh, de-AT;q=0.8, en;q=0.7", "de", "Bestätigen Sie Ihre Telefonnummer", "zu kurz"),
    ("en;q=0.5, fr;q=0.7", "fr", "Vérifiez votre numéro de téléphone", "trop court"),
    ("de;q=0, es-ES ; Q=0.100", "es", "Verifique su número de teléfono", "demasiado corto"),
    ("fr;q=NaN, de; q=0.000, en;q=0.2", "en", "Verify your telephone number", "too short"),
    ("de;q=0", "en", "Verify your telephone number", "too short"),
    ("en-GB", "en", "Verify your telephone number", "too short"),
    ("tlh", "en", "Verify your telephone number", "too short"),
];

async fn service(languages: &[&str]) -> Service {
    Service::with(|settings| settings.languages = languages.iter().map(|tag| (*tag).to_owned()).collect()).await
}

async fn get(browser: &mut Browser, path: &str, wanted: &str) -> Answer {
    browser.send(Method::GET, path, &[(ACCEPT_LANGUAGE, wanted)], "").await
}

async fn start(browser: &mut Browser, number: &str, wanted: &str) -> Answer {
    let token = browser.get("/").await.token();
    let body = serde_urlencoded::to_string([("csrf", &*token), ("number", number), ("publish", "no")]).unwrap();
    let headers = [(CONTENT_TYPE, "application/x-www-form-urlencoded"), (ACCEPT_LANGUAGE, wanted)];
    browser.send(Method::POST, "/verifications", &headers, body).await
}

fn is_in(page: &Answer, tag: &str) {
    page.says(&format!("<html lang=\"{tag}\">"));
}

#[tokio::test]
async fn a_page_is_in_the_language_of_ours_that_its_visitor_likes_best() {
    let service = service(&["en", "es", "fr", "de"]).await;
    for (wanted, tag, heading, hint) in VISITORS {
        let mut browser = Browser::new(&service.router);
        for path in ["/", "/key", "/about", "/email"] {
            is_in(&get(&mut browser, path, wanted).await, tag);
        }
        get(&mut browser, "/", wanted).await.says(&format!("<h1>{heading}</h1>"));
        let again = start(&mut browser, "911", wanted).await;
        is_in(again.says(hint), tag);
        // What is not translated says so.
        for path in ["/nothing", "/problems/busy"] {
            is_in(&get(&mut browser, path, wanted).await, "en");
        }
        // And nobody chooses for others.
        is_in(&Browser::new(&service.router).get("/").await, "en");
    }
}

#[tokio::test]
async fn a_visitor_may_name_languages_in_several_lines() {
    let service = service(&["en", "es", "fr", "de"]).await;
    let lines = [(ACCEPT_LANGUAGE, "tlh"), (ACCEPT_LANGUAGE, "en;q=0.5"), (ACCEPT_LANGUAGE, "de")];
    is_in(&Browser::new(&service.router).send(Method::GET, "/", &lines, "").await, "de");
}

#[tokio::test]
async fn a_visitor_may_choose_another_language_than_the_browsers_and_nobody_else_may() {
    let service = service(&["en", "es", "fr", "de", "nl"]).await;
    let mut browser = Browser::new(&service.router);
    let page = get(&mut browser, "/", "de").await;
    is_in(page.says("value=\"de\" lang=\"de\" aria-current=\"true\">Deutsch<"), "de");
    // A voice that an operator recorded is no text for pages.
    page.says("lang=\"es\">Español<").does_not_say("value=\"nl\"");

    let chosen = browser.submit("/", "/language", &[("language", "es")]).await;
    assert_eq!((chosen.status, &*chosen.location()), (StatusCode::SEE_OTHER, "/"));
    for path in ["/", "/key", "/about"] {
        is_in(&get(&mut browser, path, "de").await, "es");
    }
    let begun = start(&mut browser, "+12025550143", "de").await.location();
    is_in(&get(&mut browser, &begun, "de").await, "es");
    let again = browser.submit("/", "/language", &[("language", "fr")]).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
    is_in(&get(&mut browser, "/", "de").await, "fr");
    is_in(&get(&mut browser, &begun, "de").await, "es");

    let strange = browser.submit("/", "/language", &[("language", "tlh; Path=/elsewhere")]).await;
    assert_eq!(strange.status, StatusCode::UNPROCESSABLE_ENTITY);
    let forged = browser.post("/language", &[("language", "de")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    is_in(&get(&mut browser, "/", "de").await, "fr");

    let alone = self::service(&["en"]).await;
    Browser::new(&alone.router).get("/").await.does_not_say("id=\"languages\"");
}

#[tokio::test]
async fn a_verification_keeps_the_language_in_which_it_began() {
    let service = service(&["en", "es", "fr", "de"]).await;
    for (wanted, tag, waits, missing) in [
        ("es", "es", "Esperamos su llamada.", "Escriba las seis cifras que lee la voz."),
        ("fr", "fr", "Nous attendons votre appel.", "Tapez les six chiffres que lit la voix."),
        ("de", "de", "Wir warten auf Ihren Anruf.", "Geben Sie die sechs Ziffern ein, die die Stimme vorliest."),
    ] {
        let mut browser = Browser::new(&service.router);
        let page = start(&mut browser, "+12025550143", wanted).await.location();
        for later in [wanted, "en", "ja"] {
            is_in(get(&mut browser, &page, later).await.says(waits), tag);
        }
        let digits = browser.submit("/", &format!("{page}/read-back"), &[("digits", "12")]).await;
        assert_eq!(digits.status, StatusCode::UNPROCESSABLE_ENTITY);
        is_in(digits.says(missing), tag);
    }
}

#[tokio::test]
async fn pages_speak_no_language_that_the_voice_does_not() {
    let service = service(&["en", "fr"]).await;
    for (wanted, tag) in [("de, fr", "fr"), ("de", "en")] {
        is_in(&get(&mut Browser::new(&service.router), "/", wanted).await, tag);
    }
    // A voice that an operator recorded is no text for pages.
    let other = self::service(&["nl"]).await;
    is_in(&get(&mut Browser::new(&other.router), "/", "nl").await, "en");
}

#[tokio::test]
async fn an_order_for_a_mailbox_and_what_its_mails_open_are_in_the_languages_of_who_reads_them() {
    let service = service(&["en", "es", "fr", "de"]).await;
    let csr = pasted();
    for (tag, began, wrong_code, opened) in [
        ("es", "Mire en su buzón", "Este no es", "No en este navegador"),
        ("fr", "Regardez dans votre boîte", "Ce n'est pas", "Pas dans ce navigateur"),
        ("de", "Sehen Sie in Ihr Postfach", "Das ist nicht", "Nicht in diesem Browser"),
    ] {
        let mut browser = Browser::new(&service.router);
        let token = get(&mut browser, "/email", tag).await.token();
        let address = format!("{tag}@example.org");
        let fields = [("csrf", &*token), ("address", &address), ("publish", "no"), ("csr", &csr)];
        let headers = [(CONTENT_TYPE, "application/x-www-form-urlencoded"), (ACCEPT_LANGUAGE, tag)];
        let body = serde_urlencoded::to_string(fields).unwrap();
        let page = browser.send(Method::POST, "/email/orders", &headers, body).await.location();
        // The order keeps its language, whatever is asked for later.
        is_in(get(&mut browser, &page, "ja").await.says(began), tag);
        let typed = browser.submit(&page, &format!("{page}/code"), &[("code", "00000000")]).await;
        is_in(typed.says("id=\"code-hint\"").says(wrong_code), tag);
        // The mail is opened by whoever reads the mailbox.
        let (link, _) = read(&service.postbox.newest(Clock.wall()).await.mail.text);
        let mut reader = Browser::new(&service.router);
        is_in(get(&mut reader, &format!("/email/confirm/{link}"), tag).await.says(opened), tag);
        is_in(&get(&mut reader, &format!("/email/confirm/{link}"), "en").await, "en");
    }
}
