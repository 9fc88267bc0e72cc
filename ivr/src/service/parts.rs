//! Who knows whom: the use cases over the database, the authority and the directory, and the pages over the use cases.

use std::net::SocketAddr;
use std::sync::Arc;

use ca::Authority;
use ca::authority::names;
use dht_client::Several;
use ivr_core::call::question::{Outcome, VerificationId};
use tokio::sync::{mpsc, watch};

use super::StartError;
use super::telephone::LOCALE;
use crate::clock::Clock;
use crate::config::Config;
use crate::issue::Issue;
use crate::key_file::KeyFile;
use crate::publish::Publisher;
use crate::sip_driver::Figures;
use crate::store::Store;
use crate::verify::{Bell, Limits, Verify, VerifyParts};
use crate::web::{self, App, DemoPlaces, Published, Settings, csrf};

/// What the use cases are made of.
pub(super) struct Parts {
    pub(super) config: Config,
    pub(super) authority: Arc<Authority>,
    pub(super) keys: Arc<KeyFile>,
    pub(super) store: Store,
    pub(super) directory: Several,
    pub(super) bundle: String,
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
    pub(super) app: App,
}

impl Parts {
    /// Connects everything. `outcomes` reaches the calls that wait on the line.
    pub(super) fn wire(
        self,
        outcomes: mpsc::Sender<(VerificationId, Outcome)>,
        figures: watch::Receiver<Figures>,
    ) -> Result<Wired, StartError> {
        let Self { config, authority, keys, store, directory, bundle, sip, is_demo, clock } = self;
        let bell = Bell::default();
        let (issue, publisher) = (Issue {}, Publisher {});
        let verify = Verify::new(VerifyParts {
            store: store.clone(),
            issue: issue.clone(),
            // People are told to dial the first number of the first trunk (the configuration has both).
            dial: config.policy().trunks[0].numbers[0].clone(),
            code_life: config.verification().code_life(),
            kinds: config.verification().kinds(),
            limits: Limits::default(),
            bell,
            outcomes,
            clock,
        });
        let authority =
            Published { bundle_pem: bundle, root_sha256: authority.root_sha256(), jwks: authority.result_key().jwks() };
        let settings = Settings {
            service_name: config.service().name().to_owned(),
            public_url: config.service().public_url().to_owned(),
            languages: vec![LOCALE.to_owned()],
            binding: config.verification().binding(),
            default_country: config.service().default_country(),
            trusted_proxies: config.http().trusted_proxies().to_vec(),
            directory: names_of(&directory),
            demo: is_demo.then(|| DemoPlaces { sip, bundle: config.ca().folder().join(names::BUNDLE), mail: None }),
        };
        let app = App::new(web::Parts {
            clock,
            verify: verify.clone(),
            issue: issue.clone(),
            store,
            settings,
            csrf: csrf::Key::new(keys.derived("csrf")),
            authority,
            counters: Box::new(move || figures.borrow().endpoint),
            directory: Box::new(move || {
                let directory = directory.clone();
                Box::pin(async move { directory.health().await })
            }),
            enrol: None,
            operators: None,
        });
        Ok(Wired { verify, issue, publisher, app })
    }
}

/// `mainline, opendht`
fn names_of(directory: &Several) -> String {
    let mut names: Vec<&str> = directory.backends().iter().map(dht_client::Backend::name).collect();
    names.dedup();
    names.join(", ")
}
