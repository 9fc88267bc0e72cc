//! Prints what one packet of 20 ms costs in each codec, while something is said, and what the clips take in memory.
//! `cargo run --release -p ivr-core --example media_speed`

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ivr_core::media::{Clips, Codec, Control, MediaPlan, MediaSession, RtpStart};
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
    for codec in Codec::ALL {
        let mut sessions: Vec<_> = (0..CALLS).map(|_| session(codec, remote, &clips)).collect();
        let mut now = Instant::now();
        sessions.iter_mut().for_each(|session| session.listen(now));
        let mut packet = [0; MediaSession::PACKET_BYTES];
        let began = Instant::now();
        for _ in 0..PACKETS {
            now += Duration::from_millis(20);
            for session in &mut sessions {
                session.tick(now, &mut packet);
            }
        }
        let each = began.elapsed() / PACKETS / u32::try_from(CALLS)?;
        let of_core = each.as_secs_f64() / 0.02 * 100.0;
        println!("{}: {:.2} µs a packet, {of_core:.3} % of a core a call", codec.name(), each.as_secs_f64() * 1e6);
    }
    Ok(())
}

/// A call that is told more than the benchmark lasts.
fn session(codec: Codec, remote: SocketAddr, clips: &Clips) -> MediaSession {
    let plan = MediaPlan {
        remote,
        control: Control::Off,
        codec,
        event_payload_type: None,
        packet_time: Duration::from_millis(20),
        media_networks: Vec::new(),
        held: false,
        latch_any: false,
    };
    let start = RtpStart { ssrc: 1, sequence: 0, timestamp: 0, seed: [7; 32] };
    let mut session = MediaSession::new(plan, start, clips.clone());
    let sentence = Utterance::default().clip(PromptId::WarningScam).clip(PromptId::EnterCode);
    session.say(1, &Utterance(sentence.0.iter().cycle().take(8).cloned().collect()));
    session
}
