//! When an event is tried again: the schedule that Standard Webhooks 1.0.0 gives as its example ("Deliverability and
//! reliability"), about three days, and then once a day.

use std::time::Duration;

/// After the first attempt, the second, …; each up to a tenth shorter or longer.
const PAUSES: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];

/// Attempts of the schedule. An endpoint at which an event has used them up may be turned off; the event itself goes on, a day
/// apart, until it has been on its way for too long: attempts that ended with the service may be among them.
pub(super) const ATTEMPTS: i64 = PAUSES.len() as i64 + 1;

/// How long to wait after so many attempts. `chance` shifts it, so that what failed together does not come back together.
pub(super) fn pause_after(attempts: i64, chance: u16) -> Duration {
    let last = usize::try_from(attempts).unwrap_or_default().clamp(1, PAUSES.len());
    let pause = PAUSES[last - 1];
    // 90 % to 110 %.
    let millis = pause.as_millis() * (900 + u128::from(chance) * 200 / u128::from(u16::MAX)) / 1000;
    Duration::from_millis(u64::try_from(millis).expect("a day has fewer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDDLE: u16 = u16::MAX / 2 + 1;

    #[test]
    fn ten_attempts_span_about_three_days() {
        let pauses: Vec<u64> = (1..ATTEMPTS).map(|n| pause_after(n, MIDDLE).as_secs()).collect();
        assert_eq!(pauses, [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
        let all: u64 = pauses.iter().sum();
        assert_eq!(all, 75 * 3_600 + 35 * 60 + 5);
        let later = [10, 11, i64::MAX].map(|n| pause_after(n, MIDDLE).as_secs());
        assert_eq!(later, [86_400; 3], "once a day");
        assert_eq!((pause_after(0, MIDDLE), pause_after(-1, MIDDLE)), (PAUSES[0], PAUSES[0]));
    }

    #[test]
    fn chance_shifts_a_pause_by_a_tenth_at_most() {
        let millis = |chance| pause_after(2, chance).as_millis();
        assert_eq!((millis(0), millis(u16::MAX)), (270_000, 330_000));
    }
}
