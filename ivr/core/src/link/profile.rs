//! What the operator wants to be kept up, and how that stands.

use std::time::Duration;

use crate::caller::TrunkIndex;
use crate::private::Private;
use crate::sip::digest::Login;
use crate::sip::locate::ServerUri;

/// Index into [`EndpointConfig::links`](crate::endpoint::EndpointConfig::links).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkKey(pub usize);

/// What the operator wants to be kept up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkProfile {
    /// Towards which trunk.
    pub trunk: TrunkIndex,
    /// Who is asked.
    pub server: ServerUri,
    /// For what.
    pub duty: Duty,
}

/// What a link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Duty {
    /// Calls for an account shall come to us.
    Register(Account),
    /// Does the server answer?
    Probe,
}

/// An account with a registrar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user part of the address of record: letters and digits.
    pub user: Private<String>,
    /// Who we are to the registrar.
    pub login: Login,
    /// The user part of our Contact, which the registrar's INVITEs bring back as the user of their Request-URI: the
    /// trunk's ingress secret, else its first number.
    pub contact: Private<String>,
    /// How long a registration shall last.
    pub expires: Duration,
}

/// How a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// The registrar sends us calls for so long from now, if nothing follows.
    Registered {
        /// As it granted.
        lasts: Duration,
    },
    /// The server answers.
    Reachable,
    /// It answered, but not as we want.
    Refused {
        /// The status.
        status: u16,
    },
    /// It does not know our password, or another user of this name.
    WrongPassword,
    /// No server answers.
    Unreachable,
    /// Its name leads to no address that we can reach.
    NotFound,
    /// We have gone.
    Ended,
}
