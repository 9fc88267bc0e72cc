//! A peer's process: killed when the test ends, however it ends.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Longer than any peer needs to start on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A child process that does not outlive its test.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts a peer.
    ///
    /// # Panics
    /// If it is not installed: `tests/setup` installs it.
    pub fn start(command: &mut Command) -> Self {
        match command.spawn() {
            Ok(child) => Self(child),
            Err(e) => panic!("cannot start {:?}: {e}; run tests/setup", command.get_program()),
        }
    }

    /// Waits until the peer accepts connections.
    ///
    /// # Panics
    /// If it ends before, or does not within half a minute.
    #[expect(clippy::disallowed_methods, reason = "a test waits for a real process")]
    pub fn listening_at(mut self, address: SocketAddr) -> Self {
        let give_up = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            if let Some(status) = self.0.try_wait().expect("a child can be asked") {
                panic!("the peer ended before it listened at {address}: {status}");
            }
            assert!(Instant::now() < give_up, "the peer does not listen at {address}");
            std::thread::sleep(Duration::from_millis(20));
        }
        self
    }

    /// The peer's process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if the process has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A TCP port on loopback that was free a moment ago, for peers that must be told a number.
///
/// # Panics
/// If the machine has none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}
