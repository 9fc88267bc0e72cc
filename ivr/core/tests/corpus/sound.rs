//! Renders a condition: 160 keys, each of the sixteen ten times in a drawn order, with drawn phases, at drawn parts of a sample.

use std::f64::consts::TAU;
use std::ops::Range;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use voice_prompts::{Library, PromptId, level};

use super::conditions::{Concealment, Impairment, Sound};

/// What a line carries, what of it is lost, and which keys were pressed.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) samples: Vec<i16>,
    /// Where packets are missing, as samples; the detector is told.
    pub(crate) lost: Vec<Range<usize>>,
    pub(crate) keys: Vec<Key>,
}

/// A key and from which sample to which it was down.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) key: char,
    pub(crate) down: Range<usize>,
}

/// 0 dBm0 is a sine 3.14 dB under one of full scale (G.711).
pub(crate) fn amplitude(dbm0: f64) -> f64 {
    32_768.0 * 10f64.powf((dbm0 - FULL_SCALE_DBM0) / 20.0)
}

impl Recording {
    /// The same for the same seed.
    pub(crate) fn of(sound: &Sound, seed: u64) -> Self {
        let mut chance = Chance(ChaCha20Rng::seed_from_u64(seed));
        let keys = press(sound, &mut chance);
        let end = keys.last().map_or(0, |key| key.down.end) + samples(500.0);
        let mut line = vec![0.0; end];
        for key in &keys {
            sing(sound, key, &mut line, &mut chance);
        }
        disturb(sound, &mut line, &mut chance);
        let mut samples: Vec<i16> =
            line.iter().map(|sample| sample.round().clamp(i16::MIN.into(), i16::MAX.into()) as i16).collect();
        if let Some(law) = sound.law {
            samples.iter_mut().for_each(|sample| *sample = law.decode(law.encode(*sample)));
        }
        let lost = lose(sound, &mut samples, &mut chance);
        Self { samples, lost, keys }
    }
}

fn press(sound: &Sound, chance: &mut Chance) -> Vec<Key> {
    let mut order: Vec<char> = "0123456789*#ABCD".repeat(10).chars().collect();
    for last in (1..order.len()).rev() {
        order.swap(last, (chance.part() * (last + 1) as f64) as usize);
    }
    let mut from = 300.0;
    let mut key = |key: char| {
        let begin = from + 3.0 * chance.part();
        from += sound.on + sound.off;
        Key { key, down: samples(begin)..samples(begin + sound.on) }
    };
    order.into_iter().map(&mut key).collect()
}

fn sing(sound: &Sound, key: &Key, line: &mut [f64], chance: &mut Chance) {
    let at = "123A456B789C*0#D".find(key.key).expect("a key of the keypad");
    let nominal = [[697.0, 770.0, 852.0, 941.0][at / 4], [1_209.0, 1_336.0, 1_477.0, 1_633.0][at % 4]];
    let loudness = [sound.level - sound.twist / 2.0, sound.level + sound.twist / 2.0].map(amplitude);
    let middle = usize::midpoint(key.down.start, key.down.end);
    let hole = samples(sound.hole);
    let silent = middle - hole / 2..middle - hole / 2 + hole;
    for tone in 0..2 {
        let sign = if sound.either_way && chance.part() < 0.5 { -1.0 } else { 1.0 };
        let turn = TAU * nominal[tone] * (1.0 + sign * sound.off_by[tone] / 100.0) / RATE;
        let phase = TAU * chance.part();
        for n in key.down.clone().filter(|n| !silent.contains(n)) {
            line[n] += loudness[tone] * (turn * (n - key.down.start) as f64 + phase).sin();
        }
    }
}

fn disturb(sound: &Sound, line: &mut [f64], chance: &mut Chance) {
    if let Some(below) = sound.speech_below {
        speak(amplitude(sound.level - below) / std::f64::consts::SQRT_2, line);
    }
    if let Some(level) = sound.dial_tone {
        for hertz in [350.0, 440.0] {
            add(line, |n| amplitude(level) * (TAU * hertz / RATE * n).sin());
        }
    }
    if let Some(decibels) = sound.signal_to_noise {
        let power = amplitude(sound.level).powi(2) / 10f64.powf(decibels / 10.0);
        add(line, |_| power.sqrt() * chance.normal());
    }
    match sound.impairment {
        Some(Impairment::Hum) => add(line, |n| amplitude(-20.0) * (TAU * 50.0 / RATE * n).sin()),
        Some(Impairment::DirectCurrent) => add(line, |_| 1_000.0),
        Some(Impairment::Clipping) => {
            let most = amplitude(sound.level);
            line.iter_mut().for_each(|sample| *sample = sample.clamp(-most, most));
        }
        Some(Impairment::Impulses) => {
            for half_second in line.chunks_mut(RATE as usize / 2) {
                let at = (chance.part() * half_second.len() as f64) as usize;
                half_second[at..].iter_mut().take(2).for_each(|sample| *sample += 15_000.0);
            }
        }
        Some(Impairment::IdleNoise) => add(line, |_| amplitude(-65.0) / std::f64::consts::SQRT_2 * chance.normal()),
        None => {}
    }
}

fn add(line: &mut [f64], mut wave: impl FnMut(f64) -> f64) {
    line.iter_mut().enumerate().for_each(|(n, sample)| *sample += wave(n as f64));
}

/// Our own prompts without end, with this root mean square while they are spoken.
fn speak(loudness: f64, line: &mut [f64]) {
    let library = Library::embedded();
    let said: Vec<i16> = PromptId::ALL.iter().flat_map(|id| library.samples(*id, "en").to_vec()).collect();
    let said_at = level::active_dbm0(&said, RATE as u32).expect("the prompts are speech");
    let gain = loudness * std::f64::consts::SQRT_2 / amplitude(said_at);
    line.iter_mut().zip(said.iter().cycle()).for_each(|(sample, said)| *sample += gain * f64::from(*said));
}

fn lose(sound: &Sound, samples: &mut [i16], chance: &mut Chance) -> Vec<Range<usize>> {
    let Some((part, concealment)) = sound.loss else { return Vec::new() };
    let mut lost: Vec<Range<usize>> = Vec::new();
    for packet in 1..samples.len() / PACKET {
        if chance.part() >= part {
            continue;
        }
        let range = packet * PACKET..(packet + 1) * PACKET;
        match concealment {
            Concealment::Told => {
                samples[range.clone()].fill(0);
                lost.push(range);
            }
            Concealment::Repeated => {
                let before = samples[range.start - PACKET..range.start].to_vec();
                samples[range].iter_mut().zip(before).for_each(|(sample, before)| *sample = before / 4 * 3);
            }
        }
    }
    lost
}

/// Milliseconds as samples.
fn samples(milliseconds: f64) -> usize {
    (milliseconds * RATE / 1_000.0).round() as usize
}

struct Chance(ChaCha20Rng);

impl Chance {
    /// From 0 to 1, without 1.
    fn part(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / (f64::from(u32::MAX) + 1.0)
    }

    /// A normal deviate, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.part()).ln()).sqrt();
        radius * (TAU * self.part()).cos()
    }
}

const RATE: f64 = 8_000.0;
const PACKET: usize = 160;
#[expect(clippy::approx_constant, reason = "decibels, not the circle's")]
const FULL_SCALE_DBM0: f64 = 3.14;
