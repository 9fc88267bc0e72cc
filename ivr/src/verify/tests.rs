//! A person proves a number: the whole way, and every wrong turn, on both databases.

mod budgets;
mod calls;
mod crowd;
mod page;
mod purging;
mod read_back;
mod signed;

use ivr_core::call::question::{Answer, Outcome, Question, Session};
use ivr_core::caller::{Caller, Level};
use ivr_core::code::Code;
use ivr_core::proof::Binding;
use time::Duration;
use voice_prompts::Language;

use super::fixture::{DIAL, NUMBER, SOURCE, Service, caller, number, other_than, request};
use super::*;
use crate::store::StoreError;
use crate::store::test_database::{TestDatabase, on_both_databases};

on_both_databases!(a_number_is_proved_from_the_code_to_the_certificate, a_stolen_database_tells_no_number_and_no_code,);

/// What a call hears that keyed in the code of a page.
fn matched(started: &Started) -> Answer {
    Answer::Matched(Session { id: started.id, key_check: None, language: Language::ENGLISH })
}

async fn type_in(service: &Service, started: &Started, digits: &Code) -> Typed {
    service.verify.type_in(started.id, started.secret.expose(), digits, service.now).await.unwrap()
}

async fn a_number_is_proved_from_the_code_to_the_certificate(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let mut bell = service.verify.bell();
    let started = service.start().await;
    let waiting = service.view(&started).await;
    assert_eq!((waiting.state, waiting.number), (State::Waiting, number(NUMBER)));
    assert_eq!(waiting.code.unwrap().expose(), started.code.expose());
    assert!(waiting.wants_certificate && waiting.publish);

    let expected = service.verify.answer(Question::Session(caller(NUMBER)), service.now).await;
    assert_eq!(expected, Answer::Expected);
    let call = service.call(started.code.expose()).await;
    assert_eq!(call.answers, [matched(&started), Answer::Stored]);
    assert_eq!(bell.try_recv(), Ok(started.id));
    let reading = service.view(&started).await;
    assert_eq!((reading.state, reading.read_backs_left), (State::ReadBack, 3));
    assert_eq!(reading.read_back_until, Some(time_in(&service, 90)));

    assert_eq!(type_in(&service, &started, &call.heard.unwrap()).await, Typed::Right);
    let issued = service.view(&started).await;
    assert_eq!((issued.state, issued.failure), (State::Issued, None));
    assert!(issued.code.is_none(), "a used code is not shown");
    let certificate = issued.certificate.unwrap();
    assert_eq!(certificate.identity.expose(), "tel:+12025550143");
    assert_eq!(certificate.level, Level::L2);
    assert!(certificate.revoked.is_none() && !certificate.record.unwrap().published);
    assert_eq!(service.outcomes.recv().await, Some((started.id, Outcome::Issued)));
    let states: Vec<&str> = issued.happenings.iter().map(|line| line.what.as_str()).collect();
    assert_eq!(states, ["calling", "read-back", "issuing", "issued"]);
}

/// In milliseconds, as the database keeps times.
fn time_in(service: &Service, seconds: i64) -> OffsetDateTime {
    let at = service.now + Duration::seconds(seconds);
    crate::store::time_of(crate::store::millis(at)).unwrap()
}

/// Whoever has the files but not the key file reads neither number nor code nor certificate.
async fn a_stolen_database_tells_no_number_and_no_code(database: TestDatabase) {
    let service = Service::over(database).await;
    let (started, heard) = service.proved().await;
    type_in(&service, &started, &heard).await;
    service.publish().await;
    let tables =
        ["verifications", "number_days", "happenings", "intents", "certificates", "revocations", "records", "audit"];
    let contents = service.database.contents(&tables).await;
    assert!(contents.iter().any(|(name, _)| name == "certificates.certificate_sealed"), "the rows were read");
    for (name, value) in contents {
        let holds = |secret: &str| value.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!holds("2025550143"), "{name} holds the number");
        // Six digits may stand in a serial number by chance, so it is the whole value that must not be the code.
        for code in [started.code.expose(), &heard] {
            assert_ne!(value, code.as_str().as_bytes(), "{name} is a code");
        }
    }
}

#[tokio::test]
async fn a_kind_that_is_not_proved_and_a_request_for_somebody_else_are_refused() {
    let service = Service::over(TestDatabase::sqlite().await).await;
    let refused = service.try_start("+18005550199", SOURCE, None).await;
    assert!(matches!(refused, Err(StartError::Kind("a toll-free number"))), "{refused:?}");
    let refused = service.try_start(DIAL, SOURCE, None).await;
    assert!(matches!(refused, Err(StartError::OwnNumber)), "{refused:?}");
    let refused = service.try_start(NUMBER, SOURCE, Some(b"no request".to_vec())).await;
    assert!(matches!(refused, Err(StartError::Request(_))), "{refused:?}");
    let mut params = rcgen::CertificateParams::default();
    params.subject_alt_names = vec![rcgen::SanType::URI("tel:+12025550144".try_into().unwrap())];
    let csr = params.serialize_request(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec();
    let refused = service.try_start(NUMBER, SOURCE, Some(csr)).await;
    assert!(matches!(refused, Err(StartError::Request(ca::RequestError::ForeignName(_)))), "{refused:?}");
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_said_to_the_call_and_to_the_page() {
    let service = Service::over(TestDatabase::sqlite().await).await;
    let (started, heard) = service.proved().await;
    let _holder = service.database.store.begin().await.unwrap();
    let typed = service.verify.type_in(started.id, started.secret.expose(), &heard, service.now);
    let (typed, call, begun) =
        tokio::join!(typed, service.call(started.code.expose()), service.try_start(NUMBER, SOURCE, Some(request())));
    assert!(matches!(typed, Err(AccessError::Store(StoreError::Busy))), "{typed:?}");
    assert!(matches!(begun, Err(StartError::Store(StoreError::Busy))), "{begun:?}");
    assert_eq!(call.answers, [Answer::Unavailable]);
    // Reading goes on.
    assert_eq!(service.view(&started).await.state, State::ReadBack);
}
