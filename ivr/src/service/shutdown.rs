//! How a service ends: softly at the first signal, at once at the second.

use ivr_core::call::flow::LONGER_THAN_A_CALL;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::sip_driver::Shutdown;

/// SIGTERM and SIGINT.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on they do not kill the process.
    ///
    /// # Errors
    /// If the system does not let us listen.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    /// Passes signals on for as long as it is polled: the first drains, the second, or too long a drain, ends.
    pub async fn obey(mut self, shutdown: Shutdown) {
        let first = self.next().await;
        tracing::info!("{first}: no new calls; waiting for those on the line (again ends at once)");
        shutdown.drain.cancel();
        tokio::select! {
            second = self.next() => tracing::info!("{second}: ending at once"),
            () = tokio::time::sleep(LONGER_THAN_A_CALL) => tracing::warn!("calls are still on the line: ending all the same"),
        }
        shutdown.end.cancel();
    }
}
