//! The pages' own TLS: certificate and key from files, read at start.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::config::http::Tls;

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
    /// Certificate and key.
    #[error("[http] tls_certificate and tls_key cannot be used together: {0}")]
    Pair(rustls::Error),
}

/// Speaks TLS with this certificate.
///
/// # Errors
/// If certificate or key cannot be read, or do not belong together.
pub fn configuration(files: &Tls) -> Result<Arc<ServerConfig>, TlsError> {
    let wrong = |key, file: &Path| {
        let file = file.to_owned();
        move |cause| TlsError::File { key, file, cause }
    };
    let chain = CertificateDer::pem_file_iter(files.certificate())
        .and_then(|chain| chain.collect::<Result<Vec<_>, _>>())
        .map_err(wrong("http.tls_certificate", files.certificate()))?;
    let key = PrivateKeyDer::from_pem_file(files.key()).map_err(wrong("http.tls_key", files.key()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
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
