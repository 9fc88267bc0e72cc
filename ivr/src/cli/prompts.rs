//! `dialproof prompts`: says what the voice would use of an operator's folder, and records the service's name for it.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use voice_prompts::{Library, PromptId, Recorded, Wording, record};

/// What the commands take.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Say which clips are spoken in each language, and what is wrong with those of a folder
    Verify(Verify),
    /// Have the shipped voices say the service's name, for an operator's folder
    Record(Record),
}

/// What `verify` takes.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The operator's recordings: LANGUAGE/CLIP.wav (`prompts_dir` of the configuration)
    folder: Option<PathBuf>,
}

/// What `record` takes.
#[derive(Debug, clap::Args)]
pub struct Record {
    /// The name, as the voices should read it
    #[arg(long, value_name = "NAME")]
    service: String,
    /// Only in this language [default: in every shipped one]
    #[arg(long)]
    language: Option<String>,
    /// Where operators' recordings lie: LANGUAGE/service.wav is written
    folder: PathBuf,
}

/// Runs one of them.
///
/// # Errors
/// What could not be done.
pub async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Verify(verify) => Ok(verify.run()),
        Command::Record(record) => record.run(),
    }
}

impl Verify {
    /// Fails if something of the folder is not used, or not as it should be.
    fn run(self) -> ExitCode {
        let (library, warnings) =
            self.folder.map_or_else(|| (Library::embedded(), Vec::new()), |folder| Library::with_folder(&folder));
        for language in library.languages() {
            let own = PromptId::ALL.iter().filter(|id| library.is_own(**id, language)).count();
            let seconds: f64 = PromptId::ALL.iter().map(|id| library.length(*id, language).as_secs_f64()).sum();
            println!("{language}: {} clips, {seconds:.0} s; {own} of them from the folder", PromptId::ALL.len());
        }
        warnings.iter().for_each(|warning| eprintln!("{warning}"));
        if warnings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

impl Record {
    fn run(self) -> Result<ExitCode> {
        let Self { service, language, folder } = self;
        let is_wanted = |wording: &Wording| language.as_ref().is_none_or(|language| language == wording.language());
        let wordings: Vec<_> = Wording::shipped().filter(is_wanted).collect();
        ensure!(!wordings.is_empty(), "no voice is shipped for {:?}", language.unwrap_or_default());
        ensure!(
            is_readable(&service),
            "the shipped voices read Latin letters and digits only, not {service:?}: write the name as it is spoken, or record \
             a person as LANGUAGE/{}.wav",
            PromptId::Service.name()
        );
        // Only when every voice has said it, something is written.
        let made = tempfile::tempdir().context("making a temporary folder")?;
        let mut recordings = Vec::new();
        for wording in wordings {
            let wav = made.path().join(format!("{}.wav", wording.language()));
            let Recorded { length, .. } = record(wording.voice(), &format!("{service}."), &wav)?;
            ensure!(
                length >= SHORTEST,
                "the voice of {} says too little of {service:?}: write the name as it is spoken",
                wording.language()
            );
            recordings.push((wording.language().to_owned(), wav, length));
        }
        for (language, recording, length) in recordings {
            let folder = folder.join(language);
            fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
            let wav = folder.join(format!("{}.wav", PromptId::Service.name()));
            fs::copy(recording, &wav).with_context(|| format!("writing {}", wav.display()))?;
            println!("{}: {:.2} s", wav.display(), length.as_secs_f64());
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// No voice says a syllable in less, silence around it included.
const SHORTEST: Duration = Duration::from_millis(150);

/// Whether it has something to say and every letter is one that the voices know: flite leaves others out, and espeak-ng
/// says that they are letters.
fn is_readable(name: &str) -> bool {
    let is_latin = |c: char| c.is_ascii() || matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}');
    let mut letters = name.chars().filter(|c| c.is_alphanumeric()).peekable();
    letters.peek().is_some() && letters.all(is_latin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_the_voices_cannot_read_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", " ", "...", "日本", "Жук", "Acme 日本"] {
            let record = Record { service: name.to_owned(), language: None, folder: folder.path().to_owned() };
            let told = record.run().unwrap_err().to_string();
            assert!(told.contains("Latin letters"), "{name}: {told}");
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        assert!(["Acme", "Café 24", "Zażółć & Söhne"].into_iter().all(is_readable));
    }
}
