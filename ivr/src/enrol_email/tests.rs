//! Orders on both databases, with mails caught in memory.

mod confirming;
mod issued;
mod limits;
mod outbox;
