//! How often mails go out on behalf of strangers. A service counts *uses* of buckets; a use that one limit of one bucket
//! forbids sends nothing, and the answer to the stranger is the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::address::Address;

/// At most so many uses within any span of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Uses.
    pub most: u32,
    /// The span.
    pub within: Duration,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// An order that was not confirmed dies after this, and no limit looks further back.
pub const ORDER_LIFE: Duration = Duration::from_secs(DAY);

/// Mails that strangers may cause in one mailbox.
pub const MAILBOX: [Limit; 3] = [limit(1, MINUTE), limit(3, HOUR), limit(5, DAY)];
/// Mails to one domain.
pub const DOMAIN: [Limit; 1] = [limit(100, HOUR)];
/// Orders from one network; whoever asks too often is told so, because it says nothing about any mailbox.
pub const SOURCE: [Limit; 1] = [limit(10, HOUR)];
/// The breaker: all mails of the service. It opens by itself when an hour has passed.
pub const ALL: [Limit; 1] = [limit(1000, HOUR)];
/// All orders, those included that send nothing: what a database holds is bounded. Whoever comes when it is reached is
/// told to come again.
pub const ORDERS: [Limit; 1] = [limit(5000, HOUR)];

const fn limit(most: u32, seconds: u64) -> Limit {
    Limit { most, within: Duration::from_secs(seconds) }
}

/// The mailbox of an address as far as mail is concerned: without dots and `+tag`, because many servers deliver those to
/// the same person. Two persons who share a bucket only wait longer. Private, like the address.
pub fn mailbox_bucket(address: &Address) -> String {
    let (local, domain) = address.key().rsplit_once('@').expect("a key is written with an @");
    let person = local.split('+').next().unwrap_or_default().replace('.', "");
    // A local part of a tag alone names nobody: then the tag counts.
    let person = if person.is_empty() { local } else { &person };
    format!("{person}@{domain}")
}

/// The network that an address belongs to: a /24, or a /56, which is what one customer has.
pub fn source_bucket(source: IpAddr) -> String {
    match source.to_canonical() {
        IpAddr::V4(v4) => format!("{}/24", Ipv4Addr::from_bits(v4.to_bits() & !0xff)),
        IpAddr::V6(v6) => format!("{}/56", Ipv6Addr::from_bits(v6.to_bits() & (!0 << 72))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_mailbox_share_a_bucket() {
        let bucket = |text: &str| mailbox_bucket(&Address::parse(text).unwrap());
        for same in ["some.body@Example.org", "SOMEBODY+news@example.org", "s.o.mebody+a+b@example.org"] {
            assert_eq!(bucket(same), "somebody@example.org", "{same}");
        }
        assert_eq!(bucket("+a@example.org"), "+a@example.org");
        assert_ne!(bucket("somebody@example.org"), bucket("somebody@example.com"));
        assert_eq!(bucket("somebody@bücher.example"), "somebody@xn--bcher-kva.example");
    }

    #[test]
    fn a_network_is_what_one_customer_has() {
        let bucket = |text: &str| source_bucket(text.parse().unwrap());
        assert_eq!(bucket("192.0.2.17"), "192.0.2.0/24");
        assert_eq!(bucket("::ffff:192.0.2.99"), "192.0.2.0/24");
        assert_eq!(bucket("2001:db8:1:22ff::1"), "2001:db8:1:2200::/56");
        assert_ne!(bucket("2001:db8:1:2300::1"), bucket("2001:db8:1:22ff::1"));
    }

    #[test]
    fn no_limit_looks_further_back_than_an_order_lives() {
        for limits in [&MAILBOX[..], &DOMAIN, &SOURCE, &ALL, &ORDERS] {
            assert!(limits.iter().all(|limit| limit.within <= ORDER_LIFE));
        }
    }
}
