//! What is known of the PASSporT (RFC 8225) that a call bears. Nothing in this file verifies one: it is the place where
//! the verdict of whoever does comes in, after the checks that need no network and before anybody is asked for a
//! session.

/// What a signer says of its right to the number (RFC 8588 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attest {
    /// The signer knows its customer, who may use the number.
    A,
    /// It knows its customer only.
    B,
    /// It knows where the call came from only.
    C,
}

/// What became of a call's PASSporT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassportVerdict {
    /// There is none, or nobody verifies it: it raises nothing.
    Unverified,
    /// Its signature is good, its chain leads to an anchor of ours, it is fresh, its origin is the caller and its
    /// destination the number that was called.
    Verified(Attest),
    /// It is there and any of this is not so.
    Bad,
}
