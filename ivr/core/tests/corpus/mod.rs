//! The corpus on which the in-band key detector is scored: conditions by name, their sound, and the count of what was heard.

pub(crate) mod conditions;
pub(crate) mod score;
pub(crate) mod sound;
pub(crate) mod table;
