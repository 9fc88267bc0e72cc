//! Whose database a command looks into; the service may run meanwhile.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::config::{Config, Purpose};
use crate::key_file::KeyFile;
use crate::store::Store;

/// Of which service.
#[derive(Debug, clap::Args)]
pub struct Of {
    /// The configuration file
    #[arg(long, short, env = "DIALPROOF_CONFIG", default_value = "config.toml")]
    config: PathBuf,
}

impl Of {
    /// Its configuration.
    ///
    /// # Errors
    /// If there is none, or it has faults.
    pub(super) fn read(&self) -> Result<Config> {
        Ok(Config::read(&self.config, Purpose::Serve)?.0)
    }

    /// Its configuration and its database.
    ///
    /// # Errors
    /// The same; or if the keys cannot be read, or the database cannot be opened.
    pub(super) async fn open(&self) -> Result<(Config, Store)> {
        let config = self.read()?;
        let store = store(&config).await?;
        Ok((config, store))
    }
}

/// The database of a service.
///
/// # Errors
/// If its keys cannot be read, or it cannot be opened.
pub(super) async fn store(config: &Config) -> Result<Store> {
    let keys = KeyFile::read(config.keys().file())?;
    Store::open(config.database().url().expose(), Arc::new(keys)).await.context("opening the database")
}
