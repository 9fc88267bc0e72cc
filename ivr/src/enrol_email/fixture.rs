//! For tests: a whole service whose mails are caught, and what a person finds in them.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use ca::email::{Address, Code};
use time::OffsetDateTime;

use super::{Begin, BeginError, Begun, EnrolEmail, Parts};
use crate::clock::Clock;
use crate::issue::Issue;
use crate::mail::catcher::Caught;
use crate::mail::{Catcher, MailSender, Nudge, Transport};
use crate::store::Store;
use crate::store::test_database::TestDatabase;
use crate::verify::fixture::{self, request};

/// Where the pages of [`Service`] would be.
const URL: &str = "https://verify.example.org";

/// The service. Nothing runs by itself: a test delivers when it wants to.
pub(crate) struct Service {
    pub(crate) enrol: EnrolEmail,
    pub(crate) postbox: Postbox,
    csr: Vec<u8>,
    below: fixture::Service,
}

/// The outbox of a store, and the mails that were taken out of it.
#[derive(Clone)]
pub(crate) struct Postbox {
    store: Store,
    pub(crate) catcher: Catcher,
}

impl Service {
    pub(crate) async fn over(database: TestDatabase) -> Self {
        let below = fixture::Service::over(database).await;
        let store = below.database.store.clone();
        let enrol = on(store.clone(), below.issue.clone(), URL);
        Self { enrol, postbox: Postbox::of(store), csr: request(), below }
    }

    /// Somebody at this address of the network asks for a certificate.
    pub(crate) async fn ask_from(&self, source: &str, address: &str, now: OffsetDateTime) -> Result<Begun, BeginError> {
        self.enrol.begin(asked(source.parse().unwrap(), address, &self.csr), now).await
    }

    pub(crate) async fn ask(&self, address: &str) -> Begun {
        self.ask_from("192.0.2.1", address, self.now).await.unwrap()
    }

    /// Asks, and reads link and code in the mail.
    pub(crate) async fn ask_and_read(&self, address: &str) -> (Begun, String, Code) {
        let begun = self.ask(address).await;
        let (link, code) = read(&self.postbox.newest(self.now).await.mail.text);
        (begun, link, code)
    }
}

impl Deref for Service {
    type Target = fixture::Service;

    fn deref(&self) -> &fixture::Service {
        &self.below
    }
}

impl Postbox {
    pub(crate) fn of(store: Store) -> Self {
        Self { store, catcher: Catcher::new("Example") }
    }

    pub(crate) fn sender(&self, transport: Transport) -> MailSender {
        MailSender::new(self.store.clone(), transport, Nudge::default(), Clock)
    }

    /// Delivers what is due; the mails caught so far, newest first.
    pub(crate) async fn mails(&self, now: OffsetDateTime) -> Vec<Arc<Caught>> {
        self.sender(Transport::Catcher(self.catcher.clone())).deliver_due(now).await.unwrap();
        self.catcher.mails()
    }

    pub(crate) async fn newest(&self, now: OffsetDateTime) -> Arc<Caught> {
        self.mails(now).await.first().expect("a mail arrived").clone()
    }

    /// The newest mail whose subject has these words.
    pub(crate) async fn about(&self, words: &str, now: OffsetDateTime) -> Arc<Caught> {
        let mails = self.mails(now).await;
        mails.iter().find(|caught| caught.mail.subject.contains(words)).expect("such a mail arrived").clone()
    }
}

/// The use case over a store, its pages at this address.
pub(crate) fn on(store: Store, issue: Issue, public_url: &str) -> EnrolEmail {
    EnrolEmail::new(Parts {
        store,
        issue,
        nudge: Nudge::default(),
        clock: Clock,
        service_name: "Example".to_owned(),
        public_url: public_url.to_owned(),
    })
}

pub(crate) fn asked<'a>(source: IpAddr, address: &str, csr: &'a [u8]) -> Begin<'a> {
    Begin {
        address: Address::parse(address).unwrap(),
        csr,
        publish: true,
        locale: "en",
        source,
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    }
}

/// The token of the link in a mail.
pub(crate) fn token(text: &str, path: &str) -> String {
    let start = format!("/email/{path}/");
    let line = text.lines().find_map(|line| line.starts_with("http").then(|| line.split_once(&start)).flatten());
    line.unwrap_or_else(|| panic!("no link to {start} in\n{text}")).1.to_owned()
}

/// Link and code of a confirmation.
pub(crate) fn read(text: &str) -> (String, Code) {
    let code = text.lines().find_map(|line| line.strip_prefix("    ").and_then(Code::parse));
    (token(text, "confirm"), code.expect("a code in the mail"))
}

/// A code that is not this one.
pub(crate) fn wrong(code: &Code) -> Code {
    let other = Code::from_random([7; 5]);
    if *code == other { Code::from_random([8; 5]) } else { other }
}
