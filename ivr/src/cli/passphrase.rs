//! The passphrase of the authority's keys: from a file, from the environment, or from somebody at the terminal.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use ivr_core::private::Private;

/// Where a supervisor may put it.
pub(super) const VARIABLE: &str = "DIALPROOF_CA_PASSPHRASE";

/// How often somebody at the terminal types it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typing {
    /// To open keys: a slip is noticed at once.
    Once,
    /// To make keys: a slip would lock them for ever.
    Twice,
}

/// Finds the passphrase: the file if one is configured, else the environment, else the terminal.
///
/// # Errors
/// If there is none, and what to do about it.
pub(super) fn find(file: Option<&Path>, typing: Typing) -> Result<Private<String>> {
    if let Some(file) = file {
        let text = std::fs::read_to_string(file).with_context(|| {
            format!("reading the passphrase of the authority's keys from {} (ca.passphrase_file)", file.display())
        })?;
        return sound(&text).with_context(|| format!("the passphrase file {}", file.display()));
    }
    if let Ok(text) = std::env::var(VARIABLE) {
        return sound(&text).with_context(|| format!("the variable {VARIABLE}"));
    }
    if !io::stdin().is_terminal() {
        bail!(
            "the authority's keys need their passphrase: name a file in ca.passphrase_file, set {VARIABLE}, or start \
             this at a terminal"
        );
    }
    let passphrase = ask("Passphrase of the authority's keys: ")?;
    if typing == Typing::Twice && ask("The same again: ")? != passphrase {
        bail!("the two passphrases differ: nothing was made");
    }
    Ok(passphrase)
}

/// A line end belongs to the file, not to the passphrase.
fn sound(text: &str) -> Result<Private<String>> {
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        bail!("it is empty");
    }
    Ok(Private::new(text.to_owned()))
}

fn ask(question: &str) -> Result<Private<String>> {
    let mut out = io::stderr();
    out.write_all(question.as_bytes())?;
    out.flush()?;
    let _hidden = Hidden::begin();
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("reading the passphrase from the terminal")?;
    writeln!(out)?;
    sound(&line)
}

/// While it lives the terminal does not show what is typed. Where there is no `stty`, it does.
struct Hidden;

impl Hidden {
    fn begin() -> Self {
        stty("-echo");
        Self
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        stty("echo");
    }
}

fn stty(setting: &str) {
    // Asking goes on without it.
    let _ = Command::new("stty").arg(setting).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_its_line_without_the_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passphrase");
        std::fs::write(&file, " correct horse \r\n").unwrap();
        assert_eq!(find(Some(&file), Typing::Once).unwrap().expose(), " correct horse ");
    }

    #[test]
    fn a_missing_or_empty_file_is_told_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passphrase");
        let missing = format!("{:#}", find(Some(&file), Typing::Once).unwrap_err());
        assert!(missing.contains("passphrase_file") && missing.contains("No such file"), "{missing}");
        std::fs::write(&file, "\n").unwrap();
        let empty = format!("{:#}", find(Some(&file), Typing::Twice).unwrap_err());
        assert!(empty.ends_with("passphrase: it is empty"), "{empty}");
    }
}
