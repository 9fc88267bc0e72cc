//! Revocation lists (RFC 5280 5), one for each intermediate.

use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevocationReason, RevokedCertParams};
use time::OffsetDateTime;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use crate::authority::Authority;
use crate::bundle::pem;
use crate::prepare::SignError;
use crate::profile::{Issuing, whole_second};
use crate::serial::Serial;

/// Why a certificate is revoked (RFC 5280 5.3.1); only what a service of this kind says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// None is given: the extension is left out, as 5.3.1 asks.
    Unspecified,
    /// Somebody else may have the private key.
    KeyCompromise,
    /// A newer certificate stands for the same identity.
    Superseded,
    /// The owner gave it up, or an intended certificate was never made.
    CessationOfOperation,
    /// Suspended; it may come back.
    CertificateHold,
    /// The identity was not the holder's.
    PrivilegeWithdrawn,
}

/// A certificate that is no longer good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    /// Its serial.
    pub serial: Serial,
    /// Since when.
    pub at: OffsetDateTime,
    /// Why.
    pub reason: Reason,
}

/// A revocation list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crl {
    /// As served at the distribution point (`application/pkix-crl`).
    pub der: Vec<u8>,
    /// The same as PEM.
    pub pem: String,
}

impl Reason {
    /// All.
    pub const ALL: [Self; 6] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::PrivilegeWithdrawn,
    ];

    /// The code of RFC 5280 5.3.1, for storing.
    pub fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::PrivilegeWithdrawn => 9,
        }
    }

    /// What [`Self::code`] gave.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The name of RFC 5280 5.3.1.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
        }
    }

    fn encoded(self) -> Option<RevocationReason> {
        match self {
            Self::Unspecified => None,
            Self::KeyCompromise => Some(RevocationReason::KeyCompromise),
            Self::Superseded => Some(RevocationReason::Superseded),
            Self::CessationOfOperation => Some(RevocationReason::CessationOfOperation),
            Self::CertificateHold => Some(RevocationReason::CertificateHold),
            Self::PrivilegeWithdrawn => Some(RevocationReason::PrivilegeWithdrawn),
        }
    }
}

impl Authority {
    /// The list of an intermediate. `number` grows with every list of this intermediate (RFC 5280 5.2.3).
    ///
    /// # Errors
    /// If the key failed.
    pub fn crl(
        &self,
        issuing: Issuing,
        revoked: &[Revoked],
        number: u64,
        now: OffsetDateTime,
        next: OffsetDateTime,
    ) -> Result<Crl, SignError> {
        let intermediate = self.issuer(issuing);
        let listed = revoked.iter().map(|entry| RevokedCertParams {
            serial_number: entry.serial.as_bytes().to_vec().into(),
            revocation_time: whole_second(entry.at),
            reason_code: entry.reason.encoded(),
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: whole_second(now),
            next_update: whole_second(next),
            crl_number: number.into(),
            issuing_distribution_point: None,
            revoked_certs: listed.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let made = params.signed_by(&intermediate.issuer).map_err(|error| SignError::Signer(error.to_string()))?;
        let der = made.der().to_vec();
        if !verifies(&der, &intermediate.certificate.der) {
            return Err(SignError::Unsound);
        }
        Ok(Crl { pem: pem("X509 CRL", &der), der })
    }
}

fn verifies(der: &[u8], issuer: &[u8]) -> bool {
    let (Ok(([], list)), Ok((_, issuer))) =
        (CertificateRevocationList::from_der(der), X509Certificate::from_der(issuer))
    else {
        return false;
    };
    list.verify_signature(issuer.public_key()).is_ok()
}

#[cfg(test)]
mod tests;
