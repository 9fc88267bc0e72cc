//! A call's sockets and clock: hands in what arrives and sends what comes out.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use ivr_core::private::Private;
use tokio::net::UdpSocket;
use voice_prompts::Heard;

use super::dialog::{Dialog, Invitation, Signal};
use super::rtp::{Ear, FRAME, Mouth};
use super::script::{Deed, Script};
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
        let (sip, rtp) = sockets(service, plan.local).await.map_err(|cause| CallError::Socket { service, cause })?;
        let address = |socket: &UdpSocket| socket.local_addr().map_err(|cause| CallError::Socket { service, cause });
        let clock = Clock;
        let [id, tag] = [clock.bytes::<8>(), clock.bytes::<8>()].map(|b| format!("{:016x}", u64::from_be_bytes(b)));
        let local = address(&sip)?;
        let parameters: String = plan.uri_parameters.iter().map(|parameter| format!(";{parameter}")).collect();
        let target = format!("sip:{}@{service}{parameters}", plan.dialled);
        let call_id = format!("{id}@{}", local.ip());
        let invitation = Invitation {
            to: format!("<{target}>"),
            target,
            from: plan.identity.from.expose().clone(),
            headers: plan.identity.headers(),
            local,
            offer: sdp::offer(address(&rtp)?, &plan.laws, u32::from_be_bytes(clock.bytes())),
            call_id: call_id.clone(),
            tag,
        };
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
            report: CallReport {
                call_id,
                status: None,
                reason: String::new(),
                setup: None,
                duration: Duration::ZERO,
                packets_sent: 0,
                packets_received: 0,
                packets_lost: 0,
                spacing_errors: Vec::new(),
                heard: Vec::new(),
                number_ending: None,
                read_back: None,
                ended_by: EndedBy::Caller,
            },
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
                if let Meaning::NumberEnding(digits) = &meaning {
                    self.report.number_ending = Some(Private::new(digits.clone()));
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
