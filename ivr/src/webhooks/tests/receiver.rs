//! Who receives events: a server on loopback that answers as it is told, and keeps what arrived.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ivr_core::private::Private;
use ring::hmac;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What a receiver answers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answers {
    Status(u16),
    RestFor(u16),
    Redirect,
    Never,
}

pub(super) use Answers::{Never, Redirect, RestFor, Status};

/// What arrived.
#[derive(Debug, Clone)]
pub(super) struct Arrived {
    pub(super) headers: HashMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Arrived {
    pub(super) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Is it signed with this secret? By another library than signs, and as a receiver does it.
    pub(super) fn is_signed(&self, secret: &Private<String>) -> bool {
        let key = STANDARD.decode(secret.expose().strip_prefix("whsec_").unwrap()).unwrap();
        let text =
            [self.id().as_bytes(), b".", self.headers["webhook-timestamp"].as_bytes(), b".", &self.body].concat();
        self.headers["webhook-signature"].split(' ').any(|signature| {
            let octets = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
            hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), &text, &octets).is_ok()
        })
    }
}

/// A server on loopback that answers so, the last answer again and again.
pub(super) struct Receiver {
    pub(super) url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    came: Arc<Notify>,
}

impl Receiver {
    pub(super) async fn answering(answers: &[Answers]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?token=of-the-receiver", listener.local_addr().unwrap());
        let (arrived, came) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Notify::new()));
        let (keep, ring) = (arrived.clone(), came.clone());
        let mut answers: VecDeque<Answers> = answers.iter().copied().collect();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0] };
                tokio::spawn(serve(stream, answer, keep.clone(), ring.clone()));
            }
        });
        Self { url, arrived, came }
    }

    pub(super) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    /// The only one.
    pub(super) fn one(&self) -> Arrived {
        let all = self.arrived();
        assert_eq!(all.len(), 1, "{all:?}");
        all.into_iter().next().unwrap()
    }

    pub(super) async fn has(&self, many: usize) {
        let come = async {
            while self.arrived().len() < many {
                self.came.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), come).await.expect("it arrives");
    }
}

async fn serve(mut stream: TcpStream, answer: Answers, keep: Arc<Mutex<Vec<Arrived>>>, ring: Arc<Notify>) {
    let (mut read, mut buffer) = (Vec::new(), [0; 4_096]);
    let (head, length) = loop {
        let n = stream.read(&mut buffer).await.unwrap_or(0);
        if n == 0 {
            return;
        }
        read.extend_from_slice(&buffer[..n]);
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(read.drain(..end + 4).collect()).unwrap();
            let headers: HashMap<String, String> = head
                .lines()
                .skip(1)
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect();
            assert!(head.starts_with("POST /hook?token=of-the-receiver HTTP/1.1\r\n"), "{head}");
            let length: usize = headers["content-length"].parse().unwrap();
            break (headers, length);
        }
    };
    while read.len() < length {
        let n = stream.read(&mut buffer).await.unwrap();
        read.extend_from_slice(&buffer[..n]);
    }
    keep.lock().unwrap().push(Arrived { headers: head, body: read });
    ring.notify_one();
    let (status, more) = match answer {
        Status(status) => (status, String::new()),
        RestFor(seconds) => (503, format!("Retry-After: {seconds}\r\n")),
        Redirect => (307, "Location: /elsewhere\r\n".to_owned()),
        Never => std::future::pending().await,
    };
    let answer = format!("HTTP/1.1 {status} So\r\n{more}Content-Length: 0\r\n\r\n");
    let _gone = stream.write_all(answer.as_bytes()).await;
}
