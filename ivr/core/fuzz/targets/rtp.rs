//! Packets at a call's port, from its caller and from a stranger: nothing panics, a stranger's keys never count, and one packet
//! is one key at most.
#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use ivr_core::media::{Clips, Codec, Control, Lane, MediaPlan, MediaSession, RtpStart};
use libfuzzer_sys::fuzz_target;
use voice_prompts::Library;

static CLIPS: LazyLock<Clips> = LazyLock::new(|| Clips::encode(&Library::embedded(), "en"));

fuzz_target!(|packets: Vec<(bool, u8, &[u8])>| {
    let remote = "198.51.100.9:30000".parse().expect("an address");
    let plan = MediaPlan {
        remote,
        control: Control::Off,
        codec: Codec::Pcmu,
        event_payload_type: Some(101),
        packet_time: Duration::from_millis(20),
        media_networks: vec![],
        held: false,
        latch_any: false,
    };
    let mut now = Instant::now();
    let mut session = MediaSession::new(plan, RtpStart { ssrc: 1, sequence: 2, timestamp: 3, seed: [7; 32] }, CLIPS.clone());
    session.listen(now);
    let mut buffer = [0; MediaSession::PACKET_BYTES];
    for (is_stranger, milliseconds, bytes) in packets {
        now += Duration::from_millis(milliseconds.into());
        let from = if is_stranger { "203.0.113.66:666".parse().expect("an address") } else { remote };
        let key = session.receive(Lane::Rtp, from, bytes, now);
        assert!(key.is_none() || !is_stranger);
        session.tick(now, &mut buffer);
    }
});
