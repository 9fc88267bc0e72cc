//! How a network namespace is made here. The build asks, too: where there is no way, the tests that need one are listed as
//! ignored.

use std::process::Command;

/// As root; as anybody, where the kernel allows; with sudo.
const ALL: [&[&str]; 3] = [
    &["unshare"],
    &["unshare", "--map-root-user"],
    &["sudo", "--non-interactive", "--preserve-env=DIALPROOF_TEST_OWN_NETWORK", "unshare"],
];

/// A program of that network and its arguments go behind this; `None` if there is no way in.
pub(crate) fn first() -> Option<Command> {
    let opens = |way: &&&[&str]| command(way).arg("true").output().is_ok_and(|output| output.status.success());
    ALL.iter().find(opens).map(|way| command(way))
}

fn command(way: &[&str]) -> Command {
    let mut command = Command::new(way[0]);
    command.args(&way[1..]).args(["--net", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    // The new loopback is down.
    command.args(["sh", "-c", "ip link set lo up && exec \"$@\"", "sh"]);
    command
}
