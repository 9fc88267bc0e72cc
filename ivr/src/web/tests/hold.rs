//! A change of key, the old key and the consent to publish, as pages and programs meet them.

use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ca::old_key::{Action, Statement};
use rcgen::{CertificateParams, KeyPair, SigningKey};
use serde_json::{Value, json};

use super::browser::Answer;
use super::service::NUMBER;
use super::{Browser, Service};
use crate::hex;
use crate::verify::fixture::{device, request, sign, spki};

/// A program with its key.
struct Device {
    key: KeyPair,
    csr: String,
}

impl Device {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let csr = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
        Self { key, csr }
    }

    fn spki(&self) -> [u8; 32] {
        ca::Request::parse(self.csr.as_bytes()).unwrap().spki_sha256()
    }

    fn sign(&self, statement: &Statement<'_>) -> String {
        STANDARD.encode(self.key.sign(statement.text().as_bytes()).unwrap())
    }
}

async fn send(program: &mut Browser, method: Method, path: &str, secret: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {secret}");
    let headers = [(AUTHORIZATION, bearer.as_str()), (CONTENT_TYPE, "application/json")];
    program.send(method, path, &headers, body.to_string()).await
}

/// A number proved by this device: the verification's path and secret, and what it says in the end.
async fn prove(service: &Service, program: &mut Browser, device: &Device) -> (String, String, Value) {
    let body = json!({ "number": NUMBER, "publish": true, "csr": device.csr });
    let begun = send(program, Method::POST, "/v1/verifications", "", &body).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
    let (path, json) = (begun.location(), begun.json());
    let digits = service.call(json["code"].as_str().unwrap()).await;
    let secret = json["secret"].as_str().unwrap().to_owned();
    let typed = send(program, Method::POST, &format!("{path}/read-back"), &secret, &json!({ "digits": digits })).await;
    assert_eq!(typed.status, StatusCode::OK, "{typed:?}");
    let said = typed.json();
    (path, secret, said)
}

/// A statement about a certificate, over the nonce that is given for it.
async fn state(
    program: &mut Browser,
    device: &Device,
    (serial, action): (&str, Action),
    key: Option<[u8; 32]>,
    mut more: Value,
) -> Answer {
    let path = format!("/v1/certificates/{serial}");
    let given = send(program, Method::POST, &format!("{path}/nonce"), "", &Value::Null).await.json();
    let nonce = given["nonce"].as_str().unwrap();
    more["nonce"] = nonce.into();
    more["signature"] = device.sign(&Statement { action, about: serial, nonce: Some(nonce), key }).into();
    send(program, Method::POST, &format!("{path}/{}", action.name()), "", &more).await
}

#[tokio::test]
async fn a_program_is_told_that_its_key_waits_and_goes_on_with_the_old_key() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let (old, new) = (Device::new(), Device::new());
    let (first, first_secret, said) = prove(&service, &mut program, &old).await;
    assert_eq!(said["state"], "issued");
    let (path, secret, said) = prove(&service, &mut program, &new).await;
    assert_eq!(
        (&said["state"], &said["may_cancel"], &said["next_look_seconds"]),
        (&json!("held"), &json!(true), &json!(60))
    );
    // The stream does not stay for the day.
    let events = format!("{path}/events");
    let stream = send(&mut program, Method::GET, &events, &secret, &Value::Null);
    let told = tokio::time::timeout(Duration::from_secs(30), stream).await.expect("the stream ends");
    assert!(told.body.contains("\"state\":\"held\""), "{told:?}");
    let until = said["held_until"].clone();
    assert!(until.as_str().unwrap().ends_with('Z'), "{said}");
    let seen = send(&mut program, Method::GET, &first, &first_secret, &Value::Null).await.json();
    assert_eq!(seen["pending"]["until"], until);
    assert_eq!(seen["pending"]["key"], hex::of(&new.spki()));

    let old_key = format!("{path}/old-key");
    let id = path.rsplit('/').next().unwrap();
    let statement = Statement { action: Action::Change, about: id, nonce: None, key: Some(new.spki()) };
    let garbled = send(&mut program, Method::POST, &old_key, &secret, &json!({ "signature": "?" })).await;
    assert_eq!(garbled.problem(), (422, "invalid-field".into()));
    let own = send(&mut program, Method::POST, &old_key, &secret, &json!({ "signature": new.sign(&statement) })).await;
    assert_eq!(own.problem(), (422, "old-key".into()));
    let signed = json!({ "signature": old.sign(&statement) });
    let right = send(&mut program, Method::POST, &old_key, &secret, &signed).await;
    assert_eq!((right.status, &right.json()["state"]), (StatusCode::OK, &json!("issued")));
    let late = send(&mut program, Method::POST, &old_key, &secret, &signed).await;
    assert_eq!(late.problem(), (409, "not-expected".into()));
    let seen = send(&mut program, Method::GET, &first, &first_secret, &Value::Null).await.json();
    assert!(seen["revoked_at"].is_string() && seen["pending"].is_null(), "{seen}");
}

#[tokio::test]
async fn the_key_of_a_certificate_renews_stops_and_withdraws_by_its_signature() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let (owner, thief) = (Device::new(), Device::new());
    let (_, _, said) = prove(&service, &mut program, &owner).await;
    let serial = said["serial"].as_str().unwrap().to_owned();
    let (stopped, secret, _) = prove(&service, &mut program, &thief).await;
    let veto = (serial.as_str(), Action::Veto);
    let body = json!({ "key": hex::of(&thief.spki()) });
    let refused = state(&mut program, &thief, veto, Some(thief.spki()), body.clone()).await;
    assert_eq!(refused.problem(), (422, "old-key".into()));
    let done = state(&mut program, &owner, veto, Some(thief.spki()), body.clone()).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{done:?}");
    let seen = send(&mut program, Method::GET, &stopped, &secret, &Value::Null).await.json();
    assert_eq!(seen["state"], "failed");
    let again = state(&mut program, &owner, veto, Some(thief.spki()), body).await;
    assert_eq!(again.problem(), (409, "not-expected".into()));
    let shorter = state(&mut program, &owner, veto, Some(thief.spki()), json!({ "key": "00" })).await;
    assert_eq!(shorter.problem(), (422, "invalid-field".into()));

    let body = json!({ "csr": owner.csr, "publish": true });
    let early = state(&mut program, &owner, (&serial, Action::Renew), Some(owner.spki()), body.clone()).await;
    assert_eq!(early.problem(), (409, "not-expected".into()));
    assert!(early.json()["detail"].as_str().unwrap().contains("less than a day ago: it can be renewed from 2"));
    service.database.store.age_certificates().await;
    let renewed = state(&mut program, &owner, (&serial, Action::Renew), Some(owner.spki()), body).await;
    assert_eq!(renewed.status, StatusCode::OK, "{renewed:?}");
    let renewed = renewed.json()["serial"].as_str().unwrap().to_owned();
    assert_ne!(renewed, serial);
    let withdraw = state(&mut program, &owner, (&renewed, Action::Withdraw), None, json!({})).await;
    assert_eq!(withdraw.status, StatusCode::NO_CONTENT, "{withdraw:?}");
    // A serial number that nobody has is answered like a wrong signature.
    let unknown = "5a".repeat(20);
    let nobody = state(&mut program, &owner, (&unknown, Action::Withdraw), None, json!({})).await;
    assert_eq!(nobody.problem(), (422, "old-key".into()));
    let none = send(&mut program, Method::POST, "/v1/certificates/xyz/nonce", "", &Value::Null).await;
    assert_eq!(none.problem(), (404, "not-found".into()));
}

#[tokio::test]
async fn the_page_says_until_when_its_key_waits_and_lets_its_owner_give_up() {
    let service = Service::new().await;
    service.certified(request()).await;
    let waiting = service.certified(request()).await;
    let mut visitor = Browser::new(&service.router);
    let path = format!("/verifications/{}", waiting.id);
    visitor.keep(&format!("session={}; Path={path}", waiting.secret.expose()));
    visitor.get(&path).await.says("its new key waits").says(&format!("data-page=\"{path}\""));
    let gone = visitor.submit(&path, &format!("{path}/cancel"), &[]).await;
    assert_eq!(gone.location(), "/");
    assert_eq!(service.view(&waiting).await.state, crate::verify::State::Expired);
}

#[tokio::test]
async fn on_the_page_the_old_key_signs_for_the_new_one() {
    let service = Service::new().await;
    let (old, csr) = device();
    service.certified(csr).await;
    let csr = request();
    let waiting = service.certified(csr.clone()).await;
    let mut visitor = Browser::new(&service.router);
    let path = format!("/verifications/{}", waiting.id);
    visitor.keep(&format!("session={}; Path={path}", waiting.secret.expose()));
    let key = hex::of(&spki(&csr));
    visitor.get(&path).await.says(&format!("data-id=\"{}\" data-key=\"{key}\"", waiting.id));

    let about = waiting.id.to_string();
    let mut consent = Statement { action: Action::Change, about: &about, nonce: None, key: Some(spki(&request())) };
    let for_another = sign(&old, &consent).text();
    consent.key = Some(spki(&csr));
    let by_another = sign(&device().0, &consent).text();
    let ours = sign(&old, &consent).text();
    for signature in ["", "AAAA", &for_another, &by_another] {
        let answer = visitor.submit(&path, &format!("{path}/old-key"), &[("signature", signature)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{signature}");
        answer.says("role=\"alert\"").says("its new key waits");
    }
    let released = visitor.submit(&path, &format!("{path}/old-key"), &[("signature", &ours)]).await;
    assert_eq!(released.location(), path);
    visitor.get(&path).await.says("is verified");
}

#[tokio::test]
async fn the_owner_takes_the_record_out_of_the_directory_and_keeps_the_certificate() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let csr = request();
    let started = service.certified(csr.clone()).await;
    service.publish_now().await;
    let (path, secret) = (format!("/verifications/{}", started.id), started.secret.expose());
    let mut visitor = Browser::new(&service.router);
    visitor.keep(&format!("session={secret}; Path={path}"));
    visitor.get(&path).await.says("Take it out of the directory");
    let back = visitor.submit(&path, &format!("{path}/withdraw"), &[]).await;
    assert_eq!(back.location(), path);
    service.publish_now().await;
    visitor.get(&path).await.says("Withdrawn").does_not_say("Take it out");

    let resource = format!("/v1{path}");
    let seen = send(&mut program, Method::GET, &resource, secret, &Value::Null).await.json();
    assert_eq!((&seen["state"], &seen["dht"]["says"]), (&json!("issued"), &json!("revoked")));
    assert!(seen["revoked_at"].is_null());
    let again = send(&mut program, Method::DELETE, &format!("{resource}/record"), secret, &Value::Null).await;
    assert_eq!(again.problem(), (409, "not-expected".into()));
    let foreign = send(&mut program, Method::DELETE, &format!("{resource}/record"), "wrong", &Value::Null).await;
    assert_eq!(foreign.problem(), (404, "not-found".into()));
    // A program does the same with what was published anew.
    let started = service.certified(csr).await;
    let resource = format!("/v1/verifications/{}/record", started.id);
    let done = send(&mut program, Method::DELETE, &resource, started.secret.expose(), &Value::Null).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{done:?}");
}

#[tokio::test]
async fn a_page_takes_what_its_key_renewed_out_of_the_directory() {
    let service = Service::new().await;
    let (mut program, owner) = (Browser::new(&service.router), Device::new());
    let (first, secret, said) = prove(&service, &mut program, &owner).await;
    let serial = said["serial"].as_str().unwrap();
    service.database.store.age_certificates().await;
    let body = json!({ "csr": owner.csr, "publish": true });
    let renewed = state(&mut program, &owner, (serial, Action::Renew), Some(owner.spki()), body).await;
    assert_eq!(renewed.status, StatusCode::OK, "{renewed:?}");
    service.publish_now().await;
    let path = first.strip_prefix("/v1").unwrap();
    let mut visitor = Browser::new(&service.router);
    visitor.keep(&format!("session={secret}; Path={path}"));
    visitor.get(path).await.says("Another certificate took the place").does_not_say("as you asked");
    let back = visitor.submit(path, &format!("{path}/withdraw"), &[]).await;
    assert_eq!(back.location(), path);
    let serial = ca::Serial::parse(renewed.json()["serial"].as_str().unwrap()).unwrap();
    let record = service.issue.certificate(&serial).await.unwrap().record.unwrap();
    assert_eq!(record.says, crate::issue::Says::Revoked);
}

#[tokio::test]
async fn the_page_of_a_revoked_certificate_does_not_say_that_its_owner_withdrew_it() {
    let service = Service::new().await;
    let started = service.certified(request()).await;
    let serial = ca::Serial::parse(&service.view(&started).await.certificate.unwrap().serial).unwrap();
    service.issue.revoke(&serial, ca::Reason::CessationOfOperation, "operator", service.now).await.unwrap();
    service.publish_now().await;
    let mut visitor = Browser::new(&service.router);
    let path = format!("/verifications/{}", started.id);
    visitor.keep(&format!("session={}; Path={path}", started.secret.expose()));
    visitor.get(&path).await.says("Revoked: the directory").does_not_say("Withdrawn");
}
