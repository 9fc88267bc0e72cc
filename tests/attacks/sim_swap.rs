//! The number changes hands: somebody gets the victim's SIM, or the number after the victim gave it up, or revokes
//! the old certificate first. Then the calls are real.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::scene::{CARRIER, Scene, VICTIM};

#[test]
fn a_new_key_ends_the_old_ones_certificate_and_none_lives_longer_than_thirty_days() {
    let scene = Scene::plain();
    let (_, _, first) = scene.prove(CARRIER, VICTIM, true);
    let ends = OffsetDateTime::parse(first.not_after.as_deref().expect("an end"), &Rfc3339).expect("a time");
    assert!(ends <= ivr::clock::Clock.wall() + time::Duration::days(30), "it lives until {ends}");

    let (_, call, second) = scene.prove(CARRIER, VICTIM, true);
    assert_ne!(first.serial, second.serial);
    let live = format!("certificates WHERE live = 1 AND serial = '{}'", second.serial.expect("a serial"));
    assert_eq!((scene.count("certificates WHERE live = 1"), scene.count(&live)), (1, 1), "two are live");
    // RFC 5280 5.3.1: 4 is superseded.
    let revoked = format!("revocations WHERE reason = 4 AND serial = '{}'", first.serial.expect("a serial"));
    assert_eq!(scene.count(&revoked), 1);
    assert_eq!(scene.record(&call.call_id).outcome, "verified");
    let actions: Vec<String> = scene.audit().into_iter().map(|(_, action)| action).collect();
    assert!(actions.iter().filter(|action| *action == "issue").count() == 2, "{actions:?}");
    assert!(actions.iter().any(|action| action == "supersede"), "{actions:?}");
}
