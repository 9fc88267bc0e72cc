//! Who knows whom: the use cases over the database, the authority and the directory, and the pages over the use cases.

use std::net::SocketAddr;
use std::sync::Arc;

use ca::Authority;
use ca::authority::names;
use dht_client::{Hasher, Several};
use ivr_core::caller::{Dialled, Realm};
use voice_prompts::Language;

use super::StartError;
use super::directory_health::DirectoryHealth;
use super::telephone::Telephone;
use crate::bell::Bell;
use crate::call_record::CallRecord;
use crate::clock::Clock;
use crate::config::Config;
use crate::enrol_email::{self, EnrolEmail};
use crate::gateway::Gateway;
use crate::issue::{Issue, IssueParts};
use crate::key_file::KeyFile;
use crate::mail::{Catcher, MailSender, Nudge, Relay, Transport};
use crate::operators::Operators;
use crate::outbound::Reach;
use crate::passports::Passports;
use crate::publish::{Publisher, PublisherParts};
use crate::sandbox::Sandbox;
use crate::store::Store;
use crate::verify::{Expected, Limits, Verify, VerifyParts};
use crate::web::{self, App, DemoPlaces, Published, Settings, csrf};
use crate::webhooks::{Means, Sender, Webhooks};

/// What the use cases are made of.
pub(super) struct Parts {
    pub(super) config: Config,
    pub(super) authority: Arc<Authority>,
    pub(super) keys: Arc<KeyFile>,
    pub(super) store: Store,
    pub(super) directory: Several,
    pub(super) bundle: String,
    /// What the voice speaks, the fallback first.
    pub(super) languages: Vec<Language>,
    /// Where calls arrive.
    pub(super) sip: SocketAddr,
    pub(super) is_demo: bool,
    pub(super) clock: Clock,
}

/// The use cases, and the pages over them.
pub(super) struct Wired {
    pub(super) verify: Verify,
    pub(super) issue: Issue,
    pub(super) publisher: Publisher,
    pub(super) calls: CallRecord,
    pub(super) operators: Operators,
    /// Where programs rehearse, if it is configured.
    pub(super) sandbox: Option<Arc<Sandbox>>,
    /// Who verifies signed identities, if there are anchors.
    pub(super) passports: Option<Passports>,
    /// Enrolment by email and what sends its mails, if there is a relay (or the demonstration's catcher).
    pub(super) mail: Option<(EnrolEmail, MailSender)>,
    /// Where events go, and what sends them.
    pub(super) webhooks: (Webhooks, Arc<Sender>),
    pub(super) app: App,
}

impl Parts {
    /// Connects everything.
    pub(super) fn wire(self, telephone: &Telephone) -> Result<Wired, StartError> {
        let bell = Bell::default();
        let hasher =
            Hasher::start().map_err(|cause| StartError::System { what: "the thread that hashes identities", cause })?;
        let publisher = Publisher::new(PublisherParts {
            store: self.store.clone(),
            authority: self.authority.clone(),
            networks: self.directory.clone(),
            hasher,
            cost: self.config.dht().hash_cost(),
            bell: bell.clone(),
            clock: self.clock,
        });
        let issue = Issue::new(IssueParts {
            store: self.store.clone(),
            authority: self.authority.clone(),
            publisher: publisher.clone(),
            crl_folder: Some(self.config.ca().folder().to_owned()),
            key_change_hold: self.config.verification().key_change_hold(),
            issue_from: self.config.verification().issue_from(),
            clock: self.clock,
        });
        let verify = Verify::new(VerifyParts {
            store: self.store.clone(),
            issue: issue.clone(),
            dialled: self.dialled(),
            code_life: self.config.verification().code_life(),
            kinds: self.config.verification().kinds(),
            test_numbers: self.config.sandbox().map_or_else(Vec::new, |sandbox| sandbox.numbers().to_vec()),
            own_numbers: self.config.policy().trunks.iter().flat_map(|trunk| trunk.numbers.clone()).collect(),
            fruitless_calls: self.config.verification().fruitless_calls_a_day().into(),
            limits: Limits::default(),
            bell,
            expected: Expected::default(),
            outcomes: telephone.outcomes.clone(),
            clock: self.clock,
        });
        // A node is reached at an address of its own.
        let node = self.config.sip().advertise().sip.to_string();
        let calls = CallRecord::new(self.store.clone(), node, self.clock);
        let operators = Operators::new(self.store.clone(), self.config.operators().session(), self.clock);
        let passports = Passports::configured(&self.config, self.store.clone(), self.clock)?;
        let catcher = self.is_demo.then(|| Catcher::new(self.config.service().name()));
        let mail = self.mail(&issue, catcher.clone())?;
        let enrol = mail.as_ref().map(|(enrol, _)| enrol.clone());
        let sandbox = self.sandbox(telephone)?.map(Arc::new);
        let webhooks = self.webhooks();
        let others = (calls.clone(), operators.clone(), sandbox.clone(), webhooks.0.clone());
        let app = self.app(&verify, &issue, enrol, others, catcher, telephone);
        Ok(Wired { verify, issue, publisher, calls, operators, sandbox, passports, mail, webhooks, app })
    }

    fn webhooks(&self) -> (Webhooks, Arc<Sender>) {
        let reach = if self.is_demo { Reach::LOOPBACK } else { Reach::PUBLIC };
        let webhooks = Webhooks::new(self.store.clone(), reach, self.clock);
        let means = Means::of(&self.config, reach);
        (webhooks, Arc::new(Sender::new(self.store.clone(), means, self.clock)))
    }

    fn dialled(&self) -> Dialled {
        Dialled::of(self.config.policy(), Realm::Service, self.config.passports().treatment())
            .expect("the configuration wants a trunk that is none of the sandbox, and a number of every trunk")
    }

    /// Without a trunk of its own it tells the service's numbers, and nobody dials them.
    fn sandbox(&self, telephone: &Telephone) -> Result<Option<Sandbox>, StartError> {
        let Some(section) = self.config.sandbox() else { return Ok(None) };
        let code_life = self.config.verification().code_life();
        let own = Dialled::of(self.config.policy(), Realm::Sandbox, self.config.passports().treatment());
        let (dialled, outcomes) = (own.unwrap_or_else(|| self.dialled()), telephone.outcomes.clone());
        Ok(Some(Sandbox::new(section.numbers().to_vec(), dialled, code_life, outcomes, self.clock)?))
    }

    fn mail(&self, issue: &Issue, catcher: Option<Catcher>) -> Result<Option<(EnrolEmail, MailSender)>, StartError> {
        let name = self.config.service().name();
        let transport = match (catcher, self.config.smtp()) {
            (Some(catcher), _) => Transport::Catcher(catcher),
            (None, Some(smtp)) => Transport::Relay(Relay::new(smtp, name)?),
            (None, None) => return Ok(None),
        };
        let nudge = Nudge::default();
        let enrol = EnrolEmail::new(enrol_email::Parts {
            store: self.store.clone(),
            issue: issue.clone(),
            nudge: nudge.clone(),
            clock: self.clock,
            service_name: name.to_owned(),
            public_url: self.config.service().public_url().to_owned(),
        });
        Ok(Some((enrol, MailSender::new(self.store.clone(), transport, nudge, self.clock))))
    }

    fn app(
        self,
        verify: &Verify,
        issue: &Issue,
        enrol: Option<EnrolEmail>,
        (calls, operators, sandbox, webhooks): (CallRecord, Operators, Option<Arc<Sandbox>>, Webhooks),
        mails: Option<Catcher>,
        telephone: &Telephone,
    ) -> App {
        let Self { config, authority, keys, store, directory, bundle, languages, sip, is_demo, clock } = self;
        let settings = Settings {
            service_name: config.service().name().to_owned(),
            public_url: config.service().public_url().to_owned(),
            languages: languages.iter().map(Language::to_string).collect(),
            binding: config.verification().binding(),
            default_country: config.service().default_country(),
            trusted_proxies: config.http().trusted_proxies().to_vec(),
            directory: names_of(&directory),
            demo: is_demo.then(|| DemoPlaces { sip, bundle: config.ca().folder().join(names::BUNDLE), mails }),
        };
        let (figures, links) = (telephone.figures.clone(), telephone.links.clone());
        let gateway = Gateway::new(directory.clone(), store.clone(), authority.clone());
        let directory = Arc::new(DirectoryHealth::new(directory, clock));
        App::new(web::Parts {
            clock,
            verify: verify.clone(),
            issue: issue.clone(),
            store,
            settings,
            csrf: csrf::Key::new(keys.derived("csrf")),
            authority: Published {
                bundle_pem: bundle,
                root_sha256: authority.root_sha256(),
                jwks: authority.result_key().jwks(),
            },
            figures: Box::new(move || *figures.borrow()),
            links: Box::new(move || links.borrow().clone()),
            directory: Box::new(move || {
                let directory = directory.clone();
                Box::pin(async move { directory.ask().await })
            }),
            sandbox,
            enrol,
            gateway,
            calls,
            operators,
            webhooks,
            flood: web::flood::Flood::new(keys.derived("puzzle"), config.verification().flood()),
            probes: telephone.probes.clone(),
        })
    }
}

/// `mainline, opendht`
fn names_of(directory: &Several) -> String {
    let mut names: Vec<&str> = directory.backends().iter().map(dht_client::Backend::name).collect();
    names.dedup();
    names.join(", ")
}
