//! The directory over HTTP: what may be read and put, by whom, and what is refused.

use axum::body::to_bytes;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CONTENT_TYPE, RETRY_AFTER,
};
use axum::http::{Method, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ca::old_key::{Action, Statement, listed_keys};
use dht_client::backend::memory::Fault;
use dht_client::{Item, SigningKey};
use ed25519_dalek::Signer as _;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{Browser, Service};
use crate::clock::Clock;
use crate::hex;
use crate::verify::fixture::{device, request, sign, spki};

const IDENTITY: &str = "tel:+12025550143";
const BYTES: (axum::http::HeaderName, &str) = (CONTENT_TYPE, "application/octet-stream");

fn path(item: &Item) -> String {
    format!("/v1/items/{}/{}", hex::of(item.slot().key()), hex::of(item.slot().salt()))
}

async fn read(program: &mut Browser, path: &str) -> (StatusCode, Vec<u8>) {
    let response = program.exchange(Method::GET, path, &[], "").await;
    assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let status = response.status();
    let complete = response.headers().get("dialproof-complete").map(|complete| complete.as_bytes());
    assert_eq!(complete, status.is_success().then_some(&b"?1"[..]));
    (status, to_bytes(response.into_body(), 1 << 16).await.unwrap().to_vec())
}

async fn put(program: &mut Browser, path: &str, bytes: Vec<u8>) -> super::browser::Answer {
    program.send(Method::PUT, path, &[BYTES], bytes).await
}

fn now() -> OffsetDateTime {
    Clock.wall()
}

#[tokio::test]
async fn a_record_is_read_and_put_again_without_any_key() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    service.certified(request()).await;
    service.publish_now().await;
    let (_, item) = service.lookup(IDENTITY).await.unwrap();
    let (status, bytes) = read(&mut program, &path(&item)).await;
    assert_eq!((status, Item::from_bytes(&bytes, item.slot(), now())), (StatusCode::OK, Ok(item.clone())));
    assert_eq!(put(&mut program, &path(&item), bytes.clone()).await.status, StatusCode::NO_CONTENT);

    let key = service.authority.directory_key();
    let older = Item::sign(key, item.slot().salt(), item.seq() - 1, b"older".to_vec(), now()).unwrap();
    assert_eq!(put(&mut program, &path(&item), older.to_bytes()).await.problem(), (409, "not-expected".into()));
    let mut altered = bytes.clone();
    altered[50] ^= 1;
    let stranger = SigningKey::from_bytes(&[9; 32]);
    let forged = Item::sign(&stranger, item.slot().salt(), item.seq() + 1, b"forged".to_vec(), now()).unwrap();
    for wrong in [altered, forged.to_bytes(), b"".to_vec(), b"d1:ve".to_vec()] {
        assert_eq!(put(&mut program, &path(&item), wrong).await.problem(), (422, "invalid-field".into()));
    }
    let foreign = put(&mut program, &path(&forged), forged.to_bytes()).await;
    assert_eq!(foreign.problem(), (404, "foreign-slot".into()), "it is no way into a DHT for others");
    assert_eq!(read(&mut program, &path(&forged)).await.0, StatusCode::NOT_FOUND);
    let large = put(&mut program, &path(&item), vec![0; 1301]).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE, "{large:?}");
    assert_eq!(service.lookup(IDENTITY).await.unwrap().1, item, "nothing of that changed the record");
}

#[tokio::test]
async fn an_empty_slot_is_told_from_a_directory_that_does_not_answer() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let empty = Item::sign(service.authority.directory_key(), b"empty", 1, vec![], now()).unwrap();
    let nothing = program.send(Method::GET, &path(&empty), &[], "").await;
    assert_eq!(nothing.problem(), (404, "empty-slot".into()));
    service.dht.fail(Fault::Dead);
    assert_eq!(read(&mut program, &path(&empty)).await.0, StatusCode::SERVICE_UNAVAILABLE);
    let refused = put(&mut program, &path(&empty), empty.to_bytes()).await;
    assert_eq!(
        (refused.status, &refused.headers["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"2".parse().unwrap())
    );
    for wrong in
        ["/v1/items/00/00".to_owned(), format!("/v1/items/{}/zz", "ab".repeat(32)), "/v1/items/AB/00".to_owned()]
    {
        assert_eq!(read(&mut program, &wrong).await.0, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_is_allowed_to_ask() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let answer = program.send(Method::OPTIONS, "/v1/items/00/00", &[], "").await;
    assert_eq!(
        (answer.status, &answer.headers[ACCESS_CONTROL_ALLOW_METHODS]),
        (StatusCode::NO_CONTENT, &"GET, PUT".parse().unwrap())
    );
    let elsewhere = program.send(Method::GET, "/healthz", &[], "").await;
    assert!(!elsewhere.headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "nothing else is for other origins");
}

#[tokio::test]
async fn a_page_of_another_origin_is_told_to_wait() {
    let service = Service::new().await;
    let mut page = Browser::from("192.0.2.7", &service.router);
    let mut last = put(&mut page, "/v1/items/00/00", vec![]).await;
    for _ in 0..30 {
        last = put(&mut page, "/v1/items/00/00", vec![]).await;
    }
    assert_eq!(last.problem(), (429, "too-many-requests".into()));
    assert_eq!((last.header(ACCESS_CONTROL_ALLOW_ORIGIN), last.header(RETRY_AFTER)), ("*", "2"));
    assert!(last.header(ACCESS_CONTROL_EXPOSE_HEADERS).contains("retry-after"), "{last:?}");
}

#[tokio::test]
async fn a_location_key_is_listed_by_both_signatures_and_its_slots_are_served_from_then_on() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let (owner, csr) = device();
    let started = service.certified(csr).await;
    let serial = service.view(&started).await.certificate.unwrap().serial;
    let location = SigningKey::from_bytes(&[5; 32]);
    let item = Item::sign(&location, b"sip1", now().unix_timestamp(), b"sealed".to_vec(), now()).unwrap();
    assert_eq!(put(&mut program, &path(&item), item.to_bytes()).await.status, StatusCode::NOT_FOUND);

    let of_certificate = format!("/v1/certificates/{serial}");
    let given = program.send(Method::POST, &format!("{of_certificate}/nonce"), &[], "").await.json();
    let nonce = given["nonce"].as_str().unwrap().to_owned();
    let public = location.verifying_key().to_bytes();
    let key = Some(listed_keys(&public, Some(&[6; 32])));
    let statement = Statement { action: Action::Locate, about: &serial, nonce: Some(&nonce), key };
    let agreed = STANDARD.encode(location.sign(statement.text().as_bytes()).to_bytes());
    let body = json!({
        "nonce": nonce, "location_key": hex::of(&public), "kem_key": "06".repeat(32),
        "signature": sign(&owner, &statement).text(), "location_signature": agreed,
    });
    let json_type = [(CONTENT_TYPE, "application/json")];
    let listing = format!("{of_certificate}/location-key");
    for (field, value) in [
        ("location_key", json!(null)),
        ("location_signature", json!(null)),
        ("kem_key", json!("06")),
        ("location_key", json!("07".repeat(32))),
        ("signature", json!(agreed)),
    ] {
        let mut wrong: Value = body.clone();
        wrong[field] = value;
        let refused = program.send(Method::PUT, &listing, &json_type, wrong.to_string()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {refused:?}");
    }
    let done = program.send(Method::PUT, &listing, &json_type, body.to_string()).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{done:?}");
    assert_eq!(put(&mut program, &path(&item), item.to_bytes()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(read(&mut program, &path(&item)).await, (StatusCode::OK, item.to_bytes()));

    let under = |salt: &[u8]| Item::sign(&location, salt, now().unix_timestamp(), b"sealed".to_vec(), now()).unwrap();
    let other = under(b"files");
    let refused = put(&mut program, &path(&other), other.to_bytes()).await;
    assert_eq!(refused.problem(), (404, "foreign-slot".into()), "no location lies there");
    for salt in 1..8 {
        let of_friends = under(&[salt; 32]);
        assert_eq!(put(&mut program, &path(&of_friends), of_friends.to_bytes()).await.status, StatusCode::NO_CONTENT);
    }
    let ninth = under(&[8; 32]);
    let refused = put(&mut program, &path(&ninth), ninth.to_bytes()).await;
    assert_eq!(refused.problem(), (429, "too-many-requests".into()), "a day has few slots");
}

#[tokio::test]
async fn a_program_begins_a_verification_with_its_location_keys() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let ((owner, csr), location) = (device(), SigningKey::from_bytes(&[5; 32]));
    let about = hex::of(&spki(&csr));
    let json_type = [(CONTENT_TYPE, "application/json")];
    let given = program.send(Method::POST, &format!("/v1/keys/{about}/nonce"), &[], "").await.json();
    let nonce = given["nonce"].as_str().unwrap().to_owned();
    let public = location.verifying_key().to_bytes();
    let key = Some(listed_keys(&public, None));
    let statement = Statement { action: Action::Locate, about: &about, nonce: Some(&nonce), key };
    let agreed = STANDARD.encode(location.sign(statement.text().as_bytes()).to_bytes());
    let pem = format!(
        "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
        STANDARD.encode(&csr).as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n")
    );
    let body = json!({
        "number": "+12025550143", "csr": pem, "publish": true, "location": {
            "nonce": nonce, "location_key": hex::of(&public), "signature": sign(&owner, &statement).text(),
            "location_signature": agreed,
        },
    });
    for (field, value) in [
        ("location_key", json!("07".repeat(32))),
        ("location_key", json!("07")),
        ("kem_key", json!("06".repeat(32))),
        ("signature", json!(agreed)),
        ("nonce", json!("00".repeat(40))),
    ] {
        let mut wrong = body.clone();
        wrong["location"][field] = value;
        let refused = program.send(Method::POST, "/v1/verifications", &json_type, wrong.to_string()).await;
        assert_eq!(refused.problem(), (422, "invalid-field".into()), "{field}: {refused:?}");
    }
    let begun = program.send(Method::POST, "/v1/verifications", &json_type, body.to_string()).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
    let no_key = program.send(Method::POST, "/v1/keys/00/nonce", &[], "").await;
    assert_eq!(no_key.problem(), (422, "invalid-field".into()));
}

#[tokio::test]
async fn an_old_record_put_again_and_again_reaches_no_dht() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let key = service.authority.directory_key();
    let signed = |seq: i64| Item::sign(key, b"slot", now().unix_timestamp() - 100 + seq, vec![], now()).unwrap();
    let item = signed(5);
    assert_eq!(put(&mut program, &path(&item), item.to_bytes()).await.status, StatusCode::NO_CONTENT);
    service.dht.fail(Fault::Dead);
    assert_eq!(put(&mut program, &path(&item), item.to_bytes()).await.status, StatusCode::NO_CONTENT);
    let older = signed(4);
    assert_eq!(put(&mut program, &path(&older), older.to_bytes()).await.problem(), (409, "not-expected".into()));
    let later = signed(6);
    let refused = put(&mut program, &path(&later), later.to_bytes()).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "a later one is put");
}
