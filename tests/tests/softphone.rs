//! A softphone that people use goes through a whole verification: baresip calls, the test hears what it recorded and presses
//! its keys.

use end_to_end::baresip::{Baresip, Ear, Media};
use end_to_end::service::Service;
use ivr::phone::api::{Api, Start};
use tokio::runtime::Runtime;
use voice_prompts::{Heard, Hearing, Library, PromptId, Vocabulary};

/// What was said to its end since the last question, as digits and the sentence before them.
#[derive(Debug, Default)]
struct Said {
    sentence: Option<PromptId>,
    digits: String,
}

impl Said {
    fn hear(&mut self, ended: PromptId) {
        match ended {
            PromptId::Digit(digit) => self.digits.push(char::from(b'0' + digit)),
            sentence => *self = Self { sentence: Some(sentence), digits: String::new() },
        }
    }
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs baresip: run tests/run")]
fn baresip_proves_its_number() {
    proves("+12025550171", Ear::Narrow, Media::Clear, 8_000);
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs baresip: run tests/run")]
fn baresip_proves_its_number_in_wideband() {
    proves("+12025550172", Ear::Wide, Media::Clear, 16_000);
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs baresip: run tests/run")]
fn baresip_proves_its_number_over_srtp() {
    proves("+12025550173", Ear::Narrow, Media::Encrypted, 8_000);
}

/// A whole verification by a telephone that hears so over such media, and records what it hears at this rate.
fn proves(number: &str, ear: Ear, media: Media, rate: u32) {
    let demo = Service::demo();
    let runtime = Runtime::new().expect("a runtime");
    let api = Api::new(demo.http());
    let start = Start { number, csr: None, publish: false, locale: "en" };
    let started = runtime.block_on(api.start(&start)).expect("a verification");

    let mut phone = Baresip::of(number, ear, media);
    phone.dial(&format!("sip:{}@{}", started.dial.number, demo.sip()));
    let mut hearing = Hearing::new(Vocabulary::of(&Library::embedded(), "en"));
    let (mut said, mut heard, mut is_typed, mut is_verified) = (Said::default(), Vec::new(), false, false);
    while !is_verified {
        hearing.hear(&phone.listen(), &mut heard);
        for event in heard.drain(..) {
            let Heard::Ended(id) = event else { continue };
            said.hear(id);
            match (said.sentence, said.digits.len()) {
                (Some(PromptId::EnterCode), 0) => started.code.expose().chars().for_each(|key| phone.press(key)),
                (Some(PromptId::PressToConfirm), 1) => phone.press(said.digits.remove(0)),
                (Some(PromptId::TypeIntoPage), 6) if !is_typed => {
                    runtime.block_on(api.type_in(&started, &said.digits)).expect("the digits are right");
                    is_typed = true;
                }
                (Some(PromptId::Verified), _) => is_verified = true,
                _ => {}
            }
        }
    }
    let verification = runtime.block_on(api.look(&started)).expect("the verification");
    assert!(verification.is_issued(), "{verification:?}");
    assert_eq!(phone.rate(), rate);
    phone.hang_up();
}
