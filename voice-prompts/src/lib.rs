//! The recorded voice: which clips exist, their wording in each language, and their samples.
//! To add a clip, add it to [`PromptId`] and to `wording/<lang>.toml`, record it with
//! `cargo run -p voice-prompts --example record -- <lang>`, and then name it in `embedded.rs`.

mod clip;
mod embedded;
mod fingerprints;
mod halfband;
mod hearing;
mod language;
pub mod level;
mod library;
mod prompt;
mod recording;
mod wording;

pub use clip::{ClipError, LONGEST, MASTER_RATE, RATE, Wide};
pub use fingerprints::{Fingerprints, Standing};
pub use halfband::decimate;
pub use hearing::{Heard, Hearing, Vocabulary};
pub use language::Language;
pub use library::{Library, Warning};
pub use prompt::{PromptId, Segment, Utterance};
pub use recording::{RecordError, Recorded, record, record_clips};
pub use wording::{Voice, Wording, WordingError, Words};
