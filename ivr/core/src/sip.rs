//! SIP: bytes to checked messages, transactions, dialogs, offer and answer.
//!
//! [`stream`] finds the messages in a connection, [`gate`] reads them, line by line ([`header_lines`]), [`message`] models
//! what passed it and writes what we send in SIP's own words ([`vocabulary`]). [`transaction`]s are of those who ask us
//! ([`server_transactions`]) and of those whom we ask ([`client_transactions`]); both send again ([`resending`]). [`dialog`]
//! is what the two sides of a call agreed on, [`sdp`] what their media agreed on, [`session_timer`] how long they stay without
//! a word, [`identity`] says who calls, [`info_key`] reads a key, [`multipart`] finds a description among other things.

pub(crate) mod agenda;
pub(crate) mod client_transactions;
pub(crate) mod dialog;
pub(crate) mod digest;
pub(crate) mod gate;
pub(crate) mod header_lines;
pub(crate) mod identity;
pub(crate) mod info_key;
pub(crate) mod locate;
pub(crate) mod message;
mod multipart;
pub mod peer;
pub(crate) mod resending;
pub(crate) mod sdp;
pub(crate) mod server_transactions;
pub(crate) mod session_timer;
mod steady_map;
pub mod stream;
pub(crate) mod transaction;
pub(crate) mod via;
mod vocabulary;
