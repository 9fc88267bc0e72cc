//! Datagrams with the time at which the kernel took them in: a socket is read once in a packet time, and when a packet
//! came must not depend on that. This file alone names nix.

use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};

use crate::clock::Clock;

/// Larger than what any network carries in one piece; what is longer is cut, and no RTP of ours.
const DATAGRAM_BYTES: usize = 2_048;

/// Nothing of ours waits longer. An older stamp says that somebody has set the wall clock.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The wall clock, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Stamp(i64);

/// One moment by both clocks: ours, and the one by which the kernel stamps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Instant,
    pub(super) stamp: Stamp,
}

/// Room for one datagram and what the kernel says of it.
#[derive(Debug)]
pub(super) struct Room {
    datagram: Box<[u8; DATAGRAM_BYTES]>,
    control: Vec<u8>,
}

/// One that arrived.
#[derive(Debug)]
pub(super) struct Datagram<'a> {
    pub(super) from: SocketAddr,
    pub(super) bytes: &'a mut [u8],
    /// `None` where the kernel stamps nothing.
    pub(super) stamp: Option<Stamp>,
}

impl Stamp {
    /// No datagram bears it.
    pub(super) const NEVER: Self = Self(i64::MAX);
}

impl Moment {
    /// This one.
    pub(super) fn of(clock: Clock) -> Self {
        let nanoseconds = clock.wall().unix_timestamp_nanos();
        Self { now: clock.now(), stamp: Stamp(i64::try_from(nanoseconds / 1_000).unwrap_or(i64::MAX)) }
    }

    /// When the datagram with this stamp arrived, by our clock.
    pub(super) fn arrival(self, stamp: Option<Stamp>) -> Instant {
        let ago = stamp.map_or(0, |Stamp(stamp)| self.stamp.0.saturating_sub(stamp));
        let distance = Duration::from_micros(ago.unsigned_abs());
        let arrival = match ago {
            _ if distance > LONGEST_WAIT => None,
            // It came after this moment was taken.
            ..=0 => self.now.checked_add(distance),
            1.. => self.now.checked_sub(distance),
        };
        arrival.unwrap_or(self.now)
    }
}

impl Room {
    pub(super) fn new() -> Self {
        Self { datagram: Box::new([0; DATAGRAM_BYTES]), control: nix::cmsg_space!(TimeVal) }
    }

    /// The next datagram of a socket that never blocks; `None` if there is none.
    pub(super) fn read(&mut self, socket: &UdpSocket) -> Option<Datagram<'_>> {
        let mut space = [IoSliceMut::new(&mut self.datagram[..])];
        let flags = MsgFlags::empty();
        let message =
            recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut space, Some(&mut self.control), flags).ok()?;
        let (from, length) = (address(message.address.as_ref()?)?, message.bytes);
        let stamp = message.cmsgs().ok().and_then(|mut controls| controls.find_map(stamp_in));
        Some(Datagram { from, bytes: &mut self.datagram[..length], stamp })
    }
}

/// From now on the kernel stamps what arrives there.
pub(super) fn stamp(socket: &UdpSocket) -> std::io::Result<()> {
    Ok(setsockopt(socket, sockopt::ReceiveTimestamp, &true)?)
}

/// To the microsecond, as all systems have it (`SO_TIMESTAMP`).
fn stamp_in(control: ControlMessageOwned) -> Option<Stamp> {
    match control {
        ControlMessageOwned::ScmTimestamp(at) => Some(Stamp(at.num_microseconds())),
        _ => None,
    }
}

fn address(from: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = || from.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
    v4().or_else(|| from.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_bears_its_sender_and_the_time_of_its_arrival_however_late_it_is_read() {
        for loopback in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(socket) = UdpSocket::bind(loopback) else { continue };
            socket.set_nonblocking(true).unwrap();
            stamp(&socket).unwrap();
            let mut room = Room::new();
            assert!(room.read(&socket).is_none());
            let sender = UdpSocket::bind(loopback).unwrap();
            let before = Moment::of(Clock);
            sender.send_to(b"one", socket.local_addr().unwrap()).unwrap();
            let after = Moment::of(Clock);
            let late = Moment { now: after.now + Duration::from_secs(1), stamp: Stamp(after.stamp.0 + 1_000_000) };
            let datagram = room.read(&socket).unwrap();
            assert_eq!((datagram.from, &*datagram.bytes), (sender.local_addr().unwrap(), &b"one"[..]));
            let arrival = late.arrival(datagram.stamp);
            // The two clocks are read one after the other, and the kernel may stamp a little coarser.
            let tolerance = Duration::from_millis(100);
            assert!(arrival + tolerance >= before.now && arrival <= after.now + tolerance, "{datagram:?}");
        }
    }

    #[test]
    fn a_wall_clock_that_was_set_does_not_matter() {
        let moment = Moment::of(Clock);
        for (ago, expected) in [(0, 0), (1_500, 1_500), (-1_500, -1_500), (3_600_000_000, 0), (-3_600_000_000, 0)] {
            let arrival = moment.arrival(Some(Stamp(moment.stamp.0 - ago)));
            let distance = Duration::from_micros(i64::unsigned_abs(expected));
            assert_eq!(arrival, if expected < 0 { moment.now + distance } else { moment.now - distance }, "{ago} µs");
        }
        assert_eq!(moment.arrival(None), moment.now);
    }
}
