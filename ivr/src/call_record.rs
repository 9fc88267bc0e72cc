//! The call records: what the telephone says of its calls becomes rows, and the page whose code was keyed in hears of
//! the steps. Lines are written in bursts, one transaction each, away from the calls: a slow database makes records
//! late, then incomplete, and never a call.

mod names;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ivr_core::call::flow::Step;
use ivr_core::call::question::VerificationId;
use ivr_core::endpoint::Entry;
use ivr_core::media::CallKey;
use ivr_core::number::Number;
use time::OffsetDateTime;
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::sip_driver::Recorded;
use crate::store::calls::{self, Call, CallFilter, CallId, Event};
use crate::store::{Conn, Store, StoreError, audit};
use crate::verify::{Verify, step_name};

/// Lines that one transaction takes.
const BURST: usize = 500;
/// Lines of a call that are kept. Who talks on and on adds none beyond; the figures at its end still count.
const LINES: i64 = 1_000;
/// More than there are calls at a time.
const REMEMBERED: usize = 20_000;
/// What a busy database does not take is tried so often, with [`PAUSE`] between; then it is dropped and counted.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(300);
/// How long refused attempts are kept, and the SIP messages of any call.
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
    pub async fn run(self, verify: Verify, mut records: mpsc::Receiver<Recorded>) {
        let mut tries = TRIES;
        match self.patiently(&mut tries, || self.close_lost()).await {
            Ok(0) => {}
            Ok(lost) => tracing::warn!(lost, "{lost} calls were on the line when the service ended"),
            Err(error) => tracing::warn!(%error, "calls of an earlier run stay open in the records: {error}"),
        }
        let (mut live, mut burst) = (Live::default(), Vec::with_capacity(BURST));
        while records.recv_many(&mut burst, BURST).await > 0 {
            let mut rows = Vec::with_capacity(burst.len());
            // Of one burst, so that a dead database does not hold up each of its lines.
            let mut tries = TRIES;
            for recorded in burst.drain(..) {
                live.begin(&recorded, self.clock);
                self.tell_page(&mut live, &recorded, &verify, &mut tries).await;
                rows.extend(live.row(recorded));
            }
            self.write_burst(&rows).await;
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
        let mut writer = self.store.begin().await?;
        calls::purge((now - REFUSED_LIFE, now - CALLS_LIFE), now - MESSAGES_LIFE, &mut writer).await?;
        writer.commit().await
    }

    async fn close_lost(&self) -> Result<u64, StoreError> {
        let mut writer = self.store.begin().await?;
        let lost = calls::close_lost(&self.node, &mut writer).await?;
        writer.commit().await?;
        Ok(lost)
    }

    /// Pages hear only of the call that keyed in their code, and of refused calls that bore their number.
    async fn tell_page(
        &self,
        live: &mut Live,
        Recorded { call, at, entry }: &Recorded,
        verify: &Verify,
        tries: &mut u32,
    ) {
        let told = match entry {
            Entry::Step(step) => {
                let Some(page) = live.page(*call, step) else { return };
                // Of a step that gets lost, the page would wait in vain.
                self.patiently(tries, || verify.note_step(page, *step, *at)).await
            }
            Entry::Refused { reason, claimed: Some(number), .. } => verify.note_refusal(number, reason, *at).await,
            _ => return,
        };
        if let Err(error) = told {
            tracing::warn!(call = call.0, %error, "a page does not learn what its call did: {error}");
        }
    }

    /// Everything in one transaction; or, if the database refuses it, each call's lines in their own, so that a line
    /// which cannot be stored takes no other call's with it.
    async fn write_burst(&self, rows: &[Line]) {
        let (all, mut tries) = (Vec::from_iter(rows), TRIES);
        match self.patiently(&mut tries, || self.write(&all)).await {
            Ok(()) => {}
            Err(StoreError::Failed(_)) if all.iter().any(|line| line.id != all[0].id) => {
                let mut calls: Vec<Vec<&Line>> = Vec::new();
                for line in all {
                    match calls.iter_mut().find(|lines| lines[0].id == line.id) {
                        Some(lines) => lines.push(line),
                        None => calls.push(vec![line]),
                    }
                }
                for lines in calls {
                    if let Err(error) = self.write(&lines).await {
                        self.lose(lines.len(), &error);
                    }
                }
            }
            Err(error) => self.lose(all.len(), &error),
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

    async fn write(&self, lines: &[&Line]) -> Result<(), StoreError> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut writer = self.store.begin().await?;
        for line in lines {
            self.write_one(line, &mut writer).await?;
        }
        writer.commit().await
    }

    async fn write_one(&self, Line { id, number, at, entry }: &Line, conn: &mut Conn) -> Result<(), StoreError> {
        let (id, columns) = (*id, self.store.columns());
        match entry {
            Entry::Began { sip_call_id, trunk, source, caller } => {
                let (source, sip_call_id) = (source.to_string(), names::stored(sip_call_id));
                let new = calls::New {
                    id,
                    node: &self.node,
                    sip_call_id: &sip_call_id,
                    began_at: *at,
                    trunk: trunk.as_deref(),
                    source: &source,
                };
                calls::insert(&new, conn).await?;
                if let Some(caller) = caller {
                    calls::set_number(id, &caller.number, Some(caller.level), columns, conn).await?;
                }
            }
            Entry::Answered { setup } => calls::set_answered(id, *setup, conn).await?,
            Entry::Step(Step::CodeMatched(verification)) => calls::set_verification(id, *verification, conn).await?,
            Entry::Step(Step::Ended(ending)) => calls::set_outcome(id, names::ending(*ending), conn).await?,
            Entry::Refused { status, reason, claimed } => {
                calls::set_refused(id, *status, reason, conn).await?;
                if let Some(number) = claimed {
                    calls::set_number(id, number, None, columns, conn).await?;
                }
            }
            Entry::Quality(quality) => calls::set_quality(id, quality, conn).await?,
            Entry::Over { duration } => calls::set_over(id, *duration, conn).await?,
            Entry::Message { .. } | Entry::Step(_) | Entry::KeyPressed => {}
        }
        match number.and_then(|number| event(number, *at, entry)) {
            Some(event) => calls::add_event(id, &event, columns, conn).await,
            None => Ok(()),
        }
    }
}

/// A line on its way to the database.
struct Line {
    id: CallId,
    /// Its place among the call's lines; `None` if the call has enough of them.
    number: Option<i64>,
    at: OffsetDateTime,
    entry: Entry,
}

/// What is remembered of the calls on the line, from their first line to their last: at most [`REMEMBERED`], because a
/// call's last line may have been dropped under load. Beyond, the oldest is forgotten and its later lines with it.
#[derive(Debug, Default)]
struct Live(BTreeMap<CallKey, Remembered>);

#[derive(Debug)]
struct Remembered {
    id: CallId,
    lines: i64,
    /// The page that follows this call, since its code was keyed in.
    page: Option<VerificationId>,
}

impl Live {
    fn begin(&mut self, Recorded { call, entry, .. }: &Recorded, clock: Clock) {
        if matches!(entry, Entry::Began { .. }) {
            self.0.insert(*call, Remembered { id: CallId(clock.bytes()), lines: 0, page: None });
            if self.0.len() > REMEMBERED {
                self.0.pop_first();
            }
        }
    }

    /// Where a line goes. A call whose beginning was dropped under load has no row to add to.
    fn row(&mut self, Recorded { call, at, entry }: Recorded) -> Option<Line> {
        let remembered = self.0.get_mut(&call)?;
        let id = remembered.id;
        let number = (remembered.lines < LINES).then(|| {
            remembered.lines += 1;
            remembered.lines
        });
        if matches!(entry, Entry::Refused { .. } | Entry::Over { .. }) {
            self.0.remove(&call);
        }
        Some(Line { id, number, at, entry })
    }

    /// The page that hears of a call's step: the one whose code was keyed in. A page follows one call, the one that keyed
    /// the code in last: the end of an earlier call must not end the one that goes on.
    fn page(&mut self, call: CallKey, step: &Step) -> Option<VerificationId> {
        if let Step::CodeMatched(page) = step {
            let earlier = self.0.values_mut().filter(|remembered| remembered.page == Some(*page));
            earlier.for_each(|remembered| remembered.page = None);
            self.0.get_mut(&call)?.page = Some(*page);
        }
        self.0.get(&call)?.page
    }
}

/// The line that an entry adds.
fn event(number: i64, at: OffsetDateTime, entry: &Entry) -> Option<Event> {
    let (kind, what) = match entry {
        Entry::Message { sent: true, .. } => ("sent", None),
        Entry::Message { sent: false, .. } => ("received", None),
        Entry::Answered { .. } => ("answered", None),
        Entry::Step(Step::Ended(ending)) => ("step", Some(format!("ended: {}", names::ending(*ending)))),
        Entry::Step(step) => ("step", Some(step_name(step).to_owned())),
        Entry::KeyPressed => ("key", None),
        Entry::Refused { reason, .. } => ("refused", Some((*reason).to_owned())),
        Entry::Over { .. } => ("over", None),
        Entry::Began { .. } | Entry::Quality(_) => return None,
    };
    let message = match entry {
        Entry::Message { summary, .. } => Some(summary.clone()),
        _ => None,
    };
    Some(Event { number, at, kind: kind.to_owned(), what, message })
}

#[cfg(test)]
mod tests;
