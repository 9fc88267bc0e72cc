//! The recorded voice: which clips exist, their wording in each language, and their samples.
//! To add a clip, add it to [`PromptId`], to `wording/<lang>.toml`, and record it.

mod prompt;

pub use prompt::{PromptId, Segment, Utterance};
