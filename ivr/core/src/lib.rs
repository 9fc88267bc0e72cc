//! The telephone side without sockets, tasks or clocks: bytes and times go in, bytes and deadlines come out.
//!
//! [`Endpoint`](endpoint::Endpoint) carries many calls: SIP dialogs (`sip`), who calls (`caller`), and the script of a
//! call (`call`). It registers with trunks and probes them (`link`). Audio and keys (`media`) run beside it on the media thread; the two talk by
//! [`MediaCommand`](media::MediaCommand) and [`MediaEvent`](media::MediaEvent).

pub mod call;
pub mod caller;
pub mod code;
pub mod endpoint;
pub mod key_check;
pub mod link;
pub mod media;
pub mod number;
pub mod passport;
pub mod private;
pub mod proof;
pub mod sip;
