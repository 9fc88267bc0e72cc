//! Authorities, signers and tokens of every kind, for tests: those that are right but for one thing.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};

use super::trust::{CERTIFICATE, blocks};
use super::{Authority, Claimed, Fault, Passport, Signer, Trust, verify};
use crate::caller::Attest;

/// When everything here holds.
pub(super) const AT: i64 = 1_767_225_600;
pub(super) const CALL: Claimed<'_> = Claimed { orig: "12025550143", dest: "12025550199" };
/// Its object identifier, in DER.
pub(super) const ECDSA_WITH_SHA256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
pub(super) const X5U: &str = "https://certificates.example/leaf.pem";

/// TNAuthLists in DER.
pub(super) const SPC: &[u8] = b"\x30\x08\xa0\x06\x16\x04709J";
pub(super) const RANGE: &[u8] = b"\x30\x14\xa1\x12\x30\x10\x16\x0b12025550100\x02\x01\x32";
pub(super) const ONE: &[u8] = b"\x30\x0f\xa2\x0d\x16\x0b12025550143";
/// Fifty, of which the first are in [`RANGE`].
pub(super) const OTHER_RANGE: &[u8] = b"\x30\x14\xa1\x12\x30\x10\x16\x0b12025550140\x02\x01\x32";
pub(super) const OTHER: &[u8] = b"\x30\x0f\xa2\x0d\x16\x0b12025550142";

/// Somebody with a certificate.
pub(super) struct Holder {
    params: CertificateParams,
    key: KeyPair,
    pub(super) pem: String,
}

impl Holder {
    /// A root.
    pub(super) fn root(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = authority(name);
        change(&mut params);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { params, key, pem }
    }

    /// Its own certificate once more, differing in something, with the same key and name.
    pub(super) fn renewed(&self, change: impl FnOnce(&mut CertificateParams)) -> String {
        let mut params = self.params.clone();
        change(&mut params);
        params.self_signed(&self.key).unwrap().pem()
    }

    /// Its key and name, certified by somebody else.
    pub(super) fn certified_by(&self, issuer: &Self, change: impl FnOnce(&mut CertificateParams)) -> String {
        let mut params = self.params.clone();
        change(&mut params);
        params.signed_by(&self.key, &issuer.issuer()).unwrap().pem()
    }

    /// The same, and signed with P-384, which is not known here.
    pub(super) fn certified_otherwise(&self) -> String {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        self.params.signed_by(&self.key, &Issuer::from_params(&authority("another kind"), &key)).unwrap().pem()
    }

    /// This certificate (PEM), what is signed of it changed, and signed anew.
    pub(super) fn signed_anew(&self, pem: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
        let der = blocks(pem.as_bytes(), CERTIFICATE).unwrap()[0].contents.clone();
        // Both headers have four octets.
        let mut signed = der[4..8 + usize::from(u16::from_be_bytes([der[6], der[7]]))].to_vec();
        change(&mut signed);
        let signature = tlv(0x03, &[&[0], &self.sign(&signed)]);
        armoured(CERTIFICATE, &tlv(0x30, &[&signed, &tlv(0x30, &[ECDSA_WITH_SHA256]), &signature]))
    }

    /// A CA below this one.
    pub(super) fn authority(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        self.issue(authority(name), change)
    }

    /// A signer below this one, with an SPC unless it is changed.
    pub(super) fn signer(&self, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = named("SHAKEN 709J");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.is_ca = IsCa::ExplicitNoCa;
        params.serial_number = Some(SerialNumber::from_slice(&[7]));
        params.custom_extensions = vec![tn_auth_list(SPC)];
        self.issue(params, change)
    }

    fn issue(&self, mut params: CertificateParams, change: impl FnOnce(&mut CertificateParams)) -> Self {
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let pem = params.signed_by(&key, &self.issuer()).unwrap().pem();
        Self { params, key, pem }
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }

    /// A list of these serial numbers, in force until then.
    pub(super) fn list(&self, serials: &[u8], until: (i32, u8, u8)) -> String {
        let revoked = |serial: &u8| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&[*serial]),
            revocation_time: date_time_ymd(2025, 6, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2025, 6, 1),
            next_update: date_time_ymd(until.0, until.1, until.2),
            crl_number: SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        // rcgen would sign none without cRLSign, as some do.
        let mut signer = self.params.clone();
        signer.key_usages = vec![KeyUsagePurpose::CrlSign];
        params.signed_by(&Issuer::from_params(&signer, &self.key)).unwrap().pem().unwrap()
    }

    /// The subject's name, as it is encoded.
    pub(super) fn name(&self) -> Vec<u8> {
        let blocks = blocks(self.pem.as_bytes(), CERTIFICATE).unwrap();
        blocks[0].parse_x509().unwrap().subject().as_raw().to_vec()
    }

    /// Its signature over these octets, in DER.
    pub(super) fn sign(&self, octets: &[u8]) -> Vec<u8> {
        let signature: Signature = self.secret().sign(octets);
        signature.to_der().as_bytes().to_vec()
    }

    fn secret(&self) -> SigningKey {
        SigningKey::from_pkcs8_der(&self.key.serialize_der()).unwrap()
    }

    /// An Identity header's value with this header and these claims, signed.
    pub(super) fn identity(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature: Signature = self.secret().sign(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.to_bytes());
        format!("{signed}.{signature};info=<{X5U}>;alg=ES256;ppt=shaken")
    }

    /// [`token`](Self::token), with another signature made of the right one.
    pub(super) fn token_with(&self, signature: impl FnOnce(Signature) -> Vec<u8>) -> String {
        let token = self.token();
        let (jws, parameters) = token.split_once(';').unwrap();
        let (signed, _) = jws.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.encode(signature(self.secret().sign(signed.as_bytes())));
        format!("{signed}.{signature};{parameters}")
    }

    /// One about [`CALL`].
    pub(super) fn token(&self) -> String {
        self.identity(&header(), &claims())
    }
}

/// An element in DER.
pub(super) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length = if content.len() < 128 { vec![length[1]] } else { [&[0x82], &length[..]].concat() };
    [&[tag], &length[..], &content[..]].concat()
}

/// DER as PEM.
pub(super) fn armoured(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// The JWS's header as it should be.
pub(super) fn header() -> String {
    format!(r#"{{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"{X5U}"}}"#)
}

/// The claims as they should be.
pub(super) fn claims() -> String {
    format!(
        r#"{{"attest":"A","dest":{{"tn":["{}"]}},"iat":{AT},"orig":{{"tn":"{}"}},"origid":"9d1a2c7e-0000-4000-8000-000000000001"}}"#,
        CALL.dest, CALL.orig
    )
}

/// That extension.
pub(super) fn tn_auth_list(der: &[u8]) -> CustomExtension {
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 26], der.to_vec())
}

/// Believes whom one of these anchors (PEM) confirms.
pub(super) fn trusting(anchors: &str) -> Trust {
    Authority::anchored(anchors.as_bytes()).unwrap().into()
}

/// The same, but for those on this list (PEM).
pub(super) fn trusting_but(anchors: &str, list: &str) -> Trust {
    Authority::anchored(anchors.as_bytes()).unwrap().with_lists(list.as_bytes()).unwrap().into()
}

/// What is found out about a token, given what lies at its `x5u`.
pub(super) fn judged(identity: &str, pem: &str, trust: &Trust) -> Result<Attest, Fault> {
    judged_at(identity, pem, trust, AT)
}

/// The same, later: the token is not asked how old it is.
pub(super) fn judged_at(identity: &str, pem: &str, trust: &Trust, at: i64) -> Result<Attest, Fault> {
    let passport = Passport::read(identity)?;
    passport.check(CALL, passport.iat())?;
    verify(&passport, &Signer::read(pem.as_bytes(), trust, at)?, at)
}

fn authority(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2027, 1, 1));
    params
}
