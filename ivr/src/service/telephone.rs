//! The telephone of the service: endpoint, media thread and SIP task, and the desk where calls get their answers.

use std::io;
use std::sync::Arc;

use ivr_core::call::question::{Outcome, VerificationId};
use ivr_core::endpoint::{Endpoint, EndpointConfig, Limits};
use ivr_core::media::Clips;
use ivr_core::number;
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

/// Ended sessions whose calls have not heard of it. A full queue makes the pages' side wait.
const OUTCOMES: usize = 256;
/// The language of the voice: so far there is one.
pub(super) const LOCALE: &str = "en";

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
    /// How it stands with the trunks.
    pub(super) links: watch::Receiver<Vec<LinkStatus>>,
}

impl Telephone {
    /// Starts the media thread and connects everything.
    pub(super) fn start(
        config: &Config,
        sip: SipSockets,
        secure: Option<Secure>,
        rtp: RtpSockets,
        clock: Clock,
    ) -> io::Result<Self> {
        // Else the first caller would wait for them.
        number::load_numbering_plans();
        // Port 0 was a wish for any.
        let bound = sip.udp.local_addr()?.port();
        let mut addresses = config.sip().advertise();
        for address in [Some(&mut addresses.sip), addresses.sip_other.as_mut()].into_iter().flatten() {
            if address.port() == 0 {
                address.set_port(bound);
            }
        }
        let listeners = Listeners {
            tcp: sip.tcp,
            tls: sip.tls.zip(secure.map(Arc::new)),
            policy: config.policy().clone(),
            strangers: config.sip().unknown_peers(),
        };
        let endpoint = EndpointConfig {
            addresses,
            rtp_ports: rtp.ports().to_vec(),
            policy: config.policy().clone(),
            links: config.links().to_vec(),
            binding: config.verification().binding(),
            limits: Limits { calls: config.sip().max_calls(), ..Limits::default() },
            strangers: config.sip().unknown_peers(),
            server: None,
        };
        let media = MediaDriver::start(rtp, Clips::encode(&library(config), LOCALE), clock)?;
        let (ask, questions) = mpsc::channel(desk::QUESTIONS);
        let (answers, answered) = mpsc::channel(desk::ANSWERS);
        let (outcomes, ended) = mpsc::channel(OUTCOMES);
        let (record, records) = mpsc::channel(desk::RECORDS);
        let desk = Desk { questions: ask, answers: answered, outcomes: ended, records: record };
        let driver = SipDriver::new(sip.udp, Endpoint::new(endpoint, clock.bytes()), media, desk, clock);
        let has_names = config.links().iter().any(|link| link.server.address().is_none());
        let names = has_names.then(|| Names::of(config.sip().nameservers())).transpose().map_err(io::Error::other)?;
        let name = |trunk: usize| config.policy().trunks[trunk].name.clone();
        let board = LinkBoard::new(config.links(), name, clock.wall());
        let links = board.watch();
        let driver = driver.with_streams(listeners).with_links(names, board);
        let figures = driver.figures();
        Ok(Self { driver, ends: Ends { questions, answers, records }, outcomes, figures, links })
    }
}

/// The operator's own recordings before the embedded ones.
fn library(config: &Config) -> Library {
    let folder = config.service().prompts_dir();
    if !folder.is_dir() {
        return Library::embedded();
    }
    let (library, warnings) = Library::with_folder(folder);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    library
}
