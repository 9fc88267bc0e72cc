//! 200 calls on the line while somebody verifies a number: a certificate is signed and put into the DHT, for which the
//! number is hashed on purpose with much memory and time.

use std::net::SocketAddr;
use std::thread;

use anyhow::{Context, bail};
use end_to_end::load::{numbers, usage};
use ivr::phone::Scenario;
use ivr::phone::api::Api;
use ivr::phone::applicant::{Application, apply};
use ivr::phone::load::Talk;
use ivr_core::number::Number;

use super::pace::{Pace, talk};
use super::runs;
use super::short::mib;
use crate::Bench;
use crate::report::{Mark, Report};
use crate::service::{Service, Setup, found};

const AT_ONCE: usize = 200;

pub(super) fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let [off, memory] = runs(bench, |bench| {
        let service = Service::start(found(Setup { max_calls: 300, has_ring: true, ..Setup::default() })?, bench)?;
        let person = numbers(AT_ONCE)?.pop().context("a number")?;
        usage::forget_peak(service.pid())?;
        let (http, sip) = (service.http(), service.sip());
        let mut verifying = None;
        let (Pace { off_p99, .. }, _) = talk(&service, AT_ONCE, Talk::Silence, |_| {
            verifying = Some(thread::spawn(move || verify(&http, sip, &person)));
        })?;
        let verified = verifying.context("all were on the line")?.join();
        verified.unwrap_or_else(|_| bail!("the one who verified a number panicked"))?;
        Ok([off_p99, mib(service.usage()?.peak_kib())])
    })?;
    report.figure("200 calls while one is certified: packets off by p99", "ms", Mark::AtMost(5.0), &off, "");
    report.figure("memory at most, a hash included", "MiB", Mark::AtMost(100.0), &memory, "");
    Ok(())
}

/// One who proves a number, gets a certificate and has it put into the DHT.
#[tokio::main(flavor = "current_thread")]
async fn verify(http: &str, sip: SocketAddr, number: &Number) -> anyhow::Result<()> {
    let application = Application::new(Api::new(http), sip, number.as_str(), Scenario::Happy);
    match apply(application, &|_| {}).await?.verdict {
        Ok(()) => Ok(()),
        Err(why) => bail!("the one who verified a number meanwhile: {why}"),
    }
}
