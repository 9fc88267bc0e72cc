//! `dialproof init`: a configuration, an authority, the service's own keys and the bundle. Nothing is overwritten.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use ca::KeyCost;
use ca::authority::names;
use dht_client::bundle::Fingerprint;
use ivr_core::number::Number;

use super::private_file;
use super::secret::{PASSPHRASE, Secret, Typing};
use crate::clock::Clock;
use crate::config::draft::{Draft, Trunk};
use crate::config::findings::Findings;
use crate::config::{Config, Purpose};
use crate::service::founding::{self, Founding};

/// What the command takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration: read if the file is there, else written from the options below [default: config.toml in the folder
    /// given with --data]
    #[arg(long, short, env = "DIALPROOF_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    wanted: Wanted,
}

/// What a new configuration is to say.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "To write a configuration")]
struct Wanted {
    /// The folder for database, keys and certificates
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// What pages and mails call the service, and the name in its certificates [default: Dialproof]
    #[arg(long)]
    name: Option<String>,
    /// Where people find the pages, such as https://verify.example.org
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Where pages and API listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Option<SocketAddr>,
    /// A proxy that does TLS in front of the pages (repeatable) [default: one on this machine, for a public URL of https]
    #[arg(long, value_name = "ADDRESS")]
    trusted_proxy: Vec<String>,
    /// Where calls arrive [default: 127.0.0.1:5060]
    #[arg(long, value_name = "ADDRESS:PORT")]
    sip: Option<SocketAddr>,
    /// Where the carrier reaches that, if it is another address
    #[arg(long, value_name = "ADDRESS:PORT")]
    advertise: Option<SocketAddr>,
    /// Your number that people are to call, such as +12025550100
    #[arg(long)]
    number: Option<String>,
    /// An address or network that the carrier's SIP comes from (repeatable)
    #[arg(long, value_name = "NETWORK")]
    trunk_source: Vec<String>,
    /// The arc of your own object identifiers: 1.3.6.1.4.1. and your Private Enterprise Number
    #[arg(long, value_name = "ARC")]
    oid_arc: Option<String>,
    /// Where the directory lies: mainline (the public network, which no test reaches), mainline:ADDRESS:PORT,… or opendht:URL,URL,URL
    /// (repeatable). There is no default
    #[arg(long, value_name = "NETWORK")]
    dht: Vec<String>,
    /// A port of a ring inside the service, on 127.0.0.1, to try things out (repeatable, at least two)
    #[arg(long, value_name = "PORT")]
    ring_port: Vec<u16>,
    /// A file with the passphrase of the authority's keys; without it, the environment or the terminal gives it
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Checks everything before it makes anything, and says what to do next.
///
/// # Errors
/// What is missing, wrong, or there already.
pub async fn run(args: Args) -> Result<ExitCode> {
    let file = match (&args.config, &args.wanted.data) {
        (Some(file), _) => file.clone(),
        (None, Some(data)) => data.join("config.toml"),
        (None, None) => bail!("name the configuration with --config, or the folder of a new service with --data"),
    };
    let file = std::path::absolute(&file).with_context(|| format!("the path {}", file.display()))?;
    let drafted = if file.exists() { None } else { Some(args.wanted.draft(&file)?.text()) };
    if drafted.is_none() && args.wanted.says_anything() {
        bail!("{} is there already: edit it, and leave the options away that would write it", file.display());
    }
    let (config, mut findings) = match &drafted {
        Some(text) => checked(text, &file)?,
        None => Config::read(&file, Purpose::Serve)?,
    };
    private_file::warn_of_open(&config, &file, &mut findings);
    print!("{findings}");

    // Who writes options is told of an option, and who wrote a file of its key.
    let named_by = if drafted.is_some() { "--passphrase-file" } else { PASSPHRASE.option };
    let passphrase = Secret { option: named_by, ..PASSPHRASE }.find(config.ca().passphrase_file(), Typing::Twice)?;
    make_private_folder(config.service().data_dir())
        .with_context(|| format!("making the folder {}", config.service().data_dir().display()))?;
    let founding = Founding { config: &config, passphrase: &passphrase, cost: KeyCost::Strong };
    let authority = founding.found(&founding::networks(config.dht(), &[]), Clock)?;
    if let Some(text) = &drafted {
        write_new(&file, text).with_context(|| format!("writing {}", file.display()))?;
    }

    let folder = config.ca().folder();
    let shown = file.display();
    println!("made an authority in {}", folder.display());
    println!("  its root's fingerprint, SHA-256: {}", Fingerprint(authority.root_sha256()));
    println!("  the bundle for everybody who looks somebody up: {}", folder.join(names::BUNDLE).display());
    println!(
        "  {} is not needed to run: keep it, and a copy, on no networked machine",
        folder.join(names::ROOT_KEY).display()
    );
    println!(
        "made the service's own keys: {} (keep a copy, apart from the database's)",
        config.keys().file().display()
    );
    if drafted.is_some() {
        println!("wrote {shown}");
    }
    println!("next: look through {shown}, then");
    println!("  dialproof check-config -c {shown}");
    println!("  dialproof operator add NAME -c {shown}");
    println!("  dialproof serve -c {shown}");
    Ok(ExitCode::SUCCESS)
}

impl Wanted {
    fn says_anything(&self) -> bool {
        let Self { data, name, public_url, http, trusted_proxy, sip, advertise, number, trunk_source, oid_arc, .. } =
            self;
        let lists = [trusted_proxy, trunk_source, &self.dht];
        let texts = [name, public_url, number, oid_arc];
        data.is_some()
            || self.passphrase_file.is_some()
            || [http, sip, advertise].iter().any(|address| address.is_some())
            || texts.iter().any(|text| text.is_some())
            || lists.iter().any(|list| !list.is_empty())
            || !self.ring_port.is_empty()
    }

    /// The configuration that the options describe; all that is missing is named at once.
    fn draft(&self, file: &Path) -> Result<Draft> {
        let mut missing = Vec::new();
        let mut need = |option: &Option<String>, name| {
            if option.is_none() {
                missing.push(name);
            }
            option.clone().unwrap_or_default()
        };
        let public_url = need(&self.public_url, "--public-url");
        let number = need(&self.number, "--number");
        let oid_arc = need(&self.oid_arc, "--oid-arc");
        if self.trunk_source.is_empty() {
            missing.push("--trunk-source");
        }
        let is_nowhere = self.dht.is_empty() && self.ring_port.is_empty();
        if is_nowhere {
            missing.push("--dht");
        }
        if !missing.is_empty() {
            let about_dht =
                if is_nowhere { format!("\n--dht chooses the directory: {DIRECTORIES}") } else { String::new() };
            bail!("{} is to be written, but these are missing: {}{about_dht}", file.display(), missing.join(", "));
        }
        let number = Number::parse(&number).with_context(|| format!("--number {number}"))?;
        let absolute =
            |path: &PathBuf| std::path::absolute(path).with_context(|| format!("the path {}", path.display()));
        let data_dir = match &self.data {
            Some(data) => absolute(data)?,
            None => file.parent().unwrap_or(Path::new("/")).join("data"),
        };
        let http = self.http.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
        let mut trusted_proxies = self.trusted_proxy.clone();
        if trusted_proxies.is_empty() && http.ip().is_loopback() && public_url.starts_with("https:") {
            trusted_proxies.push(http.ip().to_string());
        }
        Ok(Draft {
            name: self.name.clone().unwrap_or_else(|| "Dialproof".to_owned()),
            data_dir,
            public_url,
            http,
            trusted_proxies,
            sip: self.sip.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 5060))),
            advertise: self.advertise,
            trunk: Trunk {
                name: "carrier".to_owned(),
                sources: self.trunk_source.clone(),
                number,
                statements: Vec::new(),
            },
            verification: Vec::new(),
            oid_arc,
            passphrase_file: self.passphrase_file.as_ref().map(absolute).transpose()?,
            test_numbers: Vec::new(),
            networks: self.dht.clone(),
            ring_ports: self.ring_port.clone(),
        })
    }
}

/// The directories that there are, as options.
const DIRECTORIES: &str = "--dht mainline is the public BitTorrent network (untried: no test reaches it), \
    --dht mainline:ADDRESS:PORT,… a private ring of it, --dht opendht:URL,URL,URL an OpenDHT through its proxies; several may be \
    named. To try things out, --ring-port PORT --ring-port PORT is a ring inside the service, on this machine alone";

/// Reads the text as if it lay in the file already.
fn checked(text: &str, file: &Path) -> Result<(Config, Findings)> {
    let mut findings = Findings::default();
    let folder = file.parent().unwrap_or(Path::new("/"));
    match Config::parse(text, folder, Purpose::Serve, &mut findings) {
        Some(config) => Ok((config, findings)),
        None => bail!("nothing was made, because the options make no configuration:\n{findings}"),
    }
}

/// Only its owner looks in: the database lies there.
fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The file may come to hold the database's password.
fn write_new(file: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
