//! Where somebody is, from the certificate to the friend who calls, with the authority gone and its disk removed.

use std::fs::File;
use std::path::Path;
use std::process::Output;

use dht_client::Backend;
use dht_client::backend::mainline::Ring;
use dht_client::backend::opendht::OpenDht;
use end_to_end::dhtnode::DhtNodes;
use end_to_end::installation::{BELIEVED, Families, Installation, Wanted};
use end_to_end::own_network::run_inside;
use end_to_end::process::{Process, free_port};
use end_to_end::service::{dialproof, media_ports, until_heard, wait_until};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const NUMBER: &str = "+13235550143";
const IDENTITY: &str = "tel:+13235550143";

/// Nobody could say.
const UNHEARD: i32 = 4;

/// A friend's folder: the bundle, and what else people gave to each other.
struct Friend {
    folder: TempDir,
}

impl Friend {
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("a plain path").to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        dialproof().args(arguments).env("XDG_STATE_HOME", self.folder.path()).output().expect("the program runs")
    }

    fn done(&self, arguments: &[&str]) -> String {
        let output = until_heard(|| self.run(arguments));
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// That a command ends so.
    fn ends(&self, code: i32, arguments: &[&str]) {
        let output = if code == UNHEARD { self.run(arguments) } else { until_heard(|| self.run(arguments)) };
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
    }

    /// What `lookup` or `locate find` says, and that it ends so.
    fn told(&self, command: &[&str], code: i32, more: &[&str]) -> Value {
        let (bundle, looked) = (self.path("bundle.pem"), [IDENTITY, "--json", "--ca"]);
        let arguments = [command, &looked, &[&bundle], more].concat();
        let output = if code == UNHEARD { self.run(&arguments) } else { until_heard(|| self.run(&arguments)) };
        assert_eq!(output.status.code(), Some(code), "{command:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    fn finds(&self, code: i32, more: &[&str]) -> Value {
        self.told(&["locate", "find"], code, more)
    }

    /// Where they are to be called, when everybody has answered.
    fn calls(&self, more: &[&str]) -> String {
        let mut found = Value::Null;
        wait_until("everybody answers", || {
            found = self.finds(0, more);
            found["complete"] == true
        });
        found["contacts"][0]["uri"].as_str().expect("an address").to_owned()
    }

    /// Says where the owner is, to this audience.
    fn say(&self, contact: &str, audience: &[&str]) -> Output {
        let (bundle, key, keys) = (self.path("bundle.pem"), self.path("key.pem"), self.path("keys"));
        let said = ["locate", "publish", "--ca", &bundle, "--key", &key, "--keys", &keys];
        // The identity last, behind the recipients.
        until_heard(|| self.run(&[&said[..], &["--contact", contact], audience, &[IDENTITY]].concat()))
    }

    /// Says it, and friends can find it; under which number.
    fn publish(&self, contact: &str, audience: &[&str]) -> i64 {
        let output = self.say(contact, audience);
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stdout);
        let number = said.split("number ").nth(1).and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
        number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no number: {said}"))
    }
}

#[test]
fn a_friend_calls_somebody_whose_authority_is_gone() {
    let runtime = Runtime::new().expect("a runtime");
    let ports = [free_port(), free_port()];
    let network = format!("mainline:127.0.0.1:{},127.0.0.1:{}", ports[0], ports[1]);
    a_friend_outlives_the_authority(&network, || {
        runtime.block_on(Ring::start(&ports)).expect("the ports of the ring are free")
    });
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs dhtnode: run tests/run")]
fn a_friend_calls_somebody_in_opendht_whose_authority_is_gone() {
    run_inside("location::a_friend_calls_somebody_in_opendht_whose_authority_is_gone", || {
        let runtime = Runtime::new().expect("a runtime");
        let network = "opendht:http://127.0.0.1:8001,http://127.0.0.1:8002,http://127.0.0.1:8003";
        a_friend_outlives_the_authority(network, || {
            let nodes = DhtNodes::start(3);
            let proxies = Backend::OpenDht(OpenDht::new(&nodes.urls()).expect("addresses of proxies"));
            wait_until("the nodes have found each other", || {
                let health = runtime.block_on(proxies.health());
                health.reachable == health.configured
            });
            nodes
        });
    });
}

/// The whole story over a network, which `start` starts empty each time.
fn a_friend_outlives_the_authority<R>(network: &str, start: impl Fn() -> R) {
    let first_ring = start();
    let place = Installation::new(
        tempfile::tempdir().expect("a temporary folder"),
        Wanted {
            families: Families::Ipv4,
            media: &media_ports(),
            sip: "",
            trunks: &format!("[[trunk]]\nname = \"loopback\"\nsources = [\"127.0.0.0/8\"]\n{BELIEVED}"),
            dht: &format!("networks = [\"{network}\"]"),
        },
    );
    let service = place.serve();
    let us = Friend { folder: tempfile::tempdir().expect("a temporary folder") };
    std::fs::copy(service.bundle(), us.path("bundle.pem")).expect("a copy");
    us.finds(3, &[]);
    let put_once = ["refresh", "--ca", &us.path("bundle.pem"), "--queue", &us.path("queue"), "--once"];
    us.ends(3, &[&put_once[..], &[IDENTITY]].concat());
    // Nor is there anybody to wait for.
    us.ends(3, &["refresh", IDENTITY, "--ca", &us.path("bundle.pem")]);

    let mut proving = service.simulate("happy", NUMBER);
    let proved = proving.args(["--keep-key", &us.path("key.pem")]).output().expect("the caller runs");
    assert!(proved.status.success(), "{proved:?}");
    wait_until("the certificate is in the directory", || {
        us.run(&["lookup", IDENTITY, "--ca", &us.path("bundle.pem")]).status.success()
    });
    assert_eq!(us.finds(7, &[])["reason"], "they list no location key");

    the_location_key_is_listed(&us, service.http());
    assert_eq!(us.finds(7, &[])["reason"], "no location is published for you");
    // To one recipient, by the key that a look-up shows: here, the owner's own.
    let kem_key = us.told(&["lookup"], 0, &[])["kem_key"].as_str().expect("a key").to_owned();
    us.publish("sip:boat@203.0.113.9", &["--to", &kem_key]);
    assert_eq!(us.finds(7, &[])["reason"], "the location is sealed for others");
    assert_eq!(us.calls(&["--keys", &us.path("keys")]), "sip:boat@203.0.113.9");
    let office = us.publish("sip:office@192.0.2.7", &["--public"]);
    assert_eq!(us.calls(&[]), "sip:office@192.0.2.7");
    // A number is a second, or one more than the last: the next may be that of the same second.
    wait_until("the home is the later of the two", || us.publish("sip:home@198.51.100.4", &["--friends"]) > office);
    std::fs::write(us.path("friends"), us.done(&["locate", "friends-key", "--keys", &us.path("keys")]))
        .expect("a file");
    let as_friend = ["--friends-key", &us.path("friends")];
    assert_eq!(us.calls(&as_friend), "sip:home@198.51.100.4", "the later of the two");
    assert_eq!(us.calls(&[]), "sip:office@192.0.2.7", "others know only the office");

    // The authority is switched off, and its disk is gone.
    service.kill();
    drop(place);
    us.told(&["lookup"], 0, &[]);
    us.finds(0, &as_friend);
    a_friend_keeps_the_records(&us, &as_friend, "3 put again, 0 failed");

    // The ring forgets everything. Nobody has the keys any more, but the friend has the records.
    drop(first_ring);
    us.told(&["lookup"], UNHEARD, &["--timeout", "6"]);
    us.ends(UNHEARD, &put_once);
    let _second_ring = start();
    us.told(&["lookup"], 3, &[]);
    let put = us.done(&put_once);
    assert!(put.contains("3 put again, 0 failed"), "{put}");
    us.told(&["lookup"], 0, &[]);
    assert_eq!(us.calls(&as_friend), "sip:home@198.51.100.4");
    a_friend_goes_on_keeping(&us);
}

fn the_location_key_is_listed(us: &Friend, service: &str) {
    let (keys, key) = (us.path("keys"), us.path("key.pem"));
    us.done(&["locate", "keys", "--keys", &keys]);
    let again = us.run(&["locate", "keys", "--keys", &keys]);
    assert_eq!(again.status.code(), Some(1), "keys that are there stay: {again:?}");
    assert!(String::from_utf8_lossy(&again.stderr).contains("name another file"), "{again:?}");
    assert_eq!(mode(Path::new(&keys)), 0o600);
    let too_early = us.say("sip:office@192.0.2.7", &["--friends"]);
    let why = String::from_utf8_lossy(&too_early.stderr);
    assert!(too_early.status.code() == Some(7) && why.contains("lists no location key"), "{too_early:?}");
    let found = us.told(&["lookup"], 0, &[]);
    let serial = found["serial"].as_str().expect("a serial").to_owned();
    let register = ["locate", "register", "--service", service, "--serial", &serial, "--key", &key, "--keys"];
    us.done(&[&register[..], &[&keys]].concat());
    wait_until("the directory lists the location key", || us.told(&["lookup"], 0, &[])["location_key"].is_string());
}

fn a_friend_keeps_the_records(us: &Friend, as_friend: &[&str], expected: &str) {
    let (bundle, queue) = (us.path("bundle.pem"), us.path("queue"));
    let refresh = ["refresh", IDENTITY, "--ca", &bundle, "--queue", &queue, "--once"];
    let put = us.done(&[&refresh, as_friend].concat());
    assert!(put.contains(expected), "{put}");
}

/// As nobody's friend: what is for everybody.
fn a_friend_goes_on_keeping(us: &Friend) {
    let said = us.path("said");
    let mut refresh = dialproof();
    refresh.args(["refresh", IDENTITY, "--ca", &us.path("bundle.pem")]).env("XDG_STATE_HOME", us.folder.path());
    let _keeper = Process::start(refresh.stdout(File::create(&said).expect("a file")));
    wait_until("what was found is put", || {
        std::fs::read_to_string(&said).expect("it is there").contains("put again, 0 failed")
    });
}

fn mode(file: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).expect("it is there").permissions().mode() & 0o777
}
