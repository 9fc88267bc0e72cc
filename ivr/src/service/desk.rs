//! The desk between calls and use cases: questions are answered, and what happens in calls is noted where it matters.

use std::collections::HashMap;
use std::sync::Arc;

use ivr_core::call::flow::Step;
use ivr_core::call::question::{Answer, Question, VerificationId};
use ivr_core::endpoint::Entry;
use ivr_core::media::CallKey;
use tokio::sync::{Semaphore, mpsc};

use crate::clock::Clock;
use crate::sip_driver::Recorded;
use crate::store::StoreError;
use crate::verify::Verify;

/// Questions that are being answered at a time: more than the database has connections gains nothing. The next waits in
/// the queue.
const ANSWERED_AT_ONCE: usize = 16;

/// This side of the channels of a [`Desk`](crate::sip_driver::Desk).
pub(super) struct Ends {
    pub(super) questions: mpsc::Receiver<(CallKey, Question)>,
    pub(super) answers: mpsc::Sender<(CallKey, Answer)>,
    pub(super) records: mpsc::Receiver<Recorded>,
}

/// Answers what calls ask, several at a time, until the telephone is gone.
pub(super) async fn answer(
    verify: Verify,
    mut questions: mpsc::Receiver<(CallKey, Question)>,
    answers: mpsc::Sender<(CallKey, Answer)>,
    clock: Clock,
) {
    let places = Arc::new(Semaphore::new(ANSWERED_AT_ONCE));
    while let Some((call, question)) = questions.recv().await {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (verify, answers) = (verify.clone(), answers.clone());
        tokio::spawn(async move {
            let answer = verify.answer(question, clock.wall()).await;
            // The call may have ended meanwhile, and the telephone with it.
            let _gone = answers.send((call, answer)).await;
            drop(place);
        });
    }
}

/// Notes what happens in calls, in its order, until the telephone is gone.
pub(super) async fn note(verify: Verify, mut records: mpsc::Receiver<Recorded>) {
    let mut pages = Pages::default();
    while let Some(recorded) = records.recv().await {
        if let Err(error) = pages.note(&recorded, &verify).await {
            tracing::warn!(call = recorded.call.0, %error, "a page does not learn what its call did: {error}");
        }
    }
}

/// Which page follows which call: only one whose code was keyed in. An entry lives as long as its call, so there are no
/// more than calls.
#[derive(Debug, Default)]
struct Pages(HashMap<CallKey, VerificationId>);

impl Pages {
    async fn note(&mut self, Recorded { call, at, entry }: &Recorded, verify: &Verify) -> Result<(), StoreError> {
        match entry {
            Entry::Step(step) => {
                if let Step::CodeMatched(verification) = step {
                    self.0.insert(*call, *verification);
                }
                match self.0.get(call) {
                    Some(verification) => verify.note_step(*verification, *step, *at).await,
                    None => Ok(()),
                }
            }
            Entry::Refused { reason, claimed: Some(number), .. } => verify.note_refusal(number, reason, *at).await,
            Entry::Over { .. } => {
                self.0.remove(call);
                Ok(())
            }
            Entry::Refused { claimed: None, .. }
            | Entry::Began { .. }
            | Entry::Message { .. }
            | Entry::Answered { .. }
            | Entry::KeyPressed
            | Entry::Quality(_) => Ok(()),
        }
    }
}
