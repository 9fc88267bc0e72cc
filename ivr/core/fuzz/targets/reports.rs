//! Datagrams to both ports of a call, in turns from its other side and from a stranger, while it sends its own packets and
//! reports: nothing panics, no stranger is heard, and what the other side reports is possible.
#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use ivr_core::media::{Clips, Codec, Control, Lane, MediaPlan, MediaSession, RtpStart};
use libfuzzer_sys::fuzz_target;
use voice_prompts::Library;

static CLIPS: LazyLock<Clips> = LazyLock::new(|| Clips::encode(&Library::embedded(), "en"));

fuzz_target!(|given: (bool, Vec<&[u8]>)| {
    let (muxed, datagrams) = given;
    let (mut session, mut now) = (session(muxed), Instant::now());
    session.listen(now);
    let sources = ["192.0.2.1:4000", "198.51.100.9:4000"].map(|source| source.parse().expect("an address"));
    let lanes = [Lane::Rtcp, Lane::Rtcp, Lane::Rtp, Lane::Rtp];
    for ((bytes, from), lane) in datagrams.into_iter().zip(sources.into_iter().cycle()).zip(lanes.into_iter().cycle()) {
        let before = session.quality();
        let key = session.receive(lane, from, bytes, now);
        if from == sources[1] {
            let after = session.quality();
            assert!(key.is_none() && after.reported == before.reported);
            assert_eq!(after.packets_received, before.packets_received);
        }
        now += Duration::from_millis(500);
        session.tick(now, &mut [0; MediaSession::PACKET_BYTES]);
        session.report(now, &mut [0; MediaSession::REPORT_BYTES]);
    }
    if let Some(reported) = session.quality().reported {
        assert!(reported.packets_lost <= reported.packets_expected);
        assert!(reported.packets_expected <= session.quality().packets_sent);
    }
});

fn session(muxed: bool) -> MediaSession {
    let control = Control::At("192.0.2.1:4001".parse().expect("an address"));
    let plan = MediaPlan {
        remote: "192.0.2.1:4000".parse().expect("an address"),
        control: if muxed { Control::Muxed } else { control },
        codec: Codec::Pcmu,
        event_payload_type: Some(101),
        packet_time: Duration::from_millis(20),
        media_networks: Vec::new(),
        held: false,
        latch_any: false,
    };
    MediaSession::new(plan, RtpStart { ssrc: 9, sequence: 0, timestamp: 0, seed: [7; 32] }, CLIPS.clone())
}
