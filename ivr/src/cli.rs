//! The commands of `dialproof`, one file each.

pub mod simulate;
