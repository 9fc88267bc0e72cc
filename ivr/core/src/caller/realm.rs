//! Whose verifications a call may be for (docs/adr/0015-a-trunk-of-the-sandbox.md).

/// What lies behind a trunk. The smaller one goes first where both claim an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Realm {
    /// The service: what its calls prove is certified.
    #[default]
    Service,
    /// The sandbox: its calls walk the same way and prove nothing, whoever makes them and whatever they key in.
    Sandbox,
}
