//! A socket whose datagrams bear the time at which the kernel took them in: how busy the load is does not matter then.

use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;

/// Bound to loopback, never blocking.
#[derive(Debug)]
pub struct Stamped {
    socket: UdpSocket,
    control: Vec<u8>,
}

impl Stamped {
    /// Binds it to a port that the system draws.
    ///
    /// # Errors
    /// If there is none, or the kernel stamps nothing.
    pub fn bind() -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        // All calls' SIP arrives at one socket.
        setsockopt(&socket, sockopt::RcvBuf, &(1 << 20))?;
        Ok(Self { socket, control: nix::cmsg_space!(TimeSpec) })
    }

    /// Where it is bound.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// If the system does not take it.
    pub fn send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        self.socket.send_to(bytes, to).map(|_| ())
    }

    /// The next datagram: its length, and when it arrived, in nanoseconds of the wall clock.
    ///
    /// # Errors
    /// If the socket fails, or a datagram bears no time.
    pub fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<(usize, i128)>> {
        let mut space = [IoSliceMut::new(buffer)];
        let message = recvmsg::<()>(self.socket.as_raw_fd(), &mut space, Some(&mut self.control), MsgFlags::empty());
        let message = match message {
            Err(Errno::EAGAIN) => return Ok(None),
            other => other?,
        };
        let stamp = message.cmsgs()?.find_map(|control| match control {
            ControlMessageOwned::ScmTimestampns(at) => Some(nanoseconds(at)),
            _ => None,
        });
        let stamp = stamp.ok_or_else(|| io::Error::other("the kernel stamped no time"))?;
        Ok(Some((message.bytes, stamp)))
    }
}

fn nanoseconds(at: TimeSpec) -> i128 {
    i128::from(at.tv_sec()) * 1_000_000_000 + i128::from(at.tv_nsec())
}
