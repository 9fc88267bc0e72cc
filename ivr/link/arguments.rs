//! How the program is linked, so that it takes less memory when nobody calls. For the build scripts of the packages that have it.

use std::path::Path;
use std::process::Command;

/// A switch for whoever links with something else than the compiler's own choice, or for machines with an older C library.
const PLAIN: &str = "DIALPROOF_PLAIN_LINK";

/// Tells cargo how to link the programs of the package that is built. `order` is `ivr/link/at_rest.ld`.
pub(crate) fn say(order: &Path) {
    println!("cargo:rerun-if-changed={}", order.display());
    for variable in [PLAIN, "RUSTC_LINKER", "CARGO_ENCODED_RUSTFLAGS"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let target = variable("TARGET");
    // Whoever chose a linker knows what it can do.
    let is_chosen = [PLAIN, "RUSTC_LINKER"].into_iter().any(|name| std::env::var_os(name).is_some());
    let has_choice = is_chosen || variable("CARGO_ENCODED_RUSTFLAGS").contains("link");
    if target != "x86_64-unknown-linux-gnu" || target != variable("HOST") || has_choice {
        return;
    }
    if relocates_in_bulk() {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    // Not worth its time for a program that nobody serves with.
    if variable("OPT_LEVEL") != "0" {
        println!("cargo:rustc-link-arg-bins=-T");
        println!("cargo:rustc-link-arg-bins={}", order.display());
        println!("cargo:rustc-env=DIALPROOF_LINK=at-rest");
    }
}

/// Whether the C library, which is the one the program will run with or an older one, reads relocations packed in `.relr.dyn`: glibc
/// from 2.36 on. A program that has them does not start with another. They are read whole when it starts: 12 KiB instead of a megabyte.
fn relocates_in_bulk() -> bool {
    let Ok(told) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else { return false };
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let version = told.trim().strip_prefix("glibc ").and_then(|version| version.split_once('.'));
    let numbers = version.and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
    numbers.is_some_and(|version| version >= (2, 36))
}
