//! Packets at a call's port, from its caller and from a stranger: nothing panics, a stranger's keys never count, and one packet
//! is one key at most.
#![no_main]

use std::time::{Duration, Instant};

use ivr_core::media::{Control, Lane, MediaSession};
use ivr_core_fuzz::{caller_media, media};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|packets: Vec<(bool, u8, &[u8])>| {
    let mut now = Instant::now();
    let mut session = media(Control::Off, now);
    let mut buffer = [0; MediaSession::PACKET_BYTES];
    for (is_stranger, milliseconds, bytes) in packets {
        now += Duration::from_millis(milliseconds.into());
        let from = if is_stranger { "203.0.113.66:666".parse().expect("an address") } else { caller_media() };
        let key = session.receive(Lane::Rtp, from, bytes, now);
        assert!(key.is_none() || !is_stranger);
        session.tick(now, &mut buffer);
    }
});
