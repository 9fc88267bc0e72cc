use audio_codec::Decoder as _;
use audio_codec::g722::G722Decoder;
use proptest::prelude::*;

use super::*;

/// What the other side hears of this, in packets of 20 ms.
fn heard(samples: &[i16]) -> Vec<i16> {
    let (mut encoder, mut decoder) = (Encoder::new(), G722Decoder::new());
    let frames = samples.chunks_exact(320).flat_map(|frame| {
        let (mut octets, mut again) = ([0; 160], [0; 320]);
        encoder.encode(frame, &mut octets);
        assert_eq!(decoder.decode_into(&octets, &mut again).unwrap(), 320);
        again
    });
    frames.collect()
}

fn tone(hertz: f64) -> Vec<i16> {
    let phase = |n: i32| std::f64::consts::TAU * hertz * f64::from(n) / 16_000.0;
    (0..16_000).map(|n| (8_000.0 * phase(n).sin()) as i16).collect()
}

/// How much of a tone of this frequency is in the samples: its power, of all.
fn share_of(hertz: f64, samples: &[i16]) -> f64 {
    let phase = |n: usize| std::f64::consts::TAU * hertz * n as f64 / 16_000.0;
    let sum = |of: fn(f64) -> f64| samples.iter().enumerate().map(|(n, s)| f64::from(*s) * of(phase(n))).sum::<f64>();
    let power: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (sum(f64::sin).powi(2) + sum(f64::cos).powi(2)) * 2.0 / (samples.len() as f64 * power)
}

#[test]
fn tones_are_heard_up_to_seven_kilohertz() {
    // G.711 would end at 4.
    for hertz in [300.0, 1_000.0, 3_400.0, 5_000.0, 6_500.0] {
        let heard = heard(&tone(hertz));
        let share = share_of(hertz, &heard[1_600..]);
        assert!(share > 0.97, "{hertz} Hz: {share}");
    }
}

#[test]
fn silence_is_quiet() {
    let heard = heard(&[0; 16_000]);
    assert!(heard[640..].iter().all(|sample| sample.unsigned_abs() < 16));
}

proptest! {
    #[test]
    fn no_samples_make_the_encoder_panic(samples in proptest::collection::vec(
        prop_oneof![Just(i16::MIN), Just(i16::MAX), Just(0), any::<i16>()], 320..1_280,
    )) {
        heard(&samples);
    }
}
