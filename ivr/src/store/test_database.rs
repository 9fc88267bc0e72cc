//! Databases for tests: a SQLite file, or a database of a PostgreSQL server that the test process starts itself and that
//! ends with it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use ivr_core::call::question::VerificationId;
use ivr_core::code::Code;
use ivr_core::number::Number;
use sqlx::{AnyConnection, Column as _, Connection, Executor, Row as _};

use time::OffsetDateTime;

use super::calls::{self, Began, CallFilter, CallId, Change};
use super::verifications::{self, New};
use super::{Store, Tuning, Writer};
use crate::key_file::KeyFile;

/// Writes each of these functions, which take a [`TestDatabase`], as a test on either database.
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$name($crate::store::test_database::TestDatabase::sqlite().await).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            #[cfg_attr(not(feature = "peers"), ignore = "needs PostgreSQL; tests/run installs it and sets --features ivr/peers")]
            async fn $name() {
                super::$name($crate::store::test_database::TestDatabase::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both_databases;

/// A fresh database, and the keys of its columns.
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    pub(crate) keys: Arc<KeyFile>,
    pub(crate) store: Store,
    folder: Option<tempfile::TempDir>,
}

impl TestDatabase {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("a file?.db").display());
        Self::open(url, Some(folder)).await
    }

    pub(crate) async fn postgres() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let server = Server::of_this_process();
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        sqlx::any::install_default_drivers();
        let mut conn = AnyConnection::connect(&server.url("postgres")).await.unwrap();
        conn.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        conn.close().await.unwrap();
        Self::open(server.url(&name), None).await
    }

    async fn open(url: String, folder: Option<tempfile::TempDir>) -> Self {
        let mut next = 0_u8;
        let keys = Arc::new(KeyFile::generate(|| {
            next += 1;
            [next; 32]
        }));
        let store = Store::open(&url, keys.clone()).await.unwrap();
        Self { url, keys, store, folder }
    }

    /// From now on a call whose Call-ID was there before cannot be stored.
    pub(crate) async fn refuse_a_call_id_twice(&self) {
        let mut writer = self.store.begin().await.unwrap();
        writer.execute("CREATE UNIQUE INDEX call_ids ON calls (sip_call_id)").await.unwrap();
        writer.commit().await.unwrap();
    }

    /// From now on no second event of a kind can be stored.
    pub(crate) async fn refuse_an_event_of_a_kind_twice(&self) {
        let mut writer = self.store.begin().await.unwrap();
        writer.execute("CREATE UNIQUE INDEX kinds ON webhook_deliveries (kind)").await.unwrap();
        writer.commit().await.unwrap();
    }

    /// A transaction that has changed all events: nobody else changes one until it is dropped.
    pub(crate) async fn hold_events(&self) -> Writer {
        let mut writer = self.store.begin().await.unwrap();
        writer.execute("UPDATE webhook_deliveries SET id = id").await.unwrap();
        writer
    }

    /// Waits until a transaction waits for a row that another has changed. SQLite's wait before they begin.
    pub(crate) async fn somebody_waits_for_a_row(&self) {
        if !self.url.starts_with("postgres") {
            return;
        }
        let waiting = "SELECT COUNT(*) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let waits = async {
            let mut reader = self.store.read().await.unwrap();
            while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *reader).await.unwrap() == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), waits).await.expect("nobody waits for a row");
    }

    /// Where a test may put files of its own beside the database.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(tempfile::TempDir::path)
    }

    /// Every text and every octet string that lies in these tables, with the column's name.
    pub(crate) async fn contents(&self, tables: &[&str]) -> Vec<(String, Vec<u8>)> {
        let mut reader = self.store.read().await.unwrap();
        let mut contents = Vec::new();
        for table in tables {
            let select = sqlx::AssertSqlSafe(format!("SELECT * FROM {table}"));
            for row in sqlx::query(select).fetch_all(&mut *reader).await.unwrap() {
                for column in row.columns() {
                    let text = row.try_get::<String, _>(column.ordinal()).map(String::into_bytes);
                    let value = text.or_else(|_| row.try_get::<Vec<u8>, _>(column.ordinal()));
                    contents.extend(value.map(|value| (format!("{table}.{}", column.name()), value)));
                }
            }
        }
        contents
    }

    /// The same database, as another process opens it.
    pub(crate) async fn opened_again(&self) -> Store {
        Store::open(&self.url, self.keys.clone()).await.unwrap()
    }

    /// The same database, with other limits.
    pub(crate) async fn opened_with(&self, tuning: Tuning) -> Store {
        Store::open_with(&self.url, self.keys.clone(), tuning).await.unwrap()
    }
}

/// A PostgreSQL server. A shell holds it and waits for the end of its input: when the test process ends, however it
/// does, the pipe closes, the server stops and its folder goes.
struct Server {
    port: u16,
    _held: ChildStdin,
}

impl Server {
    fn of_this_process() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    #[expect(clippy::zombie_processes, reason = "it ends after this process, which is what it waits for")]
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new("/bin/sh")
            .args(["-c", HOLD, "sh"])
            .arg(binaries())
            .arg(&folder)
            .arg(port.to_string())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "PostgreSQL did not start: see what its tools say above");
        Self { port, _held: child.stdin.take().unwrap() }
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://dialproof@127.0.0.1:{}/{database}", self.port)
    }
}

/// PostgreSQL refuses to run as root: then its tools run as nobody.
const HOLD: &str = r#"
bin=$1 folder=$2 port=$3
as=
if [ "$(id -u)" = 0 ]; then
    chown 65534:65534 "$folder"
    as="setpriv --reuid=65534 --regid=65534 --clear-groups"
fi
$as "$bin/initdb" -D "$folder/data" -U dialproof -A trust -E UTF8 --locale=C --no-sync >"$folder/initdb.log" 2>&1 &&
$as "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/server.log" \
    -o "-h 127.0.0.1 -p $port -k $folder -F -c max_connections=400" start >"$folder/start.log" 2>&1 &&
echo ready
exec >/dev/null
[ -f "$folder/data/postmaster.pid" ] || cat "$folder"/*.log >&2
read -r _
$as "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1
rm -rf "$folder"
"#;

/// The newest PostgreSQL of Debian's packages.
fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed (apt install postgresql)");
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin")))
        })
        .collect();
    found.sort();
    found.pop().expect("a version of PostgreSQL lies in /usr/lib/postgresql").1
}

/// What an attacker or an eraser does to the audit.
impl Store {
    pub(crate) async fn erase_audit_words(&self, number: i64) {
        self.audit_update("actor = NULL, action = NULL, subject = NULL, salt = NULL", number).await;
    }

    pub(crate) async fn erase_audit_salt(&self, number: i64) {
        self.audit_update("salt = NULL", number).await;
    }

    pub(crate) async fn change_audit_actor(&self, number: i64) {
        self.audit_update("actor = 'somebody else'", number).await;
    }

    async fn audit_update(&self, change: &str, number: i64) {
        let mut writer = self.begin().await.unwrap();
        let update = sqlx::AssertSqlSafe(format!("UPDATE audit SET {change} WHERE number = {number}"));
        writer.execute(update).await.unwrap();
        writer.commit().await.unwrap();
    }

    /// What a bad disk does to the directory's rows.
    pub(crate) async fn damage_records(&self) {
        let mut writer = self.begin().await.unwrap();
        sqlx::query("UPDATE records SET identity_sealed = identity_hash").execute(&mut *writer).await.unwrap();
        writer.commit().await.unwrap();
    }

    /// Every certificate was issued a day earlier.
    pub(crate) async fn age_certificates(&self) {
        let mut writer = self.begin().await.unwrap();
        let earlier = "UPDATE certificates SET issued_at = issued_at - 86400000";
        sqlx::query(earlier).execute(&mut *writer).await.unwrap();
        writer.commit().await.unwrap();
    }

    /// Records of certificates that have ended.
    pub(crate) async fn add_records_of_others(&self, count: u32) {
        let mut writer = self.begin().await.unwrap();
        sqlx::query(
            "WITH RECURSIVE others (n) AS (SELECT 1 WHERE $1 > 0 UNION ALL SELECT n + 1 FROM others WHERE n < $1)
             INSERT INTO records (identity_hash, pepper_epoch, identity_sealed, wanted, serial, not_before, not_after,
                 version, published_version, seq, attempts)
             SELECT randomblob(32), 1, randomblob(40), 'valid', hex(randomblob(20)), 0, 0, 1, 1, 1, 0 FROM others",
        )
        .bind(i64::from(count))
        .execute(&mut *writer)
        .await
        .unwrap();
        writer.commit().await.unwrap();
    }

    /// Verifications of a number that were begun then, for ten minutes.
    pub(crate) async fn add_verifications(&self, count: usize, began: OffsetDateTime) {
        let mut writer = self.begin().await.unwrap();
        for n in 0..count {
            let id = [u8::try_from(n % 251).unwrap(), u8::try_from(n / 251).unwrap()].repeat(8);
            let new = New {
                id: VerificationId(id.try_into().unwrap()),
                secret_sha256: [0; 32],
                number: &Number::parse("+12025550143").unwrap(),
                source_tag: b"source",
                provider_tag: b"provider",
                request: None,
                key_check: None,
                location_keys: None,
                webhook: None,
                publish: false,
                locale: "en",
                created_at: began,
                expires_at: began + time::Duration::minutes(10),
            };
            let code = Code::parse(&format!("{n:06}")).unwrap();
            assert!(verifications::insert(&new, &code, self.columns(), &mut writer).await.unwrap());
        }
        writer.commit().await.unwrap();
    }

    /// A call that keyed in the code of this verification.
    pub(crate) async fn add_call_of(&self, verification: VerificationId) {
        let at = OffsetDateTime::UNIX_EPOCH;
        let began = Began { at, sip_call_id: String::new(), trunk: None, source: ([192, 0, 2, 1], 5060).into() };
        let call = Change { began: Some(began), verification: Some(verification), ..Change::of(CallId([1; 16])) };
        let mut writer = self.begin().await.unwrap();
        calls::write(&[call], "", self.columns(), &mut writer).await.unwrap();
        writer.commit().await.unwrap();
    }

    /// The certificate that the record of that call shows.
    pub(crate) async fn serial_of_call(&self) -> Option<String> {
        let filter = CallFilter { limit: 1, ..CallFilter::default() };
        let found = calls::list(&filter, self.columns(), &mut self.read().await.unwrap()).await.unwrap();
        found.into_iter().next().unwrap().serial
    }
}
