//! The demo, as whoever tries it runs it: in a process of its own.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use end_to_end::forms::Forms;
use end_to_end::service::{Service, run};
use serde_json::{Value, json};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// On free ports, so that tests do not meet.
const ONCE: [&str; 6] = ["demo", "--once", "--http", "127.0.0.1:0", "--sip", "127.0.0.1:0"];

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}

fn pem(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("a text");
    let blocks: Vec<Pem> = Pem::iter_from_buffer(text.as_bytes()).map(|block| block.expect("a PEM block")).collect();
    assert_eq!(blocks.len(), 1, "{text}");
    blocks.into_iter().next().expect("counted above").contents
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the contract names a duration")]
fn once_proves_a_number_and_finds_it_and_says_so_in_one_object() {
    let began = Instant::now();
    let output = run(&[&ONCE[..], &["--json", "--number", "+12025550161"]].concat());
    let elapsed = began.elapsed();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    let said = json(&output.stdout);
    let object = said.as_object().expect("one object");
    let mut names: Vec<&str> = object.keys().map(String::as_str).collect();
    names.sort_unstable();
    let wanted = ["call", "certificate_pem", "chain_pem", "dht", "identity", "level", "not_after", "serial"];
    assert_eq!(names, wanted);
    assert_eq!((said["identity"].as_str(), said["level"].as_str()), (Some("tel:+12025550161"), Some("L2")));

    let (leaf, issuer) = (pem(&said["certificate_pem"]), pem(&said["chain_pem"]));
    let (_, leaf) = X509Certificate::from_der(&leaf).expect("a certificate");
    let (_, issuer) = X509Certificate::from_der(&issuer).expect("a certificate");
    leaf.verify_signature(Some(issuer.public_key())).expect("signed by the intermediate");
    assert!(leaf.validity().is_valid());
    let names = leaf.subject_alternative_name().expect("readable").expect("there are names").value;
    assert_eq!(names.general_names, [GeneralName::URI("tel:+12025550161")]);
    let serial: String = leaf.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(said["serial"].as_str(), Some(serial.as_str()));
    let not_after = leaf.validity().not_after.to_datetime();
    let format = &time::format_description::well_known::Rfc3339;
    assert_eq!(said["not_after"].as_str().map(str::to_owned), not_after.format(format).ok());

    assert_eq!(said["dht"]["backend"], "mainline");
    assert_eq!(said["dht"]["slot"].as_str().map(str::len), Some(40));
    assert!(said["dht"]["seq"].as_i64().is_some_and(|seq| seq > 1_700_000_000));
    assert!(said["dht"]["bytes"].as_u64().is_some_and(|bytes| (300..=996).contains(&bytes)));
    let call = &said["call"];
    assert!(call["call_id"].as_str().is_some_and(|id| !id.is_empty()));
    assert!(call["setup_ms"].as_f64().is_some_and(|ms| ms > 0.0 && ms < 2_000.0), "{call}");
    // Both ways a packet every 20 ms.
    let frames = call["duration_ms"].as_f64().expect("a number") / 20.0;
    for direction in ["packets_sent", "packets_received"] {
        let packets = call[direction].as_f64().expect("a number");
        assert!(packets > 0.9 * frames && packets < 1.1 * frames, "{direction}: {call}");
    }
    assert!(elapsed < Duration::from_secs(60), "the whole took {elapsed:?}");
}

#[test]
fn once_tells_its_story_step_by_step() {
    let output = run(&ONCE);
    let story = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{story}");
    let mut rest = &*story;
    for step in [
        "the service runs: pages at http://127.0.0.1:",
        "verification started: call +12025550100, code ",
        "answered after ",
        "the voice: If somebody asked you to call, hang up",
        "pressed 6 keys",
        "the voice: To confirm, press",
        "pressed a key",
        "understood the key check ",
        "understood the digits ",
        "typed the digits into the page: taken",
        "the voice: Your number is verified.",
        "the service hung up",
        "its record lies in the DHT",
        "a stranger looks tel:+12025550143 up",
        "the same certificate, valid, level L2",
        "proved and found: tel:+12025550143",
    ] {
        let at = rest.find(step).unwrap_or_else(|| panic!("{step:?} is missing, or not in its place:\n{story}"));
        rest = &rest[at + step.len()..];
    }
}

/// What is not a telephone number of any kind cannot be proved, and the step that fails is named.
#[test]
fn once_says_which_step_failed() {
    let output = run(&[&ONCE[..], &["--json", "--number", "+1202555014"]].concat());
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(log.contains("step 1, starting a verification, failed"), "{log}");
}

/// The happy scenario is also a look-up's; see `lookup.rs`.
const SCENARIOS: [&str; 16] = [
    "tones",
    "happy",
    "wrong-code",
    "early-keys",
    "dial-string",
    "hang-up",
    "hang-up-dialling",
    "hang-up-code",
    "hang-up-typing",
    "three-wrong-codes",
    "wrong-confirm",
    "wrong-read-back",
    "no-read-back",
    "silent",
    "anonymous",
    "spoof",
];

#[test]
fn every_scenario_ends_as_it_should_while_the_others_are_on_the_line() {
    let demo = Service::demo();
    let callers: Vec<(&str, Child)> = SCENARIOS
        .into_iter()
        .zip(100..)
        .map(|(scenario, last)| {
            let mut command = demo.simulate(scenario, &format!("+12125550{last}"));
            if scenario == "tones" {
                command.args(["--locale", "de"]);
            }
            (scenario, command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the caller starts"))
        })
        .collect();
    let mut wrong = Vec::new();
    for (scenario, caller) in callers {
        let output = caller.wait_with_output().expect("the caller ends");
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() || json(&output.stdout)["ok"] != true {
            wrong.push(format!("{scenario}: {said} {}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), demo.log());
    assert!(demo.terminate().success());
}

#[test]
fn the_page_lets_the_demo_call_itself_and_shows_what_happens() {
    let demo = Service::demo();
    let page = async |scenario: &'static str, number: &'static str| {
        let mut page = Forms::at(demo.http());
        page.open("/").await;
        let (_, at) = page.post("/verifications", &[("number", number), ("publish", "no")]).await;
        let at = at.expect("the page of the call");
        let (_, text) = page.open(&at).await;
        assert!(text.contains("Simulate the call"), "{text}");
        let began = page.post(&format!("{at}/simulate"), &[("scenario", scenario)]).await;
        assert_eq!(began, (303, Some(at.clone())));
        (page, at)
    };
    let shows = async |(mut page, at): (Forms, String), wanted: &str| {
        let looking = async {
            while !page.open(&at).await.1.contains(wanted) {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(100), looking).await.is_ok()
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let verified = async { shows(page("call", "+12025550171").await, "is verified").await };
        let refused = async { shows(page("spoof", "+12025550172").await, "another number").await };
        let (verified, refused) = tokio::join!(verified, refused);
        assert!(verified, "the page shows that the number is verified\n{}", demo.log());
        assert!(refused, "the page tells why the call was refused\n{}", demo.log());
        let (mut page, at) = page("hang-up", "+12025550173").await;
        assert_eq!(page.post(&format!("{at}/simulate"), &[("scenario", "nonsense")]).await.0, 404);
    });
}

#[test]
fn a_simulated_call_has_its_page_for_itself_until_it_is_over() {
    let demo = Service::demo();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut page = Forms::at(demo.http());
        page.open("/").await;
        let (_, at) = page.post("/verifications", &[("number", "+12025550174"), ("publish", "no")]).await;
        let at = at.expect("the page of the call");
        let simulate = format!("{at}/simulate");
        let may_call = async |page: &mut Forms| {
            let (_, text) = page.open(&at).await;
            let (_, from) = text.split_once("<fieldset id=\"simulate\"").expect("the buttons");
            !from.split('>').next().expect("a tag").ends_with(" disabled")
        };
        assert!(may_call(&mut page).await);
        assert_eq!(page.post(&simulate, &[("scenario", "hang-up")]).await, (303, Some(at.clone())));
        assert!(!may_call(&mut page).await, "the buttons take a second call beside the first");
        assert_eq!(page.post(&simulate, &[("scenario", "call")]).await, (409, None));

        let over = async {
            while !may_call(&mut page).await {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(100), over).await.expect("the first call ends");
        assert_eq!(page.post(&simulate, &[("scenario", "call")]).await, (303, Some(at.clone())));
        let verified = async {
            while !page.open(&at).await.1.contains("is verified") {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(100), verified).await.expect("the second call proves the number");
        // There is nothing left to call for.
        assert_eq!(page.post(&simulate, &[("scenario", "spoof")]).await, (303, Some(at.clone())));
        assert!(page.open(&at).await.1.contains("is verified"));
    });
    assert!(demo.terminate().success());
}

#[test]
fn a_program_rehearses_at_the_sandbox_that_the_demo_names() {
    let demo = Service::demo();
    let line = demo.said().lines().find_map(|line| line.trim().strip_prefix("sandbox")).expect("it names its sandbox");
    let words: Vec<&str> = line.split_whitespace().collect();
    let (at, number) = (words[0], words[2]);
    let http = reqwest::Client::new();
    let post = async |under: &str, secret: &str, body: Value| {
        let request = http.post(format!("{at}{under}")).bearer_auth(secret).json(&body);
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let (status, begun) = post("", "", json!({ "number": number, "publish": false })).await;
        assert_eq!(status, 201, "{begun}");
        let text = |name: &str| begun[name].as_str().expect("a text").to_owned();
        let (under, secret) = (format!("/{}", text("id")), text("secret"));
        let (_, heard) = post(&format!("{under}/call"), &secret, json!({ "does": "code" })).await;
        let (_, issued) = post(&format!("{under}/read-back"), &secret, json!({ "digits": heard["digits"] })).await;
        assert_eq!((&issued["state"], &issued["sandbox"]), (&json!("issued"), &json!(true)), "{issued}");
        assert!(issued["result"].is_string(), "{issued}");
        // At the service itself nobody proves it.
        let url = format!("{}/v1/verifications", demo.http());
        let real = http.post(url).json(&json!({ "number": number, "publish": false })).send().await;
        assert_eq!(real.expect("an answer").status().as_u16(), 422);
    });
    assert!(demo.terminate().success());
}

#[test]
fn the_demo_says_where_everything_is_and_ends_when_told() {
    let demo = Service::demo();
    let said = demo.said();
    for part in ["/demo/mail", "/console/", "baresip", "SHA-256 of its root: ", "counts as screened", "simulate --http"]
    {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
    let folder = demo.bundle().ancestors().nth(2).expect("FOLDER/ca/bundle.pem").to_owned();
    assert!(folder.is_dir());
    let itself = demo.simulate("happy", "+12025550100").output().expect("the caller runs");
    let refused = String::from_utf8_lossy(&itself.stderr);
    assert!(!itself.status.success() && refused.contains("a number of this service"), "{itself:?}");
    assert!(demo.terminate().success());
    assert!(!folder.exists(), "the demo leaves {} behind", folder.display());
}

/// What is left behind when the terminal is closed: nothing, as when it is told to end.
#[test]
fn the_demo_ends_with_its_terminal_unless_it_was_to_outlive_it() {
    let demo = Service::demo();
    let folder = demo.bundle().ancestors().nth(2).expect("FOLDER/ca/bundle.pem").to_owned();
    demo.send("HUP");
    assert!(demo.end().success());
    assert!(!folder.exists(), "the demo leaves {} behind", folder.display());

    let demo = Service::demo_under_nohup();
    let status = std::fs::read_to_string(format!("/proc/{}/status", demo.id())).expect("Linux says so");
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("among others");
    assert_eq!(u64::from_str_radix(ignored.trim(), 16).expect("a mask") & 1, 1, "SIGHUP is ignored no more");
    assert!(demo.terminate().success());
}

#[test]
fn the_demo_keeps_its_data_where_it_is_told_to_and_its_authority_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = |demo: &Service| {
        let at = demo.said().find("SHA-256 of its root: ").expect("it says so");
        demo.said()[at..].lines().next().expect("a line").to_owned()
    };
    let first = Service::demo_in(folder.path());
    let before = root(&first);
    assert!(first.terminate().success());
    let second = Service::demo_in(folder.path());
    assert_eq!(root(&second), before);
}

#[test]
fn a_busy_usual_port_moves_on_and_says_so() {
    // Whoever has 8080 already is as good.
    let _taken = std::net::TcpListener::bind("127.0.0.1:8080");
    let demo = Service::demo_on_the_usual_port();
    let said = demo.said();
    assert!(said.contains("Port 8080 is taken, so pages moved on"), "{said}");
    assert!(!said.contains("http://127.0.0.1:8080/"), "{said}");
}

#[test]
fn nobody_but_this_machine_reaches_a_demo() {
    for option in ["--http", "--sip"] {
        let output = run(&["demo", option, "0.0.0.0:0"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("127.0.0.0/8 only"), "{said}");
    }
}
