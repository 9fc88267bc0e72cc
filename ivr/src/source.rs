//! Who asks: what counts as one source.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What one customer of a provider has: one IPv4 address, or a /56 of IPv6.
pub(crate) fn customer(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 72)).into(),
    }
}

/// What a flood has that comes from more than one address: a /24, or a /56 of IPv6.
pub(crate) fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8)).into(),
        six => customer(six),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_one_ipv6_customer_are_one_source() {
        let customer = |text: &str| customer(text.parse().unwrap());
        assert_eq!(customer("2001:db8:1:2ff::1"), customer("2001:db8:1:200:ffff::2"));
        assert_ne!(customer("2001:db8:1:200::1"), customer("2001:db8:1:300::1"));
        assert_ne!(customer("192.0.2.1"), customer("192.0.2.2"));
    }

    #[test]
    fn the_neighbours_of_an_address_are_one_network() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.254"));
        assert_ne!(network("192.0.2.1"), network("192.0.3.1"));
        assert_eq!(network("2001:db8:1:2ff::1"), network("2001:db8:1:200::2"));
    }
}
