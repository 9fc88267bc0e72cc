//! The prompts as octets of both codecs, encoded once and shared by all calls.

use std::collections::HashMap;
use std::sync::Arc;

use voice_prompts::{Library, PromptId};

use super::Codec;

/// Every clip of one language in every codec. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clips(Arc<HashMap<PromptId, Arc<Clip>>>);

/// One clip in every codec: 8000 octets a second.
#[derive(Debug)]
pub(crate) struct Clip {
    mu_law: Box<[u8]>,
    a_law: Box<[u8]>,
}

impl Clips {
    /// Encodes the clips of the language in which a caller with this locale is spoken to.
    pub fn encode(library: &Library, locale: &str) -> Self {
        let clip = |id: PromptId| (id, Arc::new(Clip::encode(&library.samples(id, locale))));
        Self(Arc::new(PromptId::ALL.into_iter().map(clip).collect()))
    }

    /// A clip; `None` for a digit that does not exist.
    pub(crate) fn clip(&self, id: PromptId) -> Option<Arc<Clip>> {
        self.0.get(&id).cloned()
    }
}

impl Clip {
    fn encode(samples: &[i16]) -> Self {
        let octets = |codec: Codec| samples.iter().map(|sample| codec.encode(*sample)).collect();
        Self { mu_law: octets(Codec::Pcmu), a_law: octets(Codec::Pcma) }
    }

    pub(crate) fn octets(&self, codec: Codec) -> &[u8] {
        match codec {
            Codec::Pcmu => &self.mu_law,
            Codec::Pcma => &self.a_law,
        }
    }
}
