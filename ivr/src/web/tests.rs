//! The router as browsers and programs meet it, over a real database in a temporary folder.

mod api;
mod browser;
mod call;
mod certificate;
mod hostile;
mod pages;
mod service;

use browser::Browser;
use service::Service;
