//! Renders the clips of a language with its speech engine and writes them beside the wording, with the fingerprint of
//! the words: `cargo run -p voice-prompts --example record -- en [clip …]`. Without clips, all whose words changed or
//! whose recording is missing; `--all` renders every one. Needs the engine (`apt install flite espeak-ng`); using the voice
//! needs nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use voice_prompts::{PromptId, Recorded, Wording, record};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Fallible<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let all = arguments.iter().any(|a| a == "--all");
    arguments.retain(|a| a != "--all");
    let (language, chosen) = arguments.split_first().ok_or("say which language: record -- en [clip …] [--all]")?;
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let wording = Wording::parse(&std::fs::read_to_string(root.join(format!("wording/{language}.toml")))?)?;
    let folder = root.join("audio").join(language);
    std::fs::create_dir_all(&folder)?;

    let kept = folder.join("fingerprints.txt");
    let mut fingerprints: BTreeMap<String, String> = std::fs::read_to_string(&kept)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, hash)| (name.to_owned(), hash.to_owned()))
        .collect();
    for id in PromptId::ALL {
        let wav = folder.join(format!("{}.wav", id.name()));
        let fresh = fingerprints.get(id.name()) == Some(&wording.fingerprint(id)) && wav.exists();
        if all || chosen.iter().any(|name| name == id.name()) || (chosen.is_empty() && !fresh) {
            let Recorded { length, kept_back_db } = record(wording.voice(), wording.words(id).spoken(), &wav)?;
            println!("{:22} {:5} ms  {kept_back_db:.1} dB kept back by the peak", id.name(), length.as_millis());
            fingerprints.insert(id.name().to_owned(), wording.fingerprint(id));
        }
    }
    fingerprints.retain(|name, _| PromptId::from_name(name).is_some());
    let lines: String = fingerprints.iter().map(|(name, hash)| format!("{name} {hash}\n")).collect();
    Ok(std::fs::write(kept, lines)?)
}
