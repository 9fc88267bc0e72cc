//! Tells cargo to link the program under test as `ivr/build.rs` does the program.

#[path = "../ivr/link/arguments.rs"]
mod arguments;

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    arguments::say(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../ivr/link/at_rest.ld"));
}
