//! Orders on both databases, with mails caught in memory.

mod flow;
mod limits;
mod outbox;
mod service;
