//! SIPp, as a carrier's trunk: dialogues that a test writes down as steps.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::process::free_port;

/// An offer or answer with this line instead of the direction.
pub const SPEECH: &str = "a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=sendrecv";

/// Before keys are pressed: the warning takes 15.6 s, and keys before its end are dropped; "enter the code" takes two more.
pub const LISTENING_MS: u32 = 18_000;

/// A scenario of SIPp. Every request but an ACK or CANCEL has the next number.
#[derive(Debug, Default)]
pub struct Scenario {
    xml: String,
    /// Steps so far.
    steps: usize,
    cseq: u32,
    /// The step of the last INVITE, and its number.
    invite: (usize, u32),
    checks: usize,
}

impl Scenario {
    /// Sends a request that opens a dialog, or none.
    #[must_use]
    pub fn opens(self, method: &str, headers: &str, body: Option<&str>) -> Self {
        self.sends(method, "sip:[service]@[remote_ip]:[remote_port]", "", headers, body)
    }

    /// Sends a request in the dialog.
    #[must_use]
    pub fn says(self, method: &str, headers: &str, body: Option<&str>) -> Self {
        self.sends(method, "[next_url]", "[peer_tag_param]", headers, body)
    }

    /// Sends a CANCEL, or the ACK of a refusal: both belong to the INVITE.
    #[must_use]
    pub fn says_of_the_invite(self, method: &str) -> Self {
        let tag = if method == "ACK" { "[peer_tag_param]" } else { "" };
        self.sends(method, "sip:[service]@[remote_ip]:[remote_port]", tag, "", None)
    }

    fn sends(mut self, method: &str, uri: &str, to_tag: &str, headers: &str, body: Option<&str>) -> Self {
        let of_invite = matches!(method, "ACK" | "CANCEL");
        if !of_invite {
            self.cseq += 1;
        }
        if method == "INVITE" {
            self.invite = (self.steps, self.cseq);
        }
        let cseq = if of_invite { self.invite.1 } else { self.cseq };
        let is_hop_by_hop = of_invite && uri != "[next_url]";
        let branch =
            if is_hop_by_hop { format!("[branch-{}]", self.steps - self.invite.0) } else { "[branch]".to_owned() };
        let (described, body) = match body {
            Some(body) if body.starts_with("Signal") => ("Content-Type: application/dtmf-relay\n", body.to_owned()),
            Some(lines) => ("Content-Type: application/sdp\n", description(lines)),
            None => ("", String::new()),
        };
        let repeats = if method == "ACK" { "" } else { " retrans=\"500\"" };
        writeln!(
            self.xml,
            "<send{repeats}><![CDATA[\n\n{method} {uri} SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}\n\
             From: <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]t[call_number]\n\
             To: <sip:[service]@[remote_ip]:[remote_port]>{to_tag}\nCall-ID: [call_id]\nCSeq: {cseq} {method}\n\
             Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>\n\
             P-Asserted-Identity: <sip:[field0]@[local_ip];user=phone>\nMax-Forwards: 70\n{headers}{described}\
             Content-Length: [len]\n\n{body}]]></send>",
        )
        .expect("a string takes all");
        self.steps += 1;
        self
    }

    /// Receives a response whose text has each of these expressions in it.
    #[must_use]
    pub fn hears(mut self, status: u16, expressions: &[&str]) -> Self {
        write!(self.xml, "<recv response=\"{status}\" rrs=\"true\">").expect("a string takes all");
        self.check(expressions);
        self.xml += "</recv>\n";
        self.steps += 1;
        self
    }

    /// Receives a response, and keeps the number in its header as the variable of the same name, for `[$NAME]`.
    #[must_use]
    pub fn hears_number(mut self, status: u16, header: &str) -> Self {
        writeln!(
            self.xml,
            "<recv response=\"{status}\" rrs=\"true\"><action><ereg regexp=\"[0-9]+\" search_in=\"hdr\" header=\"{header}:\" \
             check_it=\"true\" assign_to=\"{header}\"/></action></recv>"
        )
        .expect("a string takes all");
        self.steps += 1;
        self
    }

    /// Receives a challenge whose text has each of these expressions in it, acknowledges it, and sends the INVITE again with
    /// this login.
    #[must_use]
    pub fn proves(mut self, expressions: &[&str], user: &str, password: &str, body: &str) -> Self {
        self.xml += "<recv response=\"401\" auth=\"true\">";
        self.check(expressions);
        self.xml += "</recv>\n";
        self.steps += 1;
        let login = format!("[authentication username={user} password={password}]\n");
        self.says_of_the_invite("ACK").opens("INVITE", &login, Some(body))
    }

    /// Receives a response that may also be left out.
    #[must_use]
    pub fn may_hear(mut self, status: u16) -> Self {
        writeln!(self.xml, "<recv response=\"{status}\" optional=\"true\"></recv>").expect("a string takes all");
        self.steps += 1;
        self
    }

    fn check(&mut self, expressions: &[&str]) {
        self.xml += "<action>";
        for expression in expressions {
            self.checks += 1;
            let n = self.checks;
            write!(self.xml, "<ereg regexp=\"{expression}\" search_in=\"msg\" check_it=\"true\" assign_to=\"c{n}\"/>")
                .expect("a string takes all");
        }
        self.xml += "</action>";
    }

    /// Waits.
    #[must_use]
    pub fn waits(mut self, milliseconds: u32) -> Self {
        writeln!(self.xml, "<pause milliseconds=\"{milliseconds}\"/>").expect("a string takes all");
        self.steps += 1;
        self
    }

    /// A call that ends as soon as it is answered.
    pub fn short() -> Self {
        let call = Self::default().opens("INVITE", "", Some(SPEECH)).may_hear(100).may_hear(180).hears(200, &[]);
        call.says("ACK", "", None).says("BYE", "", None).hears(200, &[])
    }

    /// Sends the octets of a file as audio of payload type 0, once; the description names `[rtpstream_audio_port]`.
    #[must_use]
    pub fn streams(mut self, file: &Path) -> Self {
        writeln!(self.xml, "<nop><action><exec rtp_stream=\"{},1,0\"/></action></nop>", file.display())
            .expect("a string takes all");
        self.steps += 1;
        self
    }

    /// SIPp's file.
    pub fn xml(&self) -> String {
        let checked: Vec<String> = (1..=self.checks).map(|n| format!("c{n}")).collect();
        let used = if checked.is_empty() {
            String::new()
        } else {
            format!("<Reference variables=\"{}\"/>", checked.join(","))
        };
        format!("<?xml version=\"1.0\"?>\n<scenario name=\"dialog\">\n{}{used}\n</scenario>\n", self.xml)
    }

    /// Plays it once, over SIPp's transport of that name (`u1`, `t1`). The error says what went otherwise.
    ///
    /// # Errors
    /// What SIPp saw instead.
    ///
    /// # Panics
    /// If SIPp is not installed.
    pub fn play(&self, caller: &str, dialled: &str, service: SocketAddr, transport: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("scenario.xml");
        std::fs::write(&file, self.xml()).expect("a file");
        std::fs::write(folder.path().join("callers.csv"), format!("SEQUENTIAL\n{caller};\n")).expect("a file");
        let output = sipp(folder.path(), &file)
            .args([&service.to_string(), "-s", dialled, "-inf", "callers.csv", "-t", transport])
            .args(["-m", "1", "-timeout", "60s", "-timeout_error", "-error_file", "errors"])
            .output()
            .expect("SIPp is installed: run tests/setup");
        if output.status.success() {
            return Ok(());
        }
        let errors = std::fs::read_to_string(folder.path().join("errors")).unwrap_or_default();
        Err(format!("{:?}\n{errors}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
    }
}

/// SIPp with a scenario, in this folder. Its keys go out through a raw socket, which is root's.
pub fn sipp(folder: &Path, scenario: &Path) -> Command {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    let mut command = Command::new(if is_root { "sipp" } else { "sudo" });
    if !is_root {
        command.args(["-n", "sipp"]);
    }
    command.current_dir(folder).stdin(Stdio::null());
    command.arg("-sf").arg(scenario).args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin", "-trace_err"]);
    command.args(["-p", &free_port().to_string()]);
    command
}

/// PCMU, unless the lines begin with a stream of their own.
fn description(lines: &str) -> String {
    let stream =
        if lines.starts_with("m=") { "" } else { "m=audio [media_port] RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\n" };
    format!("v=0\no=sipp 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\n{stream}{lines}\n")
}
