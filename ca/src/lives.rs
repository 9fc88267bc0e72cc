//! How long certificates live: what the operator chose, within what the specification allows.

use std::time::Duration;

use crate::prepare::SHORTEST_LIFE;
use crate::profile::{Issuing, Level};

/// A life for each level. L0 is that of mailboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lives([Duration; Level::ALL.len()]);

/// A life that certificates of this level cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("between {} s and {} s (TEL-7, EMAIL-6)", SHORTEST_LIFE.as_secs(), longest.as_secs())]
pub struct OutOfBounds {
    /// The longest that the specification allows.
    pub longest: Duration,
}

impl Lives {
    /// The longest life of this level.
    pub fn longest(level: Level) -> Duration {
        let issuing = if level == Level::L0 { Issuing::Email } else { Issuing::Tel };
        issuing.longest_life(level)
    }

    /// How long certificates of this level live.
    pub fn of(&self, level: Level) -> Duration {
        self.0[level as usize]
    }

    /// The same with another life for this level.
    ///
    /// # Errors
    /// If the specification does not allow it.
    pub fn with(mut self, level: Level, life: Duration) -> Result<Self, OutOfBounds> {
        let longest = Self::longest(level);
        if !(SHORTEST_LIFE..=longest).contains(&life) {
            return Err(OutOfBounds { longest });
        }
        self.0[level as usize] = life;
        Ok(self)
    }
}

/// As long as the specification allows.
impl Default for Lives {
    fn default() -> Self {
        Self(Level::ALL.map(Self::longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[test]
    fn a_life_is_within_the_specification() {
        let lives = Lives::default();
        assert_eq!(Level::ALL.map(|level| lives.of(level)), [90, 7, 30, 30, 30].map(|days| DAY * days));
        for (level, life, is_taken) in [
            (Level::L0, DAY * 90, true),
            (Level::L0, DAY * 91, false),
            (Level::L1, DAY * 7, true),
            (Level::L1, DAY * 8, false),
            (Level::L2, DAY * 30 + Duration::from_secs(1), false),
            (Level::L3, DAY, true),
            (Level::L3, Duration::from_secs(599), false),
        ] {
            let with = lives.with(level, life);
            assert_eq!(with.map(|lives| lives.of(level)).ok(), is_taken.then_some(life), "{level:?} {life:?}");
        }
    }
}
