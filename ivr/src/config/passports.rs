//! `[passports]`: whose signatures of callers are believed (STIR/SHAKEN). Without anchors nobody's are.

use std::path::{Path, PathBuf};

use ivr_core::caller::{Passports as Treatment, Policy};
use serde::Deserialize;

use super::File;
use super::findings::Findings;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    anchors: Option<PathBuf>,
    #[serde(default)]
    revocation_lists: Vec<PathBuf>,
    #[serde(default)]
    denied_spcs: Vec<String>,
    tls_roots: Option<PathBuf>,
}

/// The checked section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passports {
    anchors: Option<PathBuf>,
    revocation_lists: Vec<PathBuf>,
    denied_spcs: Vec<String>,
    tls_roots: Option<PathBuf>,
}

impl Passports {
    /// Certificates that chains must lead to; without them nothing is verified.
    pub fn anchors(&self) -> Option<&Path> {
        self.anchors.as_deref()
    }

    /// What becomes of signatures: they are verified if there are anchors.
    pub fn treatment(&self) -> Treatment {
        if self.anchors.is_some() { Treatment::Verified } else { Treatment::Ignored }
    }

    /// Certificates that were revoked.
    pub fn revocation_lists(&self) -> &[PathBuf] {
        &self.revocation_lists
    }

    /// Service provider codes whose signatures are not believed.
    pub fn denied_spcs(&self) -> &[String] {
        &self.denied_spcs
    }

    /// Roots that the servers of certificates may also have theirs from.
    pub fn tls_roots(&self) -> Option<&Path> {
        self.tls_roots.as_deref()
    }
}

pub(super) fn check(raw: Raw, file: &mut File<'_>) -> Passports {
    let anchors = raw.anchors.map(|path| file.path(&path));
    if anchors.is_none() && (!raw.revocation_lists.is_empty() || !raw.denied_spcs.is_empty()) {
        file.findings
            .warn("passports.anchors", "without anchors no signature is verified, and the rest of [passports] is idle");
    }
    if raw.denied_spcs.iter().any(|spc| spc.trim() != spc || spc.is_empty()) {
        file.findings
            .fault("passports.denied_spcs", "a service provider code stands as in the certificates, such as \"709J\"");
    }
    Passports {
        anchors,
        revocation_lists: raw.revocation_lists.iter().map(|path| file.path(path)).collect(),
        denied_spcs: raw.denied_spcs,
        tls_roots: raw.tls_roots.map(|path| file.path(&path)),
    }
}

/// Are there signatures to verify, and anchors to verify them with?
pub(super) fn check_together(policy: &Policy, passports: &Passports, findings: &mut Findings) {
    let hands_on = policy.trunks.iter().any(|trunk| trunk.identity_passthrough);
    match (hands_on, passports.anchors()) {
        (true, None) => findings.warn(
            "passports.anchors",
            "a trunk has identity_passthrough, but without anchors nothing that it hands on is verified: it raises no level",
        ),
        (false, Some(_)) => findings.warn(
            "passports.anchors",
            "no trunk has identity_passthrough, so there is nothing to verify",
        ),
        _ => {}
    }
}
