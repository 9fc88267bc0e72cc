//! SIP: bytes to checked messages, transactions, dialogs, offer and answer.

pub(crate) mod identity;
