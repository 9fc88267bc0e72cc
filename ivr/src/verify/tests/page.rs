//! What the owner of a page sees of a verification, and does.

use ivr_core::call::flow::Step;
use ivr_core::caller::Reason;

use super::*;

on_both_databases!(
    who_has_not_the_secret_sees_nothing,
    nothing_opens_after_its_time,
    without_a_request_there_is_a_signed_result,
    who_gives_up_frees_the_code,
    a_page_is_told_of_steps_and_refusals,
);

async fn who_has_not_the_secret_sees_nothing(database: TestDatabase) {
    let service = Service::over(database).await;
    let (started, heard) = service.proved().await;
    for secret in ["", "secret", &started.secret.expose()[1..]] {
        let seen = service.verify.view(started.id, secret, service.now).await;
        assert!(matches!(seen, Err(AccessError::Unknown)), "{seen:?}");
        let typed = service.verify.type_in(started.id, secret, &heard, service.now).await;
        assert!(matches!(typed, Err(AccessError::Unknown)), "{typed:?}");
        let cancelled = service.verify.cancel(started.id, secret, service.now).await;
        assert!(matches!(cancelled, Err(AccessError::Unknown)), "{cancelled:?}");
    }
    assert_eq!(type_in(&service, &started, &heard).await, Typed::Right);
}

async fn nothing_opens_after_its_time(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let started = service.start().await;
    service.now += Duration::seconds(600);
    let expired = service.view(&started).await;
    assert_eq!((expired.state, expired.code.is_none()), (State::Expired, true));
    let session = service.verify.answer(Question::Session(caller(NUMBER)), service.now).await;
    assert_eq!(session, Answer::NoSession);
    assert_eq!(service.call(started.code.expose()).await.answers, [Answer::Gone]);
}

async fn without_a_request_there_is_a_signed_result(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.try_start(NUMBER, SOURCE, None).await.unwrap();
    let heard = service.call(started.code.expose()).await.heard.unwrap();
    assert_eq!(type_in(&service, &started, &heard).await, Typed::Right);
    let view = service.view(&started).await;
    assert!(view.state == State::Issued && !view.wants_certificate && view.certificate.is_none());
    let claims =
        service.authority.result_key().verify(ca::signed_result::Statement::Result, &view.result.unwrap()).unwrap();
    assert_eq!(claims["sub"], "tel:+12025550143");
    assert_eq!(claims["level"], "L2");
    assert_eq!(claims["jti"], started.id.to_string());
}

async fn who_gives_up_frees_the_code(database: TestDatabase) {
    let service = Service::over(database).await;
    let (started, heard) = service.proved().await;
    service.verify.cancel(started.id, started.secret.expose(), service.now).await.unwrap();
    service.verify.cancel(started.id, started.secret.expose(), service.now).await.unwrap();
    assert_eq!(service.view(&started).await.state, State::Expired);
    assert_eq!(type_in(&service, &started, &heard).await, Typed::NotExpected(State::Expired));
    assert_eq!(service.call(started.code.expose()).await.answers, [Answer::Gone]);
}

fn refused(of: &str, at: time::OffsetDateTime) -> Refused {
    Refused { number: number(of), reason: Reason::Forwarded, at }
}

async fn a_page_is_told_of_steps_and_refusals(database: TestDatabase) {
    let service = Service::over(database).await;
    let mut bell = service.verify.bell();
    let started = service.start().await;
    service.verify.note_refusals(&[refused("+12025550144", service.now)]).await.unwrap();
    assert!(bell.try_recv().is_err(), "another number's refusal is not this page's");
    service.verify.note_refusals(&[refused(NUMBER, time_in(&service, -1))]).await.unwrap();
    assert!(bell.try_recv().is_err(), "what was before it began is not this page's");
    service.verify.note_refusals(&[refused(NUMBER, service.now)]).await.unwrap();
    assert_eq!(bell.recv().await, Ok(started.id));
    service.call(started.code.expose()).await;
    service.verify.note_step(started.id, Step::Confirming, service.now).await.unwrap();
    let lines = service.view(&started).await.happenings;
    let told: Vec<(i64, &str, &str)> = lines.iter().map(|line| (line.number, line.kind, line.what.as_str())).collect();
    assert_eq!(
        told,
        [(1, "refused", "forwarded"), (2, "state", "calling"), (3, "state", "read-back"), (4, "step", "confirming")]
    );
    assert!(lines[0].sentence.contains("forwarding"), "{}", lines[0].sentence);
}

#[tokio::test]
async fn who_asks_for_no_certificate_is_told_that_the_result_is_signed() {
    let service = Service::over(TestDatabase::sqlite().await).await;
    for (csr, sentence) in [
        (None, "Your number is proved. The result is being signed."),
        (Some(request()), "Your number is proved. The certificate is being made."),
    ] {
        let started = service.try_start(NUMBER, SOURCE, csr).await.unwrap();
        service.prove(NUMBER, &started).await;
        let told = service.view(&started).await.happenings;
        let issuing = told.iter().find(|happening| happening.what == "issuing").unwrap();
        assert_eq!(issuing.sentence, sentence);
    }
}
