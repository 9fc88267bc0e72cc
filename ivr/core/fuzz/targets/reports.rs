//! Datagrams to both ports of a call, from its other side and from a stranger, while it sends packets and reports of its own:
//! nothing panics, no stranger is believed, and what the other side reports is possible.
#![no_main]

use std::time::{Duration, Instant};

use ivr_core::media::{Control, Lane, MediaSession};
use ivr_core_fuzz::{caller_media, media};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|given: (bool, Vec<(bool, bool, &[u8])>)| {
    let (is_muxed, datagrams) = given;
    let mut now = Instant::now();
    let next_port = "198.51.100.9:30001".parse().expect("an address");
    let mut session = media(if is_muxed { Control::Muxed } else { Control::At(next_port) }, now);
    for (is_stranger, is_rtp, bytes) in datagrams {
        now += Duration::from_millis(500);
        session.tick(now, &mut [0; MediaSession::PACKET_BYTES]);
        session.report(now, &mut [0; MediaSession::REPORT_BYTES]);
        let from = if is_stranger { "203.0.113.66:666".parse().expect("an address") } else { caller_media() };
        let before = session.quality();
        session.receive(if is_rtp { Lane::Rtp } else { Lane::Rtcp }, from, &mut bytes.to_vec(), now);
        let after = session.quality();
        assert!(!is_stranger || (after.reported, after.packets_received) == (before.reported, before.packets_received));
        let reported = after.reported.unwrap_or_default();
        assert!(reported.packets_lost <= reported.packets_expected && reported.packets_expected <= after.packets_sent);
    }
});
