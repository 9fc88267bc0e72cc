//! `[ca]`: where the authority's keys are and how it names things.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ca::{Level, Lives};
use serde::Deserialize;

use super::{File, Purpose};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    folder: Option<PathBuf>,
    passphrase_file: Option<PathBuf>,
    #[serde(default = "default_oid_arc")]
    oid_arc: String,
    #[serde(default)]
    life_days: BTreeMap<String, u64>,
}

fn default_oid_arc() -> String {
    DOCUMENTATION_ARC.to_owned()
}

/// The checked section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ca {
    folder: PathBuf,
    passphrase_file: Option<PathBuf>,
    oid_arc: Vec<u64>,
    lives: Lives,
}

impl Ca {
    /// Certificates, encrypted keys and the bundle.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the passphrase of the keys is; without it, the environment or the terminal gives it.
    pub fn passphrase_file(&self) -> Option<&Path> {
        self.passphrase_file.as_deref()
    }

    /// The arc of our own object identifiers.
    pub fn oid_arc(&self) -> &[u64] {
        &self.oid_arc
    }

    /// How long certificates live, by level.
    pub fn lives(&self) -> &Lives {
        &self.lives
    }
}

pub(super) fn check(raw: Raw, data: &Path, purpose: Purpose, file: &mut File<'_>) -> Option<Ca> {
    let oid_arc = arc(&raw.oid_arc, purpose, file);
    let lives = lives(&raw.life_days, file);
    if raw.passphrase_file.is_none() && purpose == Purpose::Serve {
        file.findings.warn(
            "ca.passphrase_file",
            "without it, DIALPROOF_CA_PASSPHRASE or somebody at the terminal must give the passphrase at every start",
        );
    }
    Some(Ca {
        folder: raw.folder.map_or_else(|| data.join("ca"), |folder| file.path(&folder)),
        passphrase_file: raw.passphrase_file.map(|path| file.path(&path)),
        oid_arc: oid_arc?,
        lives: lives?,
    })
}

/// The lives of the levels that are named; the others live as long as they may.
fn lives(days: &BTreeMap<String, u64>, file: &mut File<'_>) -> Option<Lives> {
    let mut lives = Some(Lives::default());
    for (name, days) in days {
        let place = format!("ca.life_days.{name}");
        let Some(level) = Level::ALL.into_iter().find(|level| *name == format!("{level:?}")) else {
            file.findings.fault(place, "a level is one of L0 (mailboxes), L1, L2, L3, L4");
            lives = None;
            continue;
        };
        let longest = Lives::longest(level).as_secs() / DAY;
        let with = lives.and_then(|lives| lives.with(level, Duration::from_secs(days.saturating_mul(DAY))).ok());
        if !(1..=longest).contains(days) {
            file.findings.fault(place, format!("between 1 and {longest} days, by the specification of certificates"));
        }
        lives = with;
    }
    lives
}

const DAY: u64 = 24 * 60 * 60;

fn arc(text: &str, purpose: Purpose, file: &mut File<'_>) -> Option<Vec<u64>> {
    const PLACE: &str = "ca.oid_arc";
    let arcs: Option<Vec<u64>> = text.split('.').map(|arc| arc.parse().ok()).collect();
    // X.660: the first arc is 0 to 2, the second at most 39 under 0 and 1.
    let Some(arcs) = arcs.filter(|arcs| match arcs.as_slice() {
        [0 | 1, second, _, ..] => *second <= 39,
        [2, _, _, ..] => true,
        _ => false,
    }) else {
        let wrong = if text.ends_with("NUMBER") {
            "replace NUMBER by your Private Enterprise Number: IANA gives one free of charge".to_owned()
        } else {
            format!("{text:?} is no object identifier, such as 1.3.6.1.4.1. and your Private Enterprise Number")
        };
        file.findings.fault(PLACE, wrong);
        return None;
    };
    if purpose == Purpose::Serve && text == DOCUMENTATION_ARC {
        file.findings.fault(
            PLACE,
            format!(
                "{DOCUMENTATION_ARC} is for documentation (RFC 5612): set an arc of your own; IANA gives a Private \
                 Enterprise Number free of charge, then write 1.3.6.1.4.1.NUMBER"
            ),
        );
    }
    Some(arcs)
}

/// RFC 5612: the enterprise number of examples.
pub const DOCUMENTATION_ARC: &str = "1.3.6.1.4.1.32473";
