//! A bell for the library's thread, which waits up to 50 ms for a datagram and looks for orders, and reports the end of a query,
//! only between two such waits (docs/adr/0016-a-bell-for-the-library.md).
//!
//! A ring is a datagram that is no message: it ends the wait, and the library drops it, unanswered and unlogged.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::warn;

/// No message of the DHT is empty.
const RING: &[u8] = b"";
/// After an order the bell rings once, and again for the end of what was ordered, each time after twice the pause before. After
/// the last of these the library's own wait is short against what was waited already. So it rings at most once for each order,
/// and six times after the last: a stopped library finds no full buffer.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(32);

/// Rings at one node of this process; silent when it is dropped.
#[derive(Debug)]
pub(super) struct Bell {
    ordered: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Bell {
    /// At the node that listens here.
    async fn hang(node: SocketAddrV4) -> io::Result<Self> {
        let address = if node.ip().is_unspecified() { Ipv4Addr::LOCALHOST } else { *node.ip() };
        let socket = UdpSocket::bind((address, 0)).await?;
        socket.connect((address, node.port())).await?;
        let ordered = Arc::new(Notify::new());
        let task = tokio::spawn(answer(socket, ordered.clone()));
        Ok(Self { ordered, task })
    }

    /// At the node that listens here, if it can be: a node that is rung at by nobody only takes longer.
    pub(super) async fn hang_if_possible(node: SocketAddrV4) -> Option<Self> {
        match Self::hang(node).await {
            Ok(bell) => Some(bell),
            Err(error) => {
                warn!(%error, "no bell can be hung at the mainline node {node}: look-ups and puts take up to 100 ms longer");
                None
            }
        }
    }

    /// The node was just given an order. Orders that are given together are rung for once, or twice if the bell was at rest.
    pub(super) fn ring(&self) {
        self.ordered.notify_one();
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(socket: UdpSocket, ordered: Arc<Notify>) {
    loop {
        ordered.notified().await;
        let mut pause = FIRST_PAUSE;
        while pause <= LONGEST_PAUSE {
            // A ring that gets lost costs one wait, as before there was a bell.
            let _ = socket.send(RING).await;
            pause = match timeout(pause, ordered.notified()).await {
                Ok(()) => FIRST_PAUSE,
                Err(_) => pause * 2,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use mainline::Dht;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// A ping (BEP 5) with a transaction of four bytes, as the library makes them.
    fn ping(number: u8) -> Vec<u8> {
        [&b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping"[..], &transaction(number), b"1:y1:qe"].concat()
    }

    fn transaction(number: u8) -> Vec<u8> {
        [&b"1:t4:\x00\x00\x00"[..], &[number]].concat()
    }

    fn address(socket: &UdpSocket) -> SocketAddrV4 {
        let port = socket.local_addr().unwrap().port();
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
    }

    async fn received(socket: &UdpSocket, patience: Duration) -> Option<Vec<u8>> {
        let mut bytes = [0; 2048];
        let size = timeout(patience, socket.recv(&mut bytes)).await.ok()?.unwrap();
        Some(bytes[..size].to_vec())
    }

    #[tokio::test]
    async fn orders_that_come_together_are_rung_for_a_few_times_in_all() {
        let node = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = address(&node);
        let bell = Bell::hang(address).await.unwrap();
        for _ in 0..2 {
            (0..100).for_each(|_| bell.ring());
            for _ in 0..6 {
                assert_eq!(received(&node, PATIENCE).await.as_deref(), Some(RING));
            }
        }
        // One more each time at most; that there is none is never known for sure.
        let mut more = 0;
        while let Some(ring) = received(&node, LONGEST_PAUSE * 8).await {
            assert_eq!(ring, RING);
            more += 1;
        }
        assert!(more <= 2, "{more} more rings");
    }

    #[tokio::test]
    async fn a_node_answers_no_ring_and_lives_on() {
        let start = || Dht::builder().server_mode().no_bootstrap().bind_address(Ipv4Addr::LOCALHOST).port(0).build();
        let node = tokio::task::spawn_blocking(start).await.unwrap().unwrap().as_async();
        let caller = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        caller.connect(node.info().await.local_addr()).await.unwrap();
        // Requests are taken in the order in which they came: an answer to a ring would come before that to the ping after it.
        for number in [7, 8] {
            for _ in 0..100 {
                caller.send(RING).await.unwrap();
            }
            caller.send(&ping(number)).await.unwrap();
            let next = received(&caller, PATIENCE).await.expect("the node answers the ping");
            let transaction = transaction(number);
            assert!(next.windows(transaction.len()).any(|window| window == transaction), "the next answer is the pong");
        }
    }

    #[tokio::test]
    async fn a_bell_that_cannot_be_hung_is_gone_without() {
        // TEST-NET-1 (RFC 5737) is no address of ours.
        let elsewhere = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 1);
        assert!(Bell::hang_if_possible(elsewhere).await.is_none());
    }

    #[tokio::test]
    async fn a_bell_outlives_its_node_and_ends_with_itself() {
        let node = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = address(&node);
        drop(node);
        let bell = Bell::hang(address).await.unwrap();
        bell.ring();
        let next = UdpSocket::bind(address).await.unwrap();
        bell.ring();
        assert_eq!(received(&next, PATIENCE).await.as_deref(), Some(RING));
        let ordered = Arc::downgrade(&bell.ordered);
        drop(bell);
        while ordered.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
    }
}
