//! The layers of a location record as COSE messages (RFC 9052): signed, and sealed around that.
//!
//! Each message has one form: what is read is built again from its parts and compared.

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use coset::cbor::value::Value;
use coset::iana::Algorithm;
use coset::{
    Algorithm as Stated, CoseEncrypt, CoseEncrypt0, CoseEncrypt0Builder, CoseEncryptBuilder, CoseRecipient,
    CoseRecipientBuilder, CoseSign1, CoseSign1Builder, EncryptionContext, Header, HeaderBuilder, Label,
    TaggedCborSerializable, enc_structure_data,
};
use hpke::aead::AesGcm128;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

use super::LocationError;
use super::key::{KemKey, OwnerKey, OwnerPublic};

/// The most recipients of one record: each takes about 80 bytes of the 996.
pub const RECIPIENTS: usize = 8;

/// HPKE's base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-128-GCM around the content's key. Private use
/// (RFC 8152 16.4): draft-ietf-cose-hpke calls this suite HPKE-3-KE, but has no number for good yet.
const HPKE: Stated = Stated::PrivateUse(-65_537);
/// The header parameter that carries the encapsulated key, `ek` in that draft.
const ENCAPSULATED: i64 = -4;
/// The tag of a COSE_Encrypt in two bytes (RFC 9052 2: 96).
const ENCRYPT_TAG: [u8; 2] = [0xd8, 0x60];
const NONCE_SIZE: usize = 12;
const CONTENT_KEY_SIZE: usize = 16;

/// COSE_Sign1 over a payload.
pub(super) fn sign(payload: Vec<u8>, aad: &[u8], key: &OwnerKey) -> Vec<u8> {
    let unsigned = CoseSign1Builder::new().protected(stating(algorithm(&key.public()))).payload(payload);
    bytes_of(unsigned.create_signature(aad, |signed| key.sign(signed)).build())
}

/// The payload of a COSE_Sign1 that this key signed.
pub(super) fn verify(bytes: &[u8], aad: &[u8], key: &OwnerPublic) -> Result<Vec<u8>, LocationError> {
    let message = CoseSign1::from_tagged_slice(bytes).map_err(|_| LocationError::Malformed)?;
    let payload = message.payload.clone().ok_or(LocationError::Malformed)?;
    let rebuilt = CoseSign1Builder::new()
        .protected(stating(algorithm(key)))
        .payload(payload.clone())
        .signature(message.signature.clone())
        .build();
    if bytes_of(rebuilt) != bytes {
        return Err(LocationError::Malformed);
    }
    let signed = message.tbs_data(aad);
    if key.verifies(&signed, &message.signature) { Ok(payload) } else { Err(LocationError::Signature) }
}

/// COSE_Encrypt0 under a key that friends derive.
pub(super) fn seal_for_friends(plain: &[u8], aad: &[u8], key: &[u8; 32], seed: [u8; 32]) -> Vec<u8> {
    let nonce = draw::<NONCE_SIZE>(&mut ChaCha20Rng::from_seed(seed));
    let cipher = Aes256Gcm::new(&(*key).into());
    let builder = CoseEncrypt0Builder::new().protected(stating(Stated::Assigned(Algorithm::A256GCM)));
    let builder = builder.unprotected(HeaderBuilder::new().iv(nonce.to_vec()).build());
    bytes_of(builder.create_ciphertext(plain, aad, |msg, aad| encrypt(&cipher, nonce, msg, aad)).build())
}

/// Opens what [`seal_for_friends`] made.
pub(super) fn unseal_of_friends(bytes: &[u8], aad: &[u8], key: &[u8; 32]) -> Result<Vec<u8>, LocationError> {
    let message = CoseEncrypt0::from_tagged_slice(bytes).map_err(|_| LocationError::Malformed)?;
    let sealed = message.ciphertext.clone().ok_or(LocationError::Malformed)?;
    let nonce: [u8; NONCE_SIZE] = message.unprotected.iv.as_slice().try_into().map_err(|_| LocationError::Malformed)?;
    let rebuilt = CoseEncrypt0Builder::new()
        .protected(stating(Stated::Assigned(Algorithm::A256GCM)))
        .unprotected(HeaderBuilder::new().iv(nonce.to_vec()).build())
        .ciphertext(sealed.clone())
        .build();
    if bytes_of(rebuilt) != bytes {
        return Err(LocationError::Malformed);
    }
    let aad = enc_structure_data(EncryptionContext::CoseEncrypt0, message.protected, aad);
    decrypt(&Aes256Gcm::new(&(*key).into()), nonce, &sealed, &aad)
}

/// Whether a value claims to be sealed for recipients.
pub(super) fn is_for_recipients(value: &[u8]) -> bool {
    value.starts_with(&ENCRYPT_TAG)
}

/// COSE_Encrypt with one recipient a key.
pub(super) fn seal_for_recipients(
    plain: &[u8],
    aad: &[u8],
    keys: &[[u8; 32]],
    seed: [u8; 32],
) -> Result<Vec<u8>, LocationError> {
    if !(1..=RECIPIENTS).contains(&keys.len()) {
        return Err(LocationError::Limits);
    }
    let mut chance = ChaCha20Rng::from_seed(seed);
    let nonce = draw::<NONCE_SIZE>(&mut chance);
    let content_key = Zeroizing::new(draw::<CONTENT_KEY_SIZE>(&mut chance));
    let mut builder = CoseEncryptBuilder::new().protected(stating(Stated::Assigned(Algorithm::A128GCM)));
    for key in keys {
        builder = builder.add_recipient(recipient(key, &content_key, aad, &mut chance)?);
    }
    let builder = builder.unprotected(HeaderBuilder::new().iv(nonce.to_vec()).build());
    let cipher = Aes128Gcm::new(&(*content_key).into());
    Ok(bytes_of(builder.create_ciphertext(plain, aad, |msg, aad| encrypt(&cipher, nonce, msg, aad)).build()))
}

fn recipient(
    key: &[u8; 32],
    content_key: &[u8; CONTENT_KEY_SIZE],
    aad: &[u8],
    chance: &mut ChaCha20Rng,
) -> Result<CoseRecipient, LocationError> {
    let bad_key = |_| LocationError::Recipient;
    let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(key).map_err(bad_key)?;
    let (encapsulated, wrapped) = hpke::single_shot_seal_with_rng::<AesGcm128, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &key,
        &[],
        content_key,
        &recipient_aad(aad),
        chance,
    )
    .map_err(bad_key)?;
    Ok(carrying(encapsulated.to_bytes().to_vec(), wrapped))
}

fn carrying(encapsulated: Vec<u8>, wrapped: Vec<u8>) -> CoseRecipient {
    let unprotected = HeaderBuilder::new().value(ENCAPSULATED, Value::Bytes(encapsulated)).build();
    CoseRecipientBuilder::new().protected(stating(HPKE)).unprotected(unprotected).ciphertext(wrapped).build()
}

fn recipient_aad(aad: &[u8]) -> Vec<u8> {
    let stated = CoseRecipientBuilder::new().protected(stating(HPKE)).build();
    enc_structure_data(EncryptionContext::EncRecipient, stated.protected, aad)
}

/// Opens what [`seal_for_recipients`] made, if one of its recipients is ours. They are not named, so each is tried.
pub(super) fn unseal_of_recipients(bytes: &[u8], aad: &[u8], key: &KemKey) -> Result<Vec<u8>, LocationError> {
    let message = CoseEncrypt::from_tagged_slice(bytes).map_err(|_| LocationError::Malformed)?;
    let sealed = message.ciphertext.clone().ok_or(LocationError::Malformed)?;
    let nonce: [u8; NONCE_SIZE] = message.unprotected.iv.as_slice().try_into().map_err(|_| LocationError::Malformed)?;
    let parts: Option<Vec<_>> = message.recipients.iter().map(carried).collect();
    let parts = parts.filter(|parts| parts.len() <= RECIPIENTS).ok_or(LocationError::Malformed)?;
    let mut builder = CoseEncryptBuilder::new()
        .protected(stating(Stated::Assigned(Algorithm::A128GCM)))
        .unprotected(HeaderBuilder::new().iv(nonce.to_vec()).build())
        .ciphertext(sealed.clone());
    for (encapsulated, wrapped) in &parts {
        builder = builder.add_recipient(carrying(encapsulated.clone(), wrapped.clone()));
    }
    if bytes_of(builder.build()) != bytes {
        return Err(LocationError::Malformed);
    }
    let for_recipient = recipient_aad(aad);
    let content_key = parts.iter().find_map(|(encapsulated, wrapped)| {
        let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
        let opened = hpke::single_shot_open::<AesGcm128, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &key.0,
            &encapsulated,
            &[],
            wrapped,
            &for_recipient,
        );
        <[u8; CONTENT_KEY_SIZE]>::try_from(opened.ok()?).ok().map(Zeroizing::new)
    });
    let content_key = content_key.ok_or(LocationError::NotForUs)?;
    let aad = enc_structure_data(EncryptionContext::CoseEncrypt, message.protected, aad);
    decrypt(&Aes128Gcm::new(&(*content_key).into()), nonce, &sealed, &aad)
}

/// The encapsulated and the wrapped key of a recipient.
fn carried(recipient: &CoseRecipient) -> Option<(Vec<u8>, Vec<u8>)> {
    let [(Label::Int(ENCAPSULATED), Value::Bytes(encapsulated))] = recipient.unprotected.rest.as_slice() else {
        return None;
    };
    Some((encapsulated.clone(), recipient.ciphertext.clone()?))
}

fn algorithm(key: &OwnerPublic) -> Stated {
    match key {
        OwnerPublic::P256(_) => Stated::Assigned(Algorithm::ES256),
        OwnerPublic::Ed25519(_) => Stated::Assigned(Algorithm::EdDSA),
    }
}

fn stating(algorithm: Stated) -> Header {
    HeaderBuilder::new().algorithm_label(algorithm).build()
}

fn draw<const N: usize>(chance: &mut ChaCha20Rng) -> [u8; N] {
    let mut drawn = [0; N];
    chance.fill_bytes(&mut drawn);
    drawn
}

fn bytes_of(message: impl TaggedCborSerializable) -> Vec<u8> {
    message.to_tagged_vec().expect("what is made of byte strings and small numbers is written")
}

fn encrypt<C: Aead<NonceSize = U12>>(cipher: &C, nonce: [u8; NONCE_SIZE], msg: &[u8], aad: &[u8]) -> Vec<u8> {
    cipher.encrypt(&nonce.into(), Payload { msg, aad }).expect("a record is shorter than what GCM takes")
}

fn decrypt<C: Aead<NonceSize = U12>>(
    cipher: &C,
    nonce: [u8; NONCE_SIZE],
    msg: &[u8],
    aad: &[u8],
) -> Result<Vec<u8>, LocationError> {
    cipher.decrypt(&nonce.into(), Payload { msg, aad }).map_err(|_| LocationError::NotForUs)
}
