//! `dialproof prompts`: says what the voice would use of an operator's folder, and records the service's name for it.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

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
        for wording in wordings {
            let folder = folder.join(wording.language());
            fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
            let wav = folder.join(format!("{}.wav", PromptId::Service.name()));
            let Recorded { length, .. } = record(wording.voice(), &format!("{service}."), &wav)?;
            println!("{}: {:.2} s", wav.display(), length.as_secs_f64());
        }
        Ok(ExitCode::SUCCESS)
    }
}
