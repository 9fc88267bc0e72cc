//! Whatever a registrar answers: no challenge, Contact or wait of it makes us panic, write a header that is none of ours,
//! answer more than it asked, or ask without pause.
#![no_main]

use std::time::{Duration, Instant};

use ivr_core::caller::TrunkIndex;
use ivr_core::endpoint::{Endpoint, EndpointConfig, Input, Output};
use ivr_core::link::{Account, Duty, LinkProfile, Login};
use ivr_core::private::Private;
use ivr_core_fuzz::{config, trunk};
use libfuzzer_sys::fuzz_target;

/// All that a REGISTER of ours may say.
const HEADERS: [&str; 11] = [
    "Via",
    "Max-Forwards",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Expires",
    "Authorization",
    "Proxy-Authorization",
    "Content-Length",
];
const STATUSES: [u16; 8] = [401, 407, 200, 423, 503, 403, 100, 302];
/// Requests of one attempt: the first, and one for each of the challenges and the interval that are taken up.
const MOST_IN_A_ROW: usize = 7;

fuzz_target!(|answers: Vec<(u8, &str)>| {
    let private = |text: &str| Private::new(text.to_owned());
    let account = Account {
        user: private("dialproof"),
        login: Login { user: private("dialproof"), password: private("open sesame") },
        contact: private("+12025550100"),
        expires: Duration::from_secs(600),
    };
    let server = "sip:192.0.2.1".parse().expect("a server");
    let links = vec![LinkProfile { trunk: TrunkIndex(0), server, duty: Duty::Register(account) }];
    let mut endpoint = Endpoint::new(EndpointConfig { links, ..config() }, [3; 32]);
    let (mut now, mut asked, mut in_a_row) = (Instant::now(), String::new(), 0);
    let handle = |input: Input<'_>, now: Instant, endpoint: &mut Endpoint| {
        let mut out = Vec::new();
        endpoint.handle(input, now, &mut out);
        let mut registers = out.into_iter().filter_map(|output| match output {
            Output::Message { bytes, .. } => Some(String::from_utf8(bytes).expect("what we write is text")),
            _ => None,
        });
        let sent = registers.next();
        assert!(registers.next().is_none(), "more than one request for one answer");
        sent
    };
    asked.extend(handle(Input::Connected, now, &mut endpoint));
    for (status, more) in answers {
        let copied = ["Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "];
        let lines = asked.lines().filter(|line| copied.iter().any(|name| line.starts_with(name)));
        let headers: String = lines.map(|line| format!("{line}\r\n")).collect();
        let status = STATUSES[usize::from(status) % STATUSES.len()];
        let response = format!("SIP/2.0 {status} x\r\n{headers}{more}\r\nContent-Length: 0\r\n\r\n");
        let input = Input::Message { from: trunk().into(), bytes: response.as_bytes() };
        let mut sent = handle(input, now, &mut endpoint);
        in_a_row = if sent.is_some() { in_a_row + 1 } else { 0 };
        assert!(in_a_row <= MOST_IN_A_ROW, "it asks without pause");
        if sent.is_none() {
            let due = endpoint.deadline().expect("a registration goes on");
            now = now.max(due);
            sent = handle(Input::Timeout, now, &mut endpoint);
        }
        if let Some(request) = sent {
            assert!(request.len() < 8_192 && request.starts_with("REGISTER sip:192.0.2.1 SIP/2.0\r\n"));
            let (head, body) = request.split_once("\r\n\r\n").expect("an empty line");
            let names = head.split("\r\n").skip(1).map(|line| line.split_once(": ").expect("a header").0);
            assert!(body.is_empty() && names.into_iter().all(|name| HEADERS.contains(&name)), "{request}");
            asked = request;
        }
    }
});
