//! The service as one thing: use cases, telephone, pages and what works in the background, connected and run. `serve`,
//! the demo and the tests start the same.

pub mod desk;
mod directory_health;
pub mod doorman;
pub mod founding;
pub mod logging;
mod parts;
pub mod shutdown;
pub mod sockets;
mod telephone;
pub mod tls;
mod upkeep;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ca::Authority;
use ca::authority::names;
use dht_client::backend::network::ConnectError;
use dht_client::{Network, Several};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use self::desk::Answerers;
use self::doorman::Doorman;
use self::parts::Parts;
use self::telephone::Telephone;
use self::upkeep::Upkeep;
use crate::call_record::Pages;
use crate::clock::Clock;
use crate::config::Config;
use crate::issue::IssueError;
use crate::key_file::KeyFile;
use crate::mail::RelayError;
use crate::media_driver::RtpSockets;
use crate::operators::Operators;
use crate::passports::PassportsError;
use crate::sip_driver::{Figures, Secure, Shutdown, Stopped};
use crate::store::{Store, StoreError};
use crate::web;
use crate::webhooks::Webhooks;

/// How long open pages are waited for once the last call is over. A page's event stream never ends by itself.
const PAGES_PATIENCE: Duration = Duration::from_secs(2);

/// What a service is started with.
#[derive(Debug)]
pub struct Opening {
    /// What the operator decided.
    pub config: Config,
    /// Who signs.
    pub authority: Authority,
    /// The service's own keys.
    pub keys: KeyFile,
    /// Where pages and API are served. This and the next are bound before the database is opened, so that a second service
    /// by mistake stops there, and does not clear up after the first as if that had died.
    pub http: TcpListener,
    /// Where calls arrive, and who answers until the service is ready.
    pub doorman: Doorman,
    /// Where their audio is exchanged.
    pub rtp: RtpSockets,
    /// The pages' TLS, if they do any.
    pub tls: Option<Arc<ServerConfig>>,
    /// The telephone's, if it does any.
    pub sip_tls: Option<Secure>,
    /// Where the directory lies.
    pub networks: Vec<Network>,
    /// The bundle that says so, PEM.
    pub bundle: String,
    /// The service is a demonstration.
    pub is_demo: bool,
}

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error("the database cannot be opened: {0}; look at [database] url, and whether it is running")]
    Store(#[from] StoreError),
    /// What a crash left behind cannot be mended.
    #[error("what an earlier run left unfinished cannot be finished: {0}")]
    Recover(#[from] IssueError),
    /// The directory.
    #[error("the directory cannot be joined: {0}; look at [dht]")]
    Directory(#[from] ConnectError),
    /// The mail relay.
    #[error("the mail relay cannot be used: {0}; look at [smtp]")]
    Mail(#[from] RelayError),
    /// The sandbox.
    #[error("{0}; leave [sandbox] out to begin without")]
    Sandbox(#[from] crate::sandbox::FoundingError),
    /// Who verifies signed identities.
    #[error("signed identities cannot be verified: {0}; look at [passports]")]
    Passports(#[from] PassportsError),
    /// Threads or sockets.
    #[error("the operating system refuses {what}: {cause}")]
    System {
        /// What was wanted.
        what: &'static str,
        /// Why not.
        cause: io::Error,
    },
}

/// Why a running service ended although nobody told it to.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// Calls can be taken no more.
    #[error("the telephone ended: {0}")]
    Telephone(#[from] Stopped),
    /// A part ended that has no reason to.
    #[error("{0} ended without being told to; the log says more")]
    Part(&'static str),
    /// A part panicked: a bug.
    #[error("a part of the service broke: {0}")]
    Broken(tokio::task::JoinError),
}

/// A running service. Dropped, it ends at once.
#[derive(Debug)]
pub struct Service {
    http: SocketAddr,
    sip: SocketAddr,
    secure_sip: Option<SocketAddr>,
    bundle: PathBuf,
    root_sha256: [u8; 32],
    operators: Operators,
    webhooks: Webhooks,
    figures: watch::Receiver<Figures>,
    shutdown: Shutdown,
    /// For what goes on until the last call is over.
    stop: CancellationToken,
    tasks: JoinSet<(&'static str, Result<(), Failed>)>,
}

/// How long pages go on after the last call, if there was one when the service was told to end.
pub const LAST_LOOKS: Duration = Duration::from_secs(10);

const TELEPHONE: &str = "the telephone";

impl Service {
    /// Opens the database, mends what a crash left, joins the directory, and begins to serve.
    ///
    /// # Errors
    /// The first thing that cannot be had, and what to look at.
    pub async fn start(opening: Opening, clock: Clock) -> Result<Self, StartError> {
        let Opening { config, authority, keys, http: pages, doorman, rtp, tls, sip_tls, networks, bundle, is_demo } =
            opening;
        let system = |what| move |cause| StartError::System { what, cause };
        let (http, sip) = (pages.local_addr().map_err(system("to tell a socket's address"))?, doorman.address());
        let secure_sip = doorman.secure();
        let prompts = config.service().own_prompts().map(Path::to_owned);
        let voices = tokio::task::spawn_blocking(move || telephone::voices(prompts.as_deref()));
        let (keys, authority) = (Arc::new(keys), Arc::new(authority));
        let store = Store::open(config.database().url().expose(), keys.clone()).await?;
        let directory = Several::connect(&networks).await?;
        let voices = voices.await.map_err(io::Error::other).map_err(system("the thread that reads the clips"))?;
        let front = doorman.relieve().await.map_err(system("to receive at the SIP socket"))?;
        let telephone = Telephone::start(&config, front, sip_tls, (rtp, voices.clone()), clock)
            .map_err(system("the telephone's threads and sockets"))?;

        let root_sha256 = authority.root_sha256();
        let bundle_file = config.ca().folder().join(names::BUNDLE);
        let figures = telephone.figures.clone();
        let languages = voices.languages();
        let parts = Parts { config, authority, keys, store, directory, bundle, languages, sip, is_demo, clock };
        let wired = parts.wire(&telephone)?;
        let recovered = wired.issue.recover(clock.wall()).await?;
        if recovered != Default::default() {
            tracing::warn!(?recovered, "finished what an earlier run left: {recovered:?}");
        }

        let (shutdown, stop) = (Shutdown::default(), CancellationToken::new());
        let mut tasks = Tasks(JoinSet::new());
        let driver = telephone.driver.run(shutdown.clone());
        tasks.0.spawn(async move { (TELEPHONE, driver.await.map_err(Failed::from)) });
        let ends = telephone.ends;
        let (verify, sandbox) = (wired.verify.clone(), wired.sandbox);
        let told = Pages::new(verify.clone(), sandbox.clone());
        let answerers = Answerers { verify, passports: wired.passports, sandbox };
        tasks.add("the desk", desk::answer(answerers, voices, ends.questions, ends.answers, clock));
        tasks.add("the call records", wired.calls.clone().run(told, ends.records));
        tasks.add("the publisher", wired.publisher.run(stop.clone()));
        if let Some((enrol, sender)) = wired.mail {
            tasks.add("the enrolment by email", enrol.run(stop.clone()));
            tasks.add("the mails", sender.run(stop.clone()));
        }
        let (webhooks, sender) = wired.webhooks;
        tasks.add("the events", sender.run(wired.verify.bell(), stop.clone()));
        let (verify, issue, calls, operators) = (wired.verify, wired.issue, wired.calls, wired.operators.clone());
        tasks.add("the upkeep", Upkeep { verify, issue, calls, operators, clock }.run(stop.clone()));
        tasks.add("the pages", web::listener::serve(pages, tls, wired.app, stop.clone()));
        let operators = wired.operators;
        let (bundle, tasks) = (bundle_file, tasks.0);
        Ok(Self { http, sip, secure_sip, bundle, root_sha256, operators, webhooks, figures, shutdown, stop, tasks })
    }

    /// Where pages and API listen.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where calls arrive.
    pub fn sip(&self) -> SocketAddr {
        self.sip
    }

    /// Where calls arrive over TLS, if anywhere.
    pub fn secure_sip(&self) -> Option<SocketAddr> {
        self.secure_sip
    }

    /// The file that strangers look somebody up with.
    pub fn bundle(&self) -> &Path {
        &self.bundle
    }

    /// SHA-256 of the root's certificate.
    pub fn root_sha256(&self) -> [u8; 32] {
        self.root_sha256
    }

    /// The console's people.
    pub fn operators(&self) -> &Operators {
        &self.operators
    }

    /// Where events go.
    pub fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    /// What its telephone counts, from now on.
    pub fn figures(&self) -> watch::Receiver<Figures> {
        self.figures.clone()
    }

    /// Ends it: softly or at once.
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// Serves until it is told to end, and then until the last call is over.
    ///
    /// # Errors
    /// If a part of it ended by itself.
    pub async fn run(mut self) -> Result<(), Failed> {
        let mut drain = std::pin::pin!(self.shutdown.drain.clone().cancelled_owned());
        let (mut drains, mut had_calls) = (false, false);
        let result = loop {
            let ended = tokio::select! {
                ended = self.tasks.join_next() => ended,
                () = drain.as_mut(), if !drains => {
                    (drains, had_calls) = (true, self.figures.borrow().endpoint.calls > 0);
                    continue;
                }
            };
            match ended {
                None | Some(Ok((TELEPHONE, Ok(())))) => break Ok(()),
                Some(Err(broken)) => break Err(Failed::Broken(broken)),
                Some(Ok((_, Err(failed)))) => break Err(failed),
                // The desk ends with the telephone, and may be seen first.
                Some(Ok((_, Ok(())))) if self.shutdown.drain.is_cancelled() || self.shutdown.end.is_cancelled() => {}
                Some(Ok((part, Ok(())))) => break Err(Failed::Part(part)),
            }
        };
        if result.is_ok() && had_calls {
            // Who hung up still looks at the page, where the digits are typed and the certificate is fetched.
            let _ended = tokio::time::timeout(LAST_LOOKS, self.shutdown.end.cancelled()).await;
        }
        self.stop.cancel();
        self.shutdown.end.cancel();
        let rest = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(PAGES_PATIENCE, rest).await.is_err() {
            tracing::debug!("pages were still open");
        }
        result
    }
}

/// Everything that runs, each part by its name.
struct Tasks(JoinSet<(&'static str, Result<(), Failed>)>);

impl Tasks {
    fn add(&mut self, part: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(async move {
            work.await;
            (part, Ok(()))
        });
    }
}
