//! Whatever a file of the project points to is there: pages under `docs/`, and what documents link to.

use std::fs;
use std::path::Path;

use end_to_end::workspace;

/// The ends of the names of files that say where something is.
const TEXTS: [&str; 5] = ["html", "md", "rs", "sql", "toml"];
/// Folders that are not committed, whose files anybody may have written: builds, and what the fuzzers found. Hidden ones
/// are left out, too.
const LEFT_OUT: [&str; 2] = ["corpus", "target"];

/// The project's texts, each as its path under the root and its content.
fn texts() -> Vec<(String, String)> {
    let root = workspace::root();
    let (mut folders, mut found) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the project") {
            let path = entry.expect("an entry of a folder").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with('.') || LEFT_OUT.contains(&name) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| TEXTS.iter().any(|text| end == *text)) {
                let name = path.strip_prefix(&root).expect("a file of the project").display().to_string();
                found.push((name, fs::read_to_string(&path).expect("it is text")));
            }
        }
    }
    found.sort();
    found
}

/// The paths under `docs/` that a text names, wherever in it: `docs/records.md`, `../docs/openapi.json`.
fn pages_named_in(text: &str) -> Vec<&str> {
    let is_of_path = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let mut found = Vec::new();
    for (at, _) in text.match_indices("docs/") {
        let before = &text[..at];
        // `mydocs/` is another folder, and so is `example.com/docs/`.
        let is_elsewhere = before.ends_with('/') && !before.ends_with("../") && !before.ends_with("./");
        if is_elsewhere || before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
            continue;
        }
        let rest = &text[at..];
        let end = rest.find(|c: char| !is_of_path(c)).unwrap_or(rest.len());
        // A full stop ends the sentence, not the name.
        found.push(rest[..end].trim_end_matches(['.', '-', '_']));
    }
    found
}

/// Where the links of a Markdown text lead, those to other hosts and within the page left out.
fn links_in(markdown: &str) -> Vec<&str> {
    let targets = markdown.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    let files = targets.map(|target| target.split('#').next().unwrap_or_default());
    files.filter(|file| !file.is_empty() && !file.contains(':')).collect()
}

/// Top-level documents and those under `docs/`.
fn is_document(name: &str) -> bool {
    name.ends_with(".md") && (name.starts_with("docs/") || !name.contains('/'))
}

/// What a text points to and nobody finds.
fn missing(root: &Path, name: &str, text: &str) -> Vec<String> {
    let pages = pages_named_in(text).into_iter().map(|page| (page, root.join(page)));
    let folder = root.join(Path::new(name).parent().expect("a file lies in a folder"));
    let links = if is_document(name) { links_in(text) } else { Vec::new() };
    let links = links.into_iter().map(|link| (link, folder.join(link)));
    let dangling = pages.chain(links).filter(|(_, path)| !path.exists());
    dangling.map(|(target, _)| format!("{name} points to {target}")).collect()
}

#[test]
fn every_page_that_is_named_and_every_file_that_is_linked_is_there() {
    let root = workspace::root();
    let texts = texts();
    // This file speaks of pages that there are not.
    let others = texts.iter().filter(|(name, _)| name != "tests/tests/documents.rs");
    let found: Vec<String> = others.flat_map(|(name, text)| missing(&root, name, text)).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn the_documents_are_looked_at() {
    let texts = texts();
    for name in ["README.md", "docs/protocol.md", "docs/adr/0001-sans-io-core.md", "config.example.toml"] {
        assert!(texts.iter().any(|(found, _)| found == name), "{name}");
    }
}

#[test]
fn a_page_is_found_wherever_it_is_named() {
    for (text, expected) in [
        ("//! (docs/protocol.md, steps 1 to 7)", &["docs/protocol.md"][..]),
        ("See `docs/a.md`, docs/adr/0001-x.md.", &["docs/a.md", "docs/adr/0001-x.md"]),
        ("include_str!(\"../../docs/records.md\")", &["docs/records.md"]),
        ("the choices (`docs/adr/`)", &["docs/adr/"]),
        ("mydocs/a.md, docs", &[]),
    ] {
        assert_eq!(pages_named_in(text), expected, "{text}");
    }
}

#[test]
fn a_link_is_found_if_it_stays_here() {
    let text = "[a](docs/a.md), [b](b.md#part), [c](#part), [d](https://example.org/d.md) and (e.md)";
    assert_eq!(links_in(text), ["docs/a.md", "b.md"]);
}

#[test]
fn what_is_not_there_is_told() {
    let root = workspace::root();
    let text = "[one](no-such-page.md), docs/no-such-page.md, [two](records.md), docs/records.md";
    assert_eq!(
        missing(&root, "docs/records.md", text),
        ["docs/records.md points to docs/no-such-page.md", "docs/records.md points to no-such-page.md"]
    );
    // Links are the documents' alone: in a source, `a[i](b)` is none.
    assert_eq!(missing(&root, "ivr/src/lib.rs", "[one](no-such-page.md)"), [""; 0]);
}

/// What stands between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_duty_points_to_a_transcript_and_a_test_and_no_transcript_is_left_out() {
    let root = workspace::root();
    let page = fs::read_to_string(root.join("docs/duties.md")).expect("the page of duties");
    let scenarios = root.join("ivr/core/scenarios");
    let mut wrong = Vec::new();
    let is_transcript = |name: &str| name.starts_with("sip-") || name.starts_with("keys-");
    for name in quoted(&page).filter(|name| is_transcript(name) && !name.contains('.')) {
        if !scenarios.join(format!("{name}.txt")).is_file() {
            wrong.push(format!("there is no transcript {name}"));
        }
    }
    for (file, test) in quoted(&page).filter_map(|name| name.split_once("::")).filter(|(_, test)| *test != "NAME") {
        let tests = root.join("tests/tests");
        let files = [tests.join(format!("{file}.rs")), tests.join(file).join("main.rs")];
        let text = files.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        if !text.contains(&format!("fn {test}()")) {
            wrong.push(format!("there is no test {file}::{test}"));
        }
    }
    for row in page.lines().filter(|line| line.starts_with("| ") && line.ends_with('|')) {
        let tests = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default().trim();
        if !tests.is_empty() && !tests.starts_with('`') && tests != "peer tests" {
            wrong.push(format!("{tests:?} is no test"));
        }
    }
    let named: Vec<&str> = quoted(&page).collect();
    for entry in fs::read_dir(scenarios).expect("the transcripts").flatten() {
        let name = entry.file_name().to_string_lossy().trim_end_matches(".txt").to_owned();
        if is_transcript(&name) && !named.contains(&name.as_str()) {
            wrong.push(format!("no duty names the transcript {name}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
