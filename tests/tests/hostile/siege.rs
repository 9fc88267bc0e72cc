//! A service under siege: two carriers, twenty people on the line, and what is measured of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use end_to_end::installation::{BELIEVED, Families, Installation, Wanted, own_ring};
use end_to_end::load::usage::{self, Usage};
use end_to_end::load::{self, DIALLED, cores};
use end_to_end::process::free_port;
use end_to_end::service::{Service, wait_until};
use ivr::clock::Clock;
use ivr::phone::load::{Load, Measured, Talk, percentile, run, sessions};
use ivr::phone::{CallPlan, Identity, Law, Scenario, Stage, call};
use ivr_core::number::Number;
use ivr_core::private::Private;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use voice_prompts::{Library, Vocabulary};

/// People on the line, both ways, while the attack goes on.
pub(crate) const HONEST: usize = 20;
/// Where their carrier sends from; so may an attacker who forges its address.
pub(crate) const CARRIER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Another carrier.
pub(crate) const OTHER_CARRIER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
/// Belongs to no carrier.
pub(crate) const NEIGHBOUR: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// Nor does this.
pub(crate) const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));

/// Of the honest callers' packets in the time of the attack, 99 of 100 come no farther from their time than this: half a
/// packet time, and less than the smallest usual jitter buffer (20 ms), so nobody hears anything of it. On two
/// cores that nobody else used it was between 0.2 and 4.1 ms; the rest is for machines where others share them.
const SPACING_P99: Duration = Duration::from_millis(10);
/// What the service may grow by. Its bounds (endpoint/config.rs, transaction.rs, sip_driver.rs, telephone.rs) add up to less
/// than 20 MiB of messages, records and calls; the allocator keeps some more.
const GROWTH_KIB: u64 = 48 * 1_024;

/// A moment by the wall clock, in nanoseconds, as the kernel stamps packets.
type Moment = i128;

/// The service, and those who call it.
pub(crate) struct Siege {
    pub(crate) service: Service,
    pub(crate) runtime: Runtime,
    /// Where it takes SIP over TLS.
    pub(crate) tls: SocketAddr,
    /// Where the audio of the honest callers goes.
    pub(crate) media: Vec<SocketAddr>,
    /// All ports at which the service takes audio.
    pub(crate) rtp_ports: RangeInclusive<u16>,
    honest: JoinHandle<anyhow::Result<Measured>>,
    numbers: Vec<Number>,
    before: Usage,
    metrics: BTreeMap<String, u64>,
    rows: Vec<(String, String)>,
    name: &'static str,
    installation: Installation,
    /// One siege at a time: each would be the other's load.
    _alone: MutexGuard<'static, ()>,
}

impl Siege {
    /// A service with room for so many calls, and the honest callers on the line for this long.
    pub(crate) fn begin(name: &'static str, max_calls: usize, length: Duration) -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let rtp_ports = free_range(max_calls);
        let tls = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let installation = found(folder, max_calls, &rtp_ports, tls);
        let service = installation.serve();
        let runtime = Runtime::new().expect("a runtime");
        let mut numbers = load::numbers(HONEST + 60).expect("numbers");
        let honest_numbers: Vec<Number> = numbers.drain(..HONEST).collect();
        runtime.block_on(sessions::begin(service.http(), &honest_numbers)).expect("sessions");
        let (honest, media) = talk(service.sip(), honest_numbers, length);
        let media = media.recv().expect("all honest callers are answered");
        let pid = service.id();
        usage::forget_peak(pid).expect("a process of ours");
        let before = Usage::of(pid).expect("a process of ours");
        let mut siege = Self {
            service,
            runtime,
            tls,
            media,
            rtp_ports,
            honest,
            numbers,
            before,
            metrics: BTreeMap::new(),
            rows: Vec::new(),
            name,
            installation,
            _alone: alone,
        };
        siege.metrics = siege.metrics();
        siege.row("machine", usage::machine().expect("the kernel says"));
        siege
    }

    /// Numbers that nobody has used yet; so many of them have a session, and their calls will be answered.
    pub(crate) fn numbers(&mut self, count: usize, expected: usize) -> Vec<Number> {
        let numbers: Vec<Number> = self.numbers.drain(..count).collect();
        let begun = sessions::begin(self.service.http(), &numbers[..expected]);
        self.runtime.block_on(begun).expect("sessions");
        numbers
    }

    /// A new honest call over the carrier at this address: hangs up as soon as the voice speaks. Gives the time from the
    /// INVITE to the 200, or the status that refused it.
    pub(crate) fn call_in(&mut self, who: &str, from: IpAddr) -> Result<Duration, Option<u16>> {
        let number = self.numbers(1, 1).remove(0);
        let plan = CallPlan {
            service: self.service.sip(),
            local: Some(from),
            dialled: DIALLED.to_owned(),
            uri_parameters: Vec::new(),
            identity: Identity::of(number.as_str()),
            laws: vec![Law::Mu],
            scenario: Scenario::HangUp(Stage::Warning),
            code: Private::new(String::new()),
            vocabulary: Vocabulary::of(&Library::embedded(), "en"),
            patience: Duration::from_secs(60),
        };
        let report = self.runtime.block_on(call(plan, |_| {})).expect("a call");
        // Whoever was answered has also heard the voice: only that made the caller hang up.
        let called = report.setup.filter(|_| report.packets_received > 0).ok_or(report.status);
        self.row(who, told(&called));
        called
    }

    /// How much this counter of `/metrics` has grown since the attack began.
    pub(crate) fn grown(&self, counter: &str) -> u64 {
        let name = format!("dialproof_{counter}_total");
        let value = |all: &BTreeMap<String, u64>| *all.get(&name).unwrap_or_else(|| panic!("{name} is not counted"));
        value(&self.metrics()) - value(&self.metrics)
    }

    /// The same, for the table.
    pub(crate) fn counted(&mut self, counters: &[&str]) {
        let grown = counters.iter().map(|counter| format!("{counter} {}", self.grown(counter)));
        let all = grown.collect::<Vec<_>>().join(", ");
        self.row("counted", all);
    }

    /// What this gauge of `/metrics` says now.
    pub(crate) fn gauge(&self, gauge: &str) -> u64 {
        let name = format!("dialproof_{gauge}");
        *self.metrics().get(&name).unwrap_or_else(|| panic!("{name} is not shown"))
    }

    /// Waits until a counter has not grown for longer than anything is repeated after (RFC 3261: T2, 4 s).
    pub(crate) fn wait_until_quiet(&self, counter: &str) {
        let (mut last, mut since) = (self.grown(counter), Clock.now());
        wait_until(&format!("{counter} rests"), || {
            let now = self.grown(counter);
            if now != last {
                (last, since) = (now, Clock.now());
            }
            Clock.now() - since > Duration::from_secs(5)
        });
    }

    /// Why calls were refused, and how often that was recorded.
    pub(crate) fn refusals_recorded(&mut self) -> i64 {
        let all = self.database(async |pool| {
            let sql = "SELECT reason, count(*) FROM calls WHERE outcome = 'refused' GROUP BY reason ORDER BY reason";
            sqlx::query_as::<_, (String, i64)>(sql).fetch_all(&pool).await
        });
        let told = all.iter().map(|(reason, count)| format!("{reason} {count}")).collect::<Vec<_>>().join(", ");
        self.row("refusals recorded", told);
        all.iter().map(|(_, count)| count).sum()
    }

    /// Keys in the records of all calls, once those are written: none of a call is after its end.
    pub(crate) fn keys_recorded(&self) -> i64 {
        let sql =
            "SELECT COALESCE(SUM(LENGTH(lines) - LENGTH(REPLACE(lines, '\"key\"', '\"ke\"'))), 0) FROM call_lines";
        self.database(async |pool| sqlx::query_scalar(sql).fetch_one(&pool).await)
    }

    /// What an observer sees in the rows.
    fn database<T>(&self, ask: impl AsyncFnOnce(SqlitePool) -> Result<T, sqlx::Error>) -> T {
        let options = SqliteConnectOptions::new().filename(self.installation.path("data/dialproof.db"));
        self.runtime.block_on(async {
            let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.expect("a database");
            ask(pool).await.expect("an answer")
        })
    }

    /// Waits until a gauge of `/metrics` has fallen to this.
    pub(crate) fn wait_for_gauge(&self, name: &str, value: u64) {
        wait_until(&format!("{name} is {value}"), || self.gauge(name) <= value);
    }

    /// A line of the table.
    pub(crate) fn row(&mut self, what: &str, value: impl Into<String>) {
        self.rows.push((what.to_owned(), value.into()));
    }

    /// The honest callers hang up when their time is over: holds what they measured in the time of the attack against the
    /// bounds, and prints all.
    pub(crate) fn end(mut self, attack: RangeInclusive<Moment>) {
        let after = Usage::of(self.service.id()).expect("it still runs");
        let measured = self.honest.join().expect("the callers do not panic").expect("their sockets work");
        let during = measured.spacings().filter(|spacing| attack.contains(&spacing.at));
        let mut off: Vec<Duration> = during.map(|spacing| spacing.off).collect();
        let [median, p99, all] = [0.5, 0.99, 1.0].map(|part| percentile(&mut off, part));
        let share = |lost: u64, of: u64| lost as f64 * 100.0 / of.max(1) as f64;
        let (received, lost) = measured.packets();
        let growth = after.peak_kib().saturating_sub(self.before.resident_kib());
        let rows = [
            (
                "honest packets off by",
                format!("p50 {}, p99 {}, greatest {} (of {})", ms(median), ms(p99), ms(all), off.len()),
            ),
            ("honest packets lost", format!("{lost} of {}, {:.2} %", received + lost, share(lost, received + lost))),
            ("honest calls dropped", measured.failures().to_string()),
            (
                "service's memory",
                format!("{:.1} MiB before, {:.1} MiB at most", mib(self.before.resident_kib()), mib(after.peak_kib())),
            ),
            ("since the attack began", after.since(&self.before).to_string()),
        ];
        self.rows.extend(rows.map(|(what, value)| (what.to_owned(), value)));
        publish(self.name, &self.rows);

        assert!(off.len() >= HONEST * 100, "too few packets to judge by: {}", off.len());
        assert_eq!(measured.failures(), 0, "honest calls were dropped");
        assert_eq!(lost, 0, "packets to honest callers got lost");
        assert!(growth <= GROWTH_KIB, "the service grew by {growth} KiB");
        // An unoptimised service takes ten times as long for everything.
        if !cfg!(debug_assertions) {
            assert!(p99 <= SPACING_P99, "the calls lost their pace: p99 is {p99:?}");
        }
    }

    fn metrics(&self) -> BTreeMap<String, u64> {
        let url = format!("{}/metrics", self.service.http());
        let text = self.runtime.block_on(async { reqwest::get(url).await.expect("an answer").text().await });
        let text = text.expect("a text");
        let lines = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
        lines.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
    }
}

/// Now.
pub(crate) fn moment() -> Moment {
    Clock.wall().unix_timestamp_nanos()
}

/// Milliseconds, for the table.
fn ms(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1e3)
}

/// What became of a call, for the table.
pub(crate) fn told(called: &Result<Duration, Option<u16>>) -> String {
    match called {
        Ok(setup) => format!("answered after {}", ms(*setup)),
        Err(Some(status)) => format!("refused with {status}"),
        Err(None) => "unanswered".to_owned(),
    }
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1_024.0
}

/// Prints the table, and leaves it where tests/run finds it.
fn publish(name: &str, rows: &[(String, String)]) {
    let mut table = format!("{name}\n");
    for (what, value) in rows {
        writeln!(table, "  {what:<24} {value}").expect("a string takes all");
    }
    println!("\n{table}");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile");
    std::fs::create_dir_all(&folder).expect("a folder in target");
    std::fs::write(folder.join(format!("{}.txt", name.replace(' ', "-"))), table).expect("a file in target");
}

/// The honest callers, in a thread that shares no core with the service's if there are two.
fn talk(
    sip: SocketAddr,
    numbers: Vec<Number>,
    length: Duration,
) -> (JoinHandle<anyhow::Result<Measured>>, Receiver<Vec<SocketAddr>>) {
    let (tell, told) = channel();
    let talking = std::thread::spawn(move || {
        pin_load();
        let load = Load {
            service: sip,
            dialled: DIALLED,
            local: Some(CARRIER),
            numbers: &numbers,
            calls: HONEST,
            per_second: 50.0,
            length,
            talk: Talk::Silence,
        };
        // Only the beginning is waited for.
        run(&load, |media| {
            let _second = tell.send(media.to_vec());
            Ok(())
        })
    });
    (talking, told)
}

/// The calling thread stays on the last core: the load must not hold up the whole machine.
pub(crate) fn pin_load() {
    let cores = cores::allowed().expect("the kernel says");
    cores::pin(cores[cores.len() - 1]).expect("an allowed core");
}

/// So many ports for calls and for those that rest, which are free now.
fn free_range(max_calls: usize) -> RangeInclusive<u16> {
    let count = u16::try_from(max_calls * 4).expect("few calls");
    let starts = (10_000..30_000 - count).step_by(usize::from(count));
    // Processes that run at the same time begin at different places.
    let skipped = std::process::id() as usize % starts.len();
    let is_free = |port: u16| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let mut ranges = starts.clone().cycle().skip(skipped).take(starts.len()).map(|first| first..=first + count);
    ranges.find(|range| range.clone().all(is_free)).expect("a free range")
}

/// A service with two carriers, in this folder.
fn found(folder: TempDir, max_calls: usize, rtp_ports: &RangeInclusive<u16>, tls: SocketAddr) -> Installation {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(folder.path().join("sip.pem"), certified.cert.pem()).expect("a file");
    std::fs::write(folder.path().join("sip.key"), certified.signing_key.serialize_pem()).expect("a file");
    let trunk = |name: &str, source: IpAddr| {
        format!("[[trunk]]\nname = \"{name}\"\nsources = [\"{source}\"]\nmax_calls = {max_calls}\n{BELIEVED}")
    };
    let wanted = Wanted {
        families: Families::Ipv4,
        media: &format!("max_calls = {max_calls}\nrtp_ports = \"{}-{}\"\n", rtp_ports.start(), rtp_ports.end()),
        sip: &format!("tls_listen = \"{tls}\"\ntls_certificate = \"sip.pem\"\ntls_key = \"sip.key\""),
        trunks: &(trunk("carrier", CARRIER) + &trunk("other", OTHER_CARRIER)),
        dht: &own_ring(),
    };
    Installation::new(folder, wanted)
}
