//! A name server with a few records, on loopback.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use hickory_proto::op::{Message, MessageType};
use hickory_proto::rr::rdata::{A, SRV};
use hickory_proto::rr::{Name, RData, Record};

/// A record: a name without its last dot, and what it stands for.
pub type Row = (&'static str, RData);

/// A name server that answers until the test process ends.
#[derive(Debug)]
pub struct NameServer {
    address: SocketAddr,
}

impl NameServer {
    /// With these records.
    ///
    /// # Panics
    /// If there is no port for it.
    pub fn of(rows: Vec<Row>) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        let address = socket.local_addr().expect("an address");
        std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                if let Some(answer) = answer(&buffer[..length], &rows) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Self { address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// An SRV record's data.
///
/// # Panics
/// If the target is no name.
pub fn srv(priority: u16, weight: u16, port: u16, target: &str) -> RData {
    RData::SRV(SRV::new(priority, weight, port, name(target)))
}

/// An A record's data.
pub fn a(address: Ipv4Addr) -> RData {
    RData::A(A(address))
}

fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).expect("a name");
    name.set_fqdn(true);
    name
}

fn answer(asked: &[u8], rows: &[Row]) -> Option<Vec<u8>> {
    let mut message = Message::from_vec(asked).ok()?;
    let query = message.queries.first()?.clone();
    let fits = |row: &&Row| name(row.0) == *query.name() && row.1.record_type() == query.query_type();
    let found = rows.iter().filter(fits).map(|(_, data)| Record::from_rdata(query.name().clone(), 1, data.clone()));
    message.answers = found.collect();
    message.additionals.clear();
    message.metadata.message_type = MessageType::Response;
    message.to_vec().ok()
}
