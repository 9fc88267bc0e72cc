//! How a service ends: softly at the first signal, at once at the second.

use ivr_core::call::flow::LONGER_THAN_A_CALL;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::sip_driver::Shutdown;

/// SIGTERM, SIGINT and SIGHUP.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// The terminal was closed. Not listened to under `nohup`, whose wish is to outlive it.
    hangup: Option<Signal>,
}

impl Signals {
    /// From now on they do not kill the process.
    ///
    /// # Errors
    /// If the system does not let us listen.
    pub fn listen() -> std::io::Result<Self> {
        // To listen would undo that it is ignored.
        let hangup = if hangup_is_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())?, hangup })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            Some(()) = async { self.hangup.as_mut()?.recv().await } => "SIGHUP",
        }
    }

    /// Passes signals on for as long as it is polled: the first drains, the second, or too long a drain, ends.
    pub async fn obey(mut self, shutdown: Shutdown) {
        let first = self.next().await;
        // A shell and the kernel both tell that a terminal was closed. It stays caught, so it kills nobody.
        self.hangup = None;
        tracing::info!("{first}: no new calls; waiting for those on the line (again ends at once)");
        shutdown.drain.cancel();
        tokio::select! {
            second = self.next() => tracing::info!("{second}: ending at once"),
            () = tokio::time::sleep(LONGER_THAN_A_CALL) => tracing::warn!("calls are still on the line: ending all the same"),
        }
        shutdown.end.cancel();
    }
}

/// Whether whoever started the process had it ignore SIGHUP. Where the system does not show that (it is Linux that does), no.
fn hangup_is_ignored() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup(&status))
}

/// proc_pid_status(5): a mask in hexadecimal, signal 1 in its lowest bit.
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u128::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_ignores_the_end_of_the_terminal_is_told_by_the_mask() {
        let with = |mask: &str| format!("Name:\tdialproof\nSigBlk:\t0000000000000001\nSigIgn:\t{mask}\nSigCgt:\t1\n");
        assert!(ignores_hangup(&with("0000000000000001")) && ignores_hangup(&with("0000000000001001")));
        assert!(!ignores_hangup(&with("0000000000001000")) && !ignores_hangup(&with("")) && !ignores_hangup(""));
    }
}
