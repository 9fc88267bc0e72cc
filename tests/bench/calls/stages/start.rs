//! How soon a service answers after its process began, and what it takes up when nobody calls.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use ivr::clock::Clock;

use super::short::mib;
use super::{CARRIER, milliseconds, runs};
use crate::Bench;
use crate::report::{Mark, Report};
use crate::service::{Service, Setup, found};

const PATIENCE: Duration = Duration::from_secs(60);
const RESTS: Duration = Duration::from_secs(5);

pub(super) fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let [first, ready, memory] = runs(bench, |bench| {
        // What a small service has: two hundred calls at a time, and as many pairs of ports as without a word about them.
        let installation = found(Setup { max_calls: 200, rtp_ports: "20000-20999", ..Setup::default() })?;
        let probe = UdpSocket::bind((CARRIER, 0))?;
        probe.set_read_timeout(Some(Duration::from_millis(1)))?;
        let began = Clock.now();
        let mut service = Service::spawn(installation, bench)?;
        let first = answered(&probe, service.sip(), began, |_| true)?;
        let ready = answered(&probe, service.sip(), began, |answer| answer.starts_with("SIP/2.0 200 "))?;
        service.wait()?;
        std::thread::sleep(RESTS);
        let memory = mib(service.usage()?.resident_kib());
        println!("  first SIP answer after {first:.1} ms, ready after {ready:.0} ms, {memory:.1} MiB at rest");
        Ok([first, ready, memory])
    })?;
    report.figure("process begun to first SIP answer", "ms", Mark::AtMost(50.0), &first, "SEMS 28");
    report.figure("process begun to ready for calls", "ms", Mark::None, &ready, "");
    let what = "memory at rest, with database, CA and web";
    report.figure(what, "MiB", Mark::AtMost(20.0), &memory, "SEMS 7.5, without any of them");
    Ok(())
}

/// Asks once in a millisecond until there is such an answer. Gives the time since the process began, in milliseconds.
fn answered(probe: &UdpSocket, sip: SocketAddr, began: Instant, fits: impl Fn(&str) -> bool) -> anyhow::Result<f64> {
    let local = probe.local_addr()?;
    for n in 0_u32.. {
        let options = format!(
            "OPTIONS sip:{sip} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKstart{n}\r\nMax-Forwards: 70\r\n\
             From: <sip:probe@{local}>;tag=start\r\nTo: <sip:{sip}>\r\nCall-ID: start-{n}@{local}\r\nCSeq: 1 OPTIONS\r\n\
             Content-Length: 0\r\n\r\n"
        );
        // Nobody may listen there yet.
        let _refused = probe.send_to(options.as_bytes(), sip);
        let mut answer = [0; 2_048];
        if let Ok((length, _)) = probe.recv_from(&mut answer)
            && fits(std::str::from_utf8(&answer[..length]).context("an answer that is text")?)
        {
            return Ok(milliseconds(Clock.now() - began));
        }
        ensure!(Clock.now() - began < PATIENCE, "no answer to OPTIONS");
    }
    unreachable!("the loop ends by itself")
}
