//! Certificate requests, and the certificate at the end.

use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, KeyUsagePurpose, SanType};
use serde_json::json;

use super::service::NUMBER;
use super::{Browser, Service};

/// A request by a new key, PEM.
fn request(change: impl FnOnce(&mut CertificateParams)) -> String {
    let mut params = CertificateParams::default();
    change(&mut params);
    params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap()
}

fn uri(uri: &str) -> SanType {
    SanType::URI(uri.try_into().unwrap())
}

/// A request whose signature another key made.
fn stolen() -> String {
    let pem = request(|_| {});
    let (mut pieces, last) = (pem.lines().map(str::to_owned).collect::<Vec<_>>(), pem.lines().count() - 2);
    // The last line of the base64 lies within the signature.
    let changed = if pieces[last].starts_with('A') { "B" } else { "A" };
    pieces[last].replace_range(0..1, changed);
    pieces.join("\n")
}

/// `openssl req -new -newkey rsa:1024 -nodes -subj /CN=x -outform pem`
const RSA_1024: &str = "-----BEGIN CERTIFICATE REQUEST-----
MIIBSzCBtQIBADAMMQowCAYDVQQDDAF4MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCB
iQKBgQDLmDQ/UnB1fOfGQ2d6zzkTNhPXR3IRa73P6fZMcXcBFq3otz3qEGqgY4Dt
MGmY5kQ7RgMZ9APKeyKyzZ+cFxydDQeUnuSSATb7xc2jK0uR+dasGjghy4okdZlP
euun84XrtV687tvdp2HCPsjcTQXvvT/ewbb24XnsqFPithMd2wIDAQABoAAwDQYJ
KoZIhvcNAQELBQADgYEAg4FGMTO7aifbIXXZomVa9UXbvgxHp8AYRbG51aRh0mBN
L3gpYidLbDKuxitRN26pGHVxMKnu5TwezHfPZRuJ4BqXfE77NjRCXC8Sv4GFLSFC
sV91VE+/JDUsUZdfTFsMXeUZqb5oSBKy9wi37HAoHrJpYBmM556PrJePM1bFJuQ=
-----END CERTIFICATE REQUEST-----
";

/// What a page calls, what is sent, what is said about it.
fn refused() -> Vec<(&'static str, String, &'static str)> {
    vec![
        ("no request", "hello".into(), "neither DER nor PEM"),
        (
            "an authority",
            request(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
            "asks to be a certificate authority",
        ),
        (
            "one that signs certificates",
            request(|params| params.key_usages = vec![KeyUsagePurpose::KeyCertSign]),
            "asks to be a certificate authority",
        ),
        (
            "another number",
            request(|params| params.subject_alt_names = vec![uri("tel:+12025550144")]),
            "another name than the one proved",
        ),
        (
            "a web site",
            request(|params| params.subject_alt_names = vec![SanType::DnsName("example.org".try_into().unwrap())]),
            "another name than the one proved",
        ),
        ("a stolen key", stolen(), "not signed by the key it carries"),
        ("a weak key", RSA_1024.into(), "a key of the type RSA-1024"),
        ("the private key", KeyPair::generate().unwrap().serialize_pem(), "it is a private key"),
    ]
}

#[tokio::test]
async fn a_refused_request_gives_the_form_again_with_what_to_change() {
    let service = Service::new().await;
    for (name, csr, hint) in refused() {
        let fields = [("number", NUMBER), ("publish", "yes"), ("csr", &csr)];
        let page = Browser::new(&service.router).submit("/", "/verifications", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        let (_, hints) = page.body.split_once("id=\"csr-hint\"").unwrap_or_else(|| panic!("{name}: {}", page.body));
        assert!(hints.split("</p>").next().unwrap().contains(hint), "{name}: {hints}");
        page.says("<details id=\"own\" data-used open>");
    }
}

#[tokio::test]
async fn a_refused_request_is_a_problem_with_what_to_change() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    for (name, csr, hint) in refused() {
        let body = json!({ "number": NUMBER, "publish": true, "csr": csr }).to_string();
        let answer = program.send(Method::POST, "/v1/verifications", &[(CONTENT_TYPE, "application/json")], body).await;
        assert_eq!(answer.problem(), (422, "certificate-request".into()), "{name}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(hint), "{name}: {}", answer.body);
        assert!(!answer.body.contains("0144"), "{name}: the other name is told");
    }
}

#[tokio::test]
async fn a_number_that_the_script_named_as_typed_is_shown_as_it_was_read() {
    let service = Service::new().await;
    let csr = request(|params| params.subject_alt_names = vec![uri("tel:+4402079460018")]);
    let fields = [("number", "+44 020 7946 0018"), ("publish", "yes"), ("csr", &csr), ("made", "1")];
    let page = Browser::new(&service.router).submit("/", "/verifications", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    page.says("We read this as +44 20 7946 0018. If that is right, continue.").says("value=\"+44 20 7946 0018\"");
    page.does_not_say("id=\"csr-hint\"").does_not_say("BEGIN CERTIFICATE REQUEST-----\nMI");
}

/// A verification on the page up to its end: the browser and the address.
async fn verified(service: &Service, csr: &str, publish: &str) -> (Browser, String) {
    let mut browser = Browser::new(&service.router);
    let fields = [("number", NUMBER), ("publish", publish), ("csr", csr)];
    let path = browser.submit("/", "/verifications", &fields).await.location();
    let page = browser.get(&path).await;
    let (_, from) = page.body.split_once("id=\"code\">").unwrap();
    let code = from.split_once('<').unwrap().0.replace(' ', "");
    let digits = service.call(&code).await;
    let typed = format!("{} {}", &digits[..3], &digits[3..]);
    let answer = browser.submit(&path, &format!("{path}/read-back"), &[("digits", &typed)]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, path.clone()), "{answer:?}");
    (browser, path)
}

#[tokio::test]
async fn the_certificate_page_shows_the_certificate_and_when_it_is_published() {
    let service = Service::new().await;
    let csr = request(|params| params.subject_alt_names = vec![uri("tel:+12025550143")]);
    let (mut browser, path) = verified(&service, &csr, "yes").await;
    let page = browser.get(&path).await;
    page.says("+1 202-555-0143</span> is verified")
        .says("<dd>L2: The call came over a carrier of the same country")
        .says("Issued, publishing");
    page.says("http-equiv=\"refresh\"").says("dialproof lookup tel:+12025550143 --ca bundle.pem");
    page.does_not_say("id=\"read-back\"");
    service.publish_now().await;
    let page = browser.get(&path).await;
    page.says("Published in memory, slot ").does_not_say("http-equiv=\"refresh\"");

    let file = browser.get(&format!("{path}/certificate.pem")).await;
    assert_eq!(file.header(CONTENT_DISPOSITION), "attachment; filename=\"certificate.pem\"");
    assert_eq!(file.body.matches("BEGIN CERTIFICATE").count(), 2);
    assert_eq!(Browser::new(&service.router).get(&format!("{path}/certificate.pem")).await.status, 404);
}

#[tokio::test]
async fn who_does_not_publish_is_told_of_no_directory() {
    let service = Service::new().await;
    let (mut browser, path) = verified(&service, &request(|_| {}), "no").await;
    let page = browser.get(&path).await;
    page.says("Not published, as you asked.").does_not_say("dialproof lookup").does_not_say("http-equiv=\"refresh\"");
}

#[tokio::test]
async fn without_a_request_there_is_a_signed_statement() {
    let service = Service::new().await;
    let (mut browser, path) = verified(&service, "", "no").await;
    let page = browser.get(&path).await;
    page.says("there is no certificate").does_not_say("BEGIN CERTIFICATE");
    let (_, from) = page.body.split_once("aria-label=\"Signed statement\">").unwrap();
    let claims = service
        .authority
        .result_key()
        .verify(ca::signed_result::Statement::Result, from.split_once('<').unwrap().0)
        .unwrap();
    assert_eq!(claims["sub"], "tel:+12025550143");
    assert_eq!(browser.get(&format!("{path}/certificate.pem")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_program_gets_the_certificate_its_chain_and_its_record() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let body = json!({ "number": NUMBER, "publish": true, "csr": request(|_| {}) }).to_string();
    let json_type = (CONTENT_TYPE, "application/json");
    let begun = program.send(Method::POST, "/v1/verifications", std::slice::from_ref(&json_type), body).await.json();
    let digits = service.call(begun["code"].as_str().unwrap()).await;
    let bearer = format!("Bearer {}", begun["secret"].as_str().unwrap());
    let path = format!("/v1/verifications/{}", begun["id"].as_str().unwrap());
    let token = ("authorization".parse().unwrap(), bearer.as_str());
    let body = json!({ "digits": digits }).to_string();
    let headers = [token.clone(), json_type];
    let taken = program.send(Method::POST, &format!("{path}/read-back"), &headers, body.clone()).await;
    assert_eq!((taken.status, &taken.json()["state"]), (StatusCode::OK, &json!("issued")), "{taken:?}");
    let again = program.send(Method::POST, &format!("{path}/read-back"), &headers, body).await;
    assert_eq!(again.problem(), (409, "not-expected".into()));

    let issued = program.send(Method::GET, &path, std::slice::from_ref(&token), "").await.json();
    assert_eq!((&issued["level"], &issued["dht"]["published"]), (&json!("L2"), &json!(false)));
    assert_eq!(issued["next_look_seconds"], 2);
    for (field, part) in
        [("certificate_pem", "BEGIN CERTIFICATE"), ("chain_pem", "BEGIN CERTIFICATE"), ("not_after", "T")]
    {
        assert!(issued[field].as_str().unwrap().contains(part), "{field}: {issued}");
    }
    service.publish_now().await;
    let published = program.send(Method::GET, &path, std::slice::from_ref(&token), "").await.json();
    let dht = &published["dht"];
    assert_eq!((&dht["published"], &dht["backend"]), (&json!(true), &json!("memory")));
    assert!(dht["bytes"].as_u64().unwrap() > 100 && dht["seq"].as_i64().unwrap() > 0, "{dht}");
    assert!(published.get("next_look_seconds").is_none());
    // Now nothing more can happen, and the stream has an end.
    program.send(Method::GET, &format!("{path}/events"), &[token], "").await.says("\"published\":true");
}

#[tokio::test]
async fn the_authority_publishes_bundle_lists_and_keys() {
    let service = Service::new().await;
    let mut program = Browser::new(&service.router);
    let bundle = program.get("/ca/bundle.pem").await;
    bundle.says("DIALPROOF DIRECTORY TERMS");
    for list in ["/ca/tel.crl", "/ca/email.crl"] {
        let answer = program.get(list).await;
        assert_eq!((answer.status, answer.header(CONTENT_TYPE)), (StatusCode::OK, "application/pkix-crl"), "{list}");
        assert!(answer.header("cache-control").starts_with("public, max-age="), "{list}");
    }
    let keys = program.get("/.well-known/jwks.json").await;
    assert_eq!(keys.header(CONTENT_TYPE), "application/jwk-set+json");
    assert_eq!(keys.json()["keys"][0]["alg"], "ES256");
    let health = program.get("/healthz").await;
    let expected = json!({ "status": "ok", "database": true, "authority": true,
        "directory": [{ "backend": "mainline", "reachable": 3, "configured": 3 }] });
    assert_eq!((health.status, health.json()), (StatusCode::OK, expected));
}
