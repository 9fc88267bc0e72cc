//! What holds the level of a call down, and so why a certificate has the level that it has.

use super::Level;

/// One thing that allows no more than a certain level. The level of a call is the least that any allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cap {
    /// The trunk's addresses serve others, and nothing shows that this call is not theirs: L1.
    SharedAddresses,
    /// Nobody screens the numbers that the trunk's customers present: L1.
    Unscreened,
    /// The number is not of the trunk's country, or the trunk has none: L1.
    Foreign,
    /// A forwarded call might not say so: L1.
    Diversion,
    /// The caller asks for some privacy (`history`, `session`): L1.
    Privacy,
    /// Attestation B or C, or a word about the caller that nobody knows: L1.
    Attestation,
    /// The operator lets the trunk prove no more.
    TrunkLimit,
    /// Nobody that is trusted attests the caller with A: L2.
    Unattested,
    /// The number was not called back: L3.
    NoReturnPath,
}

impl Cap {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 9] = [
        Self::SharedAddresses,
        Self::Unscreened,
        Self::Foreign,
        Self::Diversion,
        Self::Privacy,
        Self::Attestation,
        Self::TrunkLimit,
        Self::Unattested,
        Self::NoReturnPath,
    ];

    /// The stable code of records and the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::SharedAddresses => "shared-addresses",
            Self::Unscreened => "unscreened-trunk",
            Self::Foreign => "foreign-number",
            Self::Diversion => "diversion-unknown",
            Self::Privacy => "half-withheld",
            Self::Attestation => "attestation-low",
            Self::TrunkLimit => "trunk-limit",
            Self::Unattested => "not-attested",
            Self::NoReturnPath => "no-return-path",
        }
    }
}

/// The caps that hold a call at its level: those that allow no more than it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Caps(u16);

impl Caps {
    /// The least level that any of these allows, and which of them allow no more. Without any there is no limit but L4.
    pub(super) fn least(caps: impl IntoIterator<Item = (Cap, Level)>) -> (Level, Self) {
        caps.into_iter().fold((Level::L4, Self::default()), |(least, holding), (cap, level)| match level.cmp(&least) {
            std::cmp::Ordering::Less => (level, Self::default().with(cap)),
            std::cmp::Ordering::Equal => (least, holding.with(cap)),
            std::cmp::Ordering::Greater => (least, holding),
        })
    }

    fn with(self, cap: Cap) -> Self {
        Self(self.0 | 1 << cap as u16)
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Cap> {
        Cap::ALL.into_iter().filter(move |cap| self.0 & 1 << *cap as u16 != 0)
    }

    /// Those of these codes, separated by spaces; a code that this version does not know is left out.
    pub fn from_codes(codes: &str) -> Self {
        let known = |code: &str| Cap::ALL.into_iter().find(|cap| cap.code() == code);
        codes.split(' ').filter_map(known).fold(Self::default(), Self::with)
    }
}

/// Their codes, separated by spaces.
impl std::fmt::Display for Caps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.iter().enumerate().try_for_each(|(at, cap)| {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{}", cap.code())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caps_read_back_as_written_and_the_unknown_is_left_out() {
        for (level, caps) in [(Level::L1, &Cap::ALL[..]), (Level::L2, &Cap::ALL[3..5]), (Level::L4, &[])] {
            let (least, holding) = Caps::least(caps.iter().map(|cap| (*cap, level)));
            assert_eq!((least, holding.iter().collect::<Vec<_>>().as_slice()), (level, caps));
            assert_eq!(Caps::from_codes(&holding.to_string()), holding);
        }
        assert_eq!(Caps::from_codes("made-up trunk-limit ").to_string(), "trunk-limit");
    }

    #[test]
    fn every_cap_has_a_code_and_a_bit_of_its_own() {
        assert!(Cap::ALL.iter().enumerate().all(|(at, cap)| *cap as usize == at));
        assert_eq!(Cap::ALL.len(), Cap::NoReturnPath as usize + 1);
    }

    #[test]
    fn only_the_lowest_caps_are_told() {
        let (level, caps) = Caps::least([
            (Cap::NoReturnPath, Level::L3),
            (Cap::Foreign, Level::L1),
            (Cap::Unattested, Level::L2),
            (Cap::Diversion, Level::L1),
        ]);
        assert_eq!((level, caps.to_string().as_str()), (Level::L1, "foreign-number diversion-unknown"));
    }
}
