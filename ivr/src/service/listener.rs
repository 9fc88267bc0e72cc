//! The pages' listener: connections with or without TLS, each bounded in number and in the time it may keep us waiting.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::config::http::Tls;

/// Connections at a time. One more waits in the system's queue, where it costs us nothing, until another ends; an open
/// page has one for its event stream, of which `web::limits` allows fewer.
const CONNECTIONS: usize = 4_096;
/// From a connection to its first request, and for each request's head: nobody holds a place by saying nothing.
const PATIENCE: Duration = Duration::from_secs(10);
/// After the system refused a connection, because the process has too many files open.
const PAUSE: Duration = Duration::from_millis(200);

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file.
    #[error("{} ({key}) cannot be used: {cause}", file.display())]
    File {
        /// The configuration's key.
        key: &'static str,
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        cause: PemError,
    },
    /// Certificate and key.
    #[error("[http] tls_certificate and tls_key cannot be used together: {0}")]
    Pair(rustls::Error),
}

/// Speaks TLS with this certificate.
///
/// # Errors
/// If certificate or key cannot be read, or do not belong together.
pub fn tls(files: &Tls) -> Result<TlsAcceptor, TlsError> {
    let wrong = |key, file: &Path| {
        let file = file.to_owned();
        move |cause| TlsError::File { key, file, cause }
    };
    let chain = CertificateDer::pem_file_iter(files.certificate())
        .and_then(|chain| chain.collect::<Result<Vec<_>, _>>())
        .map_err(wrong("http.tls_certificate", files.certificate()))?;
    let key = PrivateKeyDer::from_pem_file(files.key()).map_err(wrong("http.tls_key", files.key()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Serves the router until told to stop, and then what was asked already.
pub(super) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection to the pages could not be taken: {error}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let (tls, router, stop) = (tls.clone(), router.clone(), stop.clone());
        connections.spawn(async move {
            if let Err(error) = connection(stream, peer, tls, router, stop).await {
                // Somebody went away, or spoke something else.
                tracing::debug!(%error, "a connection ended: {error}");
            }
            drop(place);
        });
    }
    connections.close();
    connections.wait().await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    stop: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // Answers are short: they go out at once.
    stream.set_nodelay(true)?;
    match tls {
        None => exchange(stream, peer, router, stop).await,
        Some(tls) => {
            let stream = tokio::time::timeout(PATIENCE, tls.accept(stream)).await.map_err(io::Error::from)??;
            exchange(stream, peer, router, stop).await
        }
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let router = router.clone();
        async move { Ok::<_, Infallible>(router.oneshot(request.map(Body::new)).await.unwrap_or_else(|never| match never {})) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    Ok(connection.await?)
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    struct Listening {
        address: SocketAddr,
        stop: CancellationToken,
        serving: tokio::task::JoinHandle<()>,
    }

    async fn listen(tls: Option<TlsAcceptor>) -> Listening {
        let who = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() };
        let router = Router::new().route("/", get(who));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let serving = tokio::spawn(serve(listener, tls, router, stop.clone()));
        Listening { address, stop, serving }
    }

    #[tokio::test]
    async fn a_request_is_answered_and_its_sender_known() {
        let at = listen(None).await;
        let answer = reqwest::get(format!("http://{}/", at.address)).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "127.0.0.1"));
    }

    #[tokio::test]
    async fn the_listener_ends_when_told_although_somebody_stays_connected() {
        let at = listen(None).await;
        let mut stream = TcpStream::connect(at.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut begun = [0; 12];
        stream.read_exact(&mut begun).await.unwrap();
        assert_eq!(&begun, b"HTTP/1.1 200");
        at.stop.cancel();
        at.serving.await.unwrap();
        assert!(TcpStream::connect(at.address).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_loses_the_connection() {
        let at = listen(None).await;
        let mut stream = TcpStream::connect(at.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let mut rest = Vec::new();
        // The clock of the test goes on by itself while all wait.
        stream.read_to_end(&mut rest).await.unwrap();
        assert!(!rest.starts_with(b"HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn tls_is_spoken_with_the_configured_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        let files = Tls::of(folder.path().join("tls.pem"), folder.path().join("tls.key"));
        std::fs::write(files.certificate(), certificate.pem()).unwrap();
        let missing = tls(&files).err().unwrap().to_string();
        assert!(missing.contains("tls.key (http.tls_key) cannot be used"), "{missing}");
        std::fs::write(files.key(), rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
        let other = tls(&files).err().unwrap().to_string();
        assert!(other.contains("cannot be used together"), "{other}");
        std::fs::write(files.key(), key.serialize_pem()).unwrap();

        let at = listen(Some(tls(&files).unwrap())).await;
        let root = reqwest::Certificate::from_pem(certificate.pem().as_bytes()).unwrap();
        let client = reqwest::Client::builder().add_root_certificate(root).build().unwrap();
        let url = format!("https://localhost:{}/", at.address.port());
        assert_eq!(client.get(url).send().await.unwrap().status(), 200);
        assert!(reqwest::get(format!("http://{}/", at.address)).await.is_err(), "plain HTTP is not understood");
    }
}
