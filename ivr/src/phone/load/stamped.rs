//! A socket whose datagrams bear the time at which the kernel took them in: how busy the load is does not matter then.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, MultiHeaders, recvmmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;

/// Datagrams that one call into the kernel fetches.
const AT_ONCE: usize = 16;
/// Longer ones are cut: no message of a call and no packet is.
const DATAGRAM_BYTES: usize = 4_096;

/// Bound to one address, never blocking.
#[derive(Debug)]
pub struct Stamped(UdpSocket);

/// Where datagrams are read to: one for all sockets of a thread.
pub struct Letters {
    headers: MultiHeaders<()>,
    buffers: Box<[[u8; DATAGRAM_BYTES]; AT_ONCE]>,
}

impl Stamped {
    /// Binds it to a port that the system draws.
    ///
    /// # Errors
    /// If there is none, or the kernel stamps nothing.
    pub fn bind(ip: IpAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind((ip, 0))?;
        socket.set_nonblocking(true)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        Ok(Self(socket))
    }

    /// Has room for so many octets that wait, as the kernel counts them.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn with_room(self, bytes: usize) -> io::Result<Self> {
        setsockopt(&self.0, sockopt::RcvBuf, &bytes)?;
        Ok(self)
    }

    /// From now on only what comes from there is heard, and [`send`](Self::send) goes there.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn connect(&self, to: SocketAddr) -> io::Result<()> {
        self.0.connect(to)
    }

    /// Where it is bound.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// If the system does not take it.
    pub fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        self.0.send_to(bytes, to).map(|_| ())
    }

    /// Sends a datagram to where it is connected. That nobody is there any more is no error: a call may end meanwhile.
    ///
    /// # Errors
    /// If the system does not take it.
    pub fn send(&self, bytes: &[u8]) -> io::Result<()> {
        match self.0.send(bytes) {
            Err(error) if error.kind() != io::ErrorKind::ConnectionRefused => Err(error),
            Err(_) | Ok(_) => Ok(()),
        }
    }

    /// Gives `each` all datagrams that wait, and when each arrived, in nanoseconds of the wall clock.
    ///
    /// # Errors
    /// If the socket fails, or a datagram bears no time.
    pub fn receive(&self, letters: &mut Letters, mut each: impl FnMut(&[u8], i128)) -> io::Result<()> {
        loop {
            let mut spaces = letters.buffers.each_mut().map(|buffer| [IoSliceMut::new(buffer)]);
            let mut lengths = [(0, 0); AT_ONCE];
            let mut count = 0;
            match recvmmsg(self.0.as_raw_fd(), &mut letters.headers, &mut spaces, MsgFlags::MSG_DONTWAIT, None) {
                Err(Errno::EAGAIN | Errno::ECONNREFUSED) => return Ok(()),
                Err(error) => return Err(error.into()),
                Ok(messages) => {
                    for (message, known) in messages.zip(&mut lengths) {
                        let stamp = message.cmsgs()?.find_map(|control| match control {
                            ControlMessageOwned::ScmTimestampns(at) => Some(nanoseconds(at)),
                            _ => None,
                        });
                        let stamp = stamp.ok_or_else(|| io::Error::other("the kernel stamped no time"))?;
                        *known = (message.bytes, stamp);
                        count += 1;
                    }
                }
            }
            for (buffer, (length, at)) in letters.buffers.iter().zip(lengths).take(count) {
                each(&buffer[..length], at);
            }
            if count < AT_ONCE {
                return Ok(());
            }
        }
    }
}

impl Default for Letters {
    fn default() -> Self {
        let headers = MultiHeaders::preallocate(AT_ONCE, Some(nix::cmsg_space!(TimeSpec)));
        Self { headers, buffers: Box::new([[0; DATAGRAM_BYTES]; AT_ONCE]) }
    }
}

impl std::fmt::Debug for Letters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letters").finish_non_exhaustive()
    }
}

fn nanoseconds(at: TimeSpec) -> i128 {
    i128::from(at.tv_sec()) * 1_000_000_000 + i128::from(at.tv_nsec())
}
