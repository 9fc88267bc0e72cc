//! A softphone that people use goes through a whole verification: baresip calls, the test hears what it recorded and presses
//! its keys.

use end_to_end::baresip::{Baresip, Ear, Media};
use end_to_end::proving::{ReadOut, prove};
use end_to_end::recogniser::{recognise, words};
use end_to_end::service::Service;

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs baresip: run tests/run")]
fn baresip_proves_its_number() {
    let ReadOut { digits, samples } = proves("+12025550171", Ear::Narrow, Media::Clear, 8_000);
    let words = words(&samples);
    let heard = recognise(&words[words.len() - digits.len()..]);
    // Of a hundred it mishears three (`recogniser.rs`), so one of six is bad luck.
    let misheard = digits.chars().zip(heard.chars()).filter(|(said, heard)| said != heard).count();
    assert!(heard.len() == digits.len() && misheard <= 1, "a stranger heard {heard} for {digits}");
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
fn proves(number: &str, ear: Ear, media: Media, rate: u32) -> ReadOut {
    let demo = Service::demo();
    let mut phone = Baresip::of(number, ear, media);
    let read_out = prove(number, &demo, &mut phone, |dialled| format!("sip:{dialled}@{}", demo.sip()));
    assert_eq!(phone.rate(), rate);
    read_out
}
