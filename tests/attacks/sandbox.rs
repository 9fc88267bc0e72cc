//! Somebody takes what the sandbox says, where no telephone is, to whoever wants a proof; or calls over its trunk, where nobody checks
//! whose number it is, for a real one.

use end_to_end::proving::happenings;
use ivr::phone::api::ApiError;
use ivr::phone::{CallPlan, Scenario, Stage};
use ivr_core::private::Private;
use reqwest::Method;
use serde_json::{Value, json};

use crate::scene::{CARRIER, OTHER_CARRIER, Scene, VICTIM, trunk};

/// A number of the sandbox.
const TEST_NUMBER: &str = "+12025550150";

impl Scene {
    /// What a program is answered, and with which status.
    fn ask(&self, method: Method, path: &str, secret: &str, body: &Value) -> (u16, Value) {
        self.runtime.block_on(self.asked(method, path, secret, body))
    }

    async fn asked(&self, method: Method, path: &str, secret: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.service.http());
        let request = reqwest::Client::new().request(method, url).bearer_auth(secret).json(body);
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// The bundle has nothing of the authority that signed these.
    fn is_not_in_the_bundle(&self, pems: &[&Value]) {
        let bundle = std::fs::read_to_string(self.service.bundle()).expect("a file");
        for pem in pems {
            let body: Vec<&str> = pem.as_str().expect("PEM").lines().filter(|line| !line.starts_with('-')).collect();
            assert!(!body.is_empty() && body.iter().all(|line| !bundle.contains(line)), "the bundle has it");
        }
    }

    /// No row tells of anything that was proved, suspended or counted.
    fn nothing_was_kept(&self) {
        for table in
            ["certificates", "intents", "records", "audit", "number_days WHERE wrong_codes > 0 OR fruitless_calls > 0"]
        {
            assert_eq!(self.count(table), 0, "{table}");
        }
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
    scene.is_not_in_the_bundle(&[&authority["root_pem"], &issued["chain_pem"]]);

    // Its id and secret open nothing of the service, nor does its key speak for the number.
    let real = format!("/v1/verifications/{id}");
    for (method, path) in [(Method::GET, real.clone()), (Method::POST, format!("{real}/read-back"))] {
        assert_eq!(scene.ask(method, &path, secret, &digits).0, 404, "{path}");
    }
    let owners = scene.begin(VICTIM);
    let (status, _) = scene.ask(Method::GET, &at.replace(id, &owners.id), owners.secret.expose(), &Value::Null);
    assert_eq!(status, 404, "the sandbox shows a verification of the service");
    // What is rehearsed with is nobody's, and proved by nobody.
    let refused = scene.try_to_begin(TEST_NUMBER);
    assert!(matches!(refused, Err(ApiError::Refused { status: 422, .. })), "{refused:?}");
    assert_eq!(scene.count("verifications"), 1);
}

/// The sandbox's number, which its trunk alone delivers.
const REHEARSED: &str = "+12025550109";

/// A carrier, and a trunk of the sandbox from another address.
fn with_a_trunk_of_the_sandbox() -> Scene {
    let sandbox =
        [("shared_addresses = false", "sandbox = true\nshared_addresses = false"), ("+12025550100", REHEARSED)];
    let trunks = trunk("carrier", CARRIER, &[]) + &trunk("rehearsals", OTHER_CARRIER, &sandbox);
    Scene::with(&format!("{trunks}\n[sandbox]\nnumbers = [\"{TEST_NUMBER}\"]\n"))
}

#[test]
fn a_call_over_the_sandboxs_trunk_walks_the_whole_way_and_proves_nothing() {
    let scene = with_a_trunk_of_the_sandbox();
    let own_key = rcgen::KeyPair::generate().expect("a key");
    let request = rcgen::CertificateParams::default().serialize_request(&own_key).expect("a request");
    let body = json!({ "number": TEST_NUMBER, "csr": request.pem().expect("PEM"), "publish": true });
    let (_, begun) = scene.ask(Method::POST, "/v1/sandbox/verifications", "", &body);
    let [id, secret, code] = ["id", "secret", "code"].map(|key| begun[key].as_str().expect("a text").to_owned());
    assert_eq!(begun["dial"]["number"], REHEARSED);
    let at = format!("/v1/sandbox/verifications/{id}");
    let rehearsed = |from, dialled: &str, scenario| CallPlan {
        dialled: dialled.to_owned(),
        scenario,
        code: Private::new(code.clone()),
        ..scene.plan(from, TEST_NUMBER)
    };

    // Over a real carrier nobody waits for it, whichever number is called.
    let real = scene.refused(rehearsed(CARRIER, crate::scene::DIALLED, Scenario::Happy), 480);
    scene.record(&real.call_id).is_refused(480, "no-session");
    scene.refused(rehearsed(CARRIER, REHEARSED, Scenario::Happy), 404);

    // Over its own trunk it is warned, keys in, confirms, hears digits, and hears what came of them.
    let call = scene.call_and_type(rehearsed(OTHER_CARRIER, REHEARSED, Scenario::Happy), async |digits| {
        let (status, _) =
            scene.asked(Method::POST, &format!("{at}/read-back"), &secret, &json!({ "digits": digits })).await;
        assert_eq!(status, 200, "the digits that the voice read");
    });
    let record = scene.record(&call.call_id);
    assert_eq!((record.outcome.as_str(), record.trunk.as_deref()), ("verified", Some("rehearsals")), "{record:?}");
    let (_, issued) = scene.ask(Method::GET, &at, &secret, &Value::Null);
    assert_eq!((&issued["state"], &issued["level"]), (&json!("issued"), &json!("L2")), "{issued}");
    let heard = issued["happenings"].as_array().expect("a list").iter().map(|one| one["what"].as_str().unwrap_or(""));
    let mut heard: Vec<&str> = heard.collect();
    // Steps and states take different ways to it.
    heard.sort_unstable();
    let all = ["calling", "code-matched", "confirmed", "confirming", "ended", "issued", "read-back", "reading-back"];
    assert_eq!(heard, all);

    // It is worth no more than any rehearsal.
    scene.nothing_was_kept();
    assert_eq!(scene.count("verifications"), 0);
    assert_eq!(scene.service.lookup(&format!("tel:{TEST_NUMBER}")).status.code(), Some(3), "it is in the directory");
    scene.is_not_in_the_bundle(&[&issued["chain_pem"]]);
}

#[test]
fn over_the_sandboxs_trunk_no_real_session_is_opened_counted_or_told() {
    let scene = with_a_trunk_of_the_sandbox();
    let (_, begun) =
        scene.ask(Method::POST, "/v1/sandbox/verifications", "", &json!({ "number": TEST_NUMBER, "publish": false }));
    assert_eq!(begun["sandbox"], true);
    let owners = scene.begin_with_key(VICTIM, true);
    let forged = |number: &str, scenario| CallPlan {
        dialled: REHEARSED.to_owned(),
        ..scene.plan_of(OTHER_CARRIER, number, &owners, scenario)
    };
    let refused = scene.refused(forged(VICTIM, Scenario::Happy), 480);
    scene.record(&refused.call_id).is_refused(480, "no-session");
    // The rehearsal's number is answered: no code but the rehearsal's is right, and a wrong one is nobody else's.
    let wrong = scene.call(forged(TEST_NUMBER, Scenario::ThreeWrongCodes));
    assert_eq!(scene.record(&wrong.call_id).outcome, "too-many-wrong-codes");
    // Nor does a call that ends for nothing use up its number's.
    let fruitless = scene.call(forged(TEST_NUMBER, Scenario::HangUp(Stage::Code)));
    assert_eq!(scene.record(&fruitless.call_id).outcome, "hung-up");
    scene.nothing_was_kept();
    assert_eq!(scene.count("verifications WHERE state = 'waiting' AND code_tries_left = 6"), 1);
    assert_eq!(happenings(&scene.service, &owners), [""; 0], "a page hears of calls that were for the sandbox");
    // The owner's call is for the owner's.
    let own = scene.call(scene.plan_of(CARRIER, VICTIM, &owners, Scenario::HangUp(Stage::Confirm)));
    assert_eq!(scene.record(&own.call_id).outcome, "hung-up");
    assert!(happenings(&scene.service, &owners).iter().any(|what| what == "code-matched"));
}

#[test]
fn over_the_sandboxs_trunk_a_nine_suspends_what_was_rehearsed_and_no_certificate() {
    let scene = with_a_trunk_of_the_sandbox();
    scene.prove(CARRIER, VICTIM, false);
    let nine = |number| CallPlan {
        dialled: REHEARSED.to_owned(),
        scenario: Scenario::Suspend,
        ..scene.plan(OTHER_CARRIER, number)
    };
    // Of a certificate of the service no call of the sandbox hears.
    let refused = scene.refused(nine(VICTIM), 480);
    scene.record(&refused.call_id).is_refused(480, "no-session");

    let own_key = rcgen::KeyPair::generate().expect("a key");
    let request = rcgen::CertificateParams::default().serialize_request(&own_key).expect("a request");
    let body = json!({ "number": TEST_NUMBER, "csr": request.pem().expect("PEM"), "publish": true });
    let (_, begun) = scene.ask(Method::POST, "/v1/sandbox/verifications", "", &body);
    let [id, secret] = ["id", "secret"].map(|key| begun[key].as_str().expect("a text").to_owned());
    let at = format!("/v1/sandbox/verifications/{id}");
    let (_, heard) = scene.ask(Method::POST, &format!("{at}/call"), &secret, &json!({ "does": "code" }));
    let (_, issued) =
        scene.ask(Method::POST, &format!("{at}/read-back"), &secret, &json!({ "digits": heard["digits"] }));
    assert_eq!((&issued["state"], &issued["suspended_at"]), (&json!("issued"), &Value::Null), "{issued}");

    let call = scene.call(nine(TEST_NUMBER));
    assert_eq!(scene.record(&call.call_id).outcome, "suspended", "{:?}", call.heard);
    let (_, suspended) = scene.ask(Method::GET, &at, &secret, &Value::Null);
    assert!(suspended["suspended_at"].is_string(), "{suspended}");
    assert_eq!((scene.count("certificates WHERE live = 1"), scene.count("revocations")), (1, 0));
    assert_eq!(scene.count("number_days WHERE suspensions > 0 OR fruitless_calls > 0"), 0);
    assert!(scene.audit().iter().all(|(_, action)| action != "suspend"));
}
