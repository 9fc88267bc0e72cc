//! An ear that knows the recorded voice: audio in, the names of the clips that were spoken out. It compares what it
//! hears with the samples of each clip (normalised cross-correlation), so level, codec and a few lost packets do not
//! matter, and it finds a clip wherever it begins.
//!
//! Speech is so periodic that another word at the right pitch correlates to 0.8; the same recording over G.711 gives 0.98
//! and more. Lost samples are left out of the comparison, so the threshold can lie between the two.
//!
//! Searching is done on a copy thinned to 2 kHz: each clip has an *anchor*, its most energetic 200 ms near the
//! beginning. Where an anchor seems to be, the full samples decide. From then on the clip is followed to its end.

use std::sync::Arc;

use crate::{Library, PromptId};

/// One sample of the thinned copy for this many samples.
const THINNING: usize = 4;
/// Length of an anchor: 200 ms.
const ANCHOR: usize = 1_600;
/// An anchor lies in the first 1.2 s of its clip.
const ANCHOR_BEFORE: usize = 9_600;
/// How alike the thinned copies must be before the full samples are compared.
const SEEMS_ALIKE: f32 = 0.5;
/// Steps of the search on the thinned copy: the full samples are compared further to both sides than this.
const STRIDE: usize = 1;
/// How alike the full samples must be.
const IS_ALIKE: f32 = 0.96;
/// The place found on the thinned copy is this exact.
const PLACE_TOLERANCE: isize = 8;
/// At least this part of what is compared must have arrived.
const ENOUGH: f32 = 0.4;
/// A clip is followed in blocks of 100 ms.
const BLOCK: usize = 800;
/// A block under this correlation is something else.
const STILL_ALIKE: f32 = 0.75;
/// So many blocks of something else mean that the clip was cut off.
const BLOCKS_UNTIL_CUT: u32 = 2;
/// Blocks of the clip quieter than this part of its mean power are not compared.
const QUIET: f32 = 0.1;
/// Power per sample under which nothing is searched: about −50 dBm0.
const SILENCE: f32 = 40.0 * 40.0;

/// What was heard of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It was recognised and is being spoken.
    Began(PromptId),
    /// It was spoken to its end.
    Ended(PromptId),
    /// It broke off.
    Cut(PromptId),
}

/// The clips of one language or several, prepared for comparing. Shared by all calls.
#[derive(Debug)]
pub struct Vocabulary {
    clips: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    id: PromptId,
    samples: Vec<f32>,
    /// Where the anchor begins in `samples`.
    anchor: usize,
    /// The anchor, thinned, of energy 1.
    thinned: Vec<f32>,
    /// Mean power.
    power: f32,
}

/// The ear of one call.
#[derive(Debug)]
pub struct Hearing {
    vocabulary: Arc<Vocabulary>,
    /// What was heard lately; the first sample has the position `origin` in the call. A lost sample is no number.
    samples: Vec<f32>,
    origin: usize,
    /// The same, thinned: `thin[k]` stands for the samples around position `THINNING * (thin_origin + k)`.
    thin: Vec<f32>,
    thin_origin: usize,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// The anchors are searched in the thinned copy, the next one ending at this sample of it.
    Searching { end: usize },
    /// The clip that began at `start` is compared block by block, the next one at offset `at` of the clip;
    /// up to `sure_until` it was the clip for sure.
    Following { clip: usize, start: isize, at: usize, sure_until: usize, strange: u32 },
}

impl Vocabulary {
    /// What a caller with this locale may hear.
    pub fn of(library: &Library, locale: &str) -> Arc<Self> {
        Self::of_all(library, &[locale])
    }

    /// What a caller may hear who is spoken to in one of these languages after the other.
    pub fn of_all(library: &Library, locales: &[&str]) -> Arc<Self> {
        let all = locales.iter().flat_map(|locale| PromptId::ALL.into_iter().map(move |id| (id, *locale)));
        let clips = all.map(|(id, locale)| Known::new(id, &library.samples(id, locale))).collect();
        Arc::new(Self { clips })
    }
}

impl Known {
    fn new(id: PromptId, samples: &[i16]) -> Self {
        let samples: Vec<f32> = samples.iter().map(|s| f32::from(*s)).collect();
        let thin: Vec<f32> = (0..samples.len() / THINNING).map(|k| thinned(&samples, k)).collect();
        let last = samples.len().min(ANCHOR_BEFORE).saturating_sub(ANCHOR) / THINNING;
        let length = ANCHOR / THINNING;
        let window = |k: usize| &thin[k..(k + length).min(thin.len())];
        let anchor = (0..=last).max_by(|a, b| power(window(*a)).total_cmp(&power(window(*b)))).unwrap_or(0);
        let norm = window(anchor).iter().map(|s| s * s).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        Self {
            id,
            anchor: anchor * THINNING,
            thinned: window(anchor).iter().map(|s| s / norm).collect(),
            power: power(&samples),
            samples,
        }
    }

    fn anchor_samples(&self) -> &[f32] {
        &self.samples[self.anchor..(self.anchor + ANCHOR).min(self.samples.len())]
    }
}

impl Hearing {
    /// An ear that knows these clips.
    pub fn new(vocabulary: Arc<Vocabulary>) -> Self {
        Self {
            vocabulary,
            samples: Vec::new(),
            origin: 0,
            thin: Vec::new(),
            thin_origin: 0,
            state: State::Searching { end: ANCHOR / THINNING },
        }
    }

    /// Takes the next samples (8 kHz) and tells what was recognised by them.
    pub fn hear(&mut self, samples: &[i16], heard: &mut Vec<Heard>) {
        self.take(samples.iter().map(|s| f32::from(*s)), heard);
    }

    /// So many samples never came.
    pub fn lose(&mut self, count: usize, heard: &mut Vec<Heard>) {
        self.take(std::iter::repeat_n(f32::NAN, count), heard);
    }

    fn take(&mut self, samples: impl Iterator<Item = f32>, heard: &mut Vec<Heard>) {
        self.samples.extend(samples);
        while let Some(thin) = self.next_thin() {
            self.thin.push(thin);
        }
        while let Some(next) = self.step(heard) {
            self.state = next;
        }
        self.forget();
    }

    /// One step onward, or `None` when more audio is needed for it.
    fn step(&mut self, heard: &mut Vec<Heard>) -> Option<State> {
        let vocabulary = Arc::clone(&self.vocabulary);
        match self.state {
            State::Searching { end } => {
                if end > self.thin_origin + self.thin.len() || end * THINNING + PLACE_TOLERANCE as usize > self.end() {
                    return None;
                }
                Some(match self.search(&vocabulary, end) {
                    Some((clip, start)) => {
                        heard.push(Heard::Began(vocabulary.clips[clip].id));
                        let known = &vocabulary.clips[clip];
                        let at = (known.anchor + ANCHOR).min(known.samples.len());
                        State::Following { clip, start, at, sure_until: at, strange: 0 }
                    }
                    None => State::Searching { end: end + STRIDE },
                })
            }
            State::Following { clip, start, at, sure_until, strange } => {
                let known = &vocabulary.clips[clip];
                let next = (at + BLOCK).min(known.samples.len());
                let place = |offset: usize| usize::try_from(start + offset as isize).unwrap_or(0);
                if place(next) > self.end() {
                    return None;
                }
                let (sure_until, strange) = match self.compare(&known.samples[at..next], place(at), known.power) {
                    Some(true) => (next, 0),
                    Some(false) => (sure_until, strange + 1),
                    None => (sure_until, strange),
                };
                Some(if strange == BLOCKS_UNTIL_CUT {
                    heard.push(Heard::Cut(known.id));
                    State::Searching { end: (place(sure_until) + ANCHOR) / THINNING }
                } else if next == known.samples.len() {
                    heard.push(Heard::Ended(known.id));
                    State::Searching { end: (place(next) + ANCHOR) / THINNING }
                } else {
                    State::Following { clip, start, at: next, sure_until, strange }
                })
            }
        }
    }

    /// The clip whose anchor ends here on the thinned copy, and the position in the call at which it began.
    fn search(&self, vocabulary: &Vocabulary, end: usize) -> Option<(usize, isize)> {
        let length = ANCHOR / THINNING;
        let first = end.checked_sub(length)?.checked_sub(self.thin_origin)?;
        let window = &self.thin[first..first + length];
        let norm = window.iter().map(|s| s * s).sum::<f32>();
        if norm < SILENCE * length as f32 {
            return None;
        }
        let seeming = vocabulary.clips.iter().enumerate().filter(|(_, known)| {
            let product: f32 = known.thinned.iter().zip(window).map(|(a, b)| a * b).sum();
            product > SEEMS_ALIKE * norm.sqrt()
        });
        let about = (end * THINNING - ANCHOR) as isize;
        seeming
            .filter_map(|(clip, known)| {
                let place = |shift: isize| Some((shift, self.alike(known.anchor_samples(), about + shift)?));
                let (shift, alike) = (-PLACE_TOLERANCE..=PLACE_TOLERANCE)
                    .filter_map(place)
                    .max_by(|(_, a), (_, b)| a.total_cmp(b))
                    // At the far end, the place is still ahead: it is found at a later step.
                    .filter(|(shift, alike)| *alike > IS_ALIKE && *shift < PLACE_TOLERANCE)?;
                Some((alike, clip, about + shift - known.anchor as isize))
            })
            .max_by(|(a, ..), (b, ..)| a.total_cmp(b))
            .map(|(_, clip, start)| (clip, start))
    }

    /// Whether this block of a clip is what was heard at a position; `None` if too much was lost or the block is nearly
    /// silent, so that it cannot be told.
    fn compare(&self, block: &[f32], position: usize, clip_power: f32) -> Option<bool> {
        if power(block) < QUIET * clip_power {
            return None;
        }
        self.alike(block, position as isize).map(|alike| alike > STILL_ALIKE)
    }

    /// The normalised cross-correlation of samples with what was heard at a position; `None` if too much of that never
    /// came, is gone or is not yet there. Digital silence is like nothing.
    fn alike(&self, samples: &[f32], position: isize) -> Option<f32> {
        let first = usize::try_from(position).ok()?.checked_sub(self.origin)?;
        if first + samples.len() > self.samples.len() {
            return None;
        }
        let (mut product, mut ours, mut theirs, mut arrived) = (0.0, 0.0, 0.0, 0);
        for (a, b) in samples.iter().zip(&self.samples[first..]) {
            if !b.is_nan() {
                product += a * b;
                ours += a * a;
                theirs += b * b;
                arrived += 1;
            }
        }
        let enough = arrived as f32 >= ENOUGH * samples.len() as f32;
        enough.then(|| product / (ours * theirs).sqrt().max(1.0))
    }

    /// Position of the sample that comes next.
    fn end(&self) -> usize {
        self.origin + self.samples.len()
    }

    fn next_thin(&self) -> Option<f32> {
        let middle = (self.thin_origin + self.thin.len()) * THINNING;
        let first = middle.saturating_sub(THINNING / 2).max(self.origin);
        let last = middle + THINNING + THINNING / 2;
        if last > self.end() {
            return None;
        }
        let heard = &self.samples[first - self.origin..last - self.origin];
        let sum: f32 = heard.iter().filter(|sample| !sample.is_nan()).sum();
        Some(sum / (2 * THINNING) as f32)
    }

    /// Drops what no step will look at again.
    fn forget(&mut self) {
        let needed = match self.state {
            State::Searching { end } => (end * THINNING).saturating_sub(ANCHOR),
            State::Following { start, sure_until, .. } => usize::try_from(start).unwrap_or(0) + sure_until,
        };
        let keep_from = needed.saturating_sub(PLACE_TOLERANCE as usize + 2 * THINNING);
        let drop = keep_from.saturating_sub(self.origin).min(self.samples.len());
        self.samples.drain(..drop);
        self.origin += drop;
        let drop = (keep_from / THINNING).saturating_sub(self.thin_origin).min(self.thin.len());
        self.thin.drain(..drop);
        self.thin_origin += drop;
    }
}

/// Sample `k` of the thinned copy: a mean of eight samples, so that what is over 1 kHz does not disturb the search.
fn thinned(samples: &[f32], k: usize) -> f32 {
    let first = (k * THINNING).saturating_sub(THINNING / 2);
    let last = (k * THINNING + THINNING + THINNING / 2).min(samples.len());
    samples[first..last].iter().sum::<f32>() / (2 * THINNING) as f32
}

fn power(samples: &[f32]) -> f32 {
    samples.iter().map(|s| s * s).sum::<f32>() / samples.len().max(1) as f32
}
