use std::net::{IpAddr, Ipv4Addr};

use ivr_core::caller::{KeepsDiversion, Level, TrunkIndex, TrunkProfile};
use ivr_core::number::{KindPolicy, Number};
use ivr_core::sip::peer::Flow;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::certificates::Known;
use super::*;
use crate::tls::{Identity, provider};

const TRUNK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// Far longer than anything takes; only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
const OPTIONS: &[u8] = b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n";

/// The second trunk.
const CERTIFIED: TrunkIndex = TrunkIndex(1);

/// The first trunk comes from 127.0.0.1, the second from anywhere with its certificate.
fn policy() -> Policy {
    let plain = TrunkProfile {
        name: "plain".into(),
        sources: vec!["127.0.0.1".parse().unwrap()],
        numbers: vec![Number::parse("+12025550100").unwrap()],
        shared_addresses: false,
        trust_pai: true,
        cli_screened: true,
        keeps_diversion: KeepsDiversion::Yes,
        max_calls: 8,
        ..TrunkProfile::default()
    };
    let certified =
        TrunkProfile { name: "certified".into(), sources: vec![], shows_certificate: true, ..plain.clone() };
    // Who shows neither may rehearse from there.
    let sandbox = TrunkProfile {
        name: "rehearsals".into(),
        realm: Realm::Sandbox,
        sources: vec!["127.0.2.0/24".parse().unwrap()],
        ..plain.clone()
    };
    Policy { trunks: vec![plain, certified, sandbox], issue_from: Level::L1.into(), kinds: KindPolicy::default() }
}

struct Served {
    streams: Streams,
    events: mpsc::Receiver<Event>,
    tcp: SocketAddr,
    tls: Option<SocketAddr>,
}

async fn served(strangers: Strangers, secure: Option<Secure>) -> Served {
    let tcp = TcpListener::bind((TRUNK, 0)).await.unwrap();
    let tls = TcpListener::bind((TRUNK, 0)).await.unwrap();
    let (tcp_address, tls_address) = (tcp.local_addr().unwrap(), tls.local_addr().unwrap());
    let tls_address = secure.is_some().then_some(tls_address);
    let tls = secure.map(|secure| (tls, Arc::new(secure)));
    let (streams, events) = Streams::start(Listeners { tcp, tls, policy: policy(), strangers }, Clock);
    Served { streams, events, tcp: tcp_address, tls: tls_address }
}

impl Served {
    async fn message(&mut self) -> (Peer, Vec<u8>) {
        match tokio::time::timeout(PATIENCE, self.events.recv()).await.unwrap().unwrap() {
            Event::Message { from, bytes } => (from, bytes),
            Event::Broken { .. } => panic!("the stream is broken"),
            Event::Unreached { to } => panic!("{to} is not reached"),
        }
    }
}

async fn connected(from: IpAddr, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    socket.connect(to).await.unwrap()
}

/// What arrives until the other side closes.
async fn rest(stream: &mut (impl AsyncReadExt + Unpin)) -> Vec<u8> {
    let mut all = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("the connection stays open");
    all
}

async fn first(stream: &mut (impl AsyncReadExt + Unpin), count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut bytes)).await.expect("nothing arrives").unwrap();
    bytes
}

#[tokio::test]
async fn messages_come_in_and_answers_take_the_same_connection() {
    let mut served = served(Strangers::Refuse, None).await;
    let (mut one, mut two) = (connected(TRUNK, served.tcp).await, connected(TRUNK, served.tcp).await);
    one.write_all(OPTIONS).await.unwrap();
    let (from_one, bytes) = served.message().await;
    assert_eq!((bytes.as_slice(), from_one.address), (OPTIONS, one.local_addr().unwrap()));
    two.write_all(&[b"\r\n\r\n", OPTIONS].concat()).await.unwrap();
    let (from_two, _) = served.message().await;
    assert_eq!(first(&mut two, 2).await, b"\r\n", "the ping was not answered");
    assert_ne!(from_one.flow, from_two.flow);
    assert!(served.streams.send(&from_two, b"to two".to_vec()) && served.streams.send(&from_one, b"to one".to_vec()));
    served.streams.part(from_one.flow.unwrap(), b", farewell".to_vec());
    assert_eq!(rest(&mut one).await, b"to one, farewell");
    assert_eq!(first(&mut two, 6).await, b"to two");
}

#[tokio::test]
async fn who_must_not_be_told_anything_is_not_even_listened_to() {
    let served = served(Strangers::Ignore, None).await;
    let mut stranger = connected(STRANGER, served.tcp).await;
    assert!(rest(&mut stranger).await.is_empty());
    assert_eq!(served.streams.figures(), (0, 1, 0));
}

#[tokio::test]
async fn strangers_take_no_place_of_a_trunk() {
    let mut served = served(Strangers::Refuse, None).await;
    let mut strangers = Vec::new();
    for n in 0..OTHERS.all + 20 {
        let host = u8::try_from(2 + n / OTHERS.of_source).unwrap();
        strangers.push(connected(Ipv4Addr::new(127, 0, 1, host).into(), served.tcp).await);
    }
    let mut trunk = connected(TRUNK, served.tcp).await;
    trunk.write_all(OPTIONS).await.unwrap();
    assert_eq!(served.message().await.0.address, trunk.local_addr().unwrap());
    assert_eq!(served.streams.figures(), (OTHERS.all + 1, 20, 0));
}

#[tokio::test]
async fn who_rehearses_has_fewer_places_than_a_carrier_and_no_time_to_be_silent() {
    let served = served(Strangers::Ignore, None).await;
    let mut held = Vec::new();
    for _ in 0..REHEARSING.of_source + 3 {
        held.push(connected(Ipv4Addr::new(127, 0, 2, 1).into(), served.tcp).await);
    }
    assert!(rest(&mut held.pop().unwrap()).await.is_empty());
    assert_eq!(served.streams.figures().1, 3);
    // Who says nothing is not waited for as long as a carrier.
    assert!(rest(&mut held[0]).await.is_empty());
}

#[tokio::test]
async fn a_stranger_has_so_many_places_and_pings_earn_no_more_time() {
    let served = served(Strangers::Refuse, None).await;
    let mut strangers = Vec::new();
    for _ in 0..OTHERS.of_source + 3 {
        strangers.push(connected(STRANGER, served.tcp).await);
    }
    let mut pinging = strangers.remove(0);
    assert!(rest(&mut strangers.pop().unwrap()).await.is_empty());
    assert_eq!(served.streams.figures().1, 3);
    let pings = async {
        while pinging.write_all(b"\r\n\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(PATIENCE, pings).await.expect("a stranger stays as long as it pings");
}

#[tokio::test]
async fn a_message_whose_connection_does_not_come_about_is_counted_and_told() {
    let mut served = served(Strangers::Refuse, None).await;
    let closed = TcpListener::bind((TRUNK, 0)).await.unwrap().local_addr().unwrap();
    let to = Peer { address: closed, transport: Transport::Tcp, flow: None, certified: None };
    assert!(served.streams.send(&to, b"BYE".to_vec()));
    wait_for_lost(&served, 1).await;
    let told = tokio::time::timeout(PATIENCE, served.events.recv()).await.unwrap();
    assert!(matches!(told, Some(Event::Unreached { to: peer }) if peer == to));
}

async fn wait_for_lost(served: &Served, count: u64) {
    let counted = async {
        while served.streams.figures().2 < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, counted).await.expect("too few are counted");
}

#[tokio::test]
async fn what_has_no_connection_gets_one_and_keeps_it() {
    let mut served = served(Strangers::Refuse, None).await;
    let far = TcpListener::bind((TRUNK, 0)).await.unwrap();
    let address = far.local_addr().unwrap();
    // Of a connection that is gone.
    let to = Peer { address, transport: Transport::Tcp, flow: Some(Flow(99)), certified: None };
    assert!(served.streams.send(&to, b"one, ".to_vec()) && served.streams.send(&to, b"two".to_vec()));
    let (mut stream, _) = tokio::time::timeout(PATIENCE, far.accept()).await.unwrap().unwrap();
    assert_eq!(first(&mut stream, 8).await, b"one, two");
    stream.write_all(OPTIONS).await.unwrap();
    let (from, _) = served.message().await;
    assert_eq!((from.address, from.flow.is_some()), (address, true));
    assert!(served.streams.send(&from, b"three".to_vec()));
    assert_eq!(first(&mut stream, 5).await, b"three");
    served.streams.finish().await;
    assert!(rest(&mut stream).await.is_empty());
}

#[tokio::test]
async fn the_end_waits_for_what_is_queued() {
    let mut served = served(Strangers::Refuse, None).await;
    let mut trunk = connected(TRUNK, served.tcp).await;
    trunk.write_all(OPTIONS).await.unwrap();
    let (from, _) = served.message().await;
    for _ in 0..50 {
        assert!(served.streams.send(&from, b"BYE".to_vec()));
    }
    served.streams.finish().await;
    assert_eq!(rest(&mut trunk).await, b"BYE".repeat(50));
    assert!(TcpStream::connect(served.tcp).await.is_err(), "the listener is still there");
}

#[tokio::test]
async fn who_does_not_read_is_cut_off_and_costs_no_more_than_its_queue() {
    let mut served = served(Strangers::Refuse, None).await;
    let mut trunk = connected(TRUNK, served.tcp).await;
    trunk.write_all(OPTIONS).await.unwrap();
    let (from, _) = served.message().await;
    let message = vec![b'x'; 60_000];
    let mut taken = 0;
    while served.streams.send(&Peer { address: (TRUNK, 1).into(), ..from }, message.clone()) {
        taken += 1;
        assert!(taken < 10_000, "the queue has no end");
        tokio::task::yield_now().await;
    }
}

/// An authority of carriers, and certificates of it.
struct Authority(Issuer<'static, KeyPair>, CertificateDer<'static>);

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self(Issuer::new(params, key), certificate.der().clone())
    }

    fn certify(&self, names: Vec<SanType>, usage: ExtendedKeyUsagePurpose) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.extended_key_usages = vec![usage];
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }

    /// TLS of ours that believes it about the second trunk.
    fn secure(&self) -> Secure {
        let ours = self.certify(vec![dns("voice.example.org")], ExtendedKeyUsagePurpose::ServerAuth);
        let anchor = webpki::anchor_from_trusted_cert(&self.1).unwrap().to_owned();
        let known = Known { trunk: CERTIFIED, names: vec!["sip.carrier.example".into()], anchors: [anchor].into() };
        Secure::new(ours, vec![known]).unwrap()
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.1.clone()).unwrap();
        roots
    }

    /// The trunk that we take it for.
    async fn trunk_of(&self, served: &mut Served, identity: Option<Identity>) -> Option<TrunkIndex> {
        self.connect(served, TRUNK, identity).await.1
    }

    /// Connects over TLS and says OPTIONS; the connection, and the trunk that we take it for.
    async fn connect(
        &self,
        served: &mut Served,
        from: IpAddr,
        identity: Option<Identity>,
    ) -> (TlsStream<TcpStream>, Option<TrunkIndex>) {
        let client = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots());
        let client = match identity {
            Some((chain, key)) => client.with_client_auth_cert(chain, key).unwrap(),
            None => client.with_no_client_auth(),
        };
        let stream = connected(from, served.tls.unwrap()).await;
        let name = ServerName::try_from("voice.example.org").unwrap();
        let mut stream = TlsConnector::from(Arc::new(client)).connect(name, stream).await.unwrap();
        stream.write_all(OPTIONS).await.unwrap();
        let (from, bytes) = served.message().await;
        assert_eq!((from.transport, bytes.as_slice()), (Transport::Tls, OPTIONS));
        assert!(served.streams.send(&from, b"answer".to_vec()));
        assert_eq!(first(&mut stream, 6).await, b"answer");
        (stream, from.certified)
    }
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

fn uri(uri: &str) -> SanType {
    SanType::URI(uri.try_into().unwrap())
}

#[tokio::test]
async fn a_certificate_tells_the_trunk_and_another_tells_nothing() {
    use ExtendedKeyUsagePurpose::{ClientAuth, CodeSigning, ServerAuth};
    let (authority, stranger) = (Authority::new(), Authority::new());
    let mut served = served(Strangers::Refuse, Some(authority.secure())).await;
    let ours = "sip.carrier.example";
    let table = [
        ("its name", authority.certify(vec![dns(ours)], ClientAuth), Some(CERTIFIED)),
        ("a web server's certificate", authority.certify(vec![dns(ours)], ServerAuth), Some(CERTIFIED)),
        ("a SIP domain", authority.certify(vec![uri("sip:SIP.carrier.example")], ClientAuth), Some(CERTIFIED)),
        ("another SIP domain", authority.certify(vec![dns(ours), uri("sip:other.example")], ClientAuth), None),
        ("a user's address", authority.certify(vec![uri("sip:a@sip.carrier.example")], ClientAuth), None),
        ("a wildcard", authority.certify(vec![dns("*.carrier.example")], ClientAuth), None),
        ("another name", authority.certify(vec![dns("sip.other.example")], ClientAuth), None),
        ("for another use", authority.certify(vec![dns(ours)], CodeSigning), None),
        ("another authority", stranger.certify(vec![dns(ours)], ClientAuth), None),
    ];
    for (name, identity, trunk) in table {
        assert_eq!(authority.trunk_of(&mut served, Some(identity)).await, trunk, "{name}");
    }
    assert_eq!(authority.trunk_of(&mut served, None).await, None, "no certificate");
}

#[tokio::test]
async fn who_has_shown_a_certificate_is_not_waited_for_any_more() {
    let authority = Authority::new();
    let mut served = served(Strangers::Refuse, Some(authority.secure())).await;
    let mut held = Vec::new();
    for _ in 0..OTHERS.of_source + 2 {
        let identity = authority.certify(vec![dns("sip.carrier.example")], ExtendedKeyUsagePurpose::ClientAuth);
        held.push(authority.connect(&mut served, STRANGER, Some(identity)).await);
    }
    assert!(held.iter().all(|(_, certified)| *certified == Some(CERTIFIED)));
    assert_eq!(served.streams.figures(), (held.len(), 0, 0));
}

#[tokio::test]
async fn we_connect_to_the_trunk_s_certificate_or_to_nobody() {
    let authority = Authority::new();
    let mut served = served(Strangers::Refuse, Some(authority.secure())).await;
    for (name, is_it) in [("sip.carrier.example", true), ("sip.other.example", false)] {
        let (chain, key) = authority.certify(vec![dns(name)], ExtendedKeyUsagePurpose::ServerAuth);
        let server = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let far = TcpListener::bind((TRUNK, 0)).await.unwrap();
        let to = Peer { certified: Some(CERTIFIED), ..tls_at(far.local_addr().unwrap()) };
        assert!(served.streams.send(&to, b"BYE".to_vec()));
        let (stream, _) = tokio::time::timeout(PATIENCE, far.accept()).await.unwrap().unwrap();
        let accepted = TlsAcceptor::from(Arc::new(server)).accept(stream).await;
        let heard = match accepted {
            Ok(mut stream) => {
                let mut bytes = [0; 3];
                let is_heard = tokio::time::timeout(PATIENCE, stream.read_exact(&mut bytes)).await.unwrap().is_ok();
                if is_heard {
                    stream.write_all(OPTIONS).await.unwrap();
                    assert_eq!(served.message().await.0.certified, Some(CERTIFIED));
                }
                is_heard
            }
            Err(_) => false,
        };
        assert_eq!(heard, is_it, "{name}");
    }
    // Nobody knows what certificate there must be.
    let far = TcpListener::bind((TRUNK, 0)).await.unwrap();
    assert!(served.streams.send(&tls_at(far.local_addr().unwrap()), b"BYE".to_vec()));
    wait_for_lost(&served, 2).await;
}

fn tls_at(address: SocketAddr) -> Peer {
    Peer { address, transport: Transport::Tls, flow: None, certified: None }
}
