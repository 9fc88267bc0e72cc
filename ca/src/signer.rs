//! The authority's private keys, and the encrypted files that hold them.

use std::fmt;

use ed25519_dalek::SigningKey as Ed25519Key;
use pkcs8::der::Encode;
use pkcs8::der::asn1::{OctetString, OctetStringRef};
use pkcs8::der::pem::{LineEnding, PemLabel};
use pkcs8::pkcs5::{pbes2, scrypt};
use pkcs8::{EncryptedPrivateKeyInfoOwned, EncryptedPrivateKeyInfoRef};
use rcgen::{KeyPair, PublicKeyData, SignatureAlgorithm, SigningKey};
use zeroize::Zeroizing;

/// What it costs to try a passphrase: scrypt (RFC 7914) with this N, r = 8, p = 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyCost {
    /// N = 2^14 and 16 MiB: the most that OpenSSL reads without being told to.
    Strong,
    /// N = 2^4: for the demo, whose keys die with it, and for tests.
    Throwaway,
}

/// Salt and initialisation vector of one file.
#[derive(Clone, Copy)]
pub(crate) struct Salts {
    pub(crate) salt: [u8; 16],
    pub(crate) iv: [u8; 16],
}

/// Why a key file cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// The passphrase does not open it.
    #[error("the passphrase does not open it")]
    Passphrase,
    /// It is not an encrypted PKCS#8 file.
    #[error("it is not an encrypted PKCS#8 key in PEM")]
    Malformed,
    /// It holds another kind of key.
    #[error("it holds another kind of key than expected")]
    OtherKind,
}

/// An elliptic curve key of the authority.
pub(crate) struct Signer(KeyPair);

impl Signer {
    pub(crate) fn generate(algorithm: &'static SignatureAlgorithm) -> Result<Self, rcgen::Error> {
        KeyPair::generate_for(algorithm).map(Self)
    }

    pub(crate) fn seal(&self, passphrase: &str, cost: KeyCost, salts: Salts) -> Result<String, KeyFileError> {
        seal(self.0.serialized_der(), passphrase, cost, salts)
    }

    pub(crate) fn open(
        pem: &[u8],
        passphrase: &str,
        algorithm: &'static SignatureAlgorithm,
    ) -> Result<Self, KeyFileError> {
        let der = unseal(pem, passphrase)?;
        let key = rustls_pki_types::PrivatePkcs8KeyDer::from(der.as_slice());
        KeyPair::from_pkcs8_der_and_sign_algo(&key, algorithm).map(Self).map_err(|_| KeyFileError::OtherKind)
    }

    /// The key's PKCS#8, for a library that signs in a way rcgen does not.
    pub(crate) fn pkcs8(&self) -> &[u8] {
        self.0.serialized_der()
    }
}

impl PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        self.0.der_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.0.algorithm()
    }
}

impl SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.0.sign(message)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer([private])")
    }
}

/// RFC 8410 7: an Ed25519 private key in PKCS#8 is these octets and the 32 of the key.
const ED25519_PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

pub(crate) fn seal_ed25519(
    key: &Ed25519Key,
    passphrase: &str,
    cost: KeyCost,
    salts: Salts,
) -> Result<String, KeyFileError> {
    seal(&ed25519_pkcs8(key), passphrase, cost, salts)
}

pub(crate) fn ed25519_pkcs8(key: &Ed25519Key) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([&ED25519_PKCS8[..], key.as_bytes()].concat())
}

pub(crate) fn open_ed25519(pem: &[u8], passphrase: &str) -> Result<Ed25519Key, KeyFileError> {
    let der = unseal(pem, passphrase)?;
    let secret = der.strip_prefix(&ED25519_PKCS8).and_then(|secret| secret.try_into().ok());
    secret.map(Ed25519Key::from_bytes).ok_or(KeyFileError::OtherKind)
}

fn seal(pkcs8: &[u8], passphrase: &str, cost: KeyCost, Salts { salt, iv }: Salts) -> Result<String, KeyFileError> {
    let log_n = match cost {
        KeyCost::Strong => 14,
        KeyCost::Throwaway => 4,
    };
    let scrypt = scrypt::Params::new(log_n, 8, 1).expect("within the bounds of RFC 7914");
    let scheme =
        pbes2::Parameters::generate_scrypt_aes256cbc(scrypt, &salt, iv).map_err(|_| KeyFileError::Malformed)?;
    let data = scheme.encrypt(passphrase, pkcs8).map_err(|_| KeyFileError::Malformed)?;
    let sealed = EncryptedPrivateKeyInfoOwned {
        encryption_algorithm: scheme.into(),
        encrypted_data: OctetString::new(data).map_err(|_| KeyFileError::Malformed)?,
    };
    let der = sealed.to_der().map_err(|_| KeyFileError::Malformed)?;
    pkcs8::der::pem::encode_string(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF, &der)
        .map_err(|_| KeyFileError::Malformed)
}

fn unseal(pem: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let (label, der) = pkcs8::der::pem::decode_vec(pem).map_err(|_| KeyFileError::Malformed)?;
    if label != EncryptedPrivateKeyInfoRef::PEM_LABEL {
        return Err(KeyFileError::Malformed);
    }
    let sealed: pkcs8::EncryptedPrivateKeyInfo<&OctetStringRef> =
        der.as_slice().try_into().map_err(|_| KeyFileError::Malformed)?;
    let opened = sealed.decrypt(passphrase).map_err(|_| KeyFileError::Passphrase)?;
    Ok(Zeroizing::new(opened.as_bytes().to_vec()))
}
