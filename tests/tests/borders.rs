//! Who may know whom: the table of ARCHITECTURE.md, and what is named in one place only.
//!
//! The first is read from Cargo's dependency graph, the second from the sources, as tokens: comments and strings do not count.

use std::collections::BTreeSet;
use std::fs;

use end_to_end::words::{Place, Scope, Source, trespasses};
use end_to_end::workspace;
use serde_json::{Value, json};

/// A row of ARCHITECTURE.md's table as a rule.
struct Border {
    package: &'static str,
    /// The row's last cell, so that table and rule change together.
    must_not_know: &'static str,
    /// Packages of this workspace that it may depend on.
    may_use: &'static [&'static str],
    /// Crates that may not be among its dependencies, nor among theirs.
    shuns: &'static [&'static [&'static str]],
}

const HTTP: &[&str] = &["axum", "h2", "http", "hyper", "lettre", "reqwest", "tower"];
const SQL: &[&str] = &["libsqlite3-sys", "postgres-protocol", "rusqlite", "sqlx", "sqlx-core"];
const TELEPHONY: &[&str] = &["audio-codec", "phonenumber", "rlibphonenumber", "rtcp-types", "rtp-rs", "sdp-types"];
const SOCKETS_AND_TASKS: &[&str] = &["async-io", "async-std", "mio", "smol", "socket2", "tokio"];
const CHANCE: &[&str] = &["fastrand", "rand"];

const BORDERS: &[Border] = &[
    Border {
        package: "voice-prompts",
        must_not_know: "calls, SIP",
        may_use: &[],
        shuns: &[TELEPHONY, HTTP, SQL, SOCKETS_AND_TASKS],
    },
    Border {
        package: "ca",
        must_not_know: "HTTP, SQL, telephony; time and randomness are given to it",
        may_use: &[],
        shuns: &[HTTP, SQL, TELEPHONY, SOCKETS_AND_TASKS, CHANCE],
    },
    Border { package: "dht-client", must_not_know: "SQL, telephony", may_use: &[], shuns: &[SQL, TELEPHONY] },
    Border {
        package: "ivr-core",
        must_not_know: "sockets, tasks, clocks, `ca`, `dht-client`",
        may_use: &["voice-prompts"],
        shuns: &[SOCKETS_AND_TASKS, HTTP, SQL],
    },
    Border {
        package: "ivr",
        must_not_know: "–",
        may_use: &["voice-prompts", "ca", "dht-client", "ivr-core"],
        shuns: &[],
    },
    Border {
        package: "end-to-end",
        must_not_know: "–",
        may_use: &["voice-prompts", "ca", "dht-client", "ivr-core", "ivr"],
        shuns: &[],
    },
];

const SOURCES: [&str; 5] = ["voice-prompts/src", "ca/src", "dht-client/src", "ivr/core/src", "ivr/src"];
const CLOCK: &[&str] = &[
    "Instant::now",
    "SystemTime::now",
    "OffsetDateTime::now_utc",
    "OffsetDateTime::now_local",
    ".elapsed(",
    "getrandom::fill",
    "SystemRandom",
    "OsRng",
    "clippy::disallowed_methods",
];

const PLACES: &[Place] = &[
    Place {
        words: &["audio_codec"],
        only_in: &["ivr/core/src/media/g722"],
        within: &SOURCES,
        scope: Scope::Everything,
    },
    Place { words: &["rtcp_types"], only_in: &["ivr/core/src/media/rtcp"], within: &SOURCES, scope: Scope::Everything },
    Place { words: &["hickory_resolver"], only_in: &["ivr/src/names"], within: &SOURCES, scope: Scope::Everything },
    Place { words: &["rtp_rs"], only_in: &["ivr/core/src/media/rtp"], within: &SOURCES, scope: Scope::Everything },
    // SRTP's; hmac is named where codes are, too.
    Place {
        words: &["aes", "aes_gcm", "ctr", "sha1"],
        only_in: &["ivr/core/src/media/srtp/keys"],
        within: &["voice-prompts/src", "ivr/core/src"],
        scope: Scope::Everything,
    },
    Place { words: &["sqlx"], only_in: &["ivr/src/store"], within: &SOURCES, scope: Scope::Everything },
    // The service accepts connections for the router that `web` builds.
    Place {
        words: &["axum"],
        only_in: &["ivr/src/web", "ivr/src/service"],
        within: &SOURCES,
        scope: Scope::Everything,
    },
    // Nothing calls upward: rows and packets know no use case, use cases no page.
    Place {
        words: &[
            "crate::call_record",
            "crate::enrol_email",
            "crate::issue",
            "crate::operators",
            "crate::publish",
            "crate::service",
            "crate::trunk_probe",
            "crate::verify",
            "crate::webhooks",
        ],
        only_in: &[],
        within: &["ivr/src/mail", "ivr/src/media_driver", "ivr/src/sip_driver", "ivr/src/store"],
        scope: Scope::Product,
    },
    Place {
        words: &["crate::service", "crate::verify"],
        only_in: &[],
        within: &["ivr/src/issue", "ivr/src/publish"],
        scope: Scope::Product,
    },
    Place {
        words: &["crate::web"],
        only_in: &["ivr/src/cli", "ivr/src/service", "ivr/src/web"],
        within: &["ivr/src"],
        scope: Scope::Product,
    },
    // Invariant 3: a certificate for a number begins with the proof, in one file.
    Place {
        words: &["Subject::tel", "Subject>::tel", "Subject as"],
        only_in: &["ivr/src/issue"],
        within: &["dht-client/src", "ivr/core/src", "ivr/src"],
        scope: Scope::Product,
    },
    Place {
        words: &["by_call"],
        only_in: &["ivr/core/src/proof", "ivr/core/src/call/flow/proving"],
        within: &SOURCES,
        scope: Scope::Product,
    },
    // ADR 0013: a rehearsal has no way to a proof, to the rows, to the directory, or to a certificate of the service.
    Place {
        words: &[
            "ProvedNumber",
            "StillProved",
            "crate::store",
            "crate::publish",
            "issue::Issue",
            "verify::Verify",
            "app.issue",
            "app.verify",
            "app.store",
            "app.authority",
        ],
        only_in: &[],
        within: &["ivr/src/sandbox", "ivr/src/web/api/sandbox"],
        scope: Scope::Product,
    },
    Place {
        words: &["StillProved::open", "StillProved>::open", "StillProved as"],
        only_in: &["ivr/core/src/proof", "ivr/src/issue/old_key"],
        within: &SOURCES,
        scope: Scope::Product,
    },
    // Invariant 1.
    Place { words: CLOCK, only_in: &["ivr/src/clock"], within: &SOURCES, scope: Scope::Product },
    // A state machine that waits by itself, or a library that opens a connection.
    Place {
        words: &["UdpSocket", "TcpStream", "TcpListener", "thread::spawn", "thread::sleep"],
        only_in: &[],
        within: &["voice-prompts/src", "ca/src", "ivr/core/src"],
        scope: Scope::Product,
    },
];

// ---- the dependency graph

/// What crosses a border.
fn crossings(borders: &[Border], metadata: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for border in borders {
        let all = workspace::built_into(metadata, border.package);
        let ours = borders.iter().map(|border| border.package);
        let foreign = ours.filter(|package| !border.may_use.contains(package));
        let shunned = border.shuns.iter().copied().flatten().copied();
        let crossed = foreign.chain(shunned).filter(|name| all.contains(*name));
        found.extend(crossed.map(|name| format!("{} uses {name}", border.package)));
    }
    found
}

/// The packages of ARCHITECTURE.md's table, and what each must not know.
fn table(architecture: &str) -> Vec<(&str, &str)> {
    let rows = architecture.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    let cells = rows.filter_map(|row| Some((row.split(" | ").next()?, row.rsplit(" | ").next()?)));
    // The package's name is the last word between backticks: "`ivr/core` (`ivr-core`)".
    cells.filter_map(|(name, last)| Some((name.trim_end_matches([')', '`']).rsplit('`').next()?, last))).collect()
}

#[test]
fn no_package_knows_what_it_must_not() {
    assert_eq!(crossings(BORDERS, &workspace::metadata()), [""; 0]);
}

#[test]
fn the_rules_are_the_table_of_the_architecture() {
    let text = fs::read_to_string(workspace::root().join("ARCHITECTURE.md")).unwrap();
    let rules: Vec<_> = BORDERS.iter().map(|border| (border.package, border.must_not_know)).collect();
    assert_eq!(table(&text), rules);
}

#[test]
fn the_rules_speak_of_every_package_of_the_workspace() {
    let metadata = workspace::metadata();
    let members = metadata["workspace_members"].as_array().unwrap().len();
    assert_eq!(members, BORDERS.len());
}

/// What is found where the first of each pair needs the second, as Cargo would tell it.
fn crossed(needs: &[(&str, &str, &[Option<&str>])]) -> Vec<String> {
    let names: BTreeSet<&str> = needs.iter().flat_map(|(package, needed, _)| [*package, *needed]).collect();
    let packages: Vec<Value> =
        names.iter().map(|name| json!({ "id": format!("id of {name}"), "name": name })).collect();
    let needed = |package: &str| -> Vec<Value> {
        let of_package = needs.iter().filter(|(found, ..)| *found == package);
        let kinds = |kinds: &[Option<&str>]| kinds.iter().map(|kind| json!({ "kind": kind })).collect::<Vec<_>>();
        of_package.map(|(_, needed, of)| json!({ "pkg": format!("id of {needed}"), "dep_kinds": kinds(of) })).collect()
    };
    let nodes: Vec<Value> =
        names.iter().map(|name| json!({ "id": format!("id of {name}"), "deps": needed(name) })).collect();
    crossings(BORDERS, &json!({ "packages": packages, "resolve": { "nodes": nodes } }))
}

#[test]
fn a_forbidden_dependency_is_found_however_deep_it_lies() {
    let found = |needs: &[(&str, &str)]| {
        let built: &[Option<&str>] = &[None];
        crossed(&needs.iter().map(|(package, needed)| (*package, *needed, built)).collect::<Vec<_>>())
    };
    assert_eq!(found(&[("ca", "rcgen"), ("rcgen", "ring"), ("dht-client", "tokio")]), [""; 0]);
    assert_eq!(found(&[("ca", "a"), ("a", "b"), ("b", "a"), ("b", "tokio")]), ["ca uses tokio"]);
    assert_eq!(found(&[("ivr-core", "ca")]), ["ivr-core uses ca"]);
    assert_eq!(found(&[("dht-client", "sqlx")]), ["dht-client uses sqlx"]);
    assert_eq!(found(&[("voice-prompts", "ivr")]), ["voice-prompts uses ivr"]);
}

#[test]
fn dependencies_of_tests_are_not_dependencies() {
    assert_eq!(crossed(&[("ca", "tokio", &[Some("dev")])]), [""; 0]);
    assert_eq!(crossed(&[("ca", "tokio", &[None])]), ["ca uses tokio"]);
    assert_eq!(crossed(&[("ca", "tokio", &[Some("dev"), Some("build")])]), ["ca uses tokio"]);
}

#[test]
fn the_table_is_read_with_its_last_cells() {
    let text = "| package | is | must not know |\n|---|---|---|\n| `ca` | the CA | HTTP, SQL |\n| `ivr/core` (`ivr-core`) | x | `ca` |\n";
    assert_eq!(table(text), [("ca", "HTTP, SQL"), ("ivr-core", "`ca`")]);
}

// ---- the sources

fn sources() -> Vec<Source> {
    let (root, mut found) = (workspace::root(), Vec::new());
    let mut folders: Vec<_> = SOURCES.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources") {
            let path = entry.expect("an entry of a folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).expect("a file of the project").display().to_string();
                found.push((name, fs::read_to_string(&path).expect("sources are text")));
            }
        }
    }
    found
}

#[test]
fn every_word_is_in_its_place() {
    assert_eq!(trespasses(PLACES, &sources()), [""; 0]);
}

#[test]
fn the_sources_are_looked_at() {
    let sources = sources();
    for folder in SOURCES {
        let file = format!("{folder}/lib.rs");
        let found = sources.iter().find(|(name, _)| *name == file);
        assert!(found.is_some_and(|(_, text)| text.contains("pub mod")), "{file}");
    }
}

#[test]
fn whatever_clippy_bans_is_looked_for_here_too() {
    let text = fs::read_to_string(workspace::root().join("clippy.toml")).unwrap();
    let banned: toml::Table = text.parse().unwrap();
    for method in banned["disallowed-methods"].as_array().unwrap() {
        let path = method["path"].as_str().unwrap();
        assert!(CLOCK.iter().any(|word| path.ends_with(word)), "{path}");
    }
}

/// What is found in one file.
fn said_in(file: &str, text: &str) -> Vec<String> {
    trespasses(PLACES, &[(file.to_owned(), text.to_owned())])
}

#[test]
fn a_word_out_of_its_place_is_found() {
    let table = [
        ("ivr/core/src/sip/message.rs", "use rtp_rs::RtpReader;", "rtp_rs"),
        ("ivr/core/src/media/reports.rs", "use rtcp_types::Bye;", "rtcp_types"),
        ("ivr/core/src/media/session.rs", "use audio_codec::Encoder;", "audio_codec"),
        ("ivr/core/src/media/srtp.rs", "use aes::Aes128;", "aes"),
        ("ivr/src/publish.rs", "fn f(pool: &::sqlx::AnyPool) {}", "sqlx"),
        ("ivr/src/store_of_something.rs", "use sqlx;", "sqlx"),
        ("ivr/src/verify.rs", "fn f() -> axum::Router { todo() }", "axum"),
        ("ivr/src/verify.rs", "let s = ca::Subject::tel(text)?;", "Subject::tel"),
        ("ivr/src/verify.rs", "let s = texts.map(Subject :: tel);", "Subject::tel"),
        ("ivr/src/verify.rs", "let s = <ca::Subject>::tel(text);", "Subject>::tel"),
        ("ivr/src/verify.rs", "use ca::Subject as Whom;", "Subject as"),
        ("ivr/core/src/call/flow.rs", "let proof = ProvedNumber::by_call(number);", "by_call"),
        (
            "ivr/src/issue/wish.rs",
            "let still = StillProved::open(sealed, &number, &key, || true, now);",
            "StillProved::open",
        ),
        ("ivr/src/verify.rs", "use ivr_core::proof::StillProved as Ticket;", "StillProved as"),
        ("ivr/core/src/call.rs", "let now = std::time::Instant::now();", "Instant::now"),
        ("ca/src/prepare.rs", "let now = OffsetDateTime::now_utc();", "OffsetDateTime::now_utc"),
        ("dht-client/src/seen.rs", "if begun.elapsed() > limit {}", ".elapsed("),
        ("ca/src/serial.rs", "fn f() { SystemRandom::new(); }", "SystemRandom"),
        ("ivr/src/web.rs", "#[expect(clippy::disallowed_methods)] fn f() {}", "clippy::disallowed_methods"),
        ("ivr/core/src/endpoint.rs", "use std::net::{SocketAddr, UdpSocket};", "UdpSocket"),
        ("ivr/core/src/media.rs", "std::thread::spawn(|| ());", "thread::spawn"),
        ("ivr/src/store/mails.rs", "use crate::enrol_email::OrderId;", "crate::enrol_email"),
        ("ivr/src/operators.rs", "use crate::web::limits;", "crate::web"),
        ("ivr/src/sandbox.rs", "fn f(proof: &ProvedNumber) {}", "ProvedNumber"),
        ("ivr/src/web/api/sandbox.rs", "let view = app.verify.view(id).await?;", "app.verify"),
    ];
    for (file, text, word) in table {
        assert_eq!(said_in(file, text), [format!("{file} says {word}")]);
    }
}

#[test]
fn a_word_in_its_place_is_not_found() {
    let table = [
        ("ivr/core/src/media/rtp/tests.rs", "use rtp_rs::RtpReader;"),
        ("ivr/core/src/media/rtcp.rs", "use rtcp_types::Bye;"),
        ("ivr/core/src/media/g722/tests.rs", "use audio_codec::Decoder;"),
        ("ivr/core/src/media/srtp/keys/tests.rs", "use aes::Aes128;"),
        ("ivr/src/store.rs", "use sqlx::AnyPool;"),
        ("ivr/src/store/events.rs", "use sqlx::AnyPool;"),
        ("ivr/src/web/start.rs", "use axum::Form;"),
        ("ivr/src/issue.rs", "let s = Subject::tel(number);"),
        ("ivr/src/clock.rs", "Instant::now();"),
        ("ivr/core/src/call/flow/proving.rs", "ProvedNumber::by_call(number);"),
        ("ivr/src/issue/old_key.rs", "StillProved::open(sealed, &number, &key, is_signed, now);"),
        ("ivr/src/issue/verification.rs", "fn wish(still: &StillProved) {}"),
        ("ivr/src/sip_driver.rs", "use std::net::UdpSocket;"),
        ("ca/src/prepare.rs", "let s = Subject::tel(number);"),
    ];
    for (file, text) in table {
        assert_eq!(said_in(file, text), [""; 0]);
    }
}
