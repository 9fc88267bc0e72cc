//! What this process keeps in memory at most (proc(5)).

/// The peak since it was last forgotten, in KiB.
pub(crate) fn peak_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// From now on, the peak is what is in use now.
pub(crate) fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("our own peak is ours to forget");
}
