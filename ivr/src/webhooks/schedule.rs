//! When an event is tried again: the schedule that Standard Webhooks 1.0.0 gives as its example ("Deliverability and
//! reliability"), about three days.

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

/// How long to wait after so many attempts, or `None` if that was the last. `chance` shifts it, so that what failed together
/// does not come back together.
pub(super) fn pause_after(attempts: i64, chance: u16) -> Option<Duration> {
    let last = usize::try_from(attempts).ok()?.checked_sub(1)?;
    let pause = PAUSES.get(last)?;
    // 90 % to 110 %.
    let millis = pause.as_millis() * (900 + u128::from(chance) * 200 / u128::from(u16::MAX)) / 1000;
    Some(Duration::from_millis(u64::try_from(millis).expect("a day has fewer")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDDLE: u16 = u16::MAX / 2 + 1;

    #[test]
    fn ten_attempts_span_about_three_days() {
        let pauses: Vec<u64> = (1..20).map_while(|n| pause_after(n, MIDDLE)).map(|pause| pause.as_secs()).collect();
        assert_eq!(pauses, [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
        let all: u64 = pauses.iter().sum();
        assert_eq!(all, 75 * 3_600 + 35 * 60 + 5);
        assert_eq!((pause_after(0, 0), pause_after(10, 0), pause_after(i64::MAX, 0)), (None, None, None));
    }

    #[test]
    fn chance_shifts_a_pause_by_a_tenth_at_most() {
        let millis = |chance| pause_after(2, chance).unwrap().as_millis();
        assert_eq!((millis(0), millis(u16::MAX)), (270_000, 330_000));
    }
}
