//! Verified identities in existing DHTs: who knows only a telephone number or an email address finds the key.
//!
//! Start with [`client`] to look somebody up, with [`directory`] to publish, with [`location`] to say
//! where somebody is. The byte layouts are in `docs/records.md`.
//! This crate knows keys and bytes; it knows no SQL and no telephony, and it reads neither the clock nor chance:
//! `now` and every nonce are arguments.

pub mod backend;
pub mod bundle;
pub mod chain;
pub mod client;
pub mod contacts;
pub mod directory;
mod files;
pub mod following;
pub mod hasher;
pub mod item;
pub mod locating;
pub mod location;
pub mod refresher;
pub mod seen;
pub mod slot;

pub use backend::network::Network;
pub use backend::several::Several;
pub use backend::{Answer, Backend, GetError, Health, PutError, Stored};
pub use bundle::{Bundle, BundleError, Pin, Terms};
pub use chain::{Authority, Certificate, ChainError, Level};
pub use client::{Fault, Found, Lookup, Origin, Verdict};
pub use contacts::Contacts;
pub use directory::{Entry, Pending, Record, RecordError, Status};
pub use ed25519_dalek::{SigningKey, VerifyingKey};
pub use following::{Following, Told};
pub use hasher::Hasher;
pub use item::{Item, ItemError, Slot, SlotId, next_seq};
pub use locating::{Absence, Friend, Whereabouts};
pub use location::{Audience, Contact, FriendsKey, KemKey, Location, LocationError, OwnerKey};
pub use refresher::{Kept, Refresher, Schedule};
pub use seen::Seen;
pub use slot::{Derived, HashCost, Identity, IdentityError};
