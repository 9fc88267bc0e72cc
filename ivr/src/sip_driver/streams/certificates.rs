//! TLS between trunks and us: our certificate, and whose certificate the other side shows (RFC 5922).

use std::fmt;
use std::sync::Arc;

use ivr_core::caller::TrunkIndex;
use time::OffsetDateTime;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use webpki::{EndEntityCert, KeyUsage};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::tls::{Identity, provider};

/// The certificate of a trunk.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// Of which trunk.
    pub(crate) trunk: TrunkIndex,
    /// The domains that it may name, in lower case.
    pub(crate) names: Vec<String>,
    /// Who may have signed it.
    pub(crate) anchors: Arc<[TrustAnchor<'static>]>,
}

/// TLS with trunks.
pub struct Secure {
    acceptor: TlsAcceptor,
    known: Vec<Known>,
    /// Beside each.
    connectors: Vec<TlsConnector>,
}

impl fmt::Debug for Secure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secure").field("known", &self.known).finish_non_exhaustive()
    }
}

impl Secure {
    /// With this certificate of ours, and those trunks.
    ///
    /// # Errors
    /// If our certificate and key do not belong together.
    pub(crate) fn new((chain, key): Identity, known: Vec<Known>) -> Result<Self, Error> {
        let provider = provider();
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(Arc::new(AnyCertificate(provider.clone())))
            .with_single_cert(chain.clone(), key.clone_key())?;
        let connector = |known: &Known| {
            let verifier = Arc::new(OnlyThis { known: known.clone(), provider: provider.clone() });
            let client = ClientConfig::builder_with_provider(provider.clone())
                .with_safe_default_protocol_versions()?
                .dangerous()
                .with_custom_certificate_verifier(verifier)
                .with_client_auth_cert(chain.clone(), key.clone_key())?;
            Ok::<_, Error>(TlsConnector::from(Arc::new(client)))
        };
        let connectors = known.iter().map(connector).collect::<Result<_, _>>()?;
        Ok(Self { acceptor: Arc::new(server).into(), known, connectors })
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// What connects to a trunk, and the name that it asks for.
    pub(super) fn connector(&self, trunk: TrunkIndex) -> Option<(&TlsConnector, ServerName<'static>)> {
        let (known, connector) = self.known.iter().zip(&self.connectors).find(|(known, _)| known.trunk == trunk)?;
        Some((connector, ServerName::try_from(known.names.first()?.clone()).ok()?))
    }

    /// The trunk that showed this chain, of those that `may_be` from what else is known: that it has the key, the handshake
    /// has proved.
    pub(super) fn whose(
        &self,
        chain: &[CertificateDer<'_>],
        now: OffsetDateTime,
        may_be: impl Fn(TrunkIndex) -> bool,
    ) -> Option<TrunkIndex> {
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now.unix_timestamp().try_into().ok()?));
        // The public authorities of the web no longer sign certificates for clients.
        let usages = [KeyUsage::client_auth, KeyUsage::server_auth];
        let fits = |known: &&Known| usages.into_iter().any(|usage| known.check(chain, usage(), now).is_ok());
        self.known.iter().filter(|known| may_be(known.trunk)).find(fits).map(|known| known.trunk)
    }
}

impl Known {
    /// Is it this trunk's, unexpired, and signed by somebody whom we believe about it?
    fn check(&self, chain: &[CertificateDer<'_>], usage: KeyUsage, now: UnixTime) -> Result<(), Error> {
        let (first, others) = chain.split_first().ok_or(Error::NoCertificatesPresented)?;
        let wrong = |cause: webpki::Error| Error::General(format!("the certificate does not hold: {cause}"));
        EndEntityCert::try_from(first)
            .map_err(wrong)?
            .verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &self.anchors, others, now, usage, None, None)
            .map_err(wrong)?;
        if !domains(first).iter().any(|domain| self.names.contains(domain)) {
            return Err(Error::InvalidCertificate(CertificateError::NotValidForName));
        }
        Ok(())
    }
}

/// The domains of a certificate (RFC 5922 7.1): those of its sip: URIs without a user; only if there are none, its DNS
/// names. A wildcard is no domain (7.2).
fn domains(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let names = &names.value.general_names;
    let sip = |name: &GeneralName<'_>| match name {
        GeneralName::URI(uri) => uri
            .split_once(':')
            .filter(|(scheme, rest)| scheme.eq_ignore_ascii_case("sip") && !rest.contains('@'))
            .map(|(_, domain)| domain.to_ascii_lowercase()),
        _ => None,
    };
    let dns = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(domain) => Some(domain.to_ascii_lowercase()),
        _ => None,
    };
    let of_sip: Vec<String> = names.iter().filter_map(sip).collect();
    if of_sip.is_empty() { names.iter().filter_map(dns).collect() } else { of_sip }
}

/// Asks who connects for a certificate, and takes any, or none: most trunks are known by their address. Whose it is,
/// [`Secure::whose`] says afterwards.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyCertificate {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Where we connect to a trunk: its certificate or none.
#[derive(Debug)]
struct OnlyThis {
    known: Known,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OnlyThis {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain: Vec<CertificateDer<'_>> = [certificate.clone()].into_iter().chain(others.iter().cloned()).collect();
        self.known.check(&chain, KeyUsage::server_auth(), now).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
