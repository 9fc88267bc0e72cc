//! The bundle: one PEM file from which a stranger looks somebody up.
//!
//! Root first, then the intermediates and directory certificates, then the *terms*: a text, signed by a directory key,
//! that says where the directory lies. What the text says is for its readers (`dht-client`, `docs/records.md`); the
//! authority only vouches for it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer;

use crate::authority::{Authority, DirectoryKey};
use crate::profile::Issuing;

/// The label of the block with the terms: `public key (32) ‖ signature (64) ‖ text`.
const TERMS_LABEL: &str = "DIALPROOF DIRECTORY TERMS";
/// Every text that a directory key vouches for in a bundle begins so: a record of the directory never does.
pub const TERMS_HEADLINE: &str = "dialproof-bundle-v1\n";

/// The text is not one for a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the terms of a bundle begin with the line dialproof-bundle-v1")]
pub struct NoTerms;

impl Authority {
    /// The bundle with these terms, signed by the newest directory key. Of one whose time is over readers take no notice.
    ///
    /// # Errors
    /// [`NoTerms`] if the text does not begin with [`TERMS_HEADLINE`].
    pub fn bundle(&self, terms: &str) -> Result<String, NoTerms> {
        if !terms.starts_with(TERMS_HEADLINE) {
            return Err(NoTerms);
        }
        let key = self.directory_key();
        let signature = key.sign(terms.as_bytes()).to_bytes();
        let block = [&key.verifying_key().to_bytes()[..], &signature, terms.as_bytes()].concat();
        let authorities = [self.root(), self.intermediate(Issuing::Tel), self.intermediate(Issuing::Email)];
        let directory = self.all_directory_keys().map(DirectoryKey::certificate);
        let certificates: String =
            authorities.into_iter().chain(directory).map(|der| pem("CERTIFICATE", der)).collect();
        Ok(certificates + &pem(TERMS_LABEL, &block))
    }
}

/// RFC 7468 2: lines of 64 characters.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in base64.as_bytes().chunks(64) {
        text.extend(line.iter().map(|octet| char::from(*octet)));
        text.push('\n');
    }
    text + "-----END " + label + "-----\n"
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signature, Verifier};
    use x509_parser::pem::Pem;

    use super::*;
    use crate::fixture::authority;

    #[test]
    fn a_bundle_is_root_intermediates_directory_certificate_and_signed_terms() {
        let authority = authority();
        let terms = format!("{TERMS_HEADLINE}number 1\n");
        let bundle = authority.bundle(&terms).unwrap();
        let blocks: Vec<Pem> = Pem::iter_from_buffer(bundle.as_bytes()).collect::<Result<_, _>>().unwrap();
        let (last, certificates) = blocks.split_last().unwrap();
        let expected = [
            authority.root(),
            authority.intermediate(Issuing::Tel),
            authority.intermediate(Issuing::Email),
            authority.directory_certificate(),
        ];
        assert_eq!(certificates.iter().map(|block| block.contents.as_slice()).collect::<Vec<_>>(), expected);
        assert!(certificates.iter().all(|block| block.label == "CERTIFICATE"));
        let key = authority.directory_key().verifying_key();
        let (key_octets, rest) = last.contents.split_first_chunk::<32>().unwrap();
        let (signature, text) = rest.split_first_chunk::<64>().unwrap();
        assert_eq!((last.label.as_str(), key_octets, text), (TERMS_LABEL, key.as_bytes(), terms.as_bytes()));
        assert!(key.verify(text, &Signature::from_bytes(signature)).is_ok());
        assert!(!bundle.contains("PRIVATE"));
    }

    #[test]
    fn the_directory_key_signs_no_other_text_in_a_bundle() {
        let authority = authority();
        for text in ["", "dialproof-bundle-v1", "dialproof-bundle-v2\n", " dialproof-bundle-v1\n", "4:salt4:sip1"] {
            assert_eq!(authority.bundle(text), Err(NoTerms), "{text}");
        }
    }

    #[test]
    fn lines_of_pem_have_64_characters() {
        let text = pem("X", &[0; 49]);
        assert_eq!(text, format!("-----BEGIN X-----\n{}\nAA==\n-----END X-----\n", "A".repeat(64)));
        assert_eq!(pem("X", &[]), "-----BEGIN X-----\n-----END X-----\n");
    }
}
