//! The service: sockets, tasks, the database and the pages around the sans-IO core.

mod address;
pub mod call_record;
pub mod cli;
pub mod clock;
pub mod config;
mod crowd;
pub mod enrol_email;
pub mod gateway;
mod hex;
pub mod issue;
pub mod key_file;
pub mod link_status;
pub mod mail;
pub mod media_driver;
pub mod names;
pub mod operators;
pub mod phone;
pub mod publish;
pub mod service;
pub mod sip_driver;
mod source;
pub mod store;
pub mod verify;
pub mod web;
