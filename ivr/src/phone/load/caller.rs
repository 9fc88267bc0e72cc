//! What a caller says in SIP: as little as a call needs. Over loopback nothing is lost, so nothing is repeated.

use std::net::{IpAddr, SocketAddr};

use ivr_core::number::Number;

/// One call's names and addresses.
#[derive(Debug)]
pub struct Caller {
    /// Its place in the list of calls; the Call-ID begins with it.
    pub index: usize,
    /// Who calls.
    pub number: Number,
    /// Where the caller's SIP comes from.
    pub sip: SocketAddr,
    /// Where it wants its audio.
    pub rtp: SocketAddr,
    /// Where the service takes SIP.
    pub service: SocketAddr,
    /// The number that is dialled: the user part of the Request-URI, with parameters behind a semicolon, if any.
    pub dialled: String,
    /// Tells this load's calls from an earlier one's.
    pub run: i128,
}

/// Where an answered call's messages and packets go.
#[derive(Debug, Clone)]
pub struct Answered {
    to: String,
    target: String,
    /// The service's port for audio.
    pub rtp: SocketAddr,
}

impl Caller {
    /// The INVITE with an offer.
    pub fn invite(&self) -> String {
        let (number, sip, rtp) = (self.number.as_str(), self.sip, self.rtp);
        let body = format!(
            "v=0\r\no=- {run} 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n\
             a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n",
            run = self.run.unsigned_abs() % 1_000_000_000,
            family = if rtp.is_ipv4() { "IP4" } else { "IP6" },
            ip = rtp.ip(),
            port = rtp.port(),
        );
        let head = self.request("INVITE", &self.target(), &format!("<{}>", self.target()), "1 INVITE");
        let length = body.len();
        format!(
            "{head}Contact: <sip:caller@{sip}>\r\nP-Asserted-Identity: <tel:{number}>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    }

    /// The ACK of its 200.
    pub fn ack(&self, answered: &Answered) -> String {
        self.request("ACK", &answered.target, &answered.to, "1 ACK") + "Content-Length: 0\r\n\r\n"
    }

    /// The ACK of a refusal, with the refusal's To and the INVITE's branch (RFC 3261 17.1.1.3).
    pub fn ack_refusal(&self, refusal: &str) -> Option<String> {
        let ack = self.request("ACK", &self.target(), header(refusal, "To")?, "1 ACK");
        Some(ack.replacen("-ACK\r\n", "-INVITE\r\n", 1) + "Content-Length: 0\r\n\r\n")
    }

    /// The BYE that ends it.
    pub fn bye(&self, answered: &Answered) -> String {
        self.request("BYE", &answered.target, &answered.to, "2 BYE") + "Content-Length: 0\r\n\r\n"
    }

    fn target(&self) -> String {
        format!("sip:{}@{}", self.dialled, self.service)
    }

    fn request(&self, method: &str, target: &str, to: &str, cseq: &str) -> String {
        let Self { index, number, sip, run, .. } = self;
        let number = number.as_str();
        format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {sip};branch=z9hG4bK{run}-{index}-{method}\r\n\
             From: <sip:{number}@{sip};user=phone>;tag=c{index}\r\nTo: {to}\r\nCall-ID: {index}-{run}\r\n\
             CSeq: {cseq}\r\nMax-Forwards: 70\r\n"
        )
    }
}

/// The place of the call that a message belongs to, unless it is of another load.
pub fn index_of(message: &str, run: i128) -> Option<usize> {
    let (index, of) = header(message, "Call-ID")?.split_once('-')?;
    index.parse().ok().filter(|_| of == run.to_string())
}

/// The status and the method of a response.
pub fn status(message: &str) -> Option<(u16, &str)> {
    let status = message.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()?;
    Some((status, header(message, "CSeq")?.split_once(' ')?.1))
}

/// What a 200 to an INVITE says.
pub fn answered(message: &str) -> Option<Answered> {
    let ip: IpAddr = message.lines().find_map(|line| line.strip_prefix("c=IN IP"))?.get(2..)?.parse().ok()?;
    let port = message.lines().find_map(|line| line.strip_prefix("m=audio "))?.split(' ').next()?.parse().ok()?;
    let contact = header(message, "Contact")?;
    Some(Answered {
        to: header(message, "To")?.to_owned(),
        target: contact.split_once('<')?.1.split_once('>')?.0.to_owned(),
        rtp: SocketAddr::new(ip, port),
    })
}

/// The 200 to a request of the service.
pub fn agree(request: &str) -> Option<String> {
    let names = ["Via", "From", "To", "Call-ID", "CSeq"];
    let headers: Option<Vec<String>> =
        names.iter().map(|name| Some(format!("{name}: {}\r\n", header(request, name)?))).collect();
    Some(format!("SIP/2.0 200 OK\r\n{}Content-Length: 0\r\n\r\n", headers?.concat()))
}

fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}
