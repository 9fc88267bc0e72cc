//! The certificate authority of a dial-in service: telephone numbers and email addresses become X.509 certificates.
//!
//! The crate knows no HTTP, SQL or telephony, and reads neither clock nor randomness: both are arguments. (Generating
//! keys and ECDSA signatures draw their own, inside the signing library.) The order of an issue:
//!
//! 1. [`Request::parse`] reads a PKCS#10 and keeps nothing of it but the proved public key.
//! 2. [`Authority::prepare`] builds the certificate, signs it with a key that certifies nothing, and holds the result
//!    against every clause of `docs/certificate-specification.md`.
//! 3. The service commits its intent: [`Prepared::serial`] and [`Prepared::tbs_hash`].
//! 4. [`Prepared::sign`] signs with the real key, once, and verifies what it signed.

pub mod authority;
pub mod bundle;
mod der;
pub mod email;
mod extensions;
pub mod files;
pub mod lint;
pub mod lives;
pub mod old_key;
pub mod prepare;
pub mod profile;
pub mod request;
pub mod revocation;
pub mod serial;
pub mod signed_result;
pub mod signer;
pub mod subject;

pub use authority::{
    Authority, DirectoryKey, InitError, InitOptions, OpenError, Outgoing, RotateError, Rotation, Urls,
};
pub use files::File;
pub use lives::Lives;
pub use prepare::{Issued, KeyStanding, Order, Prepared, Refusal, SignError};
pub use profile::{Assurance, Issuing, Level};
pub use request::{Request, RequestError};
pub use revocation::{Crl, Reason, Revoked};
pub use serial::Serial;
pub use signer::KeyCost;
pub use subject::Subject;

#[cfg(test)]
mod fixture;
