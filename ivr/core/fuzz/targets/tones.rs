//! Any samples and losses: nothing panics, no two keys come at once.
#![no_main]

use ivr_core::media::{Law, Pressed, ToneDetector};
use libfuzzer_sys::fuzz_target;

/// A hop: no two keys are told in one.
const CLOSEST: u64 = 40;

fuzz_target!(|given: Vec<(u16, &[u8])>| {
    let (mut detector, mut last) = (ToneDetector::default(), None::<Pressed>);
    let mut told = |pressed: Pressed| {
        assert!("0123456789*#ABCD".contains(pressed.key));
        assert!(last.is_none_or(|last| pressed.at >= last.at + CLOSEST));
        last = Some(pressed);
    };
    for (lost, octets) in given {
        let samples: Vec<i16> = octets.iter().map(|octet| Law::Mu.decode(*octet)).collect();
        detector.hear(&samples, &mut told);
        detector.lose(usize::from(lost % 2_000), &mut told);
    }
});
