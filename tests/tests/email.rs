//! A certificate for a mailbox, from the API over a real mail server to OpenSSL and the directory.

#![allow(clippy::unwrap_used, reason = "a test stops where its setting fails")]

use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use end_to_end::process::free_port;
use end_to_end::service::{self, Service, wait_until};
use end_to_end::smtp::MailServer;
use serde_json::{Value, json};

/// A configured service, and the folder of its data.
struct Configured {
    folder: tempfile::TempDir,
    config: PathBuf,
    http: SocketAddr,
    sip: SocketAddr,
}

impl Configured {
    /// Founded by `init`, with a mail server on this port.
    fn with_mail_at(port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [http, sip, ring, other] = [(); 4].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
        let passphrase = folder.path().join("passphrase");
        std::fs::write(&passphrase, "correct horse battery staple\n").unwrap();
        let data = folder.path().join("data");
        let options = [
            ("--data", data.display().to_string()),
            ("--passphrase-file", passphrase.display().to_string()),
            ("--public-url", format!("http://{http}")),
            ("--http", http.to_string()),
            ("--sip", sip.to_string()),
            ("--number", "+12025550100".to_owned()),
            ("--trunk-source", "127.0.0.1".to_owned()),
            ("--oid-arc", "1.3.6.1.4.1.55555".to_owned()),
            ("--ring-port", ring.port().to_string()),
            ("--ring-port", other.port().to_string()),
        ];
        let options = options.iter().flat_map(|(name, value)| [*name, value.as_str()]);
        let arguments: Vec<&str> = std::iter::once("init").chain(options).collect();
        let founded = service::run(&arguments);
        assert!(founded.status.success(), "{}", String::from_utf8_lossy(&founded.stderr));
        let config = data.join("config.toml");
        let section = format!(
            "\n[smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"ca@verify.example.org\"\n"
        );
        // Services of several tests run side by side: each has media ports of its own.
        let media = free_media_ports();
        let own = format!("[sip]\nmax_calls = 1\nrtp_ports = \"{media}-{}\"", media + 3);
        let written = std::fs::read_to_string(&config).unwrap().replace("[sip]", &own) + &section;
        std::fs::write(&config, written).unwrap();
        Self { folder, config, http, sip }
    }

    fn start(&self) -> Service {
        let bundle = self.folder.path().join("data/ca/bundle.pem");
        Service::serve(&self.config, self.http, self.sip, bundle)
    }
}

/// The first of four UDP ports that were free a moment ago.
fn free_media_ports() -> u16 {
    let bind = |port| UdpSocket::bind(("127.0.0.1", port));
    loop {
        let first = bind(0).unwrap().local_addr().unwrap().port() & !3;
        if (first..=first + 3).all(|port| bind(port).is_ok()) {
            return first;
        }
    }
}

/// A program that asks for a certificate for a mailbox.
struct Applicant {
    http: reqwest::Client,
    base: String,
    path: String,
    secret: String,
}

impl Applicant {
    async fn begin(service: &Service, address: &str) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
        let http = reqwest::Client::new();
        let base = service.http().to_owned();
        let body = json!({ "address": address, "csr": csr, "publish": true });
        let answer = http.post(format!("{base}/v1/enrolments")).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        let path = answer.headers()["location"].to_str().unwrap().to_owned();
        let begun: Value = answer.json().await.unwrap();
        Self { http, base, path, secret: begun["secret"].as_str().unwrap().to_owned() }
    }

    async fn look(&self) -> Value {
        let url = format!("{}{}", self.base, self.path);
        self.http.get(url).bearer_auth(&self.secret).send().await.unwrap().json().await.unwrap()
    }

    async fn confirm(&self, code: &str) -> Value {
        let url = format!("{}{}/confirm", self.base, self.path);
        let post = self.http.post(url).bearer_auth(&self.secret).json(&json!({ "code": code }));
        post.send().await.unwrap().json().await.unwrap()
    }
}

/// The code of a confirmation: the one line that is indented by four spaces.
fn code(mail: &str) -> &str {
    mail.lines().find_map(|line| line.strip_prefix("    ")).expect("a code in the mail").trim()
}

/// The file of this media type that came with a mail.
fn attachment(mail: &str, kind: &str) -> Vec<u8> {
    let mail = mail.replace("\r\n", "\n");
    let (_, part) = mail.split_once(&format!("Content-Type: {kind}\n")).expect("an attachment of this type");
    let (_, body) = part.split_once("\n\n").expect("a body after the headers");
    let base64: String = body.lines().take_while(|line| !line.starts_with("--")).collect();
    STANDARD.decode(base64).expect("base64")
}

fn openssl(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("openssl").current_dir(folder).args(arguments).output().expect("OpenSSL is installed");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "openssl {arguments:?}: {err}{out}");
    out.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "peers"), ignore = "needs python3-aiosmtpd: run tests/run")]
async fn a_certificate_comes_by_mail_and_openssl_and_strangers_verify_it() {
    let mails = MailServer::start();
    let configured = Configured::with_mail_at(mails.address().port());
    let service = configured.start();
    let applicant = Applicant::begin(&service, "Some.Body+tag@example.org").await;
    let asked = mails.wait_for(|mail| mail.contains("Subject: Is this your mailbox?"));
    for header in ["To: Some.Body+tag@example.org", "Auto-Submitted: auto-generated", "Message-ID: <", "Date: "] {
        assert!(asked.contains(header), "{header} in\n{asked}");
    }
    let issued = applicant.confirm(code(&asked)).await;
    assert_eq!(issued["state"], "issued", "{issued}");

    let mail = mails.wait_for(|mail| mail.contains("Subject: Your certificate"));
    let folder = configured.folder.path();
    std::fs::write(folder.join("leaf.cer"), attachment(&mail, "application/pkix-cert")).unwrap();
    let chain = attachment(&mail, "application/pkcs7-mime; smime-type=certs-only");
    std::fs::write(folder.join("chain.p7c"), chain).unwrap();
    let leaf = openssl(folder, &["x509", "-inform", "DER", "-in", "leaf.cer", "-ext", "subjectAltName"]);
    assert!(leaf.contains("email:Some.Body+tag@example.org"), "{leaf}");
    let certificates = openssl(folder, &["pkcs7", "-inform", "DER", "-in", "chain.p7c", "-print_certs"]);
    assert_eq!(certificates.matches("BEGIN CERTIFICATE").count(), 2, "{certificates}");
    std::fs::write(folder.join("chain.pem"), certificates).unwrap();
    let bundle = std::fs::read_to_string(service.bundle()).unwrap();
    let end = "-----END CERTIFICATE-----\n";
    let root = bundle.split_inclusive(end).next().unwrap();
    std::fs::write(folder.join("root.pem"), root).unwrap();
    std::fs::write(folder.join("leaf.pem"), leaf).unwrap();
    let verify = ["verify", "-x509_strict", "-purpose", "smimesign", "-CAfile", "root.pem", "-untrusted", "chain.pem"];
    openssl(folder, &[&verify[..], &["leaf.pem"]].concat());

    let notice = mails.wait_for(|mail| mail.contains("was issued by"));
    assert!(notice.contains(issued["serial"].as_str().unwrap()) && notice.contains("/email/revoke/"));

    let published = async { while applicant.look().await["dht"]["published"] != json!(true) {} };
    tokio::time::timeout(Duration::from_secs(60), published).await.expect("the record is published");
    let found = service.lookup("some.body+tag@example.org");
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let log = service.log();
    assert!(!log.to_lowercase().contains("some.body"), "an address stands in the log:\n{log}");
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "peers"), ignore = "needs python3-aiosmtpd: run tests/run")]
async fn mails_wait_for_a_server_that_is_down_even_over_a_restart() {
    let port = free_port();
    let configured = Configured::with_mail_at(port);
    let mut service = configured.start();
    let applicant = Applicant::begin(&service, "somebody@example.org").await;
    service.wait_for_log(" waits: ");
    assert!(!service.log().contains("somebody"), "an address stands in the log:\n{}", service.log());
    service.kill();

    let service = configured.start();
    let mails = MailServer::start_at(port);
    let mail = mails.wait_for(|mail| mail.contains("Subject: Is this your mailbox?"));
    assert_eq!(applicant.confirm(code(&mail)).await["state"], "issued");
    mails.wait_for(|mail| mail.contains("Subject: Your certificate"));
    wait_until("the outbox is empty", || mails.mails().len() == 3);
    drop(service);
}
