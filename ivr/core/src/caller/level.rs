//! How much a proof is worth: the minimum of everything that caps it.

use crate::number::Kind;

/// Assurance level of an identity (a policy OID in the certificate).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// An address proved by email.
    L0,
    /// Unscreened or unknown trunk, or code-only.
    L1,
    /// Contractually screened domestic trunk.
    L2,
    /// The same, and SHAKEN attestation A, verified here or by a trunk whose word counts.
    L3,
    /// L2 or L3 and a return path.
    L4,
}

impl Level {
    /// 0 to 4: the last arc of the policy OID and the column of the database.
    pub fn number(self) -> u8 {
        match self {
            Self::L0 => 0,
            Self::L1 => 1,
            Self::L2 => 2,
            Self::L3 => 3,
            Self::L4 => 4,
        }
    }

    /// The level of this number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::L0, Self::L1, Self::L2, Self::L3, Self::L4].into_iter().find(|level| level.number() == number)
    }
}

/// The lowest level that certificates are issued for, by the kind of number. The kinds that nobody may prove have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuingLevels {
    /// Of fixed and mobile lines.
    pub subscriber: Level,
    /// Of internet telephony numbers.
    pub voip: Level,
    /// Of personal numbers.
    pub personal: Level,
}

impl IssuingLevels {
    /// That of this kind. A kind that is refused anyway counts as a line.
    pub fn of(self, kind: Kind) -> Level {
        match kind {
            Kind::Voip => self.voip,
            Kind::Personal => self.personal,
            Kind::Subscriber
            | Kind::TollFree
            | Kind::Premium
            | Kind::SharedCost
            | Kind::UniversalAccess
            | Kind::Pager
            | Kind::Voicemail => self.subscriber,
        }
    }

    /// The lowest of them: a trunk that proves less is of no use.
    pub fn lowest(self) -> Level {
        self.subscriber.min(self.voip).min(self.personal)
    }
}

/// One for all kinds.
impl From<Level> for IssuingLevels {
    fn from(level: Level) -> Self {
        Self { subscriber: level, voip: level, personal: level }
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "L{}", self.number())
    }
}

impl std::str::FromStr for Level {
    type Err = NotALevel;

    fn from_str(text: &str) -> Result<Self, NotALevel> {
        let digits = text.strip_prefix('L').ok_or(NotALevel)?;
        match digits.as_bytes() {
            [digit] => Self::from_number(digit.wrapping_sub(b'0')).ok_or(NotALevel),
            _ => Err(NotALevel),
        }
    }
}

/// The text is not `L0` to `L4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a level is one of L0, L1, L2, L3, L4")]
pub struct NotALevel;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_and_read_back_as_written() {
        let levels: Vec<Level> = (0..5).map(|n| Level::from_number(n).unwrap()).collect();
        assert!(levels.is_sorted());
        for level in levels {
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        for text in ["", "L", "L5", "2", "l2", "L22", "L٢"] {
            assert_eq!(text.parse::<Level>(), Err(NotALevel), "{text}");
        }
    }
}
