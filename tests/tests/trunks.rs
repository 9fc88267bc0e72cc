//! What an operator does about a trunk: an account that its calls must prove, and a probe that finds its profile out.

use std::process::Output;

use end_to_end::forms::Forms;
use end_to_end::installation::{BELIEVED, Families, Installation, Wanted, own_ring};
use end_to_end::linphone::Linphone;
use end_to_end::proving::Telephone;
use end_to_end::service::{dialproof, media_ports, wait_until};
use end_to_end::sipp::{SPEECH, Scenario};
use ivr::phone::api::{Api, Start};
use ivr::phone::{CallPlan, CallReport, Identity, Law, Scenario as Behaviour, Stage, call};
use ivr_core::private::Private;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use tokio::runtime::Runtime;
use voice_prompts::{Library, Vocabulary};

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PASSWORD: &str = "a long enough password";

fn installed(families: Families, trunks: &str) -> Installation {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("calls.password"), "0123456789abcdef\n").expect("a file");
    let (media, dht) = (media_ports(), own_ring());
    Installation::new(folder, Wanted { families, media: &media, sip: "", trunks, dht: &dht })
}

/// A trunk whose addresses are shared, and that proves an account by this algorithm.
fn account(algorithm: &str) -> String {
    let believed = BELIEVED.replace("shared_addresses = false", "shared_addresses = true");
    format!(
        "[[trunk]]\nname = \"carrier\"\nsources = [\"{LOCAL}\"]\n{believed}\n[trunk.digest]\nrealm = \"test.example\"\n\
         user = \"carrier\"\npassword_file = \"calls.password\"\nalgorithms = [\"{algorithm}\"]\n"
    )
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs Linphone: run tests/run")]
fn linphone_proves_its_account_by_sha_256() {
    let at = installed(Families::Both, &account("SHA-256"));
    let service = at.serve();
    let (runtime, api) = (Runtime::new().expect("a runtime"), Api::new(service.http()));
    let start = Start { number: "+12025550184", csr: None, publish: false, locale: "en" };
    let started = runtime.block_on(api.start(&start)).expect("a verification");
    let uri = format!("sip:{}@{}", started.dial.number, at.sip());
    let login = |password| Linphone::of_account("+12025550184", "test.example", ("carrier", password));
    let mut phone = login("0123456789abcdef");
    phone.dial(&uri);
    phone.hang_up();
    login("0123456789abcdeg").fails_to_dial(&uri);
    assert!(service.terminate().success());
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp: run tests/run")]
fn a_trunk_that_must_prove_its_account_is_challenged_and_nobody_else_is_let_in() {
    let at = installed(Families::Ipv4, &account("MD5"));
    let service = at.serve();
    let (runtime, api) = (Runtime::new().expect("a runtime"), Api::new(service.http()));
    let challenge = ["realm=.test.example.", "algorithm=MD5", "qop=.auth."];
    let proving = |password: &str| {
        Scenario::default().opens("INVITE", "", Some(SPEECH)).proves(&challenge, "carrier", password, SPEECH)
    };
    for (transport, number) in [("u1", "+12025550171"), ("t1", "+12025550172")] {
        let start = Start { number, csr: None, publish: false, locale: "en" };
        let started = runtime.block_on(api.start(&start)).expect("a verification");
        let dialled = &started.dial.number;
        // In the dialog nothing is challenged again.
        let call = proving("0123456789abcdef").may_hear(100).may_hear(180).hears(200, &["m=audio"]);
        let call = call.says("ACK", "", None).waits(200).says("INVITE", "", Some(SPEECH)).may_hear(100).hears(200, &[]);
        let call = call.says("ACK", "", None).says("BYE", "", None).hears(200, &[]);
        call.play(number, dialled, at.sip(), transport).unwrap_or_else(|otherwise| panic!("{transport}: {otherwise}"));

        let wrong = proving("0123456789abcdeg").hears(403, &[]).says_of_the_invite("ACK");
        wrong.play(number, dialled, at.sip(), transport).unwrap_or_else(|otherwise| panic!("{transport}: {otherwise}"));
    }
    assert!(!service.log().contains("0123456789"), "a password stands in the log");
    assert!(service.terminate().success());
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs Linphone: run tests/run")]
fn a_developers_softphone_dials_the_sandbox_with_an_account_from_anywhere() {
    let trunks = format!(
        "[[trunk]]\nname = \"carrier\"\nsources = [\"192.0.2.1\"]\n{BELIEVED}\n[[trunk]]\nname = \"rehearsals\"\nsandbox = true\n\
         sources = [\"0.0.0.0/0\"]\nnumbers = [\"+12025550109\"]\ncli_screened = true\ncountry = \"US\"\nkeeps_diversion = \"yes\"\n\
         [trunk.digest]\nrealm = \"test.example\"\nuser = \"developer\"\npassword_file = \"calls.password\"\n\
         [sandbox]\nnumbers = [\"+12025550150\"]\n"
    );
    let at = installed(Families::Both, &trunks);
    let service = at.serve();
    let login = |password| Linphone::of_account("+12025550150", "test.example", ("developer", password));
    let sandbox = Api::new(service.http()).rehearsing();
    let start = Start { number: "+12025550150", csr: None, publish: false, locale: "en" };
    let started = Runtime::new().expect("a runtime").block_on(sandbox.start(&start)).expect("a rehearsal");
    assert_eq!(started.dial.number, "+12025550109", "the number of the sandbox's trunk");
    let mut phone = login("0123456789abcdef");
    phone.dial(&format!("sip:+12025550109@{}", at.sip()));
    phone.hang_up();
    login("0123456789abcdeg").fails_to_dial(&format!("sip:+12025550109@{}", at.sip()));
    assert!(service.terminate().success());
}

/// The operator's page of the trunk.
struct Console {
    forms: Forms,
}

impl Console {
    async fn enter(at: &Installation) -> Self {
        std::fs::write(at.path("password"), format!("{PASSWORD}\n")).expect("a file");
        let (config, password) = (at.path("config.toml"), at.path("password"));
        let mut add = dialproof();
        add.args(["operator", "add", "ada", "--password-file"]).arg(password).arg("-c").arg(config);
        let added = add.output().expect("the program runs");
        assert!(added.status.success(), "{added:?}");
        let mut forms = Forms::at(&format!("http://{}", at.http()));
        forms.open("/console/login").await;
        let fields = [("name", "ada"), ("password", PASSWORD), ("next", "")];
        assert_eq!(forms.post("/console/login", &fields).await.0, 303);
        Self { forms }
    }

    async fn page(&mut self) -> String {
        let (status, page) = self.forms.open("/console/trunks/carrier").await;
        assert_eq!(status, 200, "{page}");
        page
    }

    async fn announce(&mut self, step: &str, number: &str, forwarder: &str) {
        self.page().await;
        let fields = [("step", step), ("number", number), ("forwarder", forwarder)];
        let answer = self.forms.post("/console/trunks/carrier/probe", &fields).await;
        assert_eq!(answer, (303, Some("/console/trunks/carrier".to_owned())));
    }
}

/// The `[[trunk]]` that the page proposes.
fn proposed(page: &str) -> String {
    let (_, rest) = page.split_once("aria-label=\"Proposed profile, TOML\">").expect("a proposal");
    let text = rest.split("</pre>").next().expect("an end");
    [("&#34;", "\""), ("&#60;", "<"), ("&#62;", ">"), ("&#39;", "'"), ("&#38;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (escape, sign)| text.replace(escape, sign))
}

/// Four calls as a carrier in Germany would hand them on, and the profile that they propose.
#[test]
fn four_calls_of_the_operator_find_out_a_profile_that_holds() {
    // Nothing is known of it but where it is.
    let bare = format!("[[trunk]]\nname = \"carrier\"\nsources = [\"{LOCAL}\"]\nnumbers = [\"+493023125100\"]\n");
    let at = installed(Families::Ipv4, &bare);
    let service = at.serve();
    let runtime = Runtime::new().expect("a runtime");
    let identity = |from: &str, asserted: &str| Identity {
        from: Private::new(from.to_owned()),
        asserted: vec![Private::new(asserted.to_owned())],
        privacy: None,
        others: Vec::new(),
    };
    let phone = |user: &str| format!("<sip:{user}@carrier.invalid;user=phone>");
    let mobile = identity(&phone("015123456789"), &phone("015123456789"));
    let anonymous = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
    let withheld = Identity { privacy: Some("id".to_owned()), ..identity(anonymous, &phone("015123456789")) };
    let forwarded = mobile.clone().with("Diversion", "<sip:030231259990@carrier.invalid>;reason=unconditional");
    let abroad = identity(&phone("00442079460123"), &phone("00442079460123"));
    let steps = [
        ("normal", "+4915123456789", "", mobile.clone()),
        ("withheld", "+4915123456789", "", withheld),
        ("forwarded", "+4915123456789", "+4930231259990", forwarded),
        ("abroad", "+442079460123", "", abroad),
    ];
    let dials = |identity: Identity| -> CallReport {
        let plan = CallPlan {
            service: at.sip(),
            local: Some(LOCAL),
            dialled: "+493023125100".to_owned(),
            uri_parameters: Vec::new(),
            identity,
            laws: vec![Law::A],
            scenario: Behaviour::HangUp(Stage::Warning),
            code: Private::new(String::new()),
            // A number of Germany is warned in German.
            vocabulary: Vocabulary::of(&Library::embedded(), "de"),
            patience: Duration::from_secs(60),
        };
        runtime.block_on(call(plan, |_| {})).expect("a call")
    };
    let mut console = runtime.block_on(Console::enter(&at));
    for (step, number, forwarder, identity) in steps {
        runtime.block_on(console.announce(step, number, forwarder));
        wait_until("the telephone waits for the call", || {
            let page = runtime.block_on(console.page());
            page.contains("Waiting for the call")
        });
        let report = dials(identity);
        assert_eq!((report.status, report.setup), (Some(480), None), "{step}: {report:?}");
        wait_until("the page shows what arrived", || {
            !runtime.block_on(console.page()).contains("Waiting for the call")
        });
    }
    let page = runtime.block_on(console.page());
    for hidden in ["15123456789", "2079460123", "30231259990"] {
        assert!(!page.contains(hidden), "the page shows a whole number");
    }
    let toml = proposed(&page);
    for line in [
        "trust_pai = true",
        "number_format = \"national\"",
        "country = \"DE\"",
        "trunk_prefix = \"0\"",
        "international_prefix = \"00\"",
        "keeps_diversion = \"yes\"",
        "#cli_screened = true",
    ] {
        assert!(toml.lines().any(|proposed| proposed == line), "{line} is not in\n{toml}");
    }
    assert!(service.terminate().success());

    // With the operator's word for what only the contract says, the profile serves.
    let config = std::fs::read_to_string(at.path("config.toml")).expect("a file");
    let toml = toml.replace("#cli_screened", "shared_addresses = false\ncli_screened");
    assert!(config.contains(&bare), "{config}");
    std::fs::write(at.path("config.toml"), config.replace(&bare, &toml)).expect("a file");
    let checked: Output =
        dialproof().arg("check-config").arg("-c").arg(at.path("config.toml")).output().expect("the program runs");
    let said = format!("{}{}", String::from_utf8_lossy(&checked.stdout), String::from_utf8_lossy(&checked.stderr));
    assert!(checked.status.success() && !said.contains("every call over it will be refused"), "{said}");
    let service = at.serve();
    let start = Start { number: "+4915123456789", csr: None, publish: false, locale: "de" };
    runtime.block_on(Api::new(service.http()).start(&start)).expect("a verification");
    // Certificates are issued from L2 on: what is answered is worth that.
    assert_eq!(dials(mobile).status, Some(200));
    assert!(service.terminate().success());
}
