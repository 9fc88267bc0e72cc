//! Key presses as tones in the audio (ITU-T Q.23): samples of 8 kHz in, keys out, told of samples that were lost. What counts
//! as a key, and what must not, follows Q.24; `docs/dtmf.md` has the scores. Speech must make no key, so the decision is a
//! fit: two sinusoids, whose frequencies are measured, have to explain nearly all that is heard for 30 ms.

use std::f32::consts::TAU;

mod bank;
mod fit;

use bank::Strongest;
use fit::{Fit, Phasor, fit};

/// Hears the tones of one call.
#[derive(Debug, Clone)]
pub struct ToneDetector {
    filter: HighPass,
    /// The last 30 ms: what was heard, and 1 where something was.
    samples: [f32; WINDOW],
    weights: [f32; WINDOW],
    /// So many of the next hop are there.
    filled: usize,
    /// Hops so far.
    hops: u64,
    /// Samples that were lost in a row.
    unheard: usize,
    state: State,
}

/// A key that was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pressed {
    /// `0`–`9`, `*`, `#`, `A`–`D`.
    pub key: char,
    /// How many samples had been heard or lost when it was certain.
    pub at: u64,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// No key is down. The last 30 ms were perhaps a key.
    Up { seems: Option<Tones> },
    /// One is, since it was told. So many samples were heard since its tones were; the last 30 ms were perhaps another key.
    Down { tones: Tones, absent: usize, seems: Option<Tones> },
}

/// Two tones that are those of a key.
#[derive(Debug, Clone, Copy)]
struct Tones {
    /// Places in the groups.
    key: (usize, usize),
    /// In radians a sample.
    frequencies: [f32; 2],
    /// The mean power of both.
    power: f32,
}

impl Default for ToneDetector {
    fn default() -> Self {
        Self {
            filter: HighPass::default(),
            samples: [0.0; WINDOW],
            weights: [0.0; WINDOW],
            filled: 0,
            hops: 0,
            unheard: 0,
            state: State::Up { seems: None },
        }
    }
}

impl ToneDetector {
    /// Hears these samples.
    pub fn hear(&mut self, samples: &[i16], told: &mut impl FnMut(Pressed)) {
        self.unheard = 0;
        for sample in samples {
            let heard = self.filter.pass(f32::from(*sample));
            self.take(heard, 1.0, told);
        }
    }

    /// So many samples were lost: they are neither a key nor a pause, unless they are so many that there was time for both.
    pub fn lose(&mut self, samples: usize, told: &mut impl FnMut(Pressed)) {
        self.unheard = self.unheard.saturating_add(samples);
        if self.unheard >= LONG_LOSS {
            self.state = State::Up { seems: None };
        }
        for _ in 0..samples {
            self.take(0.0, 0.0, told);
        }
    }

    fn take(&mut self, sample: f32, weight: f32, told: &mut impl FnMut(Pressed)) {
        if self.filled == 0 {
            self.samples.copy_within(HOP.., 0);
            self.weights.copy_within(HOP.., 0);
        }
        let at = WINDOW - HOP + self.filled;
        (self.samples[at], self.weights[at]) = (sample, weight);
        self.filled += 1;
        if self.filled == HOP {
            self.filled = 0;
            self.hops += 1;
            if let Some(key) = self.hop() {
                told(Pressed { key, at: self.hops * HOP as u64 });
            }
        }
    }

    /// Judges the last 30 ms; gives the key if it is certain now.
    fn hop(&mut self) -> Option<char> {
        let recent = self.samples.last_chunk().expect("the bank looks at less than the window");
        let strongest = bank::look(recent);
        match self.state {
            State::Up { seems } => {
                let now = self.tones(&strongest);
                self.state = State::Up { seems: now };
                self.press(seems, now)
            }
            State::Down { tones, absent, seems } => {
                let absent = self.absence(&tones, absent);
                let now = if (strongest.low, strongest.high) == tones.key { None } else { self.tones(&strongest) };
                self.state =
                    if absent >= PAUSE { State::Up { seems: None } } else { State::Down { tones, absent, seems: now } };
                self.press(seems, now)
            }
        }
    }

    /// A key is certain if it is heard in two hops that follow each other.
    fn press(&mut self, before: Option<Tones>, now: Option<Tones>) -> Option<char> {
        let (before, now) = before.zip(now)?;
        if before.key != now.key {
            return None;
        }
        self.state = State::Down { tones: now, absent: 0, seems: None };
        Some(KEYS[now.key.0][now.key.1])
    }

    /// For how many samples the tones of the key that is down have been absent; what was lost says nothing.
    fn absence(&self, tones: &Tones, absent: usize) -> usize {
        let (samples, weights) = (&self.samples[WINDOW - HOP..], &self.weights[WINDOW - HOP..]);
        let heard: f32 = weights.iter().sum();
        if heard < HOP as f32 / 2.0 {
            return absent;
        }
        let captured = fit(samples, weights, tones.frequencies).map_or(0.0, |fit| fit.captured);
        if captured >= STILL_THERE * tones.power * heard { 0 } else { absent + HOP }
    }

    /// The tones of a key, if there is nothing else in the last 30 ms.
    fn tones(&self, strongest: &Strongest) -> Option<Tones> {
        if strongest.share < WORTH_A_FIT || strongest.voice > MOST_VOICE || strongest.power < LEAST_POWER {
            return None;
        }
        let heard: f32 = self.weights.iter().sum();
        if heard < ENOUGH {
            return None;
        }
        let nominal = [LOW[strongest.low], HIGH[strongest.high]].map(|tone| TAU * tone / RATE);
        let frequencies = self.tune(self.tune(nominal)?)?;
        let is_near = frequencies
            .iter()
            .zip(nominal)
            .all(|(found, nominal)| (found - nominal).abs() <= FREQUENCY_TOLERANCE * nominal);
        if !is_near {
            return None;
        }
        let Fit { tones: [low, high], captured, energy } = fit(&self.samples, &self.weights, frequencies)?;
        let (low, high) = (low.power(), high.power());
        let is_key = energy - captured <= MOST_LEFT * energy
            && low.min(high) >= LEAST_POWER
            && high <= MOST_TWIST * low
            && low <= MOST_REVERSE_TWIST * high;
        is_key.then_some(Tones { key: (strongest.low, strongest.high), frequencies, power: captured / heard })
    }

    /// Frequencies nearer to those that are heard, by how far the phase moves from each 10 ms to the next.
    fn tune(&self, frequencies: [f32; 2]) -> Option<[f32; 2]> {
        let third = |n: usize| {
            let range = n * THIRD..(n + 1) * THIRD;
            fit(&self.samples[range.clone()], &self.weights[range], frequencies).map(|fit| fit.tones)
        };
        let thirds = [third(0), third(1), third(2)];
        let mut moved = [Phasor::default(); 2];
        for pair in thirds.windows(2) {
            let (Some(earlier), Some(later)) = (pair[0], pair[1]) else { continue };
            for tone in 0..2 {
                let expected = Phasor::turn(frequencies[tone] * THIRD as f32);
                let by = later[tone].times(earlier[tone].times(expected).conjugate());
                moved[tone] = moved[tone].plus(by);
            }
        }
        let is_known = moved.iter().all(|moved| moved.power() > 0.0);
        is_known.then(|| std::array::from_fn(|tone| frequencies[tone] + moved[tone].angle() / THIRD as f32))
    }
}

/// Takes direct current and hum away: a Butterworth filter of the second order with its corner at 150 Hz.
#[derive(Debug, Clone, Copy, Default)]
struct HighPass {
    first: f32,
    second: f32,
}

impl HighPass {
    fn pass(&mut self, sample: f32) -> f32 {
        // The bilinear transform: K = tan(π · 150/8000).
        const K: f32 = 0.058_973_25;
        const GAIN: f32 = 1.0 / (1.0 + std::f32::consts::SQRT_2 * K + K * K);
        const A1: f32 = 2.0 * (K * K - 1.0) * GAIN;
        const A2: f32 = (1.0 - std::f32::consts::SQRT_2 * K + K * K) * GAIN;
        let passed = GAIN * sample + self.first;
        self.first = -2.0 * GAIN * sample - A1 * passed + self.second;
        self.second = GAIN * sample - A2 * passed;
        passed
    }
}

const RATE: f32 = 8_000.0;
/// The groups of Q.23, in Hz.
const LOW: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// 5 ms, 30 ms and a third of that.
const HOP: usize = 40;
const WINDOW: usize = 240;
const THIRD: usize = 80;
/// The bank need not see more of the tones than this to make it worth measuring them.
const WORTH_A_FIT: f32 = 0.35;
/// Voices are strongest under 600 Hz, where a key has nothing.
const MOST_VOICE: f32 = 0.04;
/// −41 dBm0: the power of a sine of that level, as the square of its amplitude. A sine of 0 dBm0 has an amplitude of 22 830.
const LEAST_POWER: f32 = 41_400.0;
/// So much of the window has to be heard.
const ENOUGH: f32 = 180.0;
/// 1.5 % has to be taken, 3.5 % must not be.
const FREQUENCY_TOLERANCE: f32 = 0.02;
/// What is not the two tones may have this part of the energy.
const MOST_LEFT: f32 = 0.11;
/// +5 dB and −8.75 dB: how much stronger the higher tone may be than the lower, and the lower than the higher.
const MOST_TWIST: f32 = 3.16;
const MOST_REVERSE_TWIST: f32 = 7.5;
/// A key is still down while its tones have this part of their power.
const STILL_THERE: f32 = 0.2;
/// 30 ms without them, and it is up: a hole of 20 ms has at most four such hops, a pause of 40 ms at least six.
const PAUSE: usize = 240;
/// 100 ms.
const LONG_LOSS: usize = 800;
