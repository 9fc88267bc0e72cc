//! Where the endpoint's outputs go: the socket, the connections, the media thread, the desk.

use std::io::ErrorKind;

use ivr_core::call::question::Question;
use ivr_core::caller::{TrunkIndex, probe};
use ivr_core::endpoint::{Counters, Outbox, Output};
use ivr_core::media::CallKey;
use ivr_core::sip::peer::{Peer, Transport};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::{Figures, Links, Recorded, Streams};
use crate::address::of_family;
use crate::clock::Clock;
use crate::media_driver::MediaDriver;

/// What an output can be delivered to.
#[derive(Debug)]
pub(super) struct Outlets {
    socket: UdpSocket,
    /// It takes IPv6, and IPv4 by its other name.
    is_ipv6: bool,
    streams: Option<Streams>,
    media: MediaDriver,
    questions: mpsc::Sender<(CallKey, Question)>,
    records: mpsc::Sender<Recorded>,
    links: Option<Links>,
    arrived: Option<mpsc::Sender<(TrunkIndex, probe::Call)>>,
    clock: Clock,
    unsent_messages: u64,
    unasked_questions: u64,
    lost_records: u64,
}

impl Outlets {
    pub(super) fn new(
        socket: UdpSocket,
        media: MediaDriver,
        questions: mpsc::Sender<(CallKey, Question)>,
        records: mpsc::Sender<Recorded>,
        clock: Clock,
    ) -> Self {
        Self {
            is_ipv6: socket.local_addr().is_ok_and(|address| address.is_ipv6()),
            socket,
            streams: None,
            media,
            questions,
            records,
            links: None,
            arrived: None,
            clock,
            unsent_messages: 0,
            unasked_questions: 0,
            lost_records: 0,
        }
    }

    pub(super) fn open_streams(&mut self, streams: Streams) {
        self.streams = Some(streams);
    }

    pub(super) fn keep_links(&mut self, links: Links) {
        self.links = Some(links);
    }

    pub(super) fn tell_arrivals(&mut self, arrived: mpsc::Sender<(TrunkIndex, probe::Call)>) {
        self.arrived = Some(arrived);
    }

    /// Sends what waits for a connection, and ends them all.
    pub(super) async fn finish(self) {
        if let Some(streams) = self.streams {
            streams.finish().await;
        }
    }

    pub(super) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Delivers everything, in order. Gives the calls whose question found no room.
    pub(super) async fn deliver(&mut self, outbox: &mut Outbox) -> Vec<CallKey> {
        let mut unasked = Vec::new();
        let mut has_media = false;
        for output in outbox.drain(..) {
            match output {
                Output::Message { to, bytes } => self.send(&to, bytes).await,
                Output::Farewell { flow, bytes } => {
                    if let Some(streams) = &self.streams {
                        streams.part(flow, bytes);
                    }
                }
                Output::Media(call, command) => {
                    self.media.send(call, command);
                    has_media = true;
                }
                Output::Ask(call, question) => {
                    if self.questions.try_send((call, question)).is_err() {
                        unasked.push(call);
                    }
                }
                Output::Locate(link, query) => {
                    if let Some(links) = &self.links {
                        links.look_up(link, query);
                    }
                }
                Output::Link(link, state) => {
                    if let Some(links) = &self.links {
                        links.board.note(link, state, self.clock.wall());
                    }
                }
                Output::Probed(trunk, call) => {
                    if let Some(arrived) = &self.arrived {
                        // See `Announcements`.
                        let _full = arrived.try_send((trunk, *call));
                    }
                }
                Output::Record(call, entry) => {
                    let recorded = Recorded { call, at: self.clock.wall(), entry };
                    self.lost_records += u64::from(self.records.try_send(recorded).is_err());
                }
            }
        }
        if has_media {
            self.media.wake();
        }
        self.unasked_questions += unasked.len() as u64;
        unasked
    }

    /// What the system does not take is lost as in a network; SIP repeats it, or gives up.
    async fn send(&mut self, to: &Peer, bytes: Vec<u8>) {
        let is_sent = match (to.transport, &self.streams) {
            (Transport::Udp, _) => {
                let to = of_family(self.is_ipv6, to.address);
                match self.socket.try_send_to(&bytes, to) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        self.socket.send_to(&bytes, to).await.is_ok()
                    }
                    sent => sent.is_ok(),
                }
            }
            (Transport::Tcp | Transport::Tls, Some(streams)) => streams.send(to, bytes),
            (Transport::Tcp | Transport::Tls, None) => false,
        };
        self.unsent_messages += u64::from(!is_sent);
    }

    pub(super) fn figures(&self, endpoint: Counters) -> Figures {
        let (connections, refused_connections, lost) = self.streams.as_ref().map_or((0, 0, 0), Streams::figures);
        Figures {
            endpoint,
            media: self.media.figures(),
            unsent_messages: self.unsent_messages + lost,
            connections,
            refused_connections,
            unasked_questions: self.unasked_questions,
            lost_records: self.lost_records,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};
    use std::time::Duration;

    use ivr_core::caller::{Caller, Caps, Level, LineParameters, Realm};
    use ivr_core::endpoint::Entry;
    use ivr_core::media::{MediaCommand, MediaEvent, Voices};
    use ivr_core::number::Number;
    use voice_prompts::Library;

    use super::*;
    use crate::media_driver::RtpSockets;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    /// Far longer than anything takes; only a test that fails waits for it.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Outlets with room for one question and one entry, and their other ends.
    struct Ends {
        outlets: Outlets,
        media_events: mpsc::Receiver<(CallKey, MediaEvent)>,
        questions: mpsc::Receiver<(CallKey, Question)>,
        records: mpsc::Receiver<Recorded>,
    }

    impl Ends {
        async fn new() -> Self {
            let voices = Voices::new(Library::embedded());
            let rtp = RtpSockets::drawn(LOOPBACK, 1).unwrap();
            let (media, media_events) = MediaDriver::start(rtp, voices, Clock).unwrap();
            let socket = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
            let ((ask, questions), (record, records)) = (mpsc::channel(1), mpsc::channel(1));
            let outlets = Outlets::new(socket, media, ask, record, Clock);
            Self { outlets, media_events, questions, records }
        }

        fn figures(&self) -> Figures {
            self.outlets.figures(Counters::default())
        }
    }

    fn ask(call: u64) -> Output {
        let number = Number::parse("+12025550143").unwrap();
        Output::Ask(
            CallKey(call),
            Question::Session(Caller {
                number,
                level: Level::L1,
                trunk: "carrier".into(),
                caps: Caps::default(),
                line: LineParameters::default(),
                realm: Realm::Service,
                passport: None,
            }),
        )
    }

    #[tokio::test]
    async fn datagrams_go_out_in_order_and_those_that_cannot_are_counted() {
        let mut ends = Ends::new().await;
        let peer = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
        let to = peer.local_addr().unwrap();
        let nowhere = (LOOPBACK, 0).into();
        let datagram = |to: SocketAddr, text: &str| Output::Message { to: to.into(), bytes: text.into() };
        let mut outbox = vec![datagram(to, "first"), datagram(nowhere, "lost"), datagram(to, "second")];
        assert!(ends.outlets.deliver(&mut outbox).await.is_empty() && outbox.is_empty());
        let mut buffer = [0; 16];
        for expected in ["first", "second"] {
            let length = tokio::time::timeout(PATIENCE, peer.recv(&mut buffer)).await.unwrap().unwrap();
            assert_eq!(&buffer[..length], expected.as_bytes());
        }
        assert_eq!(ends.figures().unsent_messages, 1);
    }

    #[tokio::test]
    async fn a_question_without_room_comes_back_and_later_there_is_room_again() {
        let mut ends = Ends::new().await;
        assert_eq!(ends.outlets.deliver(&mut vec![ask(1), ask(2), ask(3)]).await, [CallKey(2), CallKey(3)]);
        assert_eq!(ends.questions.recv().await.unwrap().0, CallKey(1));
        assert!(ends.outlets.deliver(&mut vec![ask(4)]).await.is_empty());
        assert_eq!(ends.questions.recv().await.unwrap().0, CallKey(4));
        assert_eq!(ends.figures().unasked_questions, 2);
    }

    #[tokio::test]
    async fn entries_bear_the_time_and_those_without_room_are_counted() {
        let mut ends = Ends::new().await;
        let entry = |call| Output::Record(CallKey(call), Entry::Answered { setup: Duration::ZERO });
        let before = Clock.wall();
        assert!(ends.outlets.deliver(&mut vec![entry(1), entry(2)]).await.is_empty());
        let recorded = ends.records.recv().await.unwrap();
        assert_eq!(recorded.call, CallKey(1));
        assert!((before..=Clock.wall()).contains(&recorded.at));
        assert_eq!(ends.figures().lost_records, 1);
        assert!(ends.records.try_recv().is_err());
    }

    #[tokio::test]
    async fn media_commands_reach_the_media_thread() {
        let mut ends = Ends::new().await;
        ends.outlets.deliver(&mut vec![Output::Media(CallKey(5), MediaCommand::Close)]).await;
        let told = tokio::time::timeout(PATIENCE, ends.media_events.recv()).await.unwrap();
        assert!(matches!(told, Some((CallKey(5), MediaEvent::Closed(_)))));
    }
}
