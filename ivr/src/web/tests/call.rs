//! The page of a verification while somebody calls.

use axum::http::{Method, StatusCode};
use futures_util::StreamExt;

use super::{Browser, Service};
use crate::web::DemoPlaces;

/// A verification begun on the page: its address and its code.
async fn begin(service: &Service) -> (Browser, String, String) {
    let mut browser = Browser::new(&service.router);
    let fields = [("number", "+12025550143"), ("publish", "yes")];
    let path = browser.submit("/", "/verifications", &fields).await.location();
    let page = browser.get(&path).await;
    let (_, from) = page.body.split_once("id=\"code\">").unwrap();
    let code = from.split_once('<').unwrap().0.replace(' ', "");
    (browser, path, code)
}

/// The same, with a call that has read the digits.
async fn begin_and_call(service: &Service) -> (Browser, String, String) {
    let (browser, path, code) = begin(service).await;
    let digits = service.call(&code).await;
    (browser, path, digits)
}

fn wrong(digits: &str) -> String {
    digits.chars().map(|digit| if digit == '9' { '0' } else { '9' }).collect()
}

#[tokio::test]
async fn the_page_waits_for_a_call_and_asks_for_digits_only_after_it() {
    let service = Service::new().await;
    let (mut browser, path, code) = begin(&service).await;
    let page = browser.get(&path).await;
    page.says("We are waiting for your call").says("<noscript><meta http-equiv=\"refresh\"");
    page.says("id=\"read-back\" method=\"post\" action=").says("/read-back\" hidden>");
    page.says("<li aria-current=\"step\">Call the number.</li>").says("id=\"remedy\" class=\"note\" hidden");

    service.key_in(&code).await;
    let page = browser.get(&path).await;
    page.says("<li aria-current=\"step\">Press the key that the voice names.</li>");
    page.says("<li class=\"done\">After the warning, key in the code.</li>").says(" data-called>");

    service.call(&code).await;
    let page = browser.get(&path).await;
    page.says("/read-back\">").says("autocomplete=\"one-time-code\"").says("inputmode=\"numeric\"");
    // A refresh would wipe out what is being typed.
    page.does_not_say("http-equiv=\"refresh\"");
}

#[tokio::test]
async fn wrong_digits_are_told_and_three_of_them_are_the_end() {
    let service = Service::new().await;
    let (mut browser, path, digits) = begin_and_call(&service).await;
    let form = format!("{path}/read-back");
    let malformed = browser.submit(&path, &form, &[("digits", "12345")]).await;
    malformed.says("Type the six digits that the voice reads.");
    let page = browser.submit(&path, &form, &[("digits", &wrong(&digits))]).await;
    page.says("These are not the digits. You can try 2 times more.").says("aria-invalid=\"true\"");
    let page = browser.submit(&path, &form, &[("digits", &wrong(&digits))]).await;
    page.says("You can try once more.");
    let answer = browser.submit(&path, &form, &[("digits", &wrong(&digits))]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, path.clone()));
    browser.get(&path).await.says("<h1>Too many wrong digits</h1>");
    let token = browser.get("/").await.token();
    browser.post(&form, &[("csrf", &token), ("digits", &digits)]).await;
    browser.get(&path).await.says("<h1>Too many wrong digits</h1>");
}

#[tokio::test]
async fn who_stops_finds_the_start_page_and_the_code_no_longer_works() {
    let service = Service::new().await;
    let (mut browser, path, code) = begin(&service).await;
    let answer = browser.submit(&path, &format!("{path}/cancel"), &[]).await;
    assert_eq!((answer.status, answer.location().as_str()), (StatusCode::SEE_OTHER, "/"));
    browser.get(&path).await.says("was not verified").does_not_say(&code);
}

#[tokio::test]
async fn a_refused_call_is_told_with_its_remedy() {
    let service = Service::new().await;
    let (mut browser, path, _) = begin(&service).await;
    let number = ivr_core::number::Number::parse("+12025550143").unwrap();
    let refused =
        crate::verify::Refused { number, reason: ivr_core::caller::Reason::Forwarded, at: service.app.clock.wall() };
    service.app.verify.note_refusals(&[refused]).await.unwrap();
    let page = browser.get(&path).await;
    page.says("Switch forwarding off");
    // It was perhaps another's call: this visitor's may still be withheld.
    page.says("id=\"remedy\"").does_not_say("data-called");
}

#[tokio::test]
async fn the_live_steps_come_with_ids_and_go_on_where_they_were_left() {
    let service = Service::new().await;
    let (mut browser, path, code) = begin(&service).await;
    let events = format!("{path}/events");
    let response = browser.exchange(Method::GET, &events, &[], "").await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let mut body = response.into_body().into_data_stream();
    let mut heard = String::new();
    let mut until = async |words: &str, heard: &mut String| {
        while !heard.contains(words) {
            heard.push_str(&String::from_utf8_lossy(&body.next().await.expect(words).unwrap()));
        }
    };
    until("\"state\":\"waiting\"", &mut heard).await;
    service.key_in(&code).await;
    until("\"what\":\"code-matched\"", &mut heard).await;
    service.call(&code).await;
    until("\"state\":\"read-back\"", &mut heard).await;
    assert!(heard.contains("\"step\":3"), "{heard}");

    let last = heard.lines().filter_map(|line| line.strip_prefix("id: ")).next_back().unwrap();
    let again = [("last-event-id".parse().unwrap(), last)];
    let response = browser.exchange(Method::GET, &events, &again, "").await;
    let mut body = response.into_body().into_data_stream();
    let mut heard = String::new();
    while !heard.contains("event: status") {
        heard.push_str(&String::from_utf8_lossy(&body.next().await.unwrap().unwrap()));
    }
    assert!(!heard.contains("code-matched"), "{heard}");
}

#[tokio::test]
async fn a_demonstration_makes_no_second_call_beside_its_first() {
    // A telephone that answers nothing: who calls it stays on the line.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let sip = silent.local_addr().unwrap();
    let places = DemoPlaces { sip, bundle: "bundle.pem".into(), mails: None };
    let service = Service::with(|settings| settings.demo = Some(places)).await;
    let (mut browser, path, code) = begin(&service).await;
    let form = format!("{path}/simulate");
    browser.get(&path).await.says("<fieldset id=\"simulate\" class=\"buttons\">");
    let first = browser.submit(&path, &form, &[("scenario", "call")]).await;
    assert_eq!((first.status, first.location()), (StatusCode::SEE_OTHER, path.clone()));
    let page = browser.get(&path).await;
    page.says("<fieldset id=\"simulate\" class=\"buttons\" disabled>").does_not_say("role=\"alert\"");
    let second = browser.submit(&path, &form, &[("scenario", "hang-up")]).await;
    assert_eq!(second.status, StatusCode::CONFLICT);
    second.says("role=\"alert\">A call for this verification is on the line.").says("class=\"buttons\" disabled>");
    // Without scripts it goes on at its own address, not at that of the form.
    second.says(&format!("content=\"3; url={path}\""));

    let events = browser.exchange(Method::GET, &format!("{path}/events"), &[], "").await;
    let mut body = events.into_body().into_data_stream();
    let mut heard = String::new();
    while !heard.contains("event: status") {
        heard.push_str(&String::from_utf8_lossy(&body.next().await.unwrap().unwrap()));
    }
    assert!(heard.contains("\"simulated\":true"), "{heard}");
    // What the caller types nobody else does, so the page goes on by itself.
    service.call(&code).await;
    browser.get(&path).await.says("/read-back\">").says("http-equiv=\"refresh\"");
    // Another verification has a line of its own.
    let fields = [("number", "+12025550144"), ("publish", "no")];
    let other = browser.submit("/", "/verifications", &fields).await.location();
    let called = browser.submit(&other, &format!("{other}/simulate"), &[("scenario", "call")]).await;
    assert_eq!(called.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_demonstration_makes_no_call_beside_one_that_has_keyed_in_the_code() {
    let places = DemoPlaces { sip: "127.0.0.1:5060".parse().unwrap(), bundle: "bundle.pem".into(), mails: None };
    let service = Service::with(|settings| settings.demo = Some(places)).await;
    let (mut browser, path, code) = begin(&service).await;
    let form = format!("{path}/simulate");
    let token = browser.get(&path).await.token();
    let fields = [("csrf", token.as_str()), ("scenario", "call")];
    service.key_in(&code).await;
    browser.get(&path).await.says("class=\"buttons\" disabled>");
    assert_eq!(browser.post(&form, &fields).await.status, StatusCode::CONFLICT);
    // Once the digits are read there is nothing left to call for.
    service.call(&code).await;
    browser.get(&path).await.does_not_say("id=\"simulate\"");
    assert_eq!(browser.post(&form, &fields).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_stream_ends_with_its_verification() {
    let service = Service::new().await;
    let (mut browser, path, _) = begin(&service).await;
    browser.submit(&path, &format!("{path}/cancel"), &[]).await;
    // The whole body is read, so it has an end.
    let events = browser.get(&format!("{path}/events")).await;
    events.says("\"state\":\"expired\"");
}
