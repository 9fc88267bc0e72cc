//! What the media of a call was like, for its record.

use std::time::Duration;

use super::security::Suite;

/// The figures of both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quality {
    /// RTP packets sent.
    pub packets_sent: u64,
    /// RTP packets taken from the latched source.
    pub packets_received: u64,
    /// Packets missing by sequence number.
    pub packets_lost: u64,
    /// Packets from elsewhere, dropped: RTP and reports.
    pub packets_foreign: u64,
    /// Packets and reports that were not authentic or came again where they had to be protected, dropped.
    pub packets_unauthentic: u64,
    /// Interarrival jitter (RFC 3550 6.4.1).
    pub jitter: Duration,
    /// What the other side said last of what we sent; `None` if it said nothing.
    pub reported: Option<Reported>,
    /// What protected the media (SRTP), at last; `None` if any of it could be in the clear.
    pub srtp: Option<Suite>,
}

/// What the other side says of our packets (RFC 3550 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reported {
    /// Packets that should have arrived by then.
    pub packets_expected: u64,
    /// Those that had not.
    pub packets_lost: u64,
    /// Interarrival jitter.
    pub jitter: Duration,
    /// To the other side and back, if it has heard a report of ours.
    pub round_trip: Option<Duration>,
}

/// How well speech is understood, as people would rate it: 1.00 (not at all) to 4.41 (as well as a telephone allows).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mos {
    /// Times 100.
    pub hundredths: u16,
}

impl Quality {
    /// An estimate for what we received; `None` if nothing came.
    pub fn mos_received(&self) -> Option<Mos> {
        let lost = share(self.packets_lost, self.packets_lost + self.packets_received)?;
        (self.packets_received > 0).then(|| Mos::estimate(lost, self.jitter, self.round_trip()))
    }

    /// An estimate for what we sent, as the other side reported it; `None` if it did not.
    pub fn mos_sent(&self) -> Option<Mos> {
        let reported = self.reported?;
        let lost = share(reported.packets_lost, reported.packets_expected)?;
        Some(Mos::estimate(lost, reported.jitter, self.round_trip()))
    }

    fn round_trip(&self) -> Duration {
        self.reported.and_then(|reported| reported.round_trip).unwrap_or_default()
    }
}

impl Mos {
    /// The E-model (ITU-T G.107) with its defaults for all but delay and loss, as simplified by Cole and Rosenbluth, "Voice
    /// over IP performance monitoring" (2001): R = 93.2 − Id − Ie.
    /// - Id = 0.024 d + 0.11 (d − 177.3) where d > 177.3; d in ms is half the round trip and twice the jitter, which is
    ///   about what a jitter buffer waits.
    /// - Ie = 95 p / (p + 25.1) with p per cent lost at random: G.107 7.5, and G.113 appendix I for G.711 whose losses are
    ///   concealed. G.722 has a scale of its own (G.107.1) and is rated on this one, too.
    ///
    /// MOS = 1 + 0.035 R + R (R − 60) (100 − R) 7·10⁻⁶ (G.107 annex B), and 1 where R is negative.
    fn estimate(lost: f64, jitter: Duration, round_trip: Duration) -> Self {
        let delay = (round_trip / 2 + jitter.saturating_mul(2)).as_secs_f64() * 1e3;
        let by_delay = 0.024 * delay + 0.11 * (delay - 177.3).max(0.0);
        let percent = lost * 100.0;
        let by_loss = 95.0 * percent / (percent + 25.1);
        let r = (93.2 - by_delay - by_loss).max(0.0);
        let mos = 1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6;
        // Between 1 and 4.41; the cubic dips below 1 next to R = 0.
        Self { hundredths: (mos.max(1.0) * 100.0).round() as u16 }
    }
}

/// The lost part of what was expected.
fn share(lost: u64, expected: u64) -> Option<f64> {
    (expected > 0).then(|| lost as f64 / expected as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_estimate_is_that_of_the_e_model() {
        // Calculated from the formula in another language.
        for (name, lost, jitter, round_trip, expected) in [
            ("a perfect line", 0.0, 0, 0, 441),
            ("one in a hundred lost", 0.01, 0, 0, 433),
            ("three in a hundred", 0.03, 0, 0, 413),
            ("a tenth", 0.1, 0, 0, 341),
            ("a third", 0.333, 0, 0, 202),
            ("all", 1.0, 0, 0, 118),
            ("100 ms there", 0.0, 0, 200, 436),
            ("half of it in the jitter buffer", 0.0, 25, 100, 436),
            ("a satellite and a half", 0.0, 0, 800, 305),
            ("an hour", 0.0, 0, 7_200_000, 100),
            ("loss and delay", 0.02, 20, 300, 403),
        ] {
            assert_eq!(Mos::estimate(lost, millis(jitter), millis(round_trip)).hundredths, expected, "{name}");
        }
    }

    #[test]
    fn each_direction_has_its_own_and_what_is_not_known_has_none() {
        let reported = Reported { packets_expected: 100, packets_lost: 10, ..Reported::default() };
        let heard = Quality { packets_received: 99, packets_lost: 1, ..Quality::default() };
        let both = Quality { reported: Some(reported), ..heard };
        for (name, quality, expected) in [
            ("nothing", Quality::default(), (None, None)),
            ("ours", heard, (Some(433), None)),
            ("theirs", Quality { reported: Some(reported), ..Quality::default() }, (None, Some(341))),
            ("both", both, (Some(433), Some(341))),
            ("an empty report", Quality { reported: Some(Reported::default()), ..heard }, (Some(433), None)),
            (
                "delay counts both ways",
                Quality { reported: Some(Reported { round_trip: Some(millis(800)), ..reported }), ..heard },
                (Some(286), Some(170)),
            ),
        ] {
            let hundredths = |mos: Option<Mos>| mos.map(|mos| mos.hundredths);
            assert_eq!((hundredths(quality.mos_received()), hundredths(quality.mos_sent())), expected, "{name}");
        }
    }
}
