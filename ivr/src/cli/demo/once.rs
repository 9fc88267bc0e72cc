//! `demo --once`: a built-in person proves a number to the running demo by a real call, and then a stranger looks it up.
//! The caller has its own sockets and knows the service by its addresses alone; the stranger knows the bundle and the
//! number.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use dht_client::{Found, Identity, Pin, Verdict};
use serde_json::{Value, json};

use crate::cli::directory;
use crate::cli::lookup::{Answer, certificate_pem, chain_pem, rfc3339};
use crate::clock::Clock;
use crate::phone::CallReport;
use crate::phone::Scenario;
use crate::phone::api::Api;
use crate::phone::applicant::{Application, Outcome, Prepared, Tale};
use crate::service::Service;

/// How long the directory may take: far more than a ring on this machine needs.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a run is about.
pub(super) struct Once<'a> {
    /// The number to be proved: nobody's.
    pub(super) number: &'a str,
    /// What the story is told to.
    pub(super) tell: &'a (dyn Fn(&dyn fmt::Display) + Sync),
}

/// What came of it.
pub(super) struct Proved {
    identity: Identity,
    found: Box<Found>,
    call: CallReport,
}

impl Once<'_> {
    /// Everything from the key to the look-up.
    ///
    /// # Errors
    /// The first step that failed, by its name.
    pub(super) async fn run(&self, service: &Service) -> Result<Proved> {
        let api = Api::new(&format!("http://{}", service.http()));
        let application =
            Application { by_app: true, ..Application::new(api, service.sip(), self.number, Scenario::Happy) };
        let tale = |tale: Tale| {
            if !tale.to_string().is_empty() {
                (self.tell)(&tale);
            }
        };
        let prepared = Prepared::start(application, &tale).await.context("step 1, starting a verification, failed")?;
        let outcome = prepared.call(&tale).await.context("step 2, the call, failed")?;
        self.check(&outcome)?;
        let identity = Identity::tel(self.number).context("step 5, the look-up, failed")?;
        (self.tell)(&format_args!("a stranger looks {} up, with the bundle alone", identity.expose()));
        let found = look_up(&identity, service.bundle()).await.context("step 5, the look-up, failed")?;
        compare(&found, &outcome).context("step 6, comparing what was issued with what was found, failed")?;
        (self.tell)(&format_args!(
            "found in {}, slot {}: the same certificate, valid, level {}",
            found.origin.backend, found.origin.slot, found.certificate.level
        ));
        Ok(Proved { identity, found, call: outcome.call })
    }

    /// The call went as it should, and the certificate exists and is published.
    fn check(&self, outcome: &Outcome) -> Result<()> {
        if let Err(why) = &outcome.verdict {
            bail!("step 2, the call, failed: {why}");
        }
        let verification = &outcome.verification;
        if !verification.is_issued() || verification.certificate_pem.is_none() {
            bail!("step 3, issuing, failed: the verification is {}", verification.state);
        }
        if !verification.is_complete(true) {
            bail!("step 4, publishing, failed: the record did not get into the DHT in time");
        }
        (self.tell)(&"the certificate is issued, and its record lies in the DHT");
        Ok(())
    }
}

async fn look_up(identity: &Identity, bundle: &Path) -> Result<Box<Found>> {
    let now = Clock.wall();
    let (bundle, networks) = directory::join(bundle, Pin::File, &[], now).await?;
    match directory::reader(bundle, networks)?.find(identity, PATIENCE, now).await? {
        Verdict::Found(found) => Ok(found),
        other => Err(anyhow!("{}", Answer { identity, verdict: &other }.to_string().trim_end().to_owned())),
    }
}

/// What the stranger found is what the page was given.
fn compare(found: &Found, outcome: &Outcome) -> Result<()> {
    let issued = outcome.verification.certificate_pem.as_deref().unwrap_or_default();
    let base64 = |pem: &str| pem.split_whitespace().collect::<String>();
    if base64(issued) != base64(&certificate_pem(&found.certificate)) {
        bail!("the directory has another certificate than the page");
    }
    Ok(())
}

impl Proved {
    /// The one object of `--json`.
    pub(super) fn json(&self) -> Value {
        let Self { identity, found, call } = self;
        let (certificate, origin) = (&found.certificate, &found.origin);
        json!({
            "identity": identity.expose(),
            "level": certificate.level.to_string(),
            "serial": certificate.serial,
            "not_after": rfc3339(certificate.not_after),
            "certificate_pem": certificate_pem(certificate),
            "chain_pem": chain_pem(certificate),
            "dht": {
                "backend": origin.backend,
                "slot": origin.slot.to_string(),
                "seq": origin.seq,
                "bytes": origin.bytes,
            },
            "call": {
                "call_id": call.call_id,
                "setup_ms": call.setup.map(millis),
                "duration_ms": millis(call.duration),
                "packets_sent": call.packets_sent,
                "packets_received": call.packets_received,
            },
        })
    }
}

impl fmt::Display for Proved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identity, found, call } = self;
        writeln!(f, "proved and found: {}", identity.expose())?;
        writeln!(f, "  level   {}", found.certificate.level)?;
        writeln!(f, "  serial  {}, valid until {}", found.certificate.serial, rfc3339(found.certificate.not_after))?;
        writeln!(f, "  record  {} bytes in {}, number {}", found.origin.bytes, found.origin.backend, found.origin.seq)?;
        writeln!(
            f,
            "  call    {:.1} s, answered after {:.1} ms, {} packets sent, {} received",
            call.duration.as_secs_f64(),
            call.setup.map_or(0.0, millis),
            call.packets_sent,
            call.packets_received
        )
    }
}

/// Tells the story on standard output, each line with the seconds since `began`.
pub(super) fn teller(began: Instant, clock: Clock) -> impl Fn(&dyn fmt::Display) + Sync {
    move |line| println!("{:6.1} s  {line}", (clock.now() - began).as_secs_f64())
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
