//! `fingerprints.txt` beside recordings that were made here: of each, the words, and the file as it was written. So a recording of
//! other words is found, and one that somebody put in its place.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{PromptId, Wording};

/// Those of one folder.
#[derive(Debug, Default)]
pub struct Fingerprints(BTreeMap<&'static str, Kept>);

#[derive(Debug)]
struct Kept {
    words: String,
    recording: String,
}

/// What a folder has of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Missing,
    /// A recording that was made of its words.
    Fresh,
    /// One that was made of other words.
    Stale,
    /// One that was not made here.
    Own,
}

impl Fingerprints {
    /// Those in this folder.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let text = match fs::read_to_string(folder.join(FILE)) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        // What is no clip any more is left out.
        let kept = text.lines().filter_map(|line| {
            let mut parts = line.split(' ');
            let id = PromptId::from_name(parts.next()?)?;
            let [words, recording] = [parts.next()?, parts.next()?].map(str::to_owned);
            Some((id.name(), Kept { words, recording }))
        });
        Ok(Self(kept.collect()))
    }

    /// What the folder has of this clip.
    pub fn standing(&self, id: PromptId, wording: &Wording, folder: &Path) -> io::Result<Standing> {
        let recording = match fs::read(wav(id, folder)) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Standing::Missing),
            read => digest(&read?),
        };
        Ok(match self.0.get(id.name()) {
            Some(kept) if kept.recording != recording => Standing::Own,
            Some(kept) if kept.words != wording.fingerprint(id) => Standing::Stale,
            Some(_) => Standing::Fresh,
            None => Standing::Own,
        })
    }

    /// The clip was just made of these words.
    pub(crate) fn keep(&mut self, id: PromptId, wording: &Wording, folder: &Path) -> io::Result<()> {
        let recording = digest(&fs::read(wav(id, folder))?);
        self.0.insert(id.name(), Kept { words: wording.fingerprint(id), recording });
        let line = |(name, Kept { words, recording }): (&&str, &Kept)| format!("{name} {words} {recording}\n");
        fs::write(folder.join(FILE), self.0.iter().map(line).collect::<String>())
    }
}

/// Where a clip lies in a folder of its language.
pub(crate) fn wav(id: PromptId, folder: &Path) -> PathBuf {
    folder.join(format!("{}.wav", id.name()))
}

pub(crate) fn digest(data: &[u8]) -> String {
    Sha256::digest(data).iter().map(|octet| format!("{octet:02x}")).collect()
}

const FILE: &str = "fingerprints.txt";
