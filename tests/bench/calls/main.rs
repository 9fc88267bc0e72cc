//! What one core serves: `tests/bench/run`, or `cargo bench -p end-to-end --bench calls -- [STAGE…] [--runs N]`. Load and service
//! have a core each. Every run has a service of its own in a fresh folder; of the runs of a stage the median counts, and
//! all are printed, beside a program that only sends and receives the same packets, and beside what others reach.

mod docs;
mod floor;
mod plot;
mod report;
mod service;
mod stages;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser as _;
use end_to_end::load::{cores, usage};
use ivr::service::sockets::allow_many;

use report::Report;
use stages::Stage;

/// What to measure.
#[derive(Debug, clap::Parser)]
struct Arguments {
    /// The stages, all of them if none is named
    stages: Vec<Stage>,
    /// How many runs of each, each with a fresh process
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Put tables and curves into docs/performance.md: that of the marks only with all stages, that of growth with its own
    #[arg(long)]
    write: bool,
    /// Whom `cargo bench` calls says so; `cargo test --all-targets` does not, and measures nothing
    #[arg(long, hide = true)]
    bench: bool,
}

/// How everything is measured.
#[derive(Debug, Clone)]
pub(crate) struct Bench {
    pub(crate) runs: u32,
    pub(crate) service_cores: Vec<usize>,
    pub(crate) load_core: usize,
    /// Tables and curves go into the documentation, too.
    pub(crate) writes: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if !arguments.bench {
        return Ok(ExitCode::SUCCESS);
    }
    allow_many();
    let cores = cores::allowed()?;
    let (first, last) = (*cores.first().context("no core")?, *cores.last().context("no core")?);
    let bench = Bench { runs: arguments.runs, service_cores: vec![first], load_core: last, writes: arguments.write };
    cores::pin(bench.load_core)?;
    let machine = usage::machine()?;
    println!("machine: {machine}");
    println!("cores: service on {first}, load on {last}{}", if first == last { ": THEY SHARE IT" } else { "" });
    println!("arrivals are stamped by the kernel as it takes each datagram from the loopback (SO_TIMESTAMPNS)");

    let mut report = Report::default();
    let is_whole = arguments.stages.is_empty();
    let stages = if is_whole { Stage::ALL.to_vec() } else { arguments.stages };
    for stage in stages {
        println!("\n== {stage:?}");
        stage.measure(&bench, &mut report)?;
    }
    println!("\n{}", report.table());
    if bench.writes && is_whole {
        docs::replace("marks", &format!("{machine}\n\n{}", report.table()))?;
    }
    Ok(if report.is_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
