//! Who may know whom: the table of ARCHITECTURE.md, and what is named in one place only.
//!
//! The first is read from Cargo's dependency graph, the second from the sources, as tokens: comments and strings do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use end_to_end::workspace;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use serde_json::Value;

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
const TELEPHONY: &[&str] = &["phonenumber", "rlibphonenumber", "rsip", "rtp-rs", "sdp-types"];
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

/// Words that are written in one place.
struct Place {
    /// Each a piece of Rust.
    words: &'static [&'static str],
    /// Files without their `.rs`, each with the folder of the same name.
    only_in: &'static [&'static str],
    /// In whose sources it is looked for.
    within: &'static [&'static str],
    scope: Scope,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Tests as well.
    Everything,
    /// All but what `#[cfg(test)]` leaves out of the product.
    Product,
}

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
    Place { words: &["rsip"], only_in: &["ivr/core/src/sip/message"], within: &SOURCES, scope: Scope::Everything },
    Place { words: &["rtp_rs"], only_in: &["ivr/core/src/media/rtp"], within: &SOURCES, scope: Scope::Everything },
    Place { words: &["sqlx"], only_in: &["ivr/src/store"], within: &SOURCES, scope: Scope::Everything },
    // The service accepts connections for the router that `web` builds.
    Place {
        words: &["axum"],
        only_in: &["ivr/src/web", "ivr/src/service"],
        within: &SOURCES,
        scope: Scope::Everything,
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
        only_in: &["ivr/core/src/proof", "ivr/core/src/call/flow"],
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

/// The workspace's packages and all they depend on, as names; development dependencies left out.
#[derive(Default)]
struct Graph {
    direct: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn read(metadata: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let names: BTreeMap<String, String> =
            list(&metadata["packages"]).iter().map(|package| (text(&package["id"]), text(&package["name"]))).collect();
        let built = |dependency: &Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev");
        let mut graph = Self::default();
        for node in list(&metadata["resolve"]["nodes"]) {
            let needs = graph.direct.entry(names[&text(&node["id"])].clone()).or_default();
            let dependencies = list(&node["deps"]);
            let built = dependencies.iter().filter(|dependency| built(dependency));
            needs.extend(built.map(|dependency| names[&text(&dependency["pkg"])].clone()));
        }
        graph
    }

    /// A package's dependencies, their dependencies, and so on.
    fn all(&self, package: &str) -> BTreeSet<&str> {
        let (mut found, mut waiting) = (BTreeSet::new(), vec![package]);
        while let Some(package) = waiting.pop() {
            for needed in self.direct.get(package).into_iter().flatten() {
                if found.insert(needed.as_str()) {
                    waiting.push(needed);
                }
            }
        }
        found
    }

    /// What crosses a border.
    fn trespasses(&self, borders: &[Border]) -> Vec<String> {
        let mut found = Vec::new();
        for border in borders {
            let all = self.all(border.package);
            let ours = borders.iter().map(|border| border.package);
            let foreign = ours.filter(|package| !border.may_use.contains(package));
            let shunned = border.shuns.iter().copied().flatten().copied();
            for name in foreign.chain(shunned).filter(|name| all.contains(name)) {
                found.push(format!("{} uses {name}", border.package));
            }
        }
        found
    }
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
    assert_eq!(Graph::read(&workspace::metadata()).trespasses(BORDERS), [""; 0]);
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

#[test]
fn a_forbidden_dependency_is_found_however_deep_it_lies() {
    let graph = |edges: &[(&str, &str)]| {
        let mut graph = Graph::default();
        for (package, needed) in edges {
            graph.direct.entry((*package).to_owned()).or_default().insert((*needed).to_owned());
        }
        graph.trespasses(BORDERS)
    };
    assert_eq!(graph(&[("ca", "rcgen"), ("rcgen", "ring"), ("dht-client", "tokio")]), [""; 0]);
    assert_eq!(graph(&[("ca", "a"), ("a", "b"), ("b", "a"), ("b", "tokio")]), ["ca uses tokio"]);
    assert_eq!(graph(&[("ivr-core", "ca")]), ["ivr-core uses ca"]);
    assert_eq!(graph(&[("dht-client", "sqlx")]), ["dht-client uses sqlx"]);
    assert_eq!(graph(&[("voice-prompts", "ivr")]), ["voice-prompts uses ivr"]);
}

#[test]
fn dependencies_of_tests_are_not_dependencies() {
    let kinds = |kinds: &str| {
        let text = format!(
            r#"{{"packages": [{{"id": "1", "name": "ca"}}, {{"id": "2", "name": "tokio"}}],
                "resolve": {{"nodes": [{{"id": "1", "deps": [{{"pkg": "2", "dep_kinds": [{kinds}]}}]}}]}}}}"#
        );
        Graph::read(&serde_json::from_str(&text).unwrap()).trespasses(BORDERS)
    };
    assert_eq!(kinds(r#"{"kind": "dev"}"#), [""; 0]);
    assert_eq!(kinds(r#"{"kind": null}"#), ["ca uses tokio"]);
    assert_eq!(kinds(r#"{"kind": "dev"}, {"kind": "build"}"#), ["ca uses tokio"]);
}

#[test]
fn the_table_is_read_with_its_last_cells() {
    let text = "| package | is | must not know |\n|---|---|---|\n| `ca` | the CA | HTTP, SQL |\n| `ivr/core` (`ivr-core`) | x | `ca` |\n";
    assert_eq!(table(text), [("ca", "HTTP, SQL"), ("ivr-core", "`ca`")]);
}

// ---- the sources

/// A file: its path under the root, and its text.
type Source = (String, String);

fn sources() -> Vec<Source> {
    fn collect(folder: &Path, root: &Path, found: &mut Vec<Source>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, root, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let (root, mut found) = (workspace::root(), Vec::new());
    for folder in SOURCES {
        collect(&root.join(folder), &root, &mut found);
    }
    found
}

/// Which files write a word where it may not be.
fn trespasses(places: &[Place], sources: &[Source]) -> Vec<String> {
    let mut parsed: Vec<(&str, Parsed)> =
        sources.iter().map(|(name, text)| (name.as_str(), Parsed::read(text))).collect();
    let tests: BTreeSet<String> =
        parsed.iter().flat_map(|(name, file)| file.test_modules.iter().map(|module| child(name, module))).collect();
    for (name, file) in &mut parsed {
        if tests.iter().any(|test| is_in(name, test)) {
            file.product.clear();
        }
    }
    let mut found = Vec::new();
    for place in places {
        for (name, file) in &parsed {
            let looked_at = place.within.iter().any(|folder| name.starts_with(folder));
            if !looked_at || place.only_in.iter().any(|allowed| is_in(name, allowed)) {
                continue;
            }
            let tokens = if place.scope == Scope::Product { &file.product } else { &file.everything };
            let written = place.words.iter().filter(|word| contains(tokens, word));
            found.extend(written.map(|word| format!("{name} says {word}")));
        }
    }
    found
}

/// Whether a file is `place.rs` or lies in the folder `place`.
fn is_in(file: &str, place: &str) -> bool {
    file.strip_prefix(place).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// The place of a file's module.
fn child(file: &str, module: &str) -> String {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    match name {
        "lib.rs" | "main.rs" | "mod.rs" => format!("{folder}/{module}"),
        _ => format!("{}/{module}", file.trim_end_matches(".rs")),
    }
}

fn contains(tokens: &[String], word: &str) -> bool {
    let word = flat(word);
    tokens.windows(word.len()).any(|window| window == word)
}

/// A word of the rules, which need not be whole Rust: every sign is a token, every name is one.
fn flat(word: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut in_name = false;
    for c in word.chars() {
        let of_name = c.is_alphanumeric() || c == '_';
        match tokens.last_mut() {
            Some(last) if of_name && in_name => last.push(c),
            _ if c == ' ' => {}
            _ => tokens.push(c.to_string()),
        }
        in_name = of_name;
    }
    tokens
}

/// The tokens of a file.
#[derive(Default)]
struct Parsed {
    everything: Vec<String>,
    /// Without what is compiled for tests only.
    product: Vec<String>,
    /// Modules that are compiled for tests only, in files of their own.
    test_modules: Vec<String>,
}

impl Parsed {
    fn read(text: &str) -> Self {
        let stream: TokenStream = text.parse().expect("the sources are Rust");
        let mut parsed = Self::default();
        parsed.walk(stream.clone(), Scope::Everything);
        parsed.walk(stream, Scope::Product);
        parsed
    }

    fn walk(&mut self, stream: TokenStream, scope: Scope) {
        let mut tokens = stream.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let is_hash = matches!(&token, TokenTree::Punct(sign) if sign.as_char() == '#');
            if scope == Scope::Product && is_hash && tokens.next_if(is_cfg_test).is_some() {
                self.test_modules.extend(module_in_a_file(&take_item(&mut tokens)));
                continue;
            }
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => ("", ""),
                    };
                    self.push(open, scope);
                    self.walk(group.stream(), scope);
                    self.push(close, scope);
                }
                TokenTree::Literal(_) => self.push("literal", scope),
                name_or_sign => self.push(&name_or_sign.to_string(), scope),
            }
        }
    }

    fn push(&mut self, token: &str, scope: Scope) {
        let tokens = if scope == Scope::Product { &mut self.product } else { &mut self.everything };
        tokens.push(token.to_owned());
    }
}

fn is_cfg_test(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.stream().to_string().replace(' ', "") == "cfg(test)")
}

/// Takes an item's tokens, up to the semicolon or the braces that end it.
fn take_item(tokens: &mut impl Iterator<Item = TokenTree>) -> Vec<TokenTree> {
    let mut item = Vec::new();
    for token in tokens {
        let ends = match &token {
            TokenTree::Punct(sign) => sign.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            _ => false,
        };
        item.push(token);
        if ends {
            break;
        }
    }
    item
}

/// The name in `mod name;`.
fn module_in_a_file(item: &[TokenTree]) -> Option<String> {
    match item {
        [.., TokenTree::Ident(keyword), TokenTree::Ident(name), TokenTree::Punct(_)] if keyword == "mod" => {
            Some(name.to_string())
        }
        _ => None,
    }
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
        ("ivr/core/src/sip/gate.rs", "use rsip::Request;", "rsip"),
        ("ivr/core/src/sip/message.rs", "use rtp_rs::RtpReader;", "rtp_rs"),
        ("ivr/src/publish.rs", "fn f(pool: &::sqlx::AnyPool) {}", "sqlx"),
        ("ivr/src/store_of_something.rs", "use sqlx;", "sqlx"),
        ("ivr/src/verify.rs", "fn f() -> axum::Router { todo() }", "axum"),
        ("ivr/src/verify.rs", "let s = ca::Subject::tel(text)?;", "Subject::tel"),
        ("ivr/src/verify.rs", "let s = texts.map(Subject :: tel);", "Subject::tel"),
        ("ivr/src/verify.rs", "let s = <ca::Subject>::tel(text);", "Subject>::tel"),
        ("ivr/src/verify.rs", "use ca::Subject as Whom;", "Subject as"),
        ("ivr/core/src/endpoint.rs", "let proof = ProvedNumber::by_call(number);", "by_call"),
        ("ivr/core/src/call.rs", "let now = std::time::Instant::now();", "Instant::now"),
        ("ca/src/prepare.rs", "let now = OffsetDateTime::now_utc();", "OffsetDateTime::now_utc"),
        ("dht-client/src/seen.rs", "if begun.elapsed() > limit {}", ".elapsed("),
        ("ca/src/serial.rs", "fn f() { SystemRandom::new(); }", "SystemRandom"),
        ("ivr/src/web.rs", "#[expect(clippy::disallowed_methods)] fn f() {}", "clippy::disallowed_methods"),
        ("ivr/core/src/endpoint.rs", "use std::net::{SocketAddr, UdpSocket};", "UdpSocket"),
        ("ivr/core/src/media.rs", "std::thread::spawn(|| ());", "thread::spawn"),
    ];
    for (file, text, word) in table {
        assert_eq!(said_in(file, text), [format!("{file} says {word}")]);
    }
}

#[test]
fn a_word_in_its_place_is_not_found() {
    let table = [
        ("ivr/core/src/sip/message.rs", "use rsip::Request;"),
        ("ivr/core/src/media/rtp/tests.rs", "use rtp_rs::RtpReader;"),
        ("ivr/src/store.rs", "use sqlx::AnyPool;"),
        ("ivr/src/store/events.rs", "use sqlx::AnyPool;"),
        ("ivr/src/web/start.rs", "use axum::Form;"),
        ("ivr/src/issue.rs", "let s = Subject::tel(number);"),
        ("ivr/src/clock.rs", "Instant::now();"),
        ("ivr/core/src/call/flow.rs", "ProvedNumber::by_call(number);"),
        ("ivr/src/sip_driver.rs", "use std::net::UdpSocket;"),
        ("ca/src/prepare.rs", "let s = Subject::tel(number);"),
    ];
    for (file, text) in table {
        assert_eq!(said_in(file, text), [""; 0]);
    }
}

#[test]
fn comments_strings_and_longer_names_are_not_words() {
    let text =
        "// rsip\n/* sqlx */ fn rsip_like() { log(\"axum Subject::tel\", r#\"rsip \" \"#, 'r'); } /// sqlx\n struct S;";
    assert_eq!(said_in("ivr/src/verify.rs", text), [""; 0]);
}

#[test]
fn tests_may_make_an_instant_but_not_name_the_sip_library() {
    let test = "#[cfg(test)] mod tests { fn f() { Instant::now(); rsip::parse(); } }";
    assert_eq!(said_in("ivr/core/src/call.rs", test), ["ivr/core/src/call.rs says rsip"]);
    let after = "#[cfg(test)] use std::time; fn f() { Instant::now(); }";
    assert_eq!(said_in("ivr/core/src/call.rs", after), ["ivr/core/src/call.rs says Instant::now"]);
    let not_only_tests = "#[cfg(any(test, unix))] fn f() { Instant::now(); }";
    assert_eq!(said_in("ivr/core/src/call.rs", not_only_tests), ["ivr/core/src/call.rs says Instant::now"]);
}

#[test]
fn a_file_of_tests_is_known_by_whoever_includes_it() {
    let said = |parent: &str, declaration: &str, file: &str| {
        let files = [(parent, declaration), (file, "fn f() { Instant::now(); }")];
        trespasses(PLACES, &files.map(|(name, text)| (name.to_owned(), text.to_owned())))
    };
    let for_tests = "#[cfg(test)] pub(crate) mod tests;";
    assert_eq!(said("ca/src/lint.rs", for_tests, "ca/src/lint/tests.rs"), [""; 0]);
    assert_eq!(said("ca/src/lib.rs", for_tests, "ca/src/tests.rs"), [""; 0]);
    assert_eq!(said("ca/src/lint.rs", for_tests, "ca/src/lint/tests/leaf.rs"), [""; 0]);
    assert_eq!(
        said("ca/src/lint.rs", "mod tests;", "ca/src/lint/tests.rs"),
        ["ca/src/lint/tests.rs says Instant::now"]
    );
}
