//! Prints what one packet of 20 ms costs in each codec, while something is said, what the clips take in memory, and what SRTP adds
//! to a packet that is sent and to one that is received.
//! `cargo run --release -p ivr-core --example media_speed`

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ivr_core::media::{Clips, Codec, Control, Lane, MasterKey, MediaPlan, MediaSession, RtpStart, Security, Suite};
use voice_prompts::{Library, PromptId, Utterance};

/// As many as a service has by default.
const CALLS: usize = 200;
const PACKETS: u32 = 500;

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (library, remote) = (Library::embedded(), "127.0.0.1:4000".parse()?);
    let clips = Clips::encode(&library, "en");
    let samples: usize = PromptId::ALL.into_iter().map(|id| library.samples(id, "en").len()).sum();
    println!(
        "clips of one language: {} kB in each law of G.711, {} kB for G.722",
        samples / 1_000,
        samples * 4 / 1_000
    );
    for (codec, suite) in
        Codec::ALL.map(|codec| (codec, None)).into_iter().chain(Suite::ALL.map(|suite| (Codec::Pcmu, Some(suite))))
    {
        let mut sessions: Vec<_> = (0..CALLS).map(|_| session(codec, suite, remote, &clips)).collect();
        let mut now = Instant::now();
        sessions.iter_mut().for_each(|session| session.listen(now));
        let mut packet = [0; MediaSession::PACKET_BYTES];
        let (mut sending, mut receiving) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..PACKETS {
            now += Duration::from_millis(20);
            for session in &mut sessions {
                let began = Instant::now();
                let sent = session.tick(now, &mut packet).packet;
                let between = Instant::now();
                // The other side has the same key, and says the same.
                sent.into_iter().for_each(|(_, length)| {
                    session.receive(Lane::Rtp, remote, &mut packet[..length], now);
                });
                sending += between - began;
                receiving += between.elapsed();
            }
        }
        let packets = PACKETS * u32::try_from(CALLS)?;
        assert!(sessions.iter().all(|session| session.quality().packets_received == u64::from(PACKETS)));
        let micros = |whole: Duration| whole.as_secs_f64() * 1e6 / f64::from(packets);
        println!(
            "{} {}: {:.2} µs a packet sent, {:.2} µs a packet received",
            codec.name(),
            suite.map_or("in the clear", Suite::name),
            micros(sending),
            micros(receiving)
        );
    }
    Ok(())
}

/// A call that is told more than the benchmark lasts.
fn session(codec: Codec, suite: Option<Suite>, remote: SocketAddr, clips: &Clips) -> MediaSession {
    let security = suite.map(|suite| {
        let key = MasterKey::new(vec![7; suite.master_bytes()], suite).expect("it has the suite's length");
        Security { suite, ours: key.clone(), theirs: key, key_name_bytes: 0 }
    });
    let plan = MediaPlan {
        remote,
        control: Control::Off,
        codec,
        event_payload_type: None,
        hears_tones: true,
        packet_time: Duration::from_millis(20),
        media_networks: Vec::new(),
        held: false,
        latch_any: false,
        security,
    };
    let start = RtpStart { ssrc: 1, sequence: 0, timestamp: 0, seed: [7; 32] };
    let mut session = MediaSession::new(plan, start, clips.clone());
    let sentence = Utterance::default().clip(PromptId::WarningScam).clip(PromptId::EnterCode);
    session.say(1, &Utterance(sentence.0.iter().cycle().take(8).cloned().collect()));
    session
}
