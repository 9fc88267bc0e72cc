//! The project as Cargo sees it.

use std::collections::{BTreeMap, BTreeSet};
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

/// The names of a package's dependencies, those of its tests left out, theirs, and so on.
pub fn built_into(metadata: &Value, package: &str) -> BTreeSet<String> {
    let graph = dependencies(metadata);
    let (mut found, mut waiting) = (BTreeSet::new(), vec![package]);
    while let Some(package) = waiting.pop() {
        for needed in graph.get(package).into_iter().flatten() {
            if found.insert(needed.clone()) {
                waiting.push(needed);
            }
        }
    }
    found
}

/// What each package needs to be built, by name; versions of one name count together.
fn dependencies(metadata: &Value) -> BTreeMap<&str, BTreeSet<String>> {
    let names: BTreeMap<&str, &str> = list(&metadata["packages"])
        .filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?)))
        .collect();
    let name = |id: &Value| id.as_str().and_then(|id| names.get(id).copied()).unwrap_or_default();
    let mut graph: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        let built = list(&node["deps"]).filter(|needed| list(&needed["dep_kinds"]).any(|kind| kind["kind"] != "dev"));
        graph.entry(name(&node["id"])).or_default().extend(built.map(|needed| name(&needed["pkg"]).to_owned()));
    }
    graph
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
