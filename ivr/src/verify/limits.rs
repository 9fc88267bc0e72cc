//! How much a stranger may begin, and what counts as one stranger.

use std::net::IpAddr;

/// How many verifications may be alive at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of one number, from one source; one more is refused.
    pub of_number_and_source: u32,
    /// Of one number; one more ends the oldest waiting one of the source that has most. Of sources that have as many, of
    /// one whose provider has most: who has many networks of a provider is no crowd.
    pub of_number: u32,
    /// Of one number; one more is worked for, wherever it comes from. Counted without a lock: a burst may pass it by as
    /// many as arrive at once.
    pub of_number_unworked: u32,
    /// From one source, whatever the number; one more is refused. Counted without a lock: a burst may pass it by as
    /// many as arrive at once.
    pub of_source: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { of_number_and_source: 3, of_number: 50, of_number_unworked: 10, of_source: 1000 }
    }
}

/// A network (/24, /56; of a provider /16, /32) and its family.
pub(crate) type Network = [u8; 8];

/// The network that an address is counted by: a household or company, not one of its many addresses.
pub(crate) fn network(source: IpAddr) -> Network {
    match source.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            [4, a, b, c, 0, 0, 0, 0]
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, e, f, g, ..] = address.octets();
            [6, a, b, c, d, e, f, g]
        }
    }
}

/// What a provider was given, and one customer may have many networks of.
pub(crate) fn provider(source: IpAddr) -> Network {
    match network(source) {
        [4, a, b, ..] => [4, a, b, 0, 0, 0, 0, 0],
        [family, a, b, c, d, ..] => [family, a, b, c, d, 0, 0, 0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_count_as_one() {
        let same = |a: &str, b: &str| network(a.parse().unwrap()) == network(b.parse().unwrap());
        let table = [
            ("192.0.2.1", "192.0.2.254", true),
            ("192.0.2.1", "192.0.3.1", false),
            ("192.0.2.1", "::ffff:192.0.2.9", true),
            ("2001:db8:0:ff00::1", "2001:db8:0:ffff::1", true),
            ("2001:db8:0:ff00::1", "2001:db8:0:fe00::1", false),
        ];
        for (a, b, expected) in table {
            assert_eq!(same(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn networks_of_one_provider_are_told_from_a_crowd() {
        let same = |a: &str, b: &str| provider(a.parse().unwrap()) == provider(b.parse().unwrap());
        let table = [
            ("203.0.1.1", "203.0.113.254", true),
            ("203.0.1.1", "203.1.1.1", false),
            ("203.0.1.1", "::ffff:203.0.2.1", true),
            ("2001:db8:0:ff00::1", "2001:db8:ffff:0100::1", true),
            ("2001:db8::1", "2001:db9::1", false),
            ("4.32.1.13", "2001:db8::1", false),
        ];
        for (a, b, expected) in table {
            assert_eq!(same(a, b), expected, "{a} {b}");
        }
    }
}
