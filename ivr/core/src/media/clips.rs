//! The prompts, shared by all calls: as octets of G.711, encoded once, and for G.722 as samples, which stay in the binary.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use voice_prompts::{Language, Library, PromptId, Wide};

use super::Law;

/// Every clip of one language for every codec. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clips(Arc<HashMap<PromptId, Arc<Clip>>>);

/// The clips of every language, each encoded when somebody is first to be spoken to in it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Voices(Arc<Spoken>);

#[derive(Debug)]
struct Spoken {
    library: Library,
    english: Clips,
    others: BTreeMap<Language, OnceLock<Clips>>,
}

/// One clip for every codec.
#[derive(Debug)]
pub(crate) struct Clip {
    /// 8000 octets a second.
    mu_law: Box<[u8]>,
    a_law: Box<[u8]>,
    /// Two samples for each of those octets.
    wide: Wide,
}

impl Clips {
    /// Encodes the clips of the language in which a caller with this locale is spoken to.
    pub fn encode(library: &Library, locale: &str) -> Self {
        let clip = |id: PromptId| {
            let clip = Clip::encode(&library.samples(id, locale), library.wide_samples(id, locale));
            (id, Arc::new(clip))
        };
        Self(Arc::new(PromptId::ALL.into_iter().map(clip).collect()))
    }

    /// A clip; `None` for a digit that does not exist.
    pub(crate) fn clip(&self, id: PromptId) -> Option<Arc<Clip>> {
        self.0.get(&id).cloned()
    }
}

impl Voices {
    /// Encodes English, which stands in for every other language.
    pub fn new(library: Library) -> Self {
        let english = Clips::encode(&library, Language::ENGLISH.as_str());
        let languages = library.languages().map(Language::of).filter(|language| *language != Language::ENGLISH);
        let others = languages.map(|language| (language, OnceLock::new())).collect();
        Self(Arc::new(Spoken { library, english, others }))
    }

    /// What is spoken: English first.
    pub fn languages(&self) -> Vec<Language> {
        [Language::ENGLISH].into_iter().chain(self.0.others.keys().copied()).collect()
    }

    /// Nothing has to be done before this language can be spoken. One that nobody recorded is spoken in English.
    pub fn is_prepared(&self, language: Language) -> bool {
        self.0.others.get(&language).is_none_or(|clips| clips.get().is_some())
    }

    /// Encodes a language, which takes some ten milliseconds.
    pub fn prepare(&self, language: Language) {
        if let Some(clips) = self.0.others.get(&language) {
            clips.get_or_init(|| Clips::encode(&self.0.library, language.as_str()));
        }
    }

    /// The clips of a language, or English ones if it is not [prepared](Self::prepare).
    pub fn of(&self, language: Language) -> &Clips {
        self.0.others.get(&language).and_then(OnceLock::get).unwrap_or(&self.0.english)
    }
}

impl Clip {
    fn encode(samples: &[i16], wide: Wide) -> Self {
        let octets = |law: Law| samples.iter().map(|sample| law.encode(*sample)).collect();
        Self { mu_law: octets(Law::Mu), a_law: octets(Law::A), wide }
    }

    /// Its length at 8 kHz.
    pub(crate) fn samples(&self) -> usize {
        self.mu_law.len()
    }

    pub(crate) fn octets(&self, law: Law) -> &[u8] {
        match law {
            Law::Mu => &self.mu_law,
            Law::A => &self.a_law,
        }
    }

    /// Its samples at 16 kHz.
    pub(crate) fn wide(&self) -> &Wide {
        &self.wide
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_spoken_once_it_is_prepared_and_english_until_then() {
        let (library, german) = (Library::embedded(), Language::of("de-CH"));
        let voices = Voices::new(library.clone());
        let said = |language| voices.of(language).clip(PromptId::Goodbye).unwrap().samples();
        let length = |locale| library.samples(PromptId::Goodbye, locale).len();
        assert!(!voices.is_prepared(german) && voices.is_prepared(Language::ENGLISH));
        assert_eq!(said(german), length("en"));
        voices.prepare(german);
        assert!(voices.is_prepared(german));
        assert_eq!(said(german), length("de"));
        assert_eq!(said(Language::of("tlh")), length("en"));
        assert!(voices.is_prepared(Language::of("tlh")));
    }
}
