//! What goes wrong around the service: the power, the database, the directory. Whoever proved a number gets a certificate
//! all the same, and gets one.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use dht_client::backend::mainline::Ring;
use end_to_end::installation::{BELIEVED, Families, Installation, Wanted};
use end_to_end::own_network::run_inside;
use end_to_end::process::free_port;
use end_to_end::proving::{call_and_type, caller};
use end_to_end::service::{Service, media_ports, wait_until};
use ivr::phone::api::{Api, Start};
use ivr_core::private::Private;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use x509_parser::prelude::{CertificateRevocationList, FromDer};

const NUMBER: &str = "+13105550143";

/// A service in a folder, whose directory is a ring that this test starts and stops.
struct Place {
    at: Installation,
    ring: [u16; 2],
    runtime: Runtime,
}

impl Place {
    /// Authority and keys are made; nothing runs yet.
    fn new() -> Self {
        Self::in_folder(tempfile::tempdir().expect("a temporary folder"))
    }

    fn in_folder(folder: TempDir) -> Self {
        let ring = [free_port(), free_port()];
        let wanted = Wanted {
            families: Families::Ipv4,
            media: &media_ports(),
            sip: "",
            trunks: &format!("[[trunk]]\nname = \"loopback\"\nsources = [\"127.0.0.0/8\"]\n{BELIEVED}"),
            dht: &format!("networks = [\"mainline:127.0.0.1:{},127.0.0.1:{}\"]", ring[0], ring[1]),
        };
        Self { at: Installation::new(folder, wanted), ring, runtime: Runtime::new().expect("a runtime") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.at.path(name)
    }

    fn serve(&self) -> Service {
        self.at.serve()
    }

    fn ring(&self) -> Ring {
        self.runtime.block_on(Ring::start(&self.ring)).expect("the ports of the ring are free")
    }

    /// A caller who does everything right, in the background.
    fn caller(&self, service: &Service) -> Child {
        let mut command = service.simulate("happy", NUMBER);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the caller starts")
    }

    /// Begins a verification: the status, whether it says when to come again, and the type of a problem.
    fn begin(&self, service: &Service) -> (u16, bool, String) {
        let body = json!({ "number": NUMBER, "publish": false });
        let url = format!("{}/v1/verifications", service.http());
        let post = async {
            let answer = reqwest::Client::new().post(url).json(&body).send().await.expect("an answer");
            let (status, says_when) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
            let document: Value = answer.json().await.expect("a document");
            (status, says_when, document["type"].as_str().unwrap_or_default().to_owned())
        };
        self.runtime.block_on(post)
    }

    fn database(&self) -> Database<'_> {
        let options =
            SqliteConnectOptions::new().filename(self.path("data/dialproof.db")).busy_timeout(Duration::from_secs(30));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options);
        Database { pool: self.runtime.block_on(pool).expect("the database is there"), runtime: &self.runtime }
    }
}

/// What an observer sees in the rows.
struct Database<'a> {
    pool: SqlitePool,
    runtime: &'a Runtime,
}

impl Database<'_> {
    fn count(&self, what: &str) -> i64 {
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {what}"));
        self.runtime.block_on(sqlx::query_scalar(sql).fetch_one(&self.pool)).expect("a number")
    }

    fn run(&self, sql: &'static str) {
        self.runtime.block_on(sqlx::query(sql).execute(&self.pool)).expect("the statement runs");
    }
}

/// Exactly one certificate, which a stranger finds.
fn one_certificate_is_found(service: &Service, place: &Place) -> Value {
    let identity = format!("tel:{NUMBER}");
    let mut found = Value::Null;
    wait_until("a stranger finds the certificate", || {
        let output = service.lookup(&identity);
        found = serde_json::from_slice(&output.stdout).expect("one object");
        output.status.success()
    });
    let database = place.database();
    assert_eq!(database.count("certificates"), 1);
    assert_eq!(database.count("intents WHERE state = 'done'"), 1);
    assert_eq!(database.count("intents WHERE state = 'open'"), 0);
    assert_eq!(database.count("verifications WHERE state = 'issued'"), 1);
    found
}

#[test]
fn a_certificate_issued_while_the_directory_is_away_is_published_when_it_is_back() {
    let place = Place::new();
    let service = place.serve();
    let caller = place.caller(&service).wait_with_output().expect("the caller ends");
    assert!(caller.status.success(), "{caller:?}\n{}", service.log());
    let told: Value = serde_json::from_slice(&caller.stdout).expect("one object");
    let verification = &told["verification"];
    assert_eq!(
        (verification["state"].as_str(), verification["dht"]["published"].as_bool()),
        (Some("issued"), Some(false))
    );
    assert_eq!(service.lookup(&format!("tel:{NUMBER}")).status.code(), Some(4));

    // The power goes, and comes back before the directory does.
    service.kill();
    let service = place.serve();
    let _ring = place.ring();
    one_certificate_is_found(&service, &place);
    assert!(service.terminate().success());
}

#[test]
fn a_power_cut_between_intent_and_result_voids_the_one_serial_and_issues_another() {
    let place = Place::new();
    let _ring = place.ring();
    let service = place.serve();
    // A result takes so long to write that the power goes while it is being written.
    let database = place.database();
    database.run(
        "CREATE VIEW ages AS WITH RECURSIVE tick(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM tick WHERE n < 100000000000) \
         SELECT n FROM tick",
    );
    database.run("CREATE TRIGGER slow BEFORE INSERT ON certificates BEGIN SELECT max(n) FROM ages; END");
    let mut caller = place.caller(&service);
    wait_until("the intent is written", || database.count("intents WHERE state = 'open'") == 1);
    assert_eq!(database.count("certificates"), 0);
    service.kill();
    database.run("DROP TRIGGER slow");
    database.run("DROP VIEW ages");
    drop(database);
    // It would wait on the line for a long time: nobody tells it that the service is gone.
    caller.kill().expect("the caller is still there");
    caller.wait().expect("the caller ends");

    let service = place.serve();
    let found = one_certificate_is_found(&service, &place);
    let database = place.database();
    assert_eq!(database.count("intents WHERE state = 'void'"), 1);
    let sql = "SELECT serial FROM intents WHERE state = 'void'";
    let void: String = place.runtime.block_on(sqlx::query_scalar(sql).fetch_one(&database.pool)).expect("a serial");
    assert_ne!(found["serial"].as_str(), Some(void.as_str()));
    assert_eq!(revoked(&service, &place), [void], "the list names the void serial and nothing else");
    assert!(service.terminate().success());
}

/// The serials on the list of the intermediate for numbers.
fn revoked(service: &Service, place: &Place) -> Vec<String> {
    let url = format!("{}/ca/tel.crl", service.http());
    let list = async { reqwest::get(url).await.expect("the list is served").bytes().await.expect("a body") };
    let list = place.runtime.block_on(list);
    let (_, list) = CertificateRevocationList::from_der(&list).expect("a revocation list");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    list.iter_revoked_certificates().map(|entry| hex(entry.raw_serial())).collect()
}

#[test]
fn a_service_told_to_end_refuses_new_calls_and_finishes_the_one_on_the_line() {
    let mut demo = Service::demo();
    let caller = demo.simulate("happy", NUMBER).stdout(Stdio::piped()).spawn().expect("the caller starts");
    let runtime = Runtime::new().expect("a runtime");
    let metrics = || {
        let text = async { reqwest::get(format!("{}/metrics", demo.http())).await?.text().await };
        runtime.block_on(text).expect("the counters")
    };
    wait_until("a call is on the line", || metrics().contains("dialproof_sip_confirmed_total 1"));
    demo.tell_to_end();
    demo.hear("Waiting for the call on the line, then 10 s for the page; Ctrl-C again ends at once.");
    let mut refused = Value::Null;
    wait_until("new calls are refused", || {
        let late = demo.simulate("hang-up-dialling", "+13105550144").output().expect("the caller runs");
        refused = serde_json::from_slice(&late.stdout).expect("one object");
        refused["call"]["status"] == 503
    });
    let finished = caller.wait_with_output().expect("the caller ends");
    assert!(finished.status.success(), "{finished:?}");
    assert!(demo.end().success());
}

#[test]
fn a_locked_database_is_said_to_be_busy_and_serves_again_when_it_is_free() {
    let place = Place::new();
    let _ring = place.ring();
    let service = place.serve();
    assert_eq!(place.begin(&service).0, 201);
    let database = place.database();
    database.run("BEGIN IMMEDIATE");
    assert_eq!(place.begin(&service), (503, true, "/problems/busy".to_owned()));
    database.run("ROLLBACK");
    assert_eq!(place.begin(&service).0, 201);
    assert!(service.terminate().success());
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs a mount of its own; tests/run runs it")]
fn a_full_disk_is_said_so_and_the_service_goes_on_when_there_is_room() {
    run_inside("a_full_disk_is_said_so_and_the_service_goes_on_when_there_is_room", || {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]).arg(folder.path()).status();
        assert!(mount.expect("mount runs").success());
        let place = Place::in_folder(folder);
        let _ring = place.ring();
        let service = place.serve();
        assert_eq!(place.begin(&service).0, 201);
        let filler = place.path("filler");
        let full = std::fs::write(&filler, vec![0; 16 << 20]).expect_err("the disk holds less");
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        // Some tries fit into what is left of the last blocks.
        let refused = (0..50).map(|_| place.begin(&service)).find(|(status, ..)| *status != 201);
        assert_eq!(refused, Some((503, true, "/problems/full".to_owned())));
        std::fs::remove_file(filler).expect("the filler is there");
        assert_eq!(place.begin(&service).0, 201);
        assert!(service.terminate().success());
    });
}

#[test]
fn twenty_posts_of_the_same_read_back_issue_one_certificate() {
    let place = Place::new();
    let _ring = place.ring();
    let service = place.serve();
    let taken = place.runtime.block_on(type_in_at_once(&service, 20));
    assert_eq!(taken, 1, "one post is right, the others come too late");
    one_certificate_is_found(&service, &place);
}

/// A call whose read-back is posted so many times at once; tells how many posts were right.
async fn type_in_at_once(service: &Service, posts: usize) -> usize {
    let api = Api::new(service.http());
    let key = KeyPair::generate().expect("a key");
    let csr = CertificateParams::default().serialize_request(&key).and_then(|csr| csr.pem()).expect("a request");
    let start = Start { number: NUMBER, csr: Some(&csr), publish: true, locale: "en" };
    let started = api.start(&start).await.expect("a verification");
    let page = async |digits: Private<String>| {
        let mut typing = JoinSet::new();
        for _ in 0..posts {
            let (api, started, digits) = (api.clone(), started.clone(), digits.clone());
            typing.spawn(async move { api.type_in(&started, digits.expose()).await.is_ok() });
        }
        typing.join_all().await.into_iter().filter(|taken| *taken).count()
    };
    call_and_type(caller(service, NUMBER, &started), page).await
}
