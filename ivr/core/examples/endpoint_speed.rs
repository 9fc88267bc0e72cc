//! Prints what a call costs the endpoint, with few and with many calls up.
//! `cargo run --release -p ivr-core --example endpoint_speed`

use std::net::SocketAddr;
use std::time::Instant;

use ivr_core::call::question::Answer;
use ivr_core::caller::{KeepsDiversion, Level, Policy, TrunkProfile};
use ivr_core::endpoint::{Addresses, Endpoint, EndpointConfig, Input, Limits, Outbox, Output, Strangers};
use ivr_core::media::CallKey;
use ivr_core::number::{KindPolicy, Number};
use ivr_core::proof::Binding;

const BATCH: usize = 500;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let from: SocketAddr = "192.0.2.1:5060".parse()?;
    let mut phone = Phone { endpoint: Endpoint::new(config()?, [1; 32]), now: clock(), from, calls: 0 };
    phone.call(0)?;
    for _ in 0..6 {
        let up = phone.calls;
        let began = clock();
        for _ in 0..BATCH {
            phone.call(up)?;
        }
        let each = began.elapsed() / u32::try_from(BATCH)?;
        println!("{up} calls up: INVITE, answer, 200, ACK: {} µs a call", each.as_micros());
    }
    let (began, up) = (clock(), phone.endpoint.live_calls());
    while let Some(due) = phone.endpoint.deadline() {
        phone.endpoint.handle(Input::Timeout, due, &mut Outbox::new());
    }
    println!(
        "{up} calls that nobody speaks in until they are over: {} µs a call",
        began.elapsed().as_micros() / up as u128
    );
    println!("{:?}", phone.endpoint.counters());
    Ok(())
}

/// Callers and the endpoint they call.
struct Phone {
    endpoint: Endpoint,
    now: Instant,
    from: SocketAddr,
    calls: usize,
}

impl Phone {
    fn call(&mut self, up: usize) -> Result<(), Box<dyn std::error::Error>> {
        let i = self.calls;
        self.calls += 1;
        let body = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
                    m=audio 30000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";
        let key = self.handle(&request("INVITE", i, "", body))?.1.ok_or("no question")?;
        let mut out = Outbox::new();
        self.endpoint.handle(Input::Answer(key, Answer::Expected), self.now, &mut out);
        let text = first_datagram(&out).ok_or("no answer")?;
        let tag = text.split(";tag=").nth(2).and_then(|rest| rest.lines().next()).ok_or("no tag")?;
        self.handle(&request("ACK", i, &format!(";tag={tag}"), ""))?;
        assert!(self.endpoint.live_calls() > up);
        Ok(())
    }

    fn handle(&mut self, text: &str) -> Result<(Outbox, Option<CallKey>), Box<dyn std::error::Error>> {
        let mut out = Outbox::new();
        self.endpoint.handle(Input::Message { from: self.from.into(), bytes: text.as_bytes() }, self.now, &mut out);
        let asked = out.iter().find_map(|output| match output {
            Output::Ask(key, _) => Some(*key),
            _ => None,
        });
        Ok((out, asked))
    }
}

fn first_datagram(out: &Outbox) -> Option<String> {
    out.iter().find_map(|output| match output {
        Output::Message { bytes, .. } => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    })
}

fn request(method: &str, i: usize, tag: &str, body: &str) -> String {
    format!(
        "{method} sip:+12025550100@203.0.113.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{method}{i}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:+12025550143@192.0.2.1>;tag={i}\r\nTo: <sip:+12025550100@203.0.113.1>{tag}\r\n\
         Call-ID: {i}@192.0.2.1\r\nCSeq: 1 {method}\r\nContact: <sip:gw@192.0.2.1:5060>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn config() -> Result<EndpointConfig, Box<dyn std::error::Error>> {
    let trunk = TrunkProfile {
        name: "carrier".to_owned(),
        sources: vec!["192.0.2.0/28".parse()?],
        numbers: vec![Number::parse("+12025550100")?],
        shared_addresses: false,
        cli_screened: true,
        country: Some("US".parse()?),
        keeps_diversion: KeepsDiversion::Yes,
        max_calls: 10_000,
        ..TrunkProfile::default()
    };
    Ok(EndpointConfig {
        addresses: Addresses::only("203.0.113.1:5060".parse()?),
        rtp_ports: (0..5_000).map(|i| 20_000 + 2 * i).collect(),
        policy: Policy {
            trunks: vec![trunk],
            issue_from: Level::L2,
            kinds: KindPolicy { voip: true, personal: false },
        },
        links: Vec::new(),
        binding: Binding::ReadBack,
        limits: Limits {
            calls: 10_000,
            unacknowledged: 10_000,
            calls_per_second: 1_000_000,
            calls_at_once: 1_000_000,
            ..Limits::default()
        },
        strangers: Strangers::Refuse,
        server: None,
    })
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn clock() -> Instant {
    Instant::now()
}
