//! Signed identities by other hands: secsipidx and Kamailio sign, SIPp and the built-in caller bear what is signed, and the
//! service fetches the certificate over TLS. In a network of its own, because certificates are fetched from public addresses
//! only: its loopback has one.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use end_to_end::installation::{BELIEVED, Families, Installation, Wanted, own_ring};
use end_to_end::kamailio::Kamailio;
use end_to_end::own_network::run_inside;
use end_to_end::process::free_port;
use end_to_end::service::{Service, dialproof, media_ports, wait_until};
use end_to_end::shaken::{ORIGID, PUBLIC, X5U, internet, make_signer};
use end_to_end::sipp::{SPEECH, Scenario};
use ivr::clock::Clock;
use ivr::phone::api::{Api, Start, Started};
use ivr::phone::{CallPlan, CallReport, Identity, Law, News, Scenario as Conversation, call};
use ivr_core::passport::Passport;
use ivr_core::private::Private;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use voice_prompts::{Library, Vocabulary};

const CALLER: &str = "+12025550143";
const DIALLED: &str = "+12025550100";

/// secsipidx signs that this number calls ours, now.
fn signed(folder: &Path, attest: &str, orig: &str) -> String {
    let iat = Clock.wall().unix_timestamp();
    let output = Command::new("secsipidx")
        .args(["-sign-full", "-attest", attest, "-orig-id", ORIGID, "-x5u", X5U, "-fprvkey"])
        .arg(folder.join("leaf.key"))
        .args(["-orig-tn", orig.trim_start_matches('+'), "-dest-tn", DIALLED.trim_start_matches('+')])
        .args(["-iat", &iat.to_string()])
        .output()
        .expect("secsipidx is installed: run tests/setup");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("a text").trim().to_owned()
}

/// What `dialproof passport verify` says, given the leaf, and how it ends.
fn judged(folder: &Path, identity: &str, more: &[&str]) -> (serde_json::Value, Option<i32>) {
    told(folder, identity, &[more, &["--leaf", "leaf.pem"]].concat())
}

fn told(folder: &Path, identity: &str, more: &[&str]) -> (serde_json::Value, Option<i32>) {
    std::fs::write(folder.join("identity.txt"), format!("{identity}\n")).expect("a file");
    let output = dialproof()
        .args(["passport", "verify", "--identity", "identity.txt", "--anchors", "anchors.pem"])
        .args(more)
        .current_dir(folder)
        .output()
        .expect("the program runs");
    let said = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {output:?}"));
    (said, output.status.code())
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs secsipidx: run tests/run")]
fn the_command_judges_what_secsipidx_signs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    make_signer(folder.path());
    let numbers = ["--orig", "12025550143", "--dest", "12025550100"];
    for (attest, more) in [("A", &[][..]), ("B", &["--countries", "CA,US"][..]), ("C", &["--deny-spc", "709K"][..])] {
        let args = [&numbers[..], more].concat();
        let (said, code) = judged(folder.path(), &signed(folder.path(), attest, CALLER), &args);
        assert_eq!(code, Some(0), "{said}");
        assert_eq!((&said["valid"], &said["attest"]), (&true.into(), &attest.into()), "{said}");
        assert_eq!((&said["spc"], &said["origid"]), (&"709J".into(), &ORIGID.into()), "{said}");
        assert!(said["iat"].is_i64() && said["reason"].is_null(), "{said}");
    }
    let good = signed(folder.path(), "A", CALLER);
    let (orig, dest) = (["--orig", "12025550143"], ["--dest", "12025550100"]);
    for (identity, more, reason) in [
        (&signed(folder.path(), "Z", CALLER), &[orig, dest].concat(), "malformed-attest"),
        (&good, &[["--orig", "12025550142"], dest].concat(), "other-orig"),
        (&good, &[orig, ["--dest", "12025550101"]].concat(), "other-dest"),
        (&good, &[orig, dest, ["--at", "1767225600"]].concat(), "future"),
        (&good, &[orig, dest, ["--at", "4102444800"]].concat(), "stale"),
        (&good, &[orig, dest, ["--countries", "FR"]].concat(), "other-country"),
        (&good, &[orig, dest, ["--deny-spc", "709K"], ["--deny-spc", "709J"]].concat(), "denied-spc"),
        (
            &good.replace("info=<https://certificates", "info=<https://elsewhere"),
            &[orig, dest].concat(),
            "info-differs",
        ),
    ] {
        let (said, code) = judged(folder.path(), identity, more);
        assert_eq!((code, &said["valid"], &said["reason"]), (Some(6), &false.into(), &reason.into()), "{said}");
    }
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs secsipidx: run tests/run")]
fn the_command_fetches_from_a_server_that_the_operator_knows() {
    run_inside("the_command_fetches_from_a_server_that_the_operator_knows", || {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (_runtime, names) = internet(folder.path());
        let server = names.address().to_string();
        let asks = ["--orig", "12025550143", "--dest", "12025550100", "--nameserver", &server];
        let token = signed(folder.path(), "A", CALLER);
        let (said, code) = told(folder.path(), &token, &[&asks[..], &["--tls-roots", "tls.pem"]].concat());
        assert_eq!((code, &said["spc"]), (Some(0), &"709J".into()), "{said}");
        // Its certificate is nobody's whom browsers trust.
        let (said, code) = told(folder.path(), &token, &asks);
        assert_eq!((code, &said["reason"]), (Some(6), &"x5u-unreachable".into()), "{said}");
    });
}

#[test]
fn the_command_looks_into_lists_and_believes_delegates_if_it_is_told_to() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ivr/core/scenarios/passport");
    let token = std::fs::read_to_string(vectors.join("a.identity")).expect("a file");
    let iat = Passport::read(token.trim()).expect("a token").iat().to_string();
    let (holds, does_not) = ((Some(0), serde_json::Value::Null), |reason| (Some(6), serde_json::Value::from(reason)));
    for (leaf, more, expected) in [
        ("spc.pem", &["--crl", "crl-empty.pem"][..], holds.clone()),
        ("spc.pem", &["--crl", "crl-spc.pem"], does_not("revoked")),
        ("spc.pem", &["--crl", "crl-empty.pem", "--crl", "crl-spc.pem"], does_not("revoked")),
        ("range.pem", &["--crl", "crl-spc.pem"], holds.clone()),
        ("delegate-one.pem", &[], does_not("delegate")),
        ("delegate-one.pem", &["--delegates"], holds),
    ] {
        let output = dialproof()
            .args(["passport", "verify", "--identity", "a.identity", "--anchors", "root.pem", "--leaf", leaf])
            .args(["--orig", "12025550143", "--dest", "12025550199", "--at", &iat])
            .args(more)
            .current_dir(&vectors)
            .output()
            .expect("the program runs");
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!((output.status.code(), said["reason"].clone()), expected, "{leaf} {more:?}");
    }
}

#[test]
fn a_leaf_that_is_no_certificate_is_a_mistake_of_the_command_and_no_verdict() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    make_signer(folder.path());
    std::fs::write(folder.path().join("identity.txt"), "a.b.c;info=<https://certificates.example/leaf.pem>\n")
        .expect("a file");
    let output = dialproof()
        .args([
            "passport",
            "verify",
            "--identity",
            "identity.txt",
            "--anchors",
            "anchors.pem",
            "--leaf",
            "identity.txt",
        ])
        .args(["--orig", "12025550143", "--dest", "12025550100"])
        .current_dir(folder.path())
        .output()
        .expect("the program runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && told.contains("holds no certificate in PEM"), "{output:?}");
}

/// A service in a network with a server of certificates and a name server.
struct Scene {
    place: Installation,
    service: Service,
    folder: PathBuf,
    runtime: Runtime,
}

impl Scene {
    fn new() -> Self {
        Self::of("", "anchors = \"anchors.pem\"")
    }

    /// Over a trunk whose calls must all be signed.
    fn requiring() -> Self {
        Self::of("identity = \"required\"", "anchors = \"anchors.pem\"")
    }

    /// The anchors are those of an authority for these countries.
    fn answering_for(countries: &str) -> Self {
        let authority = "[[passports.authority]]\nname = \"theirs\"\nanchors = \"anchors.pem\"";
        Self::of("", &format!("{authority}\ncountries = {countries}"))
    }

    /// Lines of the trunk, and of `[passports]`.
    fn of(of_trunk: &str, of_passports: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (runtime, names) = internet(folder.path());
        let sip = format!("nameservers = [\"{}\"]", names.address());
        // A forwarded call would not say so here: only a signature lifts that.
        let believed =
            BELIEVED.replace("keeps_diversion = \"yes\"", "keeps_diversion = \"no\"\nidentity_passthrough = true");
        let trunks = format!("[[trunk]]\nname = \"carrier\"\nsources = [\"127.0.0.1\"]\n{believed}\n{of_trunk}\n");
        let passports = format!("[passports]\ntls_roots = \"tls.pem\"\n{of_passports}\n");
        let trunks = format!("{trunks}\n{passports}");
        let wanted =
            Wanted { families: Families::Ipv4, media: &media_ports(), sip: &sip, trunks: &trunks, dht: &own_ring() };
        let path = folder.path().to_owned();
        let place = Installation::new(folder, wanted);
        let service = place.serve();
        Self { place, service, folder: path, runtime }
    }

    fn begin(&self) -> Started {
        let start = Start { number: CALLER, csr: None, publish: false, locale: "en" };
        self.runtime.block_on(Api::new(self.service.http()).start(&start)).expect("a verification")
    }

    /// The built-in caller bears this header, keys in the code, and types the digits that it hears.
    fn prove(&self, identity: &str) -> CallReport {
        let started = self.begin();
        let plan = CallPlan {
            service: self.service.sip(),
            local: Some(Ipv4Addr::LOCALHOST.into()),
            dialled: DIALLED.to_owned(),
            uri_parameters: Vec::new(),
            identity: Identity::of(CALLER).with("Identity", identity),
            laws: vec![Law::Mu],
            scenario: Conversation::Happy,
            code: started.code.clone(),
            vocabulary: Vocabulary::of(&Library::embedded(), "en"),
            patience: std::time::Duration::from_secs(200),
        };
        let api = Api::new(self.service.http());
        let (spoken, mut understood) = mpsc::unbounded_channel::<Private<String>>();
        let calling = call(plan, move |news| {
            if let News::ReadBack(digits) = news {
                // The page is gone only when the call is.
                let _closed = spoken.send(digits);
            }
        });
        let typing = async {
            while let Some(digits) = understood.recv().await {
                api.type_in(&started, digits.expose()).await.expect("right");
            }
        };
        self.runtime.block_on(async { tokio::join!(calling, typing).0 }).expect("a call")
    }

    /// Level, outcome, reason and what was found out of the signature, of this call, or of the only one.
    fn recorded(&self, sip_call_id: Option<&str>) -> (Option<i64>, String, Option<String>, serde_json::Value) {
        type Told = (Option<i64>, String, Option<String>, Option<String>);
        let sql = "SELECT level, outcome, reason, passport FROM calls WHERE sip_call_id = COALESCE($1, sip_call_id)";
        let mut found: Option<Told> = None;
        wait_until("the call is recorded", || {
            found = self.database(async |pool| sqlx::query_as(sql).bind(sip_call_id).fetch_optional(&pool).await);
            found.as_ref().is_some_and(|(_, outcome, ..)| outcome != "live")
        });
        let (level, outcome, reason, passport) = found.expect("waited for it");
        let passport = passport.map_or(serde_json::Value::Null, |json| serde_json::from_str(&json).expect("JSON"));
        (level, outcome, reason, passport)
    }

    fn database<T>(&self, ask: impl AsyncFnOnce(SqlitePool) -> Result<T, sqlx::Error>) -> T {
        let options = SqliteConnectOptions::new().filename(self.place.path("data/dialproof.db"));
        self.runtime.block_on(async {
            ask(SqlitePool::connect_with(options).await.expect("a database")).await.expect("an answer")
        })
    }
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs secsipidx: run tests/run")]
fn what_secsipidx_signs_proves_l3() {
    run_inside("what_secsipidx_signs_proves_l3", || {
        let scene = Scene::new();
        let call = scene.prove(&signed(&scene.folder, "A", CALLER));
        assert_eq!(call.status, Some(200), "{call:?}\n{}", scene.service.log());
        let (level, outcome, _, signature) = scene.recorded(None);
        assert_eq!((level, outcome.as_str()), (Some(3), "verified"), "{signature}");
        for (name, value) in [("verdict", "A"), ("spc", "709J"), ("origid", ORIGID), ("x5u", X5U)] {
            assert_eq!(signature[name], value, "{signature}");
        }
        // Attestation B does not lift that a forwarded call might not say so: it is not even verified.
        let low = scene.prove_not(&signed(&scene.folder, "B", CALLER));
        assert_eq!(low, (Some(403), "below-issuing-level".to_owned(), String::new()));
        let other = scene.prove_not(&signed(&scene.folder, "A", "+12025550142"));
        assert_eq!(other, (Some(438), "invalid-identity".to_owned(), "other-orig".to_owned()));
    });
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs secsipidx: run tests/run")]
fn an_authority_attests_no_numbers_but_its_countries() {
    run_inside("an_authority_attests_no_numbers_but_its_countries", || {
        let french = Scene::answering_for("[\"FR\"]");
        let refused = french.prove_not(&signed(&french.folder, "A", CALLER));
        assert_eq!(refused, (Some(437), "unsupported-credential".to_owned(), "other-country".to_owned()));
        drop(french);
        let removed = Command::new("ip").args(["address", "del", &format!("{PUBLIC}/32"), "dev", "lo"]).status();
        assert!(removed.expect("ip was there").success());

        let both = Scene::answering_for("[\"FR\", \"US\"]");
        let call = both.prove(&signed(&both.folder, "A", CALLER));
        assert_eq!(call.status, Some(200), "{call:?}\n{}", both.service.log());
        assert_eq!(both.recorded(None).0, Some(3));
    });
}

impl Scene {
    /// A call of SIPp with this header that is answered, and ends.
    fn is_answered_by_sipp(&self, identity: &str) {
        let header = format!("Identity: {identity}\n");
        let ringing = Scenario::default().opens("INVITE", &header, Some(SPEECH)).may_hear(100).may_hear(180);
        let answered = ringing.hears(200, &["m=audio"]).says("ACK", "", None).waits(500);
        let call = answered.says("BYE", "", None).hears(200, &[]);
        let played = call.play(CALLER, DIALLED, self.service.sip(), "u1");
        played.unwrap_or_else(|otherwise| panic!("{otherwise}\n{}", self.service.log()));
    }

    /// A call with this header that is refused: status, reason, and what was found out of the signature.
    fn prove_not(&self, identity: &str) -> (Option<u16>, String, String) {
        let call = self.prove(identity);
        let (_, _, reason, signature) = self.recorded(Some(&call.call_id));
        (call.status, reason.unwrap_or_default(), signature["verdict"].as_str().unwrap_or_default().to_owned())
    }
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp and secsipidx: run tests/run")]
fn a_call_of_sipp_with_a_signed_identity_proves_l3() {
    run_inside("a_call_of_sipp_with_a_signed_identity_proves_l3", || {
        let scene = Scene::new();
        scene.begin();
        scene.is_answered_by_sipp(&signed(&scene.folder, "A", CALLER));
        let (level, outcome, _, signature) = scene.recorded(None);
        assert_eq!((level, outcome.as_str(), &signature["verdict"]), (Some(3), "hung-up", &"A".into()), "{signature}");
    });
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp and secsipidx: run tests/run")]
fn a_call_of_sipp_without_an_identity_is_told_to_bring_one_where_the_trunk_requires_it() {
    run_inside("a_call_of_sipp_without_an_identity_is_told_to_bring_one_where_the_trunk_requires_it", || {
        let scene = Scene::requiring();
        scene.begin();
        let other = "Identity: e30.e30.c2ln;info=<https://certificates.example/rph.pem>;ppt=rph\n";
        for headers in ["", other] {
            let refused = Scenario::default().opens("INVITE", headers, Some(SPEECH)).may_hear(100);
            let refused = refused.hears(428, &["Use Identity Header"]).says_of_the_invite("ACK");
            let played = refused.play(CALLER, DIALLED, scene.service.sip(), "u1");
            played.unwrap_or_else(|otherwise| panic!("{otherwise}\n{}", scene.service.log()));
        }
        let mut reasons: Vec<String> = Vec::new();
        wait_until("both calls are recorded", || {
            let sql = "SELECT reason FROM calls WHERE outcome = 'refused'";
            reasons = scene.database(async |pool| sqlx::query_scalar(sql).fetch_all(&pool).await);
            reasons.len() == 2
        });
        assert!(reasons.iter().all(|reason| reason == "use-identity-header"), "{reasons:?}");

        scene.is_answered_by_sipp(&signed(&scene.folder, "A", CALLER));
    });
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs Kamailio and SIPp: run tests/run")]
fn a_call_that_kamailio_signs_proves_l3() {
    run_inside("a_call_that_kamailio_signs_proves_l3", || {
        let scene = Scene::new();
        scene.begin();
        let kamailio = Kamailio::signing(free_port(), scene.service.sip(), X5U, &scene.folder.join("leaf.key"));
        let ringing = Scenario::default().opens("INVITE", "", Some(SPEECH)).may_hear(100).may_hear(180);
        let answered = ringing.hears(200, &["m=audio"]).says("ACK", "[routes]\n", None).waits(500);
        let call = answered.says("BYE", "[routes]\n", None).hears(200, &[]);
        let played = call.play(CALLER, DIALLED, kamailio.address(), "u1");
        played.unwrap_or_else(|otherwise| panic!("{otherwise}\n{}", scene.service.log()));
        let (level, _, _, signature) = scene.recorded(None);
        assert_eq!((level, &signature["verdict"], &signature["spc"]), (Some(3), &"A".into(), &"709J".into()));
    });
}
