//! Looking somebody up from another process: what it says, and what it ends with.

mod location;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Output;

use end_to_end::forms::Forms;
use end_to_end::service::{Service, dialproof, run, wait_until};
use serde_json::{Value, json};

const NUMBER: &str = "+12135550143";

fn said(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn ended(output: &Output, code: i32, verdict: &str) -> Value {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let said = said(output);
    assert_eq!(said["verdict"], verdict);
    said
}

#[test]
fn a_stranger_with_the_bundle_learns_what_the_directory_knows() {
    let demo = Service::demo();
    let identity = format!("tel:{NUMBER}");
    ended(&demo.lookup(&identity), 3, "unknown");
    let proved = demo.simulate("happy", NUMBER).output().expect("the caller runs");
    assert!(proved.status.success(), "{proved:?}");
    let found = ended(&demo.lookup(&identity), 0, "valid");
    assert_eq!((found["identity"].as_str(), found["name"].as_str()), (Some(&*identity), Some(&*identity)));
    assert_eq!(found["level"], "L2");
    let proved: Value = serde_json::from_slice(&proved.stdout).expect("one object");
    let flat = |pem: &Value| pem.as_str().expect("a text").split_whitespace().collect::<String>();
    assert_eq!(flat(&found["certificate_pem"]), flat(&proved["verification"]["certificate_pem"]));
    ended(&demo.lookup("tel:+12135550144"), 3, "unknown");

    an_older_record_than_one_seen_before_is_not_believed(&demo, &identity, &found);
    a_memory_that_cannot_be_written_is_told_of(&demo, &identity);
    a_root_that_was_not_pinned_is_refused(&demo, &identity);
    who_was_revoked_is_said_to_be(&demo, &identity, found["serial"].as_str().expect("a serial"));
    what_a_dead_directory_is_asked_nobody_can_say(demo, &identity);
}

/// The operator enters by the demo's link, sees the certificate, and revokes it.
fn who_was_revoked_is_said_to_be(demo: &Service, identity: &str, serial: &str) {
    let revoking = async {
        let link = demo.said().split_whitespace().find(|word| word.contains("/console/enter/")).expect("a link");
        let link = link.strip_prefix(demo.http()).expect("a link to the demo");
        let revoke = format!("/v1/certificates/{serial}/revoke");
        let reason = json!({ "reason": "keyCompromise" });
        assert_eq!(Forms::at(demo.http()).post_json(&revoke, &reason).await, 401);
        let mut console = Forms::at(demo.http());
        console.open(link).await;
        assert_eq!(console.post(link, &[]).await, (303, Some("/console/calls".to_owned())));
        assert_eq!(console.post(link, &[]).await.0, 410, "the link works once");
        let (status, listed) = console.open("/v1/certificates").await;
        assert_eq!(status, 200);
        assert!(listed.contains(serial) && listed.contains("***0143"), "the console masks numbers: {listed}");
        assert_eq!(console.post_json(&revoke, &reason).await, 200);
    };
    tokio::runtime::Runtime::new().expect("a runtime").block_on(revoking);
    wait_until("the tombstone lies in the directory", || demo.lookup(identity).status.code() != Some(0));
    ended(&demo.lookup(identity), 5, "revoked");
}

fn an_older_record_than_one_seen_before_is_not_believed(demo: &Service, identity: &str, found: &Value) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let seen = folder.path().join("seen");
    let (slot, seq) = (found["dht"]["slot"].as_str().expect("a slot"), found["dht"]["seq"].as_i64().expect("a number"));
    std::fs::write(&seen, format!("{slot} {}\n", seq + 1)).expect("a file");
    let output = dialproof()
        .args(["lookup", identity, "--json", "--ca"])
        .arg(demo.bundle())
        .arg("--seen")
        .arg(&seen)
        .env("XDG_STATE_HOME", folder.path())
        .output()
        .expect("the program runs");
    let said = ended(&output, 6, "invalid");
    assert!(said["reason"].as_str().is_some_and(|reason| reason.contains("replays an old one")), "{said}");
}

/// The verdict stands, but nothing protects the next one.
fn a_memory_that_cannot_be_written_is_told_of(demo: &Service, identity: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let nowhere = folder.path().join("no such folder");
    let look_up = |seen: &Path| {
        let mut command = dialproof();
        command.args(["lookup", identity, "--json", "--ca"]).arg(demo.bundle());
        command.arg("--seen").arg(seen).arg("--hashes").arg(nowhere.join("hashes"));
        command.output().expect("the program runs")
    };
    let output = look_up(&nowhere.join("seen"));
    ended(&output, 0, "valid");
    let warned = String::from_utf8_lossy(&output.stderr);
    assert!(warned.contains("the sequence numbers seen cannot be written: a rollback"), "{warned}");
    assert!(warned.contains("the hash of a contact cannot be written"), "{warned}");
    let output = look_up(Path::new("/dev/zero"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && told.contains("larger than this program writes it"), "{told}");
}

fn a_root_that_was_not_pinned_is_refused(demo: &Service, identity: &str) {
    let at = demo.said().find("root: ").expect("the demo says its root") + "root: ".len();
    let root = demo.said()[at..].split_whitespace().next().expect("a fingerprint");
    let with_root = |root: &str| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = dialproof();
        command.args(["lookup", identity, "--json", "--root", root, "--ca"]).arg(demo.bundle());
        command.env("XDG_STATE_HOME", folder.path()).output().expect("the program runs")
    };
    ended(&with_root(root), 0, "valid");
    let refused = with_root(&"ab".repeat(32));
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not the pinned one"), "{refused:?}");
}

fn what_a_dead_directory_is_asked_nobody_can_say(demo: Service, identity: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bundle = folder.path().join("bundle.pem");
    std::fs::copy(demo.bundle(), &bundle).expect("a copy");
    demo.kill();
    let output = look_up(identity, &bundle, folder.path());
    let said = ended(&output, 4, "unreachable");
    assert!(said["certificate_pem"].is_null());
}

fn look_up(identity: &str, bundle: &Path, state: &Path) -> Output {
    let mut command = dialproof();
    command.args(["lookup", identity, "--json", "--ca"]).arg(bundle).env("XDG_STATE_HOME", state);
    command.output().expect("the program runs")
}

#[test]
fn what_cannot_be_carried_out_ends_with_1_and_says_why() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let broken = folder.path().join("bundle.pem");
    let mut text = String::new();
    writeln!(text, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----").expect("a String takes all");
    std::fs::write(&broken, text).expect("a file");
    let broken = broken.to_str().expect("a plain path");
    let key = folder.path().join("victim.key");
    let pem = "-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n";
    std::fs::write(&key, pem).expect("a file");
    let key = key.to_str().expect("a plain path");
    let table: [(&[&str], &str); 14] = [
        (&["lookup"], "required arguments"),
        (&["lookup", "tel:+12135550143", "--ca", "/nonexistent/bundle.pem"], "cannot be read"),
        (&["lookup", "tel:+12135550143", "--ca", broken], "this is not a CA bundle"),
        (&["lookup", "12135550143", "--ca", broken], "country code first"),
        (&["lookup", "tel:+1213555014", "--ca", broken], "no numbering plan has this number"),
        (&["lookup", "tel:+12135550143", "--ca", broken, "--dht", "kademlia"], "names no DHT"),
        (&["lookup", "tel:+12135550143", "--ca", broken, "--timeout", "0"], "--timeout"),
        (&["lookup", "--ca", broken, "--dht", "mainline:127.0.0.1:9", "tel:+12135550143"], "this is not a CA bundle"),
        (&["lookup", "--ca", broken, "--dht", "mainline", "--dht", "mainline:127.0.0.1:9"], "required arguments"),
        (&["refresh", "--ca", broken, "--queue", "/nonexistent/queue"], "there is no queue /nonexistent/queue"),
        (&["refresh", "--ca", broken, "--once", "--queue", "/nonexistent/queue"], "there is no queue"),
        (&["simulate", "--http", "nonsense"], "write an http or https URL"),
        (&["simulate", "--http", "127.0.0.1:8080"], "write an http or https URL"),
        (&["simulate", "--http", "http://127.0.0.1:9", "--keep-key", key], "is there already and stays"),
    ];
    for (arguments, why) in table {
        let output = run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(why) && output.stdout.is_empty(), "{arguments:?}: {said}");
    }
    assert_eq!(std::fs::read_to_string(key).expect("it stays"), pem);
}
