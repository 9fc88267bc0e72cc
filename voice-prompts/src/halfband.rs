//! From the 16 kHz masters to the 8 kHz of G.711: a half-band low-pass, then every second sample. And back, for operators'
//! clips of 8 kHz in calls of 16 kHz: zeros between the samples, then the same low-pass.
//! Only the masters are kept in the repository: there is no second file that could say something else, and deriving all
//! clips of a language takes a few milliseconds once, at the start.

use std::f64::consts::PI;

/// Length of the filter: 4k + 3, so that its ends are not zeros.
const TAPS: usize = 63;
/// Kaiser window: about 65 dB of stop band from 4.6 kHz on, which is what folds onto the telephone band (up to 3.4 kHz).
const BETA: f64 = 6.2;

/// 16 kHz → 8 kHz. The filter's delay is taken out: sample n of the answer is at the time of sample 2n.
pub fn decimate(samples: &[i16]) -> Vec<i16> {
    let filter = half_band();
    let middle = TAPS / 2;
    (0..samples.len().div_ceil(2))
        .map(|n| {
            let sum: f64 = filter
                .iter()
                .enumerate()
                .filter_map(|(k, tap)| {
                    let at = (2 * n + k).checked_sub(middle)?;
                    Some(tap * f64::from(*samples.get(at)?))
                })
                .sum();
            sum.round().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16
        })
        .collect()
}

/// 8 kHz → 16 kHz: sample 2n of the answer is at the time of sample n. Nothing is above 4 kHz in it, as before.
pub(crate) fn interpolate(samples: &[i16]) -> Vec<i16> {
    let filter = half_band();
    let middle = TAPS / 2;
    (0..2 * samples.len())
        .map(|n| {
            let sum: f64 = filter
                .iter()
                .enumerate()
                .filter_map(|(k, tap)| {
                    let at = (n + k).checked_sub(middle).filter(|at| at % 2 == 0)?;
                    Some(2.0 * tap * f64::from(*samples.get(at / 2)?))
                })
                .sum();
            sum.round().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16
        })
        .collect()
}

/// A windowed sinc with its corner at a quarter of the sampling rate, gain 1 at 0 Hz.
fn half_band() -> [f64; TAPS] {
    let middle = (TAPS / 2) as f64;
    let mut taps: [f64; TAPS] = std::array::from_fn(|k| {
        let x = k as f64 - middle;
        let sinc = if x == 0.0 { 0.5 } else { (PI * x / 2.0).sin() / (PI * x) };
        let inside = (1.0 - (x / (middle + 1.0)).powi(2)).max(0.0);
        sinc * bessel_i0(BETA * inside.sqrt()) / bessel_i0(BETA)
    });
    let gain: f64 = taps.iter().sum();
    taps.iter_mut().for_each(|tap| *tap /= gain);
    taps
}

/// The modified Bessel function of order zero, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..30 {
        term *= (x / 2.0 / f64::from(k)).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many dB a tone of 16 kHz material gains or loses on its way.
    fn gain_db(hertz: f64) -> f64 {
        let tone: Vec<i16> =
            (0..16_000).map(|n| (16_000.0 * (2.0 * PI * hertz * f64::from(n) / 16_000.0).sin()) as i16).collect();
        let out = decimate(&tone);
        let rms = |s: &[i16]| (s.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / s.len() as f64).sqrt();
        20.0 * (rms(&out[200..7_800]) / rms(&tone[400..15_600])).log10()
    }

    #[test]
    fn the_telephone_band_passes_and_what_would_fold_onto_it_does_not() {
        for hertz in [100.0, 300.0, 1_000.0, 2_000.0, 3_000.0, 3_400.0] {
            assert!(gain_db(hertz).abs() < 0.1, "{hertz} Hz: {} dB", gain_db(hertz));
        }
        for hertz in [4_600.0, 5_000.0, 6_000.0, 7_500.0] {
            assert!(gain_db(hertz) < -55.0, "{hertz} Hz: {} dB", gain_db(hertz));
        }
    }

    #[test]
    fn what_was_interpolated_is_the_same_once_decimated() {
        for hertz in [100.0, 1_000.0, 3_000.0, 3_400.0] {
            let tone: Vec<i16> =
                (0..2_000).map(|n| (16_000.0 * (2.0 * PI * hertz * f64::from(n) / 8_000.0).sin()) as i16).collect();
            let again = decimate(&interpolate(&tone));
            assert_eq!(again.len(), tone.len());
            let furthest = (100..1_900).map(|n| (i32::from(again[n]) - i32::from(tone[n])).abs()).max().unwrap();
            assert!(furthest < 200, "{hertz} Hz: {furthest}");
        }
    }

    #[test]
    fn the_delay_of_the_filter_is_taken_out() {
        let mut click = vec![0; 1_000];
        click[400] = 20_000;
        let out = decimate(&click);
        let loudest = (0..out.len()).max_by_key(|n| out[*n].unsigned_abs()).unwrap();
        assert_eq!((out.len(), loudest), (500, 200));
    }
}
