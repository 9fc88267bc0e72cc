//! A call's sockets and clock: hands in what arrives and sends what comes out.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use ivr_core::private::Private;
use tokio::net::UdpSocket;
use voice_prompts::Heard;

use super::dialog::{Dialog, Invitation, Signal};
use super::rtp::{Ear, FRAME, Mouth};
use super::script::{Deed, Scenario, Script};
use super::sdp::{self, Agreed};
use super::understanding::{Meaning, Understanding};
use super::{CallError, CallPlan, CallReport, EndedBy, News};
use crate::clock::Clock;

/// Larger than any datagram we are sent.
const DATAGRAM: usize = 4_096;

/// One call and all that belongs to it.
pub(super) struct Line<T> {
    plan: CallPlan,
    tell: T,
    clock: Clock,
    sip: UdpSocket,
    rtp: UdpSocket,
    dialog: Dialog,
    talk: Option<Talk>,
    understanding: Understanding,
    script: Script,
    /// SIP messages to be sent.
    out: Vec<Vec<u8>>,
    began: Instant,
    report: CallReport,
    failure: Option<&'static str>,
}

struct Talk {
    agreed: Agreed,
    mouth: Mouth,
    ear: Ear,
    next_frame: Instant,
}

impl<T: FnMut(News)> Line<T> {
    pub(super) async fn dial(plan: CallPlan, tell: T) -> Result<Self, CallError> {
        let service = plan.service;
        let failed = |cause| CallError::Socket { service, cause };
        let (sip, rtp) = sockets(service, plan.local).await.map_err(failed)?;
        let (local, media) = (sip.local_addr().map_err(failed)?, rtp.local_addr().map_err(failed)?);
        let clock = Clock;
        let invitation = invitation(&plan, local, media, clock);
        let report = CallReport::of(invitation.call_id.clone());
        let began = clock.now();
        let mut out = Vec::new();
        Ok(Self {
            dialog: Dialog::invite(invitation, began, &mut out),
            script: Script::new(plan.scenario, plan.code.expose()),
            plan,
            tell,
            clock,
            sip,
            rtp,
            talk: None,
            understanding: Understanding::default(),
            out,
            began,
            report,
            failure: None,
        })
    }

    /// Stays on the line until the call is over.
    pub(super) async fn stay(mut self) -> Result<CallReport, CallError> {
        let service = self.plan.service;
        self.run().await.map_err(|cause| CallError::Socket { service, cause })?;
        if let Some(failure) = self.failure {
            return Err(CallError::Signalling(failure));
        }
        let mut report = self.report;
        report.duration = self.clock.now() - self.began;
        if let Some(Talk { mouth, ear, .. }) = self.talk {
            report.packets_sent = mouth.packets;
            report.packets_received = ear.packets;
            report.packets_lost = ear.lost;
            report.spacing_errors = ear.spacing_errors;
        }
        (self.tell)(News::Ended(report.ended_by));
        Ok(report)
    }

    async fn run(&mut self) -> std::io::Result<()> {
        let (mut message, mut packet) = ([0; DATAGRAM], [0; DATAGRAM]);
        let mut gives_up_at = Some(self.began + self.plan.patience);
        loop {
            for bytes in std::mem::take(&mut self.out) {
                self.sip.send(&bytes).await?;
            }
            if self.dialog.is_over() || self.failure.is_some() {
                return Ok(());
            }
            let next_frame = self.talk.as_ref().map(|talk| talk.next_frame);
            let wake = [next_frame, self.dialog.deadline(), gives_up_at].into_iter().flatten().min();
            tokio::select! {
                // A packet's arrival is measured here, so it is looked at before anything else.
                biased;
                received = self.rtp.recv_from(&mut packet), if self.talk.is_some() => {
                    let (length, from) = received?;
                    self.hear(&packet[..length], from);
                }
                received = self.sip.recv(&mut message) => {
                    let length = received?;
                    let signal = self.dialog.receive(&message[..length], self.clock.now(), &mut self.out);
                    self.follow(signal);
                }
                () = until(wake) => {
                    let now = self.clock.now();
                    if gives_up_at.is_some_and(|at| now >= at) {
                        gives_up_at = None;
                        self.hang_up(EndedBy::Patience);
                    }
                    let signal = self.dialog.timeout(now, &mut self.out);
                    self.follow(signal);
                    self.speak(now).await;
                }
            }
        }
    }

    /// Sends the packets that are due: at absolute times, so that one late packet does not delay the next.
    async fn speak(&mut self, now: Instant) {
        let Some(talk) = self.talk.as_mut() else { return };
        while talk.next_frame <= now {
            talk.next_frame += FRAME;
            // A full buffer or a closed port loses a packet, as a network does.
            let _lost = self.rtp.send_to(&talk.mouth.packet(), talk.agreed.remote).await;
        }
    }

    fn hear(&mut self, packet: &[u8], from: SocketAddr) {
        let now = self.clock.now();
        let Some(talk) = self.talk.as_mut().filter(|talk| talk.agreed.remote.ip() == from.ip()) else { return };
        let mut heard = Vec::new();
        talk.ear.receive(packet, now, &mut heard);
        for heard in heard {
            if let Heard::Ended(id) = heard {
                self.report.heard.push(id);
            }
            (self.tell)(News::Heard(heard));
            if let Some(meaning) = self.understanding.hear(heard) {
                match &meaning {
                    Meaning::NumberEnding(digits) => self.report.number_ending = Some(Private::new(digits.clone())),
                    Meaning::KeyCheck(digits) => {
                        let digits = Private::new(digits.clone());
                        self.report.key_check = Some(digits.clone());
                        (self.tell)(News::KeyCheck(digits));
                    }
                    _ => {}
                }
                let deed = self.script.hear(meaning);
                self.act(deed);
            }
        }
    }

    fn follow(&mut self, signal: Option<Signal>) {
        match signal {
            None => {}
            Some(Signal::Progress(status)) => {
                (self.tell)(News::Progress(status));
                let deed = self.script.progress();
                self.act(deed);
            }
            Some(Signal::Answered(agreed)) => self.begin_talk(agreed),
            Some(Signal::Refused(status, reason)) => {
                self.report.status = Some(status);
                self.report.reason = reason;
                self.report.ended_by = EndedBy::Refusal;
            }
            Some(Signal::HungUp) => self.report.ended_by = EndedBy::Service,
            Some(Signal::Over) => {}
            Some(Signal::Failed(why)) => self.failure = Some(why),
        }
    }

    fn begin_talk(&mut self, agreed: Agreed) {
        let now = self.clock.now();
        let setup = now - self.began;
        self.report.status = Some(200);
        self.report.setup = Some(setup);
        (self.tell)(News::Answered { setup });
        self.talk = Some(Talk {
            agreed,
            mouth: Mouth::new(agreed, self.clock.bytes()),
            ear: Ear::new(agreed, self.plan.vocabulary.clone()),
            next_frame: now,
        });
    }

    fn act(&mut self, deed: Option<Deed>) {
        match deed {
            None => {}
            Some(Deed::HangUp) => self.hang_up(EndedBy::Caller),
            Some(Deed::Press(keys)) => {
                if let Some(talk) = self.talk.as_mut() {
                    talk.mouth.press(&keys);
                }
                (self.tell)(News::Pressed(keys.len()));
            }
            Some(Deed::Tell(digits)) => {
                let digits = Private::new(digits);
                self.report.read_back = Some(digits.clone());
                (self.tell)(News::ReadBack(digits));
                let deed = self.script.told();
                self.act(deed);
            }
        }
    }

    fn hang_up(&mut self, by: EndedBy) {
        self.report.ended_by = by;
        self.dialog.hang_up(self.clock.now(), &mut self.out);
    }
}

/// From this address, with an offer to receive at that one.
fn invitation(plan: &CallPlan, local: SocketAddr, media: SocketAddr, clock: Clock) -> Invitation {
    let [id, tag] = [clock.bytes::<8>(), clock.bytes::<8>()].map(|b| format!("{:016x}", u64::from_be_bytes(b)));
    let parameters: String = plan.uri_parameters.iter().map(|parameter| format!(";{parameter}")).collect();
    let target = format!("sip:{}@{}{parameters}", plan.dialled, plan.service);
    let events = (plan.scenario != Scenario::Tones).then_some(sdp::EVENTS);
    Invitation {
        to: format!("<{target}>"),
        target,
        from: plan.identity.from.expose().clone(),
        headers: plan.identity.headers(),
        local,
        offer: sdp::offer(media, &plan.laws, events, u32::from_be_bytes(clock.bytes())),
        call_id: format!("{id}@{}", local.ip()),
        tag,
    }
}

/// A socket for SIP, connected to the service, and one for RTP at the same address.
async fn sockets(service: SocketAddr, local: Option<IpAddr>) -> std::io::Result<(UdpSocket, UdpSocket)> {
    let any: IpAddr = if service.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    let sip = UdpSocket::bind((local.unwrap_or(any), 0)).await?;
    sip.connect(service).await?;
    let rtp = UdpSocket::bind((sip.local_addr()?.ip(), 0)).await?;
    Ok((sip, rtp))
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;
    use crate::phone::message::{Message, Start};
    use crate::phone::{Identity, Law, Scenario, Stage, call};
    use voice_prompts::{Library, PromptId, Vocabulary};

    const ANSWER_LIMIT: Duration = Duration::from_secs(20);

    /// A service that says what it is told and collects the keys.
    struct Service {
        sip: UdpSocket,
        rtp: UdpSocket,
        caller: Option<(SocketAddr, Message)>,
        listener: Option<SocketAddr>,
        mouth: Mouth,
    }

    impl Service {
        async fn open() -> Self {
            let bind = || UdpSocket::bind("127.0.0.1:0");
            let (sip, rtp) = (bind().await.unwrap(), bind().await.unwrap());
            let agreed = Agreed { remote: rtp.local_addr().unwrap(), law: Law::Mu, events: Some(101) };
            Self { sip, rtp, caller: None, listener: None, mouth: Mouth::new(agreed, [9; 10]) }
        }

        fn plan(&self, scenario: Scenario) -> CallPlan {
            CallPlan {
                service: self.sip.local_addr().unwrap(),
                local: None,
                dialled: "7042".into(),
                uri_parameters: vec!["ingress=secret".into()],
                identity: Identity::withheld("+12025550143"),
                laws: vec![Law::Mu, Law::A],
                scenario,
                code: Private::new("482913".into()),
                vocabulary: Vocabulary::of(&Library::embedded(), "en"),
                patience: ANSWER_LIMIT,
            }
        }

        async fn next(&mut self, method: &str) -> Message {
            let mut buffer = [0; DATAGRAM];
            let (length, from) = self.sip.recv_from(&mut buffer).await.unwrap();
            let message = Message::parse(&buffer[..length]).unwrap();
            assert_eq!(message.method(), Some(method));
            if method == "INVITE" {
                self.listener = sdp::agreed(&message.body).map(|agreed| agreed.remote);
                self.caller = Some((from, message.clone()));
            }
            message
        }

        async fn respond(&self, status: u16, request: &Message, body: &str) {
            let contact = format!("<sip:{}>", self.sip.local_addr().unwrap());
            let response = Message::response(status, "Because", request).with("Contact", contact);
            let response = if body.is_empty() { response } else { response.with_body("application/sdp", body.into()) };
            let untagged = String::from_utf8(response.to_bytes()).unwrap();
            let tagged = untagged.replace("\r\nCall-ID", ";tag=s\r\nCall-ID");
            self.send(tagged.as_bytes()).await;
        }

        async fn send(&self, message: &[u8]) {
            let (caller, _) = self.caller.as_ref().unwrap();
            self.sip.send_to(message, caller).await.unwrap();
        }

        /// Much faster than speech: the ear does not mind.
        async fn say(&mut self, ids: &[PromptId]) {
            let library = Library::embedded();
            let mut said: VecDeque<i16> = ids.iter().flat_map(|id| library.samples(*id, "en").to_vec()).collect();
            said.extend([0; 800]);
            while said.len() >= 160 {
                let mut packet = self.mouth.packet();
                for (octet, sample) in packet[12..].iter_mut().zip(said.drain(..160)) {
                    *octet = Law::Mu.encode(sample);
                }
                self.rtp.send_to(&packet, self.listener.unwrap()).await.unwrap();
                tokio::task::yield_now().await;
            }
        }

        /// The next keys, each counted at the first packet of its press.
        async fn keys(&self, count: usize) -> String {
            let mut packet = [0; DATAGRAM];
            let mut keys = String::new();
            while keys.len() < count {
                let (length, _) = self.rtp.recv_from(&mut packet).await.unwrap();
                if packet[1] == 0x80 | 101 {
                    assert_eq!(length, 16);
                    keys.push(char::from(b"0123456789*#"[usize::from(packet[12])]));
                }
            }
            keys
        }

        fn answer(&self) -> String {
            sdp::offer(self.rtp.local_addr().unwrap(), &[Law::Mu], Some(sdp::EVENTS), 1)
        }
    }

    #[tokio::test]
    async fn a_call_is_answered_understood_and_ended_by_the_service() {
        let mut service = Service::open().await;
        let plan = service.plan(Scenario::Happy);
        let news = Mutex::new(Vec::new());
        let call = call(plan, |told| news.lock().unwrap().push(told));
        let serve = async {
            let invite = service.next("INVITE").await;
            let target = format!("sip:7042@{};ingress=secret", service.sip.local_addr().unwrap());
            assert_eq!(invite.start, Start::Request { method: "INVITE".into(), uri: target });
            assert_eq!(invite.header("P-Asserted-Identity"), Some("<tel:+12025550143>"));
            assert_eq!(invite.header("Privacy"), Some("id"));
            service.respond(100, &invite, "").await;
            service.respond(200, &invite, &service.answer()).await;
            service.next("ACK").await;
            service.say(&[PromptId::EnterCode]).await;
            assert_eq!(service.keys(6).await, "482913");
            service.say(&[PromptId::PressToConfirm, PromptId::Digit(7)]).await;
            assert_eq!(service.keys(1).await, "7");
            let read_back = [8, 0, 1, 1, 5, 2].map(PromptId::Digit);
            service.say(&[&[PromptId::TypeIntoPage][..], &read_back, &[PromptId::Goodbye]].concat()).await;
            while !news.lock().unwrap().contains(&News::Heard(Heard::Ended(PromptId::Goodbye))) {
                tokio::task::yield_now().await;
            }
            let (_, invite) = service.caller.clone().unwrap();
            let bye = Message::request("BYE", "sip:phone")
                .with("Via", "SIP/2.0/UDP s;branch=z9hG4bK1")
                .with("From", format!("{};tag=s", invite.header("To").unwrap()))
                .with("To", invite.header("From").unwrap())
                .with("Call-ID", invite.header("Call-ID").unwrap())
                .with("CSeq", "1 BYE");
            service.send(&bye.to_bytes()).await;
            assert!(matches!(service.next("BYE").await.start, Start::Response { status: 200, .. }));
        };
        let both = async { tokio::join!(call, serve) };
        let (report, ()) = tokio::time::timeout(ANSWER_LIMIT, both).await.unwrap();
        let report = report.unwrap();
        assert_eq!((report.status, report.ended_by), (Some(200), EndedBy::Service));
        assert_eq!(report.read_back, Some(Private::new("801152".into())));
        assert!(report.has_heard(PromptId::EnterCode) && report.packets_lost == 0);
        // Six keys were pressed to their end before the seventh began; how much silence lay between depends on the machine.
        assert!(report.packets_sent > 6 * 5 && report.packets_received > 200, "{report:?}");
        let news = news.into_inner().unwrap();
        assert!(matches!(news.as_slice(), [News::Progress(100), News::Answered { .. }, ..]));
        assert_eq!(news.last(), Some(&News::Ended(EndedBy::Service)));
    }

    #[tokio::test]
    async fn a_caller_who_hangs_up_before_the_answer_cancels() {
        let mut service = Service::open().await;
        let plan = service.plan(Scenario::HangUp(Stage::Dialling));
        let serve = async {
            let invite = service.next("INVITE").await;
            service.respond(180, &invite, "").await;
            let cancel = service.next("CANCEL").await;
            service.respond(200, &cancel, "").await;
            service.respond(487, &invite, "").await;
            service.next("ACK").await;
        };
        let both = async { tokio::join!(call(plan, |_| {}), serve) };
        let (report, ()) = tokio::time::timeout(ANSWER_LIMIT, both).await.unwrap();
        let report = report.unwrap();
        assert_eq!((report.status, report.ended_by, report.packets_sent), (None, EndedBy::Caller, 0));
    }

    #[tokio::test]
    async fn a_caller_without_patience_hangs_up() {
        let mut service = Service::open().await;
        let plan = CallPlan { patience: Duration::from_millis(300), ..service.plan(Scenario::Silent) };
        let serve = async {
            let invite = service.next("INVITE").await;
            service.respond(200, &invite, &service.answer()).await;
            service.next("ACK").await;
            let bye = service.next("BYE").await;
            service.respond(200, &bye, "").await;
        };
        let both = async { tokio::join!(call(plan, |_| {}), serve) };
        let (report, ()) = tokio::time::timeout(ANSWER_LIMIT, both).await.unwrap();
        assert_eq!(report.unwrap().ended_by, EndedBy::Patience);
    }

    #[tokio::test]
    async fn where_nobody_listens_the_error_says_so() {
        let service = Service::open().await;
        let plan = service.plan(Scenario::Happy);
        drop(service);
        let error = tokio::time::timeout(ANSWER_LIMIT, call(plan, |_| {})).await.unwrap().unwrap_err();
        assert!(error.to_string().contains("is the service listening there?"), "{error}");
    }
}
