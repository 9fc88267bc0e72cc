//! What the reader of TOML says against a section, for whoever wrote it: which key, in which line, and which key was probably meant.

use toml::de::Error;

use super::findings::Findings;

/// Notes it.
pub(super) fn tell(place: &str, error: &Error, text: &str, findings: &mut Findings) {
    let line = error.span().map_or_else(String::new, |span| in_line(span.start, text));
    match unknown_key(error.message()) {
        Some((key, known)) => {
            let place = format!("{place}.{}{key}", table_of(error));
            findings.fault(place, format!("there is no such key{line}; {}", meant(key, &known)));
        }
        // The error names the key, if it knows it, in a second line.
        None => {
            let said = without_value(error.to_string());
            findings.fault(place, format!("{}{line}", said.trim_end().replace('\n', ", ")));
        }
    }
}

/// ` (line 7)`, for the octet at this place.
pub(super) fn in_line(at: usize, text: &str) -> String {
    let ends_before = text.bytes().take(at).filter(|octet| *octet == b'\n').count();
    format!(" (line {})", ends_before + 1)
}

/// The one that looks like what was written; else all that there are.
pub(super) fn meant(written: &str, known: &[&str]) -> String {
    let written = written.to_lowercase();
    let away = |name: &&str| strsim::damerau_levenshtein(&written, name);
    let nearest = known.iter().copied().min_by_key(away);
    match nearest.filter(|name| away(name) <= (name.len() / 3).max(1)) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known are {}", known.join(", ")),
    }
}

/// The key that nobody knows, and those that are known beside it. Serde says it in words only.
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let (key, known) = message.strip_prefix("unknown field `")?.split_once("`, expected ")?;
    Some((key, known.split('`').skip(1).step_by(2).collect()))
}

/// Without the text that stands where something else belongs: it may be a password.
fn without_value(said: String) -> String {
    let parts =
        said.split_once(": string \"").and_then(|(what, rest)| Some((what, rest.rsplit_once("\", expected ")?.1)));
    parts.map_or_else(|| said.clone(), |(what, expected)| format!("{what}: a text, expected {expected}"))
}

/// `register.` if the key stands in such a table of its section. The error says it in its second line only.
fn table_of(error: &Error) -> String {
    let said = error.to_string();
    let table = said.trim_end().rsplit_once("\nin `").and_then(|(_, table)| table.strip_suffix('`'));
    table.map_or_else(String::new, |table| format!("{table}."))
}
