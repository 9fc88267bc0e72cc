//! The project as Cargo sees it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The project's root folder.
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.expect("this package is a folder of the project").to_path_buf()
}

/// What `cargo metadata` says of every package in the lock file, without asking a network. Where only the packages of this
/// platform were fetched, it is those.
///
/// # Panics
/// If cargo fails, or the lock file is not up to date.
pub fn metadata() -> Value {
    let run = |more: &[&str]| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["metadata", "--offline", "--locked", "--format-version=1"]).args(more).current_dir(root());
        cargo.output().expect("cargo runs this test")
    };
    let mut output = run(&[]);
    if !output.status.success() {
        output = run(&["--filter-platform", "x86_64-unknown-linux-gnu"]);
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}
