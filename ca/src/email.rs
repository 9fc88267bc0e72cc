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

pub use self::address::{Address, BadAddress};
pub use self::certs_only::certs_only;
pub use self::code::{Code, TRIES};
pub use self::mail::{Asker, Attachment, Mail, Service, fingerprint};
pub use self::token::Token;

use crate::prepare::Refusal;
use crate::request::{KeyKind, Request};
use crate::subject::Subject;

/// Says early what the authority would say once the mailbox is proved: nobody should confirm in vain.
///
/// # Errors
/// What the sender of the request has to change.
pub fn check(address: &Address, request: &Request) -> Result<(), Refusal> {
    request.names_only(&Subject::email(address.clone()))?;
    match request.key().kind {
        KeyKind::P256 => Ok(()),
        KeyKind::Ed25519 => Err(Refusal::KeyCannotDecrypt),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::string::Ia5String;
    use rcgen::{CertificateParams, KeyPair, PKCS_ED25519, SanType};

    use super::*;
    use crate::fixture::{csr, request, request_of};

    fn address() -> Address {
        Address::parse("somebody@example.org").unwrap()
    }

    #[test]
    fn what_the_authority_would_refuse_is_refused_before_a_mail_goes_out() {
        assert_eq!(check(&address(), &request()), Ok(()));
        assert_eq!(check(&address(), &request_of(&PKCS_ED25519)), Err(Refusal::KeyCannotDecrypt));
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::Rfc822Name(Ia5String::try_from("other@example.org").unwrap())];
        let foreign = Request::parse(&csr(params, &KeyPair::generate().unwrap())).unwrap();
        assert!(matches!(check(&address(), &foreign), Err(Refusal::Request(_))));
    }
}
