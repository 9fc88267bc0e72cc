//! A web site is told who was verified by dial-in: from the call to the site's own server, and what it has to bear.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use end_to_end::installation::{BELIEVED, Families, Installation, Wanted, own_ring};
use end_to_end::nameserver::{NameServer, a};
use end_to_end::own_network::run_inside;
use end_to_end::process::{Process, free_port};
use end_to_end::proving::{call_and_type, caller};
use end_to_end::receiver::{Posted, Receiver, read_post};
use end_to_end::service::{Service, dialproof, media_ports, run, wait_until};
use end_to_end::workspace;
use ivr::phone::api::{Api, Started};
use ivr_core::private::Private;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

const NUMBER: &str = "+12135550143";

/// The words after `webhook` in what a demo says: the endpoint, and its secret.
fn endpoint(demo: &Service) -> (String, String) {
    let line = demo.said().lines().find_map(|line| line.trim().strip_prefix("webhook")).expect("the endpoint is told");
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[1..3], ["signs", "with"]);
    (words[0].to_owned(), words[3].to_owned())
}

/// A site begins a verification that names this endpoint.
fn begin(service: &Service, webhook: Option<&str>, runtime: &Runtime) -> Started {
    let body = json!({ "number": NUMBER, "publish": false, "webhook": webhook });
    let begun = async {
        let answer =
            reqwest::Client::new().post(format!("{}/v1/verifications", service.http())).json(&body).send().await;
        answer.expect("an answer").json::<Value>().await.expect("an object")
    };
    let begun = runtime.block_on(begun);
    serde_json::from_value(begun.clone()).unwrap_or_else(|error| panic!("{error}: {begun}"))
}

/// A request with the verification's secret.
fn ask(method: reqwest::Method, service: &Service, started: &Started, runtime: &Runtime) -> (u16, Value) {
    let url = format!("{}/v1/verifications/{}", service.http(), started.id);
    runtime.block_on(async {
        let request = reqwest::Client::new().request(method, url).bearer_auth(started.secret.expose());
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    })
}

fn give_up(service: &Service, started: &Started, runtime: &Runtime) {
    assert_eq!(ask(reqwest::Method::DELETE, service, started, runtime).0, 204);
}

#[test]
fn a_site_is_told_of_its_visitor_although_it_fails_at_first() {
    let receiver = Receiver::answering(&["500 Not yet", "200 OK"]);
    let (demo, runtime) = (Service::demo_posting_to(&receiver.url()), Runtime::new().expect("a runtime"));
    let (name, secret) = endpoint(&demo);
    let started = begin(&demo, Some(&name), &runtime);
    let page = async |digits: Private<String>| {
        Api::new(demo.http()).type_in(&started, digits.expose()).await.expect("right");
    };
    runtime.block_on(call_and_type(caller(&demo, NUMBER, &started), page));

    let posted = receiver.wait_for(2);
    assert_eq!(posted.len(), 2);
    assert_eq!(posted[0].header("webhook-id"), posted[1].header("webhook-id"));
    assert_eq!(posted[0].body, posted[1].body);
    assert!(posted.iter().all(|posted| posted.is_signed(&secret)), "{posted:?}");
    let mut changed = posted[1].clone();
    changed.body.push(b' ');
    assert!(!changed.is_signed(&secret));
    let (event, owner) = (posted[1].event(), ask(reqwest::Method::GET, &demo, &started, &runtime).1);
    assert_eq!(event["type"], "verification.issued");
    let told = event["data"].as_object().expect("an object");
    assert_eq!((&told["number"], told["result"].is_string()), (&json!(NUMBER), true), "{event}");
    for (name, value) in told {
        assert_eq!(*value, owner[name.as_str()], "{name} is not what the owner sees");
    }
    assert!(demo.terminate().success());
}

#[test]
fn what_nobody_named_is_told_without_its_number() {
    let receiver = Receiver::answering(&["200 OK"]);
    let (demo, runtime) = (Service::demo_posting_to(&receiver.url()), Runtime::new().expect("a runtime"));
    let (_, secret) = endpoint(&demo);
    let started = begin(&demo, None, &runtime);
    let page = async |digits: Private<String>| {
        Api::new(demo.http()).type_in(&started, digits.expose()).await.expect("right");
    };
    runtime.block_on(call_and_type(caller(&demo, NUMBER, &started), page));
    let posted = receiver.wait_for(1).remove(0);
    assert!(posted.is_signed(&secret));
    let event = posted.event();
    assert_eq!((&event["type"], &event["data"]["number"]), (&json!("verification.issued"), &json!("***0143")));
    assert!(!posted.body.windows(10).any(|part| part == &NUMBER.as_bytes()[2..]), "{event}");
    assert!(demo.terminate().success());
}

/// The receiver of docs/web-sites.md, word for word.
fn receiver_of_the_documents() -> String {
    let page = std::fs::read_to_string(workspace::root().join("docs/web-sites.md")).expect("the page");
    let (_, from) = page.split_once("```python\n").expect("a receiver in Python");
    from.split_once("```").expect("an end").0.to_owned()
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs python3: run tests/run")]
fn the_receiver_of_the_documents_prints_what_the_simulated_visitor_proved() {
    let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
    let program = folder.path().join("receiver.py");
    std::fs::write(&program, receiver_of_the_documents()).expect("a file");
    let url = format!("http://127.0.0.1:{port}/");
    let demo = Service::demo_posting_to(&url);
    let (name, secret) = endpoint(&demo);
    assert!(demo.said().contains(&format!("--webhook {name} --without-certificate")), "{}", demo.said());
    let printed = folder.path().join("printed");
    let mut command = Command::new("/usr/bin/python3");
    command.arg(&program).args([&secret, &port.to_string()]);
    command.stdout(std::fs::File::create(&printed).expect("a file")).stderr(Stdio::null());
    let _receiver = Process::start(&mut command).listening_at(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));

    let mut visitor = demo.simulate("happy", NUMBER);
    let visited = visitor.args(["--webhook", &name, "--without-certificate"]).output().expect("the caller runs");
    assert!(visited.status.success(), "{}", String::from_utf8_lossy(&visited.stderr));
    let text = || std::fs::read_to_string(&printed).expect("a file");
    wait_until("the event is printed", || serde_json::from_str::<Value>(&text()).is_ok());
    let event: Value = serde_json::from_str(&text()).expect("looked at before");
    assert_eq!((&event["type"], &event["data"]["number"]), (&json!("verification.issued"), &json!(NUMBER)));
    assert!(event["data"]["result"].is_string(), "{event}");
    assert_eq!(event["data"]["publish"], false, "a result alone is not published");

    // What another key signs is refused.
    let stranger = async {
        let request = reqwest::Client::new().post(&url).body("{}").header("webhook-id", "msg_00");
        let request = request.header("webhook-timestamp", "1").header("webhook-signature", "v1,AAAA");
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(Runtime::new().expect("a runtime").block_on(stranger), 401);
    assert!(demo.terminate().success());
}

#[test]
fn a_power_cut_between_state_and_delivery_delivers_after_the_next_start() {
    let (folder, runtime) = (tempfile::tempdir().expect("a folder"), Runtime::new().expect("a runtime"));
    // Somebody who answers nothing: the first two events are under way, and the third waits for a place.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let url = format!("http://127.0.0.1:{port}/hook");
    let demo = Service::demo_in_posting_to(folder.path(), &url);
    let (name, secret) = endpoint(&demo);
    let mut begun = Vec::new();
    for _ in 0..3 {
        let started = begin(&demo, Some(&name), &runtime);
        give_up(&demo, &started, &runtime);
        begun.push(started.id);
    }
    let under_way: Vec<_> = silent.incoming().flatten().take(2).collect();
    demo.kill();
    drop((under_way, silent));
    let receiver = Receiver::answering_at(port, &["200 OK"]);
    // Whoever names the URL again adds no second endpoint.
    let demo = Service::demo_in_posting_to(folder.path(), &url);
    assert_eq!(endpoint(&demo), (name, secret.clone()));
    let posted = receiver.wait_for(1).remove(0);
    assert!(posted.is_signed(&secret));
    let told = posted.event()["data"]["id"].as_str().expect("an id").to_owned();
    assert!(begun.contains(&told), "{told} is none of {begun:?}");
    assert!(demo.terminate().success());
}

#[test]
fn a_receiver_that_redirects_is_not_followed_and_one_that_is_gone_is_left_alone() {
    let elsewhere = Receiver::answering(&["200 OK"]);
    let moved: &'static str = format!("307 Moved\r\nLocation: {}", elsewhere.url()).leak();
    let receiver = Receiver::answering(Box::leak(Box::new([moved, "410 Gone"])));
    let (mut demo, runtime) = (Service::demo_posting_to(&receiver.url()), Runtime::new().expect("a runtime"));
    let (name, _) = endpoint(&demo);
    give_up(&demo, &begin(&demo, Some(&name), &runtime), &runtime);
    receiver.wait_for(2);
    demo.wait_for_log("is turned off (it answered 410");
    give_up(&demo, &begin(&demo, Some(&name), &runtime), &runtime);
    let metrics = || {
        let text = async { reqwest::get(format!("{}/metrics", demo.http())).await?.text().await };
        runtime.block_on(text).expect("the counters")
    };
    wait_until("the event is kept", || metrics().contains("dialproof_webhook_events{state=\"stopped\"} 1"));
    assert!(metrics().contains("dialproof_webhook_endpoints{state=\"off\"} 1"));
    assert_eq!((receiver.posted().len(), elsewhere.posted().len()), (2, 0));
    assert!(demo.terminate().success());
}

/// The lines of docs/web-sites.md that are a shell's, from this one on to the end of their block.
fn lines_of_the_documents(from: &str) -> String {
    let page = std::fs::read_to_string(workspace::root().join("docs/web-sites.md")).expect("the page");
    let at = page.find(from).unwrap_or_else(|| panic!("no {from:?}"));
    page[at..].split_once("```").expect("an end").0.to_owned()
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs curl and jq: run tests/run")]
fn the_lines_of_the_documents_begin_and_give_up_and_say_what_is_wrong() {
    let receiver = Receiver::answering(&["200 OK"]);
    let demo = Service::demo_posting_to(&receiver.url());
    let (name, _) = endpoint(&demo);
    let begins = lines_of_the_documents("at=http://127.0.0.1:8080/v1/verifications\n");
    let begins = begins.replace("http://127.0.0.1:8080", demo.http());
    let shell = |lines: &str| {
        let output = Command::new("/bin/sh").args(["-euc", lines]).output().expect("a shell");
        assert!(output.status.success(), "{lines}\n{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let told = shell(&begins);
    assert!(told.contains("webhook: ") && told.contains("\"status\": 422"), "no endpoint is called ep_…: {told}");
    let gives_up = lines_of_the_documents("curl -s -X DELETE");
    let told = shell(&format!("{}{gives_up}", begins.replace("ep_…", &name)));
    let words: Vec<&str> = told.lines().map(|line| line.trim_matches('"')).collect();
    assert!(words.len() == 2 && words[0].starts_with('+') && words[1].len() == 6, "what to dial, a code: {told}");
    assert_eq!(receiver.wait_for(1)[0].event()["type"], "verification.expired");
    assert!(demo.terminate().success());
}

#[test]
fn a_demo_says_of_each_attempt_that_fails_what_is_wrong_and_when_it_is_tried_again() {
    let receiver = Receiver::answering(&["401 No"]);
    let url = format!("{}a-secret-path", receiver.url());
    let (mut demo, runtime) = (Service::demo_posting_to(&url), Runtime::new().expect("a runtime"));
    let (name, secret) = endpoint(&demo);
    give_up(&demo, &begin(&demo, Some(&name), &runtime), &runtime);
    let host = url.split('/').nth(2).expect("an address").to_owned();
    demo.wait_for_log(&format!("is not delivered to {host}: it answers 401; tried again in "));
    let log = demo.log();
    assert!(![secret.as_str(), "a-secret-path", &NUMBER[1..]].iter().any(|kept| log.contains(kept)), "{log}");
    // Nobody listens there.
    let mut demo = Service::demo_posting_to(&format!("http://127.0.0.1:{}/", free_port()));
    let (name, _) = endpoint(&demo);
    give_up(&demo, &begin(&demo, Some(&name), &runtime), &runtime);
    demo.wait_for_log(": no connection, or no TLS that holds; tried again in ");
}

#[test]
fn a_demo_posts_to_its_own_machine_only() {
    for url in ["https://9.9.9.9/", "https://example.org/"] {
        let output = run(&["demo", "--http", "127.0.0.1:0", "--sip", "127.0.0.1:0", "--webhook", url]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains("posts to this machine only"), "{url}: {output:?}");
    }
}

/// Public, and nobody's in a network that has nothing but a loopback.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(9, 9, 9, 9);
const SITE: &str = "shop.example";
const INSIDE: &str = "inside.example";

/// The site's web server, over TLS at its public address. Its certificate's root lies in `tls.pem`.
fn serve_site(folder: &Path) -> Arc<Mutex<Vec<Posted>>> {
    let added = Command::new("ip").args(["address", "add", &format!("{PUBLIC}/32"), "dev", "lo"]).status();
    assert!(added.expect("iproute2 is installed: run tests/setup").success());
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new([SITE.to_owned(), INSIDE.to_owned()]).expect("names");
    let certificate = params.self_signed(&key).expect("a certificate");
    std::fs::write(folder.join("tls.pem"), certificate.pem()).expect("a file");
    let der = CertificateDer::from(certificate.der().to_vec());
    let secret = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let tls = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![der], secret).expect("a pair");
    let (tls, posted) = (Arc::new(tls), Arc::new(Mutex::new(Vec::new())));
    let (listener, keep) = (TcpListener::bind((PUBLIC, 443)).expect("root in its network"), posted.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(tls.clone()).expect("a configuration");
            let mut stream = StreamOwned::new(connection, stream);
            let Some(post) = read_post(&mut stream) else { continue };
            keep.lock().unwrap_or_else(PoisonError::into_inner).push(post);
            // Who has hung up does not mind.
            let _gone = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
        }
    });
    posted
}

#[test]
#[cfg_attr(not(own_network), ignore = "needs a network of its own: tests/run runs it")]
fn an_operator_adds_replays_and_rotates_and_nothing_inside_is_posted_to() {
    run_inside("an_operator_adds_replays_and_rotates_and_nothing_inside_is_posted_to", || {
        let folder = tempfile::tempdir().expect("a folder");
        let site = serve_site(folder.path());
        let names = NameServer::of(vec![(SITE, a(PUBLIC)), (INSIDE, a(Ipv4Addr::LOCALHOST))]);
        let trunks = format!(
            "[[trunk]]\nname = \"loopback\"\nsources = [\"127.0.0.0/8\"]\n{BELIEVED}\n[webhooks]\ntls_roots = \"tls.pem\"\n"
        );
        let wanted = Wanted {
            families: Families::Ipv4,
            media: &media_ports(),
            sip: &format!("nameservers = [\"{}\"]", names.address()),
            trunks: &trunks,
            dht: &own_ring(),
        };
        let place = Installation::new(folder, wanted);
        let config = place.path("config.toml");
        let operator = |arguments: &[&str]| {
            let output = dialproof().arg("webhook").args(arguments).arg("-c").arg(&config).output().expect("it runs");
            let told = String::from_utf8_lossy(&output.stdout).into_owned();
            (output.status.success(), told, String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let add = |url: &str| {
            let (added, told, error) = operator(&["add", url]);
            assert!(added, "{error}");
            let words: Vec<&str> = told.split_whitespace().collect();
            assert_eq!((words[0], words[2]), ("endpoint", "secret"), "{told}");
            (words[1].to_owned(), words[3].to_owned())
        };
        for (url, why) in [
            ("http://shop.example/hook", "https URLs only"),
            ("https://127.0.0.1/hook", "may not be connected to"),
            ("https://10.0.0.1/hook", "may not be connected to"),
            ("https://localhost/hook", "Name one that is reached from the internet"),
        ] {
            let (added, _, error) = operator(&["add", url]);
            assert!(!added && error.contains(why), "{url}: {error}");
        }
        let service = place.serve();
        let runtime = Runtime::new().expect("a runtime");
        let (shop, secret) = add(&format!("https://{SITE}/hook"));
        let (inside, _) = add(&format!("https://{INSIDE}/hook"));

        // A name that leads inside: looked up when it is posted to, and found out then.
        let at_home = TcpListener::bind((Ipv4Addr::LOCALHOST, 443)).expect("root in its network");
        at_home.set_nonblocking(true).expect("a socket");
        give_up(&service, &begin(&service, Some(&inside), &runtime), &runtime);
        let mut events = String::new();
        wait_until("the address inside is refused", || {
            events = operator(&["events", "--endpoint", &inside]).1;
            events.contains("last: its address may not be connected to")
        });
        assert!(at_home.accept().is_err(), "somebody came to the address inside");

        let arrived = |many: usize| {
            let posted = || site.lock().unwrap_or_else(PoisonError::into_inner).clone();
            wait_until(&format!("{many} events arrive"), || posted().len() >= many);
            posted()
        };
        give_up(&service, &begin(&service, Some(&shop), &runtime), &runtime);
        let first = arrived(1).remove(0);
        assert!(first.is_signed(&secret));
        assert_eq!(first.event()["data"]["number"], NUMBER);
        // Again, with a new secret besides.
        let (rotated, told, error) = operator(&["rotate", &shop]);
        assert!(rotated, "{error}");
        let new_secret = told.split_whitespace().nth(1).expect("a secret").to_owned();
        let id = first.header("webhook-id").to_owned();
        assert!(operator(&["replay", &id]).0);
        let second = arrived(2).remove(1);
        assert_eq!((second.header("webhook-id"), &second.body), (id.as_str(), &first.body));
        assert!(second.is_signed(&secret) && second.is_signed(&new_secret));
        let (_, list, _) = operator(&["list"]);
        assert!(list.contains(&format!("https://{SITE}/hook")) && list.contains("failing since"), "{list}");
        assert!(operator(&["remove", &inside]).0 && !operator(&["list"]).1.contains(INSIDE));
        assert!(service.terminate().success());
    });
}
