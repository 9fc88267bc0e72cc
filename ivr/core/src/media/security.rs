//! What offer and answer agree on about encryption: a suite, and a key for each direction (RFC 4568 6).

use zeroize::Zeroizing;

use crate::private::Private;

/// How a call's media is encrypted and authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Security {
    /// The suite of both directions.
    pub suite: Suite,
    /// Protects what we send.
    pub ours: MasterKey,
    /// Protects what the other side sends.
    pub theirs: MasterKey,
    /// Octets in each of its packets that name its key (RFC 3711 3.1, MKI); 0 if it does not name it.
    pub key_name_bytes: u8,
}

/// The suites that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// AES in counter mode with 128 bits, tags of 80 bits (RFC 4568 6.2.1).
    AesCm128Sha1_80,
    /// The same, with tags of 32 bits; those of reports have 80 (RFC 4568 6.2.2).
    AesCm128Sha1_32,
    /// AES in counter mode with 256 bits, tags of 80 bits (RFC 6188).
    AesCm256Sha1_80,
    /// The same, with tags of 32 bits.
    AesCm256Sha1_32,
    /// AES-GCM with 128 bits (RFC 7714).
    AesGcm128,
    /// AES-GCM with 256 bits.
    AesGcm256,
}

impl Suite {
    /// Those that we speak.
    pub const ALL: [Self; 6] = [
        Self::AesCm128Sha1_80,
        Self::AesCm128Sha1_32,
        Self::AesCm256Sha1_80,
        Self::AesCm256Sha1_32,
        Self::AesGcm128,
        Self::AesGcm256,
    ];

    /// The suite of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))
    }

    /// The name in SDP and in call records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128Sha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128Sha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Self::AesCm256Sha1_80 => "AES_256_CM_HMAC_SHA1_80",
            Self::AesCm256Sha1_32 => "AES_256_CM_HMAC_SHA1_32",
            Self::AesGcm128 => "AEAD_AES_128_GCM",
            Self::AesGcm256 => "AEAD_AES_256_GCM",
        }
    }

    /// Octets of a master key, without its salt.
    pub(crate) const fn key_bytes(self) -> usize {
        match self {
            Self::AesCm128Sha1_80 | Self::AesCm128Sha1_32 | Self::AesGcm128 => 16,
            Self::AesCm256Sha1_80 | Self::AesCm256Sha1_32 | Self::AesGcm256 => 32,
        }
    }

    /// Octets of its salt.
    pub(crate) const fn salt_bytes(self) -> usize {
        match self {
            Self::AesCm128Sha1_80 | Self::AesCm128Sha1_32 | Self::AesCm256Sha1_80 | Self::AesCm256Sha1_32 => 14,
            Self::AesGcm128 | Self::AesGcm256 => 12,
        }
    }

    /// Octets of both, as they stand in SDP.
    pub const fn master_bytes(self) -> usize {
        self.key_bytes() + self.salt_bytes()
    }
}

/// A master key and its salt: nothing shows it but [`expose`](Self::expose), and it is wiped when it is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterKey(Private<Zeroizing<Vec<u8>>>);

impl MasterKey {
    /// A key of this suite; `None` if it has another length.
    pub fn new(octets: Vec<u8>, suite: Suite) -> Option<Self> {
        let octets = Zeroizing::new(octets);
        (octets.len() == suite.master_bytes()).then(|| Self(Private::new(octets)))
    }

    /// Key and salt.
    pub(crate) fn expose(&self) -> &[u8] {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_length_of_its_suite_and_is_not_shown() {
        for (suite, length) in Suite::ALL.into_iter().zip([30, 30, 46, 46, 28, 44]) {
            for given in 0..60 {
                assert_eq!(MasterKey::new(vec![7; given], suite).is_some(), given == length, "{suite:?}, {given}");
            }
            assert_eq!(Suite::from_name(&suite.name().to_lowercase()), Some(suite));
        }
        let ours = MasterKey::new(vec![201; 30], Suite::AesCm128Sha1_80).unwrap();
        let security = Security { suite: Suite::AesCm128Sha1_80, theirs: ours.clone(), ours, key_name_bytes: 0 };
        let expected = "Security { suite: AesCm128Sha1_80, ours: MasterKey([private]), theirs: MasterKey([private]), \
                        key_name_bytes: 0 }";
        assert_eq!(format!("{security:?}"), expected);
    }
}
