//! What a second core brings: the load shares one of the two then.

use ivr::phone::load::Talk;

use super::{CALLERS, expected, pace, runs, short};
use crate::Bench;
use crate::report::{Mark, Report};
use crate::service::{Service, Setup, found};

pub(super) fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let service_cores = end_to_end::load::cores::allowed()?;
    let bench = Bench { service_cores, ..bench.clone() };
    let [failed, cpu, p50, p99] = runs(&bench, |bench| {
        let service = Service::start(found(Setup::default())?, bench)?;
        let short = short::calls(&service, &expected(&service, CALLERS)?, 2_500.0, 20.0)?;
        Ok([short.failed, short.cpu_a_call, short.p50, short.p99])
    })?;
    report.figure("two cores: failures of 50,000 calls at 2,500/s", "calls", Mark::None, &failed, "");
    report.figure("two cores: CPU of a short call", "ms", Mark::None, &cpu, "");
    report.figure("two cores: INVITE to 200 at 2,500 calls/s, p50", "ms", Mark::None, &p50, "");
    report.figure("two cores: INVITE to 200 at 2,500 calls/s, p99", "ms", Mark::None, &p99, "");
    let [off, late, busy] = runs(&bench, |bench| {
        let service = Service::start(found(Setup::default())?, bench)?;
        let (pace, _) = pace::talk(&service, 2_000, Talk::Silence, |_| {})?;
        Ok([pace.off_p99, pace.late_p999, pace.busy])
    })?;
    report.figure("two cores: 2,000 calls, packets off by p99", "ms", Mark::None, &off, "");
    report.figure("two cores: 2,000 calls, packets late p99.9", "ms", Mark::None, &late, "");
    report.figure("two cores: 2,000 calls, of one core", "%", Mark::None, &busy, "");
    Ok(())
}
