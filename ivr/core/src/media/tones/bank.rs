//! How strong each of the eight tones of a keypad is in the last 20 ms: a coarse look, which most sounds do not pass.

use std::f32::consts::TAU;
use std::sync::LazyLock;

use super::{HIGH, LOW, RATE};

/// The two strongest tones, one of each group, and how much of what is heard they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Strongest {
    /// Places in the groups.
    pub(super) low: usize,
    pub(super) high: usize,
    /// 1 for exact tones and nothing else.
    pub(super) share: f32,
    /// How strong what is lower than all tones is against the two: 0 for a key.
    pub(super) voice: f32,
    /// The mean power of all that is heard.
    pub(super) power: f32,
}

/// In Hz: the groups, and where voices have their fundamental and its first harmonics.
const TONES: [f32; 12] = {
    let ([a, b, c, d], [e, f, g, h]) = (LOW, HIGH);
    [a, b, c, d, e, f, g, h, 200.0, 300.0, 400.0, 500.0]
};

/// So many samples are looked at.
pub(super) const LENGTH: usize = 160;

/// A Hann window, and the tones under it.
struct Tables {
    window: [f32; LENGTH],
    cosines: [[f32; TONES.len()]; LENGTH],
    sines: [[f32; TONES.len()]; LENGTH],
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let window = std::array::from_fn(|n| 0.5 - 0.5 * (TAU * (n as f32 + 0.5) / LENGTH as f32).cos());
    let wave = |function: fn(f32) -> f32| {
        std::array::from_fn(|n| TONES.map(|tone| window[n] * function(TAU * tone / RATE * n as f32)))
    };
    Tables { window, cosines: wave(f32::cos), sines: wave(f32::sin) }
});

/// Looks at so many samples.
pub(super) fn look(samples: &[f32; LENGTH]) -> Strongest {
    let Tables { window, cosines, sines } = &*TABLES;
    let (mut re, mut im, mut energy) = ([0.0; TONES.len()], [0.0; TONES.len()], 0.0);
    for n in 0..LENGTH {
        let sample = samples[n];
        for tone in 0..TONES.len() {
            re[tone] += sample * cosines[n][tone];
            im[tone] += sample * sines[n][tone];
        }
        energy += window[n] * sample * sample;
    }
    let power: [f32; TONES.len()] = std::array::from_fn(|tone| re[tone] * re[tone] + im[tone] * im[tone]);
    let strongest = |group: std::ops::Range<usize>| group.max_by(|a, b| power[*a].total_cmp(&power[*b])).unwrap_or(0);
    let (low, high) = (strongest(0..4), strongest(4..8));
    // The window's values add up to half its length.
    let weight = LENGTH as f32 / 2.0;
    let share = 2.0 * (power[low] + power[high]) / weight / energy.max(f32::MIN_POSITIVE);
    let voice = power[8..].iter().sum::<f32>() / (power[low] + power[high]).max(f32::MIN_POSITIVE);
    Strongest { low, high: high - 4, share, voice, power: energy / weight }
}
