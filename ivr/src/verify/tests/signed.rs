//! Calls with a signed identity.

use std::sync::Arc;

use ivr_core::caller::Attest;
use ivr_core::passport::{Passport, Report};

use super::*;
use crate::store::passports;
use crate::verify::fixture::Call;

on_both_databases!(
    a_signed_identity_completes_one_verification,
    a_signed_identity_on_many_calls_at_once_completes_one_verification,
);

/// A signed identity, and the caller who bears it.
fn signed() -> (Passport, Caller) {
    let token = Passport::read(include_str!("../../../core/scenarios/passport/a.identity")).unwrap();
    let report = Report::of(&token, None, Ok(Attest::A));
    (token, Caller { passport: Some(Arc::new(report)), ..caller(NUMBER) })
}

async fn a_signed_identity_completes_one_verification(database: TestDatabase) {
    let service = Service::over(database).await;
    let (token, caller) = signed();
    for (binding, last) in [(Binding::ReadBack, Answer::Stored), (Binding::CodeOnly, Answer::Gone)] {
        let started = service.start().await;
        let mut call = Call::new(caller.clone(), binding, service.now);
        call.run(&service.verify, started.code.expose()).await;
        assert_eq!(call.answers, [matched(&started), last]);
        let kept = if binding == Binding::ReadBack { State::ReadBack } else { State::Calling };
        assert_eq!(service.view(&started).await.state, kept, "what was not signed anew leaves nothing behind");
    }
    // Once nobody can use it any more, it is forgotten.
    service.verify.purge(service.now + Duration::hours(2)).await.unwrap();
    let mut reader = service.database.store.read().await.unwrap();
    assert!(!passports::has_served(&token.hash(), &mut reader).await.unwrap());
}

async fn a_signed_identity_on_many_calls_at_once_completes_one_verification(database: TestDatabase) {
    let service = Service::over(database).await;
    let (_, caller) = signed();
    let mut calls = Vec::new();
    for n in 0..8 {
        let started = service.try_start(NUMBER, &format!("192.0.{n}.1"), None).await.unwrap();
        calls.push((started, Call::new(caller.clone(), Binding::ReadBack, service.now)));
    }
    let run = calls.iter_mut().map(|(started, call)| call.run(&service.verify, started.code.expose()));
    futures_util::future::join_all(run).await;
    let ended = |as_this: &Answer| calls.iter().filter(|(_, call)| call.answers.last() == Some(as_this)).count();
    assert_eq!((ended(&Answer::Stored), ended(&Answer::Gone)), (1, 7));
    let mut reading_back = 0;
    for (started, _) in &calls {
        reading_back += usize::from(service.view(started).await.state == State::ReadBack);
    }
    assert_eq!(reading_back, 1);
    let audit = service.database.contents(&["audit"]).await;
    let signed = audit.iter().filter(|(column, value)| column == "audit.action" && value == b"signed").count();
    assert_eq!(signed, 1, "what came to nothing is not told");
}
