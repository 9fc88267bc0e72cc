//! What is being said, cut into frames. Between utterances there is silence.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use voice_prompts::{Segment, Utterance};

use super::clips::{Clip, Clips};
use super::{Law, SAMPLES_PER_SECOND};

/// The sentence of one call that is being said, if any.
#[derive(Debug, Default)]
pub(crate) struct Player {
    /// The number of the utterance, until its end was told.
    play: Option<u32>,
    sounds: VecDeque<Sound>,
    /// How far the first sound was played, in samples.
    position: usize,
}

#[derive(Debug)]
enum Sound {
    Clip(Arc<Clip>),
    Silence { samples: usize },
}

impl Player {
    /// Says this from its beginning, instead of what is being said.
    pub(crate) fn say(&mut self, play: u32, utterance: &Utterance, clips: &Clips) {
        self.hush();
        self.play = Some(play);
        self.sounds.extend(utterance.0.iter().filter_map(|segment| match segment {
            Segment::Clip(id) => clips.clip(*id).map(Sound::Clip),
            Segment::Pause(length) => Some(Sound::Silence { samples: samples(*length) }),
        }));
    }

    /// Says nothing more; no end is told.
    pub(crate) fn hush(&mut self) {
        *self = Self { sounds: std::mem::take(&mut self.sounds), ..Self::default() };
        self.sounds.clear();
    }

    /// The next frame in G.711. Gives the number of the utterance whose last sample is in it.
    pub(crate) fn fill(&mut self, law: Law, frame: &mut [u8]) -> Option<u32> {
        frame.fill(law.silence());
        self.play(frame.len(), |clip, from, at| {
            let octets = &clip.octets(law)[from..from + at.len()];
            frame[at].copy_from_slice(octets);
        })
    }

    /// The next frame as samples of 16 kHz; the same otherwise.
    pub(crate) fn fill_wide(&mut self, frame: &mut [i16]) -> Option<u32> {
        frame.fill(0);
        self.play(frame.len() / 2, |clip, from, at| {
            clip.wide().copy_from(2 * from, &mut frame[2 * at.start..2 * at.end]);
        })
    }

    /// Goes on by so many samples of 8 kHz; `put` is told what of a clip, from where on, belongs where.
    fn play(&mut self, length: usize, mut put: impl FnMut(&Clip, usize, Range<usize>)) -> Option<u32> {
        let mut filled = 0;
        while let Some(sound) = self.sounds.front() {
            let taken = (length - filled).min(sound.samples() - self.position);
            if let Sound::Clip(clip) = sound {
                put(clip, self.position, filled..filled + taken);
            }
            filled += taken;
            self.position += taken;
            if self.position < sound.samples() {
                return None;
            }
            self.sounds.pop_front();
            self.position = 0;
        }
        self.play.take()
    }
}

impl Sound {
    fn samples(&self) -> usize {
        match self {
            Self::Clip(clip) => clip.samples(),
            Self::Silence { samples } => *samples,
        }
    }
}

fn samples(length: Duration) -> usize {
    usize::try_from(length.as_micros() * u128::from(SAMPLES_PER_SECOND) / 1_000_000).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use voice_prompts::{Library, PromptId};

    use super::*;

    fn clips() -> Clips {
        Clips::encode(&Library::embedded(), "en")
    }

    #[test]
    fn an_utterance_is_its_clips_and_pauses_and_its_end_is_told_once() {
        for (law, octets_a_frame) in [(Law::Mu, 80), (Law::Mu, 160), (Law::A, 240)] {
            let utterance = Utterance::default().digits("12");
            let octets = |digit| clips().clip(PromptId::Digit(digit)).unwrap().octets(law).to_vec();
            let pause = vec![law.silence(); 2_000];
            let expected = [octets(1), pause, octets(2)].concat();
            let mut player = Player::default();
            player.say(7, &utterance, &clips());
            let (mut heard, mut frame) = (Vec::new(), vec![0; octets_a_frame]);
            while player.fill(law, &mut frame) != Some(7) {
                heard.extend_from_slice(&frame);
                assert!(heard.len() < expected.len());
            }
            heard.extend_from_slice(&frame);
            assert_eq!(heard[..expected.len()], expected);
            assert!(heard[expected.len()..].iter().all(|octet| *octet == law.silence()));
            assert!(heard.len() - expected.len() < octets_a_frame);
            assert_eq!(player.fill(law, &mut frame), None);
            assert!(frame.iter().all(|octet| *octet == law.silence()));
        }
    }

    #[test]
    fn a_new_utterance_replaces_the_old_one_and_its_end() {
        let mut player = Player::default();
        let mut frame = [0; 160];
        player.say(1, &Utterance::default().clip(PromptId::WarningScam), &clips());
        assert_eq!(player.fill(Law::Mu, &mut frame), None);
        player.say(2, &Utterance::default().pause(Duration::from_millis(40)), &clips());
        assert_eq!(player.fill(Law::Mu, &mut frame), None);
        assert_eq!(player.fill(Law::Mu, &mut frame), Some(2));
        player.say(3, &Utterance::default().clip(PromptId::Goodbye), &clips());
        player.hush();
        for _ in 0..200 {
            assert_eq!(player.fill(Law::Mu, &mut frame), None);
            assert!(frame.iter().all(|octet| *octet == Law::Mu.silence()));
        }
    }

    #[test]
    fn an_utterance_without_sound_ends_at_once() {
        let mut player = Player::default();
        player.say(1, &Utterance::default(), &clips());
        assert_eq!(player.fill(Law::Mu, &mut [0; 160]), Some(1));
    }

    #[test]
    fn the_same_is_said_at_both_rates() {
        let utterance = Utterance::default().clip(PromptId::Goodbye).digits("12");
        let (mut narrow, mut wide) = (Player::default(), Player::default());
        narrow.say(7, &utterance, &clips());
        wide.say(7, &utterance, &clips());
        let (mut octets, mut samples) = ([0; 160], [0; 320]);
        let (mut heard, mut heard_wide) = (Vec::new(), Vec::new());
        loop {
            let ends = (narrow.fill(Law::Mu, &mut octets), wide.fill_wide(&mut samples));
            heard.extend(octets.map(|octet| Law::Mu.decode(octet)));
            heard_wide.extend(samples);
            assert_eq!(ends.0, ends.1);
            if ends.0.is_some() {
                break;
            }
        }
        for (n, (once, twice)) in heard.iter().zip(voice_prompts::decimate(&heard_wide)).enumerate() {
            let (once, twice) = (i32::from(*once), i32::from(twice));
            assert!((once - twice).abs() <= 16 + twice.abs() / 16, "sample {n}: {once} for {twice}");
        }
    }
}
