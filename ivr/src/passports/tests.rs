//! A provider whose certificate changes where it lies. The internet is that of the fetcher's tests.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ivr_core::caller::Attest;
use ivr_core::private::Private;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use tempfile::TempDir;

use super::fetch::tests::{Internet, NAME, PUBLIC};
use super::*;
use crate::config::passports::Authority;
use crate::store::test_database::TestDatabase;

/// The first of January 2026, when the calls are.
const AT: i64 = 1_767_225_600;
const LATER: (i32, u8, u8) = (2027, 1, 1);
const EARLIER: (i32, u8, u8) = (2025, 12, 31);

/// A service that believes one authority, and a place where a certificate lies.
struct Scene {
    passports: Passports,
    root: (CertificateParams, KeyPair),
    x5u: String,
    leaf: Arc<Mutex<String>>,
    _folder: TempDir,
    _database: TestDatabase,
}

impl Scene {
    async fn new() -> Self {
        let (mut root, key) = (named("root"), KeyPair::generate().unwrap());
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let folder = tempfile::tempdir().unwrap();
        let anchors = folder.path().join("anchors.pem");
        std::fs::write(&anchors, root.self_signed(&key).unwrap().pem()).unwrap();
        let trust = TrustFiles::open(&[Authority::of_all(anchors, Vec::new())]).unwrap();
        let Internet { fetcher, port, leaf, .. } = Internet::with(&[&[PUBLIC]]).await;
        let (signers, database) = (Signers::new(trust, fetcher, Clock), TestDatabase::sqlite().await);
        let parts = Parts { signers, denied_spcs: Vec::new(), store: database.store.clone() };
        Self {
            passports: Passports(Arc::new(parts)),
            root: (root, key),
            x5u: format!("https://{NAME}:{port}/leaf.pem"),
            leaf,
            _folder: folder,
            _database: database,
        }
    }

    /// A signer's certificate lies there from now on, for this key and until then.
    fn lay(&self, key: &KeyPair, (year, month, day): (i32, u8, u8)) {
        let mut params = named("SHAKEN 709J");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.not_after = date_time_ymd(year, month, day);
        let spc = b"\x30\x08\xa0\x06\x16\x04709J".to_vec();
        params.custom_extensions = vec![CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 26], spc)];
        let issuer = Issuer::from_params(&self.root.0, &self.root.1);
        *self.leaf.lock().unwrap() = params.signed_by(key, &issuer).unwrap().pem();
    }

    /// What a call with a token by this key is worth.
    async fn judge(&self, key: &KeyPair) -> Result<Attest, Fault> {
        let (orig, dest, x5u) = ("12025550143", "12025550199", &self.x5u);
        let header = format!(r#"{{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"{x5u}"}}"#);
        let claims =
            format!(r#"{{"attest":"A","dest":{{"tn":["{dest}"]}},"iat":{AT},"orig":{{"tn":"{orig}"}},"origid":"1"}}"#);
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let key = SigningKey::from_pkcs8_der(&key.serialize_der()).unwrap();
        let signature: Signature = key.sign(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.to_bytes());
        let number = |digits: &str| Number::parse(&format!("+{digits}")).unwrap();
        let presented = Presented {
            identity: Private::new(format!("{signed}.{signature};info=<{x5u}>;alg=ES256;ppt=shaken")),
            orig: number(orig),
            dest: number(dest),
        };
        self.passports.judge(&presented, OffsetDateTime::from_unix_timestamp(AT).unwrap()).await.unwrap().verdict
    }

    /// A minute passes for places, and for nothing else.
    fn wait(&self) {
        self.passports.0.signers.age();
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

#[tokio::test]
async fn a_certificate_that_its_signer_replaced_is_fetched_once_a_token_needs_it() {
    let (scene, old, new) = (Scene::new().await, KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    scene.lay(&old, LATER);
    assert_eq!(scene.judge(&old).await, Ok(Attest::A));
    scene.lay(&new, LATER);
    assert_eq!(scene.judge(&new).await, Err(Fault::Signature), "somebody looked just now");
    scene.wait();
    assert_eq!(scene.judge(&new).await, Ok(Attest::A));
    assert_eq!(scene.judge(&old).await, Err(Fault::Signature));
}

#[tokio::test]
async fn a_certificate_that_ended_is_fetched_once_more() {
    let (scene, key) = (Scene::new().await, KeyPair::generate().unwrap());
    scene.lay(&key, EARLIER);
    assert_eq!(scene.judge(&key).await, Err(Fault::Expired));
    scene.lay(&key, LATER);
    assert_eq!(scene.judge(&key).await, Err(Fault::Expired), "somebody looked just now");
    scene.wait();
    assert_eq!(scene.judge(&key).await, Ok(Attest::A));
}

#[tokio::test]
async fn what_strangers_sign_has_nobody_forgotten_and_few_places_looked_at() {
    let (scene, key, other) = (Scene::new().await, KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    scene.lay(&key, LATER);
    assert_eq!(scene.judge(&key).await, Ok(Attest::A));
    // Its server has nothing, and then the same.
    let pem = std::mem::take(&mut *scene.leaf.lock().unwrap());
    for lies in ["", &pem, &pem] {
        lies.clone_into(&mut scene.leaf.lock().unwrap());
        scene.wait();
        assert_eq!(scene.judge(&other).await, Err(Fault::Signature));
        assert_eq!(scene.judge(&key).await, Ok(Attest::A));
    }
    // Three looks a minute are a number's at one host, and it has had them.
    scene.lay(&other, LATER);
    scene.wait();
    assert_eq!(scene.judge(&other).await, Err(Fault::Signature));
    assert_eq!(scene.judge(&key).await, Ok(Attest::A));
}
