//! Requests from strangers: what is read, what is refused and with which words.

use proptest::prelude::*;
use rcgen::{KeyPair, PKCS_ED25519, SigningKey};

use super::*;
use crate::der::{sequence, tlv};
use crate::fixture::der::{children, name, object, public_key};
use crate::fixture::{csr, email, tel};

const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";
const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const KEY_USAGE: &str = "2.5.29.15";
const SUBJECT_ALT_NAME: &str = "2.5.29.17";

/// A P-256 request that asks for these extensions, each an identifier and a value.
fn asking(extensions: &[(&str, &[u8])]) -> Vec<u8> {
    let extension = |(id, value): &(&str, &[u8])| sequence(&[&object(id), &tlv(0x04, value)]);
    let wanted = tlv(0x30, &extensions.iter().flat_map(extension).collect::<Vec<_>>());
    signed(&attribute(EXTENSION_REQUEST, &wanted))
}

fn attribute(id: &str, value: &[u8]) -> Vec<u8> {
    sequence(&[&object(id), &tlv(0x31, value)])
}

/// A P-256 request with these attributes, signed by its own key.
fn signed(attributes: &[u8]) -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    let info = info(0, &key.subject_public_key_info(), attributes);
    wrap(&info, ECDSA_SHA256, &key.sign(&info).unwrap())
}

fn info(version: u8, key: &[u8], attributes: &[u8]) -> Vec<u8> {
    sequence(&[&[2, 1, version], &name(&[("2.5.4.3", "ignored")]), key, &tlv(0xa0, attributes)])
}

fn wrap(info: &[u8], algorithm: &str, signature: &[u8]) -> Vec<u8> {
    sequence(&[info, &sequence(&[&object(algorithm)]), &tlv(0x03, &[&[0], signature].concat())])
}

fn alternative(kind: u8, value: &[u8]) -> Vec<u8> {
    asking(&[(SUBJECT_ALT_NAME, &tlv(0x30, &tlv(kind, value)))])
}

fn good() -> Vec<u8> {
    signed(&[])
}

/// The reason in a word, so that a table can hold it.
fn refusal(bytes: &[u8]) -> String {
    match Request::parse(bytes) {
        Ok(_) => "read".to_owned(),
        Err(RequestError::TooLarge { .. }) => "too large".to_owned(),
        Err(RequestError::Malformed(why)) => why.to_owned(),
        Err(RequestError::Key { key }) => key,
        Err(RequestError::Signature { algorithm }) => format!("signed with {algorithm}"),
        Err(RequestError::NotPossessed) => "not possessed".to_owned(),
        Err(RequestError::AsksForAuthority { asked }) => asked.to_owned(),
        Err(RequestError::ForeignName(name)) => name.kind().to_owned(),
    }
}

macro_rules! openssl {
    ($($name:literal),*) => { [$(($name, include_bytes!(concat!("openssl/", $name, ".pem")).as_slice())),*] };
}

#[test]
fn what_openssl_makes_is_read_or_refused_by_the_name_of_its_key() {
    let requests = openssl!(
        "p-256",
        "p-256-sha384",
        "p-256-extras",
        "ed25519",
        "p-256-sha1",
        "p-256-sha512",
        "p-256-explicit",
        "p-256-compressed",
        "rsa-1024",
        "rsa-2048",
        "rsa-2048-md5",
        "p-384",
        "p-521",
        "secp256k1",
        "ed448",
        "dsa"
    );
    let expected = [
        ("p-256", "read"),
        ("p-256-sha384", "read"),
        ("p-256-extras", "read"),
        ("ed25519", "read"),
        ("p-256-sha1", "signed with 1.2.840.10045.4.1"),
        ("p-256-sha512", "signed with 1.2.840.10045.4.3.4"),
        ("p-256-explicit", "EC without a named curve"),
        ("p-256-compressed", "its P-256 point is not in the uncompressed form"),
        ("rsa-1024", "RSA-1024"),
        ("rsa-2048", "RSA-2048"),
        ("rsa-2048-md5", "RSA-2048"),
        ("p-384", "P-384"),
        ("p-521", "P-521"),
        ("secp256k1", "EC with the curve 1.3.132.0.10"),
        ("ed448", "Ed448"),
        ("dsa", "DSA"),
    ];
    let found = requests.map(|(name, bytes)| (name, refusal(bytes)));
    assert_eq!(found.each_ref().map(|(name, found)| (*name, found.as_str())), expected);
}

#[test]
fn pem_and_der_give_the_same_key() {
    let [(_, pem)] = openssl!("p-256");
    let der = unwrap_pem(pem).unwrap();
    assert_eq!(Request::parse(pem).unwrap().spki(), Request::parse(&der).unwrap().spki());
    // The key is written anew, and comes out as it went in.
    assert_eq!(Request::parse(&der).unwrap().spki(), children(&children(&der)[0])[2]);
}

#[test]
fn whoever_wants_to_be_an_authority_is_refused_aloud() {
    let table: [(&str, Vec<u8>); 6] = [
        ("basicConstraints CA:TRUE", asking(&[(BASIC_CONSTRAINTS, &[0x30, 3, 1, 1, 0xff])])),
        ("keyUsage keyCertSign", asking(&[(KEY_USAGE, &[3, 2, 2, 0x84])])),
        ("keyUsage cRLSign", asking(&[(KEY_USAGE, &[3, 2, 1, 0x82])])),
        ("read", asking(&[(BASIC_CONSTRAINTS, &[0x30, 0])])),
        ("read", asking(&[(KEY_USAGE, &[3, 2, 7, 0x80])])),
        // The second of two requests for extensions counts as the first does.
        ("basicConstraints CA:TRUE", {
            let wanted = |value: &[u8]| {
                let extension = sequence(&[&object(BASIC_CONSTRAINTS), &tlv(0x04, value)]);
                attribute(EXTENSION_REQUEST, &sequence(&[&extension]))
            };
            signed(&[wanted(&[0x30, 0]), wanted(&[0x30, 3, 1, 1, 0xff])].concat())
        }),
    ];
    for (expected, request) in table {
        assert_eq!(refusal(&request), expected);
    }
}

#[test]
fn a_request_may_name_nobody_but_its_subject() {
    let utf8 = |address: &[u8]| [object("1.3.6.1.5.5.7.8.9"), tlv(0xa0, &tlv(0x0c, address))].concat();
    let (number, mailbox) = (tel(), email("someone@example.org"));
    let table: [(&Subject, u8, &[u8], Option<&str>); 14] = [
        (&number, 0x86, b"tel:+12025550143", None),
        (&number, 0x86, b"tel:+12025550144", Some(URI)),
        (&number, 0x86, b"tel:12025550143", Some(URI)),
        (&number, 0x86, b"sip:+12025550143@example.org", Some(URI)),
        (&number, 0x81, b"someone@example.org", Some(MAILBOX)),
        (&number, 0x82, b"example.org", Some("dNSName")),
        (&number, 0x87, &[127, 0, 0, 1], Some("iPAddress")),
        (&number, 0x88, &[42, 3], Some("registeredID")),
        (&mailbox, 0x81, b"someone@example.org", None),
        (&mailbox, 0x81, b"SomeOne@Example.ORG", None),
        (&mailbox, 0x81, b"someone.else@example.org", Some(MAILBOX)),
        (&mailbox, 0xa0, &utf8(b"someone@example.org"), None),
        (&mailbox, 0xa0, &utf8("jörg@example.org".as_bytes()), Some(UTF8_MAILBOX)),
        (&mailbox, 0x86, b"tel:+12025550143", Some(URI)),
    ];
    for (subject, kind, value, foreign) in table {
        let request = Request::parse(&alternative(kind, value)).unwrap();
        let found = request.names_only(subject).err();
        let kind = found.as_ref().map(|error| match error {
            RequestError::ForeignName(name) => name.kind(),
            other => panic!("{other}"),
        });
        assert_eq!(kind, foreign, "{subject:?} {value:?}");
        let told = found.map(|error| format!("{error} {error:?}")).unwrap_or_default();
        assert!(!told.contains("2025550") && !told.contains("example"), "a refusal tells no name: {told}");
    }
}

#[test]
fn one_foreign_name_among_good_ones_is_found() {
    let names = [tlv(0x86, b"tel:+12025550143"), tlv(0x82, b"example.org")].concat();
    let request = Request::parse(&asking(&[(SUBJECT_ALT_NAME, &tlv(0x30, &names))])).unwrap();
    assert!(
        matches!(request.names_only(&tel()), Err(RequestError::ForeignName(name)) if name.expose() == "example.org")
    );
}

#[test]
fn what_is_not_exactly_one_signed_request_is_refused() {
    let good = good();
    let [info_part, _, signature] = children(&good).try_into().unwrap();
    let signature = &signature[3..];
    let other_key = KeyPair::generate().unwrap();
    let other_version = {
        let info = info(1, &other_key.subject_public_key_info(), &[]);
        wrap(&info, ECDSA_SHA256, &other_key.sign(&info).unwrap())
    };
    let md5 = "1.2.840.113549.1.1.4";
    let off_curve = wrap(
        &info(0, &public_key(&["1.2.840.10045.2.1", "1.2.840.10045.3.1.7"], &[4; 65]), &[]),
        ECDSA_SHA256,
        signature,
    );
    let table: [(&str, Vec<u8>); 11] = [
        ("read", good.clone()),
        ("something follows it", [&good[..], &[0]].concat()),
        ("its DER cannot be read", good[..good.len() - 1].to_vec()),
        ("its DER cannot be read", vec![0x30]),
        ("its version is unknown", other_version),
        ("not possessed", wrap(&info_part, ECDSA_SHA256, &other_key.sign(&info_part).unwrap())),
        ("not possessed", wrap(&info_part, ECDSA_SHA256, &[])),
        ("not possessed", wrap(&info_part, "1.2.840.10045.4.3.3", signature)),
        ("not possessed", off_curve),
        ("signed with 1.2.840.113549.1.1.4", wrap(&info_part, md5, signature)),
        ("an extension that it asks for cannot be read", asking(&[(BASIC_CONSTRAINTS, &[0x30, 3, 1, 1])])),
    ];
    for (expected, request) in table {
        assert_eq!(refusal(&request), expected);
    }
}

#[test]
fn only_one_pem_block_of_a_request_is_taken() {
    let pem = |label: &str, bytes: &[u8]| crate::bundle::pem(label, bytes);
    let good = good();
    let request = pem("CERTIFICATE REQUEST", &good);
    let table: [(&str, String); 9] = [
        ("read", request.clone()),
        ("read", pem("NEW CERTIFICATE REQUEST", &good)),
        ("read", format!("a comment before it\n{request}")),
        ("its PEM label is not CERTIFICATE REQUEST", pem("CERTIFICATE", &good)),
        ("it is a private key, which nobody else may see: make a new one", pem("PRIVATE KEY", &good)),
        ("it holds several PEM blocks", request.repeat(2)),
        ("its DER cannot be read", pem("CERTIFICATE REQUEST", b"garbage")),
        ("it is neither DER nor PEM", request.replace("-----END", "-----NO")),
        ("it is neither DER nor PEM", "garbage".to_owned()),
    ];
    for (expected, text) in table {
        assert_eq!(refusal(text.as_bytes()), expected, "{text}");
    }
    assert_eq!(refusal(&[]), "it is neither DER nor PEM");
}

#[test]
fn a_request_is_read_up_to_its_limit_and_not_beyond() {
    let sized = |filler: usize| asking(&[("1.3.6.1.4.1.32473.99", &vec![0; filler])]);
    assert_eq!(refusal(&sized(SIZE_LIMIT - 400)), "read");
    assert_eq!(refusal(&sized(SIZE_LIMIT)), "too large");
    assert_eq!(Request::parse(&[0; SIZE_LIMIT + 1]).unwrap_err(), RequestError::TooLarge { size: SIZE_LIMIT + 1 });
}

#[test]
fn an_ed25519_key_with_which_anybody_signs_is_refused() {
    // The neutral point: R = 1 and S = 0 is a signature by it of every message.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let info = info(0, &public_key(&["1.3.101.112"], &neutral), &[]);
    let signature = [neutral, [0; 32]].concat();
    assert_eq!(refusal(&wrap(&info, "1.3.101.112", &signature)), "its Ed25519 key is one that anybody signs for");
}

#[test]
fn a_request_of_rcgen_is_read_and_its_subject_is_not() {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name = crate::profile::common_name("+12025550143");
    let request = Request::parse(&csr(params, &key)).unwrap();
    assert_eq!(request.spki(), key.subject_public_key_info());
    assert!(!format!("{request:?}").contains("2025550143"));
}

proptest! {
    #[test]
    fn random_bytes_are_no_request(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Request::parse(&bytes).is_err());
    }

    #[test]
    fn random_text_between_pem_lines_is_no_request(text in "\\PC{0,300}") {
        let pem = format!("-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n");
        prop_assert!(Request::parse(pem.as_bytes()).is_err());
    }

    #[test]
    fn a_request_with_changed_octets_never_proves_another_key(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)
    ) {
        let good = good();
        let mut changed = good.clone();
        for (at, octet) in changes {
            changed[at.index(good.len())] = octet;
        }
        if let Ok(request) = Request::parse(&changed) {
            prop_assert_eq!(request.spki(), Request::parse(&good).unwrap().spki());
        }
    }
}
