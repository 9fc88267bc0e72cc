//! Where attacks are played: a service with some carriers, who calls it over them, and what an observer sees
//! afterwards.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use end_to_end::installation::{BELIEVED, Families, Installation, Wanted, own_ring};
use end_to_end::service::{Service, dialproof, media_ports, wait_until};
use ivr::phone::api::{Api, ApiError, Start, Started, Verification};
use ivr::phone::{CallPlan, CallReport, Identity, Law, News, Scenario, Stage, call};
use ivr_core::private::Private;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use voice_prompts::{Library, Vocabulary};

/// Where the carrier that is believed calls from.
pub(crate) const CARRIER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Another carrier.
pub(crate) const OTHER_CARRIER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
/// Belongs to no carrier.
pub(crate) const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));
/// The service's number on every trunk.
pub(crate) const DIALLED: &str = "+12025550100";
/// Whose number an attacker wants.
pub(crate) const VICTIM: &str = "+12025550143";

/// A carrier's section: [`BELIEVED`], with some lines of it replaced.
pub(crate) fn trunk(name: &str, source: IpAddr, changes: &[(&str, &str)]) -> String {
    let lines = changes.iter().fold(BELIEVED.to_owned(), |lines, (line, other)| {
        assert!(lines.contains(line), "{line} is no line of a trunk");
        lines.replace(line, other)
    });
    format!("[[trunk]]\nname = \"{name}\"\nsources = [\"{source}\"]\n{lines}\n")
}

/// A service, and what an observer sees of it.
pub(crate) struct Scene {
    pub(crate) at: Installation,
    pub(crate) service: Service,
    pub(crate) runtime: Runtime,
    pub(crate) api: Api,
    media: String,
}

/// A call as it stands in the records.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) trunk: Option<String>,
    pub(crate) outcome: String,
    /// Status and reason code.
    pub(crate) refusal: Option<(i64, String)>,
    pub(crate) level: Option<i64>,
    pub(crate) last4: Option<String>,
    pub(crate) packets_sent: i64,
    pub(crate) packets_foreign: i64,
    /// Kind and word of each line that is no SIP message.
    pub(crate) lines: Vec<(String, String)>,
}

impl Record {
    /// How many lines are of this kind.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.lines.iter().filter(|(line, _)| line == kind).count()
    }

    /// The words of its steps.
    pub(crate) fn steps(&self) -> Vec<&str> {
        self.lines.iter().filter(|(kind, _)| kind == "step").map(|(_, what)| what.as_str()).collect()
    }

    /// It was refused before the answer, with this status and reason, and nothing else happened.
    #[track_caller]
    pub(crate) fn is_refused(&self, status: i64, reason: &str) {
        assert_eq!(self.refusal, Some((status, reason.to_owned())), "{self:?}");
        assert_eq!((self.outcome.as_str(), self.packets_sent), ("refused", 0), "{self:?}");
        assert_eq!(self.lines, [("refused".to_owned(), reason.to_owned())], "{self:?}");
    }
}

impl Scene {
    /// One carrier, which is believed.
    pub(crate) fn plain() -> Self {
        Self::with(&trunk("carrier", CARRIER, &[]))
    }

    /// These carriers.
    pub(crate) fn with(trunks: &str) -> Self {
        Self::found(trunks, |config| config)
    }

    /// These carriers, and other changes of the configuration.
    pub(crate) fn found(trunks: &str, change: impl FnOnce(String) -> String) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("carrier.secret"), format!("{SECRET}\n")).expect("a file");
        let media = media_ports();
        let dht = own_ring();
        let wanted = Wanted { families: Families::Ipv4, media: &media, sip: "", trunks, dht: &dht };
        let at = Installation::new(folder, wanted);
        let config = std::fs::read_to_string(at.path("config.toml")).expect("a file");
        std::fs::write(at.path("config.toml"), change(config)).expect("a file");
        let service = at.serve();
        let (runtime, api) = (Runtime::new().expect("a runtime"), Api::new(service.http()));
        Self { at, service, runtime, api, media }
    }

    /// Every second of the service's media ports: those of RTP.
    pub(crate) fn rtp_ports(&self) -> Vec<u16> {
        let range = self.media.split('"').nth(1).expect("rtp_ports = \"FIRST-LAST\"");
        let (first, last) = range.split_once('-').expect("FIRST-LAST");
        let port = |text: &str| text.parse::<u16>().expect("a port");
        (port(first)..=port(last)).step_by(2).collect()
    }

    /// Somebody begins a verification of this number; without a certificate.
    pub(crate) fn begin(&self, number: &str) -> Started {
        self.try_to_begin(number).expect("a verification")
    }

    pub(crate) fn try_to_begin(&self, number: &str) -> Result<Started, ApiError> {
        self.runtime.block_on(self.api.start(&Start { number, csr: None, publish: false, locale: "en" }))
    }

    /// The same with a new key, for a certificate.
    pub(crate) fn begin_with_key(&self, number: &str, publish: bool) -> Started {
        let (_, request) = new_key();
        let start = Start { number, csr: Some(&request), publish, locale: "en" };
        self.runtime.block_on(self.api.start(&start)).expect("a verification")
    }

    /// The same by an app, and the four digits that it shows.
    pub(crate) fn begin_by_app(&self, number: &str) -> (Started, String) {
        let (key, request) = new_key();
        let start = Start { number, csr: Some(&request), publish: true, locale: "en" };
        let started = self.runtime.block_on(self.api.start_by_app(&start)).expect("a verification");
        // As docs/protocol.md says it, and not as the service does it.
        let id = u128::from_str_radix(&started.id, 16).expect("32 hexadecimal digits").to_be_bytes();
        let hash = Sha256::new().chain_update(key.subject_public_key_info()).chain_update(id).finalize();
        let number = hash[..4].iter().fold(0_u64, |number, octet| number * 256 + u64::from(*octet));
        (started, format!("{:04}", number % 10_000))
    }

    /// How a verification stands.
    pub(crate) fn look(&self, started: &Started) -> Verification {
        self.runtime.block_on(self.api.look(started)).expect("the verification")
    }

    /// A call of this number over the carrier at this address: hangs up during the warning.
    pub(crate) fn plan(&self, from: IpAddr, number: &str) -> CallPlan {
        CallPlan {
            service: self.service.sip(),
            local: Some(from),
            dialled: DIALLED.to_owned(),
            uri_parameters: Vec::new(),
            identity: Identity::of(number),
            laws: vec![Law::Mu],
            scenario: Scenario::HangUp(Stage::Warning),
            code: Private::new(String::new()),
            vocabulary: Vocabulary::of(&Library::embedded(), "en"),
            patience: Duration::from_secs(200),
        }
    }

    /// The same by somebody who has a code and does this.
    pub(crate) fn plan_of(&self, from: IpAddr, number: &str, started: &Started, scenario: Scenario) -> CallPlan {
        CallPlan { scenario, code: started.code.clone(), ..self.plan(from, number) }
    }

    /// Makes a call.
    pub(crate) fn call(&self, plan: CallPlan) -> CallReport {
        self.call_and_hear(plan, |_| {})
    }

    /// Makes a call, and tells what happens.
    pub(crate) fn call_and_hear(&self, plan: CallPlan, tell: impl FnMut(News)) -> CallReport {
        self.runtime.block_on(call(plan, tell)).expect("a call")
    }

    /// Makes a call; `page` is given the digits that the voice reads, while it does.
    pub(crate) fn call_and_type(&self, plan: CallPlan, page: impl AsyncFn(String)) -> CallReport {
        self.runtime.block_on(self.calling(plan, page))
    }

    /// The same beside others.
    pub(crate) async fn calling(&self, plan: CallPlan, page: impl AsyncFn(String)) -> CallReport {
        let (spoken, mut understood) = mpsc::unbounded_channel();
        let calling = call(plan, move |news| {
            if let News::ReadBack(digits) = news {
                // The page is gone only when the call is.
                let _closed = spoken.send(digits.expose().clone());
            }
        });
        let typing = async {
            while let Some(digits) = understood.recv().await {
                page(digits).await;
            }
        };
        tokio::join!(calling, typing).0.expect("a call")
    }

    /// A verification from the key to the certificate, all done right by the owner of the number.
    pub(crate) fn prove(&self, from: IpAddr, number: &str, publish: bool) -> (Started, CallReport, Verification) {
        let started = self.begin_with_key(number, publish);
        let plan = self.plan_of(from, number, &started, Scenario::Happy);
        let call = self.call_and_type(plan, async |digits| self.api.type_in(&started, &digits).await.expect("right"));
        let mut verification = self.look(&started);
        wait_until("the certificate is there, and its record", || {
            verification = self.look(&started);
            verification.is_complete(publish)
        });
        (started, call, verification)
    }

    /// Refused before the answer, with this status.
    #[track_caller]
    pub(crate) fn refused(&self, plan: CallPlan, status: u16) -> CallReport {
        let call = self.call(plan);
        assert_eq!((call.status, call.setup, call.packets_received), (Some(status), None, 0), "{call:?}");
        call
    }

    /// The record of a call that is over.
    pub(crate) fn record(&self, sip_call_id: &str) -> Record {
        let mut found = None;
        wait_until("the call is recorded", || {
            found = self.recorded(sip_call_id);
            found.as_ref().is_some_and(|record| record.outcome != "live")
        });
        found.expect("waited for it")
    }

    /// A call's record as it stands, if there is one already.
    pub(crate) fn recorded(&self, sip_call_id: &str) -> Option<Record> {
        type Told = (Vec<u8>, Option<String>, String, Option<i64>, Option<String>, Option<i64>, Option<String>);
        let sql = "SELECT id, trunk, outcome, status, reason, level, last4 FROM calls WHERE sip_call_id = $1";
        let figures = "SELECT COALESCE(packets_sent, 0), COALESCE(packets_foreign, 0) FROM calls WHERE id = $1";
        let lines = "SELECT lines FROM call_lines WHERE call = $1 ORDER BY first";
        self.database(async |pool| {
            let told: Option<Told> = sqlx::query_as(sql).bind(sip_call_id).fetch_optional(&pool).await?;
            let Some((id, trunk, outcome, status, reason, level, last4)) = told else { return Ok(None) };
            let (packets_sent, packets_foreign) = sqlx::query_as(figures).bind(&id).fetch_one(&pool).await?;
            let lines: Vec<String> = sqlx::query_scalar(lines).bind(&id).fetch_all(&pool).await?;
            let lines = lines.iter().flat_map(|lines| lines_of(lines)).collect();
            let refusal = status.zip(reason);
            Ok(Some(Record { trunk, outcome, refusal, level, last4, packets_sent, packets_foreign, lines }))
        })
    }

    /// How many rows there are, such as `certificates WHERE live = 1`.
    pub(crate) fn count(&self, what: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {what}");
        self.database(async |pool| sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&pool).await)
    }

    /// The audit: who did what.
    pub(crate) fn audit(&self) -> Vec<(String, String)> {
        let sql = "SELECT actor, action FROM audit ORDER BY number";
        self.database(async |pool| sqlx::query_as(sql).fetch_all(&pool).await)
    }

    /// What somebody with the database's file does.
    pub(crate) fn database<T>(&self, ask: impl AsyncFnOnce(SqlitePool) -> Result<T, sqlx::Error>) -> T {
        let options = SqliteConnectOptions::new()
            .filename(self.at.path("data/dialproof.db"))
            .busy_timeout(Duration::from_secs(30));
        self.runtime.block_on(async {
            let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.expect("a database");
            ask(pool).await.expect("an answer")
        })
    }

    /// A counter or gauge of `/metrics`, by its name without `dialproof_`, with its labels.
    pub(crate) fn figure(&self, name: &str) -> u64 {
        let url = format!("{}/metrics", self.service.http());
        let text = self.runtime.block_on(async { reqwest::get(url).await.expect("an answer").text().await });
        let text = text.expect("a text");
        let line = text.lines().find_map(|line| line.strip_prefix("dialproof_")?.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is not among\n{text}")).parse().expect("a number")
    }

    /// Waits until a page has been told of this.
    pub(crate) fn page_hears(&self, started: &Started, what: &str) {
        wait_until(&format!("the page hears of {what}"), || {
            end_to_end::proving::happenings(&self.service, started).iter().any(|heard| heard == what)
        });
    }

    /// The program as the operator runs it, with this service's configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        dialproof().args(arguments).arg("-c").arg(self.at.path("config.toml")).output().expect("the program runs")
    }

    /// A file with this text, in the service's folder.
    pub(crate) fn file(&self, name: &str, text: &[u8]) -> PathBuf {
        std::fs::write(self.at.path(name), text).expect("a file");
        self.at.path(name)
    }
}

/// A P-256 key, and its request in PEM.
fn new_key() -> (KeyPair, String) {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let request = CertificateParams::default().serialize_request(&key).expect("a request").pem().expect("PEM");
    (key, request)
}

fn lines_of(json: &str) -> Vec<(String, String)> {
    let lines: Vec<(i64, i64, String, Option<String>)> = serde_json::from_str(json).expect("lines of a call");
    lines.into_iter().map(|(_, _, kind, what)| (kind, what.unwrap_or_default())).collect()
}

/// What the carrier puts into the address that it calls, in `carrier.secret`.
pub(crate) const SECRET: &str = "k3vq81zmxw07pldy55ce";
