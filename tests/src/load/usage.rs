//! What a process takes up, from /proc.

use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context;
use ivr::clock::Clock;

/// Memory and time of a process until now.
#[derive(Debug)]
pub struct Usage {
    at: Instant,
    resident_kib: u64,
    peak_kib: u64,
    media: Duration,
    others: Duration,
}

/// The same for a stretch of time.
#[derive(Debug)]
pub struct Share {
    resident_kib: u64,
    peak_kib: u64,
    media: f64,
    others: f64,
}

impl Usage {
    /// Of the process with this id.
    ///
    /// # Errors
    /// If there is none.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let status = read(&format!("/proc/{pid}/status"))?;
        let kib = |name: &str| -> anyhow::Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_suffix(" kB"));
            line.with_context(|| name.to_owned())?.trim().parse().with_context(|| name.to_owned())
        };
        let (resident_kib, peak_kib) = (kib("VmRSS:")?, kib("VmHWM:")?);
        let (mut media, mut others) = (Duration::ZERO, Duration::ZERO);
        for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
            let thread = thread?.path();
            // A thread may end while we look.
            let (Ok(name), Ok(schedule)) =
                (fs::read_to_string(thread.join("comm")), fs::read_to_string(thread.join("schedstat")))
            else {
                continue;
            };
            let ran = schedule.split_whitespace().next().and_then(|ns| ns.parse().ok()).context("schedstat")?;
            let ran = Duration::from_nanos(ran);
            if name.trim() == "media" { media += ran } else { others += ran }
        }
        Ok(Self { at: Clock.now(), resident_kib, peak_kib, media, others })
    }

    /// Resident memory, in KiB.
    pub fn resident_kib(&self) -> u64 {
        self.resident_kib
    }

    /// The greatest resident memory so far, in KiB.
    pub fn peak_kib(&self) -> u64 {
        self.peak_kib
    }

    /// The time that all its threads have run: those that have ended are not counted.
    pub fn ran(&self) -> Duration {
        self.media + self.others
    }

    /// What was taken up between two moments.
    pub fn since(&self, before: &Self) -> Share {
        let elapsed = (self.at - before.at).as_secs_f64();
        let part = |now: Duration, then: Duration| now.saturating_sub(then).as_secs_f64() / elapsed;
        Share {
            resident_kib: self.resident_kib,
            peak_kib: self.peak_kib,
            media: part(self.media, before.media),
            others: part(self.others, before.others),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [resident, peak] = [self.resident_kib, self.peak_kib].map(|kib| kib as f64 / 1_024.0);
        let [media, others] = [self.media, self.others].map(|part| part * 100.0);
        write!(f, "RSS {resident:.1} MiB, at most {peak:.1} MiB; ")?;
        write!(f, "of one core the media thread took {media:.1} %, the others {others:.1} %")
    }
}

/// From now on the greatest size is that of later moments.
///
/// # Errors
/// If the process is not ours.
pub fn forget_peak(pid: u32) -> anyhow::Result<()> {
    // proc(5): 5 resets VmHWM.
    fs::write(format!("/proc/{pid}/clear_refs"), "5").context("resetting the greatest size")
}

/// What else to know about a measurement.
///
/// # Errors
/// If the kernel does not say.
pub fn machine() -> anyhow::Result<String> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let busy = read("/proc/loadavg")?;
    let busy = busy.split(' ').next().unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease")?;
    let profile = if cfg!(debug_assertions) { "NOT OPTIMISED" } else { "optimised" };
    Ok(format!("Linux {}, {cores} core(s) for the load, {busy} processes busy before, {profile}", kernel.trim()))
}

fn read(path: &str) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| path.to_owned())
}
