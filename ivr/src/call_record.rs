//! The call records: what the telephone says of its calls becomes rows, and the page whose code was keyed in hears of
//! the steps. Lines are gathered and written in bursts, one transaction each, away from the calls: a slow database makes
//! records late, then incomplete, and never a call.

mod burst;
mod live;
mod names;
mod pages;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ivr_core::caller::{Caps, Level, Realm};
use ivr_core::endpoint::Entry;
use ivr_core::number::Number;
use time::OffsetDateTime;
use tokio::sync::mpsc;

use self::burst::Burst;
use self::live::Live;
pub use self::pages::Pages;
use crate::clock::Clock;
use crate::sip_driver::Recorded;
use crate::store::calls::{self, Call, CallFilter, CallId, Change, Event, Which};
use crate::store::purging::piecemeal;
use crate::store::{Store, StoreError, audit};
use crate::verify::{Refused, Verify};

/// Lines that one transaction takes.
const BURST: usize = 4_096;
/// How long lines are gathered for a transaction. The fuller it is, the less a line costs; a record is as much later.
const GATHER: Duration = Duration::from_millis(100);
/// How often what arrives is looked at meanwhile: a page hears of a step so much later at most. To be woken for each of
/// 30,000 lines a second would cost more than to write them.
const LOOK: Duration = Duration::from_millis(5);
/// What a busy database does not take is tried so often, with [`PAUSE`] between; then it is dropped and counted.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(300);
/// How long refused attempts are kept and where the others came from, and the SIP messages of any call.
const REFUSED_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const MESSAGES_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long any call is kept: as evidence of what it issued, a year longer than a certificate lives.
const CALLS_LIFE: Duration = Duration::from_secs((30 + 365) * 24 * 60 * 60);

/// The use case: calls are recorded, and operators read of them. Clones share the database.
#[derive(Debug, Clone)]
pub struct CallRecord {
    store: Store,
    /// Which node's calls are written.
    node: String,
    clock: Clock,
    figures: Arc<Figures>,
}

/// What became of the lines, since the start.
#[derive(Debug, Default)]
pub struct Figures {
    /// Lines that the database did not take.
    pub lost: AtomicU64,
    /// How often a busy database was tried again.
    pub retried: AtomicU64,
}

/// A call with everything that happened in it.
#[derive(Debug)]
pub struct Story {
    /// The call.
    pub call: Call,
    /// Its lines, oldest first.
    pub events: Vec<Event>,
}

impl CallRecord {
    /// The records of a node, which no other node is called.
    pub fn new(store: Store, node: String, clock: Clock) -> Self {
        Self { store, node, clock, figures: Arc::default() }
    }

    /// What became of the lines, for `/metrics`.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// Writes what arrives, until the telephone is gone. First closes what an earlier run of this node left open.
    pub async fn run(self, pages: impl Into<Pages>, mut records: mpsc::Receiver<Recorded>) {
        let pages = pages.into();
        let mut tries = TRIES;
        match self.patiently(&mut tries, || self.close_lost()).await {
            Ok(0) => {}
            Ok(lost) => tracing::warn!(lost, "{lost} calls were on the line when the service ended"),
            Err(error) => tracing::warn!(%error, "calls of an earlier run stay open in the records: {error}"),
        }
        let mut live = Live::default();
        while let Some(first) = records.recv().await {
            // Of one burst, so that a dead database does not hold up each of its lines.
            let mut tries = TRIES;
            let burst = self.gather(first, &mut records, &mut live, (&pages, &mut tries)).await;
            self.write_burst(burst.into_changes()).await;
        }
    }

    /// What arrives from this line on, for a while: until there is enough, or nothing comes any more.
    async fn gather(
        &self,
        first: Recorded,
        records: &mut mpsc::Receiver<Recorded>,
        live: &mut Live,
        (pages, tries): (&Pages, &mut u32),
    ) -> Burst {
        let (mut burst, mut next, mut taken) = (Burst::default(), Some(first), 0);
        let (mut told, mut fruitless) = (Vec::new(), Vec::new());
        let due = self.clock.now() + GATHER;
        loop {
            let mut refused = Vec::new();
            while let Some(recorded) = next.take() {
                live.begin(&recorded, self.clock);
                self.tell_page(live, &recorded, pages, tries).await;
                told.extend(live.told(&recorded));
                fruitless.extend(live.fruitless(&recorded));
                if let Entry::Refused { reason, claimed: Some(number), .. } = &recorded.entry {
                    match (live.realm(recorded.call), &pages.sandbox) {
                        (Some(Realm::Service), _) => {
                            refused.push(Refused { number: number.clone(), reason: *reason, at: recorded.at });
                        }
                        (Some(Realm::Sandbox), Some(sandbox)) => sandbox.note_refused(number, *reason, recorded.at),
                        (Some(Realm::Sandbox) | None, _) => {}
                    }
                }
                if let Some(placed) = live.place(recorded) {
                    burst.add(placed);
                }
                taken += 1;
                if taken < BURST {
                    next = records.try_recv().ok();
                }
            }
            if let Err(error) = pages.verify.note_refusals(&refused).await {
                tracing::warn!(%error, "pages do not learn of refused calls: {error}");
            }
            if taken == BURST || records.is_closed() || self.clock.now() >= due {
                // First, because a call takes no turn that was told before those of the day were used up.
                self.count_told(&told, &pages.verify, tries).await;
                self.count_fruitless(&fruitless, &pages.verify, tries).await;
                return burst;
            }
            tokio::time::sleep(LOOK).await;
            next = records.try_recv().ok();
        }
    }

    /// A page of calls, newest first.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn list(&self, filter: &CallFilter) -> Result<Vec<Call>, StoreError> {
        calls::list(filter, self.store.columns(), &mut *self.store.read().await?).await
    }

    /// One call.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn story(&self, id: CallId) -> Result<Option<Story>, StoreError> {
        let mut reader = self.store.read().await?;
        let Some(call) = calls::find(id, &mut reader).await? else { return Ok(None) };
        let events = calls::events(id, self.store.columns(), &mut reader).await?;
        Ok(Some(Story { call, events }))
    }

    /// What held down the call that a certificate rests on; nothing for a mailbox's, or once the call is forgotten.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn caps_of_certificate(&self, serial: &str) -> Result<Caps, StoreError> {
        let mut reader = self.store.read().await?;
        match calls::verification_of(serial, &mut reader).await? {
            Some(verification) => calls::caps_of(verification, &mut reader).await,
            None => Ok(Caps::default()),
        }
    }

    /// The whole number of a call. Who looked at it, and why, stands in the audit from now on.
    ///
    /// # Errors
    /// If the database does not answer: then nothing is shown either.
    pub async fn reveal(
        &self,
        id: CallId,
        operator: &str,
        why: &str,
        now: OffsetDateTime,
    ) -> Result<Option<Number>, StoreError> {
        let mut writer = self.store.begin().await?;
        let number = calls::number(id, self.store.columns(), &mut writer).await?;
        if number.is_some() {
            let subject = format!("call {id}: {why}");
            audit::add((operator, "reveal", &subject), now, self.store.columns(), &mut writer).await?;
        }
        writer.commit().await?;
        Ok(number)
    }

    /// Forgets what its time is over for.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn purge(&self, now: OffsetDateTime) -> Result<(), StoreError> {
        piecemeal(|| self.forget_calls(Which::Refused, now - REFUSED_LIFE)).await?;
        piecemeal(|| self.forget_calls(Which::Any, now - CALLS_LIFE)).await?;
        self.store.purge(&[calls::old_messages(now - MESSAGES_LIFE)]).await?;
        piecemeal(|| self.forget_messages(now)).await?;
        piecemeal(|| self.forget_sources(now)).await?;
        Ok(())
    }

    async fn forget_calls(&self, which: Which, before: OffsetDateTime) -> Result<u64, StoreError> {
        let over = calls::over(which, before, &mut *self.store.read().await?).await?;
        if over.is_empty() {
            return Ok(0);
        }
        let mut writer = self.store.begin().await?;
        let forgotten = calls::forget(&over, &mut writer).await?;
        writer.commit().await?;
        Ok(forgotten)
    }

    async fn forget_messages(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        let mut writer = self.store.begin().await?;
        let forgotten = calls::forget_messages(now - MESSAGES_LIFE, &mut writer).await?;
        writer.commit().await?;
        Ok(forgotten)
    }

    async fn forget_sources(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        let mut writer = self.store.begin().await?;
        let forgotten = calls::forget_sources(now - REFUSED_LIFE, &mut writer).await?;
        writer.commit().await?;
        Ok(forgotten)
    }

    async fn close_lost(&self) -> Result<u64, StoreError> {
        let mut writer = self.store.begin().await?;
        let lost = calls::close_lost(&self.node, &mut writer).await?;
        writer.commit().await?;
        Ok(lost)
    }

    /// Pages hear only of the call that keyed in their code.
    async fn tell_page(
        &self,
        live: &mut Live,
        Recorded { call, at, entry }: &Recorded,
        pages: &Pages,
        tries: &mut u32,
    ) {
        let Entry::Step(step) = entry else { return };
        let Some(page) = live.realm(*call).zip(live.page(*call, step)) else { return };
        // Of a step that gets lost, the page would wait in vain.
        if let Err(error) = self.patiently(tries, || pages.note_step(page, *step, *at)).await {
            tracing::warn!(call = call.0, %error, "a page does not learn what its call did: {error}");
        }
    }

    async fn count_told(&self, calls: &[(Number, Level)], verify: &Verify, tries: &mut u32) {
        let now = self.clock.wall();
        if let Err(error) = self.patiently(tries, || verify.note_told(calls, now)).await {
            tracing::warn!(calls = calls.len(), %error, "the turns of {} told calls are not taken: {error}", calls.len());
        }
    }

    async fn count_fruitless(&self, calls: &[Number], verify: &Verify, tries: &mut u32) {
        let now = self.clock.wall();
        if let Err(error) = self.patiently(tries, || verify.note_fruitless(calls, now)).await {
            tracing::warn!(calls = calls.len(), %error, "{} fruitless calls are not counted: {error}", calls.len());
        }
    }

    /// Everything in one transaction; or, if the database refuses it, each half in its own, and so on, so that a line which
    /// cannot be stored takes no other call's with it.
    async fn write_burst(&self, changes: Vec<Change>) {
        let mut tries = TRIES;
        let mut parts = vec![&changes[..]];
        while let Some(part) = parts.pop() {
            match self.patiently(&mut tries, || self.write(part)).await {
                Ok(()) => {}
                Err(StoreError::Failed(_)) if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(error) => self.lose(part.iter().map(|change| change.entries).sum(), &error),
            }
        }
    }

    fn lose(&self, lines: usize, error: &StoreError) {
        self.figures.lost.fetch_add(lines as u64, Ordering::Relaxed);
        tracing::error!(lines, %error, "{lines} lines of call records are lost: {error}");
    }

    /// Again while the database is busy, as long as there are tries.
    async fn patiently<T, F: Future<Output = Result<T, StoreError>>>(
        &self,
        tries: &mut u32,
        mut work: impl FnMut() -> F,
    ) -> Result<T, StoreError> {
        loop {
            match work().await {
                Err(StoreError::Busy) if *tries > 1 => {
                    *tries -= 1;
                    self.figures.retried.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }

    async fn write(&self, changes: &[Change]) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut writer = self.store.begin().await?;
        calls::write(changes, &self.node, self.store.columns(), &mut writer).await?;
        writer.commit().await
    }
}

#[cfg(test)]
mod tests;
