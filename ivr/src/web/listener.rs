//! Connections: how many there may be, how long a request's head may take and how large it may be. (`axum::serve` has
//! no such bounds.)

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::App;
use crate::crowd::{Crowd, Place, Room};

/// What a connection may take.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Connections at a time: past them a new one is closed, and the browser tries again. A trusted proxy has no bound
    /// of its own: its visitors have.
    room: Room,
    /// The head of a request, the first one and the next on a connection that is kept, arrives within this time.
    head_patience: Duration,
    /// It has so many lines at most; more are answered 431.
    head_lines: usize,
    /// And so many bytes.
    head_bytes: usize,
}

const BOUNDS: Bounds = Bounds {
    room: Room { all: 4_096, of_source: 256 },
    head_patience: Duration::from_secs(15),
    head_lines: 64,
    head_bytes: 16 * 1024,
};

/// After the system had no connection for us (no file handle is free, mostly).
const PAUSE: Duration = Duration::from_millis(100);

/// Serves the pages until told to stop, and then until every connection has had its answer. A page's event stream is an
/// answer that may take long: whoever stops the service decides how long to wait. With `tls`, nothing else is spoken.
pub async fn serve(listener: TcpListener, tls: Option<Arc<ServerConfig>>, app: App, stop: CancellationToken) {
    let connecting = Connecting { tls: tls.map(TlsAcceptor::from), router: super::router(app.clone()), bounds: BOUNDS };
    serve_within(listener, connecting, app, stop).await;
}

/// What every connection begins with.
#[derive(Clone)]
struct Connecting {
    tls: Option<TlsAcceptor>,
    router: Router,
    bounds: Bounds,
}

async fn serve_within(listener: TcpListener, connecting: Connecting, app: App, stop: CancellationToken) {
    let (crowd, open) = (Crowd::new(connecting.bounds.room), GracefulShutdown::new());
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => {
                let is_proxy =
                    app.settings.trusted_proxies.iter().any(|proxy| proxy.contains(peer.ip().to_canonical()));
                let place = crowd.enter(peer.ip().to_canonical());
                if place.is_some() || is_proxy {
                    connecting.clone().begin(stream, peer, place, open.watcher());
                }
            }
            Err(error) => {
                tracing::warn!(%error, "no connection could be taken: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    open.shutdown().await;
}

impl Connecting {
    fn begin(self, stream: TcpStream, peer: SocketAddr, place: Option<Place>, open: Watcher) {
        // Only a matter of speed: live steps are small and should not wait for each other.
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let _place = place;
            match &self.tls {
                None => exchange(stream, peer, self.router, self.bounds, open).await,
                Some(tls) => match tokio::time::timeout(self.bounds.head_patience, tls.accept(stream)).await {
                    Ok(Ok(stream)) => exchange(stream, peer, self.router, self.bounds, open).await,
                    Ok(Err(error)) => tracing::trace!(%error, "no TLS was agreed on"),
                    Err(_) => tracing::trace!("TLS was not agreed on in time"),
                },
            }
        });
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    peer: SocketAddr,
    router: Router,
    bounds: Bounds,
    open: Watcher,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_patience)
        .max_headers(bounds.head_lines)
        .max_buf_size(bounds.head_bytes)
        .serve_connection(TokioIo::new(stream), service);
    // A browser that goes away in the middle is no fault of ours.
    if let Err(error) = open.watch(connection).await {
        tracing::trace!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::JoinHandle;

    use super::*;
    use crate::web::tests::service::Service;

    struct Served {
        address: SocketAddr,
        stop: CancellationToken,
        task: JoinHandle<()>,
        _service: Service,
    }

    async fn serve(change: impl FnOnce(&mut Bounds)) -> Served {
        let mut bounds = BOUNDS;
        change(&mut bounds);
        let service = Service::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let connecting = Connecting { tls: None, router: service.router.clone(), bounds };
        let serving = serve_within(listener, connecting, service.app.clone(), stop.clone());
        Served { address, stop, task: tokio::spawn(serving), _service: service }
    }

    /// Sends this, and reads until the other side closes.
    async fn exchange(address: SocketAddr, sent: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A reset is a close, too.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn a_page_is_served_and_the_connection_told_who_asks() {
        let served = serve(|_| {}).await;
        let request = "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        // Only who is near reads the counters.
        assert!(exchange(served.address, request).await.starts_with("HTTP/1.1 200 OK"));
        served.stop.cancel();
        served.task.await.unwrap();
        assert!(TcpStream::connect(served.address).await.is_err(), "the listener is still there");
    }

    #[tokio::test]
    async fn who_does_not_finish_the_head_of_a_request_is_cut_off() {
        let served = serve(|bounds| bounds.head_patience = Duration::from_millis(50)).await;
        let answer = exchange(served.address, "GET / HTTP/1.1\r\nhost: local").await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }

    #[tokio::test]
    async fn a_head_with_too_many_lines_or_bytes_is_refused() {
        let served = serve(|_| {}).await;
        for head in ["a: b\r\n".repeat(65), format!("a: {}\r\n", "b".repeat(20_000))] {
            let answer = exchange(served.address, &format!("GET / HTTP/1.1\r\nhost: localhost\r\n{head}\r\n")).await;
            assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        }
    }

    #[tokio::test]
    async fn past_the_last_place_a_connection_is_closed() {
        let served = serve(|bounds| bounds.room.all = 1).await;
        let mut first = TcpStream::connect(served.address).await.unwrap();
        first.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut byte = [0];
        first.read_exact(&mut byte).await.unwrap();
        assert_eq!(exchange(served.address, "").await, "");
        drop(first);
    }
}
