//! What can be wrong with a signed identity: one variant for each check, its code in records, and what the caller's network is
//! told.

use crate::caller::Reason;

/// Why a signed identity is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Fault {
    /// More than 8 KiB.
    #[error("the Identity header is longer than 8 KiB")]
    TooLong,
    /// Not `token;info=<uri>;…` (RFC 8224 4), or a parameter stands twice.
    #[error("the Identity header is not a token and ;info=<uri>, with ;alg and ;ppt at most once each")]
    Header,
    /// Header and claims are left out (RFC 8225 7), which SHAKEN does not know (RFC 8588 3).
    #[error("the token is in compact form: SHAKEN needs the full form")]
    Compact,
    /// Not three parts of base64url without padding.
    #[error("the token is not three parts in base64url")]
    Token,
    /// A part is no JSON object.
    #[error("a part of the token is no JSON object")]
    Json,
    /// One name twice: two readers could see two values.
    #[error("a JSON object has the same key twice")]
    DuplicateKey,
    /// `alg` is another than ES256, in the token or beside it.
    #[error("alg is not ES256")]
    Algorithm,
    /// `typ` is not `passport`.
    #[error("typ is not \"passport\"")]
    Type,
    /// `ppt` is not `shaken` in the token and beside it.
    #[error("ppt is not \"shaken\"")]
    Extension,
    /// RFC 7515 4.1.11: what must be understood is not.
    #[error("the token has crit: something must be understood that is not")]
    Critical,
    /// `x5u` is no https URL, has a query or a fragment, or names another port than 443 and 8443.
    #[error("x5u is no https URL, has a query or a fragment, or another port than 443 and 8443")]
    X5u,
    /// RFC 8224 4.1: `info` and `x5u` name two certificates.
    #[error("info and x5u name different certificates")]
    InfoDiffers,
    /// `iat` is no whole number.
    #[error("iat is no whole number of seconds")]
    Iat,
    /// `orig` is not one `tn` of digits.
    #[error("orig is not an object with one tn of digits")]
    Orig,
    /// `dest` has no array `tn`.
    #[error("dest is not an object with an array tn of digits")]
    Dest,
    /// `attest` is not A, B or C.
    #[error("attest is not A, B or C")]
    Attest,
    /// `origid` is no short printable text.
    #[error("origid is no printable text of at most 64 characters")]
    OrigId,
    /// `iat` is more than a minute ago.
    #[error("the token is older than a minute")]
    Stale,
    /// `iat` is more than a minute ahead.
    #[error("the token is from the future: is a clock wrong?")]
    Future,
    /// `orig.tn` is not the number that calls.
    #[error("the token is about another caller")]
    OtherOrig,
    /// `dest.tn` lacks the number that was called.
    #[error("the token is about a call to another number")]
    OtherDest,
    /// The token completed a verification before.
    #[error("the token has served before")]
    Replayed,
    /// The signature is not that of the certificate's key.
    #[error("the signature does not hold")]
    Signature,
    /// The name of the server leads to an address that is not public.
    #[error("x5u leads to an address that is not public")]
    NotPublic,
    /// The server sends us elsewhere.
    #[error("the server of x5u redirects")]
    Redirect,
    /// More than 64 KiB.
    #[error("what lies at x5u is longer than 64 KiB")]
    Oversized,
    /// Not there after 3 s.
    #[error("the certificate did not arrive in time")]
    Slow,
    /// No connection, no TLS, another status than 200.
    #[error("the certificate cannot be had from x5u")]
    Unreachable,
    /// We fetch from this host, or altogether, as much as we may: it is not the caller's fault.
    #[error("more certificates would have to be fetched than we fetch at a time")]
    Busy,
    /// Not PEM certificates, X.509 version 3, each extension once.
    #[error("a certificate cannot be read")]
    Certificate,
    /// The signer's key is not for P-256, or a certificate has a key or a signature of another kind than RFC 8226 4 has: ECDSA with
    /// P-256, and for authorities RSA (PKCS #1 v1.5) of 2,048 to 4,096 bits, both with SHA-256.
    #[error("a certificate is signed with, or for, a key that is neither P-256 nor an authority's RSA, with SHA-256")]
    NotP256,
    /// RFC 5280 4.2: a critical extension that is not understood, or constraints on names, which are not evaluated.
    #[error("a certificate has a critical extension that is not understood, or constrains names")]
    CriticalExtension,
    /// The leaf may not sign, or is an authority.
    #[error("the signer's certificate is not for signing, or is a CA's")]
    KeyUsage,
    /// The extension is missing.
    #[error("the signer's certificate has no TNAuthList")]
    NoTnAuthList,
    /// Only a URI of the list. RFC 8226 10.1 would have it followed: another fetch while a call waits, which nobody is known to need.
    #[error("the signer's certificate has a URI instead of its TNAuthList")]
    TnAuthListByReference,
    /// It cannot be decoded.
    #[error("the TNAuthList cannot be decoded")]
    BadTnAuthList,
    /// RFC 8226 8, RFC 9118: the certificate limits claims, and that is not evaluated.
    #[error("the signer's certificate constrains claims")]
    ClaimConstraints,
    /// A certificate of the chain is over.
    #[error("a certificate of the chain has expired")]
    Expired,
    /// A certificate of the chain has not begun.
    #[error("a certificate of the chain is not valid yet")]
    NotYetValid,
    /// The chain leads to no anchor of ours.
    #[error("the chain leads to none of the configured anchors")]
    NoAnchor,
    /// The issuer is no CA, lacks keyCertSign, or has too many CAs below it.
    #[error("a certificate was issued by one that may not issue it")]
    NotAnIssuer,
    /// A certificate's signature is not its issuer's.
    #[error("a certificate of the chain is not signed by its issuer")]
    ChainSignature,
    /// More certificates than any chain needs.
    #[error("there are more than four certificates at x5u")]
    LongChain,
    /// RFC 8226 9, RFC 9060 4: what an issuer may not sign for, whom it certified may not either.
    #[error("an issuer's TNAuthList does not encompass that of a certificate below it")]
    BeyondIssuer,
    /// A provider certified numbers of its own, which only it knows to be its own. RFC 9060 4.1 permits it, and leaves open who
    /// checks it.
    #[error("a service provider certified the signer for numbers, and whether they are its own cannot be seen")]
    Delegate,
    /// A certificate of the chain stands on a revocation list.
    #[error("a certificate of the chain is revoked")]
    Revoked,
    /// The configured list is over, has not begun, or is signed by nobody we know.
    #[error("the configured revocation list is not in force")]
    ListNotInForce,
    /// The number is not among those of the certificate.
    #[error("the signer's certificate does not cover the number")]
    NotAuthorized,
    /// The authority that confirms the signer is none for the numbers of the caller's country.
    #[error("the signer's authority does not answer for numbers of this country")]
    OtherCountry,
    /// The operator believes nobody with this service provider code.
    #[error("the operator denies this service provider code")]
    DeniedSpc,
}

impl Fault {
    /// Every fault, for those who read codes.
    pub const ALL: [Self; 50] = [
        Self::TooLong,
        Self::Header,
        Self::Compact,
        Self::Token,
        Self::Json,
        Self::DuplicateKey,
        Self::Algorithm,
        Self::Type,
        Self::Extension,
        Self::Critical,
        Self::X5u,
        Self::InfoDiffers,
        Self::Iat,
        Self::Orig,
        Self::Dest,
        Self::Attest,
        Self::OrigId,
        Self::Stale,
        Self::Future,
        Self::OtherOrig,
        Self::OtherDest,
        Self::Replayed,
        Self::Signature,
        Self::NotPublic,
        Self::Redirect,
        Self::Oversized,
        Self::Slow,
        Self::Unreachable,
        Self::Busy,
        Self::Certificate,
        Self::NotP256,
        Self::CriticalExtension,
        Self::KeyUsage,
        Self::NoTnAuthList,
        Self::TnAuthListByReference,
        Self::BadTnAuthList,
        Self::ClaimConstraints,
        Self::Expired,
        Self::NotYetValid,
        Self::NoAnchor,
        Self::NotAnIssuer,
        Self::ChainSignature,
        Self::LongChain,
        Self::BeyondIssuer,
        Self::Delegate,
        Self::Revoked,
        Self::ListNotInForce,
        Self::NotAuthorized,
        Self::OtherCountry,
        Self::DeniedSpc,
    ];

    /// The fault of this code, as a record has it.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.code() == code)
    }

    /// The stable code of records and of `dialproof passport verify`.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::Header => "malformed-header",
            Self::Compact => "compact-form",
            Self::Token => "malformed-token",
            Self::Json => "malformed-json",
            Self::DuplicateKey => "duplicate-key",
            Self::Algorithm => "wrong-alg",
            Self::Type => "wrong-typ",
            Self::Extension => "wrong-ppt",
            Self::Critical => "crit",
            Self::X5u => "malformed-x5u",
            Self::InfoDiffers => "info-differs",
            Self::Iat => "malformed-iat",
            Self::Orig => "malformed-orig",
            Self::Dest => "malformed-dest",
            Self::Attest => "malformed-attest",
            Self::OrigId => "malformed-origid",
            Self::Stale => "stale",
            Self::Future => "future",
            Self::OtherOrig => "other-orig",
            Self::OtherDest => "other-dest",
            Self::Replayed => "replayed",
            Self::Signature => "bad-signature",
            Self::NotPublic => "x5u-not-public",
            Self::Redirect => "x5u-redirect",
            Self::Oversized => "x5u-oversized",
            Self::Slow => "x5u-slow",
            Self::Unreachable => "x5u-unreachable",
            Self::Busy => "x5u-busy",
            Self::Certificate => "malformed-certificate",
            Self::NotP256 => "not-p256",
            Self::CriticalExtension => "critical-extension",
            Self::KeyUsage => "key-usage",
            Self::NoTnAuthList => "no-tnauthlist",
            Self::TnAuthListByReference => "tnauthlist-by-reference",
            Self::BadTnAuthList => "malformed-tnauthlist",
            Self::ClaimConstraints => "claim-constraints",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::NoAnchor => "no-anchor",
            Self::NotAnIssuer => "not-an-issuer",
            Self::ChainSignature => "bad-chain-signature",
            Self::LongChain => "long-chain",
            Self::BeyondIssuer => "beyond-issuer",
            Self::Delegate => "delegate",
            Self::Revoked => "revoked",
            Self::ListNotInForce => "crl-not-in-force",
            Self::NotAuthorized => "number-not-covered",
            Self::OtherCountry => "other-country",
            Self::DeniedSpc => "denied-spc",
        }
    }

    /// As what the call is refused (RFC 8224 6.2.2).
    pub fn reason(self) -> Reason {
        match self {
            Self::Stale | Self::Future => Reason::StaleIdentity,
            // Ours: what was not looked at may be good, or lower the level.
            Self::Busy => Reason::Unavailable,
            // Also a place where we do not go: the same token with its certificate elsewhere may be good.
            Self::X5u | Self::NotPublic | Self::Redirect | Self::Oversized | Self::Slow | Self::Unreachable => {
                Reason::IdentityUnfetched
            }
            Self::Certificate
            | Self::NotP256
            | Self::CriticalExtension
            | Self::KeyUsage
            | Self::NoTnAuthList
            | Self::TnAuthListByReference
            | Self::BadTnAuthList
            | Self::ClaimConstraints
            | Self::Expired
            | Self::NotYetValid
            | Self::NoAnchor
            | Self::NotAnIssuer
            | Self::ChainSignature
            | Self::LongChain
            | Self::BeyondIssuer
            | Self::Delegate
            | Self::Revoked
            | Self::ListNotInForce
            | Self::NotAuthorized
            | Self::OtherCountry
            | Self::DeniedSpc => Reason::IdentityUncertified,
            Self::TooLong
            | Self::Header
            | Self::Compact
            | Self::Token
            | Self::Json
            | Self::DuplicateKey
            | Self::Algorithm
            | Self::Type
            | Self::Extension
            | Self::Critical
            | Self::InfoDiffers
            | Self::Iat
            | Self::Orig
            | Self::Dest
            | Self::Attest
            | Self::OrigId
            | Self::OtherOrig
            | Self::OtherDest
            | Self::Replayed
            | Self::Signature => Reason::IdentityInvalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_fault_has_a_code_of_its_own() {
        let codes: HashSet<&str> = Fault::ALL.iter().map(|fault| fault.code()).collect();
        assert_eq!(codes.len(), Fault::ALL.len());
        // None is left out: they are numbered from 0.
        assert!(Fault::ALL.iter().enumerate().all(|(at, fault)| *fault as usize == at));
        assert_eq!(Fault::ALL.len(), Fault::DeniedSpc as usize + 1);
        for fault in Fault::ALL {
            assert_eq!(Fault::from_code(fault.code()), Some(fault));
        }
    }

    #[test]
    fn every_fault_is_refused_with_its_status() {
        let refused_with = |status: u16| -> Vec<&str> {
            let such = Fault::ALL.into_iter().filter(|fault| fault.reason().status() == status);
            such.map(Fault::code).collect()
        };
        // What is ours is not held against the caller.
        assert_eq!(refused_with(480), ["x5u-busy"]);
        assert_eq!(refused_with(403), ["stale", "future"]);
        assert_eq!(
            refused_with(436),
            ["malformed-x5u", "x5u-not-public", "x5u-redirect", "x5u-oversized", "x5u-slow", "x5u-unreachable"]
        );
        assert_eq!(
            refused_with(437),
            [
                "malformed-certificate",
                "not-p256",
                "critical-extension",
                "key-usage",
                "no-tnauthlist",
                "tnauthlist-by-reference",
                "malformed-tnauthlist",
                "claim-constraints",
                "expired",
                "not-yet-valid",
                "no-anchor",
                "not-an-issuer",
                "bad-chain-signature",
                "long-chain",
                "beyond-issuer",
                "delegate",
                "revoked",
                "crl-not-in-force",
                "number-not-covered",
                "other-country",
                "denied-spc",
            ]
        );
        assert_eq!(
            refused_with(438),
            [
                "too-long",
                "malformed-header",
                "compact-form",
                "malformed-token",
                "malformed-json",
                "duplicate-key",
                "wrong-alg",
                "wrong-typ",
                "wrong-ppt",
                "crit",
                "info-differs",
                "malformed-iat",
                "malformed-orig",
                "malformed-dest",
                "malformed-attest",
                "malformed-origid",
                "other-orig",
                "other-dest",
                "replayed",
                "bad-signature",
            ]
        );
        let statuses = [480, 403, 436, 437, 438];
        assert_eq!(statuses.map(|status| refused_with(status).len()).iter().sum::<usize>(), Fault::ALL.len());
    }
}
