//! What a call costs as calls and stored verifications become more.

use std::fmt::Write as _;

use anyhow::Context;
use end_to_end::installation::Installation;
use ivr::phone::load::Talk;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::{CALLERS, expected, pace, runs, short};
use crate::plot::{Curve, plot};
use crate::report::{median, number, tell};
use crate::service::{Service, Setup, found};
use crate::{Bench, docs};

const AT_ONCE: [usize; 4] = [100, 500, 1_000, 2_000];
const STORED: [u32; 3] = [1_000, 100_000, 1_000_000];
const SHORT_PER_SECOND: f64 = 1_000.0;
const PICTURE: &str = "![Processor time and memory over calls at once and stored verifications](growth.svg)";

pub(super) fn measure(bench: &Bench) -> anyhow::Result<()> {
    let (mut pairs, mut memory, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    let mut table =
        "| calls at once | packets off by p99, ms | late p99.9, ms | of the core, % | CPU for a packet each way, µs | \
        memory of all, MiB |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for calls in AT_ONCE {
        let figures = runs(bench, |bench| {
            let service = Service::start(found(Setup::default())?, bench)?;
            let (pace, _) = pace::talk(&service, calls, Talk::Silence, |_| {})?;
            Ok([pace.off_p99, pace.late_p999, pace.busy, pace.pair, pace.memory_a_call * calls as f64])
        })?;
        let [off, late, busy, pair, all] = &figures;
        tell(&format!("{calls} calls, packets off by p99"), "ms", off);
        tell(&format!("{calls} calls, packets late p99.9"), "ms", late);
        tell(&format!("{calls} calls, of the core"), "%", busy);
        tell(&format!("{calls} calls, CPU for one packet each way"), "µs", pair);
        tell(&format!("{calls} calls, memory of all"), "MiB", all);
        pairs.push((calls as f64, median(pair)));
        memory.push((calls as f64, median(all)));
        row(&mut table, calls, &figures);
    }
    table += "\n| stored verifications | INVITE to 200 at 50 calls/s, p50, ms | CPU of a short call at 1,000 calls/s, ms |\n|---|---|---|\n";
    for stored in STORED {
        let figures = runs(bench, |bench| {
            // The first start makes the tables.
            let installation = Service::start(found(Setup::default())?, bench)?.end();
            fill(&installation, stored)?;
            let service = Service::start(installation, bench)?;
            let numbers = expected(&service, CALLERS)?;
            let lone = short::calls(&service, &numbers, 50.0, 10.0)?;
            let many = short::calls(&service, &numbers, SHORT_PER_SECOND, 10.0)?;
            Ok([lone.p50, many.cpu_a_call])
        })?;
        let [p50, a_call] = &figures;
        tell(&format!("{stored} stored verifications, INVITE to 200 p50"), "ms", p50);
        tell(&format!("{stored} stored verifications, CPU of a short call"), "ms", a_call);
        cpu.push((f64::from(stored), median(a_call) * 1e3));
        row(&mut table, stored, &figures);
    }
    if bench.writes {
        let curves = [
            Curve {
                title: "CPU for one packet each way, µs",
                over: "calls at once",
                points: pairs,
                logarithmic: false,
            },
            Curve { title: "Memory of all calls, MiB", over: "calls at once", points: memory, logarithmic: false },
            Curve { title: "CPU of a short call, µs", over: "stored verifications", points: cpu, logarithmic: true },
        ];
        docs::replace("growth", &format!("{PICTURE}\n\n{table}"))?;
        docs::draw(&plot(&curves))?;
    }
    Ok(())
}

/// A row of medians.
fn row(table: &mut String, of: impl std::fmt::Display, figures: &[Vec<f64>]) {
    let medians = figures.iter().map(|runs| number(median(runs))).collect::<Vec<_>>().join(" | ");
    writeln!(table, "| {of} | {medians} |").expect("a string takes all");
}

/// Stores so many verifications of other people: half of them may still be called in, the others are history.
#[tokio::main(flavor = "current_thread")]
async fn fill(installation: &Installation, count: u32) -> anyhow::Result<()> {
    let options = SqliteConnectOptions::new().filename(installation.path("data/dialproof.db"));
    let mut database = SqliteConnection::connect_with(&options).await.context("the service's database")?;
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
        INSERT INTO verifications (id, secret_sha256, number_hash, pepper_epoch, number_sealed, country, last4,
            source_tag, code_hash, code_sealed, publish, locale, state, created_at, expires_at, live_until,
            code_tries_left, read_backs_left, happenings)
        SELECT randomblob(16), randomblob(32), randomblob(32), 1, randomblob(40), 'US', '0100', randomblob(32),
            randomblob(32), randomblob(34), 0, 'en', CASE WHEN i % 2 = 0 THEN 'waiting' ELSE 'issued' END,
            unixepoch() * 1000 - i, unixepoch() * 1000 + 86400000, unixepoch() * 1000 + 86400000, 3, 3, 0 FROM n";
    sqlx::query(sql).bind(count).execute(&mut database).await.context("storing verifications")?;
    database.close().await.context("the service's database")
}
