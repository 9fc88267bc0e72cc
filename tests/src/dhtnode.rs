//! A ring of real OpenDHT nodes with REST proxies. They bind every address, so this runs in a network of its own
//! (`own_network`) and may take the ports it likes.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};

use crate::process::Process;

const FIRST_NODE_PORT: u16 = 4001;
const FIRST_PROXY_PORT: u16 = 8001;
/// Nodes of another network number do not talk to each other.
const NETWORK: &str = "2024";

/// Some nodes that know each other.
#[derive(Debug)]
pub struct DhtNodes(Vec<Option<Process>>);

impl DhtNodes {
    /// Starts `count` nodes and waits until their proxies accept connections. That they have found each other, the
    /// proxies' `node/info` tells.
    pub fn start(count: u16) -> Self {
        Self::with(count, &[])
    }

    /// As [`start`](Self::start), of nodes that take any number of requests a second. By themselves they take 200 of an
    /// address, which all of these share.
    pub fn unlimited(count: u16) -> Self {
        Self::with(count, &["--no-rate-limit"])
    }

    fn with(count: u16, options: &[&str]) -> Self {
        let bootstrap = |number| (number > 0).then_some(FIRST_NODE_PORT);
        Self((0..count).map(|number| Some(node(number, bootstrap(number), options))).collect())
    }

    /// Starts a node that knows nobody, and returns it with its proxy's URL.
    pub fn lone(number: u16) -> (Process, String) {
        (node(number, None, &[]), url(number))
    }

    /// The proxies' addresses, also those of stopped nodes.
    pub fn urls(&self) -> Vec<String> {
        (0..).zip(&self.0).map(|(number, _)| url(number)).collect()
    }

    /// Kills a node.
    pub fn stop(&mut self, number: usize) {
        self.0[number] = None;
    }
}

fn url(number: u16) -> String {
    format!("http://127.0.0.1:{}", FIRST_PROXY_PORT + number)
}

fn node(number: u16, bootstrap: Option<u16>, options: &[&str]) -> Process {
    let proxy = FIRST_PROXY_PORT + number;
    let mut command = Command::new("dhtnode");
    command.args(["-s", "-n", NETWORK, "-p", &(FIRST_NODE_PORT + number).to_string()]);
    command.args(["--proxyserver", &proxy.to_string()]).args(options);
    if let Some(port) = bootstrap {
        command.args(["-b", &format!("127.0.0.1:{port}")]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Process::start(&mut command).listening_at(SocketAddr::from((Ipv4Addr::LOCALHOST, proxy)))
}
