//! A network of a test's own: for peers that bind every address of the machine, and for public addresses.
//!
//! The test binary runs its one test again inside a new network namespace that has a loopback and nothing else. A new
//! process namespace goes with it, so that whatever the test starts dies with it, however it ends.

mod ways_in;

/// Tells the second run that it is the one inside.
const INSIDE: &str = "DIALPROOF_TEST_OWN_NETWORK";
/// How long a test may take in there.
const LIMIT_SECONDS: &str = "240";

/// Runs `body` in a network of its own; `test` is the full name of the calling test.
///
/// Needs root, or `sudo` without a password, or user namespaces open to everybody.
///
/// # Panics
/// If the test fails inside, or there is no way in.
pub fn run_inside(test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some_and(|name| name == test) {
        return body();
    }
    let program = std::env::current_exe().expect("a running test has a file");
    let mut way_in = ways_in::first().unwrap_or_else(|| {
        panic!("no network namespace can be made: install iproute2, and run as root, or with sudo, or allow user namespaces")
    });
    let output = way_in
        .args(["timeout", "--kill-after=5", LIMIT_SECONDS])
        .arg(program)
        .args([test, "--exact", "--include-ignored", "--nocapture", "--test-threads=1"])
        .env(INSIDE, test)
        .output()
        .expect("it was just tried");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{test} failed in its own network ({}):\n{out}\n{err}", output.status);
    assert!(out.contains("1 passed"), "{test} did not run in its own network:\n{out}\n{err}");
}
