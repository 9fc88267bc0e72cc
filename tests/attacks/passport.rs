//! Signed identities (RFC 8224): an old one played again, one for a forwarded call, one whose certificate lies where
//! the service itself would be made to knock. None of them may do anything but harm to its own call, whether signatures are
//! verified or not.

use std::net::TcpListener;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::scene::{CARRIER, DIALLED, Scene, VICTIM, trunk};

/// An Identity header of this kind with a made-up signature; its certificate would lie at `x5u`.
fn identity(ppt: &str, attest: &str, x5u: &str) -> String {
    identity_of(ppt, attest, x5u, VICTIM, 0)
}

/// The same about this caller, and so many seconds old.
fn identity_of(ppt: &str, attest: &str, x5u: &str, caller: &str, age: i64) -> String {
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({ "alg": "ES256", "ppt": ppt, "typ": "passport", "x5u": x5u }));
    let now = ivr::clock::Clock.wall().unix_timestamp() - age;
    let claims = part(json!({
        "attest": attest,
        "dest": { "tn": [DIALLED.trim_start_matches('+')] },
        "iat": now,
        "orig": { "tn": caller.trim_start_matches('+') },
        "origid": "9d1a2c7e-0000-4000-8000-000000000000",
    }));
    format!("{header}.{claims}.{};info=<{x5u}>;alg=ES256;ppt={ppt}", URL_SAFE_NO_PAD.encode([7; 64]))
}

#[test]
fn one_played_twice_raises_nothing_and_nobody_knocks_where_it_points() {
    let scene = Scene::plain();
    scene.begin(VICTIM);
    let inside = TcpListener::bind("127.0.0.1:0").expect("a port");
    inside.set_nonblocking(true).expect("a socket");
    let address = inside.local_addr().expect("it is bound");
    for scheme in ["https", "http"] {
        let token = identity("shaken", "A", &format!("{scheme}://{address}/certificate.pem"));
        for _ in 0..2 {
            let mut plan = scene.plan(CARRIER, VICTIM);
            plan.identity = plan.identity.with("Identity", token.clone());
            let call = scene.call(plan);
            assert_eq!(call.status, Some(200));
            assert_eq!(scene.record(&call.call_id).level, Some(2), "what nobody verified earned something");
        }
    }
    assert!(inside.accept().is_err(), "the service fetched what a caller pointed at");
}

#[test]
fn one_of_a_forwarded_call_or_of_a_doubting_carrier_is_refused() {
    let scene = Scene::plain();
    scene.begin(VICTIM);
    let table =
        [("div", "A", "forwarded"), ("shaken", "B", "below-issuing-level"), ("shaken", "C", "below-issuing-level")];
    for (ppt, attest, reason) in table {
        let mut plan = scene.plan(CARRIER, VICTIM);
        plan.identity = plan.identity.with("Identity", identity(ppt, attest, "https://certificates.example/a.pem"));
        scene.record(&scene.refused(plan, 403).call_id).is_refused(403, reason);
    }
    assert_eq!(scene.figure("sip_answered_total"), 0);
}

#[test]
fn where_they_are_verified_a_bad_one_is_refused_and_nobody_knocks_inside() {
    let hands_on = trunk(
        "carrier",
        CARRIER,
        &[("keeps_diversion = \"yes\"", "keeps_diversion = \"yes\"\nidentity_passthrough = true")],
    );
    let anchors = concat!(env!("CARGO_MANIFEST_DIR"), "/../ivr/core/scenarios/passport/root.pem");
    let scene = Scene::found(&hands_on, |config| format!("{config}\n[passports]\nanchors = \"{anchors}\"\n"));
    scene.begin(VICTIM);
    let inside = TcpListener::bind("127.0.0.1:0").expect("a port");
    inside.set_nonblocking(true).expect("a socket");
    let address = inside.local_addr().expect("it is bound");
    let here = format!("https://{address}/certificate.pem");
    let table = [
        (identity("shaken", "A", &here), 436, "bad-identity-info", "x5u-not-public"),
        (
            identity("shaken", "A", &format!("http://{address}/certificate.pem")),
            436,
            "bad-identity-info",
            "malformed-x5u",
        ),
        (identity("shaken", "Z", &here), 438, "invalid-identity", "malformed-attest"),
        (identity_of("shaken", "A", &here, VICTIM, 61), 403, "stale-identity", "stale"),
        (identity_of("shaken", "A", &here, VICTIM, -3_600), 403, "stale-identity", "future"),
        (identity_of("shaken", "A", &here, "+12025550199", 0), 438, "invalid-identity", "other-orig"),
    ];
    for (token, status, reason, fault) in table {
        let mut plan = scene.plan(CARRIER, VICTIM);
        plan.identity = plan.identity.with("Identity", token);
        let record = scene.record(&scene.refused(plan, status).call_id);
        assert_eq!(record.refusal, Some((i64::from(status), reason.to_owned())), "{record:?}");
        let signed = ("signed".to_owned(), fault.to_owned());
        assert_eq!(record.lines, [signed, ("refused".to_owned(), reason.to_owned())], "{record:?}");
    }
    let mut plan = scene.plan(CARRIER, VICTIM);
    plan.identity =
        plan.identity.with("Identity", identity("shaken", "A", &here)).with("y", identity("shaken", "A", &here));
    scene.record(&scene.refused(plan, 438).call_id).is_refused(438, "invalid-identity");
    // One that nobody signed is worth what its trunk is.
    let call = scene.call(scene.plan(CARRIER, VICTIM));
    assert_eq!((call.status, scene.record(&call.call_id).level), (Some(200), Some(2)));
    assert!(inside.accept().is_err(), "the service fetched what a caller pointed at");
}
