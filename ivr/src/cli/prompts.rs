//! `dialproof prompts`: says what the voice would use of an operator's folder, and records for it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use ivr_core::call::flow::TooLong;
use voice_prompts::level::{active_dbm0, peak_dbfs};
use voice_prompts::{Library, PromptId, RATE, Recorded, Standing, Wording, record, record_clips};

/// What the commands take.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Say which clips are spoken in each language, and what is wrong with those of a folder
    Verify(Verify),
    /// Have the shipped voices say the service's name, or everything else, for an operator's folder
    Record(Record),
}

/// What `verify` takes.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The operator's recordings: LANGUAGE/CLIP.wav (`prompts_dir` of the configuration)
    folder: Option<PathBuf>,
    /// Tell of each clip how long and how loud it is
    #[arg(long)]
    clips: bool,
}

/// What `record` takes.
#[derive(Debug, clap::Args)]
pub struct Record {
    /// Only the service's name, as the voices should read it; otherwise all clips but the name, and but for those that lie there
    /// and were not made by this command
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Only in this language [default: in every shipped one]
    #[arg(long)]
    language: Option<String>,
    /// Where operators' recordings lie: LANGUAGE/CLIP.wav is written, and LANGUAGE/fingerprints.txt
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
            let clips = PromptId::ALL.map(|id| Measured::of(id, language, &library));
            let own = clips.iter().filter(|clip| clip.is_own).count();
            let seconds: f64 = clips.iter().map(|clip| clip.length.as_secs_f64()).sum();
            let [quietest, loudest] = range(clips.iter().filter_map(|clip| clip.active_dbm0));
            let [_, peak] = range(clips.iter().filter_map(|clip| clip.peak_dbfs));
            println!(
                "{language}: {} clips, {seconds:.0} s, {quietest:.1} to {loudest:.1} dBm0, peaks up to {peak:.1} dBFS; {own} of \
                 them from the folder",
                clips.len()
            );
            if self.clips {
                clips.iter().for_each(|clip| println!("  {clip}"));
            }
        }
        let too_long = TooLong::of(&library);
        warnings.iter().for_each(|warning| eprintln!("{warning}"));
        too_long.iter().for_each(|sentence| eprintln!("{sentence}"));
        if warnings.is_empty() && too_long.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// A clip as callers would hear it.
struct Measured {
    id: PromptId,
    length: Duration,
    /// `None` for silence, which no clip is.
    active_dbm0: Option<f64>,
    peak_dbfs: Option<f64>,
    is_own: bool,
}

impl Measured {
    fn of(id: PromptId, language: &str, library: &Library) -> Self {
        let samples = library.samples(id, language);
        Self {
            id,
            length: library.length(id, language),
            active_dbm0: active_dbm0(&samples, RATE),
            peak_dbfs: peak_dbfs(&samples),
            is_own: library.is_own(id, language),
        }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, length, is_own, .. } = self;
        let [level, peak] = [self.active_dbm0, self.peak_dbfs].map(|decibels| decibels.unwrap_or(f64::NEG_INFINITY));
        write!(f, "{:22} {:5.2} s  {level:6.1} dBm0  peak {peak:5.1} dBFS", id.name(), length.as_secs_f64())?;
        f.write_str(if *is_own { "  from the folder" } else { "" })
    }
}

/// The lowest and the highest.
fn range(values: impl Iterator<Item = f64>) -> [f64; 2] {
    values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| [low.min(value), high.max(value)])
}

impl Record {
    fn run(self) -> Result<ExitCode> {
        let Self { service, language, folder } = self;
        let is_wanted = |wording: &Wording| language.as_ref().is_none_or(|language| language == wording.language());
        let wordings: Vec<_> = Wording::shipped().filter(is_wanted).collect();
        ensure!(!wordings.is_empty(), "no voice is shipped for {:?}", language.unwrap_or_default());
        match service {
            Some(service) => Self::record_name(&service, wordings, &folder)?,
            None => wordings.iter().try_for_each(|wording| Self::record_all(wording, &folder))?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn record_all(wording: &Wording, folder: &Path) -> Result<()> {
        let folder = folder.join(wording.language());
        record_clips(wording, &folder, is_wanted, |id, Recorded { length, .. }| {
            println!("{}/{}.wav: {:.2} s", folder.display(), id.name(), length.as_secs_f64());
        })
        .with_context(|| format!("recording into {}", folder.display()))
    }

    fn record_name(service: &str, wordings: Vec<Wording>, folder: &Path) -> Result<()> {
        ensure!(
            is_readable(service),
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
        Ok(())
    }
}

/// Whether a clip is recorded where nobody asks for the service's name: what the shipped wording calls the service is no operator's
/// name for it, and where it lies there, nobody is told any more that the name is missing.
fn is_wanted(id: PromptId, standing: Standing) -> bool {
    id != PromptId::Service && matches!(standing, Standing::Missing | Standing::Stale)
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
    fn nobody_records_the_service_s_name_without_saying_it() {
        assert!(is_wanted(PromptId::EnterCode, Standing::Missing) && is_wanted(PromptId::EnterCode, Standing::Stale));
        assert!(!is_wanted(PromptId::Service, Standing::Missing) && !is_wanted(PromptId::Service, Standing::Stale));
    }

    #[test]
    fn a_name_that_the_voices_cannot_read_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", " ", "...", "日本", "Жук", "Acme 日本"] {
            let record = Record { service: Some(name.to_owned()), language: None, folder: folder.path().to_owned() };
            let told = record.run().unwrap_err().to_string();
            assert!(told.contains("Latin letters"), "{name}: {told}");
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        assert!(["Acme", "Café 24", "Zażółć & Söhne"].into_iter().all(is_readable));
    }
}
