//! A call as the endpoint sees it: its script, and what the script asks of the outside.

pub mod flow;
pub mod question;
