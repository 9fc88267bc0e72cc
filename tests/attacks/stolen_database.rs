//! Somebody has a copy of the database, of a backup, of the disk without the key file.

use ivr::phone::{Scenario, Stage};

use crate::scene::{CARRIER, Scene, VICTIM};

/// Does it stand anywhere in these octets?
fn stands_in(octets: &[u8], text: &str) -> bool {
    octets.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn its_files_tell_no_number_no_code_and_no_digits_that_were_read() {
    let scene = Scene::plain();
    let started = scene.begin_with_key(VICTIM, false);
    let plan = scene.plan_of(CARRIER, VICTIM, &started, Scenario::HangUp(Stage::Typing));
    let call = scene.call(plan);
    let read_back = call.read_back.expect("the voice read them");
    assert_eq!(scene.record(&call.call_id).outcome, "hung-up-after-read-back");

    let mut looked_at = 0;
    for name in ["dialproof.db", "dialproof.db-wal"] {
        let octets = std::fs::read(scene.at.path("data").join(name)).expect("SQLite's files");
        looked_at += octets.len();
        assert!(stands_in(&octets, "SQLite format 3") || name != "dialproof.db");
        let secrets = [VICTIM.trim_start_matches('+'), "2025550143", started.code.expose(), read_back.expose()];
        for secret in secrets.into_iter().chain([started.secret.expose().as_str()]) {
            assert!(!stands_in(&octets, secret), "{name} holds {secret}");
        }
    }
    assert!(looked_at > 100_000, "{looked_at} octets are no database");
}
