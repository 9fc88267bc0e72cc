//! A peer's process: killed when the test ends, however it ends.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::ops::Range;
use std::process::{Child, ChildStdin, Command};
use std::sync::atomic::{AtomicU32, Ordering};
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

    /// Starts a peer, and gives what it reads from.
    ///
    /// # Panics
    /// If it is not installed, or its standard input is not a pipe.
    pub fn steered(command: &mut Command) -> (Self, ChildStdin) {
        let mut process = Self::start(command);
        let input = process.0.stdin.take().expect("its standard input is a pipe");
        (process, input)
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

/// A port on loopback that is free for TCP and UDP, for peers that must be told a number. It is none of those that the
/// system draws, so nobody who binds port 0 takes it before the peer does; and no test of this process gets it twice.
///
/// # Panics
/// If all are taken.
pub fn free_port() -> u16 {
    static DRAWN: AtomicU32 = AtomicU32::new(0);
    let count = FREE_PORTS.end - FREE_PORTS.start;
    // Processes that run at the same time begin at different places.
    let first = std::process::id().wrapping_mul(61);
    let ports = std::iter::repeat_with(|| {
        let nth = first.wrapping_add(DRAWN.fetch_add(1, Ordering::Relaxed)) % u32::from(count);
        FREE_PORTS.start + u16::try_from(nth).expect("below the count of ports")
    });
    let is_free = |port: &u16| {
        let address = (Ipv4Addr::LOCALHOST, *port);
        TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
    };
    ports.take(usize::from(count)).find(is_free).expect("loopback has a free port")
}

/// Above the media ports of services (`service::media_ports`), below those that Linux draws by itself (32768 and up).
const FREE_PORTS: Range<u16> = 30_100..32_700;
