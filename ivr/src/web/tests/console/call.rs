//! The page of one call.

use std::sync::Arc;

use axum::http::header::CACHE_CONTROL;
use ivr_core::caller::{Attest, Caller, Caps, Level, Reason};
use ivr_core::passport::{Fault, Passport, Report, SignedBy};

use super::*;

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
async fn what_became_of_a_signed_identity_stands_on_its_calls_page() {
    let service = Service::new().await;
    let passport = Passport::read(include_str!("../../../../core/scenarios/passport/a.identity")).unwrap();
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
async fn a_call_without_audio_says_what_to_look_at() {
    for (ending, name, words) in [
        (Ending::NoAudio, "no-audio", ["No audio arrived", "rtp_address", "Ended: no audio"]),
        (Ending::AudioStopped, "audio-stopped", ["Audio stopped", "without a BYE", "Ended: audio stopped"]),
    ] {
        let service = Service::new().await;
        let ended = Entry::Step(Step::Ended(ending));
        service.record(vec![began("silent"), ended, Entry::Over { duration: Duration::from_secs(30) }]).await;
        let mut ada = service.operator("ada").await;
        let call = only_call(&mut ada).await;
        let page = ada.get(&call).await;
        words.iter().fold(&page, |page, words| page.says(words)).does_not_say("Hung up");
        ada.get(&call.replace("/console", "/v1")).await.says(&format!("\"outcome\":\"{name}\""));
        ada.get("/console/calls.csv").await.says(&format!("\"{name}\""));
        ada.get(&format!("/console/calls?outcome={name}")).await.says("<td role=\"cell\"><a href");
    }
}
