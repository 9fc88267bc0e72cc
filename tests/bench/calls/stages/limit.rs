//! More calls than there is room for: those are refused, and nobody on the line notices.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::ensure;
use end_to_end::load::DIALLED;
use ivr::phone::load::{self, Load, Talk};

use super::pace::{Pace, talk};
use super::runs;
use crate::Bench;
use crate::report::{Mark, Report};
use crate::service::{Service, Setup, found};

const ROOM: usize = 1_000;
/// Another carrier, whose calls do not fit.
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
const TOO_MANY: usize = 10_000;
const PER_SECOND: f64 = 500.0;

pub(super) fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let [off, late, lost, refused] = runs(bench, |bench| {
        let service = Service::start(found(Setup { max_calls: ROOM, ..Setup::default() })?, bench)?;
        let (sip, numbers) = (service.sip(), end_to_end::load::numbers(ROOM)?);
        let mut others = None;
        let (Pace { off_p99, late_p999, lost, .. }, _) = talk(&service, ROOM, Talk::Silence, |_| {
            let numbers = numbers.clone();
            others = Some(std::thread::spawn(move || {
                let load = Load {
                    service: sip,
                    dialled: DIALLED,
                    local: Some(OTHER),
                    numbers: &numbers,
                    calls: TOO_MANY,
                    per_second: PER_SECOND,
                    length: Duration::ZERO,
                    talk: Talk::Nothing,
                };
                load::run(&load, |_| Ok(()))
            }));
        })?;
        let others = others.map(|others| others.join().expect("the load does not panic"));
        let others = others.expect("all were on the line")?;
        println!("  of {TOO_MANY} more: refused {:?}, {} unanswered", others.refused, others.unanswered);
        ensure!(others.setups.is_empty(), "{} calls above the limit were answered", others.setups.len());
        let right = others.refused.get(&503).copied().unwrap_or(0);
        Ok([off_p99, late_p999, lost, right as f64])
    })?;
    let mark = Mark::AtLeast(TOO_MANY as f64);
    report.figure("calls above the limit of 1,000, refused with 503", "of 10,000", mark, &refused, "both answer all");
    report.figure("meanwhile the 1,000: packets off by p99", "ms", Mark::AtMost(2.0), &off, "both fall late");
    report.figure("meanwhile the 1,000: packets late p99.9", "ms", Mark::AtMost(5.0), &late, "");
    report.figure("meanwhile the 1,000: packets lost, calls failed", "", Mark::AtMost(0.0), &lost, "");
    Ok(())
}
