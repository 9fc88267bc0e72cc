//! Certificates and keys for TLS from files, read at start.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, TrustAnchor};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::config::Config;
use crate::config::http::Tls;
use crate::config::trunk::TrunkCertificate;
use crate::sip_driver::Secure;
use crate::sip_driver::certificates::Known;
use crate::tls::{Identity, provider};

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file.
    #[error("{} ({key}) cannot be used: {cause}", file.display())]
    File {
        /// The configuration's key.
        key: &'static str,
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        cause: PemError,
    },
    /// Those who may have signed a trunk's certificate.
    #[error(
        "{} (certificate_authorities of the trunk {trunk:?}) must hold certificates of authorities in PEM, one at least: {cause}",
        file.display()
    )]
    Authorities {
        /// The trunk's name.
        trunk: String,
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        cause: AuthoritiesFault,
    },
    /// Certificate and key.
    #[error("[{section}] tls_certificate and tls_key cannot be used together: {cause}")]
    Pair {
        /// The configuration's section.
        section: &'static str,
        /// Why not.
        cause: rustls::Error,
    },
}

/// Why a file holds no authorities.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesFault {
    /// It is no PEM, or there are no certificates in it.
    #[error(transparent)]
    File(#[from] PemError),
    /// A certificate that nobody can be an authority by.
    #[error("one of them cannot be used: {0}")]
    Certificate(#[from] webpki::Error),
}

impl TlsError {
    /// The key of the configuration to look at.
    pub fn place(&self) -> &'static str {
        match self {
            Self::File { key, .. } => key,
            Self::Authorities { .. } => "trunk.certificate_authorities",
            Self::Pair { section: "http", .. } => "http.tls_certificate",
            Self::Pair { .. } => "sip.tls_certificate",
        }
    }
}

/// The pages' TLS.
///
/// # Errors
/// If certificate or key cannot be read, or do not belong together.
pub fn configuration(files: &Tls) -> Result<Arc<ServerConfig>, TlsError> {
    let (chain, key) = identity(files, ["http.tls_certificate", "http.tls_key"])?;
    let wrong = |cause| TlsError::Pair { section: "http", cause };
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(wrong)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(wrong)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The telephone's TLS, if it does any.
///
/// # Errors
/// If certificate or key cannot be read, or do not belong together, or a trunk's authorities cannot be read.
pub fn telephone(config: &Config) -> Result<Option<Secure>, TlsError> {
    let Some(secure) = config.sip().secure() else { return Ok(None) };
    let ours = identity(secure.tls(), ["sip.tls_certificate", "sip.tls_key"])?;
    let name = |certificate: &TrunkCertificate| config.policy().trunk(certificate.trunk).name.as_str();
    let known = config.trunk_certificates().iter().map(|shown| known(shown, name(shown))).collect::<Result<_, _>>()?;
    Secure::new(ours, known).map(Some).map_err(|cause| TlsError::Pair { section: "sip", cause })
}

fn known(certificate: &TrunkCertificate, trunk: &str) -> Result<Known, TlsError> {
    let anchors = match &certificate.authorities {
        None => webpki_roots::TLS_SERVER_ROOTS.into(),
        Some(file) => {
            let (trunk, file_name) = (trunk.to_owned(), file.clone());
            authorities(file).map_err(|cause| TlsError::Authorities { trunk, file: file_name, cause })?
        }
    };
    Ok(Known { trunk: certificate.trunk, names: certificate.names.clone(), anchors })
}

fn authorities(file: &Path) -> Result<Arc<[TrustAnchor<'static>]>, AuthoritiesFault> {
    let certificates = CertificateDer::pem_file_iter(file)?.collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() {
        return Err(PemError::NoItemsFound.into());
    }
    let anchor = |certificate: &CertificateDer<'static>| {
        Ok(webpki::anchor_from_trusted_cert(certificate).map(|anchor| anchor.to_owned())?)
    };
    certificates.iter().map(anchor).collect()
}

/// Reads a certificate and its key, which these keys of the configuration name.
pub(crate) fn identity(files: &Tls, [certificate, key]: [&'static str; 2]) -> Result<Identity, TlsError> {
    let chain = certificates(files.certificate(), certificate)?;
    let read = PrivateKeyDer::from_pem_file(files.key());
    Ok((chain, read.map_err(|cause| TlsError::File { key, file: files.key().to_owned(), cause })?))
}

/// Reads every certificate of a file.
pub(crate) fn certificates(file: &Path, key: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(file)
        .and_then(|chain| chain.collect::<Result<Vec<_>, _>>())
        .map_err(|cause| TlsError::File { key, file: file.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_cannot_be_used_are_told_by_their_keys() {
        let folder = tempfile::tempdir().unwrap();
        let files = Tls::of(folder.path().join("tls.pem"), folder.path().join("tls.key"));
        let told = || configuration(&files).map(drop).unwrap_err().to_string();
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        assert!(told().contains("tls.pem (http.tls_certificate) cannot be used"), "{}", told());
        std::fs::write(files.certificate(), certificate.pem()).unwrap();
        assert!(told().contains("tls.key (http.tls_key) cannot be used"), "{}", told());
        std::fs::write(files.key(), rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
        assert!(told().contains("cannot be used together"), "{}", told());
        std::fs::write(files.key(), key.serialize_pem()).unwrap();
        assert!(configuration(&files).is_ok());
    }
}
