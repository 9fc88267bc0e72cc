//! Calls and certificates for operators' programs.

use axum::http::header::{CONTENT_TYPE, LINK};
use axum::http::{Method, StatusCode};
use ivr_core::call::question::VerificationId;
use serde_json::json;

use super::console::happy;
use super::{Browser, Service};
use crate::verify::fixture::request;

#[tokio::test]
async fn who_is_not_logged_in_is_told_so_and_sees_nothing() {
    let service = Service::new().await;
    let id = "0".repeat(32);
    for path in ["/v1/calls", &format!("/v1/calls/{id}"), "/v1/certificates"] {
        let answer = Browser::new(&service.router).get(path).await;
        assert_eq!(answer.problem(), (401, "unauthorized".to_owned()), "{path}");
    }
    let headers = [(CONTENT_TYPE, "application/json")];
    let body = r#"{"reason":"superseded"}"#;
    let path = format!("/v1/certificates/{id}/revoke");
    let answer = Browser::new(&service.router).send(Method::POST, &path, &headers, body).await;
    assert_eq!(answer.problem(), (401, "unauthorized".to_owned()));
}

#[tokio::test]
async fn pages_of_calls_name_their_successor() {
    let service = Service::new().await;
    service.calls(0..250).await;
    let mut ada = service.operator("ada").await;
    let (mut path, mut seen) = ("/v1/calls?trunk=carrier&country=US".to_owned(), Vec::new());
    loop {
        let page = ada.get(&path).await;
        let json = page.json();
        seen.extend(json["calls"].as_array().unwrap().iter().map(|call| call["call_id"].as_str().unwrap().to_owned()));
        let Some(next) = json["next"].as_str() else {
            assert_eq!(page.header(LINK), "");
            break;
        };
        assert_eq!(page.header(LINK), format!("<{next}>; rel=\"next\""));
        path = next.to_owned();
    }
    let expected: Vec<String> = (0..250).rev().map(|n| format!("call-{n}.")).collect();
    assert_eq!(seen.len(), 250);
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(sorted(seen), sorted(expected));
    assert_eq!(ada.get("/v1/calls?level=L9").await.problem(), (422, "invalid-field".to_owned()));
    assert_eq!(ada.get("/v1/calls?after=x").await.problem(), (422, "invalid-field".to_owned()));
}

#[tokio::test]
async fn a_call_tells_its_events_and_no_number() {
    let service = Service::new().await;
    service.record(happy(VerificationId([1; 16]))).await;
    let mut ada = service.operator("ada").await;
    let call = ada.get("/v1/calls").await.json()["calls"][0].clone();
    assert_eq!(call["number"], "***0143");
    assert_eq!((&call["outcome"], &call["level"]), (&json!("verified"), &json!("L2")));
    assert_eq!((&call["setup_ms"], &call["duration_ms"]), (&json!(4.321), &json!(65_400.0)));
    assert_eq!(call["media"]["packets_lost"], 15);
    assert_eq!(call["media"]["mos_received"], json!(4.27));
    assert_eq!(call["media"]["mos_sent"], json!(4.01));
    assert_eq!(call["media"]["srtp"], "AES_CM_128_HMAC_SHA1_80");
    assert_eq!(call["media"]["packets_unauthentic"], 2);
    let reported = json!({"packets_expected": 1490, "packets_lost": 60, "jitter_ms": 4.125, "round_trip_ms": 20.25});
    assert_eq!(call["media"]["reported"], reported);
    assert_eq!(call["verification"], "01".repeat(16));
    let whole = ada.get(&format!("/v1/calls/{}", call["id"].as_str().unwrap())).await;
    whole.does_not_say("2025550143");
    let whole = whole.json();
    assert_eq!(whole["call_id"], "happy@192.0.2.7");
    let events = whole["events"].as_array().unwrap();
    assert_eq!(events[0]["message"], "INVITE sip:***0100@192.0.2.1 SIP/2.0 (1)");
    let keys: Vec<_> = events.iter().filter(|event| event["kind"] == "key").map(|event| &event["what"]).collect();
    assert_eq!(keys, ["telephone-event", "telephone-event", "telephone-event", "telephone-event right"]);
    assert_eq!(ada.get("/v1/calls/0").await.problem(), (404, "not-found".to_owned()));
}

#[tokio::test]
async fn certificates_are_listed_and_revoked_once() {
    let service = Service::new().await;
    let started = service.certified(request()).await;
    service.publish_now().await;
    let serial = service.view(&started).await.certificate.unwrap().serial;
    let mut ada = service.operator("ada").await;
    let list = ada.get("/v1/certificates?status=valid").await;
    list.does_not_say("2025550143");
    let listed = list.json()["certificates"][0].clone();
    assert_eq!((&listed["serial"], &listed["identity"]), (&json!(serial), &json!("***0143")));
    assert_eq!((&listed["status"], &listed["revoked"]), (&json!("valid"), &json!(null)));
    assert_eq!(listed["directory"]["published"], true);
    assert!(listed["directory"]["seq"].as_i64().unwrap() > 0);

    let path = format!("/v1/certificates/{serial}/revoke");
    let body = r#"{"reason":"keyCompromise"}"#;
    let form = [(CONTENT_TYPE, "application/x-www-form-urlencoded")];
    let answer = ada.send(Method::POST, &path, &form, body).await;
    assert_eq!(
        answer.problem(),
        (415, "unsupported-media-type".to_owned()),
        "what a foreign form can send is not read"
    );
    let answer = ada.send(Method::POST, &path, &[(CONTENT_TYPE, "text/plain")], body).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let headers = [(CONTENT_TYPE, "application/json")];
    for body in [r#"{"reason":"certificateHold"}"#, r#"{"reason":""}"#, r#"{"reason":"superseded","more":1}"#, "{}"] {
        let answer = ada.send(Method::POST, &path, &headers, body).await;
        assert_eq!(answer.problem(), (422, "invalid-field".to_owned()), "{body}");
    }
    let revoked = ada.send(Method::POST, &path, &headers, body).await;
    assert_eq!(revoked.status, StatusCode::OK);
    assert_eq!(revoked.json()["revoked"]["reason"], "keyCompromise");
    assert_eq!(ada.send(Method::POST, &path, &headers, body).await.problem(), (409, "not-expected".to_owned()));
    let unknown = path.replace(&serial, &format!("{}00", &serial[..38]));
    assert_eq!(ada.send(Method::POST, &unknown, &headers, body).await.problem(), (404, "not-found".to_owned()));
    assert_eq!(ada.get("/v1/certificates?status=valid").await.json()["certificates"], json!([]));
}
