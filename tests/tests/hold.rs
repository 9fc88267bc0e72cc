//! A number whose key changes, as strangers see it, and a call that suspends what its number has.

use std::process::Output;

use end_to_end::baresip::{Baresip, Ear, Media};
use end_to_end::proving::Telephone;
use end_to_end::service::{Service, wait_until};
use serde_json::Value;
use voice_prompts::{Heard, Hearing, Library, PromptId, Vocabulary};

fn said(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The built-in caller proves the number with a new key; how its verification stands then.
fn prove(demo: &Service, number: &str) -> String {
    let proved = said(&demo.simulate("happy", number).output().expect("the caller runs"));
    proved["verification"]["state"].as_str().expect("a state").to_owned()
}

fn key(digit: u8) -> char {
    char::from(b'0' + digit)
}

#[test]
fn a_stranger_sees_beside_the_valid_certificate_that_another_key_waits() {
    let (demo, number) = (Service::demo(), "+12135550151");
    let identity = format!("tel:{number}");
    assert_eq!(prove(&demo, number), "issued");
    let before = said(&demo.lookup(&identity));
    assert!(before["pending"].is_null(), "{before}");
    assert_eq!(prove(&demo, number), "held");
    let mut found = Value::Null;
    wait_until("the directory says that another key waits", || {
        found = said(&demo.lookup(&identity));
        !found["pending"].is_null()
    });
    assert_eq!((&found["verdict"], &found["serial"]), (&Value::from("valid"), &before["serial"]));
    assert_eq!(found["pending"]["key"].as_str().map(str::len), Some(32), "half of the hash, hexadecimal");
    assert!(demo.terminate().success());
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs baresip: run tests/run")]
fn a_call_without_a_verification_suspends_what_its_number_has() {
    let (demo, number) = (Service::demo(), "+12025550174");
    let identity = format!("tel:{number}");
    assert_eq!(prove(&demo, number), "issued");
    assert_eq!(demo.lookup(&identity).status.code(), Some(0));

    let mut phone = Baresip::of(number, Ear::Narrow, Media::Clear);
    phone.dial(&format!("sip:+12025550100@{}", demo.sip()));
    let mut hearing = Hearing::new(Vocabulary::of(&Library::embedded(), "en"));
    let (mut heard, mut spoken, mut digits) = (Vec::new(), Vec::new(), String::new());
    while !spoken.contains(&PromptId::Suspended) {
        hearing.hear(&phone.listen(), &mut heard);
        for event in heard.drain(..) {
            let Heard::Ended(id) = event else { continue };
            match id {
                PromptId::Digit(digit) if spoken.contains(&PromptId::PressToConfirm) => phone.press(key(digit)),
                PromptId::Digit(digit) => digits.push(key(digit)),
                PromptId::PressNine => phone.press('9'),
                _ => {}
            }
            spoken.push(id);
        }
    }
    // One certificate, and the eight digits of a date of this century.
    assert!(digits.len() == 9 && digits.starts_with("120"), "{digits}");
    assert!(spoken.contains(&PromptId::CertificatesExist) && spoken.contains(&PromptId::LastMadeOn), "{spoken:?}");
    assert!(!spoken.contains(&PromptId::EnterCode), "{spoken:?}");
    phone.hang_up();
    let mut found = Value::Null;
    wait_until("the directory says that it is suspended", || {
        let output = demo.lookup(&identity);
        found = said(&output);
        output.status.code() == Some(5)
    });
    assert_eq!(found["verdict"], "suspended");
    assert!(demo.terminate().success());
}
