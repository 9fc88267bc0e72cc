//! Our load held against SIPp's, at a rate that both can do: the service must look the same from both.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, ensure};
use end_to_end::load::{DIALLED, cores};
use end_to_end::sipp::{Scenario, sipp};
use ivr::phone::load;

use super::{CALLERS, expected, milliseconds, runs, short_calls};
use crate::Bench;
use crate::report::{Mark, Report};
use crate::service::{Service, Setup, found};

const PER_SECOND: u32 = 1_000;
const SECONDS: u32 = 20;

pub(super) fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let [ours, theirs] = runs(bench, |bench| {
        let service = Service::start(found(Setup::default())?, bench)?;
        let numbers = expected(&service, CALLERS)?;
        let load = short_calls(&service, &numbers, f64::from(PER_SECOND), f64::from(SECONDS));
        let before = service.usage()?;
        let measured = load::run(&load, |_| Ok(()))?;
        let between = service.usage()?;
        ensure!(measured.failures() == 0, "{} of our calls failed", measured.failures());

        let folder = tempfile::tempdir()?;
        let mut callers = "SEQUENTIAL\n".to_owned();
        for number in &numbers {
            writeln!(callers, "{};", number.as_str())?;
        }
        std::fs::write(folder.path().join("callers.csv"), callers)?;
        std::fs::write(folder.path().join("short.xml"), Scenario::short().xml())?;
        cores::pin(bench.load_core)?;
        let calls = PER_SECOND * SECONDS;
        let output = sipp(folder.path(), &folder.path().join("short.xml"))
            .args([&service.sip().to_string(), "-s", DIALLED, "-inf", "callers.csv", "-t", "u1"])
            .args(["-r", &PER_SECOND.to_string(), "-m", &calls.to_string(), "-timeout", "120s", "-timeout_error"])
            .output()
            .context("SIPp: tests/setup installs it")?;
        let after = service.usage()?;
        ensure!(output.status.success(), "SIPp's calls failed: {}", String::from_utf8_lossy(&output.stderr));
        let a_call = |ran: Duration| milliseconds(ran) / f64::from(calls);
        let (ours, theirs) = (a_call(between.ran() - before.ran()), a_call(after.ran() - between.ran()));
        println!("  {PER_SECOND} calls a second: {ours:.3} ms CPU a call of ours, {theirs:.3} ms of SIPp's");
        Ok([ours, theirs])
    })?;
    report.figure("CPU of a short call of our load at 1,000/s", "ms", Mark::None, &ours, "");
    report.figure("CPU of a short call of SIPp at 1,000/s", "ms", Mark::None, &theirs, "");
    Ok(())
}
