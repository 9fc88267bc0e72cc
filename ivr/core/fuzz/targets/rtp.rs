//! Packets at a call's port, from its caller and from a stranger, in the clear and with SRTP: nothing panics, a stranger's keys
//! never count, one packet is one key at most, and nobody who has not the caller's key is heard where there is one.
#![no_main]

use std::time::{Duration, Instant};

use ivr_core::media::{Control, Lane, MediaSession, Suite};
use ivr_core_fuzz::{caller_media, media, secured_media};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|given: (u8, Vec<(bool, u8, &[u8])>)| {
    let (which, packets) = given;
    let suite = Suite::ALL.get(usize::from(which)).copied();
    let mut now = Instant::now();
    let mut session = match suite {
        Some(suite) => secured_media(Control::Muxed, suite, now),
        None => media(Control::Off, now),
    };
    let mut buffer = [0; MediaSession::PACKET_BYTES];
    for (is_stranger, milliseconds, bytes) in packets {
        now += Duration::from_millis(milliseconds.into());
        let from = if is_stranger { "203.0.113.66:666".parse().expect("an address") } else { caller_media() };
        let key = session.receive(Lane::Rtp, from, &mut bytes.to_vec(), now);
        assert!(key.is_none() || !is_stranger && suite.is_none());
        session.tick(now, &mut buffer);
    }
    assert!(suite.is_none() || session.quality().packets_received == 0);
});
