//! Somebody takes what the sandbox says, where no telephone is, to whoever wants a proof.

use ivr::phone::{Scenario, Stage};
use reqwest::Method;
use serde_json::{Value, json};

use crate::scene::{CARRIER, Scene, trunk};

/// A number of the sandbox.
const TEST_NUMBER: &str = "+12025550150";

impl Scene {
    /// What a program is answered, and with which status.
    fn ask(&self, method: Method, path: &str, secret: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.service.http());
        self.runtime.block_on(async {
            let request = reqwest::Client::new().request(method, url).bearer_auth(secret).json(body);
            let answer = request.send().await.expect("an answer");
            (answer.status().as_u16(), answer.json().await.unwrap_or_default())
        })
    }
}

#[test]
fn what_is_rehearsed_proves_nothing_to_anybody() {
    let config = format!("\n[sandbox]\nnumbers = [\"{TEST_NUMBER}\"]\n");
    let scene = Scene::found(&trunk("carrier", CARRIER, &[]), |before| before + &config);
    let own_key = rcgen::KeyPair::generate().expect("a key");
    let request = rcgen::CertificateParams::default().serialize_request(&own_key).expect("a request");
    let body = json!({ "number": TEST_NUMBER, "csr": request.pem().expect("PEM"), "publish": true });
    let (status, begun) = scene.ask(Method::POST, "/v1/sandbox/verifications", "", &body);
    assert_eq!((status, &begun["sandbox"]), (201, &json!(true)), "{begun}");
    let (id, secret) = (begun["id"].as_str().expect("an id"), begun["secret"].as_str().expect("a secret"));
    let at = format!("/v1/sandbox/verifications/{id}");
    let (_, heard) = scene.ask(Method::POST, &format!("{at}/call"), secret, &json!({ "does": "code" }));
    let digits = json!({ "digits": heard["digits"] });
    let (status, issued) = scene.ask(Method::POST, &format!("{at}/read-back"), secret, &digits);
    assert_eq!((status, &issued["state"], &issued["sandbox"]), (200, &json!("issued"), &json!(true)), "{issued}");

    // No row tells of it, nobody finds it, and no call of the number is waited for.
    for table in ["verifications", "certificates", "intents", "records", "audit"] {
        assert_eq!(scene.count(table), 0, "{table}");
    }
    assert_eq!(scene.service.lookup(&format!("tel:{TEST_NUMBER}")).status.code(), Some(3), "it is in the directory");
    let call = scene.refused(scene.plan(CARRIER, TEST_NUMBER), 480);
    scene.record(&call.call_id).is_refused(480, "no-session");
    // Relying parties hold it against the bundle, whose authority did not sign it.
    let (_, authority) = scene.ask(Method::GET, "/v1/sandbox/authority", "", &Value::Null);
    let bundle = std::fs::read_to_string(scene.service.bundle()).expect("a file");
    for pem in [&authority["root_pem"], &issued["chain_pem"]] {
        let body: Vec<&str> = pem.as_str().expect("PEM").lines().filter(|line| !line.starts_with('-')).collect();
        assert!(!body.is_empty() && body.iter().all(|line| !bundle.contains(line)), "the bundle has it");
    }

    // Its id and secret open nothing of the service, nor does its key speak for the number.
    let real = format!("/v1/verifications/{id}");
    for (method, path) in [(Method::GET, real.clone()), (Method::POST, format!("{real}/read-back"))] {
        assert_eq!(scene.ask(method, &path, secret, &digits).0, 404, "{path}");
    }
    let owners = scene.begin(TEST_NUMBER);
    let (status, _) = scene.ask(Method::GET, &at.replace(id, &owners.id), owners.secret.expose(), &Value::Null);
    assert_eq!(status, 404, "the sandbox shows a verification of the service");
    let call = scene.call(scene.plan_of(CARRIER, TEST_NUMBER, &owners, Scenario::HangUp(Stage::Confirm)));
    assert_eq!(call.status, Some(200), "a real verification of the number has nothing to do with it");
}
