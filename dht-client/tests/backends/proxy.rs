//! A proxy of OpenDHT as far as ours is a client of it, with the manners that a test gives it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dht_client::SlotId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How long a flood is read, and a moment.
const LATE: Duration = Duration::from_millis(1300);

/// What the ring behind some proxies keeps: the lines of each key. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<HashMap<String, String>>>);

impl Shelf {
    /// Puts a line, as anybody may. Under an id the first value stays, and nobody is told that theirs did not.
    pub(crate) fn put(&self, key: &str, line: &str) {
        let id = |line: &str| Some(serde_json::from_str::<serde_json::Value>(line).ok()?.get("id")?.clone());
        let mut shelf = self.0.lock().expect("nobody panics with it");
        let lines = shelf.entry(key.to_owned()).or_default();
        if !lines.lines().any(|before| id(before) == id(line)) {
            lines.push_str(&format!("{line}\n"));
        }
    }
}

/// What is done to one kind of request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// As a proxy should: what was put is kept on the shelf, and shown.
    Honest,
    /// 200 and these bytes.
    Body(Vec<u8>),
    /// 200, and bytes that are said to be compressed.
    Encoded(&'static str, Vec<u8>),
    /// 200 and this, again and again.
    Endless(String),
    /// 200 and this, a byte every 50 ms.
    Drip(String),
    /// 200 and this, and longer after that than a flood is read, the rest.
    Late(String, String),
    /// 200 and these, each after so many milliseconds.
    Paced(Vec<(u64, String)>),
    /// 200 and this, and neither more nor an end.
    Unended(String),
    /// 200 and less than was promised.
    Cut(String),
    /// Another status, without a body.
    Status(u16),
    /// The connection is taken, and nothing follows.
    Hang,
    /// This, if the request is about that slot; else as a proxy should.
    At(SlotId, Box<Self>),
}

impl Reply {
    pub(crate) fn body(text: impl Into<Vec<u8>>) -> Self {
        Self::Body(text.into())
    }
}

/// What is done to every kind of request.
#[derive(Debug, Clone)]
pub(crate) struct Manners {
    pub(crate) info: Reply,
    pub(crate) get: Reply,
    pub(crate) post: Reply,
    pub(crate) shelf: Shelf,
}

impl Manners {
    pub(crate) fn honest() -> Self {
        Self::of(&Shelf::default())
    }

    pub(crate) fn of(shelf: &Shelf) -> Self {
        Self { info: Reply::Honest, get: Reply::Honest, post: Reply::Honest, shelf: shelf.clone() }
    }
}

/// A proxy on a port of its own; it ends with this.
#[derive(Debug)]
pub(crate) struct Proxy {
    url: String,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    pub(crate) async fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, manners.clone()));
            }
        });
        Self { url, task }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// One request a connection. A client that went away ends it.
async fn serve(mut stream: TcpStream, manners: Manners) -> Option<()> {
    let (head, body) = request(&mut stream).await?;
    let mut words = head.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let (reply, honest) = match (method, path) {
        (_, "/node/info") => (&manners.info, "{\"ipv4\":{\"good\":2}}".to_owned()),
        ("GET", key) => (&manners.get, manners.shelf.0.lock().ok()?.get(key).cloned().unwrap_or_default()),
        (_, key) => {
            if matches!(manners.post, Reply::Honest) {
                manners.shelf.put(key, &body);
            }
            (&manners.post, body)
        }
    };
    let reply = match reply {
        Reply::At(slot, there) if path.ends_with(&slot.to_string()) => there,
        Reply::At(..) => &Reply::Honest,
        everywhere => everywhere,
    };
    answer(&mut stream, reply, honest.into_bytes()).await
}

async fn answer(stream: &mut TcpStream, reply: &Reply, honest: Vec<u8>) -> Option<()> {
    let whole = |status: u16, encoding: &str, body: &[u8], length: usize| {
        let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n{encoding}Content-Length: {length}\r\n\r\n");
        [head.as_bytes(), body].concat()
    };
    let open: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    match reply {
        Reply::Honest => stream.write_all(&whole(200, "", &honest, honest.len())).await.ok(),
        Reply::Body(body) => stream.write_all(&whole(200, "", body, body.len())).await.ok(),
        Reply::Encoded(how, body) => {
            let encoding = format!("Content-Encoding: {how}\r\n");
            stream.write_all(&whole(200, &encoding, body, body.len())).await.ok()
        }
        Reply::Cut(body) => stream.write_all(&whole(200, "", body.as_bytes(), body.len() + 1)).await.ok(),
        Reply::Status(status) => stream.write_all(&whole(*status, "", b"", 0)).await.ok(),
        Reply::Endless(body) => {
            stream.write_all(open).await.ok()?;
            loop {
                stream.write_all(body.as_bytes()).await.ok()?;
            }
        }
        Reply::Drip(body) => {
            stream.write_all(open).await.ok()?;
            for byte in body.bytes() {
                stream.write_all(&[byte]).await.ok()?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Some(())
        }
        Reply::Late(first, rest) => {
            stream.write_all(&[open, first.as_bytes()].concat()).await.ok()?;
            tokio::time::sleep(LATE).await;
            stream.write_all(rest.as_bytes()).await.ok()
        }
        Reply::Paced(parts) => {
            stream.write_all(open).await.ok()?;
            for (pause, part) in parts {
                tokio::time::sleep(Duration::from_millis(*pause)).await;
                stream.write_all(part.as_bytes()).await.ok()?;
            }
            Some(())
        }
        Reply::Unended(first) => {
            stream.write_all(&[open, first.as_bytes()].concat()).await.ok()?;
            std::future::pending().await
        }
        Reply::Hang | Reply::At(..) => std::future::pending().await,
    }
}

/// Head and body of a request with a Content-Length or none.
async fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then(|| value.parse().ok())?
        });
        if body.len() >= length.unwrap_or(0_usize) {
            return Some((head.to_owned(), body.to_owned()));
        }
    }
}
