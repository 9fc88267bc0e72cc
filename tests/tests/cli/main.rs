//! The command line as an operator uses it, from an empty folder to a service.

mod output;
mod recordings;

use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use end_to_end::process::free_port;
use end_to_end::service::{Service, dialproof, media_ports, run, until_heard};
use end_to_end::workspace;
use tempfile::TempDir;

/// An operator's folder, with a passphrase in it.
struct Operator {
    folder: TempDir,
    http: SocketAddr,
    sip: SocketAddr,
}

impl Operator {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("passphrase"), "correct horse\n").expect("a file");
        let at = || SocketAddr::from(([127, 0, 0, 1], free_port()));
        Self { folder, http: at(), sip: at() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `init` with everything that a small configuration needs, but for the options with these beginnings.
    fn init_without(&self, missing: &[&str]) -> Output {
        let url = format!("--public-url=http://localhost:{}", self.http.port());
        let options = [
            format!("--data={}", self.path("data").display()),
            format!("--passphrase-file={}", self.path("passphrase").display()),
            format!("--http={}", self.http),
            format!("--sip={}", self.sip),
            url,
            "--number=+12025550100".to_owned(),
            "--oid-arc=1.3.6.1.4.1.55555".to_owned(),
            "--trunk-source=127.0.0.0/8".to_owned(),
            "--ring-port=0".to_owned(),
            "--ring-port=0".to_owned(),
        ];
        let given = options.iter().filter(|option| !missing.iter().any(|beginning| option.starts_with(beginning)));
        dialproof().arg("init").args(given).output().expect("the program runs")
    }

    fn config(&self) -> PathBuf {
        self.path("data/config.toml")
    }

    /// A service with this configuration, and with media ports of its own.
    fn serve(&self, config: &str) -> Service {
        let config = config.replace("[sip]\n", &format!("[sip]\n{}", media_ports()));
        std::fs::write(self.config(), config).expect("a file");
        Service::serve(&self.config(), self.http, self.sip, self.path("data/ca/bundle.pem"))
    }

    fn with_config(&self, arguments: &[&str]) -> Output {
        dialproof().args(arguments).arg("-c").arg(self.config()).output().expect("the program runs")
    }
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a command is timed as somebody waits for it")]
fn from_an_empty_folder_to_a_service_that_serves_and_ends() {
    let operator = Operator::new();
    let made = operator.init_without(&[]);
    assert!(made.status.success(), "{}", told(&made));
    assert!(told(&made).contains("fingerprint, SHA-256: "), "{}", told(&made));
    let checked = operator.with_config(&["check-config"]);
    assert!(checked.status.success() && told(&checked).contains(": 0 faults, "), "{}", told(&checked));
    keys_are_private(&operator.path("data"));

    let password = operator.path("password");
    std::fs::write(&password, "a long enough password\n").expect("a file");
    let password = password.to_str().expect("a plain path");
    let added = operator.with_config(&["operator", "add", "ada", "--password-file", password]);
    assert!(added.status.success() && !told(&added).contains("new password"), "{}", told(&added));
    let again = operator.with_config(&["operator", "add", "ada", "--password-file", password]);
    assert!(again.status.success() && told(&again).contains("by the new password alone"), "{}", told(&again));
    let misnamed = operator.with_config(&["operator", "add", "Bob!"]);
    assert!(!misnamed.status.success() && told(&misnamed).contains("a name is 1 to 32"), "{}", told(&misnamed));
    std::fs::write(password, "short\n").expect("a file");
    let refused = operator.with_config(&["operator", "add", "bob", "--password-file", password]);
    assert!(!refused.status.success() && told(&refused).contains("a password has at least"), "{}", told(&refused));

    let listed = operator.with_config(&["operator", "list"]);
    assert!(listed.status.success() && told(&listed).starts_with("ada\tsince "), "{}", told(&listed));
    let removed = operator.with_config(&["operator", "remove", "ada"]);
    assert!(removed.status.success(), "{}", told(&removed));
    let nobody = operator.with_config(&["operator", "remove", "ada"]);
    assert!(!nobody.status.success() && told(&nobody).contains("there is no operator \"ada\""), "{}", told(&nobody));
    let listed = operator.with_config(&["operator", "list"]);
    assert!(listed.stdout.is_empty() && told(&listed).contains("nobody may log in"), "{}", told(&listed));

    let service = operator.serve(&std::fs::read_to_string(operator.config()).expect("a file"));
    let unknown = service.lookup("tel:+12025550143");
    assert_eq!(unknown.status.code(), Some(3), "{unknown:?}");
    // The trunk's word is not taken further than its profile states.
    let began = Instant::now();
    let refused = service.simulate("happy", "+12025550143").output().expect("the caller runs");
    assert!(began.elapsed() < Duration::from_secs(25), "nobody waits for a certificate after a refusal");
    let told: serde_json::Value = serde_json::from_slice(&refused.stdout).expect("one object");
    assert!(told["why"].as_str().is_some_and(|why| why.contains("record in the console")), "{told}");
    assert_eq!(told["call"]["ended_by"], "refusal", "an unscreened trunk proves no more than L1: {told}");
    assert!(service.terminate().success());
}

#[test]
fn while_keys_are_opened_callers_are_told_to_come_again_and_then_calls_are_taken() {
    let operator = Operator::new();
    let made = operator.init_without(&[]);
    assert!(made.status.success(), "{}", told(&made));
    let sip = operator.sip;
    let asking = std::thread::spawn(move || ask_until_it_is_ready(sip));
    let service = operator.serve(&std::fs::read_to_string(operator.config()).expect("a file"));
    let answers = asking.join().expect("somebody answers");
    let (last, before) = answers.split_last().expect("something is answered");
    assert!(last.starts_with("SIP/2.0 200 ") && last.contains("CSeq: 1 OPTIONS"), "{answers:#?}");
    assert!(
        before.iter().all(|answer| answer.starts_with("SIP/2.0 503 ") && answer.contains("Retry-After: ")),
        "{before:#?}"
    );
    for method in ["INVITE", "OPTIONS"] {
        assert!(before.iter().any(|answer| answer.contains(&format!("CSeq: 1 {method}"))), "{before:#?}");
    }
    assert!(service.terminate().success());
}

/// Asks every few milliseconds, with an INVITE until one is answered and then with OPTIONS, until that gets 200. Gives all
/// answers.
fn ask_until_it_is_ready(sip: SocketAddr) -> Vec<String> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(Duration::from_millis(2))).expect("a timeout");
    let from = socket.local_addr().expect("an address");
    let (mut answers, mut buffer) = (Vec::<String>::new(), [0; 2_000]);
    for n in 0..60_000 {
        let method = if answers.is_empty() { "INVITE" } else { "OPTIONS" };
        let request = format!(
            "{method} sip:+12025550100@{sip} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK-{n}\r\nMax-Forwards: 70\r\n\
             From: <sip:+12025550143@{from}>;tag=t{n}\r\nTo: <sip:+12025550100@{sip}>\r\nCall-ID: {n}@{from}\r\n\
             CSeq: 1 {method}\r\nContact: <sip:{from}>\r\nContent-Length: 0\r\n\r\n"
        );
        socket.send_to(request.as_bytes(), sip).expect("it is sent");
        while let Ok(length) = socket.recv(&mut buffer) {
            answers.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
            if answers.iter().any(|answer| answer.starts_with("SIP/2.0 200 ")) {
                return answers;
            }
        }
    }
    panic!("it never becomes ready: {answers:#?}")
}

fn keys_are_private(data: &Path) {
    let mut found = 0;
    for folder in [data.to_owned(), data.join("ca")] {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let is_secret = path.extension().is_some_and(|end| end == "key") || path.ends_with("keys.toml");
            if is_secret {
                found += 1;
                let mode = path.metadata().expect("it is there").permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{}", path.display());
            }
        }
    }
    assert_eq!(found, 6, "five keys of the authority, and the service's own");
}

#[test]
fn init_names_all_that_is_missing_and_makes_nothing() {
    let operator = Operator::new();
    let output = operator.init_without(&["--number", "--ring-port", "--oid-arc"]);
    let said = told(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("these are missing: --number, --oid-arc, --dht"), "{said}");
    assert!(said.contains("--dht mainline is the public BitTorrent network"), "the directories are named: {said}");
    assert!(!said.contains("networks ="), "options are no lines of the file: {said}");
    assert!(!operator.path("data").exists());
}

#[test]
fn init_names_the_options_that_give_a_passphrase() {
    let operator = Operator::new();
    let said = told(&operator.init_without(&["--passphrase-file"]));
    assert!(said.contains("name its file in --passphrase-file, set DIALPROOF_CA_PASSPHRASE"), "{said}");
}

#[test]
fn a_secret_that_others_may_read_is_told_of_by_whatever_reads_it() {
    for (mode, is_told_of) in [(0o640, true), (0o604, true), (0o600, false)] {
        let operator = Operator::new();
        let passphrase = operator.path("passphrase");
        std::fs::set_permissions(&passphrase, std::fs::Permissions::from_mode(mode)).expect("it is ours");
        let made = operator.init_without(&[]);
        let checked = operator.with_config(&["check-config"]);
        assert!(made.status.success() && checked.status.success(), "{} {}", told(&made), told(&checked));
        // It ends before it opens anything, but has told what it thinks of the configuration.
        let _taken = std::net::TcpListener::bind(operator.http).expect("the port is free");
        let served = operator.with_config(&["serve"]);
        let warning = format!(
            "ca.passphrase_file: other users of this machine may read {0}: chmod 600 {0}",
            passphrase.display()
        );
        for output in [made, checked, served] {
            assert_eq!(told(&output).contains(&warning), is_told_of, "{mode:o}: {}", told(&output));
        }
    }
}

#[test]
fn init_overwrites_nothing() {
    let operator = Operator::new();
    assert!(operator.init_without(&[]).status.success());
    let keys = std::fs::read(operator.path("data/keys.toml")).expect("a file");
    let again = operator.init_without(&[]);
    assert!(!again.status.success() && told(&again).contains("is there already: edit it"), "{}", told(&again));
    let again = operator.with_config(&["init"]);
    assert!(!again.status.success() && told(&again).contains("never overwritten"), "{}", told(&again));
    assert_eq!(std::fs::read(operator.path("data/keys.toml")).expect("a file"), keys);
}

#[test]
fn a_directory_key_is_replaced_by_who_has_the_root_s_key() {
    let operator = Operator::new();
    let made = operator.init_without(&[]);
    assert!(made.status.success(), "{}", told(&made));
    let safe = operator.path("safe.key");
    std::fs::rename(operator.path("data/ca/root-ca.key"), &safe).expect("a file is moved");
    let kept = std::fs::read(operator.path("data/ca/directory.pem")).expect("a certificate");
    let refused = operator.with_config(&["directory-key", "rotate"]);
    assert!(!refused.status.success() && told(&refused).contains("name with --root-key where it is kept"));
    assert_eq!(std::fs::read(operator.path("data/ca/directory.pem")).expect("a certificate"), kept);

    let safe = format!("--root-key={}", safe.display());
    let rotated = operator.with_config(&["directory-key", "rotate", &safe]);
    assert!(rotated.status.success(), "{}", told(&rotated));
    assert!(told(&rotated).contains("it is written under the one before, too"), "{}", told(&rotated));
    let early = operator.with_config(&["directory-key", "rotate", &safe]);
    assert!(!early.status.success() && told(&early).contains("written under the key before this one until 20"));
    let stolen = operator.with_config(&["directory-key", "rotate", "--stolen", &safe]);
    assert!(stolen.status.success() && told(&stolen).contains("nothing is written under the one before"));
    let checked = operator.with_config(&["check-config"]);
    assert!(checked.status.success() && told(&checked).contains(": 0 faults, "), "{}", told(&checked));
    let key = operator.path("data/ca/directory.key").metadata().expect("it is there");
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_service_without_a_directory_does_not_start_and_names_the_choices() {
    let operator = Operator::new();
    assert!(operator.init_without(&[]).status.success());
    let text = std::fs::read_to_string(operator.config()).expect("a file");
    let (before, _) = text.split_once("[dht]").expect("the section is the last");
    std::fs::write(operator.config(), before).expect("a file");
    let output = operator.with_config(&["serve"]);
    let said = told(&output);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("[dht] is missing") && said.contains("opendht:URL"), "{said}");
}

#[test]
fn what_keeps_a_service_from_starting_is_said_with_what_to_do() {
    let operator = Operator::new();
    assert!(operator.init_without(&[]).status.success());
    let fails = |what: &str| {
        let output = operator.with_config(&["serve"]);
        let said = told(&output);
        assert!(!output.status.success() && said.contains(what), "{said}");
    };
    let taken = std::net::TcpListener::bind(operator.http).expect("the port is free");
    fails("another program has it");
    drop(taken);
    std::fs::write(operator.path("passphrase"), "wrong horse\n").expect("a file");
    fails("the passphrase does not open it");
    let checked = operator.with_config(&["check-config"]);
    assert!(!checked.status.success() && told(&checked).contains("fault: ca: "), "{}", told(&checked));
    assert!(told(&checked).contains("the passphrase does not open it"), "{}", told(&checked));
    std::fs::write(operator.path("passphrase"), "correct horse\n").expect("a file");
    std::fs::rename(operator.path("data/ca"), operator.path("ca")).expect("it is there");
    let remedy = "restore it from the backup, or make an authority with `dialproof init`";
    fails(remedy);
    let checked = operator.with_config(&["check-config"]);
    assert!(!checked.status.success() && told(&checked).contains(remedy), "{}", told(&checked));
    let again = operator.with_config(&["init"]);
    assert!(!again.status.success() && told(&again).contains("restore that from the backup"), "{}", told(&again));
    std::fs::rename(operator.path("ca"), operator.path("data/ca")).expect("it was there");
    std::fs::remove_file(operator.path("passphrase")).expect("it is there");
    fails("ca.passphrase_file");
    std::fs::rename(operator.path("data/keys.toml"), operator.path("keys.toml")).expect("it is there");
    fails("`dialproof init` makes one");
}

#[test]
fn check_config_reads_the_files_of_passports() {
    let operator = Operator::new();
    assert!(operator.init_without(&[]).status.success());
    let text = std::fs::read_to_string(operator.config()).expect("a file");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../ivr/core/scenarios/passport");
    let anchors = format!("{folder}/root.pem");
    let strangers_list = format!("revocation_lists = [\"{folder}/crl-empty.pem\"]");
    let france = "[[passports.authority]]\nname = \"France\"\ncountries = [\"FR\"]\nanchors = \"gone.pem\"";
    let mixed =
        ["root.pem", "p384-root.pem"].map(|name| std::fs::read_to_string(format!("{folder}/{name}")).expect("a file"));
    std::fs::write(operator.path("mixed.pem"), mixed.concat()).expect("a file");
    let mixed = format!(
        "[[passports.authority]]\nname = \"mixed\"\ncountries = [\"FR\"]\nanchors = {:?}",
        operator.path("mixed.pem")
    );
    for (more, holds, said) in [
        ("", true, ": 0 faults, "),
        (&mixed, true, "\"mixed\".anchors: certificate 2 cannot be an anchor"),
        (&strangers_list, true, "passports.revocation_lists: no anchor has signed the revocation list of"),
        ("tls_roots = \"nowhere.pem\"", false, "nowhere.pem cannot be read"),
        ("tls_roots = \"config.toml\"", false, "the file of TLS roots holds no certificate"),
        (france, false, "gone.pem cannot be read"),
    ] {
        std::fs::write(operator.config(), format!("{text}\n[passports]\nanchors = {anchors:?}\n{more}\n"))
            .expect("a file");
        let checked = operator.with_config(&["check-config"]);
        assert_eq!(checked.status.success(), holds, "{}", told(&checked));
        assert!(told(&checked).contains(said), "{}", told(&checked));
    }
}

#[test]
fn pages_speak_tls_where_the_configuration_says_so() {
    let operator = Operator::new();
    assert!(operator.init_without(&[]).status.success());
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate =
        rcgen::CertificateParams::new(["localhost".to_owned()]).and_then(|params| params.self_signed(&key));
    let certificate = certificate.expect("a certificate").pem();
    std::fs::write(operator.path("tls.pem"), &certificate).expect("a file");
    std::fs::write(operator.path("tls.key"), key.serialize_pem()).expect("a file");
    let text =
        std::fs::read_to_string(operator.config()).expect("a file").replace("http://localhost", "https://localhost");
    let with_tls = text.replace("[http]\n", "[http]\ntls_certificate = \"../tls.pem\"\ntls_key = \"../tls.key\"\n");
    let service = operator.serve(&with_tls);

    let get = async |url: String| {
        let root = reqwest::Certificate::from_pem(certificate.as_bytes()).expect("a certificate");
        let client = reqwest::Client::builder().add_root_certificate(root).no_proxy().build().expect("a client");
        client.get(url).send().await.map(|answer| answer.status().as_u16())
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let port = operator.http.port();
    let status = runtime.block_on(get(format!("https://localhost:{port}/healthz")));
    assert!(matches!(status, Ok(200)), "{status:?}");
    assert!(runtime.block_on(get(format!("http://localhost:{port}/healthz"))).is_err(), "only TLS is spoken");
    assert!(service.terminate().success());
}

/// The blocks of this language in a section of docs/operating.md.
fn blocks<'a>(section: &'a str, language: &str) -> Vec<&'a str> {
    let begins = format!("```{language}\n");
    section.split(&begins).skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block).collect()
}

#[test]
fn serve_can_be_tried_on_this_machine_as_the_documents_say() {
    let page = std::fs::read_to_string(workspace::root().join("docs/operating.md")).expect("a file");
    let (_, section) = page.split_once("\n## Trying it on this machine\n").expect("the section");
    let section = section.split("\n## ").next().expect("all of it");
    // Others use the documents' ports.
    let operator = Operator::new();
    let ring = [free_port(), free_port(), free_port()].map(|port| port.to_string()).join(", ");
    let changes = [
        ("127.0.0.1:8080", operator.http.to_string()),
        ("localhost:8080", format!("localhost:{}", operator.http.port())),
        ("127.0.0.1:5060", operator.sip.to_string()),
        ("4001, 4002, 4003", ring),
        ("[sip]\n", format!("[sip]\n{}", media_ports())),
    ];
    let section = changes.iter().fold(section.to_owned(), |section, (from, to)| {
        assert!(section.contains(from), "{from} is not in the section");
        section.replace(from, to)
    });
    let [config] = blocks(&section, "toml")[..] else { panic!("one configuration") };
    std::fs::write(operator.path("config.toml"), config).expect("a file");
    std::fs::remove_file(operator.path("passphrase")).expect("it is there");

    let mut service = None;
    for line in blocks(&section, "sh")[0].lines() {
        let command = line.split(" # ").next().expect("a line").trim();
        if command == "dialproof serve -c config.toml" {
            let bundle = operator.path("data/ca/bundle.pem");
            service = Some(Service::serve(&operator.path("config.toml"), operator.http, operator.sip, bundle));
            continue;
        }
        let output = until_heard(|| {
            let mut run = match command.strip_prefix("dialproof ") {
                Some(arguments) => {
                    let mut run = dialproof();
                    run.args(arguments.split_whitespace());
                    run
                }
                None => {
                    let mut run = Command::new("sh");
                    run.args(["-c", command]);
                    run
                }
            };
            run.current_dir(operator.path("")).env("XDG_STATE_HOME", operator.path("state"));
            run.stdin(Stdio::null()).output().expect("it runs")
        });
        assert!(output.status.success(), "{command}: {}", told(&output));
        if command.contains("check-config") {
            assert!(!told(&output).contains("other users of this machine"), "{}", told(&output));
        }
    }
    assert!(service.expect("serve is among them").terminate().success());
}

#[test]
fn help_and_version_end_well_and_nonsense_does_not() {
    assert!(run(&["--help"]).status.success());
    assert!(run(&["--version"]).status.success());
    assert_eq!(run(&["nonsense"]).status.code(), Some(1));
    assert_eq!(run(&["check-config", "-c", "/nonexistent/config.toml"]).status.code(), Some(1));
}

#[test]
fn the_code_that_runs_at_the_start_lies_side_by_side() {
    // Where the program is linked so (`ivr/link/arguments.rs`); a linker that left its script out would say nothing.
    if option_env!("DIALPROOF_LINK") == Some("at-rest") {
        let program = std::fs::read(dialproof().get_program()).expect("the program");
        let section = b".text_at_rest\0";
        assert!(program.windows(section.len()).any(|name| name == section), "its section is missing");
    }
}
