//! The desk between calls and use cases: what calls ask is answered.

use std::sync::Arc;

use ivr_core::call::question::{Answer, Question};
use ivr_core::media::CallKey;
use tokio::sync::{Semaphore, mpsc};

use crate::clock::Clock;
use crate::sip_driver::Recorded;
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
