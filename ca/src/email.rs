//! Proving a mailbox: what an address is, what the mails say, how often they go out. It sends nothing and stores
//! nothing, so that any service with a mailer can use it.

mod address;

pub use self::address::{Address, BadAddress};
