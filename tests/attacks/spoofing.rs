//! Somebody presents a number that is not theirs.

use ivr::phone::{Identity, Scenario};
use ivr_core::private::Private;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::scene::{CARRIER, OTHER_CARRIER, STRANGER, Scene, VICTIM, trunk};

/// Has a line of its own.
const ATTACKER: &str = "+12025550177";
const UNSCREENED: (&str, &str) = ("cli_screened = true", "cli_screened = false");

#[test]
fn over_a_trunk_that_screens_nobody_it_is_refused_before_the_answer_and_costs_the_owner_nothing() {
    let scene = Scene::with(&(trunk("screened", CARRIER, &[]) + &trunk("cheap", OTHER_CARRIER, &[UNSCREENED])));
    let owners = scene.begin(VICTIM);

    // If it were answered, it would use the owner's tries up.
    let guesses = scene.plan_of(OTHER_CARRIER, VICTIM, &owners, Scenario::ThreeWrongCodes);
    let call = scene.refused(guesses, 403);
    let record = scene.record(&call.call_id);
    record.is_refused(403, "below-issuing-level");
    assert_eq!((record.trunk.as_deref(), record.last4.as_deref()), (Some("cheap"), Some("0143")));
    scene.page_hears(&owners, "refused");
    assert_eq!(scene.count("number_days WHERE wrong_codes > 0"), 0, "the owner's tries are used up");
    assert_eq!((scene.audit(), scene.figure("sip_answered_total")), (vec![], 0));

    let own = scene.call(scene.plan(CARRIER, VICTIM));
    assert_eq!(own.status, Some(200), "the owner is locked out");
    assert_eq!(scene.record(&own.call_id).level, Some(2));
}

#[test]
fn an_identity_asserted_by_who_is_not_trusted_for_it_names_nobody() {
    let untrusted = trunk("untrusted", OTHER_CARRIER, &[("trust_pai = true", "trust_pai = false")]);
    let scene = Scene::with(&(trunk("trusted", CARRIER, &[]) + &untrusted));
    scene.begin(VICTIM);
    let asserted = Identity::of(VICTIM).asserted;
    let remote_party = format!("<sip:{VICTIM}@carrier.invalid>;party=calling;screen=yes;privacy=off");

    // Only its From counts, and nobody waits for that number.
    let mut plan = scene.plan(OTHER_CARRIER, ATTACKER);
    plan.identity = Identity { asserted, ..Identity::of(ATTACKER) }.with("Remote-Party-ID", remote_party);
    let identity = plan.identity.clone();
    let record = scene.record(&scene.refused(plan, 480).call_id);
    record.is_refused(480, "no-session");
    assert_eq!(record.last4.as_deref(), Some("0177"), "the asserted number was believed");

    // What it says against its caller needs no trust.
    let mut plan = scene.plan(OTHER_CARRIER, VICTIM);
    plan.identity.asserted = vec![Private::new(format!("<tel:{VICTIM};verstat=TN-Validation-Failed>"))];
    scene.record(&scene.refused(plan, 438).call_id).is_refused(438, "validation-failed");

    // Who is trusted may not contradict itself.
    let mut plan = scene.plan(CARRIER, ATTACKER);
    plan.identity = identity.clone();
    scene.record(&scene.refused(plan, 403).call_id).is_refused(403, "identities-differ");

    // Of a stranger there is not even a record.
    let mut plan = scene.plan(STRANGER, VICTIM);
    plan.identity = identity;
    scene.refused(plan, 403);
    assert!(scene.figure("sip_strangers_total") > 0);
    assert_eq!(scene.count("calls"), 3);
    assert_eq!((scene.audit(), scene.figure("sip_answered_total")), (vec![], 0));
}

#[test]
fn where_such_calls_are_taken_the_certificate_says_so_and_lives_for_seven_days() {
    let scene = Scene::found(&trunk("cheap", CARRIER, &[UNSCREENED]), |config| {
        config + "\n[verification]\nissue_from = \"L1\"\n"
    });
    let (_, call, verification) = scene.prove(CARRIER, VICTIM, false);
    assert_eq!(verification.level.as_deref(), Some("L1"));
    let pem = verification.certificate_pem.expect("a certificate");
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).expect("PEM");
    let (_, certificate) = X509Certificate::from_der(&pem.contents).expect("a certificate");
    let policies = certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        x509_parser::extensions::ParsedExtension::CertificatePolicies(policies) => Some(policies),
        _ => None,
    });
    let policies: Vec<String> =
        policies.expect("it has some").iter().map(|policy| policy.policy_id.to_string()).collect();
    assert!(policies.contains(&"1.3.6.1.4.1.55555.1.1".to_owned()), "no reader sees that it is worth L1: {policies:?}");
    let ends = OffsetDateTime::parse(&verification.not_after.expect("an end"), &Rfc3339).expect("a time");
    assert!(ends <= ivr::clock::Clock.wall() + time::Duration::days(7), "it lives until {ends}");

    let record = scene.record(&call.call_id);
    assert_eq!((record.level, record.outcome.as_str()), (Some(1), "verified"));
    assert_eq!(scene.audit(), [("issue".to_owned(), "issue".to_owned())]);
}
