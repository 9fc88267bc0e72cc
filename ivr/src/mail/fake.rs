//! A relay for tests, on loopback, that says what it is told to say.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::Relay;
use crate::config::findings::Findings;
use crate::config::{Config, Purpose};

type Answer = dyn Fn(&str) -> Option<&'static str> + Send + Sync;

/// The relay, until it is dropped.
pub(crate) struct Fake {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Fake {
    /// Answers each command by this function, and with a plain yes where it gives `None`.
    pub(crate) async fn start(answer: impl Fn(&str) -> Option<&'static str> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (all, answer): (_, Arc<Answer>) = (heard.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, all.clone(), answer.clone()));
            }
        });
        Self { port, heard, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The commands that were heard, without what stood in mails.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// How many commands began so.
    pub(crate) fn heard(&self, start: &str) -> usize {
        self.commands().iter().filter(|command| command.starts_with(start)).count()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(stream: TcpStream, all: Arc<Mutex<Vec<String>>>, answer: Arc<Answer>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut reply = "220 relay.example.org ready";
    let mut in_mail = false;
    while write.write_all(format!("{reply}\r\n").as_bytes()).await.is_ok() {
        let command = loop {
            match lines.next_line().await {
                Ok(Some(line)) if in_mail && line != "." => {}
                Ok(Some(line)) => break line,
                _ => return,
            }
        };
        let refusal = answer(&command);
        in_mail = command == "DATA" && refusal.is_none();
        reply = refusal.unwrap_or(if in_mail { "354 go on" } else { "250 ok" });
        all.lock().unwrap().push(command);
    }
}

/// A relay at this port, configured as an operator would, without TLS.
pub(crate) fn relay_at(port: u16) -> Relay {
    relay_with(port, "none")
}

/// The same with a choice of `smtp.tls`.
pub(crate) fn relay_with(port: u16, tls: &str) -> Relay {
    let example = include_str!("../../../config.example.toml");
    let (before, rest) = example.split_once("[smtp]").unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    let section =
        format!("[smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"{tls}\"\nfrom = \"a@verify.example.org\"\n\n");
    let mut findings = Findings::default();
    let config = Config::parse(&[before, &section, after].concat(), Path::new("/"), Purpose::Demo, &mut findings);
    let config = config.unwrap_or_else(|| panic!("{findings}"));
    Relay::new(config.smtp().unwrap(), "Example Verify").unwrap()
}
