//! `locate register`: the certificate's key and the location key sign that they belong together; the directory follows.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ca::Serial;
use ca::old_key::{Action, Statement, listed_keys};
use dht_client::OwnerKey;
use ed25519_dalek::Signer as _;
use p256::pkcs8::DecodePrivateKey as _;
use reqwest::{Client, Response, redirect};
use serde::Deserialize;
use serde_json::json;

use super::keys::Keys;
use crate::cli::web_address::web_address;
use crate::hex;

/// How long the service may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the command takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service's web address, such as https://verify.example.org
    #[arg(long, value_name = "URL", value_parser = web_address)]
    service: String,
    /// The serial number of your certificate, hexadecimal
    #[arg(long, value_name = "SERIAL")]
    serial: String,
    /// The private key of your certificate (PKCS#8, PEM)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The file that `locate keys` made
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    /// List no keys any more
    #[arg(long)]
    remove: bool,
}

#[derive(Deserialize)]
struct Nonce {
    nonce: String,
}

/// Registers.
///
/// # Errors
/// If a file cannot be read, or the service refuses.
pub(super) async fn run(args: Args) -> Result<ExitCode> {
    let serial = Serial::parse(&args.serial).context("a serial number is 40 hexadecimal digits")?;
    let (owner, keys) = (owner_key(&args.key)?, Keys::read(&args.keys)?);
    let (location, kem) = (keys.location.verifying_key().to_bytes(), keys.kem.public());
    let http = Client::builder().redirect(redirect::Policy::none()).timeout(PATIENCE).build()?;
    let of_certificate = format!("{}/v1/certificates/{}", args.service.trim_end_matches('/'), serial.hex());
    let given: Nonce = accepted(http.post(format!("{of_certificate}/nonce")).send().await?).await?.json().await?;

    let key = (!args.remove).then(|| listed_keys(&location, Some(&kem)));
    let about = serial.hex();
    let text = Statement { action: Action::Locate, about: &about, nonce: Some(&given.nonce), key }.text();
    let mut body = json!({ "nonce": given.nonce, "signature": signature(&owner, &text) });
    if !args.remove {
        body["location_key"] = hex::of(&location).into();
        body["kem_key"] = hex::of(&kem).into();
        body["location_signature"] = STANDARD.encode(keys.location.sign(text.as_bytes()).to_bytes()).into();
    }
    accepted(http.put(format!("{of_certificate}/location-key")).json(&body).send().await?).await?;
    println!("{}; the directory follows", if args.remove { "removed" } else { "registered" });
    Ok(ExitCode::SUCCESS)
}

/// The key of a certificate, of either kind that the authority certifies.
pub(super) fn owner_key(file: &Path) -> Result<OwnerKey> {
    let name = file.display();
    let pem = std::fs::read_to_string(file).with_context(|| format!("the key {name} cannot be read"))?;
    let of_p256 = p256::ecdsa::SigningKey::from_pkcs8_pem(&pem).map(OwnerKey::P256);
    let key = of_p256.or_else(|_| ed25519_dalek::SigningKey::from_pkcs8_pem(&pem).map(OwnerKey::Ed25519));
    key.map_err(|_| anyhow!("{name} is no private key for P-256 or Ed25519 in PKCS#8 (PEM)"))
}

/// As the service takes it: DER of ECDSA, or Ed25519.
fn signature(owner: &OwnerKey, text: &str) -> String {
    match owner {
        OwnerKey::P256(key) => {
            let signature: p256::ecdsa::Signature = key.sign(text.as_bytes());
            STANDARD.encode(signature.to_der().as_bytes())
        }
        OwnerKey::Ed25519(key) => STANDARD.encode(key.sign(text.as_bytes()).to_bytes()),
    }
}

/// The answer, or what the service says against it.
async fn accepted(response: Response) -> Result<Response> {
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status();
    let problem: serde_json::Value = response.json().await.unwrap_or_default();
    bail!("the service answered {status}: {}", problem["detail"].as_str().unwrap_or("without a reason"));
}
