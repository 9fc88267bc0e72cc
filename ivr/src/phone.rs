//! The built-in caller: a telephone of its own sockets that can be told what to do on the line. The demo, `simulate` and
//! the end-to-end tests use it. It knows the recorded clips, and everything else only from what it hears.

pub mod g711;
