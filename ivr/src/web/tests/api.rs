//! The API as programs meet it: every status that the description names.

use axum::http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Method, StatusCode};
use ivr_core::key_check::KeyCheck;
use rcgen::PublicKeyData as _;
use serde_json::{Value, json};

use super::browser::Answer;
use super::service::{DIAL, NUMBER};
use super::{Browser, Service};
use crate::clock::Clock;
use crate::webhooks::Hears;

const JSON: (HeaderName, &str) = (CONTENT_TYPE, "application/json");

async fn post(program: &mut Browser, path: &str, body: &Value) -> Answer {
    program.send(Method::POST, path, &[JSON], body.to_string()).await
}

async fn with_token(program: &mut Browser, method: Method, path: &str, secret: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {secret}");
    program.send(method, path, &[(AUTHORIZATION, &bearer), JSON], body.to_string()).await
}

/// A verification: its resource, its secret, its code.
async fn begin(program: &mut Browser) -> (String, String, String) {
    let begun = post(program, "/v1/verifications", &json!({ "number": NUMBER, "publish": false })).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
    let json = begun.json();
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    assert_eq!(begun.header(LOCATION), format!("/v1/verifications/{}", text("id")));
    (begun.location(), text("secret"), text("code"))
}

#[tokio::test]
async fn a_program_begins_a_verification_and_is_told_what_to_do() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let begun = post(
        &mut program,
        "/v1/verifications",
        &json!({ "number": NUMBER, "csr": null, "publish": false, "locale": "en-US" }),
    )
    .await;
    let json = begun.json();
    assert_eq!(begun.status, StatusCode::CREATED);
    assert_eq!(begun.header("cache-control"), "no-store");
    assert_eq!(json["dial"], json!({ "number": DIAL, "uri": format!("tel:{DIAL}") }));
    assert_eq!(json["code"].as_str().unwrap().len(), 6);
    assert_eq!(
        (&json["may_type_digits"], &json["may_cancel"], &json["next_look_seconds"]),
        (&json!(false), &json!(true), &json!(2))
    );
    assert!(json["expires_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(begun.header("set-cookie"), "");
}

#[tokio::test]
async fn a_language_that_there_is_none_of_is_a_wish_and_the_answer_says_what_came_of_it() {
    let service = Service::with(|settings| settings.languages = ["en", "de"].map(str::to_owned).to_vec()).await;
    for (wish, locale) in [
        (json!("de-AT"), "de"),
        (json!("DE_ch"), "de"),
        (json!("xx"), "en"),
        (json!("nl-BE"), "en"),
        (Value::Null, "en"),
    ] {
        let mut program = Browser::new(&service.router);
        let body = json!({ "number": NUMBER, "publish": false, "locale": wish });
        let begun = post(&mut program, "/v1/verifications", &body).await;
        assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
        let (path, secret) = (begun.location(), begun.json()["secret"].as_str().unwrap().to_owned());
        let stands = with_token(&mut program, Method::GET, &path, &secret, &Value::Null).await.json();
        assert_eq!((&begun.json()["locale"], &stands["locale"]), (&json!(locale), &json!(locale)), "{wish}");
        assert_eq!(begun.json()["expires_at"], stands["expires_at"]);
        with_token(&mut program, Method::DELETE, &path, &secret, &Value::Null).await;
    }
}

#[tokio::test]
async fn a_verification_names_an_endpoint_of_the_operators_or_none() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let endpoint = service.app.webhooks.add("https://shop.example/", Hears::Named, Clock.wall()).await.unwrap().id;
    for (name, said) in [
        ("https://shop.example/".to_owned(), "webhook: ep_ and 32 hexadecimal digits are expected"),
        (format!("ep_{}", "0".repeat(32)), "webhook: there is no such endpoint"),
    ] {
        let body = json!({ "number": NUMBER, "publish": false, "webhook": name });
        let refused = post(&mut program, "/v1/verifications", &body).await;
        assert_eq!(refused.problem(), (422, "invalid-field".into()), "{name}");
        assert!(refused.json()["detail"].as_str().unwrap().starts_with(said), "{refused:?}");
    }
    let body = json!({ "number": NUMBER, "publish": false, "webhook": endpoint.to_string() });
    let begun = post(&mut program, "/v1/verifications", &body).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
    let (path, secret) = (begun.location(), begun.json()["secret"].as_str().unwrap().to_owned());
    with_token(&mut program, Method::DELETE, &path, &secret, &Value::Null).await;
    let metrics = program.get("/metrics").await;
    metrics
        .says("dialproof_webhook_events{state=\"waiting\"} 1\n")
        .says("dialproof_webhook_endpoints{state=\"on\"} 1\n");
}

#[tokio::test]
async fn a_program_follows_the_call_and_its_wrong_digits() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let (path, secret, code) = begin(&mut program).await;
    let look =
        async |program: &mut Browser| with_token(program, Method::GET, &path, &secret, &Value::Null).await.json();
    assert_eq!(look(&mut program).await["state"], "waiting");
    let read_back = format!("{path}/read-back");
    let early = with_token(&mut program, Method::POST, &read_back, &secret, &json!({ "digits": "123456" })).await;
    assert_eq!(early.problem(), (409, "not-expected".into()));

    let digits = service.call(&code).await;
    let json = look(&mut program).await;
    assert_eq!((&json["state"], &json["may_type_digits"]), (&json!("read-back"), &json!(true)));
    let told: Vec<&str> =
        json["happenings"].as_array().unwrap().iter().map(|told| told["what"].as_str().unwrap()).collect();
    assert!(told.contains(&"code-matched") && told.contains(&"reading-back"), "{told:?}");
    assert!(!json.to_string().contains(&digits), "the digits are told");

    let wrong: String = digits.chars().map(|digit| if digit == '9' { '0' } else { '9' }).collect();
    for left in [2, 1] {
        let answer = with_token(&mut program, Method::POST, &read_back, &secret, &json!({ "digits": wrong })).await;
        assert_eq!(answer.problem(), (422, "wrong-digits".into()));
        assert_eq!(answer.json()["read_backs_left"], left);
    }
    let answer = with_token(&mut program, Method::POST, &read_back, &secret, &json!({ "digits": wrong })).await;
    assert_eq!(answer.problem(), (409, "voided".into()));
    let answer = with_token(&mut program, Method::POST, &read_back, &secret, &json!({ "digits": digits })).await;
    assert_eq!(answer.problem(), (409, "voided".into()));
    let json = look(&mut program).await;
    assert_eq!((&json["state"], &json["next_look_seconds"]), (&json!("voided"), &Value::Null));
}

#[tokio::test]
async fn the_answer_to_a_start_tells_nothing_of_the_number() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let begun = async |program: &mut Browser, number| {
        let key = rcgen::KeyPair::generate().unwrap();
        let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
        let begun = post(program, "/v1/verifications", &json!({ "number": number, "csr": csr, "publish": true })).await;
        (begun.status, begun.json(), begun.location())
    };
    let (_, first, path) = begun(&mut program, NUMBER).await;
    let [secret, code] = ["secret", "code"].map(|key| first[key].as_str().unwrap().to_owned());
    let digits = json!({ "digits": service.call(&code).await });
    let issued = with_token(&mut program, Method::POST, &format!("{path}/read-back"), &secret, &digits).await.json();
    assert_eq!(issued["state"], "issued");
    // One that has a certificate, so that another key will wait; and one that nobody has begun with.
    let [(enrolled, mut one, _), (unknown, mut other, _)] =
        [begun(&mut program, NUMBER).await, begun(&mut program, "+12125550199").await];
    for answer in [&mut one, &mut other] {
        for own in ["id", "secret", "code", "expires_at"] {
            answer[own] = Value::Null;
        }
    }
    assert_eq!((enrolled, one), (unknown, other));
}

/// Every text in a document.
fn texts(json: &Value) -> Vec<&str> {
    match json {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

#[tokio::test]
async fn the_check_of_an_apps_key_stands_in_no_answer() {
    let service = Service::new().await;
    let mut app = Browser::new(&service.router);
    let key = rcgen::KeyPair::generate().unwrap();
    let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    let body = json!({ "number": NUMBER, "csr": csr, "started_by": "app", "publish": false });
    let begun = post(&mut app, "/v1/verifications", &body).await.json();
    let (id, secret) = (begun["id"].as_str().unwrap(), begun["secret"].as_str().unwrap());
    let check = KeyCheck::of(&key.subject_public_key_info(), id.parse().unwrap());
    assert!(!texts(&begun).contains(&check.as_str()), "{begun}");
    let digits = service.call(begun["code"].as_str().unwrap()).await;
    let path = format!("/v1/verifications/{id}");
    let looked = with_token(&mut app, Method::GET, &path, secret, &Value::Null).await.json();
    assert_eq!(looked["state"], "read-back");
    let read_back = format!("{path}/read-back");
    let issued = with_token(&mut app, Method::POST, &read_back, secret, &json!({ "digits": digits })).await.json();
    assert_eq!(issued["state"], "issued");
    for answer in [&looked, &issued] {
        assert!(!texts(answer).contains(&check.as_str()), "{answer}");
    }
    // Without a key there is nothing to compare.
    let body = json!({ "number": NUMBER, "started_by": "app", "publish": false });
    let refused = post(&mut app, "/v1/verifications", &body).await;
    assert_eq!(refused.problem(), (422, "certificate-request".into()));
}

#[tokio::test]
async fn a_program_gives_up() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let (path, secret, _) = begin(&mut program).await;
    let gone = with_token(&mut program, Method::DELETE, &path, &secret, &Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let json = with_token(&mut program, Method::GET, &path, &secret, &Value::Null).await.json();
    assert_eq!((&json["state"], &json["code"]), (&json!("expired"), &Value::Null));
}

#[tokio::test]
async fn a_foreign_secret_and_a_foreign_id_are_not_told_apart() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let (path, secret, _) = begin(&mut program).await;
    let (other, _, _) = begin(&mut program).await;
    let read_back = json!({ "digits": "123456" });
    for at in [other.as_str(), "/v1/verifications/00000000000000000000000000000000", "/v1/verifications/x"] {
        for (method, path) in [
            (Method::GET, at.to_owned()),
            (Method::DELETE, at.to_owned()),
            (Method::GET, format!("{at}/events")),
            (Method::POST, format!("{at}/read-back")),
        ] {
            let answer = with_token(&mut program, method.clone(), &path, &secret, &read_back).await;
            assert_eq!(answer.problem(), (404, "not-found".into()), "{method} {path}");
        }
    }
    for scheme in ["", "Basic eDp5"] {
        let answer = program.send(Method::GET, &path, &[(AUTHORIZATION, scheme)], "").await;
        assert_eq!(answer.problem(), (401, "unauthorized".into()), "{scheme}");
        assert_eq!(answer.header(WWW_AUTHENTICATE), "Bearer");
    }
}

#[tokio::test]
async fn a_number_that_is_none_is_refused_with_its_reason() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let table = [
        ("911", "number"),
        ("+1 202 555 0143", "number"),
        ("12025550143", "number"),
        ("+15", "number"),
        ("+120255501431234567", "number"),
        ("+18005550199", "number-kind"),
        ("+19005550199", "number-kind"),
        (DIAL, "number-kind"),
    ];
    for (number, kind) in table {
        let answer = post(&mut program, "/v1/verifications", &json!({ "number": number, "publish": true })).await;
        assert_eq!(answer.problem(), (422, kind.into()), "{number}");
    }
    let answer = post(&mut program, "/v1/verifications", &json!({ "number": "+4402079460018", "publish": true })).await;
    assert_eq!(answer.json()["did_you_mean"], "+442079460018");
}

#[tokio::test]
async fn a_body_that_is_not_as_described_is_a_problem() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let table = [
        ("no JSON", "{", 400, "malformed"),
        ("no field", "{}", 422, "invalid-field"),
        ("no choice", r#"{"number":"+12025550143"}"#, 422, "invalid-field"),
        ("another type", r#"{"number":12025550143,"publish":true}"#, 422, "invalid-field"),
        ("an unknown field", r#"{"number":"+12025550143","publish":true,"level":"L4"}"#, 422, "invalid-field"),
        ("a locale that is none", r#"{"number":"+12025550143","publish":true,"locale":"../en"}"#, 422, "invalid-field"),
    ];
    for (name, body, status, kind) in table {
        let answer = program.send(Method::POST, "/v1/verifications", &[JSON], body).await;
        assert_eq!(answer.problem(), (status, kind.into()), "{name}");
    }
    for (body, detail) in [
        ("[]", "Invalid type: sequence, expected an object."),
        (r#"["+12025550143",null,"page",false,null,null,null]"#, "Invalid type: sequence, expected an object."),
        (r#"{"number":"+12025550143"}"#, "`publish` is missing."),
        (r#"{"number":7,"publish":true}"#, "number: invalid type: integer `7`, expected a string."),
        (
            r#"{"number":"+12025550143","publish":true,"puzzle":7}"#,
            "puzzle: invalid type: integer `7`, expected an object.",
        ),
    ] {
        let answer = program.send(Method::POST, "/v1/verifications", &[JSON], body).await;
        assert_eq!(
            (answer.problem(), &answer.json()["detail"]),
            ((422, "invalid-field".into()), &json!(detail)),
            "{body}"
        );
    }
    let answer = program.send(Method::POST, "/v1/verifications", &[], "{}").await;
    assert_eq!(answer.problem(), (415, "unsupported-media-type".into()));
    let large = format!("{{\"number\":\"{}\"}}", "1".repeat(40_000));
    let answer = program.send(Method::POST, "/v1/verifications", &[JSON], large).await;
    assert_eq!(answer.problem(), (413, "too-large".into()));
}

#[tokio::test]
async fn what_there_is_none_of_is_a_problem_too() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    assert_eq!(program.get("/v1/nothing").await.problem(), (404, "not-found".into()));
    let answer = program.get("/v1/verifications").await;
    assert_eq!(answer.problem(), (405, "method-not-allowed".into()));
    assert_eq!(answer.header(ALLOW), "POST");
}

#[tokio::test]
async fn a_source_that_begins_too_many_is_told_when_to_come_again() {
    let service = Service::new().await;
    let mut program = Browser::from("192.0.2.7", &service.router);
    for _ in 0..3 {
        begin(&mut program).await;
    }
    let answer = post(&mut program, "/v1/verifications", &json!({ "number": NUMBER, "publish": false })).await;
    assert_eq!(answer.problem(), (429, "number-full".into()));
    assert!(answer.json()["detail"].as_str().unwrap().contains("of this number are open"), "{answer:?}");
    assert!(answer.header(RETRY_AFTER).parse::<u32>().unwrap() > 1);
    // Another household may still.
    begin(&mut Browser::from("198.51.100.7", &service.router)).await;
}

#[tokio::test]
async fn a_source_that_posts_too_much_is_told_when_to_come_again() {
    let service = Service::new().await;
    let mut program = Browser::from("192.0.2.7", &service.router);
    let mut last = post(&mut program, "/v1/verifications", &json!({})).await;
    for _ in 0..30 {
        last = post(&mut program, "/v1/verifications", &json!({})).await;
    }
    assert_eq!(last.problem(), (429, "too-many-requests".into()));
    assert_eq!(last.header(RETRY_AFTER), "2");
    assert_eq!(program.get("/healthz").await.status, StatusCode::OK, "looking is not limited");
}

#[tokio::test]
async fn the_counters_tell_what_happened_and_only_near_by() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    begin(&mut program).await;
    let text = program.get("/metrics").await;
    text.says("dialproof_verifications_started_total 1\n").says("dialproof_sip_invites_total 7\n");
    text.says("dialproof_verifications{state=\"waiting\"} 1\n").says("dialproof_verifications{state=\"issued\"} 0\n");
    text.says("dialproof_http_responses_total{class=\"2xx\"} 1\n").says("# TYPE dialproof_sip_calls gauge\n");
    let row =
        |name: &str, value: &str| format!("dialproof_trunk_{name}{{trunk=\"a \\\"b\\\"\",by=\"register\"}} {value}\n");
    text.says(&row("up", "1")).says(&row("registered_until_timestamp_seconds", "4000000600"));
    text.says("dialproof_media_foreign_packets_total 0\n").says("dialproof_call_record_lines_dropped_total 0\n");
    text.says("dialproof_directory_reachable{backend=\"mainline\",number=\"0\"} 3\n");
    assert_eq!(Browser::from("192.0.2.7", &service.router).get("/metrics").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_description_names_every_resource_that_there_is() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let description = program.get("/openapi.json").await.json();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    for (path, methods) in description["paths"].as_object().unwrap() {
        let path = path.replace("{id}", "0");
        for method in methods.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let answer = program.send(method.clone(), &path, &[(AUTHORIZATION, "Bearer x"), JSON], "{}").await;
            assert_ne!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
    }
}
