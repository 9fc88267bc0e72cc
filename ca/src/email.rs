//! Proving a mailbox: what an address is, which secrets go out, how often, and what the mails say and carry. It sends
//! nothing, stores nothing and draws no chance of its own, so that any service with a mailer and a database can use it.
//!
//! The dance, as a service leads it:
//!
//! 1. The device posts an address and a request; [`check`] refuses what would be refused later. The device keeps a
//!    [`Token`]; another one and the [`Code`] made from it go out in the mail of [`Mail::confirmation`].
//! 2. The link confirms only where the device's token is known, the code only where it is typed beside it.
//! 3. The certificate goes out in [`Mail::certificate`], and [`Mail::notice`] says how to revoke it.
//!
//! [`limits`] says how often a mailbox may be written to on behalf of strangers.

mod address;
mod certs_only;
mod code;
pub mod limits;
mod mail;
mod token;
mod words;

pub use self::address::{Address, BadAddress};
pub use self::certs_only::certs_only;
pub use self::code::{Code, TRIES};
pub use self::mail::{Asker, Attachment, Mail, Service, fingerprint};
pub use self::token::Token;

use time::OffsetDateTime;

use crate::authority::Authority;
use crate::prepare::{KeyStanding, Order, Refusal};
use crate::profile::{Assurance, Level};
use crate::request::Request;
use crate::serial::Serial;
use crate::subject::Subject;

/// Says early what the authority would say once the mailbox is proved: nobody should confirm in vain. Nothing is issued.
///
/// # Errors
/// Why an order of this address and request would not be carried out now.
pub fn check(address: &Address, request: &Request, now: OffsetDateTime, authority: &Authority) -> Result<(), Refusal> {
    let order = Order {
        subject: &Subject::email(address.clone()),
        request,
        assurance: Assurance::ReadBack(Level::L0),
        standing: KeyStanding::Clear,
        serial: Serial::from_random([0; 20]),
        now,
        life: authority.lives().of(Level::L0),
    };
    authority.prepare(&order).map(drop)
}

#[cfg(test)]
mod tests {
    use rcgen::string::Ia5String;
    use rcgen::{CertificateParams, KeyPair, PKCS_ED25519, SanType};

    use super::*;
    use crate::fixture::{NOW, authority, csr, request, request_of};

    fn checked(address: &str, request: &Request) -> Result<(), Refusal> {
        check(&Address::parse(address).unwrap(), request, NOW, &authority())
    }

    #[test]
    fn what_the_authority_would_refuse_is_refused_before_a_mail_goes_out() {
        assert_eq!(checked("somebody@example.org", &request()), Ok(()));
        assert_eq!(checked("somebody@example.org", &request_of(&PKCS_ED25519)), Err(Refusal::KeyCannotDecrypt));
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::Rfc822Name(Ia5String::try_from("other@example.org").unwrap())];
        let foreign = Request::parse(&csr(params, &KeyPair::generate().unwrap())).unwrap();
        assert!(matches!(checked("somebody@example.org", &foreign), Err(Refusal::Request(_))));
    }
}
