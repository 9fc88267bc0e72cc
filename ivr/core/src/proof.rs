//! The tickets into issuing a certificate for a telephone number: a call, or an earlier call and the key that was certified
//! for it. Read this file whole: nothing else makes one.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::call::question::VerificationId;
use crate::caller::{Caller, Level, Realm};
use crate::number::Number;

/// A call proved this number: the network vouched for it, the caller entered the session's code and confirmed.
/// Made by the script of a call and, after the page's read-back, opened again from the sealed text that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedNumber {
    number: Number,
    level: Level,
    verification: VerificationId,
    binding: Binding,
}

/// A call proved this number not long ago, and the key that was certified for it speaks for what is asked now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StillProved {
    proof: ProvedNumber,
    unix_seconds: i64,
}

/// What binds the person on the telephone to the device that holds the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binding {
    /// The page posts the digits that the voice read: a proof becomes a certificate only with them.
    ReadBack,
    /// The code alone. Such a proof is worth at most L1.
    CodeOnly,
}

impl ProvedNumber {
    /// Only the script of a call may say so, after the code and the confirm digit. `None` of a call that came over a trunk of the
    /// sandbox: it proves nothing.
    pub(crate) fn by_call(caller: &Caller, verification: VerificationId, binding: Binding) -> Option<Self> {
        let level = match binding {
            Binding::ReadBack => caller.level,
            Binding::CodeOnly => caller.level.min(Level::L1),
        };
        let number = caller.number.clone();
        (caller.realm == Realm::Service).then_some(Self { number, level, verification, binding })
    }

    /// The number.
    pub fn number(&self) -> &Number {
        &self.number
    }

    /// What the call proved it with.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The session it belongs to.
    pub fn verification(&self) -> VerificationId {
        self.verification
    }

    /// Whether the page's read-back is still wanted.
    pub fn binding(&self) -> Binding {
        self.binding
    }

    /// A text to keep in the database from the call until the read-back is posted. The number is sealed but not in
    /// the text. `unix_seconds` says when the call proved it.
    pub fn seal(&self, unix_seconds: i64, key: &ProofKey) -> String {
        let claims = self.claims(unix_seconds);
        let tag = key.mac(&claims, &self.number).finalize().into_bytes();
        tag.iter().fold(claims + ".", |text, byte| text + &format!("{byte:02x}"))
    }

    /// The proof in a text that [`seal`](Self::seal) made for this number with this key, and when the call proved it.
    pub fn open(sealed: &str, number: &Number, key: &ProofKey) -> Result<(Self, i64), BrokenSeal> {
        let (claims, tag) = sealed.rsplit_once('.').ok_or(BrokenSeal)?;
        key.mac(claims, number).verify_slice(&from_hex(tag)?).map_err(|_| BrokenSeal)?;
        let parts: Vec<&str> = claims.split('.').collect();
        let &[VERSION, binding, level, verification, unix_seconds] = parts.as_slice() else { return Err(BrokenSeal) };
        let proof = Self {
            number: number.clone(),
            level: level.parse().map_err(|_| BrokenSeal)?,
            verification: verification.parse().map_err(|_| BrokenSeal)?,
            binding: Binding::from_name(binding).ok_or(BrokenSeal)?,
        };
        Ok((proof, unix_seconds.parse().map_err(|_| BrokenSeal)?))
    }

    /// One text for one proof: no field holds a dot.
    fn claims(&self, unix_seconds: i64) -> String {
        format!("{VERSION}.{}.{}.{}.{unix_seconds}", self.binding.name(), self.level, self.verification)
    }
}

impl StillProved {
    /// The proof in a text that [`ProvedNumber::seal`] made for this number with this key, if it is not too old at this time
    /// and `is_signed` says that the certified key signed for what is asked.
    pub fn open(
        sealed: &str,
        number: &Number,
        key: &ProofKey,
        is_signed: impl FnOnce() -> bool,
        unix_seconds: i64,
    ) -> Result<Self, NotStillProved> {
        let (proof, proved_at) = ProvedNumber::open(sealed, number, key)?;
        if unix_seconds.saturating_sub(proved_at) >= PROOF_LIFE.as_secs().cast_signed() {
            return Err(NotStillProved::TooOld);
        }
        if !is_signed() {
            return Err(NotStillProved::NotSigned);
        }
        Ok(Self { proof, unix_seconds: proved_at })
    }

    /// What the call proved: the number, and the level, which never rises.
    pub fn proof(&self) -> &ProvedNumber {
        &self.proof
    }

    /// When the proof ends: no certificate lives longer.
    pub fn ends_at(&self) -> i64 {
        self.unix_seconds.saturating_add(PROOF_LIFE.as_secs().cast_signed())
    }
}

/// How long a call is worth something: shorter than numbers rest before somebody else gets them.
pub const PROOF_LIFE: Duration = Duration::from_secs(45 * 24 * 60 * 60);

/// Why a stored proof is none any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotStillProved {
    /// The text is not one of ours.
    #[error(transparent)]
    Broken(#[from] BrokenSeal),
    /// The call was too long ago: the number has to call again.
    #[error("the last call from this number was more than 45 days ago: call again")]
    TooOld,
    /// The certified key did not sign.
    #[error("the key of the certificate did not sign this")]
    NotSigned,
}

impl Binding {
    /// Its name in the configuration: `read-back`, `code-only`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadBack => "read-back",
            Self::CodeOnly => "code-only",
        }
    }

    /// The binding of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::ReadBack, Self::CodeOnly].into_iter().find(|binding| binding.name() == name)
    }
}

/// Seals proofs. Every node of a service has the same.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct ProofKey([u8; 32]);

impl ProofKey {
    /// A key of this entropy, used for nothing else.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    fn mac(&self, claims: &str, number: &Number) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.chain_update(claims).chain_update(".").chain_update(number.as_str())
    }
}

impl std::fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[private]")
    }
}

/// We did not seal this text, or for another number, or with another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored proof is not one that this service sealed for this number: was the key file replaced?")]
pub struct BrokenSeal;

/// Changes with the meaning of the fields, so that an old text is refused and not misread.
const VERSION: &str = "p1";

fn from_hex(text: &str) -> Result<Vec<u8>, BrokenSeal> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Ok(b - b'0'),
        b'a'..=b'f' => Ok(b - b'a' + 10),
        _ => Err(BrokenSeal),
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err(BrokenSeal);
    }
    pairs.iter().map(|&[high, low]| Ok(digit(high)? << 4 | digit(low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::{Caps, LineParameters};

    fn number() -> Number {
        Number::parse("+12025550143").unwrap()
    }

    fn caller(level: Level, realm: Realm) -> Caller {
        let (caps, line) = (Caps::default(), LineParameters::default());
        Caller { number: number(), level, caps, line, trunk: "carrier".to_owned(), realm, passport: None }
    }

    fn proof(binding: Binding) -> ProvedNumber {
        ProvedNumber::by_call(&caller(Level::L3, Realm::Service), VerificationId([7; 16]), binding).unwrap()
    }

    #[test]
    fn a_call_of_the_sandbox_proves_nothing() {
        for binding in [Binding::ReadBack, Binding::CodeOnly] {
            let call = caller(Level::L3, Realm::Sandbox);
            assert_eq!(ProvedNumber::by_call(&call, VerificationId([7; 16]), binding), None);
        }
    }

    #[test]
    fn a_proof_by_code_alone_is_worth_l1_at_most() {
        assert_eq!(proof(Binding::CodeOnly).level(), Level::L1);
        assert_eq!(proof(Binding::ReadBack).level(), Level::L3);
        let l0 = caller(Level::L0, Realm::Service);
        let l0 = ProvedNumber::by_call(&l0, VerificationId([7; 16]), Binding::CodeOnly);
        assert_eq!(l0.unwrap().level(), Level::L0);
    }

    #[test]
    fn what_was_sealed_opens_again_and_does_not_show_the_number() {
        let key = ProofKey::new([1; 32]);
        for binding in [Binding::ReadBack, Binding::CodeOnly] {
            let text = proof(binding).seal(1_767_225_600, &key);
            assert_eq!(ProvedNumber::open(&text, &number(), &key), Ok((proof(binding), 1_767_225_600)));
            assert!(!text.contains("5550143"), "{text}");
        }
    }

    #[test]
    fn a_text_that_differs_in_one_character_stays_closed() {
        let key = ProofKey::new([1; 32]);
        let text = proof(Binding::ReadBack).seal(1_767_225_600, &key);
        for at in 0..text.len() {
            for other in ['0', '1', 'a', '.', 'L', '-', 'A'] {
                let mut changed = text.clone();
                changed.replace_range(at..=at, &other.to_string());
                if changed != text {
                    assert_eq!(ProvedNumber::open(&changed, &number(), &key), Err(BrokenSeal), "{changed}");
                }
            }
        }
        let other_key = ProofKey::new([2; 32]);
        let other_number = Number::parse("+12025550144").unwrap();
        assert_eq!(ProvedNumber::open(&text, &number(), &other_key), Err(BrokenSeal));
        assert_eq!(ProvedNumber::open(&text, &other_number, &key), Err(BrokenSeal));
        for text in ["", ".", "p1", &text[..text.len() - 1], &text[..text.len() - 2]] {
            assert_eq!(ProvedNumber::open(text, &number(), &key), Err(BrokenSeal), "{text}");
        }
    }

    #[test]
    fn an_earlier_call_counts_for_forty_five_days_and_only_with_the_key() {
        let (key, called_at) = (ProofKey::new([1; 32]), 1_767_225_600);
        let text = proof(Binding::ReadBack).seal(called_at, &key);
        let open = |is_signed, at| StillProved::open(&text, &number(), &key, || is_signed, at);
        let end = called_at + 45 * 24 * 60 * 60;
        let still = open(true, end - 1).unwrap();
        assert_eq!((still.proof(), still.ends_at()), (&proof(Binding::ReadBack), end));
        assert_eq!(open(true, end), Err(NotStillProved::TooOld));
        assert_eq!(open(false, called_at), Err(NotStillProved::NotSigned));
        let other = Number::parse("+12025550144").unwrap();
        let opened = StillProved::open(&text, &other, &key, || true, called_at);
        assert_eq!(opened, Err(NotStillProved::Broken(BrokenSeal)));
    }
}
