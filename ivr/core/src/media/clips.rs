//! The prompts, shared by all calls: as octets of G.711, encoded once, and for G.722 as samples, which stay in the binary.

use std::collections::HashMap;
use std::sync::Arc;

use voice_prompts::{Library, PromptId, Wide};

use super::Law;

/// Every clip of one language for every codec. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clips(Arc<HashMap<PromptId, Arc<Clip>>>);

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
