//! What the operator states about a carrier: where its calls come from and how far its word goes.

use std::net::IpAddr;
use std::str::FromStr;

use super::{Level, Passports, Realm, Verstat};
use crate::number::{Country, Number};
use crate::private::Private;
use crate::sip::digest::DigestLogin;
use crate::sip::peer::{Peer, Transport};

/// Names a trunk: its place in [`Policy::trunks`](super::Policy::trunks). [`Policy::trunk`](super::Policy::trunk) looks it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TrunkIndex(pub usize);

/// One carrier's connection. The configuration makes it and has checked that no two share a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrunkProfile {
    /// The operator's name for it, shown in records and on the console.
    pub name: String,
    /// What lies behind it.
    pub realm: Realm,
    /// Where its SIP comes from; nothing means anywhere, if it shows a certificate.
    pub sources: Vec<Network>,
    /// Its SIP comes over TLS with a certificate of its own: nothing else is believed to be this trunk.
    pub shows_certificate: bool,
    /// Where its RTP may come from besides the address in the SDP.
    pub media_networks: Vec<Network>,
    /// Our numbers that are reached over it.
    pub numbers: Vec<Number>,
    /// A random text that only this trunk's origination URI carries, as user part or as value of a parameter.
    pub ingress_secret: Option<Private<String>>,
    /// The account with which it must prove every call to be ours (RFC 3261 22), if it must.
    pub digest: Option<DigestLogin>,
    /// The carrier's signalling addresses serve other customers, too: without an ingress secret or an account any of them
    /// could call our URI, so the level is capped at L1.
    pub shared_addresses: bool,
    /// P-Asserted-Identity is the carrier's own word (RFC 3325: both sides are in one trust domain).
    pub trust_pai: bool,
    /// Remote-Party-ID counts if it says `screen=yes;privacy=off` and there is no P-Asserted-Identity.
    pub trust_rpid: bool,
    /// The contract says that the carrier checks the number its customers present.
    pub cli_screened: bool,
    /// From may hold anything: it is not compared with P-Asserted-Identity.
    pub from_is_free_text: bool,
    /// A sip: user of a number's shape is a number even without `user=phone`.
    pub bare_user_is_number: bool,
    /// The country whose numbers it screens; numbers of others are capped at L1.
    pub country: Option<Country>,
    /// How it spells numbers.
    pub number_format: NumberFormat,
    /// Technical prefixes that it puts before a number; one is removed. No two begin alike.
    pub strip_prefixes: Vec<String>,
    /// Where it says what its network found out about the caller's signature, if it does and its word counts.
    pub verstat: Option<Verstat>,
    /// It hands on the `Identity` headers (RFC 8224) that it was given: a PASSporT can be verified here.
    pub identity_passthrough: bool,
    /// Must a call bear one of SHAKEN?
    pub identity: SignedIdentity,
    /// Does a forwarded call still say so when it arrives?
    pub keeps_diversion: KeepsDiversion,
    /// Latch RTP to the first source that sends: only where the caller sits behind NAT in a network that is trusted.
    pub nat: bool,
    /// Must media be encrypted?
    pub srtp: Srtp,
    /// How do keys come?
    pub keys: KeyWays,
    /// No call over this trunk proves more.
    pub max_level: Level,
    /// Calls at a time; one more is answered 480.
    pub max_calls: usize,
    /// How fast they may come.
    pub pace: Pace,
}

/// A trunk of which nothing is stated: nobody is it, and its word counts for little, as where the configuration says
/// nothing.
impl Default for TrunkProfile {
    fn default() -> Self {
        Self {
            name: String::new(),
            realm: Realm::Service,
            sources: Vec::new(),
            shows_certificate: false,
            media_networks: Vec::new(),
            numbers: Vec::new(),
            ingress_secret: None,
            digest: None,
            shared_addresses: true,
            trust_pai: false,
            trust_rpid: false,
            cli_screened: false,
            from_is_free_text: false,
            bare_user_is_number: true,
            country: None,
            number_format: NumberFormat::E164,
            strip_prefixes: Vec::new(),
            verstat: None,
            identity_passthrough: false,
            identity: SignedIdentity::Optional,
            keeps_diversion: KeepsDiversion::Unknown,
            nat: false,
            srtp: Srtp::Offered,
            keys: KeyWays::Agreed,
            max_level: Level::L3,
            max_calls: 100,
            pace: Pace::default(),
        }
    }
}

impl TrunkProfile {
    /// May a request of ours go to `hop` in a dialog with `before`? Only to the trunk itself, and never out of TLS: what
    /// a caller's telephone writes into its Contact may come through a carrier unchanged.
    pub(crate) fn may_follow(&self, hop: &Peer, before: &Peer) -> bool {
        let stays_secure = before.transport != Transport::Tls || hop.transport == Transport::Tls;
        let is_shown = !self.shows_certificate || hop.certified.is_some();
        let is_there = if self.sources.is_empty() { hop.ip() == before.ip() } else { self.has_source(hop.ip()) };
        stays_secure && is_shown && is_there
    }

    /// Could another customer of the carrier call over it, with nothing to tell them apart? The certificate that it shows
    /// is the carrier's: all its customers call over that.
    pub fn is_open_to_others(&self) -> bool {
        self.shared_addresses && self.ingress_secret.is_none() && self.digest.is_none()
    }

    /// May a signed identity that it hands on raise a level?
    pub fn proves_by(&self, passports: Passports) -> bool {
        self.identity_passthrough && passports == Passports::Verified
    }

    /// Does its SIP come from there?
    pub fn has_source(&self, ip: IpAddr) -> bool {
        self.sources.iter().any(|source| source.contains(ip)) || self.sources.is_empty() && self.shows_certificate
    }

    /// What these digits may mean on this trunk. `phone_context` is that parameter of RFC 3966 5.1.5, which says where a
    /// number without `+` is dialled.
    pub(crate) fn readings(&self, digits: &str, phone_context: Option<&str>) -> Readings {
        let bare = self.strip_prefixes.iter().find_map(|prefix| digits.strip_prefix(prefix.as_str()));
        let digits = bare.unwrap_or(digits);
        if digits.starts_with('+') {
            // A global number has no context (RFC 3966 3).
            return Readings(phone_context.is_none().then(|| digits.to_owned()), None);
        }
        match (&self.number_format, phone_context) {
            (NumberFormat::E164NoPlus, None) => Readings(Some(format!("+{digits}")), None),
            (NumberFormat::National { trunk_prefix, international_prefix }, context) => {
                let Some(code) = self.country.and_then(Country::calling_code) else { return Readings(None, None) };
                if context.is_some_and(|context| context != format!("+{code}")) {
                    return Readings(None, None);
                }
                Readings::national(digits, code, trunk_prefix.as_deref(), international_prefix.as_deref())
            }
            (NumberFormat::E164 | NumberFormat::E164NoPlus, _) => Readings(None, None),
        }
    }
}

/// The E.164 spellings that digits (with or without `+`) may mean, if those are numbers: as a foreign and as a domestic one.
pub(crate) struct Readings(Option<String>, Option<String>);

impl Readings {
    /// Both are tried. A country code without its prefix is not looked for: the trunk states that it writes national
    /// numbers.
    fn national(digits: &str, code: u16, trunk_prefix: Option<&str>, international_prefix: Option<&str>) -> Self {
        let foreign = international_prefix.and_then(|prefix| digits.strip_prefix(prefix));
        let domestic = match trunk_prefix {
            Some(prefix) => digits.strip_prefix(prefix),
            None => Some(digits),
        };
        Self(foreign.map(|rest| format!("+{rest}")), domestic.map(|rest| format!("+{code}{rest}")))
    }

    /// The number that is meant; `None` if it is none, or could be two.
    pub(crate) fn number(&self) -> Option<Number> {
        let mut numbers: Vec<Number> = self.spellings().filter_map(|text| Number::parse(text).ok()).collect();
        numbers.dedup();
        if numbers.len() == 1 { numbers.pop() } else { None }
    }

    /// Is that number meant? It has one spelling, so what has only one reading need not be looked up in a numbering plan.
    pub(crate) fn mean(&self, number: &Number) -> bool {
        self.spellings().any(|text| text == number.as_str())
            && (self.spellings().count() == 1 || self.number().as_ref() == Some(number))
    }

    fn spellings(&self) -> impl Iterator<Item = &str> {
        [&self.0, &self.1].into_iter().flatten().map(String::as_str)
    }
}

/// How a trunk spells numbers. A `+` always means E.164.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberFormat {
    /// `+12025550143`
    E164,
    /// `12025550143`
    E164NoPlus,
    /// As dialled inside the trunk's country.
    National {
        /// Stands before the area code: `0` in DE; `None` where there is none, or where the trunk leaves it out.
        trunk_prefix: Option<String>,
        /// Stands before the country code of a foreign number: `00` in DE, `011` in US.
        international_prefix: Option<String>,
    },
}

/// How fast calls may come over a trunk: each asks the database and writes a record, and may bear a forged source. One too
/// many is answered 480, which (unlike 503) does not make the trunk send its other calls elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Calls that may begin in a second.
    pub calls_per_second: u32,
    /// After a rest, so many of them at once.
    pub calls_at_once: u32,
    /// Calls whose ACK has not arrived.
    pub unacknowledged: usize,
}

impl Pace {
    /// That of so many calls a second.
    pub fn of(calls_per_second: u32) -> Self {
        // An honest call waits for its ACK for a round trip and as long as the store takes: half a second is far more than both.
        let in_half_a_second = usize::try_from(calls_per_second / 2).unwrap_or(usize::MAX);
        Self {
            calls_per_second,
            calls_at_once: calls_per_second.saturating_mul(4),
            unacknowledged: in_half_a_second.max(LEAST_UNACKNOWLEDGED),
        }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::of(50)
    }
}

/// Does a forwarded call still say so when it arrives?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepsDiversion {
    /// The carrier keeps Diversion or History-Info.
    Yes,
    /// It removes them.
    No,
    /// Nobody has tried: counts as no.
    Unknown,
}

/// Must a call bear a signed identity (RFC 8224)?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedIdentity {
    /// Without one it proves less.
    Optional,
    /// Without one it is refused (428): for a trunk whose carrier signs or hands on all that is signed.
    Required,
}

/// Must media be encrypted (SRTP)?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Srtp {
    /// Where the other side offers it.
    Offered,
    /// Always: calls in the clear are refused.
    Required,
}

/// How do keys come?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyWays {
    /// As telephone-event (RFC 4733) if that was agreed on, else as tones or by INFO.
    Agreed,
    /// Whatever was agreed on, the first of all three that delivers counts.
    Auto,
}

/// An address with a prefix length: `192.0.2.0/24`, `2001:db8::1`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix_length: u8,
}

impl Network {
    /// The network of `address` with this many leading bits, if there are so many and the rest is zero.
    pub fn new(address: IpAddr, prefix_length: u8) -> Result<Self, NotANetwork> {
        let network = Self { address, prefix_length };
        if u32::from(prefix_length) > width(address) {
            return Err(NotANetwork::PrefixTooLong);
        }
        if masked(address, prefix_length) != bits(address) {
            return Err(NotANetwork::HostBits);
        }
        Ok(network)
    }

    /// Is this address inside? An IPv4 address mapped into IPv6 (RFC 4291 2.5.5.2) is the IPv4 address.
    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        width(self.address) == width(address) && masked(address, self.prefix_length) == bits(self.address)
    }

    /// Has it an address in common with the other?
    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other.address) || other.contains(self.address)
    }

    /// Its lowest address.
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// How many leading bits count.
    pub fn prefix_length(self) -> u8 {
        self.prefix_length
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix_length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork::NoAddress)?;
        let prefix_length = match prefix_length {
            Some(length) => length.parse().map_err(|_| NotANetwork::PrefixTooLong)?,
            None if address.is_ipv4() => 32,
            None => 128,
        };
        Self::new(address, prefix_length)
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_length)
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Why a text is not a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotANetwork {
    /// Names are not looked up: a name server must not decide who is a trunk.
    #[error("a network is an IP address (not a name), with or without /length, such as 192.0.2.0/24")]
    NoAddress,
    /// `/33`, `/x`
    #[error("the length after / is at most 32 for IPv4 and 128 for IPv6")]
    PrefixTooLong,
    /// `192.0.2.1/24`: which of the two was meant?
    #[error("the address has bits outside its /length: write the network's first address, or no /length for one host")]
    HostBits,
}

/// A burst of calls over a slow trunk, some of whose ACKs are lost.
const LEAST_UNACKNOWLEDGED: usize = 100;

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address at the top of 128 bits.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)) << 96,
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn masked(address: IpAddr, prefix_length: u8) -> u128 {
    let cut = 128 - u32::from(prefix_length);
    bits(address) & u128::MAX.checked_shl(cut).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_addresses_and_no_others() {
        for (network, address, inside) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("192.0.2.7", "::ffff:192.0.2.7", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "203.0.113.9", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
        ] {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), inside, "{address} in {network}");
        }
    }

    #[test]
    fn a_network_that_could_mean_two_things_is_refused() {
        for (text, error) in [
            ("192.0.2.1/24", NotANetwork::HostBits),
            ("192.0.2.0/33", NotANetwork::PrefixTooLong),
            ("192.0.2.0/", NotANetwork::PrefixTooLong),
            ("2001:db8::/129", NotANetwork::PrefixTooLong),
            ("sip.example.org", NotANetwork::NoAddress),
            ("", NotANetwork::NoAddress),
        ] {
            assert_eq!(text.parse::<Network>(), Err(error), "{text}");
        }
    }

    #[test]
    fn networks_overlap_if_one_holds_the_other() {
        let network = |text: &str| text.parse::<Network>().unwrap();
        assert!(network("192.0.2.0/24").overlaps(network("192.0.2.9")));
        assert!(network("192.0.2.9").overlaps(network("192.0.2.0/24")));
        assert!(!network("192.0.2.0/25").overlaps(network("192.0.2.128/25")));
    }
}
