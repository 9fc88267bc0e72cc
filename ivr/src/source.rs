//! Who asks: what counts as one source.

use std::net::{IpAddr, Ipv6Addr};

/// What one customer of a provider has: one IPv4 address, or a /56 of IPv6.
pub(crate) fn customer(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 72)).into(),
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
}
