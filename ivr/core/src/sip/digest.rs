//! Digest authentication (RFC 3261 22, RFC 8760, RFC 7616). Here as a client: reads challenges, answers the first that we
//! can. As a server: `challenger.rs`.

use std::fmt;

use md5::Md5;
use sha2::{Digest as _, Sha256, Sha512_256};

use super::header_lines::HeaderLines;
use super::identity::Pieces;
use crate::private::Private;

pub(crate) mod challenger;

/// With what we prove who we are to a trunk, or a trunk to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Whose password it is: without quotes, backslashes and control characters.
    pub user: Private<String>,
    /// What only both sides know.
    pub password: Private<String>,
}

/// An account that a trunk has with us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestLogin {
    /// What our challenges say that the password is for, without quotes and backslashes.
    pub realm: String,
    /// Its name and password.
    pub login: Login,
    /// What is offered, the best first, and nothing else taken.
    pub algorithms: Vec<DigestAlgorithm>,
}

/// An algorithm that our challenges may offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestAlgorithm {
    /// RFC 8760.
    Sha256,
    /// For who knows no other.
    Md5,
}

impl DigestAlgorithm {
    /// As it stands in a challenge.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
        }
    }

    fn hash(self) -> Hash {
        match self {
            Self::Sha256 => Hash::Sha256,
            Self::Md5 => Hash::Md5,
        }
    }
}

/// A challenge that we can answer.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// As they stand between the quotes, escapes and all: so they are hashed (RFC 7616 3.4, `unq`) and sent back.
    realm: String,
    nonce: String,
    opaque: Option<String>,
    hash: Hash,
    /// The name of the algorithm as it stood there; `None` if there was none.
    algorithm: Option<String>,
    /// The key is that of a session: of one nonce and one cnonce (`-sess`).
    session: bool,
    /// `None`: as before there was any (RFC 2069, RFC 3261 22.4).
    protection: Option<Protection>,
    stale: bool,
}

/// A nonce is nobody's business.
impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { algorithm, stale, .. } = self;
        f.debug_struct("Challenge").field("algorithm", algorithm).field("stale", stale).finish_non_exhaustive()
    }
}

/// The hash of an algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Md5,
    Sha256,
    Sha512Of256Bits,
}

impl Hash {
    /// The digits of a text's hash.
    fn of(self, text: &[u8]) -> String {
        match self {
            Self::Md5 => hexadecimal(&Md5::digest(text)),
            Self::Sha256 => hexadecimal(&Sha256::digest(text)),
            Self::Sha512Of256Bits => hexadecimal(&Sha512_256::digest(text)),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the answer protects (`qop`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    /// Method and Request-URI.
    Auth,
    /// And the body.
    AuthInt,
}

impl Protection {
    fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }
}

impl Challenge {
    /// The first challenge of these headers (`WWW-Authenticate` or `Proxy-Authenticate`) that we can answer. They stand
    /// in the order in which the other side wants them (RFC 8760 2.3 and 2.4), so the strongest is not looked for.
    pub(crate) fn first(lines: &HeaderLines, name: &'static str) -> Option<Self> {
        // What is not UTF-8 could not be sent back as it came.
        lines.named(name).filter(|line| line.octets.is_none()).find_map(|line| Self::first_in(&line.value))
    }

    fn first_in(value: &str) -> Option<Self> {
        digests(value)?.iter().find_map(Self::of)
    }

    fn of(parameters: &Parameters<'_>) -> Option<Self> {
        let get = |name| parameters.get(name);
        let algorithm = get("algorithm")?;
        let (hash, session) = algorithm.map_or(Some((Hash::Md5, false)), known)?;
        let protection = match get("qop")? {
            None => None,
            Some(offered) => {
                let offers = |wanted: Protection| {
                    offered.split(',').any(|one| one.trim().eq_ignore_ascii_case(wanted.name())).then_some(wanted)
                };
                Some(offers(Protection::Auth).or_else(|| offers(Protection::AuthInt))?)
            }
        };
        Some(Self {
            realm: get("realm")??.to_owned(),
            nonce: get("nonce")??.to_owned(),
            opaque: get("opaque")?.map(str::to_owned),
            hash,
            algorithm: algorithm.map(str::to_owned),
            session,
            protection,
            stale: get("stale")?.is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }
}

/// The parameters of a challenge, or of credentials.
struct Parameters<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Parameters<'a> {
    /// A value without its quotes, if there is one of this name; `None` if it cannot be read, or there are several: two
    /// readers could see two challenges.
    fn get(&self, name: &str) -> Option<Option<&'a str>> {
        let mut named = self.0.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
        match (named.next(), named.next()) {
            (None, _) => Some(None),
            (Some((_, value)), None) => bare(value).map(Some),
            (Some(_), Some(_)) => None,
        }
    }
}

/// Of a header's challenges or credentials, the digests. RFC 3261 7.3.1 has one a line. Several in one, as HTTP writes them,
/// are told apart by their schemes.
fn digests(value: &str) -> Option<Vec<Parameters<'_>>> {
    let mut schemes: Vec<(&str, Parameters<'_>)> = Vec::new();
    for piece in Pieces::of(value, b',').filter(|piece| !piece.is_empty()) {
        let name = piece.split('=').next().unwrap_or_default().trim_end();
        let piece = match name.split_once(|c: char| c.is_ascii_whitespace()) {
            Some((scheme, _)) => {
                schemes.push((scheme, Parameters(Vec::new())));
                piece[scheme.len()..].trim_start()
            }
            None => piece,
        };
        match (piece.split_once('='), schemes.last_mut()) {
            (Some((name, value)), Some((_, parameters))) => parameters.0.push((name.trim_end(), value.trim_start())),
            (None, _) => schemes.push((piece, Parameters(Vec::new()))),
            (Some(_), None) => return None,
        }
    }
    let digests = schemes.into_iter().filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Digest"));
    Some(digests.map(|(_, parameters)| parameters).collect())
}

/// The algorithms that we know, and whether each is a `-sess`.
fn known(name: &str) -> Option<(Hash, bool)> {
    const KNOWN: [(&str, Hash, bool); 6] = [
        ("MD5", Hash::Md5, false),
        ("MD5-sess", Hash::Md5, true),
        ("SHA-256", Hash::Sha256, false),
        ("SHA-256-sess", Hash::Sha256, true),
        ("SHA-512-256", Hash::Sha512Of256Bits, false),
        ("SHA-512-256-sess", Hash::Sha512Of256Bits, true),
    ];
    let known = KNOWN.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name));
    known.map(|(_, hash, session)| (*hash, *session))
}

/// A value without its quotes: short enough to be sent back, and nothing in it that would end the header or the quotes.
fn bare(value: &str) -> Option<&str> {
    let inner = match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"')?,
        None => value,
    };
    let mut escaped = false;
    let is_closed = inner.chars().all(|c| {
        let ends_it = c == '"' && !escaped || c.is_control();
        escaped = c == '\\' && !escaped;
        !ends_it
    });
    (is_closed && !escaped && inner.len() <= LONGEST_VALUE_BYTES).then_some(inner)
}

/// A challenge that is being answered, request after request.
pub(crate) struct Credentials {
    challenge: Challenge,
    /// One for all requests, so that the key of a `-sess` stays the same.
    cnonce: String,
    /// Requests that bear them so far.
    count: u32,
}

/// Nonces are nobody's business.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { challenge, count, .. } = self;
        f.debug_struct("Credentials").field("challenge", challenge).field("count", count).finish_non_exhaustive()
    }
}

impl Credentials {
    /// For a new challenge; `cnonce` is drawn for it: letters and digits that nobody can guess.
    pub(crate) fn new(challenge: Challenge, cnonce: String) -> Self {
        Self { challenge, cnonce, count: 0 }
    }

    /// Does this challenge say no more than that the nonce is too old (RFC 7616 3.3)? Otherwise who is challenged again
    /// in answer to these credentials knows no right password.
    pub(crate) fn are_only_stale(&self, challenge: &Challenge) -> bool {
        challenge.stale && challenge.nonce != self.challenge.nonce
    }

    /// Is this challenge of the same protection space (RFC 3261 22.1)?
    pub(crate) fn are_for(&self, challenge: &Challenge) -> bool {
        challenge.realm == self.challenge.realm
    }

    /// Do they answer this very nonce?
    pub(crate) fn answer(&self, challenge: &Challenge) -> bool {
        challenge.nonce == self.challenge.nonce
    }

    /// The value of `Authorization` or `Proxy-Authorization` for the next request.
    pub(crate) fn value(&mut self, login: &Login, method: impl fmt::Display, uri: &str, body: &[u8]) -> String {
        self.count += 1;
        let nc = format!("{:08x}", self.count);
        let Challenge { realm, nonce, opaque, hash, algorithm, session, protection, .. } = &self.challenge;
        let (hash, session, protection) = (*hash, *session, *protection);
        let terms = Terms { realm, nonce, hash, session, protection, nc: &nc, cnonce: &self.cnonce };
        let mut text = format!(
            r#"Digest username="{}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{}""#,
            login.user.expose(),
            terms.response(login, method, uri, body)
        );
        if let Some(algorithm) = algorithm {
            text += &format!(", algorithm={algorithm}");
        }
        if let Some(protection) = protection {
            text += &format!(r#", qop={}, nc={nc}, cnonce="{}""#, protection.name(), self.cnonce);
        }
        if let Some(opaque) = opaque {
            text += &format!(r#", opaque="{opaque}""#);
        }
        text
    }
}

/// What a response is made over, beside login and request.
struct Terms<'a> {
    realm: &'a str,
    nonce: &'a str,
    hash: Hash,
    session: bool,
    protection: Option<Protection>,
    nc: &'a str,
    cnonce: &'a str,
}

impl Terms<'_> {
    /// RFC 7616 3.4.1 to 3.4.3.
    fn response(&self, login: &Login, method: impl fmt::Display, uri: &str, body: &[u8]) -> String {
        let Self { realm, nonce, hash, session, protection, nc, cnonce } = self;
        let h = |text: String| hash.of(text.as_bytes());
        let mut key = h(format!("{}:{realm}:{}", login.user.expose(), login.password.expose()));
        if *session {
            key = h(format!("{key}:{nonce}:{cnonce}"));
        }
        let asked = match protection {
            Some(Protection::AuthInt) => h(format!("{method}:{uri}:{}", hash.of(body))),
            Some(Protection::Auth) | None => h(format!("{method}:{uri}")),
        };
        match protection {
            Some(protection) => h(format!("{key}:{nonce}:{nc}:{cnonce}:{}:{asked}", protection.name())),
            None => h(format!("{key}:{nonce}:{asked}")),
        }
    }
}

/// Longer values are not answered: they would not fit into a datagram with the rest.
const LONGEST_VALUE_BYTES: usize = 512;

#[cfg(test)]
mod tests;
