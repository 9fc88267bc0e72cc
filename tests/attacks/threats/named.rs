//! The tests that the table names are there and run, and it names every one of this folder.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use end_to_end::workspace;

use super::{THREATS, Threat};

#[test]
fn every_threat_is_tested_and_every_attack_here_belongs_to_one() {
    let here = listed(&[]);
    let ignored = listed(&["--ignored"]);
    let elsewhere = tests_of_the_project();
    let mut unplayed = here.clone();
    for Threat { attack, played, besides, .. } in THREATS {
        assert!(!played.is_empty(), "{attack}: nobody plays it");
        for test in *played {
            assert!(here.contains(*test), "{attack}: there is no test {test}");
            // Where no network of its own can be made, a test that needs one is left out.
            assert!(!cfg!(own_network) || !ignored.contains(*test), "{attack}: {test} is ignored");
            unplayed.remove(*test);
        }
        for test in *besides {
            assert!(elsewhere.contains(*test), "{attack}: {test} is no scenario, nor a test that runs without peers");
        }
    }
    assert!(unplayed.is_empty(), "no threat names {unplayed:?}");
}

/// The tests of this program, but for those of the table itself.
fn listed(more: &[&str]) -> BTreeSet<String> {
    let this = std::env::current_exe().expect("a test has a path");
    let output = Command::new(this).arg("--list").args(more).output().expect("it lists its tests");
    let text = String::from_utf8(output.stdout).expect("names");
    let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
    names.filter(|name| !name.starts_with("threats::")).map(str::to_owned).collect()
}

/// Functions that are tests and run without peers, and scenarios.
fn tests_of_the_project() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["ca", "dht-client", "ivr", "tests", "voice-prompts"] {
        look_into(&workspace::root().join(folder), &mut found);
    }
    found
}

fn look_into(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() {
            look_into(&path, found);
        } else if path.parent().is_some_and(|parent| parent.ends_with("scenarios")) {
            found.insert(name);
        } else if name.ends_with(".rs") {
            found.extend(tests_in(&std::fs::read_to_string(&path).expect("a source")));
        }
    }
}

/// The functions behind `#[test]` or `#[tokio::test]`, with other attributes and comments between; and those that run
/// on both databases, which a macro makes into tests. Those that are ignored do not count, unless only for want of a network.
fn tests_in(source: &str) -> Vec<String> {
    let (mut is_test, mut found) = (false, Vec::new());
    for line in source.lines().map(str::trim) {
        let declared = line.trim_start_matches("async ").strip_prefix("fn ");
        match declared.and_then(|rest| rest.split('(').next()) {
            Some(name) if is_test || line.contains("(database: TestDatabase)") => found.push(name.to_owned()),
            _ => {}
        }
        let is_ignored = line.starts_with("#[") && line.contains("ignore") && !line.contains("own_network");
        let goes_on = is_test && !is_ignored && (line.starts_with("#[") || line.starts_with("//"));
        is_test = goes_on || line.starts_with("#[test]") || line.starts_with("#[tokio::test");
    }
    found
}
