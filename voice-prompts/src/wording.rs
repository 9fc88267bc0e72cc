//! What each clip says, language by language: `wording/<lang>.toml`, read and checked.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::PromptId;
use crate::embedded::LANGUAGES;
use crate::fingerprints::digest;

/// The words of one language and the voice that reads them.
#[derive(Debug, Clone)]
pub struct Wording {
    language: String,
    voice: Voice,
    clips: BTreeMap<PromptId, Words>,
}

/// The speech engine that rendered the shipped clips.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voice {
    /// The program.
    pub engine: String,
    /// One of its voices.
    pub name: String,
    /// Over 1 is slower.
    pub stretch: f64,
}

/// The words of one clip.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// As people write them.
    pub text: String,
    /// As the engine must be told, where `text` is not good enough.
    spoken: Option<String>,
    /// Whether a digit ends a sentence of such clips, and counts.
    pub barge_in: bool,
}

/// Why a wording file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WordingError {
    /// Not TOML of the expected shape.
    #[error("the wording is not readable: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A key that is no clip.
    #[error("there is no clip called {0:?}: compare with PromptId")]
    Unknown(String),
    /// A clip without words.
    #[error("the clip {} has no words in {language:?}: add it to its wording file", id.name())]
    Missing {
        /// The language of the file.
        language: String,
        /// The clip.
        id: PromptId,
    },
}

impl Words {
    /// What the engine is given.
    pub fn spoken(&self) -> &str {
        self.spoken.as_deref().unwrap_or(&self.text)
    }
}

impl Wording {
    /// Those of the shipped languages.
    ///
    /// # Panics
    /// If one in the binary is broken, which this crate's tests exclude.
    pub fn shipped() -> impl Iterator<Item = Self> {
        LANGUAGES.iter().map(|shipped| Self::parse(shipped.wording).expect("the shipped wording is tested"))
    }

    /// Reads a wording file; every clip must be there, and nothing else.
    pub fn parse(text: &str) -> Result<Self, WordingError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            language: String,
            voice: Voice,
            clips: BTreeMap<String, Words>,
        }
        let Raw { language, voice, clips } = toml::from_str(text)?;
        let clips = clips
            .into_iter()
            .map(|(name, words)| match PromptId::from_name(&name) {
                Some(id) => Ok((id, words)),
                None => Err(WordingError::Unknown(name)),
            })
            .collect::<Result<BTreeMap<_, _>, _>>()?;
        if let Some(id) = PromptId::ALL.into_iter().find(|id| !clips.contains_key(id)) {
            return Err(WordingError::Missing { language, id });
        }
        Ok(Self { language, voice, clips })
    }

    /// The language, as a primary subtag (BCP 47) such as `en`.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// The voice of the shipped clips.
    pub fn voice(&self) -> &Voice {
        &self.voice
    }

    /// The words of a clip.
    pub fn words(&self, id: PromptId) -> &Words {
        &self.clips[&id]
    }

    /// A fingerprint of all that shapes a recording: engine, voice, pace, words. It is kept beside the recording, so
    /// that a recording of other words is found.
    pub fn fingerprint(&self, id: PromptId) -> String {
        let Voice { engine, name, stretch } = &self.voice;
        digest(format!("{engine}\n{name}\n{stretch}\n{}", self.words(id).spoken()).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: &str = include_str!("../wording/en.toml");

    #[test]
    fn the_english_wording_is_complete() {
        let wording = Wording::parse(ENGLISH).unwrap();
        assert_eq!(wording.language(), "en");
        assert_eq!(wording.words(PromptId::Service).spoken(), "dial proof.");
        assert_eq!(wording.words(PromptId::Service).text, "Dialproof.");
    }

    #[test]
    fn a_wording_with_a_clip_too_few_or_too_many_is_refused() {
        let without = ENGLISH.replace("[clips.goodbye]", "[clips.farewell]");
        assert!(matches!(Wording::parse(&without), Err(WordingError::Unknown(name)) if name == "farewell"));
        let cut = &ENGLISH[..ENGLISH.find("[clips.digit-9]").unwrap()];
        assert!(matches!(Wording::parse(cut), Err(WordingError::Missing { id: PromptId::Digit(9), .. })));
    }

    #[test]
    fn the_fingerprint_changes_with_the_words_and_with_the_voice() {
        let before = Wording::parse(ENGLISH).unwrap();
        let other_words = Wording::parse(&ENGLISH.replace("\"Goodbye.\"", "\"Good bye.\"")).unwrap();
        let other_voice = Wording::parse(&ENGLISH.replace("\"rms\"", "\"slt\"")).unwrap();
        let id = PromptId::Goodbye;
        assert_ne!(before.fingerprint(id), other_words.fingerprint(id));
        assert_ne!(before.fingerprint(id), other_voice.fingerprint(id));
        assert_eq!(before.fingerprint(PromptId::Digit(1)), other_words.fingerprint(PromptId::Digit(1)));
    }
}
