//! Calls over TLS, known by the caller's certificate alone, and over IPv6: Linphone proves its number.

use std::path::Path;

use end_to_end::installation::{BELIEVED, Families, Installation, Wanted, own_ring};
use end_to_end::linphone::{Certified, Linphone};
use end_to_end::proving::prove;
use end_to_end::service::media_ports;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};

/// PEM files of an authority of carriers, its certificate for us, one for the trunk, and one for somebody else.
struct Certificates<'a> {
    folder: &'a Path,
    issuer: Issuer<'static, KeyPair>,
}

impl<'a> Certificates<'a> {
    fn of_a_new_authority(folder: &'a Path, name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = params.self_signed(&key).expect("a certificate");
        std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).expect("a file");
        Self { folder, issuer: Issuer::new(params, key) }
    }

    /// Writes `NAME.pem` and `NAME.key`.
    fn certify(&self, name: &str, subject: SanType) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![subject];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        std::fs::write(self.folder.join(format!("{name}.pem")), certificate.pem()).expect("a file");
        std::fs::write(self.folder.join(format!("{name}.key")), key.serialize_pem()).expect("a file");
    }
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs Linphone: run tests/run")]
fn linphone_proves_its_number_over_tls_by_its_certificate() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    let authority = Certificates::of_a_new_authority(folder.path(), "authority");
    authority.certify("service", SanType::IpAddress([127, 0, 0, 1].into()));
    authority.certify("trunk", SanType::DnsName("sip.carrier.example".try_into().expect("a name")));
    authority.certify("other", SanType::DnsName("sip.other.example".try_into().expect("a name")));
    let port = end_to_end::process::free_port();
    let at = |name: &str| path(name).display().to_string();
    let installation = Installation::new(
        tempfile::tempdir().expect("a temporary folder"),
        Wanted {
            families: Families::Both,
            media: &media_ports(),
            sip: &format!(
                "tls_listen = \"[::]:{port}\"\ntls_certificate = \"{}\"\ntls_key = \"{}\"",
                at("service.pem"),
                at("service.key")
            ),
            trunks: &format!(
                "[[trunk]]\nname = \"certified\"\ncertificate_names = [\"sip.carrier.example\"]\n\
                 certificate_authorities = \"{}\"\nmedia_networks = [\"127.0.0.0/8\", \"::1\"]\n{BELIEVED}",
                at("authority.pem")
            ),
            dht: &own_ring(),
        },
    );
    let service = installation.serve();
    let certified = |name: &str| Certified {
        certificate: path(&format!("{name}.pem")),
        key: path(&format!("{name}.key")),
        authorities: path("authority.pem"),
    };
    let uri = |number: &str| format!("sip:{number}@127.0.0.1:{port};transport=tls");
    let mut phone = Linphone::of("+12025550181", Some(&certified("trunk")));
    prove("+12025550181", &service, &mut phone, uri);

    // Another certificate of the same authority, and the same number over UDP from this machine: nobody's calls.
    let mut stranger = Linphone::of("+12025550182", Some(&certified("other")));
    stranger.fails_to_dial(&uri("+12025550100"));
    let mut stranger = Linphone::of("+12025550182", None);
    stranger.fails_to_dial(&format!("sip:+12025550100@{}", service.sip()));
    assert!(service.terminate().success());
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs Linphone: run tests/run")]
fn linphone_proves_its_number_over_ipv6() {
    let installation = Installation::new(
        tempfile::tempdir().expect("a temporary folder"),
        Wanted {
            families: Families::Both,
            media: &media_ports(),
            sip: "",
            trunks: &format!(
                "[[trunk]]\nname = \"loopback\"\nsources = [\"::1\"]\nmedia_networks = [\"127.0.0.0/8\", \"::1\"]\n{BELIEVED}"
            ),
            dht: &own_ring(),
        },
    );
    let service = installation.serve();
    let mut phone = Linphone::of("+12025550183", None);
    let port = service.sip().port();
    prove("+12025550183", &service, &mut phone, |number| format!("sip:{number}@[::1]:{port}"));
    assert!(service.terminate().success());
}
