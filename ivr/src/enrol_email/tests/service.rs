//! A service whose mails are caught, and what a person finds in them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ca::email::{Address, Code};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use time::OffsetDateTime;
use time::macros::datetime;

use crate::clock::Clock;
use crate::enrol_email::{Begin, BeginError, Begun, EnrolEmail, Parts};
use crate::issue::Issue;
use crate::mail::catcher::Caught;
use crate::mail::{Catcher, MailSender, Nudge, Transport};
use crate::store::Store;
use crate::store::test_database::TestDatabase;

pub(super) const NOW: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);
pub(super) const URL: &str = "https://verify.example.org";

pub(super) struct Service {
    pub(super) database: TestDatabase,
    pub(super) enrol: EnrolEmail,
    pub(super) catcher: Catcher,
    csr: Vec<u8>,
}

impl Service {
    pub(super) fn new(database: TestDatabase, issue: Issue) -> Self {
        let enrol = on(database.store.clone(), issue);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let csr = CertificateParams::default().serialize_request(&key).unwrap().der().to_vec();
        Self { database, enrol, catcher: Catcher::new("Example"), csr }
    }

    /// Somebody at this address of the network asks for a certificate.
    pub(super) async fn ask_from(
        &self,
        source: [u8; 4],
        address: &str,
        now: OffsetDateTime,
    ) -> Result<Begun, BeginError> {
        let begin = Begin {
            address: Address::parse(address).unwrap(),
            csr: &self.csr,
            publish: true,
            locale: "en",
            source: IpAddr::V4(Ipv4Addr::from(source)),
            user_agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        };
        self.enrol.begin(begin, now).await
    }

    pub(super) async fn ask(&self, address: &str, now: OffsetDateTime) -> Begun {
        self.ask_from([192, 0, 2, 1], address, now).await.unwrap()
    }

    pub(super) fn sender(&self, transport: Transport) -> MailSender {
        MailSender::new(self.database.store.clone(), transport, Nudge::default(), Clock)
    }

    /// Delivers what is due; the mails caught so far, newest first.
    pub(super) async fn mails(&self, now: OffsetDateTime) -> Vec<Arc<Caught>> {
        self.sender(Transport::Catcher(self.catcher.clone())).deliver_due(now).await.unwrap();
        self.catcher.mails()
    }

    /// Link and code of the newest mail.
    pub(super) async fn newest(&self, now: OffsetDateTime) -> (String, Code) {
        read(&self.mails(now).await[0].mail.text)
    }
}

pub(super) fn on(store: Store, issue: Issue) -> EnrolEmail {
    EnrolEmail::new(Parts {
        store,
        issue,
        nudge: Nudge::default(),
        clock: Clock,
        service_name: "Example".to_owned(),
        public_url: URL.to_owned(),
    })
}

/// The token of the link in a mail.
pub(super) fn token(text: &str, path: &str) -> String {
    let start = format!("{URL}/email/{path}/");
    let line = text.lines().find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_else(|| panic!("no link {start} in\n{text}")).to_owned()
}

/// Link and code of a confirmation.
pub(super) fn read(text: &str) -> (String, Code) {
    let code = text.lines().find_map(|line| line.strip_prefix("    ").and_then(Code::parse));
    (token(text, "confirm"), code.expect("a code in the mail"))
}

/// A code that is not this one.
pub(super) fn wrong(code: &Code) -> Code {
    let other = Code::from_random([7; 5]);
    if *code == other { Code::from_random([8; 5]) } else { other }
}
