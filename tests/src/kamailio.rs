//! Kamailio, as a carrier whose customer the service is: a registrar that wants a password, a proxy that stays in the
//! dialogue, and a server that answers probes.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::service::wait_until;

/// The domain that it is the registrar of, and its realm.
pub const DOMAIN: &str = "carrier.example";
/// The account that it knows.
pub const USER: &str = "dialproof";
/// That one's password.
pub const PASSWORD: &str = "open sesame";

/// How the password is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// As everybody does.
    Md5,
    /// RFC 8760.
    Sha256,
}

/// A running Kamailio.
#[derive(Debug)]
pub struct Kamailio {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Kamailio {
    /// At this port of 127.0.0.1.
    ///
    /// # Panics
    /// If it is not installed, or does not answer.
    pub fn at(port: u16, algorithm: Algorithm) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self::start(address, &configuration(address, algorithm))
    }

    /// At this port, as a carrier that signs with this key who calls whom, attestation A, and hands the call on to `service`.
    ///
    /// # Panics
    /// If it is not installed, or does not answer.
    pub fn signing(port: u16, service: SocketAddr, x5u: &str, key: &Path) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self::start(address, &signing_configuration(address, service, x5u, key))
    }

    fn start(address: SocketAddr, text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("kamailio.cfg");
        std::fs::write(&config, text).expect("a file");
        let mut command = Command::new("kamailio");
        command.args(["-DD", "-E", "-m", "32", "-M", "4", "-f"]).arg(&config);
        command.arg("-w").arg(folder.path()).arg("-Y").arg(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Its children are in a group with it, so that all of them can be ended.
        let child = command.process_group(0).spawn().expect("Kamailio is installed: run tests/setup");
        let kamailio = Self { child, address, _folder: folder };
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout that is not zero");
        let us = socket.local_addr().expect("an address");
        wait_until("Kamailio answers", || {
            let _ = socket.send_to(options(us, address).as_bytes(), address);
            socket.recv(&mut [0; 2_048]).is_ok()
        });
        kamailio
    }

    /// Where it is reached.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // The whole group, at once, as a power cut would.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
    }
}

fn options(us: SocketAddr, to: SocketAddr) -> String {
    format!(
        "OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK-is-it-there\r\nMax-Forwards: 70\r\n\
         From: <sip:test@{us}>;tag=1\r\nTo: <sip:{to}>\r\nCall-ID: is-it-there\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

fn configuration(address: SocketAddr, algorithm: Algorithm) -> String {
    let algorithm = match algorithm {
        Algorithm::Md5 => "MD5",
        Algorithm::Sha256 => "SHA-256",
    };
    format!(
        r#"#!KAMAILIO
debug=1
log_stderror=yes
# Of two that receive, the 200 of one overtakes the 180 of the other.
children=1
disable_tcp=yes
auto_aliases=no
alias="{DOMAIN}"
listen=udp:{address}

loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("auth", "algorithm", "{algorithm}")
modparam("registrar", "min_expires", 30)

request_route {{
    if (!mf_process_maxfwd_header("10")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if (has_totag()) {{
        if (loose_route()) {{
            t_relay();
        }} else if (!is_method("ACK")) {{
            sl_send_reply("481", "Call/Transaction Does Not Exist");
        }} else if (t_check_trans()) {{
            t_relay();
        }}
        exit;
    }}
    if (is_method("CANCEL")) {{
        if (t_check_trans()) {{
            t_relay();
        }}
        exit;
    }}
    if (is_method("OPTIONS")) {{
        sl_send_reply("200", "OK");
        exit;
    }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("{DOMAIN}", "{PASSWORD}", "0") || $au != "{USER}") {{
            www_challenge("{DOMAIN}", "1");
            exit;
        }}
        save("location");
        exit;
    }}
    if (is_method("INVITE")) {{
        t_check_trans();
        record_route();
        $rU = "{USER}";
        if (!lookup("location")) {{
            sl_send_reply("480", "Temporarily Unavailable");
            exit;
        }}
        t_relay();
        exit;
    }}
    sl_send_reply("405", "Method Not Allowed");
}}
"#
    )
}

/// Of the secsipid module, which is secsipidx inside.
fn signing_configuration(address: SocketAddr, service: SocketAddr, x5u: &str, key: &Path) -> String {
    let key = key.display();
    format!(
        r#"#!KAMAILIO
debug=1
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
listen=udp:{address}

loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "secsipid.so"

request_route {{
    if (is_method("OPTIONS")) {{
        sl_send_reply("200", "OK");
        exit;
    }}
    if (has_totag()) {{
        loose_route();
        t_relay();
        exit;
    }}
    if (is_method("INVITE")) {{
        record_route();
        $var(orig) = $(fU{{s.strip,1}});
        $var(dest) = $(rU{{s.strip,1}});
        if (!secsipid_add_identity("$var(orig)", "$var(dest)", "A", "", "{x5u}", "{key}")) {{
            sl_send_reply("500", "Not Signed");
            exit;
        }}
        $du = "sip:{service}";
        t_relay();
        exit;
    }}
    sl_send_reply("405", "Method Not Allowed");
}}
"#
    )
}
