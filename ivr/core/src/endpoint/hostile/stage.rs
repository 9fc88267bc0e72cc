//! An endpoint that anything may be done to: what must hold after each thing is checked here.

use std::collections::HashMap;
use std::time::Duration;

use super::super::testing::{Caller, config};
use super::super::*;
use crate::caller::{Pace, Passports};
use crate::media::{MediaCommand, MediaPlan};

/// An endpoint under test, and what it has promised so far.
pub(super) struct Stage {
    pub(super) endpoint: Endpoint,
    now: Instant,
    pub(super) callers: Vec<Caller>,
    /// What was recorded of each call.
    pub(super) calls: HashMap<CallKey, Story>,
}

/// What was seen of a call.
#[derive(Debug, Default)]
pub(super) struct Story {
    began: bool,
    media_open: bool,
    listened: bool,
    ended: bool,
}

impl Stage {
    pub(super) fn new(limits: Limits) -> Self {
        Self::with(limits, Pace::default())
    }

    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
    pub(super) fn with(limits: Limits, pace: Pace) -> Self {
        let mut config = EndpointConfig { limits, ..config() };
        config.policy.trunks[0].pace = pace;
        config.policy.trunks[0].identity_passthrough = true;
        config.passports = Passports::Verified;
        let callers = ["a", "b", "c"].map(Caller::new).into();
        Self { endpoint: Endpoint::new(config, [3; 32]), now: Instant::now(), callers, calls: HashMap::new() }
    }

    /// Hands in one thing and checks what must hold after anything. Returns how many datagrams went out.
    pub(super) fn handle(&mut self, input: Input<'_>) -> usize {
        let mut out = Outbox::new();
        self.endpoint.handle(input, self.now, &mut out);
        let most = 64 + 16 * (self.endpoint.live_calls() + self.calls.len());
        assert!(out.len() <= most, "{} outputs for one input", out.len());
        assert!(self.endpoint.live_calls() == 0 || self.endpoint.deadline().is_some(), "a call waits for nothing");
        assert!(self.endpoint.live_calls() <= self.endpoint.config.limits.calls);
        assert_eq!(self.endpoint.by_tag.len(), self.endpoint.live_calls());
        let datagrams = out.iter().filter(|output| matches!(output, Output::Message { .. })).count();
        out.into_iter().for_each(|output| self.see(output));
        datagrams
    }

    fn see(&mut self, output: Output) {
        match output {
            Output::Message { bytes, .. } => {
                assert!(bytes.len() < 65_536);
                self.callers.iter_mut().for_each(|caller| caller.hear(&bytes));
            }
            Output::Farewell { .. } => {}
            Output::Ask(key, _) => assert!(!self.calls[&key].ended),
            Output::Locate(..) | Output::Link(..) | Output::Probed(..) => panic!("there are no links or probes here"),
            Output::Media(key, command) => {
                let story = self.calls.get_mut(&key).unwrap();
                assert!(!story.ended, "media after the end: {command:?}");
                match command {
                    MediaCommand::Open { plan: MediaPlan { remote, .. }, .. } => {
                        assert!(!story.media_open && remote.port() != 0);
                        story.media_open = true;
                    }
                    MediaCommand::Listen => {
                        assert!(story.media_open && !story.listened);
                        story.listened = true;
                    }
                    MediaCommand::Say { .. } | MediaCommand::Hush => assert!(story.listened, "spoken before the ACK"),
                    MediaCommand::Change(_) | MediaCommand::Speak(_) => assert!(story.media_open),
                    MediaCommand::Close => {
                        assert!(story.media_open);
                        story.media_open = false;
                    }
                }
            }
            Output::Record(key, entry) => {
                let story = self.calls.entry(key).or_default();
                assert!(!story.ended, "recorded after the end: {entry:?}");
                match entry {
                    Entry::Began { .. } => assert!(!std::mem::replace(&mut story.began, true)),
                    Entry::Refused { .. } | Entry::Over { .. } => {
                        assert!(!story.media_open);
                        story.ended = true;
                    }
                    Entry::KeyPressed { .. } => assert!(story.listened),
                    _ => assert!(story.began),
                }
            }
        }
    }

    /// A caller sends a message.
    pub(super) fn say(&mut self, caller: usize, what: &str, changes: &[&str]) {
        let (from, bytes) = self.callers[caller].message(what, changes);
        self.handle(Input::Message { from, bytes: &bytes });
    }

    /// One of the live calls, or one that does not exist.
    pub(super) fn key(&self, which: usize) -> CallKey {
        let mut keys: Vec<CallKey> = self.endpoint.calls.keys().copied().collect();
        keys.sort_unstable();
        keys.get(which % keys.len().max(1)).copied().unwrap_or(CallKey(u64::MAX))
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(due) = self.endpoint.deadline().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.handle(Input::Timeout);
            assert!(self.endpoint.deadline().is_none_or(|next| next > due), "it would spin");
        }
        self.now = until;
    }

    /// However the calls stand, they all end, and nothing is left of them.
    pub(super) fn drain(&mut self) {
        self.pass(Duration::from_secs(600));
        assert_eq!(self.endpoint.live_calls(), 0);
        assert_eq!(self.endpoint.deadline(), None, "a transaction stays for ever");
        assert_eq!(self.endpoint.counters().unacknowledged, 0);
        assert!(self.endpoint.tallies.iter().all(|tally| tally.calls == 0));
        assert!(self.endpoint.lines.is_empty());
        assert!(self.endpoint.waiting.is_empty());
        assert!(self.calls.values().all(|story| story.began && story.ended), "{:?}", self.calls);
        self.now += ports::LONG_REST;
        let (ports, chance) = (&mut self.endpoint.ports, &mut self.endpoint.chance);
        let free = std::iter::from_fn(|| ports.draw(chance, self.now)).count();
        assert_eq!(free, self.endpoint.config.rtp_ports.len(), "a port was lost or came back twice");
    }
}
