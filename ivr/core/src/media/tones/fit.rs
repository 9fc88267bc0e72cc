//! Two sinusoids of given frequencies in a few samples, by least squares: how strong, in which phase, and what they leave.

/// What was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    /// Of the lower and the higher frequency, at the first sample.
    pub(super) tones: [Phasor; 2],
    /// The energy of both together.
    pub(super) captured: f32,
    /// The energy of the samples.
    pub(super) energy: f32,
}

/// Amplitude and phase of a sinusoid.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Phasor {
    pub(super) re: f32,
    pub(super) im: f32,
}

impl Phasor {
    pub(super) fn turn(angle: f32) -> Self {
        Self { re: angle.cos(), im: angle.sin() }
    }

    pub(super) fn times(self, other: Self) -> Self {
        Self { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }

    pub(super) fn conjugate(self) -> Self {
        Self { re: self.re, im: -self.im }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }

    pub(super) fn angle(self) -> f32 {
        self.im.atan2(self.re)
    }

    /// The square of the amplitude.
    pub(super) fn power(self) -> f32 {
        self.re * self.re + self.im * self.im
    }
}

/// Fits sinusoids of these frequencies, in radians a sample, to those samples whose weight is 1; a lost one has weight and
/// value 0. `None` if too few are there to tell the two apart.
pub(super) fn fit(samples: &[f32], weights: &[f32], frequencies: [f32; 2]) -> Option<Fit> {
    let turns = frequencies.map(Phasor::turn);
    let mut at = [Phasor { re: 1.0, im: 0.0 }; 2];
    // The normal equations: the products of the four waves with each other, and with what was heard.
    let (mut waves, mut heard, mut energy) = ([[0.0; 4]; 4], [0.0; 4], 0.0);
    for (sample, weight) in samples.iter().zip(weights) {
        let wave = [at[0].re, at[0].im, at[1].re, at[1].im];
        for (row, one) in wave.iter().enumerate() {
            heard[row] += one * sample;
            for (column, other) in wave.iter().enumerate().take(row + 1) {
                waves[row][column] += weight * one * other;
            }
        }
        energy += sample * sample;
        at = [at[0].times(turns[0]), at[1].times(turns[1])];
    }
    let strengths = solve(waves, heard)?;
    let captured = strengths.iter().zip(heard).map(|(strength, heard)| strength * heard).sum();
    // p cos ωn + q sin ωn is the real part of (p − iq) times a turn by ωn.
    let tones = [0, 2].map(|of| Phasor { re: strengths[of], im: -strengths[of + 1] });
    Some(Fit { tones, captured, energy })
}

/// Solves a symmetric system, of which the lower half is given, by Cholesky's decomposition.
fn solve(mut matrix: [[f32; 4]; 4], mut right: [f32; 4]) -> Option<[f32; 4]> {
    for row in 0..4 {
        for column in 0..=row {
            let known: f32 = (0..column).map(|k| matrix[row][k] * matrix[column][k]).sum();
            let rest = matrix[row][column] - known;
            matrix[row][column] =
                if row > column { rest / matrix[column][column] } else { (rest > LEAST_PIVOT).then(|| rest.sqrt())? };
        }
    }
    for row in 0..4 {
        let known: f32 = (0..row).map(|k| matrix[row][k] * right[k]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    for row in (0..4).rev() {
        let known: f32 = (row + 1..4).map(|k| matrix[k][row] * right[k]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    Some(right)
}

/// Under this the waves are too alike, or too few samples are there.
const LEAST_PIVOT: f32 = 1.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sinusoids_are_found_in_strength_and_phase_also_where_samples_are_lost() {
        let frequencies = [0.55, 1.05];
        for lost in [0..0, 0..20, 30..60] {
            let weights: Vec<f32> = (0..120).map(|n| f32::from(u8::from(!lost.contains(&n)))).collect();
            let sample = |n: usize| 300.0 * (0.55 * n as f32 + 0.4).cos() + 500.0 * (1.05 * n as f32 - 2.0).cos();
            let samples: Vec<f32> = weights.iter().enumerate().map(|(n, weight)| weight * sample(n)).collect();
            let found = fit(&samples, &weights, frequencies).unwrap();
            for (tone, (strength, phase)) in found.tones.iter().zip([(300.0, 0.4), (500.0, -2.0)]) {
                assert!((tone.power().sqrt() - strength).abs() < 0.5, "{tone:?}, {lost:?} lost");
                assert!((tone.angle() - phase).abs() < 0.005, "{tone:?}, {lost:?} lost");
            }
            assert!(found.captured > 0.999 * found.energy);
        }
    }

    #[test]
    fn what_is_of_another_frequency_is_left() {
        let samples: Vec<f32> = (0..240).map(|n| 400.0 * (0.8 * n as f32).sin()).collect();
        let found = fit(&samples, &[1.0; 240], [0.55, 1.05]).unwrap();
        assert!(found.captured < 0.02 * found.energy);
    }

    #[test]
    fn too_few_samples_say_nothing() {
        assert!(fit(&[1.0; 80], &[0.0; 80], [0.55, 1.05]).is_none());
    }
}
