//! Keys of a sender that keeps to RFC 4733, over lines that lose, repeat and delay one packet in ten each. All is drawn from seeds: what
//! fails, fails again.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::*;

/// A press and the pause after it, in packets of [`PACKET_MS`].
#[derive(Debug, Clone, Copy)]
struct Pressed {
    key: u8,
    held: u32,
    pause: u32,
}

/// How a sender works.
#[derive(Debug, Clone, Copy)]
struct Sender {
    /// Of the events, in Hz.
    clock: u32,
    /// It sends audio in the pauses, whose packets are numbered, too.
    fills_pauses: bool,
    /// Three times, as RFC 4733 2.5.1.4 has it: the second and third among those of the next segment.
    repeats_segment_ends: bool,
}

/// A packet on its way.
#[derive(Debug, Clone, Copy)]
struct Flying {
    /// Milliseconds.
    at: u32,
    /// The number of its press.
    press: usize,
    report: Report,
}

/// A drawn number, no greater than this.
fn up_to(most: u32, chance: &mut impl Rng) -> u32 {
    chance.next_u32() % (most + 1)
}

fn one_in(n: u32, chance: &mut impl Rng) -> bool {
    up_to(n - 1, chance) == 0
}

fn presses(chance: &mut impl Rng) -> Vec<Pressed> {
    // Of few keys, so that many follow themselves.
    let keys = if one_in(2, chance) { 1 } else { 15 };
    let mut draw = || {
        let held = if one_in(20, chance) { 60 + up_to(440, chance) } else { 2 + up_to(10, chance) };
        Pressed { key: up_to(keys, chance) as u8, held, pause: 2 + up_to(10, chance) }
    };
    (0..PRESSES).map(|_| draw()).collect()
}

impl Sender {
    fn send(self, presses: &[Pressed]) -> Vec<Flying> {
        let unit = self.clock * PACKET_MS / 1_000;
        let (mut sent, mut sequence, mut now) = (Vec::new(), 65_000_u16, 0);
        for (press, Pressed { key, held, pause }) in presses.iter().copied().enumerate() {
            let mut began = 90_000_u32.wrapping_sub(self.clock).wrapping_add(now * unit);
            let mut elapsed = 0;
            let mut segment_ends = Vec::new();
            let mut send = |at: u32, marked, ended, timestamp, duration: u32| {
                let header = Header { marked, payload_type: 101, sequence, timestamp, ssrc: 1 };
                let report = Report { header, event: key, ended, duration: duration as u16 };
                sent.push(Flying { at: at * PACKET_MS, press, report });
                sequence = sequence.wrapping_add(1);
            };
            for n in 1..=held {
                elapsed += unit;
                segment_ends.pop().into_iter().for_each(|began| send(now + n, false, false, began, LONGEST_SEGMENT));
                if elapsed > LONGEST_SEGMENT {
                    send(now + n, false, false, began, LONGEST_SEGMENT);
                    segment_ends = vec![began; if self.repeats_segment_ends { 2 } else { 0 }];
                    (began, elapsed) = (began.wrapping_add(LONGEST_SEGMENT), elapsed - LONGEST_SEGMENT);
                }
                send(now + n, n == 1, n == held, began, elapsed);
            }
            (1..3).for_each(|n| send(now + held + n, false, true, began, elapsed));
            if self.fills_pauses {
                sequence = sequence.wrapping_add((pause - 2) as u16);
            }
            now += held + pause;
        }
        sent
    }
}

/// What arrives of them, in this order.
fn arrivals(sent: &[Flying], chance: &mut impl Rng) -> Vec<Flying> {
    let mut arrived = Vec::new();
    for packet in sent {
        if one_in(10, chance) {
            continue;
        }
        let late = if one_in(10, chance) { 1 + up_to(MOST_LATE_MS - 1, chance) } else { 0 };
        let at = packet.at + late;
        arrived.push(Flying { at, ..*packet });
        if one_in(10, chance) {
            arrived.push(Flying { at: at + up_to(MOST_LATE_MS, chance), ..*packet });
        }
    }
    arrived.sort_by_key(|packet| packet.at);
    arrived
}

/// The presses of which a packet arrived before any of a later press: no receiver can tell the others.
fn tellable(arrived: &[Flying]) -> Vec<usize> {
    let mut told: Vec<usize> = Vec::new();
    for packet in arrived {
        if told.last().is_none_or(|last| packet.press > *last) {
            told.push(packet.press);
        }
    }
    told
}

#[test]
#[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
fn no_key_is_lost_or_doubled_where_a_tenth_is_lost_repeated_and_late() {
    let (began, mut told) = (Instant::now(), 0);
    for seed in 0..SEEDS {
        let mut chance = ChaCha20Rng::seed_from_u64(seed);
        let clock = [8_000, 16_000, 48_000][(seed % 3) as usize];
        let sender =
            Sender { clock, fills_pauses: one_in(2, &mut chance), repeats_segment_ends: one_in(2, &mut chance) };
        let presses = presses(&mut chance);
        let arrived = arrivals(&sender.send(&presses), &mut chance);
        let (mut rule, mut heard) = (KeyRule::default(), Vec::new());
        for packet in &arrived {
            let now = began + Duration::from_millis(packet.at.into());
            heard.extend(rule.hear(&packet.report, now).map(|key| (packet.press, key)));
        }
        let tellable = tellable(&arrived);
        let expected = tellable.iter().map(|press| (*press, KEYS[usize::from(presses[*press].key)]));
        assert_eq!(heard, expected.collect::<Vec<_>>(), "seed {seed}: {sender:?}");
        told += tellable.len();
    }
    let pressed = SEEDS as usize * PRESSES;
    println!("{told} of {pressed} presses left a packet in time, and each was heard once");
    assert!(told * 1_000 >= pressed * 999, "{told} of {pressed}: the redundancy of the RFC covers a tenth");
}

const PACKET_MS: u32 = 20;
/// Three packets overtake it.
const MOST_LATE_MS: u32 = 60;
const SEEDS: u64 = 150;
const PRESSES: usize = 60;
const KEYS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];
