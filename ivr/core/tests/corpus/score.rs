//! What a detector made of a recording. A key counts once, if it is reported while it is down or within 120 ms after.

use std::time::Duration;

use ivr_core::media::{Pressed, ToneDetector};

use super::conditions::{Condition, Expected};
use super::sound::{Key, Recording};

/// The count of one condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Score {
    pub(crate) keys: usize,
    pub(crate) heard: usize,
    pub(crate) wrong: usize,
    pub(crate) doubled: usize,
    pub(crate) extra: usize,
    /// From the beginning of each key to its report, together, in samples.
    pub(crate) delay: usize,
}

impl Score {
    /// Plays a condition to the detector.
    pub(crate) fn of(condition: &Condition, seed: u64) -> Self {
        let recording = Recording::of(&condition.sound, seed);
        Self::count(&recording.keys, &heard(&recording))
    }

    fn count(keys: &[Key], reports: &[Pressed]) -> Self {
        let mut score = Self { keys: keys.len(), ..Self::default() };
        let mut is_heard = vec![false; keys.len()];
        for report in reports {
            let at = usize::try_from(report.at).expect("a recording is short");
            let near = |key: &Key| (key.down.start..=key.down.end + LATEST).contains(&at);
            let possible: Vec<usize> = (0..keys.len()).filter(|n| near(&keys[*n])).collect();
            let same = || possible.iter().filter(|n| keys[**n].key == report.key);
            if let Some(n) = same().find(|n| !is_heard[**n]) {
                is_heard[*n] = true;
                score.heard += 1;
                score.delay += at - keys[*n].down.start;
            } else if same().next().is_some() {
                score.doubled += 1;
            } else if possible.is_empty() {
                score.extra += 1;
            } else {
                score.wrong += 1;
            }
        }
        score
    }

    /// Is this what the condition asks for?
    pub(crate) fn passes(&self, expected: Expected) -> bool {
        let more = self.wrong + self.doubled + self.extra;
        match expected {
            Expected::Accept => self.heard * 100 >= 99 * self.keys && more * 200 <= self.keys,
            Expected::Reject => (self.heard + more) * 100 <= 2 * self.keys,
            Expected::Info => true,
        }
    }

    /// From the beginning of a key to its report.
    pub(crate) fn mean_delay(&self) -> Option<Duration> {
        let samples = self.delay.checked_div(self.heard)?;
        Some(Duration::from_micros(samples as u64 * 125))
    }
}

/// What the detector says of a recording that comes in packets.
pub(crate) fn heard(recording: &Recording) -> Vec<Pressed> {
    let (mut detector, mut reports) = (ToneDetector::default(), Vec::new());
    let mut lost = recording.lost.iter();
    let mut next_lost = lost.next();
    for (n, packet) in recording.samples.chunks(160).enumerate() {
        if next_lost.is_some_and(|range| range.start == n * 160) {
            next_lost = lost.next();
            detector.lose(packet.len(), &mut |pressed| reports.push(pressed));
        } else {
            detector.hear(packet, &mut |pressed| reports.push(pressed));
        }
    }
    reports
}

/// 120 ms.
const LATEST: usize = 960;
