//! A provider that signs who calls (STIR/SHAKEN), and the internet where its certificate lies: in a network of a test's own
//! (`own_network`), because certificates are fetched from public addresses only, and its loopback has one.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ivr::clock::Clock;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SerialNumber,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::nameserver::{NameServer, a};

/// Public, and nobody's in a network that has nothing but a loopback.
pub const PUBLIC: Ipv4Addr = Ipv4Addr::new(9, 9, 9, 9);
/// The name of that address.
pub const HOST: &str = "certificates.example";
/// A name that leads into the machine itself.
pub const INSIDE: &str = "inside.example";
/// Where the certificate lies.
pub const X5U: &str = "https://certificates.example/leaf.pem";
/// What the provider calls the customer that it vouches for.
pub const ORIGID: &str = "9d1a2c7e-0000-4000-8000-000000000001";

/// A signer with files in this folder: `anchors.pem`, `leaf.pem`, `leaf.key`. Its service provider code is 709J.
///
/// # Panics
/// If the folder takes no files.
pub fn make_signer(folder: &Path) {
    let named = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let (root_key, key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
    let mut root = named("SHAKEN root");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let mut leaf = named("SHAKEN 709J");
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.serial_number = Some(SerialNumber::from_slice(&[7]));
    let spc = b"\x30\x08\xa0\x06\x16\x04709J".to_vec();
    leaf.custom_extensions = vec![CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 26], spc)];
    let issuer = Issuer::from_params(&root, &root_key);
    let leaf = leaf.signed_by(&key, &issuer).expect("a certificate").pem();
    let root = root.self_signed(&root_key).expect("a certificate").pem();
    for (name, text) in [("anchors.pem", root), ("leaf.pem", leaf), ("leaf.key", key.serialize_pem())] {
        std::fs::write(folder.join(name), text).expect("a file");
    }
}

/// The signer of this folder vouches (A) that this number calls that one, in so many seconds: a clock may be wrong by a minute.
/// An Identity header's value.
///
/// # Panics
/// If there is no signer.
pub fn sign(folder: &Path, (orig, dest): (&str, &str), ahead: i64) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({ "alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": X5U }));
    let claims = part(json!({
        "attest": "A",
        "dest": { "tn": [dest.trim_start_matches('+')] },
        "iat": Clock.wall().unix_timestamp() + ahead,
        "orig": { "tn": orig.trim_start_matches('+') },
        "origid": ORIGID,
    }));
    let signed = format!("{header}.{claims}");
    let key = std::fs::read_to_string(folder.join("leaf.key")).expect("a file");
    let key = SigningKey::from_pkcs8_pem(&key).expect("a key of P-256");
    let signature: Signature = key.sign(signed.as_bytes());
    format!("{signed}.{};info=<{X5U}>;alg=ES256;ppt=shaken", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

/// The internet of a network of its own: a signer's certificate at [`X5U`], whose server has its own from `tls.pem`, and a name
/// server.
///
/// # Panics
/// If this is no network of its own, or the folder takes no files.
pub fn internet(folder: &Path) -> (Runtime, NameServer) {
    let added = Command::new("ip").args(["address", "add", &format!("{PUBLIC}/32"), "dev", "lo"]).status();
    assert!(added.expect("iproute2 is installed: run tests/setup").success());
    make_signer(folder);
    let runtime = Runtime::new().expect("a runtime");
    let leaf = std::fs::read(folder.join("leaf.pem")).expect("a file");
    let root = runtime.block_on(serve_certificate(leaf));
    std::fs::write(folder.join("tls.pem"), root).expect("a file");
    (runtime, NameServer::of(vec![(HOST, a(PUBLIC)), (INSIDE, a(Ipv4Addr::LOCALHOST))]))
}

/// A web server with nothing but this certificate. Gives the root that its own certificate has to be trusted by.
async fn serve_certificate(pem: Vec<u8>) -> String {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new([HOST.to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate");
    let (der, secret) =
        (CertificateDer::from(certificate.der().to_vec()), PrivateKeyDer::Pkcs8(key.serialize_der().into()));
    let tls = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![der], secret).expect("a pair");
    let tls = TlsAcceptor::from(Arc::new(tls));
    let listener = tokio::net::TcpListener::bind(SocketAddr::from((PUBLIC, 443))).await.expect("root in its network");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = tls.accept(stream).await else { continue };
            let mut request = [0; 4_096];
            let Ok(_) = stream.read(&mut request).await else { continue };
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", pem.len());
            // Who is gone needs no answer.
            let _gone = stream.write_all(&[head.as_bytes(), &pem].concat()).await;
            let _gone = stream.shutdown().await;
        }
    });
    certificate.pem()
}
