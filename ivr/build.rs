//! Tells cargo that a new migration changes the program: they are compiled into it.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
