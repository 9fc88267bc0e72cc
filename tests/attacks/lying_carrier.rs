//! A carrier signs, or says, that it knows its customer and the number, whoever calls.

use std::path::Path;

use end_to_end::own_network::run_inside;
use end_to_end::shaken::{ORIGID, X5U};
use ivr::phone::{Identity, Scenario};
use ivr_core::private::Private;

use crate::provider::Provider;
use crate::scene::{CARRIER, Scene, VICTIM, trunk};

/// The carrier's own words, in every dialect: the number is the caller's (A).
fn vouched_for() -> Identity {
    let mut identity = Identity::of(VICTIM).with("P-Attestation-Indicator", "A").with("X-Attestation", "A");
    identity.asserted = vec![Private::new(format!("<tel:{VICTIM};verstat=TN-Validation-Passed-A>"))];
    identity
}

#[test]
fn its_word_earns_no_more_than_its_profile_and_a_doubt_costs() {
    let scene = Scene::with(&trunk("carrier", CARRIER, &[]));
    scene.begin(VICTIM);
    let mut plan = scene.plan(CARRIER, VICTIM);
    plan.identity = vouched_for();
    let call = scene.call(plan);
    assert_eq!(call.status, Some(200));
    let record = scene.record(&call.call_id);
    assert_eq!((record.level, record.trunk.as_deref()), (Some(2), Some("carrier")), "an unverified A earned something");

    // What it says against its caller is believed.
    let mut plan = scene.plan(CARRIER, VICTIM);
    plan.identity = Identity::of(VICTIM).with("P-Attestation-Indicator", "C");
    scene.record(&scene.refused(plan, 403).call_id).is_refused(403, "below-issuing-level");

    let mut plan = scene.plan(CARRIER, VICTIM);
    plan.identity.asserted = vec![Private::new(format!("<tel:{VICTIM};verstat=TN-Validation-Failed>"))];
    scene.record(&scene.refused(plan, 438).call_id).is_refused(438, "validation-failed");
    assert!(scene.audit().is_empty());
}

/// A trunk whose word counts, but only where and as it stands in its table: who adds a second word wants one overlooked.
#[test]
fn of_two_words_about_a_caller_the_worse_counts_wherever_they_stand() {
    let dialect = "keeps_diversion = \"yes\"\n[trunk.verstat]\nheader = \"X-Verstat\"\npassed_a = [\"TN-Validation-Passed-A\"]\n\
                   low = [\"TN-Validation-Passed-C\"]\nfailed = [\"TN-Validation-Failed\"]\n";
    let scene = Scene::with(&trunk("carrier", CARRIER, &[("keeps_diversion = \"yes\"", dialect)]));
    scene.begin(VICTIM);
    let said = |own: &[&str], beside: &str| {
        let mut identity = own.iter().fold(Identity::of(VICTIM), |identity, word| identity.with("X-Verstat", *word));
        identity.asserted = vec![Private::new(format!("<tel:{VICTIM}{beside}>"))];
        let mut plan = scene.plan(CARRIER, VICTIM);
        plan.identity = identity;
        plan
    };
    const A: &str = "TN-Validation-Passed-A";
    let call = scene.call(said(&[A], ""));
    assert_eq!((call.status, scene.record(&call.call_id).level), (Some(200), Some(3)), "the dialect itself");

    // In the header that is believed, in two lines and in one; and A there, but something else elsewhere.
    for (own, beside, status, reason) in [
        (&[A, "TN-Validation-Passed-C"][..], "", 403, "below-issuing-level"),
        (&["TN-Validation-Failed", A], "", 438, "validation-failed"),
        (&["TN-Validation-Passed-A, TN-Validation-Passed-A"], "", 403, "below-issuing-level"),
        (&[A], ";verstat=TN-Validation-Failed", 438, "validation-failed"),
        (&[A], ";verstat=TN-Validation-Passed-C", 403, "below-issuing-level"),
        (&[A], ";verstat=TN-Validation-Passed-A;verstat=No-Such-Word", 403, "below-issuing-level"),
    ] {
        let record = scene.record(&scene.refused(said(own, beside), status).call_id);
        record.is_refused(i64::from(status), reason);
        assert!(record.level.is_none_or(|level| level == 1), "{own:?} {beside}: {record:?}");
    }

    // An A elsewhere raises nothing.
    let call = scene.call(said(&[], ";verstat=TN-Validation-Passed-A"));
    assert_eq!((call.status, scene.record(&call.call_id).level), (Some(200), Some(2)));
    assert!(scene.audit().is_empty());
}

/// A provider signs A for whoever pays. What holds it back is who vouches for it, and that everybody sees afterwards who signed.
#[test]
#[cfg_attr(not(own_network), ignore = "needs a network of its own: tests/run runs it")]
fn who_signs_for_whoever_calls_needs_an_anchor_is_named_afterwards_and_can_be_denied() {
    const NAME: &str =
        "lying_carrier::who_signs_for_whoever_calls_needs_an_anchor_is_named_afterwards_and_can_be_denied";
    run_inside(NAME, || {
        let provider = Provider::new();
        let refuses = |scene: &Scene, fault: &str| {
            scene.begin(VICTIM);
            let mut plan = scene.plan(CARRIER, VICTIM);
            plan.identity = plan.identity.with("Identity", provider.signs(VICTIM, 0));
            let record = scene.record(&scene.refused(plan, 437).call_id);
            assert_eq!(record.refusal, Some((437, "unsupported-credential".to_owned())), "{record:?}");
            assert_eq!(record.lines[0], ("signed".to_owned(), fault.to_owned()), "{record:?}");
            assert!(scene.audit().is_empty());
        };
        let others = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ivr/core/scenarios/passport/root.pem");
        refuses(&provider.scene(&others, ""), "no-anchor");

        let scene = provider.scene(&provider.anchors(), "");
        let started = scene.begin(VICTIM);
        let mut plan = scene.plan_of(CARRIER, VICTIM, &started, Scenario::Happy);
        plan.identity = plan.identity.with("Identity", provider.signs(VICTIM, 0));
        let call = scene.call_and_type(plan, async |digits| scene.api.type_in(&started, &digits).await.expect("right"));
        let record = scene.record(&call.call_id);
        assert_eq!((record.level, record.outcome.as_str()), (Some(3), "verified"), "{record:?}");
        let (signature, audited): (String, String) = scene.database(async |pool| {
            let signature = sqlx::query_scalar("SELECT passport FROM calls WHERE sip_call_id = $1").bind(&call.call_id);
            let audited = sqlx::query_scalar("SELECT subject FROM audit WHERE actor = 'call' AND action = 'signed'");
            Ok((signature.fetch_one(&pool).await?, audited.fetch_one(&pool).await?))
        });
        let signature: serde_json::Value = serde_json::from_str(&signature).expect("JSON");
        for (name, value) in [("verdict", "A"), ("spc", "709J"), ("origid", ORIGID), ("x5u", X5U)] {
            assert_eq!(signature[name], value, "{signature}");
        }
        let certificate = signature["certificate"].as_str().expect("a hash");
        assert!([certificate, "A by 709J", ORIGID, X5U].iter().all(|part| audited.contains(part)), "{audited}");

        refuses(&provider.scene(&provider.anchors(), "denied_spcs = [\"709J\"]"), "denied-spc");
    });
}
