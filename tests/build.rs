//! Tells cargo to link the program under test as `ivr/build.rs` does the program, and whether tests can have a network of
//! their own.

#[path = "../ivr/link/arguments.rs"]
mod arguments;
#[path = "src/own_network/ways_in.rs"]
mod ways_in;

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/own_network/ways_in.rs");
    arguments::say(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../ivr/link/at_rest.ld"));
    println!("cargo:rustc-check-cfg=cfg(own_network)");
    // With all peers none of these tests is left out, and the first says what is missing.
    if std::env::var_os("CARGO_FEATURE_PEERS").is_some() || ways_in::first().is_some() {
        println!("cargo:rustc-cfg=own_network");
    }
}
