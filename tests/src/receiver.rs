//! Who receives webhooks: a small web server that keeps what is posted and answers as it is told, in the clear on loopback or
//! with a certificate of its own. It verifies signatures by OpenSSL, as somebody would who has read the specification only.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::service::wait_until;

/// What was posted.
#[derive(Debug, Clone)]
pub struct Posted {
    head: String,
    /// The octets that are signed.
    pub body: Vec<u8>,
}

impl Posted {
    /// A header's value.
    ///
    /// # Panics
    /// If there is none.
    pub fn header(&self, name: &str) -> &str {
        let values = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = values.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
        found.next().unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }

    /// The event.
    ///
    /// # Panics
    /// If it is no JSON.
    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.body).expect("an event is JSON")
    }

    /// Is one of its signatures made with this secret (`whsec_…`)?
    ///
    /// # Panics
    /// If the secret is none, or OpenSSL is not installed.
    pub fn is_signed(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret")).expect("base64");
        let key: String = key.iter().map(|octet| format!("{octet:02x}")).collect();
        let mut openssl = Command::new("openssl")
            .args(["dgst", "-sha256", "-mac", "HMAC", "-macopt", &format!("hexkey:{key}"), "-binary"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("OpenSSL is installed");
        let start = format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp"));
        let mut input = openssl.stdin.take().expect("piped");
        input.write_all(&[start.as_bytes(), &self.body].concat()).expect("OpenSSL reads");
        drop(input);
        let mac = openssl.wait_with_output().expect("OpenSSL ends").stdout;
        assert_eq!(mac.len(), 32, "OpenSSL made no HMAC-SHA-256");
        let expected = format!("v1,{}", STANDARD.encode(mac));
        self.header("webhook-signature").split(' ').any(|signature| signature == expected)
    }
}

/// A receiver. It answers until the test process ends.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    posted: Arc<Mutex<Vec<Posted>>>,
}

impl Receiver {
    /// On loopback, answering so, the last answer again and again: a status, with more lines of a header if need be.
    ///
    /// # Panics
    /// If there is no port for it.
    pub fn answering(answers: &'static [&'static str]) -> Self {
        Self::at(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port"), answers)
    }

    /// The same at this port, which was somebody's before.
    ///
    /// # Panics
    /// If the port is taken.
    pub fn answering_at(port: u16, answers: &'static [&'static str]) -> Self {
        Self::at(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port is free"), answers)
    }

    fn at(listener: TcpListener, answers: &'static [&'static str]) -> Self {
        let receiver = Self { address: listener.local_addr().expect("an address"), posted: Arc::default() };
        let posted = receiver.posted.clone();
        std::thread::spawn(move || {
            for (stream, number) in listener.incoming().flatten().zip(0..) {
                let answer = answers[usize::min(number, answers.len() - 1)];
                posted.lock().unwrap_or_else(PoisonError::into_inner).extend(take(stream, answer));
            }
        });
        receiver
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// What was posted so far.
    pub fn posted(&self) -> Vec<Posted> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many posts arrived, and gives them.
    ///
    /// # Panics
    /// If they do not.
    pub fn wait_for(&self, many: usize) -> Vec<Posted> {
        wait_until(&format!("{many} events arrive"), || self.posted().len() >= many);
        self.posted()
    }
}

/// Reads a post and answers it. `None` if there was none.
fn take(mut stream: TcpStream, answer: &str) -> Option<Posted> {
    let posted = read_post(&mut stream)?;
    // Who has hung up does not mind.
    let _gone = stream.write_all(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").as_bytes());
    Some(posted)
}

/// Reads a post from a connection. `None` if there is none.
pub fn read_post(stream: &mut impl Read) -> Option<Posted> {
    let (mut read, mut octet) = (Vec::new(), [0]);
    while !read.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut octet).ok()?;
        read.push(octet[0]);
    }
    let mut posted = Posted { head: String::from_utf8(read).ok()?, body: Vec::new() };
    posted.body = vec![0; posted.header("content-length").parse().ok()?];
    stream.read_exact(&mut posted.body).ok()?;
    Some(posted)
}
