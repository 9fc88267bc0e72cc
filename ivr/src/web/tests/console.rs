//! The operators' console as its people meet it: here what is true of all its pages.

mod call;
mod calls;
mod certificates;
mod login;

use axum::http::StatusCode;
use axum::http::header::CONTENT_SECURITY_POLICY;
use ivr_core::call::flow::{Ending, Step};
use ivr_core::call::question::VerificationId;
use ivr_core::caller::Realm;
use ivr_core::endpoint::Entry;
use ivr_core::media::{CallKey, KeySource, Quality, Reported, Suite};
use ivr_core::private::Private;
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
