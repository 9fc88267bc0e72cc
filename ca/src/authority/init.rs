//! Making a new authority: five keys, four certificates, all in memory.

use ed25519_dalek::SigningKey as Ed25519Key;
use rcgen::{Issuer, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
use time::OffsetDateTime;

use super::maker::{Maker, PublicHalf};
use super::{Authority, Settings, Urls, names};
use crate::files::File;
use crate::lint::{self, Finding};
use crate::profile::{self, Issuing};
use crate::signer::{KeyCost, KeyFileError};

/// What a new authority is to be.
#[derive(Clone)]
pub struct InitOptions<'a> {
    /// Its name, in every certificate: at most 40 characters.
    pub name: String,
    /// The arc of its own object identifiers.
    pub oid_arc: Vec<u64>,
    /// Where the revocation lists will be.
    pub urls: Urls,
    /// Mailbox certificates for S/MIME alone, as public authorities must issue them.
    pub strict_smime: bool,
    /// Now.
    pub now: OffsetDateTime,
    /// 32 random octets, used for nothing else: serials, salts and the directory key come from them.
    pub entropy: [u8; 32],
    /// What the key files are encrypted with.
    pub passphrase: &'a str,
    /// What trying a passphrase costs.
    pub cost: KeyCost,
}

/// Why no authority was made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The name is not usable.
    #[error("the authority's name must have 1 to 40 characters, none of them a control character")]
    Name,
    /// The arc is not usable.
    #[error(
        "the arc of object identifiers must have 3 to 20 numbers, such as 1.3.6.1.4.1.NUMBER, the second at most 39"
    )]
    OidArc,
    /// A URL is not usable.
    #[error(
        "the URLs of revocation lists must begin with http:// or https://, be ASCII and have at most 128 characters"
    )]
    Urls,
    /// No passphrase.
    #[error("the passphrase of the keys is empty")]
    NoPassphrase,
    /// The library could not make or encode a key.
    #[error("a key or certificate could not be made")]
    Library(#[from] rcgen::Error),
    /// A key could not be encrypted.
    #[error("a key could not be encrypted: {0}")]
    Seal(#[from] KeyFileError),
    /// A certificate is not as specified: a fault of this crate.
    #[error("the new authority is not as specified: {0:?}")]
    Lint(Vec<Finding>),
}

impl Authority {
    /// Makes a new authority. [`crate::files::write_new`] stores the result, [`Authority::open`] opens it.
    ///
    /// # Errors
    /// What is wrong with the options.
    pub fn init(options: &InitOptions<'_>) -> Result<Vec<File>, InitError> {
        let settings = settings(options)?;
        let mut maker = Maker::new(options.entropy, options.passphrase, options.cost);

        let root_key = maker.key(names::ROOT_KEY, &PKCS_ECDSA_P384_SHA384)?;
        let mut params = profile::root(maker.serial("root"), options.now, &settings);
        params.use_authority_key_identifier_extension = false; // RFC 5280 4.2.1.1: its own key, its own identifier.
        let root = params.self_signed(&root_key)?.der().to_vec();
        maker.certificate(names::ROOT, &root);
        let issuer = Issuer::from_ca_cert_der(&root.as_slice().into(), root_key)?;
        let mut findings = lint::root(&root, &settings);

        for (issuing, certificate, key) in
            [(Issuing::Tel, names::TEL, names::TEL_KEY), (Issuing::Email, names::EMAIL, names::EMAIL_KEY)]
        {
            let key = maker.key(key, &PKCS_ECDSA_P256_SHA256)?;
            let serial = maker.serial(certificate);
            let made = profile::intermediate(issuing, serial, options.now, &settings).signed_by(&key, &issuer)?;
            maker.certificate(certificate, made.der());
            findings.extend(lint::intermediate(made.der(), &root, issuing, &settings));
        }

        let directory = Ed25519Key::from_bytes(&maker.derive("directory key"));
        let sealed = maker.sealed(&directory, names::DIRECTORY_KEY)?;
        maker.put(names::DIRECTORY_KEY, sealed.into_bytes());
        let made = profile::directory(maker.serial(names::DIRECTORY), options.now, &settings)
            .signed_by(&PublicHalf(directory.verifying_key().to_bytes()), &issuer)?;
        maker.certificate(names::DIRECTORY, made.der());
        findings.extend(lint::directory(made.der(), &root, &settings));

        maker.key(names::RESULT_KEY, &PKCS_ECDSA_P256_SHA256)?;
        let stored = serde_json::to_vec_pretty(&settings).expect("strings and numbers");
        maker.put(names::SETTINGS, stored);
        if findings.is_empty() { Ok(maker.files) } else { Err(InitError::Lint(findings)) }
    }
}

fn settings(options: &InitOptions<'_>) -> Result<Settings, InitError> {
    let name = options.name.trim();
    if !(1..=40).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(InitError::Name);
    }
    // X.660 7.6: the first number is 0 to 2, the second at most 39 below 0 and 1. Below 2 it might be more, and any number
    // longer than 63 bits: but not all who read certificates (asn1-rs for one) read these.
    let sound = match options.oid_arc.as_slice() {
        [0..=2, 0..=39, _, rest @ ..] => rest.len() <= 17,
        _ => false,
    };
    let sound = sound && options.oid_arc.iter().all(|number| i64::try_from(*number).is_ok());
    if !sound {
        return Err(InitError::OidArc);
    }
    if !options.urls.are_sound() {
        return Err(InitError::Urls);
    }
    if options.passphrase.is_empty() {
        return Err(InitError::NoPassphrase);
    }
    Ok(Settings {
        name: name.to_owned(),
        oid_arc: options.oid_arc.clone(),
        strict_smime: options.strict_smime,
        urls: options.urls.clone(),
    })
}

impl std::fmt::Debug for InitOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InitOptions({:?}, secrets [private])", self.name)
    }
}
