//! The prompts, shared by all calls: as octets of G.711, encoded once, and for G.722 as samples, which stay in the binary.
//! A service that nobody calls has read none of them: what a telephone hears costs no memory before it rings.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use voice_prompts::{Language, Library, PromptId, Wide};

use super::Law;

/// Every clip of one language for every codec. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clips(Arc<HashMap<PromptId, Arc<Clip>>>);

/// The clips of every language, each encoded before somebody is first spoken to in it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Voices(Arc<Spoken>);

#[derive(Debug)]
struct Spoken {
    library: Library,
    /// English, which stands in for every other, is always among them.
    languages: BTreeMap<Language, OnceLock<Clips>>,
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
    /// Nothing is encoded yet.
    pub fn new(library: Library) -> Self {
        let recorded = library.languages().map(Language::of).chain([Language::ENGLISH]);
        let languages = recorded.map(|language| (language, OnceLock::new())).collect();
        Self(Arc::new(Spoken { library, languages }))
    }

    /// What is spoken: English first.
    pub fn languages(&self) -> Vec<Language> {
        let others = self.0.languages.keys().copied().filter(|language| *language != Language::ENGLISH);
        [Language::ENGLISH].into_iter().chain(others).collect()
    }

    /// Nothing has to be done before this language can be spoken. One that nobody recorded is spoken in English.
    pub fn is_prepared(&self, language: Language) -> bool {
        self.place(language).1.get().is_some()
    }

    /// Encodes a language, which takes some ten milliseconds: not for a thread that has packets to send.
    pub fn prepare(&self, language: Language) {
        let (spoken, clips) = self.place(language);
        clips.get_or_init(|| Clips::encode(&self.0.library, spoken.as_str()));
    }

    /// The clips of a language, or English ones if it is not [prepared](Self::prepare); `None` if that is not, either. Never takes
    /// any time.
    pub fn of(&self, language: Language) -> Option<&Clips> {
        [language, Language::ENGLISH].into_iter().find_map(|language| self.place(language).1.get())
    }

    /// The language in which a caller of this one is spoken to, and the place for its clips.
    fn place(&self, language: Language) -> (Language, &OnceLock<Clips>) {
        let spoken = if self.0.languages.contains_key(&language) { language } else { Language::ENGLISH };
        (spoken, &self.0.languages[&spoken])
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
    fn a_language_is_spoken_once_it_is_prepared_and_until_then_english_if_that_is() {
        let (library, german) = (Library::embedded(), Language::of("de-CH"));
        let voices = Voices::new(library.clone());
        let said = |language| Some(voices.of(language)?.clip(PromptId::Goodbye).unwrap().samples());
        let length = |locale| Some(library.samples(PromptId::Goodbye, locale).len());
        assert_eq!([german, Language::ENGLISH].map(said), [None, None]);
        assert!(!voices.is_prepared(german) && !voices.is_prepared(Language::ENGLISH), "who speaks encodes nothing");
        voices.prepare(Language::ENGLISH);
        assert_eq!(said(german), length("en"));
        assert!(!voices.is_prepared(german));
        voices.prepare(german);
        assert!(voices.is_prepared(german));
        assert_eq!(said(german), length("de"));
        assert_eq!(said(Language::of("tlh")), length("en"));
        assert!(voices.is_prepared(Language::of("tlh")));
    }
}
