//! `[http]`: where the pages and the API listen.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ivr_core::caller::Network;
use serde::Deserialize;

use super::File;
use super::service::Service;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    listen: String,
    #[serde(default)]
    trusted_proxies: Vec<String>,
    tls_certificate: Option<PathBuf>,
    tls_key: Option<PathBuf>,
}

/// The checked section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    listen: SocketAddr,
    trusted_proxies: Vec<Network>,
    tls: Option<Tls>,
}

/// Certificate chain and key of the listener, PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
}

impl Tls {
    /// These files.
    pub fn of(certificate: PathBuf, key: PathBuf) -> Self {
        Self { certificate, key }
    }

    /// The certificate and its chain.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// Its key, PKCS#8.
    pub fn key(&self) -> &Path {
        &self.key
    }
}

impl Http {
    /// Where to listen.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// The proxies whose forwarded headers are believed.
    pub fn trusted_proxies(&self) -> &[Network] {
        &self.trusted_proxies
    }

    /// The listener's own TLS, if it does any.
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }
}

pub(super) fn check(raw: Raw, service: Option<&Service>, file: &mut File<'_>) -> Option<Http> {
    let listen: Option<SocketAddr> = file.findings.parse("http.listen", &raw.listen);
    let trusted_proxies: Option<Vec<Network>> = file.findings.parse_all("http.trusted_proxies", &raw.trusted_proxies);
    let tls = match (raw.tls_certificate, raw.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::of(file.path(&certificate), file.path(&key))),
        (None, None) => None,
        _ => {
            file.findings.fault("http.tls_certificate", "TLS needs both tls_certificate and tls_key, or neither");
            None
        }
    };
    let in_clear = tls.is_none() && raw.trusted_proxies.is_empty();
    if in_clear && listen.is_some_and(|listen| !listen.ip().is_loopback()) {
        file.findings.fault(
            "http.listen",
            "plain HTTP is served on loopback only: set tls_certificate and tls_key, or name the proxy that does TLS \
             in trusted_proxies",
        );
    }
    if in_clear && service.is_some_and(Service::is_https) {
        file.findings.fault(
            "http.trusted_proxies",
            "public_url is https, so somebody does TLS: name the proxy (127.0.0.1, if it runs here), or set \
             tls_certificate and tls_key; else every visitor seems to come from the proxy, and shares its limits",
        );
    }
    Some(Http { listen: listen?, trusted_proxies: trusted_proxies?, tls })
}
