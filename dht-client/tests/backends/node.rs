//! Members of a mainline ring as far as ours is a client of it, with the manners that a test gives them.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use dht_client::{Item, SlotId};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// What every member does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manners {
    /// It answers each put with this error.
    pub(crate) refuses: Option<u16>,
    /// It shows this item, but with this value.
    pub(crate) shows: Option<(Item, Vec<u8>)>,
    /// It names so many of the next members, each of which is closer to the slot.
    pub(crate) names: usize,
    /// It thinks so long before it answers who looks for a slot.
    pub(crate) thinks: Duration,
}

/// Some members, the farthest from a slot first, each on a port of its own. They end with this.
#[derive(Debug)]
pub(crate) struct Members {
    first: SocketAddrV4,
    _tasks: JoinSet<()>,
}

/// One member.
struct Member {
    id: [u8; 20],
    /// Those it names, as BEP 5 writes them.
    named: Vec<u8>,
    manners: Manners,
}

impl Members {
    pub(crate) async fn start(slot: SlotId, count: u16, manners: Manners) -> Self {
        let (mut sockets, mut written) = (Vec::new(), Vec::new());
        for place in 0..count {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has a free port");
            let port = socket.local_addr().expect("a bound socket has an address").port();
            let address = [&Ipv4Addr::LOCALHOST.octets()[..], &port.to_be_bytes()].concat();
            written.push([&id(slot, count - place)[..], &address].concat());
            sockets.push((socket, SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)));
        }
        let (first, mut tasks) = (sockets[0].1, JoinSet::new());
        for (place, (socket, _)) in sockets.into_iter().enumerate() {
            let next = place + 1..(place + 1 + manners.names).min(written.len());
            let id = *written[place].first_chunk().expect("an address follows the id");
            let named = written.get(next).unwrap_or_default().concat();
            tasks.spawn(serve(socket, Arc::new(Member { id, named, manners: manners.clone() })));
        }
        Self { first, _tasks: tasks }
    }

    /// The member that a client is told of.
    pub(crate) fn first(&self) -> SocketAddrV4 {
        self.first
    }
}

/// An id at a distance from a slot, in the 21 bits of which a client lets no two of an address be the same.
fn id(slot: SlotId, distance: u16) -> [u8; 20] {
    let mut id = slot.0;
    let distance = (u32::from(distance) << 3).to_be_bytes();
    id.iter_mut().zip(&distance[1..]).for_each(|(byte, far)| *byte ^= far);
    id
}

async fn serve(socket: UdpSocket, member: Arc<Member>) {
    let mut request = [0; 2048];
    while let Ok((size, from)) = socket.recv_from(&mut request).await {
        if let Some(answer) = member.answer(&request[..size]).await {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

impl Member {
    async fn answer(&self, request: &[u8]) -> Option<Vec<u8>> {
        let find = |part: &[u8]| request.windows(part.len()).rposition(|window| window == part);
        let transaction = request.get(find(b"1:t4:")? + 5..)?.get(..4)?;
        let id = [&b"2:id20:"[..], &self.id].concat();
        let (kind, body) = if find(b"1:q3:get").is_some() {
            tokio::time::sleep(self.manners.thinks).await;
            let nodes = [format!("5:nodes{}:", self.named.len()).as_bytes(), &self.named].concat();
            let [key, number, value] = self.item();
            ("r", [&b"d"[..], &id, &key, &nodes, &number, b"5:token1:x", &value, b"e"].concat())
        } else if let (Some(error), Some(_)) = (self.manners.refuses, find(b"1:q3:put")) {
            ("e", format!("li{error}e2:noe").into_bytes())
        } else {
            ("r", [&b"d"[..], &id, b"e"].concat())
        };
        let head = format!("d1:{kind}");
        let tail = format!("1:y1:{kind}e");
        Some([head.as_bytes(), &body, b"1:t4:", transaction, tail.as_bytes()].concat())
    }

    /// The fields of the item that it shows, as they stand among the others.
    fn item(&self) -> [Vec<u8>; 3] {
        let Some((item, value)) = &self.manners.shows else { return Default::default() };
        [
            [&b"1:k32:"[..], item.slot().key()].concat(),
            [format!("3:seqi{}e3:sig64:", item.seq()).as_bytes(), item.signature()].concat(),
            [format!("1:v{}:", value.len()).as_bytes(), value].concat(),
        ]
    }
}
