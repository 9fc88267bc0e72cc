//! What calls say to the endpoint. The media thread waits for nobody, so what finds the channel full waits here.

use std::collections::VecDeque;
use std::sync::Arc;

use ivr_core::media::{CallKey, MediaEvent};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::Counters;

/// The channel, and what has found it full.
#[derive(Debug)]
pub(super) struct Tidings {
    events: mpsc::Sender<(CallKey, MediaEvent)>,
    /// Keys never wait here. Of a call that hears nothing from the endpoint, there is an end of its utterance, a silence
    /// and a farewell at most.
    untold: VecDeque<(CallKey, MediaEvent)>,
    counters: Arc<Counters>,
}

impl Tidings {
    pub(super) fn new(events: mpsc::Sender<(CallKey, MediaEvent)>, counters: Arc<Counters>) -> Self {
        Self { events, untold: VecDeque::new(), counters }
    }

    pub(super) fn tell(&mut self, key: CallKey, event: MediaEvent) {
        let refused = if self.untold.is_empty() {
            self.events.try_send((key, event))
        } else {
            Err(TrySendError::Full((key, event)))
        };
        match refused {
            Err(TrySendError::Full((_, MediaEvent::Key(..)))) => Counters::add(&self.counters.unheard_keys, 1),
            Err(TrySendError::Full(event)) => self.untold.push_back(event),
            // Nobody is there any more, or it was told.
            Err(TrySendError::Closed(_)) | Ok(()) => {}
        }
    }

    /// Tells what has waited, as far as there is room.
    pub(super) fn tell_again(&mut self) {
        while let Some(event) = self.untold.pop_front() {
            if let Err(TrySendError::Full(event)) = self.events.try_send(event) {
                return self.untold.push_front(event);
            }
        }
    }

    /// Was everything told?
    pub(super) fn are_told(&self) -> bool {
        self.untold.is_empty()
    }
}
