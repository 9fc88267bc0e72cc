//! Datagrams to the SIP socket, in turns from the trunk and from a stranger: nothing panics, and a call waits for something.
#![no_main]

use std::time::Instant;

use ivr_core::caller::{KeepsDiversion, Level, NumberFormat, Policy, TrunkProfile};
use ivr_core::endpoint::{Endpoint, EndpointConfig, Input, Limits, Strangers};
use ivr_core::number::{KindPolicy, Number};
use ivr_core::proof::Binding;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|datagrams: Vec<&[u8]>| {
    let mut endpoint = Endpoint::new(config(), [3; 32]);
    let now = Instant::now();
    let sources = ["192.0.2.1:5060", "198.51.100.9:5060"].map(|source| source.parse().expect("an address"));
    for (bytes, from) in datagrams.into_iter().zip(sources.into_iter().cycle()) {
        let mut out = Vec::new();
        endpoint.handle(Input::Datagram { from, bytes }, now, &mut out);
        assert!(endpoint.live_calls() == 0 || endpoint.deadline().is_some());
    }
});

fn config() -> EndpointConfig {
    let trunk = TrunkProfile {
        name: "carrier".to_owned(),
        sources: vec!["192.0.2.0/28".parse().expect("a network")],
        media_networks: vec![],
        numbers: vec![Number::parse("+12025550100").expect("a number")],
        ingress_secret: None,
        shared_addresses: false,
        trust_pai: true,
        trust_rpid: true,
        cli_screened: true,
        from_is_free_text: false,
        bare_user_is_number: true,
        country: Some("US".parse().expect("a country")),
        number_format: NumberFormat::E164,
        strip_prefixes: vec![],
        keeps_diversion: KeepsDiversion::Yes,
        nat: false,
        max_level: Level::L3,
        max_calls: 10,
    };
    EndpointConfig {
        address: "203.0.113.1:5060".parse().expect("an address"),
        media_address: "203.0.113.1".parse().expect("an address"),
        rtp_ports: (0..50).map(|i| 20_000 + 2 * i).collect(),
        policy: Policy {
            trunks: vec![trunk],
            issue_from: Level::L2,
            kinds: KindPolicy { voip: true, personal: false },
        },
        binding: Binding::ReadBack,
        limits: Limits::default(),
        strangers: Strangers::Refuse,
        server: None,
    }
}
