//! How many short calls a second one core serves without a failure.

use super::{CALLERS, expected, runs, short};
use crate::Bench;
use crate::report::{Mark, Report};
use crate::service::{Service, Setup, found};

const STEP: f64 = 500.0;
const FIRST: f64 = 2_500.0;
const LAST: f64 = 6_000.0;
const SECONDS: f64 = 5.0;

pub(super) fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let [best] = runs(bench, |bench| {
        let mut best = 0.0;
        let mut rate = FIRST;
        while rate <= LAST {
            let service = Service::start(found(Setup::default())?, bench)?;
            if short::calls(&service, &expected(&service, CALLERS)?, rate, SECONDS)?.failed > 0.0 {
                break;
            }
            best = rate;
            rate += STEP;
        }
        Ok([best])
    })?;
    report.figure("short calls a second without a failure, for 5 s", "calls/s", Mark::None, &best, "SEMS 650");
    Ok(())
}
