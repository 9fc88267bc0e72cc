//! The clips in memory, by language. The shipped ones are in the binary; an operator's folder goes over them clip by clip.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::clip::{self, ClipError, RATE, Recording, Wide};
use crate::embedded::{LANGUAGES, Shipped};
use crate::level::{self, ACTIVE_LEVEL_DBM0, PEAK_LIMIT_DBFS};
use crate::{PromptId, Segment, Utterance, Wording};

/// An operator's clip that is further than this from the shipped level is taken, but warned of.
const LEVEL_WORTH_A_WARNING_DB: f64 = 6.0;

/// Every clip of every language. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Library {
    languages: Arc<BTreeMap<String, Language>>,
}

#[derive(Debug, Clone)]
struct Language {
    clips: Vec<Recording>,
    texts: Vec<String>,
    barge_in: Vec<bool>,
    own: Vec<bool>,
}

/// Something about an operator's folder that the operator should know. The call goes on with another clip.
#[derive(Debug, thiserror::Error)]
pub enum Warning {
    /// The folder itself cannot be read: only shipped clips are used.
    #[error("the prompt folder {}: {cause}; the shipped clips are used", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A file cannot be read.
    #[error("{}: {cause}; the shipped clip is used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A file is not a clip we can play.
    #[error("{}: {cause}; the shipped clip is used", path.display())]
    Clip {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: ClipError,
    },
    /// A file whose name is no clip's: perhaps misspelled.
    #[error("{} is no clip's name: it is not used", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// A language that is not shipped lacks a clip.
    #[error("the language {language:?} has no clip {:?}: it is spoken in {fallback:?}", id.name())]
    Fallback {
        /// The language of the folder.
        language: String,
        /// The clip.
        id: PromptId,
        /// The language that stands in.
        fallback: String,
    },
    /// A clip much louder or quieter than the others, or near clipping. It is used.
    #[error("{}: its active level is {active_dbm0:.1} dBm0 and its peak {peak_dbfs:.1} dBFS; {ACTIVE_LEVEL_DBM0} dBm0 and at most {PEAK_LIMIT_DBFS} dBFS are wanted", path.display())]
    Level {
        /// The file.
        path: PathBuf,
        /// Its active speech level.
        active_dbm0: f64,
        /// Its peak.
        peak_dbfs: f64,
    },
}

impl Library {
    /// The shipped clips.
    ///
    /// # Panics
    /// If a clip in the binary is broken, which this crate's tests exclude.
    pub fn embedded() -> Self {
        static SHIPPED: LazyLock<Library> = LazyLock::new(|| {
            let languages = LANGUAGES.iter().map(Language::shipped).collect();
            Library { languages: Arc::new(languages) }
        });
        SHIPPED.clone()
    }

    /// The shipped clips, and over them those of a folder: `<lang>/<id>.wav` in it, mono, 16 bits, 16 or 8 kHz. A call has no
    /// more of its language than the primary subtag: `pt-BR` is spoken where `pt` is.
    /// What cannot be used is told and replaced by the shipped clip, never by silence.
    pub fn with_folder(folder: &Path) -> (Self, Vec<Warning>) {
        let mut languages = (*Self::embedded().languages).clone();
        let mut warnings = Vec::new();
        for (language, path) in subfolders(folder, &mut warnings) {
            let mut own = own_clips(&path, &mut warnings);
            if own.is_empty() {
                continue;
            }
            let entry = languages.entry(language.clone()).or_insert_with(|| {
                let missing = PromptId::ALL.into_iter().filter(|id| !own.contains_key(id));
                let fallback = fallback_language().to_owned();
                warnings.extend(missing.map(|id| Warning::Fallback {
                    language: language.clone(),
                    id,
                    fallback: fallback.clone(),
                }));
                Language::shipped(&LANGUAGES[0]).1
            });
            for id in PromptId::ALL {
                if let Some(recording) = own.remove(&id) {
                    entry.clips[id.index()] = recording;
                    entry.own[id.index()] = true;
                }
            }
        }
        (Self { languages: Arc::new(languages) }, warnings)
    }

    /// The languages spoken, as primary subtags.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.languages.keys().map(String::as_str)
    }

    /// The language in which a caller with this locale (`de-AT`, `en`) is spoken to.
    pub fn language(&self, locale: &str) -> &str {
        let wanted = locale.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        self.languages.get_key_value(&wanted).map_or(fallback_language(), |(language, _)| language)
    }

    /// The samples of a clip at 8 kHz. If it was recorded at 16 kHz they are derived: once is enough, keep them.
    pub fn samples(&self, id: PromptId, locale: &str) -> Arc<[i16]> {
        self.spoken_to(locale).clips[id.index()].narrow()
    }

    /// The samples of a clip at 16 kHz, two for each at 8 kHz. If it was recorded at 8 kHz they are derived.
    pub fn wide_samples(&self, id: PromptId, locale: &str) -> Wide {
        self.spoken_to(locale).clips[id.index()].wide()
    }

    /// The words of a clip, as people write them. An operator's own recording should say the same.
    pub fn text(&self, id: PromptId, locale: &str) -> &str {
        &self.spoken_to(locale).texts[id.index()]
    }

    /// How long a clip is.
    pub fn length(&self, id: PromptId, locale: &str) -> Duration {
        let samples = self.spoken_to(locale).clips[id.index()].narrow_len() as u64;
        Duration::from_micros(samples * 1_000_000 / u64::from(RATE))
    }

    /// How long a sentence is, pauses included.
    pub fn utterance_length(&self, utterance: &Utterance, locale: &str) -> Duration {
        let length = |segment: &Segment| match segment {
            Segment::Clip(id) => self.length(*id, locale),
            Segment::Pause(pause) => *pause,
        };
        utterance.0.iter().map(length).sum()
    }

    /// Whether a digit ends a sentence of such clips, and counts.
    pub fn barge_in(&self, id: PromptId, locale: &str) -> bool {
        self.spoken_to(locale).barge_in[id.index()]
    }

    /// Whether the operator recorded this clip.
    pub fn is_own(&self, id: PromptId, locale: &str) -> bool {
        self.spoken_to(locale).own[id.index()]
    }

    fn spoken_to(&self, locale: &str) -> &Language {
        &self.languages[self.language(locale)]
    }
}

impl Language {
    fn shipped(shipped: &Shipped) -> (String, Self) {
        let wording = Wording::parse(shipped.wording).expect("the shipped wording is tested");
        let clip = |id: PromptId| {
            let (_, wav) = shipped.clips.iter().find(|(name, _)| *name == id.name()).expect("every clip is shipped");
            Recording::Shipped(wav)
        };
        let language = Self {
            clips: PromptId::ALL.into_iter().map(clip).collect(),
            texts: PromptId::ALL.into_iter().map(|id| wording.words(id).text.clone()).collect(),
            barge_in: PromptId::ALL.into_iter().map(|id| wording.words(id).barge_in).collect(),
            own: vec![false; PromptId::ALL.len()],
        };
        (wording.language().to_owned(), language)
    }
}

/// The language that stands in for what another one lacks.
fn fallback_language() -> &'static str {
    "en"
}

fn subfolders(folder: &Path, warnings: &mut Vec<Warning>) -> Vec<(String, PathBuf)> {
    let mut found: Vec<_> = entries(folder, warnings)
        .into_iter()
        .filter(|path| path.is_dir())
        .filter_map(|path| Some((path.file_name()?.to_str()?.split(['-', '_']).next()?.to_ascii_lowercase(), path)))
        .collect();
    found.sort();
    found
}

fn own_clips(folder: &Path, warnings: &mut Vec<Warning>) -> BTreeMap<PromptId, Recording> {
    let mut own = BTreeMap::new();
    let mut paths = entries(folder, warnings);
    paths.sort();
    for path in paths.into_iter().filter(|path| path.extension().is_some_and(|e| e == "wav")) {
        let Some(id) = path.file_stem().and_then(|name| PromptId::from_name(name.to_str()?)) else {
            warnings.push(Warning::Unknown { path });
            continue;
        };
        match std::fs::read(&path).map(|wav| clip::read(&wav)) {
            Ok(Ok(recording)) => {
                warnings.extend(odd_level(&path, &recording.narrow()));
                own.insert(id, recording);
            }
            Ok(Err(cause)) => warnings.push(Warning::Clip { path, cause }),
            Err(cause) => warnings.push(Warning::File { path, cause }),
        }
    }
    own
}

fn odd_level(path: &Path, samples: &[i16]) -> Option<Warning> {
    let active_dbm0 = level::active_dbm0(samples, RATE)?;
    let peak_dbfs = level::peak_dbfs(samples)?;
    let odd = (active_dbm0 - ACTIVE_LEVEL_DBM0).abs() > LEVEL_WORTH_A_WARNING_DB || peak_dbfs > PEAK_LIMIT_DBFS;
    odd.then(|| Warning::Level { path: path.to_owned(), active_dbm0, peak_dbfs })
}

fn entries(folder: &Path, warnings: &mut Vec<Warning>) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(folder).and_then(|all| all.map(|entry| Ok(entry?.path())).collect());
    listed.unwrap_or_else(|cause| {
        warnings.push(Warning::Folder { path: folder.to_owned(), cause });
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::halfband;

    fn power(samples: impl Iterator<Item = i32>) -> f64 {
        samples.map(|sample| f64::from(sample).powi(2)).sum()
    }

    #[test]
    fn the_wide_samples_are_two_for_each_and_say_more_than_a_telephone_hears() {
        let library = Library::embedded();
        let (mut all, mut above) = (0.0, 0.0);
        for id in PromptId::ALL {
            let (narrow, wide) = (library.samples(id, "en"), library.wide_samples(id, "en").to_vec());
            assert_eq!(wide.len(), 2 * narrow.len(), "{id:?}");
            // What no clip of 8 kHz could have.
            let low = halfband::interpolate(&narrow);
            all += power(wide.iter().map(|sample| i32::from(*sample)));
            above += power(wide.iter().zip(&low).map(|(sample, low)| i32::from(*sample) - i32::from(*low)));
        }
        let decibels = 10.0 * (above / all).log10();
        assert!(decibels > -25.0, "{decibels} dB");
    }
}
