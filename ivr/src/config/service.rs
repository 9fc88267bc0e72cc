//! `[service]`: what the service is called and where it is found.

use std::path::{Path, PathBuf};

use ivr_core::number::Country;
use serde::Deserialize;

use super::File;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    name: String,
    data_dir: PathBuf,
    public_url: String,
    default_country: Option<String>,
    prompts_dir: Option<PathBuf>,
}

/// The checked section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    name: String,
    data_dir: PathBuf,
    public_url: String,
    default_country: Option<Country>,
    prompts_dir: PathBuf,
    names_prompts_dir: bool,
}

impl Service {
    /// What pages and mails call it. The telephone says what the recorded clip says.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where everything lies that has no place of its own.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Where people find the pages, without a slash at the end.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Pages and mails are reached over TLS.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The country of numbers typed without a country code.
    pub fn default_country(&self) -> Option<Country> {
        self.default_country
    }

    /// Where the operator's own recordings belong, `<lang>/<id>.wav`.
    pub fn prompts_dir(&self) -> &Path {
        &self.prompts_dir
    }

    /// The folder of the operator's own recordings: if the file names one, that it is missing is a mistake.
    pub fn own_prompts(&self) -> Option<&Path> {
        Some(self.prompts_dir()).filter(|folder| self.names_prompts_dir || folder.is_dir())
    }
}

pub(super) fn check(raw: Raw, file: &mut File<'_>) -> Option<Service> {
    let name = raw.name.trim();
    if name.is_empty() || name.len() > 60 || name.chars().any(char::is_control) {
        file.findings.fault("service.name", "a name is one line of 1 to 60 bytes");
    }
    if raw.data_dir.as_os_str().is_empty() {
        file.findings.fault("service.data_dir", "name a folder that the service may write to");
    }
    let public_url = public_url(&raw.public_url, file);
    let default_country = match &raw.default_country {
        Some(text) => file.findings.parse("service.default_country", text).map(Some),
        None => Some(None),
    };
    let data_dir = file.path(&raw.data_dir);
    Some(Service {
        name: name.to_owned(),
        names_prompts_dir: raw.prompts_dir.is_some(),
        prompts_dir: raw.prompts_dir.map_or_else(|| data_dir.join("prompts"), |folder| file.path(&folder)),
        data_dir,
        public_url: public_url?,
        default_country: default_country?,
    })
}

fn public_url(text: &str, file: &mut File<'_>) -> Option<String> {
    const PLACE: &str = "service.public_url";
    let Ok(url) = reqwest::Url::parse(text) else {
        file.findings.fault(PLACE, format!("{text:?} is no URL; write the address of the start page, https://…/"));
        return None;
    };
    let is_loopback = match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if is_loopback => {}
        "http" => file.findings.fault(PLACE, "browsers make keys only on https pages: write https://…"),
        _ => file.findings.fault(PLACE, "write the address of the start page, https://…/"),
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        file.findings.fault(PLACE, "the pages lie at the root of their host: write only https://host/");
    }
    Some(text.trim_end_matches('/').to_owned())
}
