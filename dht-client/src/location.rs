//! The location record: where somebody can be called now, signed by the key of their certificate.
//!
//! The directory says whose key is whose; this record, which the owner writes, says where they are. It lies in a slot of the
//! owner's *location key*, which the directory record names, and is for everybody, for those who hold a friends key, or for a
//! few recipients (docs/records.md, "The location record").

mod cose;
pub mod key;
pub mod place;

use std::fmt;

use ciborium::Value;
use ed25519_dalek::SigningKey;
use time::OffsetDateTime;

use crate::chain::valid_at;
use crate::item::{Item, ItemError, VALUE_LIMIT};
use crate::slot::Identity;

pub use cose::RECIPIENTS;
pub use key::{FriendsKey, KemKey, OwnerKey, OwnerPublic};
pub use place::Place;

/// The most contacts of one record.
pub const CONTACTS: usize = 8;
/// The longest address of a contact.
const ADDRESS_LIMIT: usize = 200;
/// How long a record may be valid: who is nowhere any more shall not be looked for long. It also bounds how many epochs of a
/// friends key a reader has to ask.
pub const LONGEST_LIFE: i64 = place::EPOCH_SECONDS;

/// Keys of the CBOR map; their order is the order in the bytes.
mod field {
    pub(super) const IDENTITY: i64 = 1;
    pub(super) const CONTACTS: i64 = 2;
    pub(super) const NOT_BEFORE: i64 = 3;
    pub(super) const NOT_AFTER: i64 = 4;
}

/// Where somebody is, between two times. Without contacts it says: nowhere, on purpose.
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    /// Whose contacts they are.
    pub identity: Identity,
    /// Where to call, in the owner's order.
    pub contacts: Vec<Contact>,
    /// From when, Unix seconds.
    pub not_before: i64,
    /// Until when, Unix seconds.
    pub not_after: i64,
}

/// One address to call.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    uri: String,
    priority: u16,
    expires: i64,
}

/// Why a location record cannot be made or is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// The record would not fit into an item.
    #[error("the location record would be {size} bytes, {VALUE_LIMIT} fit: name fewer contacts or recipients")]
    TooLarge {
        /// Its size.
        size: usize,
    },
    /// Too many contacts or recipients, none of the latter, or dates too far apart.
    #[error(
        "a location has at most {CONTACTS} contacts, 1 to {RECIPIENTS} recipients if it names any, and lives at most a day"
    )]
    Limits,
    /// A recipient's key is no X25519 key that keeps a secret.
    #[error("a recipient's key is not a usable X25519 key")]
    Recipient,
    /// Sealed, and not for the keys at hand.
    #[error("the location is sealed for others")]
    NotForUs,
    /// Not in its one form.
    #[error("the location record is not in its canonical form")]
    Malformed,
    /// Not signed by the certificate's key for this slot and sequence number.
    #[error("the location is not signed by the key of the certificate")]
    Signature,
    /// It is somebody else's.
    #[error("the location is that of another identity")]
    OtherName,
    /// Now is outside its dates.
    #[error("the location is dated {not_before} to {not_after}, which is not now")]
    Time {
        /// Unix seconds.
        not_before: i64,
        /// Unix seconds.
        not_after: i64,
    },
    /// The envelope could not be made.
    #[error(transparent)]
    Item(#[from] ItemError),
}

/// A text is no contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a contact is a sip:, sips: or tel: address in printable ASCII without spaces, quotes and angle brackets, at most \
     {ADDRESS_LIMIT} characters; its priority is 0 to 1000"
)]
pub struct NoContact;

/// Who may read a location.
#[derive(Debug, Clone, Copy)]
pub enum Audience<'a> {
    /// Whoever knows the identity.
    Everybody,
    /// Whoever has this key.
    Friends(&'a FriendsKey),
    /// The holders of these X25519 keys, 1 to [`RECIPIENTS`].
    Recipients(&'a [[u8; 32]]),
}

impl Contact {
    /// An address, its priority in thousandths (RFC 3261 20.10: `q`), and until when it is good (Unix seconds).
    ///
    /// # Errors
    /// [`NoContact`].
    pub fn new(uri: &str, priority: u16, expires: i64) -> Result<Self, NoContact> {
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'`');
        let scheme = ["sip:", "sips:", "tel:"].iter().find_map(|scheme| uri.strip_prefix(scheme));
        let sound = uri.len() <= ADDRESS_LIMIT && scheme.is_some_and(|rest| !rest.is_empty()) && priority <= 1000;
        if sound && uri.bytes().all(plain) {
            Ok(Self { uri: uri.to_owned(), priority, expires })
        } else {
            Err(NoContact)
        }
    }

    /// The address. It is private: never log it.
    pub fn expose(&self) -> &str {
        &self.uri
    }

    /// Thousandths; the highest is to be called first.
    pub fn priority(&self) -> u16 {
        self.priority
    }

    /// Until when, Unix seconds.
    pub fn expires(&self) -> i64 {
        self.expires
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contact([private], {}, until {})", self.priority, self.expires)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location([private], {} contacts, until {})", self.contacts.len(), self.not_after)
    }
}

impl Location {
    /// The location as a signed item, ready to put: signed by the key of the certificate, sealed for its audience, and
    /// signed into the slot by the location key.
    ///
    /// `seed` must be drawn for every call, `seq` comes from [`crate::next_seq`].
    ///
    /// # Errors
    /// If it is too large, against the limits, or `seq` is not of this time.
    pub fn publish(
        &self,
        audience: Audience<'_>,
        (owner, location_key): (&OwnerKey, &SigningKey),
        seq: i64,
        seed: [u8; 32],
        now: OffsetDateTime,
    ) -> Result<Item, LocationError> {
        if !self.is_within_limits() {
            return Err(LocationError::Limits);
        }
        let public = location_key.verifying_key().to_bytes();
        let place = match audience {
            Audience::Everybody | Audience::Recipients(_) => Place::open(&public),
            Audience::Friends(key) => Place::of_friends(&public, key, place::epoch(now)),
        };
        let aad = place.associated(seq);
        let signed = cose::sign(self.to_cbor(), &aad, owner);
        let value = match (audience, place.seal_key()) {
            (Audience::Everybody, _) | (Audience::Friends(_), None) => signed,
            (Audience::Friends(_), Some(key)) => cose::seal_for_friends(&signed, &aad, key, seed),
            (Audience::Recipients(keys), _) => cose::seal_for_recipients(&signed, &aad, keys, seed)?,
        };
        if value.len() > VALUE_LIMIT {
            return Err(LocationError::TooLarge { size: value.len() });
        }
        Ok(Item::sign(location_key, place.slot().salt(), seq, value, now)?)
    }

    /// Reads the item of a place, with the key of the owner's certificate and, if there is one, our own key.
    ///
    /// # Errors
    /// The first check that fails: seal, signature, form, name, time.
    pub fn open(
        item: &Item,
        place: &Place,
        kem_key: Option<&KemKey>,
        (identity, owner): (&Identity, &OwnerPublic),
        now: OffsetDateTime,
    ) -> Result<Self, LocationError> {
        let aad = place.associated(item.seq());
        let payload = match place.seal_key() {
            Some(key) => cose::verify(&cose::unseal_of_friends(item.value(), &aad, key)?, &aad, owner)?,
            None if cose::is_for_recipients(item.value()) => {
                let key = kem_key.ok_or(LocationError::NotForUs)?;
                cose::verify(&cose::unseal_of_recipients(item.value(), &aad, key)?, &aad, owner)?
            }
            None => cose::verify(item.value(), &aad, owner)?,
        };
        let location = Self::from_cbor(&payload).ok_or(LocationError::Malformed)?;
        if location.identity != *identity {
            return Err(LocationError::OtherName);
        }
        let (not_before, not_after) = (location.not_before, location.not_after);
        if valid_at((not_before, not_after), now) {
            Ok(location)
        } else {
            Err(LocationError::Time { not_before, not_after })
        }
    }

    /// The contacts that are still good, the one to call first before the others.
    pub fn living(&self, now: OffsetDateTime) -> Vec<&Contact> {
        let mut living: Vec<_> =
            self.contacts.iter().filter(|contact| contact.expires > now.unix_timestamp()).collect();
        living.sort_by_key(|contact| std::cmp::Reverse(contact.priority));
        living
    }

    fn is_within_limits(&self) -> bool {
        let life = self.not_after.checked_sub(self.not_before);
        self.contacts.len() <= CONTACTS && life.is_some_and(|life| (0..=LONGEST_LIFE).contains(&life))
    }

    fn to_cbor(&self) -> Vec<u8> {
        let contact = |contact: &Contact| {
            Value::Array(vec![
                Value::from(contact.uri.as_str()),
                Value::from(contact.priority),
                Value::from(contact.expires),
            ])
        };
        let map = [
            (field::IDENTITY, Value::from(self.identity.expose())),
            (field::CONTACTS, Value::Array(self.contacts.iter().map(contact).collect())),
            (field::NOT_BEFORE, Value::from(self.not_before)),
            (field::NOT_AFTER, Value::from(self.not_after)),
        ];
        let map = Value::Map(map.into_iter().map(|(key, value)| (Value::from(key), value)).collect());
        let mut bytes = Vec::new();
        ciborium::into_writer(&map, &mut bytes).expect("a vector takes every byte");
        bytes
    }

    /// Reads what [`Location::to_cbor`] writes, and nothing else.
    fn from_cbor(bytes: &[u8]) -> Option<Self> {
        // The map, the list, a contact, its fields.
        let value: Value = ciborium::de::from_reader_with_recursion_limit(bytes, 5).ok()?;
        let fields: [(Value, Value); 4] = value.into_map().ok()?.try_into().ok()?;
        let [(_, identity), (_, contacts), (_, not_before), (_, not_after)] = fields;
        let location = Self {
            identity: Identity::parse(identity.as_text()?).ok()?,
            contacts: contacts.into_array().ok()?.into_iter().map(contact).collect::<Option<_>>()?,
            not_before: number(&not_before)?,
            not_after: number(&not_after)?,
        };
        // The keys were not looked at: what is written again has them.
        (location.is_within_limits() && location.to_cbor() == bytes).then_some(location)
    }
}

fn contact(value: Value) -> Option<Contact> {
    let [uri, priority, expires] = value.into_array().ok()?.try_into().ok()?;
    Contact::new(uri.as_text()?, u16::try_from(number(&priority)?).ok()?, number(&expires)?).ok()
}

fn number(value: &Value) -> Option<i64> {
    i64::try_from(value.as_integer()?).ok()
}
