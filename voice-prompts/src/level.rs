//! How loud a clip is: the active speech level of ITU-T P.56 (method B), so that pauses do not count, and the peak.

/// The level of the shipped clips.
pub const ACTIVE_LEVEL_DBM0: f64 = -16.0;
/// How far a clip may be from it.
pub const ACTIVE_LEVEL_TOLERANCE_DB: f64 = 1.5;
/// The highest sample of a clip, relative to full scale.
pub const PEAK_LIMIT_DBFS: f64 = -3.0;

/// G.711: a sine of full scale has this level.
#[expect(clippy::approx_constant, reason = "decibels, not the circle's")]
const FULL_SCALE_SINE_DBM0: f64 = 3.14;
/// The mean power of a sine is this much under its peak's.
const SINE_CREST_DB: f64 = 3.01;
/// P.56: the envelope's time constant, the hangover and the margin between activity threshold and active level.
const TIME_CONSTANT_S: f64 = 0.03;
const HANGOVER_S: f64 = 0.2;
const MARGIN_DB: f64 = 15.9;

/// The highest sample in dB relative to full scale; `None` for digital silence.
pub fn peak_dbfs(samples: &[i16]) -> Option<f64> {
    let peak = samples.iter().map(|s| s.unsigned_abs()).max().filter(|p| *p > 0)?;
    Some(20.0 * (f64::from(peak) / 32_768.0).log10())
}

/// The active speech level in dBm0; `None` if nothing in the clip is speech.
pub fn active_dbm0(samples: &[i16], rate: u32) -> Option<f64> {
    const STEPS: usize = 15;
    let hangover = (HANGOVER_S * f64::from(rate)) as u32;
    let decay = (-1.0 / (TIME_CONSTANT_S * f64::from(rate))).exp();
    let threshold = |step: usize| 2f64.powi(step as i32 - STEPS as i32);

    let (mut once, mut envelope, mut energy) = (0.0, 0.0, 0.0);
    let mut active = [0u64; STEPS];
    let mut quiet_for = [u32::MAX; STEPS];
    for sample in samples {
        let x = f64::from(*sample) / 32_768.0;
        energy += x * x;
        once = decay * once + (1.0 - decay) * x.abs();
        envelope = decay * envelope + (1.0 - decay) * once;
        for step in 0..STEPS {
            quiet_for[step] = if envelope >= threshold(step) { 0 } else { quiet_for[step].saturating_add(1) };
            active[step] += u64::from(quiet_for[step] < hangover);
        }
    }

    // The level of each threshold falls, and the threshold rises: the active level is where they are MARGIN_DB apart.
    let mut previous: Option<(f64, f64)> = None;
    for (step, count) in active.iter().enumerate() {
        if *count == 0 {
            break;
        }
        let level = 10.0 * (energy / *count as f64).log10();
        let apart = level - 20.0 * threshold(step).log10();
        if apart <= MARGIN_DB {
            let level = match previous {
                Some((level_before, apart_before)) => {
                    let part = (apart_before - MARGIN_DB) / (apart_before - apart);
                    level_before + part * (level - level_before)
                }
                None => level,
            };
            return Some(level + FULL_SCALE_SINE_DBM0 + SINE_CREST_DB);
        }
        previous = Some((level, apart));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    fn tone(dbm0: f64, seconds: f64) -> Vec<i16> {
        let amplitude = 32_768.0 * 10f64.powf((dbm0 - FULL_SCALE_SINE_DBM0) / 20.0);
        (0..(8_000.0 * seconds) as u32)
            .map(|n| (amplitude * (2.0 * PI * 1_000.0 * f64::from(n) / 8_000.0).sin()).round() as i16)
            .collect()
    }

    #[test]
    fn a_tone_has_its_own_level_however_much_silence_follows() {
        for dbm0 in [-30.0, -16.0, -6.0] {
            let alone = active_dbm0(&tone(dbm0, 4.0), 8_000).unwrap();
            assert!((alone - dbm0).abs() < 0.3, "{dbm0}: {alone}");
            let with_silence = [tone(dbm0, 4.0), vec![0; 40_000]].concat();
            let active = active_dbm0(&with_silence, 8_000).unwrap();
            assert!((active - dbm0).abs() < 0.6, "{dbm0}: {active}");
        }
    }

    #[test]
    fn silence_has_no_level() {
        assert_eq!(active_dbm0(&[0; 8_000], 8_000), None);
        assert_eq!(peak_dbfs(&[0; 8_000]), None);
        assert_eq!(active_dbm0(&[], 8_000), None);
    }

    #[test]
    fn the_peak_is_relative_to_full_scale() {
        assert!(peak_dbfs(&[0, -32_768, 5]).unwrap().abs() < 1e-9);
        assert!((peak_dbfs(&[16_384]).unwrap() + 6.02).abs() < 0.01);
    }
}
