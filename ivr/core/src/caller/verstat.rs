//! In which words a trunk says what its network found out about a caller (STIR), and what they mean.

/// Where a trunk says it, and its dialect. A word counts as it stands in the table, letter for letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verstat {
    /// A header of the INVITE. In P-Asserted-Identity and From it is the parameter `verstat` (3GPP TS 24.229 7.2A.20)
    /// of any entry, in others the whole value.
    pub header: String,
    /// A header with nothing but the attestation, A, B or C: what [`Finding::Passed`] leaves open.
    pub attestation_header: Option<String>,
    /// Each word and its meaning.
    pub words: Vec<(String, Finding)>,
}

/// What a word of a dialect means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Finding {
    /// The signature is good, with attestation A.
    PassedA,
    /// Good, with B or C, so that the signer does not say that the number is the caller's; or a word that does not tell
    /// good from bad.
    Low,
    /// Good; the header with the attestation says with which.
    Passed,
    /// The signature is bad, or is not about this call.
    Failed,
    /// Nothing was signed.
    Unsigned,
    /// Good, but somebody forwarded the call.
    Diverted,
}

impl Verstat {
    /// What this word means; `None` if the carrier never said that it writes it.
    pub(super) fn finding(&self, word: &str) -> Option<Finding> {
        self.words.iter().find(|(known, _)| known == word).map(|(_, finding)| *finding)
    }

    /// Does any of its words raise a level?
    pub fn may_raise(&self) -> bool {
        self.words.iter().any(|(_, finding)| matches!(finding, Finding::PassedA | Finding::Passed))
    }

    /// Is it a parameter of an address, and not a header of its own?
    pub(super) fn is_parameter(&self) -> bool {
        ["P-Asserted-Identity", "From"].iter().any(|known| self.header.eq_ignore_ascii_case(known))
    }
}
