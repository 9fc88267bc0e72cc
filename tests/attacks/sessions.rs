//! Visitors of the page who never call: they flood a number with verifications, try to lock its owner out, and watch
//! what the owner does.

use std::collections::BTreeMap;

use end_to_end::proving::happenings;
use ivr::phone::api::Started;
use ivr::phone::{CallPlan, Scenario, Stage};
use ivr::puzzle::{Puzzle, solve};
use serde_json::{Value, json};

use crate::scene::{CARRIER, OTHER_CARRIER, Scene, VICTIM, trunk};

/// A service behind a proxy, which says whom it forwards. Its puzzles take a test no time.
fn behind_a_proxy(trunks: &str) -> Scene {
    Scene::found(trunks, |config| {
        let config = config.replace("[http]", "[http]\ntrusted_proxies = [\"127.0.0.1\"]");
        format!("{config}\n[verification]\npuzzle_bits = 8\n")
    })
}

impl Scene {
    /// A verification begun from this address: it, or the status and whether it says when to come again.
    fn begin_from(&self, address: &str, number: &str) -> Result<Started, (u16, bool)> {
        let (status, says_when, answer) = self.post(address, json!({ "number": number, "publish": false }));
        if status == 201 {
            Ok(serde_json::from_value(answer).expect("a verification"))
        } else {
            Err((status, says_when))
        }
    }

    /// The same, with the work that is asked for.
    fn work_and_begin_from(&self, address: &str, number: &str) -> Started {
        let (status, _, asked) = self.post(address, json!({ "number": number, "publish": false }));
        assert_eq!(status, 428, "{address} begins without work: {asked}");
        let Puzzle { challenge, bits, .. } = serde_json::from_value(asked["puzzle"].clone()).expect("a puzzle");
        let work = json!({ "challenge": challenge, "solution": solve(&challenge, bits) });
        let (status, _, begun) = self.post(address, json!({ "number": number, "publish": false, "puzzle": work }));
        assert_eq!(status, 201, "{address} worked for nothing: {begun}");
        serde_json::from_value(begun).expect("a verification")
    }

    /// Status, whether it says when to come again, and body.
    fn post(&self, address: &str, body: Value) -> (u16, bool, Value) {
        let url = format!("{}/v1/verifications", self.service.http());
        self.runtime.block_on(async {
            let post = reqwest::Client::new().post(url).header("X-Forwarded-For", address).json(&body);
            let answer = post.send().await.expect("an answer");
            let (status, says_when) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
            (status, says_when, answer.json().await.expect("JSON"))
        })
    }

    /// What its page has been told, as a program reads it.
    fn told(&self, started: &Started) -> Value {
        let url = format!("{}/v1/verifications/{}", self.service.http(), started.id);
        self.runtime.block_on(async {
            let get = reqwest::Client::new().get(url).bearer_auth(started.secret.expose());
            let mut page: Value = get.send().await.expect("an answer").json().await.expect("an object");
            page["happenings"].take()
        })
    }
}

#[test]
fn a_flood_of_them_ends_the_floods_own_and_the_owner_still_gets_in() {
    let scene = behind_a_proxy(&trunk("carrier", CARRIER, &[]));
    let owners = scene.begin_from("198.51.100.7", VICTIM).expect("a verification");
    let crowd: Vec<Started> =
        (1..=3).map(|n| scene.begin_from(&format!("192.0.2.{n}"), VICTIM).expect("room")).collect();
    assert_eq!(scene.begin_from("192.0.2.4", VICTIM).unwrap_err(), (429, true), "a fourth of one network");
    // Fifty of a number, the owner's and the crowd's among them; each one more ends the oldest of the crowd. From ten on, each
    // is worked for.
    for n in 0..6 {
        scene.begin_from(&format!("203.0.{n}.1"), VICTIM).expect("room");
    }
    for n in 6..46 {
        scene.work_and_begin_from(&format!("203.0.{n}.1"), VICTIM);
    }
    assert_eq!(scene.look(&crowd[0]).state, "waiting");
    scene.work_and_begin_from("203.0.100.1", VICTIM);
    assert_eq!(scene.look(&crowd[0]).state, "expired");
    assert_eq!(scene.look(&owners).state, "waiting", "the flood ended the owner's");
    assert_eq!(scene.count("verifications WHERE state = 'waiting'"), 50);

    // One source, whatever the numbers.
    let number = |n: u32| format!("+1212555{:04}", 100 + n);
    let statuses = (0..40).map(|n| scene.begin_from("198.18.0.1", &number(n)).err().unwrap_or((201, false)));
    let mut counts = BTreeMap::new();
    statuses.for_each(|status| *counts.entry(status).or_insert(0) += 1);
    let refused = counts.remove(&(429, true)).unwrap_or(0);
    assert!((1..=10).contains(&refused) && counts.len() == 1, "{refused} were refused, and {counts:?}");
    let asked_to_work = 41;
    let looked_at = scene.figure("verifications_refused_total") - asked_to_work;
    assert_eq!(looked_at, 1, "those past the limit of posts were not looked at");

    let call = scene.call(scene.plan_of(CARRIER, VICTIM, &owners, Scenario::HangUp(Stage::Confirm)));
    assert_eq!(call.status, Some(200));
    assert!(happenings(&scene.service, &owners).contains(&"code-matched".to_owned()), "the owner's code opens nothing");
    assert_eq!(scene.record(&call.call_id).outcome, "hung-up");
}

/// One /48 is to be had for nothing, and has 256 networks.
#[test]
fn who_has_many_networks_works_for_each_start_and_keeps_no_owner_out() {
    let scene = behind_a_proxy(&trunk("carrier", CARRIER, &[]));
    let network = |n: u8| format!("2001:db8:7:{n:02x}00::1");
    let owners = scene.begin_from("198.51.100.7", VICTIM).expect("a verification");
    for n in 0..9 {
        scene.begin_from(&network(n), VICTIM).expect("room");
    }
    assert_eq!(scene.begin_from(&network(9), VICTIM).unwrap_err(), (428, false), "from the eleventh on each works");
    // Fifty of as many networks are all that there may be; sixty come, and the owner's is the oldest.
    for n in 9..60 {
        scene.work_and_begin_from(&network(n), VICTIM);
    }
    assert_eq!(scene.look(&owners).state, "waiting", "the flood ended the owner's");
    assert_eq!(scene.count("verifications WHERE state = 'waiting'"), 50);
    assert_eq!(scene.count("verifications WHERE state = 'expired'"), 11);
    assert_eq!(scene.figure("verifications_refused_total"), 52, "each was asked for work");

    // Nor does it keep out an owner who comes later, nor one who goes on meanwhile.
    let later = scene.work_and_begin_from("203.0.113.7", VICTIM);
    for n in 60..110 {
        scene.work_and_begin_from(&network(n), VICTIM);
    }
    assert_eq!(scene.look(&owners).state, "waiting");
    let call = scene.call(scene.plan_of(CARRIER, VICTIM, &later, Scenario::HangUp(Stage::Confirm)));
    assert_eq!(call.status, Some(200));
    assert!(happenings(&scene.service, &later).contains(&"code-matched".to_owned()), "the owner's code opens nothing");
    let record = scene.record(&call.call_id);
    assert_eq!((record.outcome.as_str(), record.level), ("hung-up", Some(2)), "{record:?}");
}

#[test]
fn a_visitor_locks_nobody_out() {
    let unscreened = trunk("cheap", OTHER_CARRIER, &[("cli_screened = true", "cli_screened = false")]);
    let scene = Scene::with(&(trunk("carrier", CARRIER, &[]) + &unscreened));
    let (visitors, owners) = (scene.begin(VICTIM), scene.begin(VICTIM));
    for _ in 0..20 {
        let typed = scene.runtime.block_on(scene.api.type_in(&visitors, "123456"));
        assert!(typed.is_err(), "digits that nobody read are taken");
    }
    // With the owner's id, but without its secret.
    let stranger = Started { id: owners.id.clone(), ..visitors.clone() };
    for _ in 0..20 {
        let typed = scene.runtime.block_on(scene.api.type_in(&stranger, "123456"));
        let told = typed.expect_err("it is not theirs").to_string();
        assert!(told.contains("404"), "{told}");
    }
    // Nor do calls that bear the number below the issuing level use anything up.
    for _ in 0..12 {
        scene.refused(scene.plan_of(OTHER_CARRIER, VICTIM, &visitors, Scenario::ThreeWrongCodes), 403);
    }
    assert_eq!(scene.count("number_days WHERE wrong_codes > 0"), 0);
    assert_eq!(scene.figure("read_backs_total{outcome=\"not-expected\"}"), 20);
    assert_eq!(scene.look(&owners).state, "waiting");
    let call = scene.call(scene.plan_of(CARRIER, VICTIM, &owners, Scenario::HangUp(Stage::Warning)));
    assert_eq!(call.status, Some(200), "the owner is locked out");
    assert_eq!(scene.record(&call.call_id).level, Some(2));
}

#[test]
fn who_watches_a_number_learns_nothing_of_its_owners_call() {
    let scene = behind_a_proxy(&trunk("carrier", CARRIER, &[]));
    let watchers = scene.begin_from("192.0.2.1", VICTIM).expect("a verification");
    let owners = scene.begin_from("198.51.100.7", VICTIM).expect("a verification");
    let call = scene.call(scene.plan_of(CARRIER, VICTIM, &owners, Scenario::HangUp(Stage::ReadBack)));
    let record = scene.record(&call.call_id);
    assert!(record.steps().contains(&"reading-back"), "{record:?}");
    let told = happenings(&scene.service, &owners);
    assert!(told.contains(&"code-matched".to_owned()) && told.contains(&"reading-back".to_owned()), "{told:?}");
    assert_eq!(happenings(&scene.service, &watchers), [""; 0], "the watcher is told of the owner's call");
    assert_eq!(scene.look(&watchers).state, "waiting");
    // A call of the number that was refused may be the watcher's own: it is told, but not when, nor over which trunk.
    scene.refused(CallPlan { dialled: "+12025550101".to_owned(), ..scene.plan(CARRIER, VICTIM) }, 404);
    let mut forwarded = scene.plan(CARRIER, VICTIM);
    forwarded.identity = forwarded.identity.with("Diversion", "<tel:+12025550199>");
    scene.refused(forwarded, 403);
    scene.page_hears(&watchers, "refused");
    let told = scene.told(&watchers);
    let [refused] = told.as_array().expect("a list").as_slice() else { panic!("{told}") };
    let members: Vec<&str> = refused.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(members, ["kind", "number", "sentence", "what"], "{told}");
    assert!(!refused["sentence"].as_str().expect("a sentence").contains("carrier"), "{told}");
    // Nor does the start say whether a number is known: the answer has the same members.
    let begun = |number: &str| {
        let url = format!("{}/v1/verifications", scene.service.http());
        let body = json!({ "number": number, "publish": false });
        let answer = async {
            let post = reqwest::Client::new().post(url).header("X-Forwarded-For", "203.0.113.9").json(&body);
            post.send().await.expect("an answer").json::<Value>().await.expect("an object")
        };
        let answer = scene.runtime.block_on(answer);
        answer.as_object().expect("an object").keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(begun(VICTIM), begun("+12125550199"));
}
