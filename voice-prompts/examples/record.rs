//! Renders the clips of a language with its speech engine and writes them beside the wording, with their
//! fingerprints: `cargo run -p voice-prompts --example record -- en [clip …]`. Without clips, all whose words changed or
//! whose recording is missing or another; `--all` renders every one. Needs the engine (`apt install flite espeak-ng`); using the
//! voice needs nothing.

use std::path::PathBuf;

use voice_prompts::{Standing, Wording, record_clips};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Fallible<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let all = arguments.iter().any(|a| a == "--all");
    arguments.retain(|a| a != "--all");
    let (language, chosen) = arguments.split_first().ok_or("say which language: record -- en [clip …] [--all]")?;
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let wording = Wording::parse(&std::fs::read_to_string(root.join(format!("wording/{language}.toml")))?)?;
    record_clips(
        &wording,
        &root.join("audio").join(language),
        |id, standing| {
            let is_chosen = chosen.iter().any(|name| name == id.name());
            all || is_chosen || (chosen.is_empty() && standing != Standing::Fresh)
        },
        |id, recorded| {
            let (length, kept_back_db) = (recorded.length.as_millis(), recorded.kept_back_db);
            println!("{:22} {length:5} ms  {kept_back_db:.1} dB kept back by the peak", id.name());
        },
    )?;
    Ok(())
}
