//! Which core runs what.

use anyhow::Context;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The cores that this process may use; at least one.
///
/// # Errors
/// If the kernel does not say.
pub fn allowed() -> anyhow::Result<Vec<usize>> {
    let set = sched_getaffinity(Pid::from_raw(0)).context("asking for the cores")?;
    Ok((0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false)).collect())
}

/// The calling thread stays on this core from now on, as do the threads and processes that it starts.
///
/// # Errors
/// If it may not run there.
pub fn pin(core: usize) -> anyhow::Result<()> {
    pin_to(&[core])
}

/// The same for several.
///
/// # Errors
/// If it may not run there.
pub fn pin_to(cores: &[usize]) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core)?;
    }
    sched_setaffinity(Pid::from_raw(0), &set).with_context(|| format!("going to the cores {cores:?}"))
}
