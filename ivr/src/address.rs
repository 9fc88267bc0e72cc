//! IPv4 addresses at sockets of both families (RFC 4291 2.5.5.2).

use std::net::{IpAddr, SocketAddr};

/// The address as everybody writes it.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The address as a socket takes it that was bound to IPv6, or to IPv4.
pub(crate) fn of_family(is_ipv6: bool, address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(v4) if is_ipv6 => SocketAddr::new(v4.to_ipv6_mapped().into(), address.port()),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_of_both_families_takes_and_gives_an_address_of_either() {
        for (is_ipv6, plain, at_the_socket) in [
            (true, "192.0.2.1:5060", "[::ffff:192.0.2.1]:5060"),
            (true, "[2001:db8::1]:5060", "[2001:db8::1]:5060"),
            (false, "192.0.2.1:5060", "192.0.2.1:5060"),
        ] {
            let (plain, at_the_socket) = (plain.parse().unwrap(), at_the_socket.parse().unwrap());
            assert_eq!(of_family(is_ipv6, plain), at_the_socket);
            assert_eq!(canonical(at_the_socket), plain);
        }
    }
}
