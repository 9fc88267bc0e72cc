//! A trunk for tests: its endpoint's configuration, and callers that write SIP as a trunk does.

use super::{Addresses, EndpointConfig, Limits, Strangers};
use crate::caller::{DigestAlgorithm, DigestLogin, KeepsDiversion, Level, Passports, Policy, TrunkIndex, TrunkProfile};
use crate::link::{Account, Duty, LinkProfile, Login};
use crate::number::{KindPolicy, Number};
use crate::private::Private;
use crate::proof::Binding;
use crate::sip::digest::{Challenge, Credentials};
use crate::sip::header_lines::{HeaderLine, HeaderLines};
use crate::sip::peer::{Flow, Peer, Transport};

/// Where the first trunk's SIP comes from.
pub(super) const PEER: &str = "192.0.2.1:5060";

/// Three trunks, the second at 192.0.2.16/28, the third anywhere with its certificate.
pub(super) fn config() -> EndpointConfig {
    let trunk = TrunkProfile {
        name: "carrier".to_owned(),
        sources: vec!["192.0.2.0/28".parse().unwrap(), "2001:db8:1::/48".parse().unwrap()],
        media_networks: vec!["198.51.100.0/24".parse().unwrap()],
        numbers: vec![Number::parse("+12025550100").unwrap()],
        shared_addresses: false,
        trust_pai: true,
        cli_screened: true,
        country: Some("US".parse().unwrap()),
        keeps_diversion: KeepsDiversion::Yes,
        max_calls: 10,
        ..TrunkProfile::default()
    };
    let other =
        TrunkProfile { name: "other".to_owned(), sources: vec!["192.0.2.16/28".parse().unwrap()], ..trunk.clone() };
    let certified =
        TrunkProfile { name: "certified".to_owned(), sources: vec![], shows_certificate: true, ..trunk.clone() };
    EndpointConfig {
        addresses: Addresses {
            sip: "203.0.113.1:5060".parse().unwrap(),
            sip_other: Some("[2001:db8::1]:5060".parse().unwrap()),
            tls_port: Some(5061),
        },
        rtp_ports: (0..50).map(|i| 20_000 + 2 * i).collect(),
        policy: Policy {
            trunks: vec![trunk, other, certified],
            issue_from: Level::L2.into(),
            kinds: KindPolicy { voip: true, personal: false },
        },
        links: Vec::new(),
        passports: Passports::Ignored,
        binding: Binding::ReadBack,
        limits: Limits::default(),
        strangers: Strangers::Refuse,
        server: None,
    }
}

/// A link of the first trunk: an account with this server, for so many seconds.
pub(super) fn registration(server: &str, seconds: u64) -> LinkProfile {
    let private = |text: &str| Private::new(text.to_owned());
    let account = Account {
        user: private("dialproof"),
        login: login(PASSWORD),
        contact: private("+12025550100"),
        expires: std::time::Duration::from_secs(seconds),
    };
    LinkProfile { trunk: TrunkIndex(0), server: server.parse().unwrap(), duty: Duty::Register(account) }
}

/// A link of the first trunk: does this server answer?
pub(super) fn probe(server: &str) -> LinkProfile {
    LinkProfile { trunk: TrunkIndex(0), server: server.parse().unwrap(), duty: Duty::Probe }
}

/// A server that our links ask.
#[derive(Debug, Default)]
pub(super) struct Server {
    /// The last request, and where it was sent.
    asked: Option<(Peer, String)>,
}

impl Server {
    /// Takes in a datagram that was sent, if it is for a server.
    pub(super) fn hear(&mut self, to: Peer, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        if text.starts_with("REGISTER ") || text.starts_with("OPTIONS ") {
            self.asked = Some((to, text.into_owned()));
        }
    }

    /// A response to the last request, from where it was sent or `from` elsewhere. A 200 lists the Contact as it was asked
    /// for, unless the changes have one.
    pub(super) fn message(&self, status: &str, changes: &[&str]) -> (Peer, Vec<u8>) {
        let (to, request) = self.asked.as_ref().expect("a server was asked");
        let from = changes
            .iter()
            .find_map(|change| change.strip_prefix("from "))
            .map_or(*to, |from| Peer::udp(from.parse().unwrap()));
        let more: Vec<&str> = changes.iter().copied().filter(|change| change.contains(": ")).collect();
        let lists = status == "200" && !changes.iter().any(|change| change.contains("Contact"));
        let copied = ["Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "].into_iter().chain(lists.then_some("Contact: "));
        let copied: Vec<&str> = copied.collect();
        let lines = request.lines().filter(|line| copied.iter().any(|name| line.starts_with(name)));
        let headers: String = lines.chain(more).map(|line| format!("{line}\r\n")).collect();
        (from, format!("SIP/2.0 {status} Whatever\r\n{headers}Content-Length: 0\r\n\r\n").into_bytes())
    }
}

/// Somebody who calls, and what they have heard from us.
#[derive(Debug)]
pub(super) struct Caller {
    name: String,
    cseq: u32,
    branches: u32,
    invite_branch: String,
    invite_cseq: u32,
    /// The tag in our last response to an INVITE, and whether that was a refusal.
    our_tag: String,
    refused: bool,
    /// RSeq of our last reliable response.
    rseq: String,
    /// Our last request.
    our_request: String,
    /// Our last challenges.
    challenges: HeaderLines,
    /// The client that answers one of them, and what it said last.
    credentials: Option<Credentials>,
    authorization: String,
    /// The connection that it took last.
    stream: Option<Peer>,
    last: Option<(Peer, Vec<u8>)>,
}

impl Caller {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            cseq: 0,
            branches: 0,
            invite_branch: String::new(),
            invite_cseq: 0,
            our_tag: String::new(),
            refused: false,
            rseq: String::new(),
            our_request: String::new(),
            challenges: HeaderLines::default(),
            credentials: None,
            authorization: String::new(),
            stream: None,
            last: None,
        }
    }

    /// Takes in a datagram that was sent, if it is for this caller.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        if !text.contains(&format!("Call-ID: call-{}\r\n", self.name)) {
            return;
        }
        if !text.starts_with("SIP/2.0 ") {
            if !text.starts_with("ACK ") {
                self.our_request = text.into_owned();
            }
            return;
        }
        let status: u16 = text[8..11].parse().unwrap();
        let of_invite = text.contains(" INVITE\r\n");
        if status == 401 {
            let values = text.lines().filter_map(|line| line.strip_prefix("WWW-Authenticate: "));
            self.challenges = HeaderLines(values.map(|value| HeaderLine::new("WWW-Authenticate", value)).collect());
        }
        if let Some(rseq) = text.lines().find_map(|line| line.strip_prefix("RSeq: ")) {
            self.rseq = rseq.to_owned();
        }
        let tag = text.lines().find(|line| line.starts_with("To: ")).and_then(|to| to.split_once(";tag="));
        if let Some((_, tag)) = tag
            && of_invite
            && status > 100
        {
            self.refused = status >= 300;
            if self.our_tag.is_empty() || self.refused == self.our_tag.is_empty() {
                self.our_tag = tag.to_owned();
            }
        }
    }

    /// Has this message, if it is the 200 to this caller's CANCEL, the tag that its INVITE got (RFC 3261 9.2)?
    pub(super) fn cancels_with_the_tag_of_its_invite(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        let is_ours = text.contains(&format!("Call-ID: call-{}\r\n", self.name)) && text.contains(" CANCEL\r\n");
        !is_ours || !text.starts_with("SIP/2.0 200") || text.contains(&format!(";tag={}\r\n", self.our_tag))
    }

    /// Is there a last message to repeat?
    pub(super) fn has_spoken(&self) -> bool {
        self.last.is_some()
    }

    /// A message and where it comes from.
    pub(super) fn message(&mut self, what: &str, changes: &[&str]) -> (Peer, Vec<u8>) {
        let setting = |name: &str| changes.iter().find_map(|change| change.strip_prefix(name)?.strip_prefix(' '));
        let from = setting("from").map(peer).or(self.stream).unwrap_or_else(|| peer(PEER));
        self.stream = self.stream.and(setting("from").is_none().then_some(from)).or(from.flow.map(|_| from));
        if what == "again" {
            return self.last.clone().expect("there is a last one");
        }
        if let Some(octets) = what.strip_prefix("octets ") {
            return (from, octets.replace("\\r", "\r").replace("\\n", "\n").into_bytes());
        }
        let bytes = match what.split_once(' ') {
            Some((status, "BYE" | "UPDATE" | "INVITE")) if status.parse::<u16>().is_ok() => {
                self.response(status, changes)
            }
            _ => self.request(what, from.transport, changes),
        };
        self.last = Some((from, bytes.clone().into_bytes()));
        (from, bytes.into_bytes())
    }

    fn response(&self, status: &str, changes: &[&str]) -> String {
        let copied = ["Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "];
        let lines = self.our_request.lines().filter(|line| copied.iter().any(|name| line.starts_with(name)));
        let more = changes.iter().copied().filter(|change| change.contains(": "));
        let body = changes.iter().find_map(|change| change.strip_prefix("sdp ")).map_or(String::new(), description);
        let described = (!body.is_empty()).then_some("Content-Type: application/sdp");
        let headers: String = lines.chain(more).chain(described).map(|line| format!("{line}\r\n")).collect();
        format!("SIP/2.0 {status} Whatever\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
    }

    fn request(&mut self, what: &str, transport: Transport, changes: &[&str]) -> String {
        let setting = |name: &str| changes.iter().find_map(|change| change.strip_prefix(name)?.strip_prefix(' '));
        let method = what.strip_prefix("re-").unwrap_or(what);
        let opens = what == "INVITE";
        let in_dialog = !opens && method != "CANCEL" && !(self.our_tag.is_empty()) || setting("tag").is_some();
        if !matches!(method, "ACK" | "CANCEL") {
            self.cseq += 1;
        }
        self.branches += 1;
        let own = format!("z9hG4bK-{}-{}", self.name, self.branches);
        let of_invite = method == "CANCEL" || method == "ACK" && self.refused;
        let branch = setting("branch").map_or(if of_invite { self.invite_branch.clone() } else { own }, str::to_owned);
        if method == "INVITE" {
            (self.invite_branch, self.invite_cseq) = (branch.clone(), self.cseq);
        }
        let cseq = if matches!(method, "ACK" | "CANCEL") { self.invite_cseq } else { self.cseq };
        let cseq = setting("cseq").map_or(cseq, |number| number.parse().unwrap());
        let tag = setting("tag").unwrap_or(&self.our_tag);
        let tag = if in_dialog { format!(";tag={tag}") } else { String::new() };
        let name = &self.name;
        let mut headers = vec![
            ("Via".to_owned(), format!("SIP/2.0/{} 192.0.2.1:5060;branch={branch}", transport.name())),
            ("Max-Forwards".to_owned(), "70".to_owned()),
            ("From".to_owned(), format!("<sip:+12025550143@192.0.2.1>;tag=from-{name}")),
            ("To".to_owned(), format!("<sip:+12025550100@203.0.113.1>{tag}")),
            ("Call-ID".to_owned(), format!("call-{name}")),
            ("CSeq".to_owned(), format!("{cseq} {method}")),
        ];
        if matches!(method, "INVITE" | "UPDATE") {
            headers.push(("Contact".to_owned(), "<sip:gw@192.0.2.1:5060>".to_owned()));
            headers.push(("P-Asserted-Identity".to_owned(), "<sip:+12025550143@192.0.2.1;user=phone>".to_owned()));
        }
        if method == "PRACK" {
            headers.push(("RAck".to_owned(), format!("{} {} INVITE", self.rseq, self.invite_cseq)));
        }
        let uri = setting("uri").unwrap_or("sip:+12025550100@203.0.113.1");
        if let Some(how) = setting("digest") {
            let value = self.authorize(how, method, uri);
            headers.push(("Authorization".to_owned(), value));
        }
        for change in changes {
            if let Some(gone) = change.strip_prefix('-') {
                headers.retain(|(name, _)| name != gone);
            } else if let Some((name, value)) = change.split_once(": ") {
                if let Some(add) = name.strip_prefix('+') {
                    headers.push((add.to_owned(), value.to_owned()));
                } else if let Some(header) = headers.iter_mut().find(|(given, _)| given == name) {
                    header.1 = value.to_owned();
                } else {
                    headers.push((name.to_owned(), value.to_owned()));
                }
            }
        }
        let sdp = setting("sdp").or(matches!(what, "INVITE" | "re-INVITE").then_some("plain"));
        let body = match setting("body") {
            Some(text) => text.replace("\\r", "\r").replace("\\n", "\n"),
            None => sdp.map_or(String::new(), description),
        };
        let is_described = headers.iter().any(|(name, _)| name == "Content-Type");
        if !body.is_empty() && setting("body").is_none() && !is_described {
            headers.push(("Content-Type".to_owned(), "application/sdp".to_owned()));
        }
        let version = setting("version").unwrap_or("SIP/2.0");
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{method} {uri} {version}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
    }
}

impl Caller {
    /// An answer to our last challenge: `first` or `second` of its two, `next` with the same nonce, `wrong` by another
    /// password, `again` what was said last.
    fn authorize(&mut self, how: &str, method: &str, uri: &str) -> String {
        let choice = match how {
            "again" => return self.authorization.clone(),
            "second" => &self.challenges.0[1..],
            _ => &self.challenges.0[..],
        };
        if how != "next" {
            let challenge = Challenge::first(&HeaderLines(choice.to_vec()), "WWW-Authenticate").expect("a challenge");
            self.credentials = Some(Credentials::new(challenge, format!("cnonce-{}", self.name)));
        }
        let login = login(if how == "wrong" { "open barley" } else { PASSWORD });
        let credentials = self.credentials.as_mut().expect("it was challenged");
        self.authorization = credentials.value(&login, method, uri, b"");
        self.authorization.clone()
    }
}

/// Of the account that a trunk has with us, and we with it.
const PASSWORD: &str = "open sesame";

fn login(password: &str) -> Login {
    let private = |text: &str| Private::new(text.to_owned());
    Login { user: private("dialproof"), password: private(password) }
}

/// What a trunk must prove.
pub(super) fn account() -> DigestLogin {
    let algorithms = vec![DigestAlgorithm::Sha256, DigestAlgorithm::Md5];
    DigestLogin { realm: "dialproof.example".to_owned(), login: login(PASSWORD), algorithms }
}

/// `192.0.2.1:5060`, `tcp 192.0.2.1:40000 #1` (the connection), `tls 198.18.0.1:40000 #2 as 2` (with that trunk's
/// certificate).
pub(super) fn peer(text: &str) -> Peer {
    let words: Vec<&str> = text.split(' ').collect();
    let number = |start: &str| words.iter().find_map(|word| word.strip_prefix(start)).map(|n| n.parse().unwrap());
    match words[..] {
        [address] => Peer::udp(address.parse().unwrap()),
        [transport, address, ..] => Peer {
            address: address.parse().unwrap(),
            transport: Transport::from_name(transport).unwrap(),
            flow: number("#").map(Flow),
            certified: words.last().filter(|_| words.contains(&"as")).map(|index| TrunkIndex(index.parse().unwrap())),
        },
        [] => unreachable!("a split gives one"),
    }
}

/// A description and ISUP, for `Content-Type: multipart/mixed;boundary=b1`.
fn parts(description: &str, disposition: &str) -> String {
    format!(
        "--b1\r\nContent-Type: application/sdp\r\n\r\n{description}\r\n--b1\r\nContent-Type: application/isup\r\n\
         Content-Disposition: {disposition}\r\n\r\nx\r\n--b1--\r\n"
    )
}

/// A session description by name.
fn description(name: &str) -> String {
    let audio = |address: &str, line: &str, attributes: &str| {
        format!("v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n{line}\r\n{attributes}")
    };
    let common = "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n";
    let line = "m=audio 30000 RTP/AVP 0 8 101";
    let secure = |line: &str, key: char, more: &str| {
        let crypto = format!("a=crypto:{line} inline:{}\r\n{more}\r\n", key.to_string().repeat(40));
        audio("198.51.100.9", "m=audio 30000 RTP/SAVP 0 101", &format!("{common}{crypto}"))
    };
    match name {
        "none" => String::new(),
        "plain" => audio("198.51.100.9", line, common),
        "moved" => audio("198.51.100.10", "m=audio 31000 RTP/AVP 8 101", common),
        "zero-address" => audio("0.0.0.0", line, common),
        "six" => "v=0\r\no=- 1 1 IN IP6 2001:db8:1::9\r\ns=-\r\nc=IN IP6 2001:db8:1::9\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\n".to_owned(),
        "wideband" => audio("198.51.100.9", "m=audio 30000 RTP/AVP 9 0 101", common),
        "muxed" => audio("198.51.100.9", line, &format!("{common}a=rtcp-mux\r\n")),
        "without-reports" => audio("198.51.100.9", &format!("{line}\r\nb=RS:0\r\nb=RR:0"), common),
        "secure" => secure("1 AES_CM_128_HMAC_SHA1_80", 'A', "a=sendrecv"),
        "secure-held" => secure("1 AES_CM_128_HMAC_SHA1_80", 'A', "a=sendonly"),
        "secure-anew" => secure("1 AES_CM_128_HMAC_SHA1_80", 'B', "a=sendrecv"),
        "secure-by-line-2" => secure("2 AES_CM_128_HMAC_SHA1_80", 'C', "a=sendrecv"),
        "secure-by-two" => secure(
            "7 AEAD_AES_256_GCM_8",
            'A',
            &format!("a=crypto:8 AES_CM_128_HMAC_SHA1_32 inline:{}|2^31|1:1", "D".repeat(40)),
        ),
        "secure-but-in-the-clear" => {
            let key = "A".repeat(40);
            let line = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key} UNENCRYPTED_SRTP\r\n");
            audio("198.51.100.9", "m=audio 30000 RTP/SAVP 0 101", &format!("{common}{line}"))
        }
        "secure-without-key" => audio("198.51.100.9", "m=audio 30000 RTP/SAVP 0 101", common),
        // RFC 8643: as it would like to, and need not.
        "secure-if-you-can" => description("secure").replace("RTP/SAVP", "RTP/AVP"),
        "g729" => audio("198.51.100.9", "m=audio 30000 RTP/AVP 18", ""),
        "no-keys" => audio("198.51.100.9", "m=audio 30000 RTP/AVP 0", "a=ptime:20\r\n"),
        // As a video telephone offers itself.
        "many" => audio(
            "198.51.100.9",
            "m=video 40000 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\nm=audio 30000 RTP/AVP 0 101",
            "a=rtpmap:101 opus/48000/2\r\na=ptime:20\r\nm=application 50000 UDP/BFCP *\r\n",
        ),
        "many-answered" => audio(
            "198.51.100.10",
            "m=video 0 RTP/AVP 99\r\nm=audio 31000 RTP/AVP 8 96",
            "a=rtpmap:96 telephone-event/8000\r\nm=application 0 UDP/BFCP *\r\n",
        ),
        "nonsense" => "this is no description".to_owned(),
        "with-isup" => parts(&description("plain"), "signal;handling=optional"),
        "with-needed-isup" => parts(&description("plain"), "signal;handling=required"),
        direction => audio("198.51.100.9", line, &format!("{common}a={direction}\r\n")),
    }
}
