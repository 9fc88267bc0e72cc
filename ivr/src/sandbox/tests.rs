//! What a rehearsal remembers, and for how long.

use std::net::{IpAddr, Ipv4Addr};

use ivr_core::call::flow::{Ending, Step};
use ivr_core::call::question::{Answer, Enrolled, Question};
use ivr_core::caller::{Caller, Level, Realm, Reason};

use super::*;
use crate::verify::fixture::{caller, dialled, number};
use crate::verify::{StartedBy, State};

const TEST: &str = "+12025550150";

fn sandbox() -> Sandbox {
    Sandbox::new(vec![number(TEST)], dialled(), Duration::from_secs(600), mpsc::channel(4).0, Clock).unwrap()
}

fn start() -> Start {
    Start {
        number: number(TEST),
        csr: None,
        location: None,
        webhook: None,
        started_by: StartedBy::Page,
        publish: false,
        locale: "en".to_owned(),
        source: IpAddr::V4(Ipv4Addr::LOCALHOST),
    }
}

#[test]
fn nobody_fills_it_and_the_oldest_goes() {
    let (sandbox, now) = (sandbox(), Clock.wall());
    let all: Vec<Started> = (0..=MOST).map(|_| sandbox.start(start(), now).unwrap()).collect();
    assert_eq!(sandbox.rehearsals().len(), MOST);
    let view = |started: &Started| sandbox.view(started.id, started.secret.expose(), now);
    assert!(matches!(view(&all[0]), Err(SandboxError::Unknown)));
    assert_eq!(view(&all[1]).unwrap().state, State::Waiting);
    let foreign = Started { secret: all[2].secret.clone(), ..all[1].clone() };
    assert!(matches!(view(&foreign), Err(SandboxError::Unknown)), "another's secret opens it");
}

#[test]
fn who_fills_it_ends_its_own() {
    let (sandbox, now) = (sandbox(), Clock.wall());
    let from = |source: &str| sandbox.start(Start { source: source.parse().unwrap(), ..start() }, now).unwrap();
    let own = from("198.51.100.1");
    // A network (/24) has many addresses.
    let flood: Vec<Started> = (0..=MOST).map(|n| from(&format!("192.0.2.{}", n % 200))).collect();
    assert_eq!(sandbox.rehearsals().len(), MOST);
    let view = |started: &Started| sandbox.view(started.id, started.secret.expose(), now);
    assert_eq!(view(&own).unwrap().state, State::Waiting);
    assert!(matches!(view(&flood[1]), Err(SandboxError::Unknown)));
    assert!(view(&flood[2]).is_ok() && view(&flood[MOST]).is_ok());
}

#[test]
fn its_times_are_those_of_the_service() {
    let (sandbox, began) = (sandbox(), Clock.wall());
    let Started { id, secret, .. } = sandbox.start(start(), began).unwrap();
    let at = |seconds| began + time::Duration::seconds(seconds);
    let state = |seconds| sandbox.view(id, secret.expose(), at(seconds)).unwrap().state;
    let call = |seconds| sandbox.call(id, secret.expose(), Does::Code, at(seconds)).unwrap();
    let Hears::ReadBack { digits, key_check: None } = call(10) else { panic!("nothing is read") };
    assert_eq!((state(99), state(100)), (State::ReadBack, State::Waiting));
    let type_in = |digits: &Code, seconds| sandbox.type_in(id, secret.expose(), digits, at(seconds)).unwrap();
    assert_eq!(type_in(digits.expose(), 100), Typed::NotExpected(State::Waiting));
    // A second call reads other digits, and the first ones count no more.
    let Hears::ReadBack { digits: others, .. } = call(590) else { panic!("nothing is read") };
    if digits.expose() != others.expose() {
        assert_eq!(type_in(digits.expose(), 591), Typed::Wrong { left: 2 });
    }
    assert_eq!(call(600), Hears::Refused(ivr_core::caller::Reason::NoSession));
    assert_eq!(type_in(others.expose(), 601), Typed::Right);
    assert_eq!(state(100_000), State::Issued);
}

#[test]
fn only_its_own_numbers_are_taken() {
    let other = Start { number: number("+12025550143"), ..start() };
    let refused = sandbox().start(other, Clock.wall()).unwrap_err();
    assert!(refused.to_string().ends_with("test numbers only: +12025550150"), "{refused}");
}

/// With a request, so that something is certified.
fn begin_with_key(sandbox: &Sandbox, now: OffsetDateTime) -> Started {
    let key = rcgen::KeyPair::generate().unwrap();
    let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap().der().to_vec();
    sandbox.start(Start { csr: Some(csr), ..start() }, now).unwrap()
}

#[test]
fn over_its_trunk_a_key_waits_and_nine_stops_it_or_suspends_what_is_certified() {
    let (outcomes, mut told) = mpsc::channel(4);
    let sandbox = Sandbox::new(vec![number(TEST)], dialled(), Duration::from_secs(600), outcomes, Clock).unwrap();
    let now = Clock.wall();
    let [held, certified] = [(); 2].map(|()| begin_with_key(&sandbox, now));
    sandbox.meanwhile(held.id, held.secret.expose(), Meanwhile::AnotherKey, now).unwrap();
    for (begun, outcome) in [(&held, Outcome::Held), (&certified, Outcome::Issued)] {
        let entered = begun.code.expose().clone();
        sandbox.answer(Question::Code { caller: dials(Level::L2), entered: Private::new(entered) }, now);
        let digits = Code::draw(&mut sandbox.chance());
        let (caller, kept) = (dials(Level::L2), Private::new(digits.clone()));
        sandbox.answer(Question::Rehearsed { caller, rehearsal: begun.id, digits: kept }, now);
        assert_eq!(sandbox.type_in(begun.id, begun.secret.expose(), &digits, now).unwrap(), Typed::Right);
        assert_eq!(told.try_recv(), Ok((begun.id, outcome)));
    }
    let view = |begun: &Started| sandbox.view(begun.id, begun.secret.expose(), now).unwrap();
    assert_eq!(view(&held).state, State::Held);
    // Nothing is open: a call hears of what exists. The other key's, the one that waits, and the certificate.
    let (year, month, day) = now.to_calendar_date();
    let enrolled = Enrolled { count: 3, last: (u16::try_from(year).unwrap(), month.into(), day) };
    for question in [Question::Session(dials(Level::L2)), Question::Certificates(dials(Level::L2))] {
        assert_eq!(sandbox.answer(question, now), Answer::Certified(enrolled));
    }
    assert_eq!(sandbox.answer(Question::Suspend(dials(Level::L1)), now), Answer::NotSuspended);
    assert_eq!(sandbox.answer(Question::Suspend(dials(Level::L2)), now), Answer::Suspended);
    assert_eq!(view(&held).state, State::Failed);
    assert_eq!(view(&certified).certificate.unwrap().suspended, Some(now));
    assert_eq!(sandbox.answer(Question::Suspend(dials(Level::L2)), now), Answer::NotSuspended);
}

#[test]
fn nine_suspends_the_other_keys_certificate_once_and_it_goes_with_its_rehearsal() {
    let (sandbox, now) = (sandbox(), Clock.wall());
    let begin = || {
        let begun = begin_with_key(&sandbox, now);
        sandbox.meanwhile(begun.id, begun.secret.expose(), Meanwhile::AnotherKey, now).unwrap();
        begun
    };
    let nine = |begun: &Started, at| sandbox.call(begun.id, begun.secret.expose(), Does::Suspend, at).unwrap();
    let [over, given_up] = [(); 2].map(|()| begin());
    assert_eq!(nine(&over, now), Hears::Certificates { certificates: 1, suspended: true });
    assert_eq!(nine(&over, now), Hears::Certificates { certificates: 1, suspended: false });
    assert_eq!(sandbox.answer(Question::Suspend(dials(Level::L1)), now), Answer::NotSuspended);
    assert_eq!(sandbox.answer(Question::Suspend(dials(Level::L2)), now), Answer::Suspended, "that of the second");
    sandbox.cancel(given_up.id, given_up.secret.expose(), now).unwrap();
    assert_eq!(nine(&given_up, now), Hears::Refused(Reason::NoSession));
    let expired = now + time::Duration::seconds(600);
    assert_eq!(nine(&over, expired), Hears::Refused(Reason::NoSession));
    assert_eq!(sandbox.answer(Question::Certificates(dials(Level::L2)), expired), Answer::NoSession);
}

/// A call over a trunk of the sandbox.
fn dials(level: Level) -> Caller {
    Caller { realm: Realm::Sandbox, level, ..caller(TEST) }
}

#[test]
fn a_call_over_a_trunk_of_its_own_goes_as_in_the_service() {
    let (outcomes, mut told) = mpsc::channel(4);
    let sandbox = Sandbox::new(vec![number(TEST)], dialled(), Duration::from_secs(600), outcomes, Clock).unwrap();
    let (now, at) = (Clock.wall(), |seconds| Clock.wall() + time::Duration::seconds(seconds));
    let session = || Question::Session(dials(Level::L1));
    assert_eq!(sandbox.answer(session(), now), Answer::NoSession);
    let all = ["de", "fr"].map(|locale| sandbox.start(Start { locale: locale.to_owned(), ..start() }, now).unwrap());
    assert_eq!(sandbox.answer(session(), now), Answer::Expected);
    let other = Caller { number: number("+12025550143"), ..dials(Level::L1) };
    assert_eq!(sandbox.answer(Question::Session(other), now), Answer::NoSession);

    let code = |entered: &Code| Question::Code { caller: dials(Level::L1), entered: Private::new(entered.clone()) };
    let wrong = Code::draw(&mut sandbox.chance());
    if all.iter().all(|started| *started.code.expose() != wrong) {
        // It could have been for either.
        assert_eq!(sandbox.answer(code(&wrong), now), Answer::Wrong { tries_left: 5 });
    }
    let [_, Started { id, secret, code: own, .. }] = &all;
    let Answer::Matched(session) = sandbox.answer(code(own.expose()), now) else { panic!("its code is wrong") };
    assert_eq!((session.id, session.language.as_str()), (*id, "fr"));
    let view = |at| sandbox.view(*id, secret.expose(), at).unwrap();
    assert_eq!(view(now).state, State::Calling);
    // It hangs up, and calls again.
    sandbox.note_step(*id, Step::Ended(Ending::HungUp), now);
    assert_eq!(view(now).state, State::Waiting);
    let digits = Code::draw(&mut sandbox.chance());
    let keep =
        |rehearsal| Question::Rehearsed { caller: dials(Level::L3), rehearsal, digits: Private::new(digits.clone()) };
    assert_eq!(sandbox.answer(keep(*id), now), Answer::Gone, "no call is going on");
    sandbox.answer(code(own.expose()), now);
    assert_eq!(sandbox.answer(keep(all[0].id), now), Answer::Gone, "its code was not keyed in");
    assert_eq!(sandbox.answer(keep(*id), now), Answer::Stored);
    sandbox.note_refused(&number(TEST), Reason::NumberBusy, now);
    assert_eq!(view(now).happenings.last().unwrap().what, "number-busy");
    assert_eq!(sandbox.type_in(*id, secret.expose(), &digits, at(1)).unwrap(), Typed::Right);
    assert_eq!(told.try_recv(), Ok((*id, Outcome::Issued)));
    assert_eq!(view(at(2)).state, State::Issued);
    // A signed result is nothing that could be suspended.
    assert_eq!(sandbox.answer(Question::Certificates(dials(Level::L3)), now), Answer::NoSession);
    assert_eq!(sandbox.answer(Question::Suspend(dials(Level::L3)), now), Answer::NotSuspended);
}

#[test]
fn wrong_codes_over_its_trunk_end_every_rehearsal_of_their_number() {
    let (sandbox, now) = (sandbox(), Clock.wall());
    let begun = sandbox.start(start(), now).unwrap();
    let wrong = Code::parse(if begun.code.expose().as_str() == "123456" { "654321" } else { "123456" }).unwrap();
    let entered = || Question::Code { caller: dials(Level::L2), entered: Private::new(wrong.clone()) };
    for tries_left in (0..6).rev() {
        assert_eq!(sandbox.answer(entered(), now), Answer::Wrong { tries_left });
    }
    assert_eq!(sandbox.answer(entered(), now), Answer::Gone);
    assert_eq!(sandbox.view(begun.id, begun.secret.expose(), now).unwrap().state, State::Voided);
}
