//! The router as browsers and programs meet it, over a real database in a temporary folder.

mod api;
mod browser;
mod call;
mod certificate;
mod console;
mod console_api;
mod email;
mod hold;
mod hostile;
mod items;
mod pages;
pub(super) mod service;

use browser::Browser;
use service::Service;
