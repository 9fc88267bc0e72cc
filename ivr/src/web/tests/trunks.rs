//! The probe of a trunk, as operators do it.

use axum::http::StatusCode;
use ivr_core::caller::probe::{Call, Capture, Step};
use ivr_core::caller::{Level, Policy, TrunkIndex, TrunkProfile};
use ivr_core::number::KindPolicy;

use super::service::NUMBER;
use super::{Browser, Service};
use crate::verify::fixture::number;

const TRUNK: &str = "/console/trunks/carrier";
const PROBE: &str = "/console/trunks/carrier/probe";

/// A call that the telephone took for the one that was announced.
fn capture(headers: &[(&str, &str)]) -> Capture {
    let policy = Policy {
        trunks: vec![TrunkProfile {
            sources: vec!["192.0.2.0/28".parse().unwrap()],
            numbers: vec![number("+12025550100")],
            ..TrunkProfile::default()
        }],
        issue_from: Level::L2.into(),
        kinds: KindPolicy::default(),
    };
    let source = ivr_core::sip::peer::Peer::udp("192.0.2.1:5060".parse().unwrap());
    Capture::of(&policy, TrunkIndex(0), source, "sip:+12025550100@198.51.100.1", headers)
}

impl Service {
    /// What the audit says was done to what.
    async fn audited(&self) -> Vec<(String, String)> {
        let contents = self.database.contents(&["audit"]).await;
        let of = |column: &str| {
            let values = contents.iter().filter(|(name, _)| name == column);
            values.map(|(_, value)| String::from_utf8(value.clone()).unwrap()).collect::<Vec<_>>()
        };
        of("audit.action").into_iter().zip(of("audit.subject")).collect()
    }
}

#[tokio::test]
async fn an_announced_call_is_shown_by_its_spelling_and_proposes_a_profile() {
    let service = Service::new().await;
    let mut browser = service.operator("ada").await;
    browser.get("/console/trunks").await.says("href=\"/console/trunks/carrier\"").says("192.0.2.0/28");
    let page = browser.get(TRUNK).await;
    page.says("Probe of the trunk").says("value=\"normal\" checked").does_not_say("Proposed profile");

    let fields = [("step", "normal"), ("number", "(202) 555-0143")];
    let announced = browser.submit(TRUNK, PROBE, &fields).await;
    assert_eq!((announced.status, announced.location().as_str()), (StatusCode::SEE_OTHER, TRUNK));
    let (trunk, order) = service.telephone.lock().await.announced.try_recv().unwrap();
    let (expected, _) = order.unwrap();
    assert_eq!((trunk, expected.step, expected.number.as_str()), (TrunkIndex(0), Step::Normal, NUMBER));
    browser.get(TRUNK).await.says("Waiting for the call “Just so”").says("+1 202-555-0100");
    let audit = service.audited().await;
    assert_eq!(audit.last().unwrap(), &("probe".to_owned(), "trunk carrier: normal".to_owned()));

    let headers = [
        ("From", "\"Ada Lovelace\" <sip:+12025550143@carrier.example>;tag=1"),
        ("P-Asserted-Identity", "<tel:+1-202-555-0143;verstat=TN-Validation-Passed>"),
        ("X-Carrier-Note", "<script>"),
    ];
    let call = Call { expected, capture: capture(&headers) };
    service.telephone.lock().await.arrived.try_send((trunk, call)).unwrap();
    let page = browser.get(TRUNK).await;
    page.does_not_say("Waiting").says("has come").says("value=\"withheld\" checked");
    page.says("sip:+*******0143@carrier.example").says("tel:+*-***-***-0143;verstat=TN-Validation-Passed");
    page.says("Refused with 403, below-issuing-level: The call was worth less");
    page.says("number_format = &#34;e164&#34;").says("#cli_screened = true").says("&#60;script&#62;");
    for secret in ["2025550143", "202-555-0143", "Lovelace", "<script>"] {
        page.does_not_say(secret);
    }

    let gone = browser.submit(TRUNK, "/console/trunks/carrier/forget", &[]).await;
    assert_eq!(gone.location(), TRUNK);
    browser.get(TRUNK).await.does_not_say("Proposed profile").does_not_say("0143");
}

#[tokio::test]
async fn what_cannot_be_announced_is_said_beside_its_field() {
    let service = Service::new().await;
    let mut browser = service.operator("ada").await;
    for (fields, words) in [
        ([("step", ""), ("number", NUMBER), ("forwarder", "")], "Choose how you are going to call."),
        (
            [("step", "normal"), ("number", "12"), ("forwarder", "")],
            "name=\"number\" type=\"tel\" autocomplete=\"tel\" required maxlength=\"60\" value=\"12\" aria-invalid",
        ),
        ([("step", "forwarded"), ("number", NUMBER), ("forwarder", "")], "value=\"\" aria-invalid"),
    ] {
        let answer = browser.submit(TRUNK, PROBE, &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer:?}");
        answer.says("role=\"alert\"").says(words);
    }
    assert!(service.telephone.lock().await.announced.try_recv().is_err());

    // One at a time, whoever it is.
    let fields = [("step", "normal"), ("number", NUMBER)];
    browser.submit(TRUNK, PROBE, &fields).await;
    let mut other = service.operator("bob").await;
    other.get(TRUNK).await.says("This is the probe of ada.");
    let busy = other.submit(TRUNK, PROBE, &fields).await;
    assert_eq!(busy.status, StatusCode::CONFLICT);
    busy.says("Ada is waiting for a call over this trunk");
}

#[tokio::test]
async fn a_trunk_is_found_by_whatever_name_it_has_and_only_by_operators() {
    let service = Service::new().await;
    let mut browser = service.operator("ada").await;
    browser.get("/console/trunks").await.says("/console/trunks/a%20%22b%22%2Fc");
    let odd = "/console/trunks/a%20%22b%22%2Fc";
    browser.get(odd).await.says("a &#34;b&#34;/c");
    let path = format!("{odd}/probe");
    let announced = browser.submit(odd, &path, &[("step", "abroad"), ("number", NUMBER)]).await;
    assert_eq!(announced.location(), odd);
    assert_eq!(browser.get("/console/trunks/nobody").await.status, StatusCode::NOT_FOUND);
    let mut stranger = Browser::new(&service.router);
    for path in ["/console/trunks", TRUNK] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert!(answer.location().starts_with("/console/login?next="), "{answer:?}");
    }
}
