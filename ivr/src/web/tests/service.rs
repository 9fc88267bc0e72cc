//! A service without telephone: the router over the use cases' own fixture, whose callers need no line.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use dht_client::backend::Health;
use dht_client::{Backend, Several};
use ivr_core::call::flow::Step;
use ivr_core::call::question::{Answer, Question, Session, VerificationId};
use ivr_core::caller::TrunkProfile;
use ivr_core::code::Code;
use ivr_core::endpoint::Counters;
use ivr_core::link::LinkState;
use ivr_core::number::Country;
use ivr_core::private::Private;
use ivr_core::proof::Binding;
use time::OffsetDateTime;
use tokio::sync::mpsc;

use crate::call_record::CallRecord;
use crate::clock::Clock;
use crate::enrol_email::fixture::{self as email, Postbox};
use crate::gateway::Gateway;
use crate::link_status::LinkStatus;
use crate::operators::Operators;
use crate::outbound::Reach;
use crate::puzzle::Threshold;
use crate::sandbox::Sandbox;
use crate::sip_driver::{Announcements, Figures};
use crate::store::test_database::TestDatabase;
use crate::trunk_probe::TrunkProbes;
use crate::verify::fixture;
use crate::web::{self, App, Parts, Published, Settings, csrf};
use crate::webhooks::Webhooks;

/// The number that calls.
pub(in crate::web) const NUMBER: &str = fixture::NUMBER;
/// The number that is called.
pub(in crate::web) const DIAL: &str = fixture::DIAL;

/// The number of the sandbox.
pub(in crate::web) const TEST_NUMBER: &str = fixture::TEST_NUMBER;

/// How long an operator stays logged in.
const SESSION: Duration = Duration::from_secs(3600);

pub(in crate::web) struct Service {
    pub(in crate::web) app: App,
    pub(in crate::web) router: Router,
    /// What the telephone is told to wait for.
    pub(super) telephone: tokio::sync::Mutex<Announcements>,
    /// The mails that went out.
    pub(super) postbox: Postbox,
    below: fixture::Service,
}

impl Service {
    pub(in crate::web) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With other settings.
    pub(in crate::web) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::under(Threshold { starts_a_minute: 1_000, of_a_network: 1_000, bits: 8 }, change).await
    }

    /// Where every start has to be worked for.
    pub(in crate::web) async fn flooded() -> Self {
        Self::under(Threshold { starts_a_minute: 0, of_a_network: 1, bits: 8 }, |_| {}).await
    }

    async fn under(threshold: Threshold, change: impl FnOnce(&mut Settings)) -> Self {
        let below = fixture::Service::over(TestDatabase::sqlite().await).await;
        let mut settings = Settings {
            service_name: "Example & Co".to_owned(),
            public_url: "http://127.0.0.1:8080".to_owned(),
            languages: vec!["en".to_owned()],
            binding: Binding::ReadBack,
            default_country: Some("US".parse::<Country>().unwrap()),
            trusted_proxies: Vec::new(),
            directory: "a ring of mainline".to_owned(),
            demo: None,
        };
        change(&mut settings);
        let trunk = |name: &str| TrunkProfile {
            name: name.to_owned(),
            sources: vec!["192.0.2.0/28".parse().unwrap()],
            numbers: vec![fixture::number(DIAL)],
            ..TrunkProfile::default()
        };
        let (probes, telephone) = TrunkProbes::new(vec![trunk("carrier"), trunk("a \"b\"/c")]);
        let postbox = Postbox::of(below.database.store.clone());
        let test_numbers = vec![fixture::number(TEST_NUMBER)];
        let code_life = Duration::from_secs(600);
        let sandbox = Sandbox::new(test_numbers, fixture::dialled(), code_life, mpsc::channel(1).0, Clock).unwrap();
        let app = App::new(Parts {
            clock: Clock,
            verify: below.verify.clone(),
            issue: below.issue.clone(),
            store: below.database.store.clone(),
            settings,
            csrf: csrf::Key::new(below.database.keys.derived("csrf")),
            authority: Published {
                bundle_pem: below.authority.bundle("dialproof-bundle-v1\n").unwrap(),
                root_sha256: below.authority.root_sha256(),
                jwks: below.authority.result_key().jwks(),
            },
            figures: Box::new(|| Figures {
                endpoint: Counters { invites: 7, ..Counters::default() },
                ..Figures::default()
            }),
            links: Box::new(|| {
                let state = LinkState::Registered { lasts: Duration::from_secs(600) };
                let since = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
                vec![LinkStatus { trunk: "a \"b\"".to_owned(), duty: "register", state: Some(state), since }]
            }),
            directory: Box::new(|| {
                Box::pin(async { vec![Health { backend: "mainline", reachable: 3, configured: 3 }] })
            }),
            sandbox: Some(Arc::new(sandbox)),
            enrol: Some(email::on(below.database.store.clone(), below.issue.clone(), "http://127.0.0.1:8080")),
            gateway: Gateway::new(
                Several::new(vec![Backend::Memory(below.dht.clone())]).unwrap(),
                below.database.store.clone(),
                below.authority.clone(),
            ),
            calls: CallRecord::new(below.database.store.clone(), "test".to_owned(), Clock),
            webhooks: Webhooks::new(below.database.store.clone(), Reach::PUBLIC, Clock),
            operators: Operators::new(below.database.store.clone(), SESSION, Clock),
            flood: web::flood::Flood::new(below.database.keys.derived("puzzle"), threshold),
            probes,
        });
        Self { router: web::router(app.clone()), app, telephone: telephone.into(), postbox, below }
    }

    /// A call by [`NUMBER`] keys in this code, and waits for the confirm digit.
    pub(in crate::web) async fn key_in(&self, code: &str) -> VerificationId {
        let entered = Private::new(Code::parse(code).unwrap());
        let question = Question::Code { caller: fixture::caller(NUMBER), entered };
        let answer = self.verify.answer(question, Clock.wall()).await;
        let Answer::Matched(Session { id, .. }) = answer else { panic!("the code is wrong") };
        for step in [Step::CodeMatched(id), Step::Confirming] {
            self.verify.note_step(id, step, Clock.wall()).await.unwrap();
        }
        id
    }

    /// Empties the outbox.
    pub(in crate::web) async fn publish_now(&self) {
        while self.publisher.publish_due(Clock.wall()).await.unwrap() {}
    }

    /// A whole call up to the digits that the voice reads.
    pub(in crate::web) async fn call(&self, code: &str) -> String {
        let id = self.key_in(code).await;
        let heard = self.below.call(&Code::parse(code).unwrap()).await.heard.expect("the voice reads digits");
        self.verify.note_step(id, Step::ReadingBack, Clock.wall()).await.unwrap();
        heard.as_str().to_owned()
    }
}

impl Deref for Service {
    type Target = fixture::Service;

    fn deref(&self) -> &fixture::Service {
        &self.below
    }
}
