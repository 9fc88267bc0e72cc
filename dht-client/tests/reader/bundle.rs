//! The bundle: what is believed of a file that anybody may have written.

use crate::authority::{Authority, now, terms};
use dht_client::{Bundle, BundleError, ChainError, HashCost, Pin, SigningKey};
use proptest::prelude::*;
use time::Duration;

#[test]
fn a_bundle_is_read_and_its_parts_are_sorted() {
    let authority = Authority::new();
    let bundle = Bundle::read(authority.bundle(3).as_bytes(), Pin::File, now()).unwrap();
    assert_eq!(bundle.authority.root, authority.root.der().to_vec());
    assert_eq!(bundle.authority.intermediates, [authority.intermediate.der().to_vec()]);
    assert_eq!(bundle.directory_keys, [authority.directory.verifying_key().to_bytes()]);
    assert_eq!(bundle.terms, terms(3));
    let pin = Pin::parse(&bundle.fingerprint().to_string()).unwrap();
    assert!(Bundle::read(authority.bundle(3).as_bytes(), pin, now()).is_ok());
}

#[test]
fn another_root_than_the_pinned_is_refused() {
    let (pinned, other) = (Authority::new(), Authority::new());
    let pin = Pin::Root(Bundle::read(pinned.bundle(1).as_bytes(), Pin::File, now()).unwrap().fingerprint().0);
    assert!(matches!(Bundle::read(other.bundle(1).as_bytes(), pin, now()), Err(BundleError::OtherRoot { .. })));
}

#[test]
fn terms_need_a_directory_key_that_the_root_certified() {
    let (authority, other) = (Authority::new(), Authority::new());
    let stranger = SigningKey::from_bytes(&[9; 32]);
    let far = now() + Duration::days(1);
    let build = |directory: String, terms: String| {
        [authority.root.pem(), authority.intermediate.pem(), directory, terms].concat()
    };
    let read = |bundle: String| Bundle::read(bundle.as_bytes(), Pin::File, now());

    let own = authority.certify(&authority.directory, far);
    assert_eq!(read(build(own.clone(), terms(1).sign(&stranger))), Err(BundleError::Unsigned));
    assert_eq!(read(build(String::new(), terms(1).sign(&authority.directory))), Err(BundleError::Unsigned));
    let foreign = other.certify(&stranger, far);
    assert!(matches!(read(build(foreign, terms(1).sign(&stranger))), Err(BundleError::Directory(ChainError::Path(_)))));
    let over = authority.certify(&authority.directory, now() - Duration::days(1));
    assert_eq!(read(build(over, terms(1).sign(&authority.directory))), Err(BundleError::Unsigned));
    let mut weak = terms(1);
    weak.cost = HashCost { memory_kib: u32::MAX, passes: 1, lanes: 1 };
    assert!(matches!(read(build(own, weak.sign(&authority.directory))), Err(BundleError::Malformed(_))));
}

#[test]
fn an_update_has_the_same_root_and_a_higher_number() {
    let (authority, other) = (Authority::new(), Authority::new());
    let bundle = Bundle::read(authority.bundle(5).as_bytes(), Pin::File, now()).unwrap();
    assert_eq!(bundle.update(authority.bundle(6).as_bytes(), now()).map(|newer| newer.terms.number), Ok(6));
    for number in [4, 5] {
        let older = bundle.update(authority.bundle(number).as_bytes(), now());
        assert_eq!(older, Err(BundleError::Older { current: 5, offered: number }));
    }
    assert!(matches!(bundle.update(other.bundle(9).as_bytes(), now()), Err(BundleError::OtherRoot { .. })));
}

#[test]
fn what_does_not_belong_into_a_bundle_is_refused() {
    let authority = Authority::new();
    let bundle = authority.bundle(1);
    let extra = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let twice = terms(2).sign(&authority.directory);
    for wrong in [
        String::new(),
        "text".into(),
        authority.root.pem(),
        bundle.clone() + extra,
        bundle.clone() + &twice,
        " ".repeat(300_000) + &bundle,
    ] {
        assert!(
            matches!(Bundle::read(wrong.as_bytes(), Pin::File, now()), Err(BundleError::Malformed(_))),
            "{}",
            wrong.len()
        );
    }
}

#[test]
fn a_pin_is_sixty_four_digits() {
    let digits = "00112233445566778899aabbccddeeff".repeat(2);
    let colons: Vec<&str> = (0..64).step_by(2).map(|at| &digits[at..at + 2]).collect();
    assert!(Pin::parse(&digits).is_some());
    assert_eq!(Pin::parse(&colons.join(":").to_uppercase()), Pin::parse(&digits));
    for wrong in ["", "00", &digits[1..], &digits.replace('a', "g"), &digits.replace("aa", "é")] {
        assert_eq!(Pin::parse(wrong), None, "{wrong}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever one byte becomes, the bundle is refused or says the same as before.
    #[test]
    fn no_changed_byte_changes_what_is_believed(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        use std::sync::OnceLock;
        static BUNDLE: OnceLock<(Vec<u8>, Bundle)> = OnceLock::new();
        let (pem, bundle) = BUNDLE.get_or_init(|| {
            let pem = Authority::new().bundle(1).into_bytes();
            let bundle = Bundle::read(&pem, Pin::File, now()).unwrap();
            (pem, bundle)
        });
        let mut changed = pem.clone();
        changed[at.index(pem.len())] = byte;
        if let Ok(read) = Bundle::read(&changed, Pin::Root(bundle.fingerprint().0), now()) {
            prop_assert_eq!(&read.directory_keys, &bundle.directory_keys);
            prop_assert_eq!(&read.terms, &bundle.terms);
        }
    }

    #[test]
    fn random_bytes_are_no_bundle(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(Bundle::read(&bytes, Pin::File, now()).is_err());
    }
}
