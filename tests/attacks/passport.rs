//! Signed identities (RFC 8224): an old one played again, one for a forwarded call, one whose certificate lies where
//! the service itself would be made to knock. None of them may do anything but harm to its own call, whether signatures are
//! verified or not.

use std::net::TcpListener;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use end_to_end::own_network::run_inside;
use end_to_end::shaken::INSIDE;
use ivr::phone::Scenario;
use ivr::phone::api::Start;
use serde_json::json;

use crate::provider::Provider;
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

/// The same where the port would do, and by a name that leads there.
#[test]
#[cfg_attr(not(own_network), ignore = "needs a network of its own: tests/run runs it")]
fn at_the_port_of_certificates_nobody_knocks_inside_either() {
    run_inside("passport::at_the_port_of_certificates_nobody_knocks_inside_either", || {
        let provider = Provider::new();
        let scene = provider.scene(&provider.anchors(), "");
        scene.begin(VICTIM);
        let inside = TcpListener::bind("127.0.0.1:443").expect("root in its network");
        inside.set_nonblocking(true).expect("a socket");
        for host in ["127.0.0.1", INSIDE] {
            let mut plan = scene.plan(CARRIER, VICTIM);
            let token = identity("shaken", "A", &format!("https://{host}/leaf.pem"));
            plan.identity = plan.identity.with("Identity", token);
            let record = scene.record(&scene.refused(plan, 436).call_id);
            assert_eq!(record.lines[0], ("signed".to_owned(), "x5u-not-public".to_owned()), "{host}: {record:?}");
        }
        assert!(inside.accept().is_err(), "the service fetched what a caller pointed at");
    });
}

/// Nothing is wrong with the token but that somebody else has it, too: whoever is first, there is no second.
#[test]
#[cfg_attr(not(own_network), ignore = "needs a network of its own: tests/run runs it")]
fn one_that_is_right_completes_one_verification_however_often_and_at_once_it_is_played() {
    const NAME: &str = "passport::one_that_is_right_completes_one_verification_however_often_and_at_once_it_is_played";
    run_inside(NAME, || {
        let provider = Provider::new();
        let scene = provider.scene(&provider.anchors(), "");
        // Whole calls pass before it is played for the last time, and that still in its minute.
        let token = provider.signs(VICTIM, 55);
        let playing = async || {
            let start = Start { number: VICTIM, csr: None, publish: false, locale: "en" };
            let started = scene.api.start(&start).await.expect("a verification");
            let mut plan = scene.plan_of(CARRIER, VICTIM, &started, Scenario::Happy);
            plan.identity = plan.identity.with("Identity", token.clone());
            let call = scene.calling(plan, async |digits| scene.api.type_in(&started, &digits).await.expect("right"));
            let call = call.await;
            (started, call)
        };
        let (one, other) = scene.runtime.block_on(async { tokio::join!(playing(), playing()) });
        let mut ended = Vec::new();
        for (started, call) in [&one, &other] {
            assert_eq!(call.status, Some(200), "both came before one had served: {call:?}");
            let record = scene.record(&call.call_id);
            assert_eq!(record.level, Some(3), "{record:?}");
            ended.push((scene.look(started).state == "issued", record.outcome == "verified"));
        }
        ended.sort_unstable();
        assert_eq!(ended, [(false, false), (true, true)], "one verification, and its call");
        assert_eq!(scene.count("audit WHERE actor = 'call' AND action = 'signed'"), 1);

        let started = scene.begin(VICTIM);
        let mut plan = scene.plan_of(CARRIER, VICTIM, &started, Scenario::Happy);
        plan.identity = plan.identity.with("Identity", token);
        let record = scene.record(&scene.refused(plan, 438).call_id);
        assert_eq!(record.refusal, Some((438, "invalid-identity".to_owned())), "{record:?}");
        assert_eq!(record.lines[0], ("signed".to_owned(), "replayed".to_owned()), "{record:?}");
        assert_eq!(scene.look(&started).state, "waiting");
        // Nor is a call without it worth what one with it was.
        let record = scene.record(&scene.refused(scene.plan(CARRIER, VICTIM), 403).call_id);
        record.is_refused(403, "below-issuing-level");
    });
}
