//! Servers that must not get what they want. 127.0.0.1 counts as public here, and nothing else does. A machine that is busy with other
//! things does not make a server slow: only the test of what is slow has the limit.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;

pub(in super::super) const PUBLIC: Ipv4Addr = Ipv4Addr::LOCALHOST;
const INSIDE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
pub(in super::super) const NAME: &str = "certificates.example";

/// Types of records (RFC 1035 3.2.2, RFC 3596 2.1).
const A: u8 = 1;
const AAAA: u8 = 28;

/// A web server with a certificate of its own, and a name server that answers with these addresses, one set after the other.
pub(in super::super) struct Internet {
    pub(in super::super) fetcher: Fetcher,
    pub(in super::super) port: u16,
    /// What lies at `/leaf.pem`; nothing does if it is empty.
    pub(in super::super) leaf: Arc<Mutex<String>>,
    /// Where nobody should come.
    inside: TcpListener,
}

impl Internet {
    pub(in super::super) async fn with(answers: &[&[Ipv4Addr]]) -> Self {
        Self::patient(answers, Duration::from_secs(120)).await
    }

    async fn patient(answers: &[&[Ipv4Addr]], limit: Duration) -> Self {
        Self::of(answers, &[], limit).await
    }

    /// Its name has these addresses of IPv6, too.
    async fn of(answers: &[&[Ipv4Addr]], ipv6: &[Ipv6Addr], limit: Duration) -> Self {
        let key = KeyPair::generate().unwrap();
        let names = [NAME, "127.0.0.1", "127.0.0.2"].map(str::to_owned);
        let cert = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let secret = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let tls = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], secret);
        let listener = TcpListener::bind((PUBLIC, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let leaf = Arc::new(Mutex::new("a certificate".to_owned()));
        tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(tls.unwrap())), leaf.clone()));
        let inside = TcpListener::bind((INSIDE, port)).await.unwrap();
        let nameserver = UdpSocket::bind((PUBLIC, 0)).await.unwrap();
        let names = Names::of(&[nameserver.local_addr().unwrap()]).unwrap();
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        tokio::spawn(name(nameserver, answers, ipv6.to_vec()));
        let reach = Reach { addresses: |address| address == IpAddr::V4(PUBLIC), in_clear: false };
        let guards = Guards { reach, ports: |_| true, limit };
        let fetcher = Fetcher::within(guards, names, Some(cert.pem().as_bytes()), Clock).unwrap();
        Self { fetcher, port, leaf, inside }
    }

    async fn fetch(&self, host: &str, path: &str) -> Result<Vec<u8>, Fault> {
        self.fetcher.fetch(&format!("https://{host}:{}/{path}", self.port)).await
    }

    /// Nobody has come to the address inside.
    async fn is_left_alone(&self) -> bool {
        tokio::time::timeout(Duration::from_millis(50), self.inside.accept()).await.is_err()
    }
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, leaf: Arc<Mutex<String>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, leaf) = (tls.clone(), leaf.lock().unwrap().clone());
        tokio::spawn(async move {
            let Ok(mut stream) = tls.accept(stream).await else { return };
            let mut request = vec![0; 4_096];
            let length = stream.read(&mut request).await.unwrap_or(0);
            let text = String::from_utf8_lossy(&request[..length]).into_owned();
            let path = text.split(' ').nth(1).unwrap_or_default();
            if path == "/dripping" {
                return drip(&mut stream).await;
            }
            let large = "x".repeat(LARGEST_BYTES + 1);
            let (status, more, body) = match path {
                "/leaf.pem" if !leaf.is_empty() => ("200 OK", "", &*leaf),
                "/full" => ("200 OK", "", &large[1..]),
                "/oversized" => ("200 OK", "", &*large),
                "/redirect" => ("302 Found", "Location: https://127.0.0.2/\r\n", ""),
                "/slow" => std::future::pending().await,
                _ => ("404 Not Found", "", "not here"),
            };
            let answer = format!("HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\n\r\n{body}", body.len());
            // Who has read enough hangs up.
            let _gone = stream.write_all(answer.as_bytes()).await;
            let _gone = stream.shutdown().await;
        });
    }
}

/// An octet now and then, until the other side has had enough.
async fn drip(stream: &mut (impl AsyncWrite + Unpin)) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGEST_BYTES}\r\n\r\n");
    let mut written = stream.write_all(head.as_bytes()).await;
    while written.is_ok() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        written = stream.write_all(b"x").await;
    }
}

/// Answers questions for A with the next addresses, the last of them again and again, those for AAAA with these, and others with none.
async fn name(socket: UdpSocket, mut answers: VecDeque<Vec<Ipv4Addr>>, ipv6: Vec<Ipv6Addr>) {
    let mut buffer = [0; 512];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        // RFC 1035 4.1: the header has 12 octets, and the question ends with its type and class.
        let question_end = 12 + buffer[12..length].iter().position(|octet| *octet == 0).unwrap() + 5;
        let kind = buffer[question_end - 3];
        let addresses: Vec<Vec<u8>> = match kind {
            A => {
                let next = if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() };
                next.iter().map(|address| address.octets().to_vec()).collect()
            }
            AAAA => ipv6.iter().map(|address| address.octets().to_vec()).collect(),
            _ => Vec::new(),
        };
        let mut answer = buffer[..question_end].to_vec();
        answer[2..12].copy_from_slice(&[0x85, 0x80, 0, 1, 0, u8::try_from(addresses.len()).unwrap(), 0, 0, 0, 0]);
        for address in addresses {
            // The question's name, its type, IN, no time to live, so many octets.
            answer.extend_from_slice(&[0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 0, 0, u8::try_from(address.len()).unwrap()]);
            answer.extend_from_slice(&address);
        }
        socket.send_to(&answer, from).await.unwrap();
    }
}

#[tokio::test]
async fn what_lies_at_a_public_address_is_fetched() {
    let internet = Internet::with(&[&[PUBLIC]]).await;
    assert_eq!(internet.fetch(NAME, "leaf.pem").await, Ok(b"a certificate".to_vec()));
    assert_eq!(internet.fetch("127.0.0.1", "leaf.pem").await, Ok(b"a certificate".to_vec()));
    assert_eq!(internet.fetch(NAME, "full").await.map(|body| body.len()), Ok(LARGEST_BYTES));
}

#[tokio::test]
async fn a_private_address_is_not_connected_to_by_name_or_by_number() {
    let internet = Internet::with(&[&[INSIDE]]).await;
    for host in [NAME, "127.0.0.2", "127.2", "0x7f000002", "[::1]", "[::ffff:7f00:2]"] {
        assert_eq!(internet.fetch(host, "leaf.pem").await, Err(Fault::NotPublic), "{host}");
    }
    assert!(internet.is_left_alone().await);
}

#[tokio::test]
async fn a_private_address_of_ipv6_is_not_connected_to_by_name() {
    let limit = Duration::from_secs(120);
    let inside =
        ["::1", "fd00::1", "::ffff:127.0.0.2", "64:ff9b::7f00:2"].map(|address| address.parse::<Ipv6Addr>().unwrap());
    for address in inside {
        let alone = Internet::of(&[&[]], &[address], limit).await;
        assert_eq!(alone.fetch(NAME, "leaf.pem").await, Err(Fault::NotPublic), "{address}");
        assert!(alone.is_left_alone().await, "{address}");
    }
    // A public address beside them is the only one that is tried.
    let beside = Internet::of(&[&[PUBLIC]], &inside, limit).await;
    assert_eq!(beside.fetch(NAME, "leaf.pem").await, Ok(b"a certificate".to_vec()));
    assert!(beside.is_left_alone().await);
}

#[tokio::test]
async fn a_name_that_changes_its_answer_leads_nowhere_else() {
    // Whatever was looked at is what is connected to: there is no second look-up in between.
    let internet = Internet::with(&[&[PUBLIC], &[INSIDE]]).await;
    assert_eq!(internet.fetch(NAME, "leaf.pem").await, Ok(b"a certificate".to_vec()));
    assert_eq!(internet.fetch(NAME, "leaf.pem").await, Err(Fault::NotPublic));
    // Of several addresses only the public ones are tried.
    let mixed = Internet::with(&[&[INSIDE, PUBLIC]]).await;
    assert_eq!(mixed.fetch(NAME, "leaf.pem").await, Ok(b"a certificate".to_vec()));
    assert!(internet.is_left_alone().await && mixed.is_left_alone().await);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let internet = Internet::with(&[&[PUBLIC]]).await;
    assert_eq!(internet.fetch(NAME, "redirect").await, Err(Fault::Redirect));
    assert!(internet.is_left_alone().await);
}

#[tokio::test]
async fn what_is_oversized_or_not_there_is_given_up() {
    let internet = Internet::with(&[&[PUBLIC]]).await;
    assert_eq!(internet.fetch(NAME, "oversized").await, Err(Fault::Oversized));
    assert_eq!(internet.fetch(NAME, "nothing").await, Err(Fault::Unreachable));
    assert_eq!(LARGEST_BYTES, 65_536);
}

#[tokio::test]
async fn whatever_is_slow_is_waited_for_three_seconds_in_all() {
    assert_eq!(Guards::INTERNET.limit, Duration::from_secs(3));
    let internet = Internet::patient(&[&[PUBLIC]], Guards::INTERNET.limit).await;
    let silent = UdpSocket::bind((PUBLIC, 0)).await.unwrap();
    let names = Names::of(&[silent.local_addr().unwrap()]).unwrap();
    let unnamed = Fetcher::new(names, None, Clock).unwrap();
    let began = Clock.now();
    let ends = tokio::join!(
        internet.fetch(NAME, "slow"),
        internet.fetch(NAME, "dripping"),
        unnamed.fetch("https://certificates.example/leaf.pem"),
    );
    let took = Clock.now() - began;
    assert_eq!(ends, (Err(Fault::Slow), Err(Fault::Slow), Err(Fault::Slow)));
    assert!(took >= Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn anything_but_https_is_no_place_for_a_certificate() {
    let internet = Internet::with(&[&[PUBLIC]]).await;
    let port = internet.port;
    for (url, fault) in [
        (format!("http://127.0.0.1:{port}/leaf.pem"), Fault::Unreachable),
        (format!("https://user:secret@127.0.0.1:{port}/leaf.pem"), Fault::X5u),
        ("https://".to_owned(), Fault::X5u),
        ("file:///etc/passwd".to_owned(), Fault::X5u),
    ] {
        assert_eq!(internet.fetcher.fetch(&url).await, Err(fault), "{url}");
    }
}

#[tokio::test]
async fn no_other_port_than_those_of_certificates_is_connected_to() {
    let names = Names::of(&["127.0.0.1:9".parse().unwrap()]).unwrap();
    let fetcher = Fetcher::new(names, None, Clock).unwrap();
    // The address is public; nobody may be asked there.
    for url in ["https://8.8.8.8:22/leaf.pem", "https://8.8.8.8:8080/", "https://certificates.example:444/leaf.pem"] {
        assert_eq!(fetcher.fetch(url).await, Err(Fault::X5u), "{url}");
    }
    let is_open = |port: &u16| (Guards::INTERNET.ports)(*port);
    assert_eq!((1..=u16::MAX).filter(is_open).collect::<Vec<_>>(), [443, 8443]);
}

#[tokio::test]
async fn a_host_is_asked_only_so_often() {
    let internet = Internet::with(&[&[PUBLIC]]).await;
    assert_eq!(internet.fetch(NAME, "leaf.pem").await, Ok(b"a certificate".to_vec()));
    let more = std::iter::repeat_with(|| internet.fetcher.may_ask(NAME)).take_while(|may| *may).count();
    assert_eq!(1 + more, 60);
    assert!(!internet.fetcher.may_ask(&format!("{NAME}.")), "the same host");
    assert_eq!(internet.fetch(NAME, "leaf.pem").await, Err(Fault::Busy));
    assert_eq!(internet.fetch("127.0.0.1", "leaf.pem").await, Ok(b"a certificate".to_vec()), "another host");
    let known = format!("https://{NAME}:{}/leaf.pem", internet.port);
    assert_eq!(internet.fetcher.fetch_again(&known).await, Ok(b"a certificate".to_vec()), "a place that is known");
}
