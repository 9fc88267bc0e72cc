//! What a number's parameters say about its line: recorded, and never with a number.

use std::fmt;

/// The parameters `npdi` and `rn` (RFC 4694), `cpc` and `isup-oli` that stood beside a caller's number. Whoever calls
/// may have written them, so only what is known is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct LineParameters {
    npdi: bool,
    rn: bool,
    cpc: Option<&'static str>,
    oli: Option<[u8; 2]>,
}

impl LineParameters {
    /// Takes one parameter in. Of several values of a name the last that is known counts.
    pub(super) fn note(&mut self, name: &str, value: &str) {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("npdi") {
            self.npdi = true;
        } else if is("rn") {
            self.rn = true;
        } else if is("cpc") {
            let known = CATEGORIES.into_iter().find(|known| value.eq_ignore_ascii_case(known));
            self.cpc = Some(known.unwrap_or("other"));
        } else if is("isup-oli") || is("oli") {
            self.oli = match *value.as_bytes() {
                [units @ b'0'..=b'9'] => Some([b'0', units]),
                [tens @ b'0'..=b'9', units @ b'0'..=b'9'] => Some([tens, units]),
                _ => self.oli,
            };
        }
    }
}

/// As they are recorded: `npdi rn cpc=ordinary isup-oli=62`; of `rn` only that it was there.
impl fmt::Display for LineParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [npdi, rn] =
            [(self.npdi, "npdi"), (self.rn, "rn")].map(|(is_there, name)| is_there.then(|| name.to_owned()));
        let cpc = self.cpc.map(|category| format!("cpc={category}"));
        let oli = self.oli.map(|digits| format!("isup-oli={}{}", char::from(digits[0]), char::from(digits[1])));
        let told: Vec<String> = [npdi, rn, cpc, oli].into_iter().flatten().collect();
        f.write_str(&told.join(" "))
    }
}

/// What networks write into `cpc` (draft-mahy-iptel-cpc, 3GPP TS 24.229 7.2A.12).
const CATEGORIES: [&str; 14] = [
    "ordinary",
    "priority",
    "data",
    "test",
    "operator",
    "payphone",
    "unknown",
    "mobile-hplmn",
    "mobile-vplmn",
    "emergency",
    "prison",
    "hotel",
    "hospital",
    "police",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_is_kept_and_no_number() {
        for (given, kept) in [
            (&[][..], ""),
            (&[("npdi", ""), ("rn", "+12025550199")], "npdi rn"),
            (&[("CPC", "Ordinary"), ("isup-oli", "62")], "cpc=ordinary isup-oli=62"),
            (&[("cpc", "+12025550199"), ("oli", "7")], "cpc=other isup-oli=07"),
            (&[("isup-oli", "2025550199"), ("verstat", "x")], ""),
        ] {
            let mut line = LineParameters::default();
            given.iter().for_each(|(name, value)| line.note(name, value));
            assert_eq!(line.to_string(), kept, "{given:?}");
        }
    }
}
