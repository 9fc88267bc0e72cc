//! Helpers of the end-to-end tests: a service on free ports, and the real peers it talks to.

pub mod process;
pub mod smtp;
