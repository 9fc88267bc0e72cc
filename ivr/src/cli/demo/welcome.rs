//! What the demo says when it runs: where everything is, and what to paste.

use std::fmt;

use dht_client::bundle::Fingerprint;
use ivr_core::private::Private;

use super::Demo;
use super::place::TEST_NUMBERS;
use crate::webhooks::Added;

/// The number of the softphone in the lines to paste: nobody's.
const CALLER: &str = "+12025550143";

/// `Display` prints it.
pub(super) struct Welcome<'a> {
    /// The running demo.
    pub(super) demo: &'a Demo,
    /// The token of the console's link.
    pub(super) console: &'a Private<String>,
    /// Where events go, if anywhere.
    pub(super) hook: Option<&'a Added>,
}

impl fmt::Display for Welcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Demo { service, place, dial, moved, ring } = self.demo;
        let (http, sip, program) = (service.http(), service.sip(), program());
        let bundle = service.bundle().display();
        write!(f, "Dialproof demo: on this machine only; ")?;
        match place.kept() {
            None => writeln!(f, "everything it makes goes when it ends (Ctrl-C).")?,
            Some(folder) => {
                writeln!(f, "when it ends (Ctrl-C), its directory goes, and {} stays.", folder.display())?;
            }
        }
        for (what, port) in moved {
            writeln!(f, "Port {port} is taken, so {what} moved on to the next free one.")?;
        }
        writeln!(f)?;
        writeln!(f, "  pages        http://{http}/")?;
        writeln!(f, "  mails        http://{http}/demo/mail (nothing is sent: they are caught and shown there)")?;
        writeln!(f, "  console      http://{http}/console/enter/{} (works once)", self.console.expose())?;
        writeln!(f, "  telephone    sip:{}@{sip} (UDP)", dial.as_str())?;
        writeln!(
            f,
            "               its trunk \"loopback\" counts as screened: whatever US number a caller claims is believed"
        )?;
        match self.hook {
            None => writeln!(f, "  webhook      none: start it with --webhook URL (docs/web-sites.md)")?,
            Some(Added { id, secret }) => {
                writeln!(f, "  webhook      {id} signs with {}", secret.expose())?;
                writeln!(
                    f,
                    "               try it: {program} simulate --http http://{http} --sip {sip} --webhook {id} --without-certificate"
                )?;
            }
        }
        writeln!(
            f,
            "  sandbox      http://{http}/v1/sandbox/verifications rehearses {} without a telephone",
            TEST_NUMBERS.join(" and ")
        )?;
        let ring: Vec<String> = ring.addresses().iter().map(ToString::to_string).collect();
        writeln!(f, "  directory    a private ring of mainline nodes inside this demonstration: {}", ring.join(", "))?;
        writeln!(f, "  bundle       {bundle}")?;
        writeln!(f, "               SHA-256 of its root: {}", Fingerprint(service.root_sha256()))?;
        writeln!(f)?;
        writeln!(f, "Verify {CALLER} on the page, and call with a softphone as that number:")?;
        writeln!(f, "  baresip -e '/uanew <sip:{CALLER}@127.0.0.1>;regint=0' -e '/dial sip:{}@{sip}'", dial.as_str())?;
        writeln!(f, "or let the built-in caller do all of it:")?;
        writeln!(f, "  {program} simulate --http http://{http} --sip {sip} --number {CALLER}")?;
        writeln!(f, "Then look it up, as anybody can who has the bundle:")?;
        writeln!(f, "  {program} lookup tel:{CALLER} --ca {bundle}")
    }
}

/// This program, as it can be called again.
fn program() -> String {
    std::env::current_exe().map_or_else(|_| "dialproof".to_owned(), |path| path.display().to_string())
}
