//! Helpers of the end-to-end tests: a service on free ports, and the real peers it talks to.

pub mod baresip;
pub mod browser;
pub mod dhtnode;
pub mod forms;
pub mod installation;
pub mod kamailio;
pub mod linphone;
pub mod load;
pub mod nameserver;
pub mod own_network;
pub mod process;
pub mod proving;
pub mod receiver;
pub mod recogniser;
pub mod service;
pub mod shaken;
pub mod sipp;
pub mod smtp;
pub mod words;
pub mod workspace;
