//! `dialproof check-config`: every fault and every warning of a configuration file, and of the files it names.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use ivr_core::call::flow::TooLong;
use voice_prompts::{Library, PromptId};

use super::private_file;
use super::secret::PASSPHRASE;
use crate::clock::Clock;
use crate::config::findings::Findings;
use crate::config::{Config, ConfigError, Purpose};
use crate::outbound::Reach;
use crate::passports::{fetcher, of_passed_over, of_stranger, read_authority};
use crate::service::{founding, tls};
use crate::webhooks::Means;

/// What the command takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file
    #[arg(long, short, env = "DIALPROOF_CONFIG", default_value = "config.toml")]
    config: PathBuf,
    /// Fail on warnings, too
    #[arg(long)]
    strict: bool,
}

/// Prints the findings. 0: nothing keeps the service from starting; 1: a fault (or, with `--strict`, a warning).
///
/// # Errors
/// If the file cannot be read.
pub async fn run(args: Args) -> Result<ExitCode> {
    let (config, mut findings) = match Config::read(&args.config, Purpose::Serve) {
        Ok((config, findings)) => (Some(config), findings),
        Err(ConfigError::Faulty { findings, .. }) => (None, findings),
        Err(error @ ConfigError::Unreadable { .. }) => return Err(error.into()),
    };
    if let Some(config) = &config {
        inspect(config, &args.config, &mut findings);
    }
    print!("{findings}");
    let (faults, warnings) = (findings.faults().len(), findings.warnings().len());
    println!("{}: {}, {}", args.config.display(), counted(faults, "fault"), counted(warnings, "warning"));
    let failed = faults > 0 || (args.strict && warnings > 0);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What the file's text does not show: whether what it names is there and kept private.
fn inspect(config: &Config, from: &Path, findings: &mut Findings) {
    if !config.service().data_dir().is_dir() {
        findings.fault(
            "service.data_dir",
            format!("{} is no folder: `dialproof init` makes it", config.service().data_dir().display()),
        );
    }
    if !config.ca().folder().is_dir() {
        findings.fault(
            "ca.folder",
            format!(
                "{} is no folder: restore it from the backup, or make an authority with `dialproof init`",
                config.ca().folder().display()
            ),
        );
    }
    private_file::warn_of_open(config, from, findings);
    readable("keys.file", config.keys().file(), findings);
    authority(config, findings);
    // As `serve` reads them.
    let (pages, telephone) = (config.http().tls().map(tls::configuration).transpose(), tls::telephone(config));
    for error in [pages.err(), telephone.err()].into_iter().flatten() {
        findings.fault(error.place(), error.to_string());
    }
    passports(config, findings);
    if let Err(error) = Means::of(config, Reach::PUBLIC).client() {
        findings.fault("webhooks.tls_roots", error.to_string());
    }
    for (place, file) in config.trunk_secrets() {
        readable(place, file, findings);
    }
    match config.smtp().map(|smtp| smtp.login()) {
        Some(Some(login)) => readable("smtp.password_file", login.password_file(), findings),
        Some(None) => {}
        None => findings.warn("smtp", "the section is missing: addresses cannot be enrolled by email"),
    }
    prompts(config, findings);
}

/// As `serve` opens it, if nobody has to type the passphrase.
fn authority(config: &Config, findings: &mut Findings) {
    match PASSPHRASE.given(config.ca().passphrase_file()) {
        Ok(Some(passphrase)) if config.ca().folder().is_dir() => {
            if let Err(error) = founding::open_authority(config, &passphrase) {
                findings.fault("ca", error.to_string());
            }
        }
        Ok(_) => {}
        Err(error) => findings.fault("ca.passphrase_file", format!("{error:#}")),
    }
}

/// As `serve` reads them; and whether they run out soon.
fn passports(config: &Config, findings: &mut Findings) {
    let authorities = config.passports().authorities();
    if authorities.is_empty() {
        return;
    }
    if let Err(error) = fetcher(config, Clock) {
        findings.fault("passports", error.to_string());
    }
    let now = Clock.wall().unix_timestamp();
    for files in authorities {
        let authority = match read_authority(files) {
            Ok(authority) => authority,
            Err(error) => {
                findings.fault("passports", error.to_string());
                continue;
            }
        };
        for stranger in authority.strangers_lists() {
            findings.warn(files.place("revocation_lists"), of_stranger(stranger));
        }
        for untrusted in authority.passed_over() {
            findings.warn(files.place("anchors"), of_passed_over(untrusted));
        }
        let (anchors_end, lists_end) = authority.ends_at();
        if anchors_end.is_some_and(|end| end < now + 30 * 24 * 60 * 60) {
            findings.warn(files.place("anchors"), "an anchor has expired, or does within 30 days");
        }
        if lists_end.is_some_and(|end| end < now) {
            findings.warn(
                files.place("revocation_lists"),
                "a list is out of date: until a newer one lies there, calls signed by those it speaks of are refused",
            );
        }
    }
}

fn prompts(config: &Config, findings: &mut Findings) {
    const PLACE: &str = "service.prompts_dir";
    let library = if let Some(folder) = config.service().own_prompts() {
        let (library, warnings) = Library::with_folder(folder);
        for warning in warnings {
            findings.warn(PLACE, warning.to_string());
        }
        for sentence in TooLong::of(&library) {
            findings.warn(PLACE, sentence.to_string());
        }
        library
    } else {
        Library::embedded()
    };
    for language in library.languages().filter(|language| !library.is_own(PromptId::Service, language)) {
        findings.warn(
            PLACE,
            format!(
                "callers hear the shipped clip, \"Dialproof\": record your service's name as {}, or let `dialproof prompts \
                 record --service NAME {}` say it",
                config.service().prompts_dir().join(language).join("service.wav").display(),
                config.service().prompts_dir().display()
            ),
        );
    }
}

fn readable(place: &str, path: &Path, findings: &mut Findings) {
    if let Err(error) = std::fs::File::open(path) {
        findings.fault(place, format!("{} cannot be read: {error}", path.display()));
    }
}

/// `1 fault`, `2 faults`
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
