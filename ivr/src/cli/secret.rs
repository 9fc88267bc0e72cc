//! Secrets that a command needs: from a file, from the environment, or from somebody at the terminal.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use ivr_core::private::Private;

/// A secret, and where it may come from.
pub(super) struct Secret {
    /// What it is called, such as "the passphrase of the authority's keys".
    pub(super) name: &'static str,
    /// The key or option that names its file.
    pub(super) option: &'static str,
    /// The environment variable where a supervisor may put it.
    pub(super) variable: &'static str,
}

/// What opens the authority's keys.
pub(super) const PASSPHRASE: Secret = Secret {
    name: "the passphrase of the authority's keys",
    option: "ca.passphrase_file",
    variable: "DIALPROOF_CA_PASSPHRASE",
};

/// How often somebody at the terminal types it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typing {
    /// To open something: a slip is noticed at once.
    Once,
    /// To close something: a slip would lock it for ever.
    Twice,
}

impl Secret {
    /// Finds it: in the file if one is named, else in the environment, else at the terminal.
    ///
    /// # Errors
    /// If there is none, and what to do about it.
    pub(super) fn find(&self, file: Option<&Path>, typing: Typing) -> Result<Private<String>> {
        let Self { name, option, variable } = self;
        if let Some(given) = self.given(file)? {
            return Ok(given);
        }
        if !io::stdin().is_terminal() {
            bail!("{name} is needed: name its file in {option}, set {variable}, or start this at a terminal");
        }
        let typed = ask(&format!("{name}: "))?;
        if typing == Typing::Twice && ask("the same again: ")? != typed {
            bail!("what was typed first differs from what was typed then: nothing was made");
        }
        Ok(typed)
    }

    /// The same without anybody at the terminal: `None` if they would have to type it.
    ///
    /// # Errors
    /// A file that cannot be read, or something empty.
    pub(super) fn given(&self, file: Option<&Path>) -> Result<Option<Private<String>>> {
        let Self { name, option, variable } = self;
        if let Some(file) = file {
            let file_name = file.display();
            let text =
                std::fs::read_to_string(file).with_context(|| format!("reading {name} from {file_name} ({option})"))?;
            return sound(&text).map(Some).with_context(|| format!("the file {file_name} ({option})"));
        }
        match std::env::var(variable) {
            Ok(text) => sound(&text).map(Some).with_context(|| format!("the variable {variable}")),
            Err(_) => Ok(None),
        }
    }
}

/// A line end belongs to the file, not to the secret.
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
    io::stdin().lock().read_line(&mut line).context("reading from the terminal")?;
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
        assert_eq!(PASSPHRASE.find(Some(&file), Typing::Once).unwrap().expose(), " correct horse ");
    }

    #[test]
    fn a_missing_or_empty_file_is_told_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passphrase");
        let missing = format!("{:#}", PASSPHRASE.find(Some(&file), Typing::Once).unwrap_err());
        assert!(missing.contains("passphrase_file") && missing.contains("No such file"), "{missing}");
        std::fs::write(&file, "\n").unwrap();
        let empty = format!("{:#}", PASSPHRASE.find(Some(&file), Typing::Twice).unwrap_err());
        assert!(empty.ends_with("(ca.passphrase_file): it is empty"), "{empty}");
    }
}
