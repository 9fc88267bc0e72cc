//! `[trunk.digest]`: the account with which a trunk proves that its calls are ours.

use std::path::{Path, PathBuf};

use ivr_core::caller::{DigestAlgorithm, DigestLogin};
use ivr_core::link::Login;
use ivr_core::private::Private;
use serde::Deserialize;

use super::File;
use super::link;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    realm: String,
    user: String,
    password_file: PathBuf,
    #[serde(default = "default_algorithms")]
    algorithms: Vec<String>,
}

fn default_algorithms() -> Vec<String> {
    [DigestAlgorithm::Sha256, DigestAlgorithm::Md5].map(|algorithm| algorithm.name().to_owned()).into()
}

impl Raw {
    pub(super) fn password_file(&self) -> &Path {
        &self.password_file
    }
}

/// The account of a trunk, if it has one; `None` if it has a fault.
pub(super) fn check(
    place: &impl Fn(&str) -> String,
    raw: Option<&Raw>,
    file: &mut File<'_>,
) -> Option<Option<DigestLogin>> {
    let Some(raw) = raw else { return Some(None) };
    let place = |key: &str| place(&format!("digest.{key}"));
    let faults = file.findings.faults().len();
    for (key, text) in [("realm", &raw.realm), ("user", &raw.user)] {
        if !link::is_quotable(text) {
            file.findings.fault(place(key), "1 to 128 bytes, without quotes and backslashes");
        }
    }
    let known = [DigestAlgorithm::Sha256, DigestAlgorithm::Md5].map(|algorithm| (algorithm.name(), algorithm));
    let algorithms: Vec<_> =
        raw.algorithms.iter().filter_map(|name| file.findings.choose(&place("algorithms"), name, &known)).collect();
    if raw.algorithms.is_empty() {
        file.findings.fault(place("algorithms"), "name at least one of \"SHA-256\", \"MD5\"");
    }
    let password = link::password(&place("password_file"), &raw.password_file, file)?;
    if password.expose().len() < SHORTEST_PASSWORD {
        // Whoever reads a challenge and its answer can try passwords without asking us.
        let text = format!(
            "the password can be guessed from what goes over the network: at least {SHORTEST_PASSWORD} random letters and digits"
        );
        file.findings.fault(place("password_file"), text);
    }
    let login = Login { user: Private::new(raw.user.clone()), password };
    (file.findings.faults().len() == faults).then(|| Some(DigestLogin { realm: raw.realm.clone(), login, algorithms }))
}

/// Letters and digits: 16 of them are 95 bits.
const SHORTEST_PASSWORD: usize = 16;
