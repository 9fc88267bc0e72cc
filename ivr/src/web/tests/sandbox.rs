//! Programs rehearse a verification, and nothing of it reaches the service.

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ca::signed_result::Statement;
use ivr_core::call::question::{Answer, Question};
use ivr_core::key_check::KeyCheck;
use rcgen::PublicKeyData as _;
use serde_json::{Value, json};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::browser;
use super::service::{DIAL, NUMBER, TEST_NUMBER};
use super::{Browser, Service};
use crate::clock::Clock;
use crate::verify::fixture;
use crate::webhooks::Hears;

const AT: &str = "/v1/sandbox/verifications";

/// A program with a rehearsal: its resource and its secret.
struct Program {
    browser: Browser,
    path: String,
    secret: String,
    begun: Value,
}

impl Program {
    async fn begin(service: &Service, body: &Value) -> Self {
        let mut browser = Browser::new(&service.router);
        let headers = [(CONTENT_TYPE, "application/json")];
        let begun = browser.send(Method::POST, AT, &headers, body.to_string()).await;
        assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
        let json = begun.json();
        let secret = json["secret"].as_str().unwrap().to_owned();
        Self { browser, path: begun.location(), secret, begun: json }
    }

    async fn ask(&mut self, method: Method, under: &str, body: &Value) -> browser::Answer {
        let (path, bearer) = (format!("{}{under}", self.path), format!("Bearer {}", self.secret));
        let headers = [(AUTHORIZATION, bearer.as_str()), (CONTENT_TYPE, "application/json")];
        self.browser.send(method, &path, &headers, body.to_string()).await
    }

    async fn look(&mut self) -> Value {
        self.ask(Method::GET, "", &Value::Null).await.json()
    }

    async fn meanwhile(&mut self, happens: &str) -> browser::Answer {
        self.ask(Method::POST, "/meanwhile", &json!({ "happens": happens })).await
    }

    /// The code is keyed in, and what the voice reads is typed.
    async fn prove(&mut self) -> Value {
        let heard = self.call("code").await;
        self.ask(Method::POST, "/read-back", &json!({ "digits": heard["digits"] })).await.json()
    }

    async fn call(&mut self, does: &str) -> Value {
        self.ask(Method::POST, "/call", &json!({ "does": does })).await.json()
    }
}

#[tokio::test]
async fn a_rehearsal_may_name_an_endpoint_and_nobody_is_told_of_it() {
    let service = Service::new().await;
    let endpoint = service.app.webhooks.add("https://shop.example/", Hears::All, Clock.wall()).await.unwrap();
    let body = json!({ "number": TEST_NUMBER, "publish": false, "webhook": endpoint.id.to_string() });
    let mut program = Program::begin(&service, &body).await;
    let heard = program.call("code").await;
    let digits = json!({ "digits": heard["digits"] });
    assert_eq!(program.ask(Method::POST, "/read-back", &digits).await.json()["state"], "issued");
    let census = service.app.webhooks.census().await.unwrap();
    assert!(census.events.iter().all(|(_, many)| *many == 0), "{census:?}");
}

#[tokio::test]
async fn a_rehearsal_names_an_endpoint_as_the_service_wants_it_named() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    for name in ["https://shop.example/", "ep_", ""] {
        let body = json!({ "number": TEST_NUMBER, "publish": false, "webhook": name }).to_string();
        let refused = browser.send(Method::POST, AT, &[(CONTENT_TYPE, "application/json")], body).await;
        assert_eq!(refused.problem(), (422, "invalid-field".into()), "{name}");
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert_eq!(detail, "webhook: ep_ and 32 hexadecimal digits are expected.", "{name}");
    }
}

fn der(pem: &Value) -> Vec<u8> {
    Pem::iter_from_buffer(pem.as_str().unwrap().as_bytes()).next().unwrap().unwrap().contents
}

#[tokio::test]
async fn an_app_rehearses_a_verification_and_nothing_of_it_reaches_the_service() {
    let service = Service::new().await;
    let key = rcgen::KeyPair::generate().unwrap();
    let pem = rcgen::CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    let body = json!({ "number": TEST_NUMBER, "csr": pem, "started_by": "app", "publish": true });
    let mut app = Program::begin(&service, &body).await;
    assert_eq!((&app.begun["sandbox"], &app.begun["dial"]["number"]), (&json!(true), &json!(DIAL)));
    let waiting = app.look().await;
    assert_eq!((&waiting["sandbox"], &waiting["state"]), (&json!(true), &json!("waiting")));

    let heard = app.call("code").await;
    let id = app.begun["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(heard["key_check"], KeyCheck::of(&key.subject_public_key_info(), id).as_str());
    assert_eq!((&heard["sandbox"], &heard["status"]), (&json!(true), &json!(200)));
    assert_eq!(app.look().await["state"], "read-back");
    let issued = app.ask(Method::POST, "/read-back", &json!({ "digits": heard["digits"] })).await;
    assert_eq!(issued.status, StatusCode::OK, "{issued:?}");
    let issued = issued.json();
    assert_eq!(
        (&issued["sandbox"], &issued["state"], &issued["level"]),
        (&json!(true), &json!("issued"), &json!("L2"))
    );
    assert_eq!((&issued["dht"], &issued["next_look_seconds"]), (&Value::Null, &Value::Null), "nothing is published");

    // Its chain ends at the sandbox's root, and not at the service's, whose intermediate signed nothing of it.
    let anchors = app.browser.get("/v1/sandbox/authority").await.json();
    let [leaf, chain, root] = [&issued["certificate_pem"], &issued["chain_pem"], &anchors["root_pem"]].map(der);
    let [leaf, chain, root] = [&leaf, &chain, &root].map(|der| X509Certificate::from_der(der).unwrap().1);
    leaf.verify_signature(Some(chain.public_key())).unwrap();
    chain.verify_signature(Some(root.public_key())).unwrap();
    assert!(leaf.issuer().to_string().contains("SANDBOX"), "{}", leaf.issuer());
    let ours = X509Certificate::from_der(service.authority.intermediate(ca::Issuing::Tel)).unwrap().1;
    assert!(leaf.verify_signature(Some(ours.public_key())).is_err(), "the service's key signed it");
    assert_ne!(root.raw_serial(), X509Certificate::from_der(service.authority.root()).unwrap().1.raw_serial());

    // No row, no record, no session that a call could be for.
    let tables = ["verifications", "certificates", "intents", "records", "happenings", "audit", "calls"];
    assert_eq!(service.database.contents(&tables).await, []);
    let question = Question::Session(fixture::caller(TEST_NUMBER));
    assert_eq!(service.verify.answer(question, Clock.wall()).await, Answer::NoSession);
    // Nor does the secret open anything there.
    let real = app.path.replace("/sandbox", "");
    app.path = real;
    assert_eq!(app.ask(Method::GET, "", &Value::Null).await.problem(), (404, "not-found".into()));
}

#[tokio::test]
async fn a_result_of_the_sandbox_is_not_one_of_the_service() {
    let service = Service::new().await;
    let mut site = Program::begin(&service, &json!({ "number": TEST_NUMBER, "publish": false })).await;
    let heard = site.call("code").await;
    assert_eq!(heard["key_check"], Value::Null);
    let issued = site.ask(Method::POST, "/read-back", &json!({ "digits": heard["digits"] })).await.json();
    let result = issued["result"].as_str().unwrap();
    assert_eq!(service.authority.result_key().verify(Statement::Result, result), None);
    let header = header_of(result);
    let anchors = site.browser.get("/v1/sandbox/authority").await.json();
    let published = site.browser.get("/.well-known/jwks.json").await.json();
    assert_eq!(anchors["jwks"]["keys"][0]["kid"], header["kid"]);
    assert_ne!(published["keys"][0]["kid"], header["kid"]);
}

/// The header of a JWS.
fn header_of(jws: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jws.split('.').next().unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn the_wrong_turns_are_rehearsed_as_well() {
    let service = Service::new().await;
    let body = json!({ "number": TEST_NUMBER, "publish": false });
    let mut site = Program::begin(&service, &body).await;
    let refused = site.call("withheld").await;
    assert_eq!((&refused["status"], &refused["reason"]), (&json!(433), &json!("anonymous")));
    assert_eq!(site.look().await["happenings"][0]["what"], "refused");
    for left in (1..6).rev() {
        assert_eq!(site.call("wrong-code").await["tries_left"], left);
    }
    // The code is still right; the digits are then wrong three times.
    let heard = site.call("code").await;
    let wrong = if heard["digits"] == "123456" { "654321" } else { "123456" };
    for expected in [(422, "wrong-digits"), (422, "wrong-digits"), (409, "voided")] {
        let answer = site.ask(Method::POST, "/read-back", &json!({ "digits": wrong })).await;
        assert_eq!(answer.problem(), (expected.0, expected.1.into()));
    }
    assert_eq!(site.look().await["state"], "voided");
    assert_eq!(site.call("code").await["reason"], "no-session");
    let mut given_up = Program::begin(&service, &body).await;
    assert_eq!(given_up.ask(Method::DELETE, "", &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(given_up.look().await["state"], "expired");
    // A number that may be somebody's.
    let headers = [(CONTENT_TYPE, "application/json")];
    let body = json!({ "number": NUMBER, "publish": false }).to_string();
    let real = given_up.browser.send(Method::POST, AT, &headers, body).await;
    assert_eq!(real.problem(), (422, "number-kind".into()));
}

#[tokio::test]
async fn nobody_proves_a_test_number() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    let body = json!({ "number": TEST_NUMBER, "publish": false }).to_string();
    let headers = [(CONTENT_TYPE, "application/json")];
    let refused = browser.send(Method::POST, "/v1/verifications", &headers, body).await;
    assert_eq!(refused.problem(), (422, "number-kind".into()));
    assert!(refused.json()["detail"].as_str().unwrap().contains("/v1/sandbox"), "{refused:?}");
}

#[tokio::test]
async fn a_key_that_waits_and_its_end_are_rehearsed() {
    let service = Service::new().await;
    let mut app = Program::begin(&service, &with_key()).await;
    assert_eq!(app.call("suspend").await["certificates"], 0, "there is nothing to suspend");
    assert_eq!(app.meanwhile("hold-over").await.problem(), (409, "not-expected".into()));
    assert_eq!(app.meanwhile("another-key").await.status, StatusCode::OK);
    let held = app.prove().await;
    assert_eq!((&held["state"], &held["may_cancel"]), (&json!("held"), &json!(true)), "{held}");
    assert!(held["held_until"].is_string() && held["certificate_pem"].is_null(), "{held}");
    let issued = app.meanwhile("hold-over").await.json();
    assert_eq!((&issued["state"], &issued["level"]), (&json!("issued"), &json!("L2")), "{issued}");

    // Of two others, a call stops one, and its owner gives up the second.
    let mut others = [Program::begin(&service, &with_key()).await, Program::begin(&service, &with_key()).await];
    for other in &mut others {
        other.meanwhile("another-key").await;
        assert_eq!(other.prove().await["state"], "held");
    }
    let [stopped, given_up] = &mut others;
    let heard = stopped.call("suspend").await;
    assert_eq!((&heard["certificates"], &heard["suspended"]), (&json!(2), &json!(true)), "{heard}");
    let stopped = stopped.look().await;
    assert_eq!((&stopped["state"], &stopped["failure"]), (&json!("failed"), &json!(crate::issue::STOPPED)));
    assert_eq!(given_up.ask(Method::DELETE, "", &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(given_up.look().await["state"], "expired");
    // A signed result certifies no key: nothing waits.
    let mut site = Program::begin(&service, &json!({ "number": TEST_NUMBER, "publish": false })).await;
    assert_eq!(site.meanwhile("another-key").await.problem(), (409, "not-expected".into()));
}

#[tokio::test]
async fn suspending_is_rehearsed_until_it_is_final() {
    let service = Service::new().await;
    let mut app = Program::begin(&service, &with_key()).await;
    assert_eq!(app.prove().await["suspended_at"], Value::Null);
    let heard = app.call("suspend").await;
    assert_eq!((&heard["status"], &heard["certificates"], &heard["suspended"]), (&json!(200), &json!(1), &json!(true)));
    assert!(app.look().await["suspended_at"].is_string());
    let again = app.call("suspend").await;
    assert_eq!((&again["certificates"], &again["suspended"]), (&json!(1), &json!(false)), "{again}");
    let revoked = app.meanwhile("suspension-final").await.json();
    assert!(revoked["revoked_at"].is_string() && revoked["suspended_at"].is_null(), "{revoked}");
    assert_eq!(app.meanwhile("suspension-final").await.problem(), (409, "not-expected".into()));
    // As in the service, nobody is waited for any more.
    assert_eq!(app.call("suspend").await["reason"], "no-session");
}

/// A start with a key of its own.
fn with_key() -> Value {
    let key = rcgen::KeyPair::generate().unwrap();
    let pem = rcgen::CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    json!({ "number": TEST_NUMBER, "csr": pem, "publish": false })
}
