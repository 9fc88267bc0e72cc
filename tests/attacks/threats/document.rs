//! docs/threats.md, made from the table.

use std::fmt::Write as _;

use end_to_end::workspace;

use super::{THREATS, Threat};

const DOCUMENT: &str = "docs/threats.md";
/// Made when this variable is set.
const UPDATE: &str = "UPDATE_THREATS";
const WIDTH: usize = 120;

#[test]
fn the_document_is_made_from_the_table() {
    let (path, made) = (workspace::root().join(DOCUMENT), document());
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, &made).expect("the document can be written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == made, "{DOCUMENT} is not what the table says: {UPDATE}=1 writes it anew");
}

fn document() -> String {
    let mut text = String::new();
    let head = "What attackers try, what stands against it, what is left, and which tests play it. This page is made \
                from the table in `tests/attacks/threats.rs`; a row that no test plays fails there. The tests of \
                `tests/attacks/` start the service as an operator does and attack it over SIP, RTP and HTTP; each \
                asserts the defence and the record that it leaves. Others are unit tests by name, and scenarios of \
                `ivr/core/scenarios/`. None of them needs a peer.";
    write!(text, "# Threats\n\n{}\n```sh\ncargo test --release -p end-to-end --test attacks\n```\n", wrapped(head, ""))
        .expect("a string takes all");
    for Threat { attack, defence, left, played, besides } in THREATS {
        let code = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
        write!(text, "\n## {attack}\n\n").expect("a string takes all");
        for (what, words) in [("What stops it", *defence), ("What is left", *left)] {
            text += &wrapped(&format!("- **{what}:** {words}"), "  ");
        }
        for (what, names) in [("Played by", code(played)), ("Also tested by", code(besides))] {
            if !names.is_empty() {
                text += &wrapped(&format!("- **{what}:** {}", names.join(", ")), "  ");
            }
        }
    }
    text
}

/// Lines of at most [`WIDTH`] columns, all but the first with this before them.
fn wrapped(words: &str, indent: &str) -> String {
    let (mut text, mut line) = (String::new(), String::new());
    for word in words.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            text += &format!("{}\n", line);
            line = indent.to_owned() + word;
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
    }
    text + &line + "\n"
}
