//! Session keys and what they do to one packet (RFC 3711 4, RFC 6188, RFC 7714). This file alone names the ciphers.

use aes::cipher::{BlockCipherEncrypt, InnerIvInit, StreamCipher};
use aes::{Aes128Enc, Aes256Enc};
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes128Gcm, Aes256Gcm, Nonce, Tag};
use ctr::Ctr128BE;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use zeroize::Zeroizing;

use crate::media::security::{MasterKey, Suite};

/// Which of the two streams of a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// RTP.
    Audio,
    /// RTCP.
    Reports,
}

/// The session keys of one stream.
pub(super) struct SessionKeys {
    cipher: Cipher,
    /// As long as the suite's.
    salt: Zeroizing<[u8; LONGEST_SALT]>,
}

enum Cipher {
    Counter { aes: Aes, hmac: Hmac<Sha1>, tag_bytes: usize },
    Galois128(Aes128Gcm),
    Galois256(Aes256Gcm),
}

enum Aes {
    Of128(Aes128Enc),
    Of256(Aes256Enc),
}

/// One packet in pieces.
pub(super) struct Pieces<'a> {
    /// The source and the number that no other packet of it has: 48 bits of RTP, 31 of RTCP.
    pub(super) ssrc: u32,
    pub(super) index: u64,
    /// Is authenticated, but not encrypted.
    pub(super) header: &'a [u8],
    /// Is both.
    pub(super) body: &'a mut [u8],
    /// What is authenticated, too: of RTP the turns of the sequence numbers, which are not sent; of RTCP the index, which is.
    pub(super) behind: [u8; 4],
    pub(super) kind: Kind,
}

impl SessionKeys {
    /// RFC 3711 4.3.1, without a key derivation rate.
    pub(super) fn derive(master: &MasterKey, suite: Suite, kind: Kind) -> Self {
        let (key, salt) = master.expose().split_at(suite.key_bytes());
        let labels = match kind {
            Kind::Audio => [0, 1, 2],
            Kind::Reports => [3, 4, 5],
        };
        let master = Aes::new(key);
        let derived = |label: u8| {
            // RFC 7714 11: a salt of 96 bits is one of 112 whose last are 0.
            let (mut counter, mut octets) = ([0; 16], Zeroizing::new([0; LONGEST_KEY]));
            counter[..salt.len()].copy_from_slice(salt);
            counter[7] ^= label;
            master.apply(&counter, octets.as_mut());
            octets
        };
        let [encryption, authentication, salting] = labels.map(derived);
        let key = &encryption[..suite.key_bytes()];
        let counter = |tag_bytes| Cipher::Counter {
            aes: Aes::new(key),
            hmac: Hmac::new_from_slice(&authentication[..AUTHENTICATION_BYTES])
                .expect("HMAC takes keys of every length"),
            tag_bytes,
        };
        let cipher = match (suite, kind) {
            // RFC 4568 6.2.2: the short tag is RTP's.
            (Suite::AesCm128Sha1_32 | Suite::AesCm256Sha1_32, Kind::Audio) => counter(SHORT_TAG_BYTES),
            (
                Suite::AesCm128Sha1_80 | Suite::AesCm256Sha1_80 | Suite::AesCm128Sha1_32 | Suite::AesCm256Sha1_32,
                Kind::Audio | Kind::Reports,
            ) => counter(TAG_BYTES),
            (Suite::AesGcm128, _) => {
                Cipher::Galois128(Aes128Gcm::new_from_slice(key).expect("the suite's keys have 16 octets"))
            }
            (Suite::AesGcm256, _) => {
                Cipher::Galois256(Aes256Gcm::new_from_slice(key).expect("the suite's keys have 32 octets"))
            }
        };
        let mut session_salt = Zeroizing::new([0; LONGEST_SALT]);
        session_salt[..suite.salt_bytes()].copy_from_slice(&salting[..suite.salt_bytes()]);
        Self { cipher, salt: session_salt }
    }

    /// Octets of a tag.
    pub(super) fn tag_bytes(&self) -> usize {
        match &self.cipher {
            Cipher::Counter { tag_bytes, .. } => *tag_bytes,
            Cipher::Galois128(_) | Cipher::Galois256(_) => GALOIS_TAG_BYTES,
        }
    }

    /// Does the tag follow the body at once (RFC 7714 8 and 9), or what else there is (RFC 3711 3.1 and 3.4)?
    pub(super) fn is_tag_next_to_body(&self) -> bool {
        !matches!(self.cipher, Cipher::Counter { .. })
    }

    /// Encrypts the body and writes the tag, which has [`tag_bytes`](Self::tag_bytes).
    pub(super) fn seal(&self, packet: Pieces<'_>, tag: &mut [u8]) {
        match &self.cipher {
            Cipher::Counter { aes, hmac, .. } => {
                aes.apply(&self.counter(&packet), packet.body);
                let whole = authenticating(hmac, &packet).finalize().into_bytes();
                tag.copy_from_slice(&whole[..tag.len()]);
            }
            Cipher::Galois128(gcm) => tag.copy_from_slice(&self.seal_galois(gcm, packet)),
            Cipher::Galois256(gcm) => tag.copy_from_slice(&self.seal_galois(gcm, packet)),
        }
    }

    /// Decrypts the body if the tag is right, and says whether it is.
    pub(super) fn open(&self, packet: Pieces<'_>, tag: &[u8]) -> bool {
        match &self.cipher {
            Cipher::Counter { aes, hmac, .. } => {
                // In constant time.
                let is_right = authenticating(hmac, &packet).verify_truncated_left(tag).is_ok();
                if is_right {
                    aes.apply(&self.counter(&packet), packet.body);
                }
                is_right
            }
            Cipher::Galois128(gcm) => self.open_galois(gcm, packet, tag),
            Cipher::Galois256(gcm) => self.open_galois(gcm, packet, tag),
        }
    }

    fn seal_galois(&self, gcm: &impl Galois, packet: Pieces<'_>) -> Tag {
        let associated = Associated::of(&packet);
        let nonce = self.nonce(&packet);
        gcm.encrypt_inout_detached(&nonce, associated.of_packet(packet.header), packet.body.into())
            .expect("a datagram is far below the 64 GiB that GCM takes")
    }

    fn open_galois(&self, gcm: &impl Galois, packet: Pieces<'_>, tag: &[u8]) -> bool {
        let associated = Associated::of(&packet);
        let (nonce, Ok(tag)) = (self.nonce(&packet), Tag::try_from(tag)) else { return false };
        gcm.decrypt_inout_detached(&nonce, associated.of_packet(packet.header), packet.body.into(), &tag).is_ok()
    }

    /// RFC 3711 4.1.1: the block that the counter begins at.
    fn counter(&self, packet: &Pieces<'_>) -> [u8; 16] {
        let mut counter = [0; 16];
        counter[..LONGEST_SALT].copy_from_slice(&*self.salt);
        mix(&mut counter[4..14], packet);
        counter
    }

    /// RFC 7714 8.1 and 9.1.
    fn nonce(&self, packet: &Pieces<'_>) -> Nonce<aes_gcm::aead::consts::U12> {
        let mut nonce = [0; 12];
        nonce.copy_from_slice(&self.salt[..12]);
        mix(&mut nonce[2..12], packet);
        nonce.into()
    }
}

trait Galois: AeadInOut<NonceSize = aes_gcm::aead::consts::U12, TagSize = aes_gcm::aead::consts::U16> {}
impl Galois for Aes128Gcm {}
impl Galois for Aes256Gcm {}

/// The source, and the lower 48 bits of the index.
fn mix(octets: &mut [u8], packet: &Pieces<'_>) {
    let mixed = packet.ssrc.to_be_bytes().into_iter().chain(packet.index.to_be_bytes().into_iter().skip(2));
    octets.iter_mut().zip(mixed).for_each(|(octet, mixed)| *octet ^= mixed);
}

fn authenticating(hmac: &Hmac<Sha1>, packet: &Pieces<'_>) -> Hmac<Sha1> {
    let mut hmac = hmac.clone();
    hmac.update(packet.header);
    hmac.update(packet.body);
    hmac.update(&packet.behind);
    hmac
}

/// What GCM authenticates and does not encrypt: of RTP the header (RFC 7714 8.2), of RTCP the index, too (9.2).
struct Associated {
    of_reports: Option<[u8; 12]>,
}

impl Associated {
    fn of(packet: &Pieces<'_>) -> Self {
        let of_reports = (packet.kind == Kind::Reports).then(|| {
            let mut octets = [0; 12];
            let (header, behind) = octets.split_at_mut(8);
            header.copy_from_slice(packet.header);
            behind.copy_from_slice(&packet.behind);
            octets
        });
        Self { of_reports }
    }

    fn of_packet<'a>(&'a self, header: &'a [u8]) -> &'a [u8] {
        self.of_reports.as_ref().map_or(header, |octets| octets)
    }
}

impl Aes {
    /// # Panics
    /// If the key has neither 16 nor 32 octets.
    fn new(key: &[u8]) -> Self {
        if key.len() == 16 {
            Self::Of128(Aes128Enc::new_from_slice(key).expect("it has 16 octets"))
        } else {
            Self::Of256(Aes256Enc::new_from_slice(key).expect("keys have 16 or 32 octets"))
        }
    }

    /// Counter mode: encrypts what is clear and decrypts what is not.
    fn apply(&self, counter: &[u8; 16], octets: &mut [u8]) {
        match self {
            Self::Of128(aes) => apply(aes, counter, octets),
            Self::Of256(aes) => apply(aes, counter, octets),
        }
    }
}

fn apply<A>(aes: &A, counter: &[u8; 16], octets: &mut [u8])
where
    A: BlockCipherEncrypt + aes::cipher::BlockSizeUser<BlockSize = aes::cipher::consts::U16>,
{
    let counting = ctr::CtrCore::inner_iv_init(aes, counter.into());
    Ctr128BE::from_core(counting).apply_keystream(octets);
}

/// Room for every suite's tag.
pub(super) const LONGEST_TAG: usize = GALOIS_TAG_BYTES;
const GALOIS_TAG_BYTES: usize = 16;
const TAG_BYTES: usize = 10;
const SHORT_TAG_BYTES: usize = 4;
const LONGEST_KEY: usize = 32;
const LONGEST_SALT: usize = 14;
/// RFC 3711 5.2: 160 bits.
const AUTHENTICATION_BYTES: usize = 20;

#[cfg(test)]
pub(super) mod tests;
