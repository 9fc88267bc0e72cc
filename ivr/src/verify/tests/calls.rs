//! What a call is answered, and what its code opens.

use ivr_core::key_check::KeyCheck;

use super::*;
use crate::verify::fixture::start;

on_both_databases!(
    a_call_that_nobody_waits_for_has_no_session,
    a_page_is_spoken_for_only_from_its_code_on,
    the_code_of_another_number_opens_nothing,
    the_code_alone_is_enough_where_it_is_configured,
    an_apps_call_is_told_the_check_of_its_key,
);

async fn a_call_that_nobody_waits_for_has_no_session(database: TestDatabase) {
    let service = Service::over(database).await;
    service.start().await;
    let other = Question::Session(caller("+12025550144"));
    assert_eq!(service.verify.answer(other, service.now).await, Answer::NoSession);
}

async fn a_page_is_spoken_for_only_from_its_code_on(database: TestDatabase) {
    let service = Service::over(database).await;
    let start = |locale: &str, source| Start { locale: locale.to_owned(), ..start(NUMBER, source, None) };
    service.verify.start(start("es", "198.51.100.1"), service.now).await.unwrap();
    let owners = service.verify.start(start("de-AT", SOURCE), service.now).await.unwrap();
    // Whose warning it is, in which language, no page is asked; whoever has the code has the page.
    assert_eq!(service.verify.answer(Question::Session(caller(NUMBER)), service.now).await, Answer::Expected);
    let session = Session { id: owners.id, key_check: None, language: Language::of("de") };
    assert_eq!(service.call(owners.code.expose()).await.answers[0], Answer::Matched(session));
}

async fn the_code_of_another_number_opens_nothing(database: TestDatabase) {
    let service = Service::over(database).await;
    let started = service.start().await;
    let other = service.try_start("+12025550144", SOURCE, None).await.unwrap();
    let call = service.call_from("+12025550144", started.code.expose(), Binding::ReadBack).await;
    // By one chance in a million both have the same code, and then it is the caller's own that opens.
    if started.code.expose() != other.code.expose() {
        assert_eq!(call.answers, [Answer::Wrong { tries_left: 5 }]);
    }
    assert_eq!(service.view(&started).await.state, State::Waiting);
}

async fn an_apps_call_is_told_the_check_of_its_key(database: TestDatabase) {
    let service = Service::over(database).await;
    let start = |csr| Start { started_by: StartedBy::App, ..start(NUMBER, SOURCE, csr) };
    let refused = service.verify.start(start(None), service.now).await;
    assert!(matches!(refused, Err(StartError::NoKey(NoKey))), "{refused:?}");
    let csr = request();
    let started = service.verify.start(start(Some(csr.clone())), service.now).await.unwrap();
    let call = service.call(started.code.expose()).await;
    let key_check = KeyCheck::of(&ca::Request::parse(&csr).unwrap().spki(), started.id);
    let session = Session { id: started.id, key_check: Some(key_check), language: Language::ENGLISH };
    assert_eq!(call.answers, [Answer::Matched(session), Answer::Stored]);
    // The same key in another verification has another one.
    let again = service.verify.start(start(Some(csr)), service.now).await.unwrap();
    let call = service.call(again.code.expose()).await;
    assert!(matches!(call.answers[0], Answer::Matched(Session { key_check: Some(other), .. }) if other != key_check));
}

async fn the_code_alone_is_enough_where_it_is_configured(database: TestDatabase) {
    let mut service = Service::over(database).await;
    let started = service.start().await;
    let call = service.call_from(NUMBER, started.code.expose(), Binding::CodeOnly).await;
    assert_eq!(call.answers, [matched(&started), Answer::Stored]);
    assert_eq!(service.outcomes.recv().await, Some((started.id, Outcome::Issued)));
    let view = service.view(&started).await;
    assert!(view.is_code_only, "its page and the API say so");
    let certificate = view.certificate.unwrap();
    assert_eq!(certificate.level, Level::L1, "a code alone is worth no more");
    assert!(certificate.not_after - certificate.not_before <= Duration::days(7));
}
