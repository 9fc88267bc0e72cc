//! RFC 3263's decisions as a table: what is asked, what is answered, which places come out.

use std::collections::HashMap;

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::*;

const ALL: &[Transport] = &[Transport::Udp, Transport::Tcp, Transport::Tls];

/// IPv4 alone.
fn us() -> Addresses {
    Addresses::only("203.0.113.1:5060".parse().unwrap())
}

fn server(text: &str) -> ServerUri {
    text.parse().unwrap()
}

/// A zone in short: `srv _sip._udp.a 10 0 5060 h`, `naptr a 10 10 s SIP+D2U _sip._udp.a`, `h 192.0.2.1`.
fn answer(zone: &[&str], query: &Query) -> Records {
    let rows = |kind: &str, name: &str| -> Vec<Vec<String>> {
        let rows = zone.iter().map(|row| row.split(' ').map(str::to_owned).collect::<Vec<_>>());
        rows.filter(|row| row[0] == kind && row[1] == name).map(|row| row[2..].to_vec()).collect()
    };
    let number = |text: &String| text.parse().unwrap();
    match query {
        Query::Naptr(name) => Records::Naptr(
            rows("naptr", name)
                .iter()
                .map(|row| Naptr {
                    order: number(&row[0]),
                    preference: number(&row[1]),
                    flags: row[2].clone(),
                    services: row[3].clone(),
                    replacement: row[4].clone(),
                })
                .collect(),
        ),
        Query::Srv(name) => Records::Srv(
            rows("srv", name)
                .iter()
                .map(|row| Srv {
                    priority: number(&row[0]),
                    weight: number(&row[1]),
                    port: number(&row[2]),
                    target: row[3].clone(),
                })
                .collect(),
        ),
        Query::Addresses(name) => {
            Records::Addresses(rows("a", name).iter().map(|row| row[0].parse().unwrap()).collect())
        }
    }
}

/// What was asked, and what was found, as text.
fn search(uri: &str, transports: &'static [Transport], zone: &[&str]) -> (Vec<String>, Vec<String>) {
    let mut search = Search::new(&server(uri), transports, us());
    let mut chance = ChaCha20Rng::from_seed([1; 32]);
    let mut asked = Vec::new();
    while let Some(query) = search.query() {
        asked.push(match &query {
            Query::Naptr(name) => format!("naptr {name}"),
            Query::Srv(name) => format!("srv {name}"),
            Query::Addresses(name) => format!("a {name}"),
        });
        search.on_records(answer(zone, &query), &mut chance);
    }
    let shown = |target: &Target| format!("{:?} {}", target.transport, target.address);
    (asked, search.into_targets().iter().map(shown).collect())
}

#[test]
fn a_uri_leads_to_the_places_that_rfc_3263_says() {
    const UDP: &[Transport] = &[Transport::Udp];
    type Row = (&'static str, &'static [Transport], &'static [&'static str], &'static str, &'static str);
    let rows: &[Row] = &[
        // 4.1 and 4.2: a numeric host is asked of nobody.
        ("sip:192.0.2.9", ALL, &[], "", "Udp 192.0.2.9:5060"),
        ("sip:192.0.2.9:5070;transport=tcp", ALL, &[], "", "Tcp 192.0.2.9:5070"),
        ("sips:192.0.2.9", ALL, &[], "", "Tls 192.0.2.9:5061"),
        ("sip:[2001:db8::1]", ALL, &[], "", ""),
        // 4.2: a port leaves only addresses to be asked.
        (
            "sip:A.Example:5070",
            ALL,
            &["a a.example 192.0.2.1", "a a.example 192.0.2.2"],
            "a a.example",
            "Udp 192.0.2.1:5070, Udp 192.0.2.2:5070",
        ),
        ("sips:a.example:5071", ALL, &["a a.example 192.0.2.1"], "a a.example", "Tls 192.0.2.1:5071"),
        // 4.1: a transport leaves out NAPTR.
        (
            "sip:a.example;transport=tcp",
            ALL,
            &["srv _sip._tcp.a.example 1 0 5066 h", "a h 192.0.2.1"],
            "srv _sip._tcp.a.example, a h",
            "Tcp 192.0.2.1:5066",
        ),
        (
            "sips:a.example",
            ALL,
            &["srv _sips._tcp.a.example 1 0 5066 h", "a h 192.0.2.1"],
            "srv _sips._tcp.a.example, a h",
            "Tls 192.0.2.1:5066",
        ),
        // NAPTR chooses the transport; what we do not speak is left out, and what comes after is for later.
        (
            "sip:a.example",
            UDP,
            &[
                "naptr a.example 20 5 s SIP+D2U _sip._udp.b.example",
                "naptr a.example 10 5 s SIPS+D2T _sips._tcp.b.example",
                "naptr a.example 10 9 u E2U+sip x",
                "srv _sip._udp.b.example 1 0 5060 h.b.example",
                "a h.b.example 192.0.2.1",
            ],
            "naptr a.example, srv _sip._udp.b.example, a h.b.example",
            "Udp 192.0.2.1:5060",
        ),
        (
            "sip:a.example",
            ALL,
            &[
                "naptr a.example 10 9 s SIP+D2U _sip._udp.b.example",
                "naptr a.example 10 5 S sip+d2t _sip._tcp.b.example.",
                "srv _sip._tcp.b.example 1 0 5060 h.",
                "srv _sip._udp.b.example 1 0 5062 h",
                "a h 192.0.2.1",
            ],
            "naptr a.example, srv _sip._tcp.b.example, a h, srv _sip._udp.b.example, a h",
            "Tcp 192.0.2.1:5060, Udp 192.0.2.1:5062",
        ),
        // No NAPTR: the first transport that has SRV records.
        (
            "sip:a.example",
            ALL,
            &["srv _sip._tcp.a.example 1 0 5064 h", "srv _sips._tcp.a.example 1 0 5061 h", "a h 192.0.2.1"],
            "naptr a.example, srv _sip._udp.a.example, srv _sip._tcp.a.example, a h",
            "Tcp 192.0.2.1:5064",
        ),
        // Neither: the host's own addresses.
        (
            "sip:a.example",
            ALL,
            &["a a.example 192.0.2.7"],
            "naptr a.example, srv _sip._udp.a.example, srv _sip._tcp.a.example, srv _sips._tcp.a.example, a a.example",
            "Udp 192.0.2.7:5060",
        ),
        // By priority; a host without an address is passed over, and no other address stands in for it.
        (
            "sip:a.example;transport=udp",
            ALL,
            &[
                "srv _sip._udp.a.example 30 9 5063 c",
                "srv _sip._udp.a.example 10 0 5061 a",
                "srv _sip._udp.a.example 20 9 5062 gone",
                "a a 192.0.2.1",
                "a c 192.0.2.3",
            ],
            "srv _sip._udp.a.example, a a, a gone, a c",
            "Udp 192.0.2.1:5061, Udp 192.0.2.3:5063",
        ),
        // RFC 2782: a target of "." says that there is no such service, and then the host's addresses are not it.
        (
            "sip:a.example;transport=udp",
            ALL,
            &["srv _sip._udp.a.example 0 0 0 .", "a a.example 192.0.2.1"],
            "srv _sip._udp.a.example",
            "",
        ),
        // Only the family that the socket has.
        (
            "sip:a.example:5060",
            ALL,
            &["a a.example 2001:db8::1", "a a.example 192.0.2.1", "a a.example 192.0.2.1"],
            "a a.example",
            "Udp 192.0.2.1:5060",
        ),
        (
            "sip:a.example;transport=tls",
            UDP,
            &["srv _sips._tcp.a.example 1 0 5061 h", "a h 192.0.2.1"],
            "srv _sips._tcp.a.example, a h",
            "",
        ),
        ("sip:a.example:5060", ALL, &[], "a a.example", ""),
    ];
    for (uri, transports, zone, asked, found) in rows {
        let (asked_now, found_now) = search(uri, transports, zone);
        assert_eq!((asked_now.join(", ").as_str(), found_now.join(", ").as_str()), (*asked, *found), "{uri} {zone:?}");
    }
}

#[test]
fn records_of_one_priority_are_drawn_by_weight() {
    let records = ["0 rare", "1 one", "3 three"].map(|row| {
        let (weight, target) = row.split_once(' ').unwrap();
        Srv { priority: 1, weight: weight.parse().unwrap(), port: 5060, target: target.to_owned() }
    });
    let mut chance = ChaCha20Rng::from_seed([2; 32]);
    let mut first: HashMap<String, u32> = HashMap::new();
    for _ in 0..5_000 {
        let order = drawn(records.to_vec(), &mut chance);
        assert_eq!(order.len(), 3);
        *first.entry(order[0].target.clone()).or_default() += 1;
    }
    // Five numbers, 0 to 4, each drawn a thousand times: 0 is the rare one's, 1 is one's, 2 to 4 are three's.
    for (target, expected) in [("rare", 1_000), ("one", 1_000), ("three", 3_000)] {
        assert!(first[target].abs_diff(expected) < 150, "{first:?}");
    }
}

#[test]
fn what_is_no_server_says_why() {
    for (text, error) in [
        ("sip:+12025550100@carrier.example", NotAServer::User),
        ("tel:+12025550100", NotAServer::Shape),
        ("carrier.example", NotAServer::Shape),
        ("sip:", NotAServer::Shape),
        ("sip:carrier.example:0", NotAServer::Shape),
        ("sip:carrier.example:99999", NotAServer::Shape),
        ("sip:carrier.example>\r\nTo: x", NotAServer::Shape),
        ("sip:[::1", NotAServer::Shape),
        ("sip:[not-an-address]", NotAServer::Shape),
        ("sips:carrier.example;transport=udp", NotAServer::Transport),
        ("sip:carrier.example;transport=sctp", NotAServer::Transport),
    ] {
        assert_eq!(text.parse::<ServerUri>(), Err(error), "{text}");
    }
    let long = format!("sip:{}", "a".repeat(LONGEST_URI_BYTES + 1));
    assert_eq!(long.parse::<ServerUri>(), Err(NotAServer::Shape));
    assert_eq!(server("SIP:[2001:DB8::1]:5070").host(), "[2001:db8::1]");
    assert_eq!(server("sip:Carrier.Example;transport=TLS").transport(), Some(Transport::Tls));
}

fn any_records() -> impl Strategy<Value = Records> {
    let name = "[a-c.]{0,3}";
    prop_oneof![
        prop::collection::vec((0..3u16, 0..3u16, "[sSu]?", "(SIPS?\\+D2[UT])?", name), 0..20).prop_map(|rows| {
            Records::Naptr(
                rows.into_iter()
                    .map(|(order, preference, flags, services, replacement)| Naptr {
                        order,
                        preference,
                        flags,
                        services,
                        replacement,
                    })
                    .collect(),
            )
        }),
        prop::collection::vec((0..3u16, any::<u16>(), any::<u16>(), name), 0..20).prop_map(|rows| {
            Records::Srv(
                rows.into_iter()
                    .map(|(priority, weight, port, target)| Srv { priority, weight, port, target })
                    .collect(),
            )
        }),
        prop::collection::vec(any::<IpAddr>(), 0..50).prop_map(Records::Addresses),
    ]
}

proptest! {
    #[test]
    fn a_search_ends_whatever_a_zone_says(
        uri in prop::sample::select(&["sip:a", "sip:a:5060", "sip:a;transport=tcp", "sips:a", "sip:[::1]"][..]),
        zone in prop::collection::vec(any_records(), MOST_QUERIES),
        seed: u8,
    ) {
        let mut chance = ChaCha20Rng::from_seed([seed; 32]);
        let mut search = Search::new(&server(uri), ALL, us());
        for records in zone {
            if search.query().is_some() {
                search.on_records(records, &mut chance);
            }
        }
        prop_assert_eq!(search.query(), None);
        prop_assert!(search.into_targets().len() <= MOST_TARGETS);
    }
}
