//! Tells cargo that a new migration changes the program: they are compiled into it. And how it is linked.

#[path = "link/arguments.rs"]
mod arguments;

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    arguments::say(&Path::new(env!("CARGO_MANIFEST_DIR")).join("link/at_rest.ld"));
}
