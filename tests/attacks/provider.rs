//! A provider that signs who calls, and services that it calls: in a network of a test's own.

use std::path::{Path, PathBuf};

use end_to_end::nameserver::NameServer;
use end_to_end::shaken::{internet, sign};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::scene::{CARRIER, DIALLED, Scene, trunk};

/// A provider whose certificate lies on the internet.
pub(crate) struct Provider {
    folder: TempDir,
    _internet: Runtime,
    names: NameServer,
}

impl Provider {
    /// The only one of its network.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (internet, names) = internet(folder.path());
        Self { folder, _internet: internet, names }
    }

    /// The anchors that its certificate leads to.
    pub(crate) fn anchors(&self) -> PathBuf {
        self.folder.path().join("anchors.pem")
    }

    /// A service that believes these anchors, with more lines of `[passports]`. Over its trunk a forwarded call might not say
    /// so: only a signature earns more than L1.
    pub(crate) fn scene(&self, anchors: &Path, more: &str) -> Scene {
        let of_trunk = "keeps_diversion = \"no\"\nidentity_passthrough = true";
        let trunks = trunk("carrier", CARRIER, &[("keeps_diversion = \"yes\"", of_trunk)]);
        let (anchors, roots) = (anchors.display(), self.folder.path().join("tls.pem"));
        let sip = format!("[sip]\nnameservers = [\"{}\"]", self.names.address());
        let passports = format!("[passports]\nanchors = \"{anchors}\"\ntls_roots = \"{}\"\n{more}\n", roots.display());
        Scene::found(&trunks, |config| format!("{}\n{passports}", config.replace("[sip]", &sip)))
    }

    /// It vouches that this number calls the service, in so many seconds.
    pub(crate) fn signs(&self, caller: &str, ahead: i64) -> String {
        sign(self.folder.path(), (caller, DIALLED), ahead)
    }
}
