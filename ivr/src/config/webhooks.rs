//! `[webhooks]`: how events reach the endpoints that operators add (`dialproof webhook add`).

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{File, Purpose};
use crate::outbound::Reach;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    tls_roots: Option<PathBuf>,
    #[serde(default)]
    loopback: bool,
}

/// The checked section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhooks {
    tls_roots: Option<PathBuf>,
    is_loopback: bool,
}

impl Webhooks {
    /// Roots that the servers of endpoints may also have their certificates from.
    pub fn tls_roots(&self) -> Option<&Path> {
        self.tls_roots.as_deref()
    }

    /// Which addresses are posted to.
    pub fn reach(&self) -> Reach {
        if self.is_loopback { Reach::LOOPBACK } else { Reach::PUBLIC }
    }
}

pub(super) fn check(raw: Raw, purpose: Purpose, file: &mut File<'_>) -> Webhooks {
    if raw.loopback && purpose == Purpose::Serve {
        file.findings.fault(
            "webhooks.loopback",
            "events go to this machine only, and in the clear; that is for the demonstration: take the line out",
        );
    }
    Webhooks { tls_roots: raw.tls_roots.map(|path| file.path(&path)), is_loopback: raw.loopback }
}
