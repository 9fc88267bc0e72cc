//! The ear, over a line that compands, loses packets and changes the level.

#![allow(clippy::unwrap_used, reason = "a test stops at what it cannot use")]

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use voice_prompts::{Heard, Hearing, Library, PromptId, Vocabulary};

/// The companding laws of G.711, as far as a line needs them: what a sample comes out as.
#[derive(Debug, Clone, Copy)]
enum Law {
    Mu,
    A,
}

impl Law {
    fn compand(self, sample: i16) -> i16 {
        let magnitude = i32::from(sample).abs().min(32_635);
        let rounded = match self {
            // µ-law: 16 steps in each segment, which double in width from 8 on; a bias of 132.
            Self::Mu => {
                let biased = magnitude + 132;
                let step = 1 << (biased.ilog2() - 4);
                biased / step * step + step / 2 - 132
            }
            // A-law: the first two segments have steps of 16.
            Self::A => {
                let step = 1 << (magnitude.max(256).ilog2() - 4);
                magnitude / step * step + step / 2
            }
        };
        (rounded * i32::from(sample).signum()) as i16
    }
}

const FRAME: usize = 160;

/// What goes over the line: companded, with some packets lost.
struct Line {
    rng: ChaCha20Rng,
    loss_per_cent: u32,
    law: Law,
    gain: f32,
}

impl Line {
    fn good(law: Law) -> Self {
        Self { rng: ChaCha20Rng::seed_from_u64(1), loss_per_cent: 0, law, gain: 1.0 }
    }

    fn listen(&mut self, said: &[i16]) -> Vec<Heard> {
        self.listen_in("en", said)
    }

    fn listen_in(&mut self, language: &str, said: &[i16]) -> Vec<Heard> {
        let mut ear = Hearing::new(Vocabulary::of(&Library::embedded(), language));
        let mut heard = Vec::new();
        for frame in said.chunks(FRAME) {
            if self.rng.next_u32() % 100 < self.loss_per_cent {
                ear.lose(frame.len(), &mut heard);
            } else {
                let line = |s: &i16| self.law.compand((f32::from(*s) * self.gain) as i16);
                let arrived: Vec<i16> = frame.iter().map(line).collect();
                ear.hear(&arrived, &mut heard);
            }
        }
        heard
    }
}

fn say(ids: &[PromptId], before: usize, between: usize) -> Vec<i16> {
    say_in("en", ids, before, between)
}

fn say_in(language: &str, ids: &[PromptId], before: usize, between: usize) -> Vec<i16> {
    let library = Library::embedded();
    let mut said = vec![0; before];
    for id in ids {
        said.extend(library.samples(*id, language).iter());
        said.resize(said.len() + between, 0);
    }
    said.resize(said.len() + FRAME, 0);
    said
}

fn whole(ids: &[PromptId]) -> Vec<Heard> {
    ids.iter().flat_map(|id| [Heard::Began(*id), Heard::Ended(*id)]).collect()
}

#[test]
fn every_clip_is_recognised_wherever_it_begins() {
    for (n, id) in PromptId::ALL.into_iter().enumerate() {
        for law in [Law::Mu, Law::A] {
            let heard = Line::good(law).listen(&say(&[id], 37 * n + 5, 1_600));
            assert_eq!(heard, whole(&[id]), "{} over {law:?}", id.name());
        }
    }
}

#[test]
fn clips_in_one_breath_are_told_apart() {
    let heard = Line::good(Law::Mu).listen(&say(&PromptId::ALL, 1_234, 0));
    assert_eq!(heard, whole(&PromptId::ALL));
}

#[test]
fn every_language_is_understood() {
    for language in ["es", "fr", "de"] {
        let digits = (0..10).map(PromptId::Digit);
        for (n, id) in [PromptId::EnterCode, PromptId::PressToConfirm].into_iter().chain(digits).enumerate() {
            let said = say_in(language, &[id], 41 * n + 3, 1_600);
            let heard = Line::good(Law::Mu).listen_in(language, &said);
            assert_eq!(heard, whole(&[id]), "{} in {language}", id.name());
        }
    }
}

#[test]
fn a_quiet_line_and_a_loud_one_are_understood() {
    for gain in [0.1, 0.3, 1.4] {
        let mut line = Line { gain, ..Line::good(Law::Mu) };
        assert_eq!(line.listen(&say(&PromptId::ALL, 77, 800)), whole(&PromptId::ALL), "gain {gain}");
    }
}

#[test]
fn digits_are_read_although_packets_are_lost() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    for (seed, loss_per_cent) in (0..60).map(|n| (n, [0, 3, 10][n as usize % 3])) {
        let digits: Vec<_> = (0..6).map(|_| PromptId::Digit((rng.next_u32() % 10) as u8)).collect();
        let mut line = Line { rng: ChaCha20Rng::seed_from_u64(seed), loss_per_cent, ..Line::good(Law::Mu) };
        let heard = line.listen(&say(&digits, rng.next_u32() as usize % 1_000, 2_000));
        assert_eq!(heard, whole(&digits), "seed {seed}, {loss_per_cent} % lost");
    }
}

#[test]
fn a_clip_that_breaks_off_is_told_and_the_next_one_is_heard() {
    let library = Library::embedded();
    for milliseconds in [700, 1_000, 1_500] {
        let mut said = vec![0; 333];
        said.extend(&library.samples(PromptId::TypeIntoPage, "en")[..8 * milliseconds]);
        said.extend(library.samples(PromptId::Verified, "en").iter());
        said.resize(said.len() + 4_000, 0);
        let heard = Line::good(Law::Mu).listen(&said);
        let mut expected = vec![Heard::Began(PromptId::TypeIntoPage), Heard::Cut(PromptId::TypeIntoPage)];
        expected.extend(whole(&[PromptId::Verified]));
        assert_eq!(heard, expected, "after {milliseconds} ms");
    }
}

#[test]
fn a_clip_that_breaks_off_into_silence_is_told() {
    let library = Library::embedded();
    let mut said = library.samples(PromptId::EnterCode, "en")[..9_000].to_vec();
    said.resize(30_000, 0);
    let heard = Line::good(Law::A).listen(&said);
    assert_eq!(heard, [Heard::Began(PromptId::EnterCode), Heard::Cut(PromptId::EnterCode)]);
}

#[test]
fn noise_and_tones_are_no_clip() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let noise: Vec<i16> = (0..80_000).map(|_| (rng.next_u32() as i16) / 4).collect();
    let tone: Vec<i16> = (0..80_000).map(|n| (8_000.0 * (f64::from(n) * 0.3456).sin()) as i16).collect();
    let hum: Vec<i16> = (0..80_000).map(|n| (8_000.0 * (f64::from(n) * 0.0864).sin()) as i16).collect();
    for sound in [noise, tone, hum] {
        assert_eq!(Line::good(Law::Mu).listen(&sound), []);
    }
}

#[test]
fn no_clip_is_taken_for_another_even_when_its_beginning_is_missed() {
    let library = Library::embedded();
    for id in PromptId::ALL {
        let samples = library.samples(id, "en");
        for missed in [3_000, 6_000, 12_000] {
            let rest = samples.get(missed..).unwrap_or_default();
            let heard = Line::good(Law::Mu).listen(&[rest, &[0; 800]].concat());
            let others = heard.iter().filter(|h| !matches!(h, Heard::Began(x) | Heard::Ended(x) if *x == id));
            assert_eq!(others.count(), 0, "{} from {missed} on: {heard:?}", id.name());
        }
    }
}
