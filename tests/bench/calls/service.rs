//! What the load is put on.

use std::fmt;
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command};

use anyhow::Context;

/// A service that runs.
pub(crate) struct Service {
    pub(crate) what: &'static str,
    pub(crate) sip: SocketAddr,
    /// Its API, if the sessions that the calls need can be begun there.
    pub(crate) http: Option<String>,
    /// `None`: somebody else started it.
    pub(crate) child: Option<Running>,
    /// Ends it and gives its last words.
    pub(crate) end: Box<dyn FnOnce() -> anyhow::Result<String>>,
}

/// A process that does not outlive the benchmark.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Service {
    /// Ends it and gives its last words.
    pub(crate) fn end(self) -> anyhow::Result<String> {
        let Self { child, end, .. } = self;
        let words = end();
        drop(child);
        words
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("what", &self.what).field("sip", &self.sip).finish_non_exhaustive()
    }
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        command.spawn().map(Self).context("starting the service")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn input(&mut self) -> Option<ChildStdin> {
        self.0.stdin.take()
    }

    pub(crate) fn output(&mut self) -> anyhow::Result<ChildStdout> {
        self.0.stdout.take().context("the service's output")
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
