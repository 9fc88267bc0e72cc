//! What a rehearsal remembers, and for how long.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::verify::fixture::{dialled, number};
use crate::verify::{StartedBy, State};

const TEST: &str = "+12025550150";

fn sandbox() -> Sandbox {
    Sandbox::new(vec![number(TEST)], dialled(), Duration::from_secs(600), mpsc::channel(4).0, Clock).unwrap()
}

fn start() -> Start {
    Start {
        number: number(TEST),
        csr: None,
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
