//! The telephone of the service: endpoint, media thread and SIP task, and the desk where calls get their answers.

use std::io;
use std::path::Path;
use std::sync::Arc;

use ivr_core::call::flow::TooLong;
use ivr_core::call::question::{Outcome, VerificationId};
use ivr_core::endpoint::{Endpoint, Input, Outbox};
use ivr_core::media::Voices;
use tokio::sync::{mpsc, watch};
use voice_prompts::Library;

use super::desk::{self, Ends};
use super::sockets::SipSockets;
use crate::clock::Clock;
use crate::config::Config;
use crate::link_status::{LinkBoard, LinkStatus};
use crate::media_driver::{MediaDriver, RtpSockets};
use crate::names::Names;
use crate::sip_driver::{Desk, Figures, Listeners, Secure, SipDriver};
use crate::trunk_probe::TrunkProbes;

/// Ended sessions whose calls have not heard of it. A full queue makes the pages' side wait.
const OUTCOMES: usize = 256;

/// A telephone that nobody has begun to serve yet.
pub(super) struct Telephone {
    /// To be run.
    pub(super) driver: SipDriver,
    /// The desk's other side.
    pub(super) ends: Ends,
    /// Where to say how a session ended.
    pub(super) outcomes: mpsc::Sender<(VerificationId, Outcome)>,
    /// What is counted.
    pub(super) figures: watch::Receiver<Figures>,
    /// What arrives of calls that operators announce.
    pub(super) probes: TrunkProbes,
    /// How it stands with the trunks.
    pub(super) links: watch::Receiver<Vec<LinkStatus>>,
}

impl Telephone {
    /// Starts the media thread, connects everything, and lets the endpoint take calls.
    pub(super) fn start(
        config: &Config,
        (sip, mut endpoint): (SipSockets, Endpoint),
        secure: Option<Secure>,
        (rtp, voices): (RtpSockets, Voices),
        clock: Clock,
    ) -> io::Result<Self> {
        let listeners = Listeners {
            tcp: sip.tcp,
            tls: sip.tls.zip(secure.map(Arc::new)),
            policy: config.policy().clone(),
            strangers: config.sip().unknown_peers(),
        };
        let ready = Input::TakeCalls { rtp_ports: rtp.ports().to_vec() };
        endpoint.handle(ready, clock.now(), &mut Outbox::new());
        let media = MediaDriver::start(rtp, voices, clock)?;
        let (ask, questions) = mpsc::channel(desk::QUESTIONS);
        let (answers, answered) = mpsc::channel(desk::ANSWERS);
        let (outcomes, ended) = mpsc::channel(OUTCOMES);
        let (record, records) = mpsc::channel(desk::RECORDS);
        let desk = Desk { questions: ask, answers: answered, outcomes: ended, records: record };
        let driver = SipDriver::new(sip.udp, endpoint, media, desk, clock);
        let has_names = config.links().iter().any(|link| link.server.address().is_none());
        let names = has_names.then(|| Names::of(config.sip().nameservers())).transpose().map_err(io::Error::other)?;
        let name = |trunk| config.policy().trunk(trunk).name.clone();
        let board = LinkBoard::new(config.links(), name, clock.wall());
        let links = board.watch();
        let (probes, announcements) = TrunkProbes::new(config.policy().trunks.clone());
        let driver = driver.with_streams(listeners).with_links(names, board).with_announcements(announcements);
        let figures = driver.figures();
        Ok(Self { driver, ends: Ends { questions, answers, records }, outcomes, figures, probes, links })
    }
}

/// What callers hear: the operator's own recordings, which are read here, before the embedded ones, which are not read before somebody
/// calls.
pub(super) fn voices(own_prompts: Option<&Path>) -> Voices {
    let Some(folder) = own_prompts else { return Voices::new(Library::embedded()) };
    let (library, warnings) = Library::with_folder(folder);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    for sentence in TooLong::of(&library) {
        tracing::warn!("{sentence}");
    }
    Voices::new(library)
}
