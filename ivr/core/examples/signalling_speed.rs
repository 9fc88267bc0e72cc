//! Prints what a short call costs the endpoint (INVITE, the store's answer, 200, ACK, BYE, 200), begun at an even pace, with few and
//! with many other calls up, and what stays in memory. The caller's own work is in it: it makes three messages and reads one.
//! `cargo run --release -p ivr-core --example signalling_speed [CALLS]` (on Linux)

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ivr_core::call::question::Answer;
use ivr_core::caller::{KeepsDiversion, Level, Pace, Passports, Policy, TrunkProfile};
use ivr_core::endpoint::{Addresses, Endpoint, EndpointConfig, Input, Limits, Outbox, Output, Strangers};
use ivr_core::media::{MediaCommand, MediaEvent, Quality};
use ivr_core::number::{KindPolicy, Number};
use ivr_core::proof::Binding;
use ivr_core::sip::peer::Peer;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Calls that begin in a second.
const PACE: u32 = 2_500;
/// Each call lasts until so many more have begun: 0.2 s.
const UP: usize = 500;
/// Calls that stay up beside the short ones.
const OTHERS: usize = 2_000;

fn main() -> Outcome<()> {
    let calls = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse())?;
    let mut phone = Phone {
        endpoint: Endpoint::new(config()?, [1; 32]),
        now: clock(),
        out: Outbox::new(),
        from: Peer::udp("192.0.2.1:5060".parse()?),
        calls: 0,
    };
    // Loads the numbering plans.
    phone.begin()?;
    for others in [0, OTHERS] {
        for _ in 0..others {
            phone.begin()?;
        }
        let (began, resident) = (processor_time()?, resident_kib()?);
        phone.short_calls(calls)?;
        println!(
            "beside {others} calls: {:.1} µs a call; {} KiB more resident; {:?}",
            (processor_time()? - began).as_secs_f64() * 1e6 / calls as f64,
            resident_kib()?.saturating_sub(resident),
            phone.endpoint
        );
    }
    println!("{:?}", phone.endpoint.counters());
    Ok(())
}

/// Callers, and the endpoint they call.
struct Phone {
    endpoint: Endpoint,
    now: Instant,
    out: Outbox,
    from: Peer,
    calls: usize,
}

/// A call as its caller knows it.
struct Line {
    number: usize,
    tag: String,
}

impl Phone {
    /// So many calls, all of them over in the end.
    fn short_calls(&mut self, calls: usize) -> Outcome<()> {
        let (mut lines, mut begun) = (VecDeque::new(), 0);
        while begun < calls || !lines.is_empty() {
            self.now += Duration::from_secs(1) / PACE;
            while self.endpoint.deadline().is_some_and(|due| due <= self.now) {
                self.handle(Input::Timeout);
            }
            if begun < calls {
                lines.push_back(self.begin()?);
                begun += 1;
            }
            if lines.len() >= UP || begun == calls {
                self.hang_up(lines.pop_front().ok_or("no call to end")?)?;
            }
        }
        Ok(())
    }

    /// INVITE to ACK.
    fn begin(&mut self) -> Outcome<Line> {
        let number = self.calls;
        self.calls += 1;
        self.send(&invite(number));
        let asked = self.out.iter().find_map(|output| match output {
            Output::Ask(call, _) => Some(*call),
            _ => None,
        });
        self.handle(Input::Answer(asked.ok_or("no question")?, Answer::Expected));
        let tag = self.answer()?.split(";tag=").nth(2).and_then(|rest| rest.lines().next()).ok_or("no tag")?.to_owned();
        self.send(&request("ACK", 1, number, &tag));
        Ok(Line { number, tag })
    }

    /// BYE, and the media thread's last word.
    fn hang_up(&mut self, line: Line) -> Outcome<()> {
        self.send(&request("BYE", 2, line.number, &line.tag));
        self.answer()?;
        let closed = self.out.iter().find_map(|output| match output {
            Output::Media(call, MediaCommand::Close) => Some(*call),
            _ => None,
        });
        self.handle(Input::Media(closed.ok_or("the media stay")?, MediaEvent::Closed(Quality::default())));
        Ok(())
    }

    fn send(&mut self, message: &str) {
        self.handle(Input::Message { from: self.from, bytes: message.as_bytes() });
    }

    /// Hands it in. What came out before is forgotten.
    fn handle(&mut self, input: Input<'_>) {
        self.out.clear();
        self.endpoint.handle(input, self.now, &mut self.out);
    }

    /// The 200 that came out.
    fn answer(&self) -> Outcome<&str> {
        let messages = self.out.iter().filter_map(|output| match output {
            Output::Message { bytes, .. } => std::str::from_utf8(bytes).ok(),
            _ => None,
        });
        Ok(messages.into_iter().find(|text| text.starts_with("SIP/2.0 200 OK\r\n")).ok_or("no 200")?)
    }
}

/// As carriers write it: behind a proxy, with more headers and codecs than anybody needs.
fn invite(number: usize) -> String {
    let body = "v=0\r\no=- 20518 0 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
                m=audio 30000 RTP/AVP 8 0 18 9 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
                a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=rtpmap:9 G722/8000\r\n\
                a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:150\r\na=sendrecv\r\n";
    let caller = caller(number);
    format!(
        "INVITE sip:+12025550100@203.0.113.1:5060;user=phone SIP/2.0\r\n\
         Record-Route: <sip:192.0.2.1;lr;ftag=gK{number:08x}>\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK-invite-{number:016x}\r\n\
         Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK0fB{number:016x}\r\n\
         From: \"{caller}\" <sip:{caller}@192.0.2.9;user=phone>;tag=gK{number:08x}\r\n\
         To: <sip:+12025550100@203.0.113.1;user=phone>\r\nCall-ID: {number:016x}_20518@192.0.2.9\r\n\
         CSeq: 1 INVITE\r\nMax-Forwards: 68\r\n\
         Allow: INVITE,ACK,CANCEL,BYE,REGISTER,REFER,INFO,SUBSCRIBE,NOTIFY,PRACK,UPDATE,OPTIONS,MESSAGE,PUBLISH\r\n\
         Accept: application/sdp, application/isup, application/dtmf, application/dtmf-relay, multipart/mixed\r\n\
         Contact: <sip:{caller}@192.0.2.9:5060>\r\nP-Asserted-Identity: <sip:{caller}@192.0.2.9:5060;user=phone>\r\n\
         Supported: timer,100rel,precondition,replaces\r\nSession-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n\
         User-Agent: Carrier gateway\r\nContent-Disposition: session;handling=required\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// ACK or BYE.
fn request(method: &str, cseq: u32, number: usize, tag: &str) -> String {
    let caller = caller(number);
    format!(
        "{method} sip:203.0.113.1:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK-{method}-{number:016x}\r\n\
         Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1{method}{number:016x}\r\n\
         From: \"{caller}\" <sip:{caller}@192.0.2.9;user=phone>;tag=gK{number:08x}\r\n\
         To: <sip:+12025550100@203.0.113.1;user=phone>;tag={tag}\r\nCall-ID: {number:016x}_20518@192.0.2.9\r\n\
         CSeq: {cseq} {method}\r\nMax-Forwards: 68\r\nContent-Length: 0\r\n\r\n"
    )
}

/// Eight million of them are a line of some caller.
fn caller(number: usize) -> String {
    format!("+1212{}", 2_000_000 + number % 8_000_000)
}

fn config() -> Outcome<EndpointConfig> {
    let trunk = TrunkProfile {
        name: "carrier".to_owned(),
        sources: vec!["192.0.2.0/28".parse()?],
        numbers: vec![Number::parse("+12025550100")?],
        shared_addresses: false,
        trust_pai: true,
        cli_screened: true,
        country: Some("US".parse()?),
        keeps_diversion: KeepsDiversion::Yes,
        max_calls: 10_000,
        pace: Pace { unacknowledged: 10_000, ..Pace::of(PACE) },
        ..TrunkProfile::default()
    };
    Ok(EndpointConfig {
        addresses: Addresses::only("203.0.113.1:5060".parse()?),
        rtp_ports: (0..10_000).map(|i| 20_000 + 2 * i).collect(),
        policy: Policy {
            trunks: vec![trunk],
            issue_from: Level::L2.into(),
            kinds: KindPolicy { voip: true, personal: false },
        },
        links: Vec::new(),
        passports: Passports::Ignored,
        binding: Binding::ReadBack,
        limits: Limits { calls: 10_000, ..Limits::default() },
        strangers: Strangers::Refuse,
        server: Some("dialproof".to_owned()),
    })
}

/// What this thread has had of a processor.
fn processor_time() -> Outcome<Duration> {
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    Ok(Duration::from_nanos(text.split_ascii_whitespace().next().ok_or("no processor time")?.parse()?))
}

fn resident_kib() -> Outcome<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn clock() -> Instant {
    Instant::now()
}
