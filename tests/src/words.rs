//! Which words a project writes in which of its files, as tokens: comments and strings do not count.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A file: its path under the root, and its text.
pub type Source = (String, String);

/// Words that are written in one place.
#[derive(Debug)]
pub struct Place {
    /// Each a piece of Rust.
    pub words: &'static [&'static str],
    /// Files without their `.rs`, each with the folder of the same name.
    pub only_in: &'static [&'static str],
    /// In whose sources it is looked for.
    pub within: &'static [&'static str],
    /// Whether tests count.
    pub scope: Scope,
}

/// What of a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Tests as well.
    Everything,
    /// All but what `#[cfg(test)]` leaves out of the product.
    Product,
}

/// Which files write a word where it may not be.
///
/// # Panics
/// If a file is not Rust.
pub fn trespasses(places: &[Place], sources: &[Source]) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [Place; 2] = [
        Place { words: &["rsip"], only_in: &["ivr/sip"], within: &["ivr"], scope: Scope::Everything },
        Place { words: &["Instant::now"], only_in: &["ivr/clock"], within: &["ivr"], scope: Scope::Product },
    ];

    /// What is found in one file.
    fn said_in(file: &str, text: &str) -> Vec<String> {
        trespasses(&PLACES, &[(file.to_owned(), text.to_owned())])
    }

    #[test]
    fn a_word_is_found_outside_of_its_place_and_of_the_folder_of_that_name() {
        assert_eq!(said_in("ivr/gate.rs", "use rsip::Request;"), ["ivr/gate.rs says rsip"]);
        assert_eq!(said_in("ivr/sip_too.rs", "::rsip::parse()"), ["ivr/sip_too.rs says rsip"]);
        assert_eq!(said_in("ivr/a/sip.rs", "rsip!()"), ["ivr/a/sip.rs says rsip"]);
        for file in ["ivr/sip.rs", "ivr/sip/uri.rs", "other/gate.rs"] {
            assert_eq!(said_in(file, "use rsip::Request;"), [""; 0]);
        }
    }

    #[test]
    fn comments_strings_and_longer_names_are_not_words() {
        let text = "// rsip\n/* rsip */ fn rsip_like() { log(\"rsip\", r#\"rsip \" \"#, 'r'); } /// rsip\n struct S;";
        assert_eq!(said_in("ivr/verify.rs", text), [""; 0]);
    }

    #[test]
    fn tests_may_make_an_instant_but_not_name_the_sip_library() {
        let test = "#[cfg(test)] mod tests { fn f() { Instant::now(); rsip::parse(); } }";
        assert_eq!(said_in("ivr/call.rs", test), ["ivr/call.rs says rsip"]);
        let after = "#[cfg(test)] use std::time; fn f() { Instant::now(); }";
        assert_eq!(said_in("ivr/call.rs", after), ["ivr/call.rs says Instant::now"]);
        let not_only_tests = "#[cfg(any(test, unix))] fn f() { Instant::now(); }";
        assert_eq!(said_in("ivr/call.rs", not_only_tests), ["ivr/call.rs says Instant::now"]);
    }

    #[test]
    fn a_file_of_tests_is_known_by_whoever_includes_it() {
        let said = |parent: &str, declaration: &str, file: &str| {
            let files = [(parent, declaration), (file, "fn f() { Instant::now(); }")];
            trespasses(&PLACES, &files.map(|(name, text)| (name.to_owned(), text.to_owned())))
        };
        let for_tests = "#[cfg(test)] pub(crate) mod tests;";
        assert_eq!(said("ivr/lint.rs", for_tests, "ivr/lint/tests.rs"), [""; 0]);
        assert_eq!(said("ivr/lib.rs", for_tests, "ivr/tests.rs"), [""; 0]);
        assert_eq!(said("ivr/lint.rs", for_tests, "ivr/lint/tests/leaf.rs"), [""; 0]);
        assert_eq!(said("ivr/lint.rs", "mod tests;", "ivr/lint/tests.rs"), ["ivr/lint/tests.rs says Instant::now"]);
    }
}
