//! The start page, its form, and what every page has.

use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE};
use axum::http::{Method, StatusCode};

use super::service::DIAL;
use super::{Browser, Service};
use crate::web::DemoPlaces;
use crate::web::harden::POLICY;

/// What a person fills in.
const FORM: [(&str, &str); 2] = [("number", "(202) 555-0143"), ("publish", "yes")];

#[tokio::test]
async fn a_number_in_any_spelling_leads_to_the_page_with_the_code() {
    for spelling in ["(202) 555-0143", "+1 202 555 0143", "tel:+1-202-555-0143", "0012025550143"] {
        let service = Service::new().await;
        let mut browser = Browser::new(&service.router);
        let answer = browser.submit("/", "/verifications", &[("number", spelling), ("publish", "yes")]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{spelling}: {answer:?}");
        let page = browser.get(&answer.location()).await;
        assert_eq!(page.status, StatusCode::OK);
        page.says("Call us from <span class=\"number\">+1 202-555-0143<")
            .says("+1 202-555-0100")
            .says(&format!("href=\"tel:{DIAL}\""));
        assert_eq!(page.header(CACHE_CONTROL), "no-store");
    }
}

#[tokio::test]
async fn the_code_is_large_grouped_and_in_no_link() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    let started = browser.submit("/", "/verifications", &FORM).await;
    let page = browser.get(&started.location()).await;
    let (_, from) = page.body.split_once("id=\"code\">").unwrap();
    let code = from.split_once('<').unwrap().0;
    let (left, right) = code.split_once(' ').unwrap();
    assert!(
        left.len() == 3 && right.len() == 3 && [left, right].concat().bytes().all(|b| b.is_ascii_digit()),
        "{code}"
    );
    page.does_not_say(&[left, right].concat());
    assert_eq!(page.body.matches(code).count(), 1, "the code stands somewhere else, too");
}

#[tokio::test]
async fn the_secret_is_in_a_cookie_that_only_this_page_is_sent() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    let started = browser.submit("/", "/verifications", &FORM).await;
    let path = started.location();
    let cookie =
        started.headers.get_all(SET_COOKIE).iter().find_map(|line| line.to_str().unwrap().strip_prefix("session="));
    let cookie = cookie.unwrap();
    let secret = cookie.split(';').next().unwrap();
    assert!(secret.len() >= 43 && !path.contains(secret));
    assert_eq!(cookie, format!("{secret}; Path={path}; HttpOnly; SameSite=Lax"));
    browser.get(&path).await.does_not_say(secret);
}

#[tokio::test]
async fn cookies_are_for_tls_only_where_the_pages_are() {
    let service = Service::with(|settings| settings.public_url = "https://verify.example.org".to_owned()).await;
    let page = Browser::new(&service.router).get("/").await;
    assert!(page.header(SET_COOKIE).ends_with("; HttpOnly; SameSite=Lax; Secure"), "{page:?}");
    assert!(page.header("strict-transport-security").starts_with("max-age="));
}

#[tokio::test]
async fn a_number_that_is_none_gives_the_form_again_with_a_hint() {
    let service = Service::new().await;
    let table = [
        ("911", "too short"),
        ("+1 202 555", "no numbering plan"),
        ("+1202555014312345", "more than 15 digits"),
        ("five", "written as + and digits"),
        ("", "written as + and digits"),
        ("+1 800 555 0199", "This is a toll-free number"),
        ("+1 900 555 0199", "This is a premium-rate number"),
        ("+44 909 879 0000", "This is a premium-rate number"),
        (DIAL, "This is a number of ours"),
        ("+999 202 555 0143", "no numbering plan"),
    ];
    for (number, hint) in table {
        let mut browser = Browser::new(&service.router);
        let page = browser.submit("/", "/verifications", &[("number", number), ("publish", "no")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{number}");
        assert!(page.body.to_lowercase().contains(&hint.to_lowercase()), "{number}: {hint}\n{}", page.body);
        page.says("aria-invalid=\"true\"").says("value=\"no\" required checked");
    }
}

#[tokio::test]
async fn what_was_typed_comes_back_as_text() {
    let service = Service::new().await;
    let script = "\"><script>alert(1)</script>";
    let fields = [("number", script), ("publish", "yes"), ("csr", "</textarea><script>")];
    let page = Browser::new(&service.router).submit("/", "/verifications", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    page.does_not_say("<script>alert").does_not_say("</textarea><script>").says("Example &#38; Co");
}

#[tokio::test]
async fn whether_to_publish_must_be_chosen() {
    let service = Service::new().await;
    let page = Browser::new(&service.router).submit("/", "/verifications", &[("number", "+12025550143")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    page.says("Choose one of the two").says("value=\"+12025550143\"");
    let start = Browser::new(&service.router).get("/").await;
    start.does_not_say(" checked");
}

#[tokio::test]
async fn a_form_without_the_token_of_its_page_is_refused() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    let token = browser.get("/").await.token();
    let table: [(&str, &[(&str, &str)]); 3] = [
        ("none", &FORM),
        ("empty", &[("csrf", ""), FORM[0], FORM[1]]),
        ("wrong", &[("csrf", "AAAA"), FORM[0], FORM[1]]),
    ];
    for (name, fields) in table {
        let answer = browser.post("/verifications", fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}");
        answer.says("The page is out of date");
    }
    let mut stranger = Browser::new(&service.router);
    stranger.get("/").await;
    let answer = stranger.post("/verifications", &[("csrf", &token), FORM[0], FORM[1]]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "another visitor's token was taken");
    let answer = browser.post("/verifications", &[("csrf", &token), FORM[0], FORM[1]]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_form_with_a_file_is_read_too() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    let token = browser.get("/").await.token();
    let part =
        |name: &str, value: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let file = "--x\r\nContent-Disposition: form-data; name=\"csr_file\"; filename=\"\"\r\n\
                Content-Type: application/octet-stream\r\n\r\n\r\n";
    let body = part("csrf", &token) + &part("number", "+12025550143") + &part("publish", "no") + file + "--x--\r\n";
    let answer =
        browser.send(Method::POST, "/verifications", &[(CONTENT_TYPE, "multipart/form-data; boundary=x")], body).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
}

#[tokio::test]
async fn pages_load_nothing_but_our_own_assets_and_hold_no_script_or_style() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    let started = browser.submit("/", "/verifications", &FORM).await;
    for path in ["/", "/about", "/problems/busy", "/nothing", &started.location()] {
        let page = browser.get(path).await;
        assert_eq!(page.header(CONTENT_SECURITY_POLICY), POLICY, "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        page.does_not_say("<style").does_not_say(" style=").does_not_say(" onclick=").does_not_say("http://www.");
        assert!(!page.body.contains("<script>"), "{path}");
        for attribute in ["src=\"", "href=\""] {
            for rest in page.body.split(attribute).skip(1) {
                let address = rest.split('"').next().unwrap();
                let is_ours = address.starts_with('/') || address.starts_with('#') || address.starts_with("tel:");
                assert!(is_ours, "{path}: {address}");
                if address.starts_with("/assets/") {
                    let asset = browser.get(address).await;
                    assert_eq!(asset.status, StatusCode::OK, "{path}: {address}");
                    assert_eq!(asset.header(CACHE_CONTROL), "public, max-age=31536000, immutable");
                }
            }
        }
    }
}

#[tokio::test]
async fn assets_come_compressed_to_who_reads_that() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    let url = crate::web::assets::url("script.js");
    let plain = browser.get(url).await;
    let packed = browser.send(Method::GET, url, &[("accept-encoding".parse().unwrap(), "br, gzip")], "").await;
    assert_eq!((plain.header(CONTENT_ENCODING), packed.header(CONTENT_ENCODING)), ("", "gzip"));
    assert_eq!(plain.header("vary"), "accept-encoding");
    assert_eq!(browser.get("/assets/script.000000000000.js").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_page_of_a_verification_opens_in_its_browser_only() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    let mine = browser.submit("/", "/verifications", &FORM).await.location();
    let mut stranger = Browser::new(&service.router);
    let theirs = stranger.submit("/", "/verifications", &FORM).await.location();
    let token = stranger.get("/").await.token();
    for path in [mine.as_str(), "/verifications/0", "/verifications/00000000000000000000000000000000"] {
        assert_eq!(stranger.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        for below in ["events", "certificate.pem"] {
            assert_eq!(stranger.get(&format!("{path}/{below}")).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        for below in ["read-back", "cancel"] {
            let fields = [("csrf", token.as_str()), ("digits", "123456")];
            let answer = stranger.post(&format!("{path}/{below}"), &fields).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}/{below}");
        }
    }
    assert_eq!(stranger.get(&theirs).await.status, StatusCode::OK);
    // A cookie of another verification does not help either.
    let cookie = stranger.submit("/", "/verifications", &FORM).await;
    let secret = cookie.header(SET_COOKIE).split(';').next().unwrap().to_owned();
    let answer = stranger.send(Method::GET, &mine, &[("cookie".parse().unwrap(), &secret)], "").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_there_is_none_of_is_a_page_that_says_so() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    let page = browser.get("/nothing").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    page.says("<h1>Not found</h1>");
    let page = browser.send(Method::DELETE, "/about", &[], "").await;
    assert_eq!((page.status, page.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET,HEAD"));
    assert_eq!(browser.get("/problems/number-kind").await.status, StatusCode::OK);
    assert_eq!(browser.get("/problems/nonsense").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_about_page_tells_how_to_look_somebody_up() {
    let service = Service::new().await;
    let page = Browser::new(&service.router).get("/about").await;
    let fingerprint: Vec<String> = service.authority.root_sha256().iter().map(|byte| format!("{byte:02X}")).collect();
    page.says("dialproof lookup tel:").says(&fingerprint.join(":")).says("a ring of mainline").says("/ca/bundle.pem");
    let places = DemoPlaces { sip: "127.0.0.1:5060".parse().unwrap(), bundle: "bundle.pem".into(), mails: None };
    let demo = Service::with(|settings| settings.demo = Some(places)).await;
    let page = Browser::new(&demo.router).get("/about").await;
    page.says("lie in a private ring inside this demonstration.").does_not_say("mainline");
}
