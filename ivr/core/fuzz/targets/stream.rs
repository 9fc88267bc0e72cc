//! Octets of a connection in pieces, from the trunk and from a stranger: nothing panics, no more than a message is kept,
//! and what is cut out of the stream does not depend on where the reads fall.
#![no_main]

use std::time::Instant;

use ivr_core::endpoint::{Endpoint, Input};
use ivr_core::sip::peer::{Flow, Peer, Transport};
use ivr_core::sip::stream::{Framed, Framer};
use ivr_core_fuzz::{config, trunk};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, Vec<&[u8]>)| {
    let (is_trunk, pieces) = input;
    let now = Instant::now();
    let address = if is_trunk { trunk() } else { "198.51.100.9:5060".parse().expect("an address") };
    let from = Peer { address, transport: Transport::Tcp, flow: Some(Flow(1)), certified: None };
    let in_pieces = framed(&pieces, now);
    let whole = pieces.concat();
    let at_once = framed(&[&whole], now);
    // Empty lines between messages may be a ping or not, as they arrive; the messages are the same.
    let messages = |all: &[Framed]| -> Vec<Vec<u8>> {
        all.iter()
            .filter_map(|framed| if let Framed::Message(bytes) = framed { Some(bytes.clone()) } else { None })
            .collect()
    };
    assert_eq!(messages(&in_pieces), messages(&at_once));
    let mut endpoint = Endpoint::new(config(), [3; 32]);
    for framed in &in_pieces {
        let input = match framed {
            Framed::Message(bytes) => Input::Message { from, bytes },
            Framed::Broken(bytes) => Input::Broken { from, bytes },
            Framed::Ping => continue,
        };
        endpoint.handle(input, now, &mut Vec::new());
        assert!(endpoint.live_calls() == 0 || endpoint.deadline().is_some());
    }
});

fn framed(pieces: &[&[u8]], now: Instant) -> Vec<Framed> {
    let mut framer = Framer::default();
    let mut all = Vec::new();
    for piece in pieces {
        framer.push(piece, now);
        all.extend(std::iter::from_fn(|| framer.next(now)));
    }
    all
}
