//! The service as one thing: what it stands on, and everything that runs in it.

pub mod founding;
