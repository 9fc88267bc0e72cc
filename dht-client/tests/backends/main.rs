//! The backends: held to the contract, asked while somebody does not answer, and among proxies and rings that fail or lie.
#![allow(clippy::unwrap_used, reason = "a test stops where its setting fails")]

#[path = "../contract/mod.rs"]
mod contract;
mod hostile;
mod keeping;
mod members;
mod node;
mod proxy;
mod quiet;
mod rings;
