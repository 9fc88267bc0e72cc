//! How much a proof is worth: the minimum of everything that caps it.

/// Assurance level of an identity (a policy OID in the certificate).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// An address proved by email.
    L0,
    /// Unscreened or unknown trunk, or code-only.
    L1,
    /// Contractually screened domestic trunk.
    L2,
    /// SHAKEN attestation A verified here.
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
