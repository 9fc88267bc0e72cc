//! Whatever we build upon may be passed on with us: licences, sources and bans of every package, held against `deny.toml`.

use std::collections::BTreeSet;
use std::fs;

use end_to_end::workspace;
use serde_json::Value;

/// Licences that ask for nothing but that their text goes along.
const PERMISSIVE: &[&str] =
    &["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CDLA-Permissive-2.0", "ISC", "MIT", "Unicode-3.0", "Zlib"];

/// Packages with another licence, and why they may stay: they are part of tests alone, which the test makes sure of.
const OF_TESTS: &[(&str, &str)] = &[("webdriver", "MPL-2.0")];

/// Packages that may not come in, by whatever way.
const BANNED: &[&str] = &["aws-lc-sys", "native-tls", "openssl-sys", "rsa"];

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What is wrong with a package; empty if nothing.
fn faults(package: &Value) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let licence = match package["license"].as_str() {
        Some(expression) => permits(expression, &licences_for(name)).then_some(()).ok_or(expression),
        None => Err("no licence"),
    };
    let source = match package["source"].as_str() {
        None | Some(CRATES_IO) => Ok(()),
        Some(other) => Err(other),
    };
    let banned = if BANNED.contains(&name) { Err("banned") } else { Ok(()) };
    [licence, source, banned].into_iter().filter_map(Result::err).map(|fault| format!("{name}: {fault}")).collect()
}

fn licences_for(name: &str) -> Vec<&'static str> {
    let exceptions = OF_TESTS.iter().filter(|(package, _)| *package == name).map(|(_, licence)| *licence);
    PERMISSIVE.iter().copied().chain(exceptions).collect()
}

/// Whether an SPDX expression is met with these licences alone. `/` is the old way to write OR.
fn permits(expression: &str, licences: &[&str]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    let met = any_of(&mut words, licences);
    met && words.is_empty()
}

/// `a OR b`; the words are taken from the end of the list.
fn any_of(words: &mut Vec<&str>, licences: &[&str]) -> bool {
    let mut met = all_of(words, licences);
    while words.last() == Some(&"OR") {
        words.pop();
        met |= all_of(words, licences);
    }
    met
}

/// `a AND b`, which binds tighter.
fn all_of(words: &mut Vec<&str>, licences: &[&str]) -> bool {
    let mut met = one(words, licences);
    while words.last() == Some(&"AND") {
        words.pop();
        met &= one(words, licences);
    }
    met
}

fn one(words: &mut Vec<&str>, licences: &[&str]) -> bool {
    match words.pop() {
        Some("(") => any_of(words, licences) & (words.pop() == Some(")")),
        // An exception only ever permits more, but it is another licence: it is listed or it is not.
        Some(licence) if words.last() == Some(&"WITH") => {
            words.pop();
            let exception = words.pop().unwrap_or_default();
            licences.contains(&format!("{licence} WITH {exception}").as_str())
        }
        Some(licence) => licences.contains(&licence),
        None => false,
    }
}

#[test]
fn every_package_is_permissively_licensed_and_from_crates_io() {
    let metadata = workspace::metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let found: Vec<String> = packages.iter().flat_map(faults).collect();
    assert_eq!(found, [""; 0]);
    assert!(packages.len() > 100, "cargo told of {} packages only", packages.len());
}

#[test]
fn every_line_of_the_lock_file_comes_from_crates_io_or_from_here() {
    let lock: toml::Table = fs::read_to_string(workspace::root().join("Cargo.lock")).unwrap().parse().unwrap();
    for package in lock["package"].as_array().unwrap() {
        let source = package.get("source").and_then(toml::Value::as_str);
        assert!(source.is_none_or(|source| source == CRATES_IO), "{package}");
        assert_eq!(package.get("checksum").is_some(), source.is_some(), "{package}");
    }
}

#[test]
fn what_tests_may_use_is_not_in_the_program() {
    let metadata = workspace::metadata();
    let in_program = workspace::built_into(&metadata, "ivr");
    for (name, _) in OF_TESTS {
        assert!(!in_program.contains(*name), "{name} is part of the program");
    }
    assert!(in_program.contains("axum"), "the program was not looked at");
}

#[test]
fn cargo_deny_is_told_the_same() {
    let deny: toml::Table = fs::read_to_string(workspace::root().join("deny.toml")).unwrap().parse().unwrap();
    let texts = |value: &toml::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let crates = |value: &toml::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|entry| entry["crate"].as_str().unwrap().to_owned()).collect()
    };
    let licences = &deny["licenses"];
    assert_eq!(texts(&licences["allow"]), PERMISSIVE);
    assert_eq!(crates(&licences["exceptions"]), OF_TESTS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    assert_eq!(texts(&licences["exceptions"][0]["allow"]), [OF_TESTS[0].1]);
    assert_eq!(crates(&deny["bans"]["deny"]), BANNED);
    assert_eq!(texts(&deny["sources"]["allow-registry"]), [CRATES_IO.trim_start_matches("registry+")]);
    assert_eq!(deny["sources"]["unknown-registry"].as_str(), Some("deny"));
    assert_eq!(deny["sources"]["unknown-git"].as_str(), Some("deny"));
}

#[test]
fn no_exception_is_left_over() {
    let metadata = workspace::metadata();
    let names: BTreeSet<&str> =
        metadata["packages"].as_array().unwrap().iter().filter_map(|package| package["name"].as_str()).collect();
    for (name, _) in OF_TESTS {
        assert!(names.contains(name), "{name} is no dependency any more");
    }
}

#[test]
fn an_expression_is_met_as_spdx_says() {
    let table = [
        ("MIT", true),
        ("MIT OR Apache-2.0", true),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0-only", false),
        ("MIT OR GPL-3.0-only", true),
        ("MIT AND GPL-3.0-only", false),
        ("MIT AND BSD-3-Clause", true),
        ("GPL-3.0-only OR MIT AND ISC", true),
        ("MIT OR ISC AND GPL-3.0-only", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0-only", false),
        ("Apache-2.0 WITH LLVM-exception OR MIT", true),
        ("GPL-2.0-only WITH Classpath-exception-2.0", false),
        ("MIT OR LGPL-2.1-or-later", true),
        ("MPL-2.0", false),
        ("", false),
        ("MIT MIT", false),
        ("(MIT", false),
        ("OR MIT", false),
    ];
    for (expression, expected) in table {
        assert_eq!(permits(expression, PERMISSIVE), expected, "{expression}");
    }
}

#[test]
fn a_package_that_may_not_be_passed_on_is_found() {
    let package = |text: &str| faults(&serde_json::from_str(text).unwrap());
    let of = |name: &str, licence: &str| package(&format!(r#"{{"name": "{name}", "license": "{licence}"}}"#));
    assert_eq!(of("good", "MIT"), [""; 0]);
    assert_eq!(of("bad", "AGPL-3.0-only"), ["bad: AGPL-3.0-only"]);
    assert_eq!(of("webdriver", "MPL-2.0"), [""; 0]);
    assert_eq!(of("other", "MPL-2.0"), ["other: MPL-2.0"]);
    assert_eq!(of("rsa", "MIT"), ["rsa: banned"]);
    assert_eq!(package(r#"{"name": "silent", "license": null}"#), ["silent: no licence"]);
    let from_git = r#"{"name": "x", "license": "MIT", "source": "git+https://example.org/x"}"#;
    assert_eq!(package(from_git), ["x: git+https://example.org/x"]);
}
