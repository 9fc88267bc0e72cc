//! Prints what number look-up and call record cost a short call, and how long a lone question takes, over SQLite on disk.
//! Linux tells each thread's CPU time (`schedstat`); the thread that plays the telephone is not counted. For the figures of
//! a service on one core: `taskset -c 1 cargo run --release -p ivr --example record_speed -- [CALLS] [RATE] [STORED]`
//!
//! CALLS (default 20,000) come at RATE (2,500) a second; STORED (1,000) verifications of other numbers lie in the rows.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use ca::{Authority, InitOptions, KeyCost, Urls};
use dht_client::backend::memory::Memory;
use dht_client::{Backend, HashCost, Hasher, Several};
use ivr::bell::Bell;
use ivr::call_record::CallRecord;
use ivr::clock::Clock;
use ivr::issue::{Issue, IssueParts};
use ivr::key_file::KeyFile;
use ivr::publish::{Publisher, PublisherParts};
use ivr::service::desk::{self, Answerers};
use ivr::sip_driver::Recorded;
use ivr::store::Store;
use ivr::verify::{Expected, Limits, Start, StartedBy, Verify, VerifyParts};
use ivr_core::call::flow::{Ending, Step};
use ivr_core::call::question::{Answer, Question};
use ivr_core::caller::{Caller, Caps, Dialled, Level, LineParameters, Passports, Policy, Realm, TrunkProfile};
use ivr_core::endpoint::Entry;
use ivr_core::media::{CallKey, Quality, Voices};
use ivr_core::number::{KindPolicy, Number};
use ivr_core::private::Private;
use sqlx::{AnyConnection, Connection, Executor};
use tokio::sync::mpsc;
use voice_prompts::Library;

/// Callers that have a session each: a call is from the next of them.
const CALLERS: usize = 500;
/// Questions that come alone, and the time between two.
const LONE: usize = 300;
const BETWEEN: Duration = Duration::from_millis(20);
/// The telephone of the measurement looks at its clock so often.
const TICK: Duration = Duration::from_millis(1);

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut next = |usual| arguments.next().unwrap_or(Ok(usual));
    let (calls, rate, stored) = (next(20_000)?, next(2_500)?, next(1_000)?);
    let folder = tempfile::tempdir_in(".")?;
    let service = tokio::runtime::Runtime::new()?;
    let place = service.block_on(Place::found(folder.path(), stored))?;

    let (ask, questions) = mpsc::channel(desk::QUESTIONS);
    let (answers, answered) = mpsc::channel(desk::ANSWERS);
    let (record, records) = mpsc::channel(desk::RECORDS);
    let answerers = Answerers { verify: place.verify.clone(), passports: None, sandbox: None };
    service.spawn(desk::answer(answerers, Voices::new(Library::embedded()), questions, answers, Clock));
    let writing = service.spawn(place.record.clone().run(place.verify.clone(), records));
    let mut phone = Phone { callers: place.callers, ask, answered, record, is_recorded: false, dropped: 0 };
    let here = tokio::runtime::Builder::new_current_thread().enable_time().build()?;

    here.block_on(phone.ask_alone(10))?;
    let mut lone = here.block_on(phone.ask_alone(LONE))?;
    lone.sort();
    let [p50, p99] = [50, 99].map(|part| lone[(lone.len() - 1) * part / 100].as_micros());
    println!("a lone question of {stored}: p50 {p50} µs, p99 {p99} µs");

    let before = cpu_by_thread()?;
    here.block_on(phone.call(calls, rate))?;
    show("look-up", calls, &before, &cpu_by_thread()?);

    phone.is_recorded = true;
    let before = cpu_by_thread()?;
    let began = Clock.now();
    here.block_on(phone.call(calls, rate))?;
    let took = Clock.now() - began;
    let Phone { record, dropped, ask, .. } = phone;
    drop((record, ask));
    service.block_on(writing)?;
    let late = Clock.now() - began - took;
    let figures = place.record.figures();
    println!("{calls} calls in {took:.2?}, recorded {late:.2?} later; {dropped} entries had no room, {figures:?}");
    show("look-up and record", calls, &before, &cpu_by_thread()?);
    Ok(())
}

fn show(what: &str, calls: usize, before: &BTreeMap<String, Duration>, after: &BTreeMap<String, Duration>) {
    let each = |used: Duration| used.as_secs_f64() * 1e6 / calls as f64;
    let used = |thread| after[thread].saturating_sub(before.get(thread).copied().unwrap_or_default());
    println!("{what}: {:.1} µs CPU a call", each(after.keys().map(used).sum()));
    for thread in after.keys() {
        println!("  {thread}: {:.1}", each(used(thread)));
    }
}

/// The use cases over a database.
struct Place {
    verify: Verify,
    record: CallRecord,
    callers: Vec<Caller>,
}

impl Place {
    async fn found(folder: &Path, stored: usize) -> Result<Self> {
        let keys = Arc::new(KeyFile::generate(|| Clock.bytes()));
        let url = format!("sqlite:{}", folder.join("rows.db").display());
        let store = Store::open(&url, keys).await?;
        store_others(&url, stored).await?;
        let verify = verify(&store)?;
        let mut callers = Vec::new();
        for n in 0..CALLERS {
            let number = Number::parse(&format!("+1202555{n:04}"))?;
            let [.., a, b] = u32::try_from(n)?.to_be_bytes();
            let source = IpAddr::V4(Ipv4Addr::new(198, a, b, 1));
            let start = Start {
                number: number.clone(),
                csr: None,
                location: None,
                webhook: None,
                started_by: StartedBy::Page,
                publish: false,
                locale: "en".into(),
                source,
            };
            verify.start(start, Clock.wall()).await?;
            callers.push(Caller {
                number,
                level: Level::L2,
                trunk: "carrier".into(),
                caps: Caps::default(),
                line: LineParameters::default(),
                realm: Realm::Service,
                passport: None,
            });
        }
        Ok(Self { verify, record: CallRecord::new(store, "node".into(), Clock), callers })
    }
}

/// Verifications of other numbers: a tenth of them wait, the others are over.
async fn store_others(url: &str, stored: usize) -> Result<()> {
    let mut conn = AnyConnection::connect(url).await?;
    let statement = format!(
        "INSERT INTO verifications (id, secret_sha256, number_hash, pepper_epoch, number_sealed, country, last4,
             source_tag, code_hash, code_sealed, publish, locale, state, created_at, expires_at, live_until,
             code_tries_left, read_backs_left, happenings)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {stored})
         SELECT randomblob(16), randomblob(32), randomblob(32), 1, randomblob(52), 'US', '0143', randomblob(32),
             randomblob(32), randomblob(46), 1, 'en', CASE WHEN i % 10 = 0 THEN 'waiting' ELSE 'expired' END,
             i, 9000000000000, 9000000000000, 6, 3, 0 FROM n"
    );
    conn.execute(sqlx::AssertSqlSafe(statement)).await?;
    Ok(conn.close().await?)
}

fn verify(store: &Store) -> Result<Verify> {
    let (bell, clock) = (Bell::default(), Clock);
    let options = InitOptions {
        name: "Example".into(),
        oid_arc: vec![1, 3, 6, 1, 4, 1, 32473],
        urls: Urls::under("http://ca.example.org"),
        strict_smime: false,
        now: clock.wall(),
        entropy: clock.bytes(),
        passphrase: "correct horse",
        cost: KeyCost::Throwaway,
    };
    let authority = Arc::new(Authority::open(&Authority::init(&options)?, options.passphrase)?);
    let publisher = Publisher::new(PublisherParts {
        store: store.clone(),
        authority: authority.clone(),
        networks: Several::new(vec![Backend::Memory(Memory::default())]).context("a network")?,
        hasher: Hasher::start()?,
        cost: HashCost::CHEAP,
        bell: bell.clone(),
        clock,
    });
    let issue = Issue::new(IssueParts {
        store: store.clone(),
        authority,
        publisher,
        crl_folder: None,
        key_change_hold: Duration::from_secs(3600),
        issue_from: Level::L2.into(),
        clock,
    });
    let (outcomes, _nobody) = mpsc::channel(1);
    let trunks = vec![TrunkProfile { numbers: vec![Number::parse("+12025550100")?], ..TrunkProfile::default() }];
    let policy = Policy { trunks, issue_from: Level::L2.into(), kinds: KindPolicy::default() };
    Ok(Verify::new(VerifyParts {
        store: store.clone(),
        issue,
        dialled: Dialled::of(&policy, Realm::Service, Passports::Ignored).context("a trunk has a number")?,
        code_life: Duration::from_secs(3600),
        kinds: KindPolicy::default(),
        test_numbers: Vec::new(),
        own_numbers: Vec::new(),
        fruitless_calls: i64::MAX,
        limits: Limits::default(),
        bell,
        expected: Expected::default(),
        outcomes,
        clock,
    }))
}

/// What the telephone says and asks.
struct Phone {
    callers: Vec<Caller>,
    ask: mpsc::Sender<(CallKey, Question)>,
    answered: mpsc::Receiver<(CallKey, Answer)>,
    record: mpsc::Sender<Recorded>,
    is_recorded: bool,
    dropped: u64,
}

impl Phone {
    fn question(&self, n: usize) -> Result<()> {
        let question = Question::Session(self.callers[n % CALLERS].clone());
        self.ask.try_send((CallKey(n as u64), question)).context("the desk is full")
    }

    /// How long each of so many questions took.
    async fn ask_alone(&mut self, questions: usize) -> Result<Vec<Duration>> {
        let mut took = Vec::new();
        for n in 0..questions {
            tokio::time::sleep(BETWEEN).await;
            let began = Clock.now();
            self.question(n)?;
            let (_, answer) = self.answered.recv().await.context("the desk is gone")?;
            took.push(Clock.now() - began);
            ensure!(answer == Answer::Expected, "{answer:?}");
        }
        Ok(took)
    }

    /// Short calls: INVITE, 200, ACK and BYE at once.
    async fn call(&mut self, calls: usize, rate: usize) -> Result<()> {
        let began = Clock.now();
        let (mut asked, mut over) = (0, 0);
        while over < calls {
            tokio::time::sleep(TICK).await;
            let due = (Clock.now() - began).as_secs_f64() * rate as f64;
            while asked < calls && (asked as f64) < due {
                self.record(asked, self.began(asked));
                self.record(asked, message(false, "INVITE sip:+12025550100@192.0.2.1:5060 SIP/2.0 (1)"));
                self.question(asked)?;
                asked += 1;
            }
            while let Ok((CallKey(call), answer)) = self.answered.try_recv() {
                ensure!(answer == Answer::Expected, "{answer:?}");
                self.rest(usize::try_from(call)?);
                over += 1;
            }
        }
        Ok(())
    }

    fn began(&self, call: usize) -> Entry {
        Entry::Began {
            sip_call_id: format!("{call:08x}-4711-42c0-8df1-bf9b05e7a1c3@192.0.2.7"),
            trunk: Some("carrier".to_owned()),
            realm: Realm::Service,
            source: ([192, 0, 2, 7], 5060).into(),
            caller: Some(self.callers[call % CALLERS].clone()),
        }
    }

    /// What the endpoint says of such a call after the answer.
    fn rest(&mut self, call: usize) {
        let quality = Quality { packets_sent: 1, ..Quality::default() };
        for entry in [
            message(true, "SIP/2.0 200 OK (1 INVITE)"),
            Entry::Answered { setup: Duration::from_micros(300) },
            message(false, "ACK sip:192.0.2.1:5060 SIP/2.0 (1)"),
            Entry::Step(Step::Warning),
            message(false, "BYE sip:192.0.2.1:5060 SIP/2.0 (2)"),
            message(true, "SIP/2.0 200 OK (2 BYE)"),
            Entry::Step(Step::Ended(Ending::HungUp)),
            Entry::Quality(quality),
            Entry::Over { duration: Duration::from_millis(2) },
        ] {
            self.record(call, entry);
        }
    }

    fn record(&mut self, call: usize, entry: Entry) {
        if !self.is_recorded {
            return;
        }
        let recorded = Recorded { call: CallKey(call as u64), at: Clock.wall(), entry };
        self.dropped += u64::from(self.record.try_send(recorded).is_err());
    }
}

fn message(sent: bool, summary: &str) -> Entry {
    Entry::Message { sent, summary: Private::new(summary.to_owned()) }
}

/// CPU time by the threads' names, without this thread.
fn cpu_by_thread() -> Result<BTreeMap<String, Duration>> {
    let mut found = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task")? {
        let path = task?.path();
        if path.file_name().and_then(|name| name.to_str()) == Some(&std::process::id().to_string()) {
            continue;
        }
        let name = std::fs::read_to_string(path.join("comm"))?;
        let stat = std::fs::read_to_string(path.join("schedstat"))?;
        let nanos = stat.split(' ').next().context("schedstat has three figures")?.parse()?;
        let name = name.trim().trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
        *found.entry(name.to_owned()).or_default() += Duration::from_nanos(nanos);
    }
    Ok(found)
}
