//! The reader's side: a bundle, a look-up, and everything that can be wrong with either.

mod authority;
mod bundle;
mod following;
mod location;
mod lookup;
mod scene;
mod vectors;
mod watching;
mod whereabouts;
