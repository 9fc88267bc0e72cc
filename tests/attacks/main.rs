//! Every attack of docs/threats.md, played from outside against a service that an operator set up: over real SIP, RTP
//! and HTTP, each asserting the defence and the record that it leaves. `threats.rs` is the table of them, from which
//! the document is made: a row without its tests fails, and so does a test without a row.

mod auto_dial;
mod call_flood;
mod codes;
mod confused_victim;
mod forged_source;
mod forwarding;
mod harvesting;
mod insider;
mod lying_carrier;
mod other_customer;
mod passport;
mod phishing;
mod provider;
mod read_backs;
mod sandbox;
mod scene;
mod secured_media;
mod sessions;
mod shared_line;
mod sim_swap;
mod spoofing;
mod sprayed_rtp;
mod stolen_database;
mod threats;
mod webhooks;
mod without_end;
