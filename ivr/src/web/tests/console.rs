//! The operators' console as its people meet it: logging in, calls, certificates.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE};
use axum::http::{Method, StatusCode};
use ivr_core::call::flow::{Ending, Step};
use ivr_core::call::question::VerificationId;
use ivr_core::caller::{Attest, Caller, Caps, Level, Realm, Reason};
use ivr_core::endpoint::Entry;
use ivr_core::media::{CallKey, KeySource, Quality, Reported, Suite};
use ivr_core::passport::{Fault, Passport, Report, SignedBy};
use ivr_core::private::Private;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

use super::service::NUMBER;
use super::{Browser, Service};
use crate::clock::Clock;
use crate::sip_driver::Recorded;
use crate::verify::fixture::{caller, request};
use crate::web::harden::POLICY;

pub(super) const PASSWORD: &str = "correct horse";
const LOGIN: [(&str, &str); 2] = [("name", "ada"), ("password", PASSWORD)];

impl Service {
    /// A browser whose person is logged in.
    pub(super) async fn operator(&self, name: &str) -> Browser {
        self.app.operators.add(name, &Private::new(PASSWORD.to_owned()), Clock.wall()).await.unwrap();
        let mut browser = Browser::new(&self.router);
        let login = browser.submit("/console/login", "/console/login", &[("name", name), ("password", PASSWORD)]).await;
        assert_eq!((login.status, login.location().as_str()), (StatusCode::SEE_OTHER, "/console/calls"), "{login:?}");
        browser
    }

    /// Writes a call's lines as the telephone would.
    pub(super) async fn record(&self, entries: Vec<Entry>) {
        self.record_all(entries.into_iter().map(|entry| (CallKey(1), entry)).collect()).await;
    }

    async fn record_all(&self, entries: Vec<(CallKey, Entry)>) {
        let (sender, receiver) = mpsc::channel(entries.len());
        for (call, entry) in entries {
            sender.send(Recorded { call, at: Clock.wall(), entry }).await.unwrap();
        }
        drop(sender);
        self.app.calls.clone().run(self.verify.clone(), receiver).await;
    }

    /// This many calls, all answered, whose Call-IDs are their numbers.
    pub(super) async fn calls(&self, numbers: std::ops::Range<u64>) {
        let over = |n| (CallKey(n), Entry::Over { duration: Duration::from_secs(n) });
        self.record_all(numbers.flat_map(|n| [(CallKey(n), began(&format!("call-{n}."))), over(n)]).collect()).await;
    }
}

pub(super) fn began(call_id: &str) -> Entry {
    began_on(call_id, "carrier")
}

fn began_on(call_id: &str, trunk: &str) -> Entry {
    Entry::Began {
        sip_call_id: call_id.to_owned(),
        trunk: Some(trunk.to_owned()),
        realm: Realm::Service,
        source: "192.0.2.7:5060".parse().unwrap(),
        caller: Some(caller(NUMBER)),
    }
}

fn message(sent: bool, summary: &str) -> Entry {
    Entry::Message { sent, summary: Private::new(summary.to_owned()) }
}

/// A call that proves the number.
pub(super) fn happy(page: VerificationId) -> Vec<Entry> {
    let quality = Quality {
        packets_sent: 1500,
        packets_received: 985,
        packets_lost: 15,
        packets_foreign: 3,
        packets_unauthentic: 2,
        jitter: Duration::from_micros(1250),
        reported: Some(Reported {
            packets_expected: 1490,
            packets_lost: 60,
            jitter: Duration::from_micros(4_125),
            round_trip: Some(Duration::from_micros(20_250)),
        }),
        srtp: Some(Suite::AesCm128Sha1_80),
    };
    vec![
        began("happy@192.0.2.7"),
        message(false, "INVITE sip:+12025550100@192.0.2.1 SIP/2.0 (1)"),
        message(true, "SIP/2.0 200 OK (1 INVITE)"),
        Entry::Answered { setup: Duration::from_micros(4321) },
        message(false, "ACK sip:+12025550100@192.0.2.1 SIP/2.0 (1)"),
        Entry::Step(Step::Warning),
        Entry::Step(Step::EnteringCode),
        key(None),
        key(None),
        key(None),
        Entry::Step(Step::CodeMatched(page)),
        Entry::Step(Step::Confirming),
        key(Some(true)),
        Entry::Step(Step::Ended(Ending::Verified)),
        message(true, "BYE sip:+12025550143@192.0.2.7 SIP/2.0 (1)"),
        Entry::Quality(quality),
        Entry::Over { duration: Duration::from_millis(65_400) },
    ]
}

fn key(matched: Option<bool>) -> Entry {
    Entry::KeyPressed { source: KeySource::TelephoneEvent, matched }
}

/// The address of the page's only call.
async fn only_call(browser: &mut Browser) -> String {
    let list = browser.get("/console/calls").await;
    let (_, from) = list.body.split_once("<td role=\"cell\"><a href=\"").expect("a call is listed");
    from.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn without_a_login_every_page_leads_to_the_login_and_from_there_back() {
    let service = Service::new().await;
    service.operator("ada").await;
    let id = "0".repeat(32);
    for path in [
        "/console/calls?trunk=a%26b",
        "/console/calls.csv",
        &format!("/console/calls/{id}"),
        "/console/certificates",
        &format!("/console/certificates/{id}"),
    ] {
        let mut browser = Browser::new(&service.router);
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        let login = answer.location();
        let token = browser.get(&login).await.says("Password").token();
        let (_, next) = login.split_once("next=").unwrap();
        let next: Vec<(String, String)> = serde_urlencoded::from_str(&format!("next={next}")).unwrap();
        let fields = [("csrf", token.as_str()), ("next", &next[0].1), LOGIN[0], LOGIN[1]];
        assert_eq!(browser.post("/console/login", &fields).await.location(), path);
    }
    let mut stranger = Browser::new(&service.router);
    let token = stranger.get("/console/login").await.token();
    for path in ["/console/calls/0/reveal", "/console/certificates/0/revoke", "/console/certificates/0/reveal"] {
        let answer = stranger.post(path, &[("csrf", &token), ("why", "x"), ("reason", "superseded")]).await;
        assert_eq!((answer.status, answer.location().as_str()), (StatusCode::SEE_OTHER, "/console/login?"), "{path}");
    }
}

#[tokio::test]
async fn a_wrong_password_gives_the_form_again_and_says_not_what_was_wrong() {
    let service = Service::new().await;
    service.operator("ada").await;
    let mut bodies = Vec::new();
    for (name, password) in [("ada", "battery staple"), ("eve", PASSWORD)] {
        let mut browser = Browser::new(&service.router);
        let page = browser.submit("/console/login", "/console/login", &[("name", name), ("password", password)]).await;
        assert_eq!((page.status, page.header(SET_COOKIE)), (StatusCode::UNPROCESSABLE_ENTITY, ""));
        page.says("Name or password is wrong.").does_not_say(password);
        bodies.push(page.body.replace(&page.token(), "").replace(&format!("value=\"{name}\""), ""));
    }
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn who_tries_passwords_waits() {
    let service = Service::new().await;
    service.operator("ada").await;
    let mut browser = Browser::from("192.0.2.9", &service.router);
    for _ in 0..5 {
        let page = browser.submit("/console/login", "/console/login", &[LOGIN[0], ("password", "wrong")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let refused = browser.submit("/console/login", "/console/login", &LOGIN).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "the right password is not tried either");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn a_login_is_one_browsers_and_ends() {
    let service = Service::new().await;
    let (mut ada, mut eve) = (service.operator("ada").await, service.operator("eve").await);
    assert_eq!(ada.get("/console/calls").await.status, StatusCode::OK);
    let out = ada.submit("/console/calls", "/console/logout", &[]).await;
    assert_eq!(out.location(), "/console/login");
    assert!(out.header(SET_COOKIE).starts_with("operator=; Path=/; Max-Age=0;"), "{out:?}");
    assert_eq!(ada.get("/console/calls").await.status, StatusCode::SEE_OTHER);
    eve.get("/console/calls").await.says("eve").says("No calls yet");
    let invented = [("cookie".parse().unwrap(), "operator=AAAA")];
    let answer = Browser::new(&service.router).send(Method::GET, "/console/calls", &invented, "").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_foreign_sites_and_clear_connections() {
    let service = Service::with(|settings| settings.public_url = "https://verify.example.org".to_owned()).await;
    service.app.operators.add("ada", &Private::new(PASSWORD.to_owned()), Clock.wall()).await.unwrap();
    let login = Browser::new(&service.router).submit("/console/login", "/console/login", &LOGIN).await;
    let cookies: Vec<&str> = login.headers.get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap()).collect();
    let cookie = cookies.iter().find(|line| line.starts_with("operator=")).unwrap();
    let value = cookie.split(';').next().unwrap();
    assert_eq!(*cookie, format!("{value}; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict; Secure"));
}

#[tokio::test]
async fn a_link_is_spent_by_its_button_and_lets_in_once() {
    let service = Service::new().await;
    let token = service.app.operators.one_time_link("demo", Clock.wall()).await.unwrap();
    let path = format!("/console/enter/{}", token.expose());
    // Whatever looks at a link first, such as a mail program, spends nothing.
    for _ in 0..3 {
        Browser::new(&service.router).get(&path).await.says("Enter the console");
    }
    let mut browser = Browser::new(&service.router);
    assert_eq!(browser.submit(&path, &path, &[]).await.location(), "/console/calls");
    browser.get("/console/calls").await.says("demo");
    let again = Browser::new(&service.router).submit(&path, &path, &[]).await;
    assert_eq!((again.status, again.header(SET_COOKIE)), (StatusCode::GONE, ""));
    again.says("This link was used");
}

#[tokio::test]
async fn no_form_is_taken_without_its_token() {
    let service = Service::new().await;
    let started = service.certified(request()).await;
    service.record(happy(started.id)).await;
    let serial = service.view(&started).await.certificate.unwrap().serial;
    let mut ada = service.operator("ada").await;
    let call = only_call(&mut ada).await;
    for (path, fields) in [
        ("/console/login".to_owned(), LOGIN.to_vec()),
        ("/console/logout".to_owned(), vec![]),
        ("/console/enter/AAAA".to_owned(), vec![]),
        (format!("{call}/reveal"), vec![("why", "because")]),
        (format!("/console/certificates/{serial}/reveal"), vec![("why", "because")]),
        (format!("/console/certificates/{serial}/revoke"), vec![("reason", "superseded")]),
    ] {
        let answer = ada.post(&path, &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(ada.get("/console/calls").await.status, StatusCode::OK, "she is still logged in");
    assert!(service.view(&started).await.certificate.unwrap().revoked.is_none());
}

#[tokio::test]
async fn the_pages_of_calls_follow_each_other_completely_while_calls_come_in() {
    let service = Service::new().await;
    service.calls(0..120).await;
    let mut ada = service.operator("ada").await;
    let (mut path, mut seen) = ("/console/calls?trunk=carrier".to_owned(), Vec::new());
    for newer in 200..210 {
        let page = ada.get(&path).await;
        seen.extend(
            page.body.split("<td role=\"cell\"><a href=\"/console/calls/").skip(1).map(|row| row[..32].to_owned()),
        );
        service.calls(newer..newer + 1).await;
        let Some((before, _)) = page.body.split_once("\">Older</a>") else { break };
        path = before.rsplit_once("href=\"").unwrap().1.replace("&#38;", "&");
        assert!(path.contains("trunk=carrier&after="), "{path}");
    }
    let unique: std::collections::BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), unique.len()), (120, 120));
    ada.get(&path).await.says(">Newest</a>");
}

#[tokio::test]
async fn the_address_is_the_filter_and_holds_no_empty_field() {
    let service = Service::new().await;
    service.calls(0..3).await;
    service.record(vec![began("refused"), Entry::Refused { reason: Reason::NoSession, claimed: None }]).await;
    let mut ada = service.operator("ada").await;
    let sent = ada.get("/console/calls?number=&text=call-1.&outcome=&from=&level=").await;
    assert_eq!(sent.location(), "/console/calls?text=call-1.");
    let rows = |page: &super::browser::Answer| page.body.matches("<tr role=\"row\"><td").count();
    for (query, count) in [
        ("text=call-1.", 1),
        ("number=%2B12025550143", 4),
        ("number=(202)+555-0143", 4),
        ("number=0143", 4),
        ("number=0144", 0),
        ("call_id=refused", 1),
        ("outcome=refused", 1),
        ("reason=no-session", 1),
        ("country=us&level=L2&trunk=carrier", 4),
        ("from=2020-01-01&until=2020-01-02", 0),
        ("from=2020-01-01", 4),
        ("text=%00", 0),
    ] {
        let page = ada.get(&format!("/console/calls?{query}")).await;
        assert_eq!((page.status, rows(&page)), (StatusCode::OK, count), "{query}");
    }
    for (query, field) in [("number=12", "number"), ("level=L9", "level"), ("from=x", "from"), ("after=1", "after")] {
        let page = ada.get(&format!("/console/calls?{query}")).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        page.says(&format!("role=\"alert\">The field “{field}” cannot be read: "));
    }
}

#[tokio::test]
async fn a_call_is_told_without_its_number_and_without_its_keys() {
    let service = Service::new().await;
    let started = service.certified(request()).await;
    service.record(happy(started.id)).await;
    let serial = service.view(&started).await.certificate.unwrap().serial;
    let mut ada = service.operator("ada").await;
    ada.get("/console/calls").await.says("***0143 US").says("Verified").says(&serial[..8]).does_not_say("2025550143");
    let call = only_call(&mut ada).await;
    let page = ada.get(&call).await;
    page.says("Call from <span class=\"number\">***0143</span>")
        .says("<code>happy@192.0.2.7</code>")
        .says("carrier, from <code>192.0.2.7:5060</code>")
        .says("<dd>4.3 ms</dd>")
        .says("<dd>1 min 05 s</dd>")
        .says("<dd>15 (1.5 %)</dd>")
        .says(&started.id.to_string())
        .says(&format!("href=\"/console/certificates/{serial}\""))
        .says("3 keys were pressed (telephone-event), then at +")
        .says("A key was pressed (telephone-event): the digit that was asked for")
        .says("Code matched")
        .says("Ended: verified")
        .says("BYE sip:***0143@192.0.2.7 SIP/2.0 (1)")
        .does_not_say("2025550143")
        .does_not_say("2025550100");
    assert_eq!(page.body.matches("class=\"in\"").count(), 2);
    assert_eq!(page.body.matches("class=\"out\"").count(), 2);
    assert_eq!(page.body.matches("<td>received</td>").count(), 2, "the table says the same");
    assert_eq!(page.header(CACHE_CONTROL), "no-store");
    for unknown in [format!("/console/calls/{}", "0".repeat(32)), "/console/calls/0".to_owned()] {
        assert_eq!(ada.get(&unknown).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_refused_call_is_told_in_words_and_with_what_it_was_worth() {
    let service = Service::new().await;
    let low = Caller { level: Level::L1, caps: Caps::from_codes("foreign-number"), ..caller(NUMBER) };
    let Entry::Began { sip_call_id, trunk, realm, source, .. } = began("low@192.0.2.7") else { unreachable!() };
    let began = Entry::Began { sip_call_id, trunk, realm, source, caller: Some(low) };
    service.record(vec![began, Entry::Refused { reason: Reason::BelowIssuingLevel, claimed: None }]).await;
    let mut ada = service.operator("ada").await;
    let words = Reason::BelowIssuingLevel.sentences("en").console;
    ada.get("/console/calls?level=L1").await.says("<code>below-issuing-level</code>").says(words);
    let call = only_call(&mut ada).await;
    ada.get(&call)
        .await
        .says("403 <code>below-issuing-level</code>")
        .says(&format!("Refused: {words}"))
        .says(&format!("L1: {}", Level::L1.meaning("en")))
        .says("No higher: The number is not of the trunk");
    let told = ada.get(&call.replace("/console", "/v1")).await;
    told.says("\"by\":\"foreign-number\"").says("\"level\":\"L1\"").says(words);
}

#[tokio::test]
async fn a_certificate_tells_what_its_level_means_and_why_it_is_no_higher() {
    let service = Service::new().await;
    let started = service.certified(request()).await;
    service.record(happy(started.id)).await;
    let view = service.view(&started).await;
    assert_eq!((view.caps.to_string().as_str(), view.is_code_only), ("not-attested", false));
    let serial = view.certificate.unwrap().serial;
    let mut ada = service.operator("ada").await;
    ada.get(&format!("/console/certificates/{serial}"))
        .await
        .says(&format!("L2: {}", Level::L2.meaning("en")))
        .says("No higher: No attestation A came that counts")
        .does_not_say("code only");
    for (level, count) in [("L2", 1), ("L1", 0)] {
        let list = ada.get(&format!("/console/certificates?level={level}")).await;
        assert_eq!(list.body.matches("<tr role=\"row\"><td").count(), count, "{level}");
    }
    assert_eq!(ada.get("/console/certificates?level=L9").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn who_says_why_sees_the_number_and_stands_in_the_audit() {
    let service = Service::new().await;
    service.record(happy(VerificationId([1; 16]))).await;
    let mut ada = service.operator("ada").await;
    let call = only_call(&mut ada).await;
    let long = "x".repeat(201);
    for why in ["", "  ", &long, "a\u{7}b"] {
        let page = ada.submit(&call, &format!("{call}/reveal"), &[("why", why)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{why}");
        page.does_not_say("202-555-0143").says("aria-invalid=\"true\"");
    }
    let audit = service.database.contents(&["audit"]).await;
    assert!(!audit.iter().any(|(_, value)| value == b"reveal"));
    let page = ada.submit(&call, &format!("{call}/reveal"), &[("why", "she asked")]).await;
    page.says("+1 202-555-0143").says("BYE sip:+12025550143@192.0.2.7").does_not_say("Show the whole number");
    let audit = service.database.contents(&["audit"]).await;
    let id = call.rsplit_once('/').unwrap().1;
    assert!(audit.iter().any(|(_, value)| value == format!("call {id}: she asked").as_bytes()));
    ada.get(&call).await.does_not_say("202-555-0143");
}

#[tokio::test]
async fn what_peers_write_is_text_everywhere() {
    let service = Service::new().await;
    let evil = "\"><script>alert(1)</script>";
    let entries = vec![
        began_on(&format!("=cmd|'{evil}"), &format!("{evil}&trunk")),
        message(false, &format!("BYE sip:{evil}@x SIP/2.0 (1)")),
        Entry::Over { duration: Duration::ZERO },
    ];
    service.record(entries).await;
    let mut ada = service.operator("ada").await;
    let call = only_call(&mut ada).await;
    for path in ["/console/calls", &call] {
        ada.get(path).await.does_not_say("<script>alert").says("&#60;script&#62;alert");
    }
    let query = serde_urlencoded::to_string([("text", evil), ("trunk", evil), ("number", evil)]).unwrap();
    ada.get(&format!("/console/calls?{query}")).await.does_not_say("<script>alert");
    ada.get(&format!("/console/login?{}", serde_urlencoded::to_string([("next", evil)]).unwrap()))
        .await
        .does_not_say("<script>alert");
    ada.get(&format!("/console/certificates?{}", serde_urlencoded::to_string([("search", evil)]).unwrap()))
        .await
        .does_not_say("<script>alert");
    let csv = ada.get("/console/calls.csv").await;
    csv.says("\"'=cmd|'\"\"><script>").does_not_say("\"=cmd");
}

#[tokio::test]
async fn what_became_of_a_signed_identity_stands_on_its_calls_page() {
    let service = Service::new().await;
    let passport = Passport::read(include_str!("../../../core/scenarios/passport/a.identity")).unwrap();
    let signer = SignedBy { spc: Some("709J 709K".to_owned()), certificate: [0xab; 32] };
    let report = |verdict: Result<Attest, Fault>| Entry::Verified {
        report: Arc::new(Report {
            signer: verdict.is_ok().then(|| signer.clone()),
            ..Report::of(&passport, None, verdict)
        }),
        level: Level::L3,
        caps: Caps::default(),
    };
    let mut ada = service.operator("ada").await;
    for (verdict, said, happened) in [
        (Ok(Attest::A), "<code>holds, attestation A</code>", "The signed identity holds, attestation A"),
        (
            Err(Fault::NoAnchor),
            "<code>no-anchor</code>: the chain leads to none",
            "The signed identity is not believed",
        ),
    ] {
        service
            .record(vec![began(&format!("{verdict:?}")), report(verdict), Entry::Over { duration: Duration::ZERO }])
            .await;
        let list = ada.get("/console/calls").await;
        let (_, link) = list.body.split_once("<td role=\"cell\"><a href=\"").expect("a call is listed");
        let page = ada.get(link.split_once('"').unwrap().0).await;
        let by = [
            "By the provider <code>709J 709K</code>".to_owned(),
            format!("Certificate <code>{}</code>", "ab".repeat(32)),
        ];
        for by in &by {
            if verdict.is_ok() {
                page.says(by)
            } else {
                page.does_not_say(by)
            };
        }
        page.says(said)
            .says(happened)
            .says("origid <code>9d1a2c7e-0000-4000-8000-000000000001</code>")
            .says("x5u <code>https://certificates.example/leaf.pem</code>");
    }
    ada.get("/console/calls.csv")
        .await
        .says(",\"A\",\"709J 709K\",\"9d1a2c7e-")
        .says(",\"no-anchor\",\"\",\"9d1a2c7e-");
}

#[tokio::test]
async fn the_quality_of_a_call_stands_on_its_page_and_in_the_file() {
    let service = Service::new().await;
    service.record(happy(VerificationId([1; 16]))).await;
    // What has no figures has none in the file, either.
    service.record(vec![began("none"), Entry::Over { duration: Duration::ZERO }]).await;
    let mut ada = service.operator("ada").await;
    let list = ada.get("/console/calls?outcome=verified").await;
    let (_, link) = list.body.split_once("<td role=\"cell\"><a href=\"").expect("a call is listed");
    ada.get(link.split_once('"').unwrap().0)
        .await
        .says("<dt>Quality received (MOS, estimated)</dt><dd>4.27</dd>")
        .says("<h3>As the other side reported</h3>")
        .says("<dd>60 (4.0 %)</dd>")
        .says("<dt>Round trip</dt><dd>20.2 ms</dd>")
        .says("<dt>Quality sent (MOS, estimated)</dt><dd>4.01</dd>")
        .says("<dt>Encrypted</dt><dd>yes: <code>AES_CM_128_HMAC_SHA1_80</code></dd>")
        .says("<dt>Packets that were not authentic</dt><dd>2</dd>");
    ada.get("/console/calls.csv")
        .await
        .says("round_trip_ms,mos_received,mos_sent,srtp,packets_unauthentic,caps,line,signed,spc,origid,x5u,signer_sha256\r\n")
        .says(",\"1490\",\"60\",\"4.125\",\"20.250\",\"4.27\",\"4.01\",\"AES_CM_128_HMAC_SHA1_80\",\"2\",\"not-attested\",\"\",\"\",\"\",\"\",\"\",\"\"\r\n")
        .says(",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"not-attested\",\"\",\"\",\"\",\"\",\"\",\"\"\r\n");
}

#[tokio::test]
async fn the_file_has_every_call_of_the_filter() {
    let service = Service::new().await;
    service.calls(0..1203).await;
    service.record(vec![began_on("other", "another"), Entry::Over { duration: Duration::ZERO }]).await;
    let mut ada = service.operator("ada").await;
    ada.get("/console/calls?trunk=carrier").await.says("href=\"/console/calls.csv?trunk=carrier\"");
    let file = ada.get("/console/calls.csv?trunk=carrier").await;
    assert!(file.header(CONTENT_TYPE).starts_with("text/csv"));
    let mut lines = file.body.lines();
    assert!(lines.next().unwrap().starts_with("began_at,number,country,"));
    let ids: Vec<&str> = lines.map(|line| line.split(',').nth(6).unwrap()).collect();
    let unique: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!((ids.len(), unique.len()), (1203, 1203));
    file.says("\"***0143\",\"US\",\"L2\"").does_not_say("2025550143");
    assert_eq!(ada.get("/console/calls.csv?level=9").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn certificates_are_listed_shown_and_revoked() {
    let service = Service::new().await;
    let started = service.certified(request()).await;
    let serial = service.view(&started).await.certificate.unwrap().serial;
    let mut ada = service.operator("ada").await;
    let path = format!("/console/certificates/{serial}");
    let list = ada.get("/console/certificates").await;
    list.says(&format!("href=\"{path}\""))
        .says("***0143")
        .says(">valid<")
        .says("publishing")
        .does_not_say("2025550143");
    service.publish_now().await;
    for (query, count) in [
        ("search=%2B12025550143", 1),
        (&format!("search={serial}"), 1),
        ("status=valid", 1),
        ("status=revoked", 0),
        ("search=%2B12025550199", 0),
        ("search=nonsense", 0),
    ] {
        let page = ada.get(&format!("/console/certificates?{query}")).await;
        assert_eq!(page.body.matches("<tr role=\"row\"><td").count(), count, "{query}");
    }
    assert_eq!(ada.get("/console/certificates?search=&status=").await.location(), "/console/certificates");
    assert_eq!(ada.get("/console/certificates?status=good").await.status, StatusCode::UNPROCESSABLE_ENTITY);

    let page = ada.get(&path).await;
    page.says("Certificate for <span class=\"long\">***0143</span>").says("<dd>valid, published</dd>").says(&serial);
    page.does_not_say("2025550143").does_not_say("BEGIN CERTIFICATE");
    let revealed = ada.submit(&path, &format!("{path}/reveal"), &[("why", "an abuse report")]).await;
    revealed.says("tel:+12025550143").says("BEGIN CERTIFICATE");
    let audit = service.database.contents(&["audit"]).await;
    let noted = format!("certificate {serial}: an abuse report");
    assert!(audit.iter().any(|(_, value)| value == noted.as_bytes()));

    for reason in ["", "certificateHold", "because"] {
        let page = ada.submit(&path, &format!("{path}/revoke"), &[("reason", reason)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{reason}");
        page.says("Choose why.");
    }
    let token = page.token();
    let revoke = [("csrf", token.as_str()), ("reason", "privilegeWithdrawn")];
    assert_eq!(ada.post(&format!("{path}/revoke"), &revoke).await.location(), path);
    ada.get(&path).await.says(">revoked<").says("privilegeWithdrawn").does_not_say("Revoke for good");
    assert_eq!(ada.post(&format!("{path}/revoke"), &revoke).await.status, StatusCode::CONFLICT);
    let unknown = path.replace(&serial, &format!("{}00", &serial[..38]));
    assert_eq!(ada.get(&unknown).await.status, StatusCode::NOT_FOUND);
    assert_eq!(service.database.store.first_audit_break().await.unwrap(), None);
}

#[tokio::test]
async fn pages_are_small_and_load_nothing_from_elsewhere() {
    let service = Service::new().await;
    service.calls(0..60).await;
    let started = service.certified(request()).await;
    let mut long = happy(started.id);
    let end = long.split_off(5);
    long.extend((0..350).map(|_| message(true, &format!("SIP/2.0 200 {} (1 INVITE)", "OK".repeat(60)))));
    long.extend(end);
    service.record(long).await;
    let mut ada = service.operator("ada").await;
    let (_, from) = ada
        .get("/console/calls?call_id=happy%40192.0.2.7")
        .await
        .body
        .split_once("href=\"/console/calls/")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let call = format!("/console/calls/{}", &from[..32]);
    let serial = service.view(&started).await.certificate.unwrap().serial;
    let certificate = format!("/console/certificates/{serial}");
    for path in
        ["/console/calls", &call, "/console/certificates", &certificate, "/console/login", "/console/enter/AAAA"]
    {
        let page = ada.get(path).await;
        assert_eq!((page.status, page.header(CONTENT_SECURITY_POLICY)), (StatusCode::OK, POLICY), "{path}");
        assert!(page.body.len() <= 60 * 1024, "{path}: {} octets", page.body.len());
        page.does_not_say("<style")
            .does_not_say(" style=")
            .does_not_say("<script")
            .does_not_say("http://")
            .does_not_say("https://");
        for rest in page.body.split("href=\"").skip(1) {
            let address = rest.split('"').next().unwrap();
            assert!(address.starts_with('/') || address.starts_with('#'), "{path}: {address}");
            assert!(!address.starts_with("//") && address != "/assets/missing", "{path}: {address}");
        }
    }
    ada.get(&call).await.says("more: <a href=\"/v1/calls/");
}
