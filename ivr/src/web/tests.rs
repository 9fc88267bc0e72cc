//! The router as browsers and programs meet it, over a real database in a temporary folder.

mod api;
mod browser;
mod call;
mod certificate;
mod console;
mod console_api;
mod email;
mod flood;
mod hold;
mod hostile;
mod items;
mod languages;
mod pages;
mod sandbox;
pub(super) mod service;
mod trunks;

use browser::Browser;
use service::Service;
