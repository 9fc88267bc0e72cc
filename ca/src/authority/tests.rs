//! Making an authority, keeping it in files, and opening it: or not, when anything is amiss.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use rcgen::PublicKeyData;

use super::*;
use crate::bundle::pem;
use crate::fixture::{ARC, NOW, PASSPHRASE, authority, files, options};
use crate::signer::{KeyCost, KeyFileError};
use crate::{Assurance, File, Level, Order, files as folder};

const KEYS: [&str; 5] = [names::ROOT_KEY, names::TEL_KEY, names::EMAIL_KEY, names::DIRECTORY_KEY, names::RESULT_KEY];
const CERTIFICATES: [&str; 4] = [names::ROOT, names::TEL, names::EMAIL, names::DIRECTORY];

fn put(files: &mut [File], name: &str, bytes: &[u8]) {
    files.iter_mut().find(|file| file.name == name).unwrap().bytes = bytes.to_vec();
}

fn bytes<'a>(files: &'a [File], name: &str) -> &'a [u8] {
    &files.iter().find(|file| file.name == name).unwrap().bytes
}

/// The reason in a few words, so that a table can hold it.
fn refusal(files: &[File]) -> String {
    match Authority::open(files, PASSPHRASE).map(|_| ()) {
        Ok(()) => "opens".to_owned(),
        Err(OpenError::Lint { file, findings }) => {
            let clauses: Vec<_> = findings.iter().map(|finding| finding.clause).collect();
            format!("{file}: {}", clauses.join(" "))
        }
        Err(other) => other.to_string(),
    }
}

#[test]
fn a_new_authority_opens_and_is_what_was_asked_for() {
    let authority = authority();
    assert_eq!((authority.name(), authority.oid_arc()), ("Example", &ARC[..]));
    let parents = [authority.intermediate(Issuing::Tel), authority.intermediate(Issuing::Email)];
    assert_ne!(parents[0], parents[1]);
    let ends = authority.issuer(Issuing::Tel).certificate.not_after;
    assert_eq!(ends - NOW, time::Duration::days(1095) - time::Duration::seconds(301));
    let printed = format!("{authority:?}");
    for key in files(&options()).iter().filter(|file| KEYS.contains(&file.name.as_str())) {
        assert!(!printed.contains(std::str::from_utf8(&key.bytes).unwrap()));
    }
}

#[test]
fn every_serial_salt_and_key_of_an_authority_is_another() {
    let files = files(&options());
    let serials: BTreeSet<Vec<u8>> = CERTIFICATES.iter().map(|name| serial(bytes(&files, name))).collect();
    assert_eq!(serials.len(), CERTIFICATES.len());
    let keys: BTreeSet<&[u8]> = KEYS.iter().map(|name| bytes(&files, name)).collect();
    assert_eq!(keys.len(), KEYS.len());
    let again = crate::fixture::files(&InitOptions { entropy: [8; 32], ..options() });
    for name in CERTIFICATES {
        assert_ne!(serial(bytes(&files, name)), serial(bytes(&again, name)));
    }
}

fn serial(certificate: &[u8]) -> Vec<u8> {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let (_, der) = pkcs8::der::pem::decode_vec(certificate).unwrap();
    X509Certificate::from_der(&der).unwrap().1.raw_serial().to_vec()
}

#[test]
fn an_authority_lives_in_a_folder_with_keys_for_its_owner_alone() {
    let place = tempfile::tempdir().unwrap();
    let files = files(&options());
    folder::write_new(place.path(), &files).unwrap();
    #[cfg(unix)]
    for file in &files {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(place.path().join(&file.name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if file.name.ends_with(".key") { 0o600 } else { 0o644 }, "{}", file.name);
    }
    let read = folder::read(place.path()).unwrap();
    let opened = Authority::open(&read, PASSPHRASE).unwrap();
    assert_eq!(pem("CERTIFICATE", opened.root()).as_bytes(), bytes(&files, names::ROOT));
    assert!(folder::write_new(place.path(), &crate::fixture::files(&options())).is_err(), "never twice");
    assert_eq!(sorted(folder::read(place.path()).unwrap()), sorted(files));
}

fn sorted(mut files: Vec<File>) -> Vec<File> {
    files.sort_by(|one, other| one.name.cmp(&other.name));
    files
}

#[test]
fn no_key_opens_with_another_passphrase() {
    let mut files = files(&options());
    for passphrase in ["", "correct horse ", "Correct horse", "battery staple"] {
        assert!(matches!(
            Authority::open(&files, passphrase),
            Err(OpenError::Key { why: KeyFileError::Passphrase, .. })
        ));
    }
    let others = crate::fixture::files(&InitOptions { passphrase: "another", ..options() });
    for name in KEYS {
        assert!(std::str::from_utf8(bytes(&files, name)).unwrap().starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        let before = bytes(&files, name).to_vec();
        put(&mut files, name, bytes(&others, name));
        // The root's key lies in a safe: an authority opens without it.
        let expected = match name {
            names::ROOT_KEY => "opens".to_owned(),
            _ => format!("the authority's {name} cannot be used: the passphrase does not open it"),
        };
        assert_eq!(refusal(&files), expected);
        put(&mut files, name, &before);
    }
}

#[test]
fn a_file_that_is_missing_is_named() {
    for name in CERTIFICATES.iter().chain(&KEYS).chain(&[names::SETTINGS]) {
        let mut files = files(&options());
        files.retain(|file| file.name != *name);
        let refusal = refusal(&files);
        match *name {
            names::ROOT_KEY => assert_eq!(refusal, "opens"),
            _ => assert!(refusal.contains(&format!("lacks {name}:")), "{refusal}"),
        }
    }
}

#[test]
fn files_that_do_not_belong_together_are_not_opened() {
    let others = crate::fixture::files(&InitOptions { name: "Other".into(), ..options() });
    let settings = r#"{"name":"Example","oid_arc":[1,3,6,1,4,1,99],"urls":{}}"#;
    let empty = pem("CERTIFICATE", &[0x30, 0]);
    let table: [(&str, &[u8], &str); 10] = [
        (names::SETTINGS, b"{}", "the authority's authority.json cannot be read: it is not the JSON that init wrote"),
        (names::SETTINGS, settings.as_bytes(), "tel-ca.pem: CA-5 CA-8"),
        (names::ROOT, b"garbage", "the authority's root-ca.pem cannot be read: it is not one PEM block"),
        (names::ROOT, bytes(&others, names::ROOT), "root-ca.pem: ROOT-1"),
        (names::TEL, empty.as_bytes(), "the authority's tel-ca.pem cannot be read: its DER cannot be read"),
        (
            names::TEL,
            bytes(&others, names::TEL_KEY),
            "the authority's tel-ca.pem cannot be read: it is not a certificate",
        ),
        (names::TEL, bytes(&others, names::TEL), "tel-ca.pem: CA-1 CA-2 CA-9"),
        (names::TEL_KEY, bytes(&others, names::TEL_KEY), "the authority's tel-ca.key is not the key of tel-ca.pem"),
        (
            names::TEL_KEY,
            bytes(&others, names::TEL),
            "the authority's tel-ca.key cannot be used: it is not an encrypted PKCS#8 key in PEM",
        ),
        (
            names::RESULT_KEY,
            bytes(&others, names::DIRECTORY_KEY),
            "the authority's result.key cannot be used: it holds another kind of key than expected",
        ),
    ];
    for (name, bytes, expected) in table {
        let mut files = files(&options());
        put(&mut files, name, bytes);
        assert_eq!(refusal(&files), expected);
    }
}

#[test]
fn keys_and_certificates_are_not_interchangeable() {
    let files = files(&options());
    let swapped = |one, other| {
        let mut swapped = files.clone();
        put(&mut swapped, one, bytes(&files, other));
        put(&mut swapped, other, bytes(&files, one));
        refusal(&swapped)
    };
    assert_eq!(swapped(names::TEL, names::EMAIL), "tel-ca.pem: CA-2 CA-5 CA-8");
    assert_eq!(swapped(names::TEL_KEY, names::EMAIL_KEY), "the authority's tel-ca.key is not the key of tel-ca.pem");
    assert_eq!(swapped(names::ROOT, names::TEL), "root-ca.pem: ROOT-1 ROOT-2 ROOT-3 ROOT-6");
    // Another directory key needs another directory certificate.
    let mut other = files.clone();
    let others = crate::fixture::files(&InitOptions { entropy: [9; 32], ..options() });
    put(&mut other, names::DIRECTORY_KEY, bytes(&others, names::DIRECTORY_KEY));
    assert_eq!(refusal(&other), "the authority's directory.key is not the key of directory.pem");
}

#[test]
fn an_authority_is_not_made_of_unusable_options() {
    let made = |change: &dyn Fn(&mut InitOptions<'_>)| {
        let mut options = options();
        change(&mut options);
        Authority::init(&options).map(|_| ()).map_err(|error| error.to_string())
    };
    let name = |name: &str| made(&|options| options.name = name.into());
    let arc = |arc: &[u64]| made(&|options| options.oid_arc = arc.into());
    let url = |service: &str| made(&|options| options.urls = Urls::under(service));
    let good = [
        name("n"),
        name(&"é".repeat(40)),
        arc(&[2, 39, 1]),
        arc(&[0, 39, 1]),
        url("https://ca.example.org/"),
        arc(&[[1, 3].as_slice(), &[i64::MAX as u64; 18]].concat()),
    ];
    assert!(good.iter().all(Result::is_ok), "{good:?}");
    let bad = [
        name(""),
        name("  "),
        name(&"n".repeat(41)),
        name("line\nbreak"),
        arc(&[]),
        arc(&[1, 3]),
        arc(&[3, 1, 1]),
        arc(&[1, 40, 1]),
        arc(&[2, 999, 1]),
        arc(&[1, 3, u64::MAX]),
        arc(&[1; 21]),
        url("ftp://ca.example.org"),
        url("http://"),
        url("http://bücher.example"),
        url(&format!("http://{}", "u".repeat(128))),
        made(&|options| options.passphrase = ""),
    ];
    assert!(bad.iter().all(Result::is_err), "{bad:?}");
}

#[test]
fn an_authority_with_other_urls_writes_those_from_now_on() {
    let other = authority().with_urls(Urls::under("https://other.example.org/"));
    let (subject, request) = (crate::fixture::tel(), crate::fixture::request());
    let issued = crate::fixture::issue(&other, &crate::fixture::order(&subject, &request)).unwrap();
    let url = b"https://other.example.org/ca/tel.crl";
    assert!(issued.der.windows(url.len()).any(|window| window == url));
}

#[test]
fn a_leaf_states_whether_the_code_alone_was_asked_for() {
    let authority = authority();
    let (subject, request) = (crate::fixture::tel(), crate::fixture::request());
    let of = |assurance: Assurance| {
        let life = authority.lives().of(assurance.level());
        let order = Order { assurance, life, ..crate::fixture::order(&subject, &request) };
        let der = crate::fixture::issue(&authority, &order).unwrap().der;
        pem("CERTIFICATE", &der)
    };
    assert!(authority.states_code_only(&of(Assurance::CodeOnly)));
    assert!(!authority.states_code_only(&of(Assurance::ReadBack(Level::L1))));
    assert!(!authority.states_code_only("nothing"));
}

/// Puts files in the place of those of their names.
fn replaced(files: &[File], by: &[File]) -> Vec<File> {
    let mut files = files.to_vec();
    by.iter().for_each(|file| put(&mut files, &file.name, &file.bytes));
    files
}

fn rotated(files: &[File], outgoing: Outgoing, now: OffsetDateTime) -> Result<Vec<File>, RotateError> {
    let rotation = Rotation {
        root_key: bytes(files, names::ROOT_KEY),
        outgoing,
        now,
        entropy: [now.to_hms().1; 32],
        passphrase: PASSPHRASE,
        cost: KeyCost::Throwaway,
    };
    Authority::open(files, PASSPHRASE).unwrap().rotate_directory_key(&rotation)
}

fn public_keys(authority: &Authority, now: OffsetDateTime) -> Vec<[u8; 32]> {
    authority.directory_keys(now).map(DirectoryKey::public).collect()
}

fn days(days: i64) -> time::Duration {
    time::Duration::days(days)
}

#[test]
fn a_directory_key_gives_way_to_another_for_as_long_as_any_certificate_lives() {
    let before = files(&options());
    let old = authority().directory_keys(NOW).next().unwrap().public();
    let made = rotated(&before, Outgoing::Overlaps, NOW).unwrap();
    let after = Authority::open(&replaced(&before, &made), PASSPHRASE).unwrap();
    let new = after.directory_key().verifying_key().to_bytes();
    assert_ne!(new, old);
    assert_eq!(public_keys(&after, NOW), [new, old]);
    assert_eq!(public_keys(&after, NOW + days(90)), [new, old]);
    assert_eq!(public_keys(&after, NOW + days(90) + time::Duration::SECOND), [new]);
    assert!(after.directory_keys(NOW).next().unwrap().not_after() > NOW + days(1094));
    let bundle = after.bundle(crate::bundle::TERMS_HEADLINE).unwrap();
    assert_eq!(bundle.matches("BEGIN CERTIFICATE").count(), 5);
    let printed = format!("{after:?}");
    assert!(printed.contains(&crate::serial::hex(&old)), "{printed}");
    assert!(!printed.contains(&crate::serial::hex(after.directory_key().as_bytes())), "{printed}");
}

#[test]
fn a_rotation_that_is_cut_short_changes_nothing() {
    let fresh = files(&options());
    let once = replaced(&fresh, &rotated(&fresh, Outgoing::Overlaps, NOW).unwrap());
    let soon = NOW + time::Duration::MINUTE;
    for (before, outgoing, now, of_each_key) in [
        (&fresh, Outgoing::Overlaps, soon, [1, 2, 2]),
        (&fresh, Outgoing::Stolen, soon, [1, 2, 1]),
        (&once, Outgoing::Stolen, soon, [2, 3, 1]),
        (&once, Outgoing::Overlaps, soon + days(91), [2, 3, 2]),
    ] {
        let keys = |files: &[File]| public_keys(&Authority::open(files, PASSPHRASE).unwrap(), now);
        let made = rotated(before, outgoing, now).unwrap();
        let certificates = made.iter().position(|file| file.name == names::DIRECTORY).unwrap();
        for written in 0..=made.len() {
            let cut = replaced(before, &made[..written]);
            assert_eq!(keys(&cut) == keys(before), written <= certificates, "{outgoing:?} {written}");
            // Rotating again mends it.
            if written <= certificates {
                let again = replaced(&cut, &rotated(&cut, outgoing, now + time::Duration::MINUTE).unwrap());
                assert_eq!(keys(&again).get(1), keys(&replaced(before, &made)).get(1), "{outgoing:?} {written}");
            }
        }
        let at_each = [&before[..], &replaced(before, &made[..1]), &replaced(before, &made)].map(held_keys);
        assert_eq!(at_each, of_each_key, "{outgoing:?}");
    }
}

/// How many keys the directory's key file holds.
fn held_keys(files: &[File]) -> usize {
    std::str::from_utf8(bytes(files, names::DIRECTORY_KEY)).unwrap().matches("-----BEGIN ").count()
}

#[test]
fn a_key_file_of_before_is_not_that_of_newer_certificates() {
    let before = files(&options());
    let made = rotated(&before, Outgoing::Overlaps, NOW).unwrap();
    // As a backup of two times has it.
    assert_eq!(
        refusal(&replaced(&before, &made[1..2])),
        "the authority's directory.key is not the key of directory.pem"
    );
}

#[test]
fn a_node_opens_at_each_step_of_bringing_it_what_another_rotated_twice() {
    let fresh = files(&options());
    let once = replaced(&fresh, &rotated(&fresh, Outgoing::Overlaps, NOW).unwrap());
    let later = NOW + days(91) + time::Duration::MINUTE;
    let twice = replaced(&once, &rotated(&once, Outgoing::Overlaps, later).unwrap());
    let keys = |files: &[File]| public_keys(&Authority::open(files, PASSPHRASE).unwrap(), later);
    let file = |name: &str| File { name: name.to_owned(), bytes: bytes(&twice, name).to_vec() };
    let (first, then) = (file(names::DIRECTORY_KEY), file(names::DIRECTORY));
    let halfway = replaced(&once, &[first]);
    assert_eq!(keys(&halfway), keys(&once), "the one whose overlap is over has no key any more");
    assert_eq!(keys(&replaced(&halfway, &[then])), keys(&twice));

    // A key that is merely lost is missed.
    let lost = Authority::open(&fresh, PASSPHRASE).unwrap();
    let made = rotated(&fresh, Outgoing::Overlaps, NOW).unwrap();
    let keys_text = std::str::from_utf8(&made[0].bytes).unwrap();
    let newest = keys_text.split_inclusive("-----END ENCRYPTED PRIVATE KEY-----\n").next().unwrap();
    let alone = File { name: names::DIRECTORY_KEY.to_owned(), bytes: newest.as_bytes().to_vec() };
    assert_eq!(public_keys(&lost, NOW).len(), 1);
    assert_eq!(refusal(&replaced(&once, &[alone])), "the authority's directory.key is not the key of directory.pem");
}

#[test]
fn the_next_rotation_waits_for_the_end_of_an_overlap_unless_a_key_was_stolen() {
    let before = files(&options());
    let once = replaced(&before, &rotated(&before, Outgoing::Overlaps, NOW).unwrap());
    let first = Authority::open(&once, PASSPHRASE).unwrap().directory_key().verifying_key().to_bytes();
    let soon = NOW + days(89);
    let error = rotated(&once, Outgoing::Overlaps, soon).unwrap_err();
    assert!(matches!(error, RotateError::Overlap { until } if until == NOW + days(90)), "{error}");
    let stolen = replaced(&once, &rotated(&once, Outgoing::Stolen, soon + time::Duration::MINUTE).unwrap());
    assert_eq!(public_keys(&Authority::open(&stolen, PASSPHRASE).unwrap(), soon).len(), 1);

    let later = soon + days(1) + time::Duration::MINUTE;
    let twice = replaced(&once, &rotated(&once, Outgoing::Overlaps, later).unwrap());
    let twice = Authority::open(&twice, PASSPHRASE).unwrap();
    assert_eq!(public_keys(&twice, later)[1..], [first]);
}

/// A key whose certificate ends sooner than an overlap does not outlive it, and one whose time is over needs none.
#[test]
fn no_overlap_outlives_the_certificate_of_the_key_that_gives_way() {
    let before = files(&options());
    let ends = authority().directory_keys(NOW).next().unwrap().not_after();
    for (left, count) in [(10, 2), (-1, 1)] {
        let now = ends - days(left);
        let after = replaced(&before, &rotated(&before, Outgoing::Overlaps, now).unwrap());
        let after = Authority::open(&after, PASSPHRASE).unwrap();
        assert_eq!(public_keys(&after, now).len(), count, "{left}");
        assert_eq!(public_keys(&after, ends + time::Duration::SECOND).len(), 1, "{left}");
    }
}

#[test]
fn another_root_s_key_and_another_passphrase_rotate_nothing() {
    let files = files(&options());
    let others = crate::fixture::files(&InitOptions { entropy: [9; 32], ..options() });
    let authority = Authority::open(&files, PASSPHRASE).unwrap();
    let told = |root_key: &[u8], passphrase: &str| {
        let (outgoing, now, entropy, cost) = (Outgoing::Stolen, NOW, [1; 32], KeyCost::Throwaway);
        let rotation = Rotation { root_key, outgoing, now, entropy, passphrase, cost };
        authority.rotate_directory_key(&rotation).unwrap_err().to_string()
    };
    assert_eq!(told(bytes(&others, names::ROOT_KEY), PASSPHRASE), "this is not the key of the authority's root");
    let of_root = bytes(&files, names::ROOT_KEY);
    assert_eq!(told(of_root, "wrong"), "the root's key cannot be used: the passphrase does not open it");
    assert!(told(bytes(&files, names::TEL_KEY), PASSPHRASE).contains("another kind of key"));
}

#[test]
fn a_third_directory_certificate_is_one_too_many() {
    let before = files(&options());
    let made = rotated(&before, Outgoing::Overlaps, NOW).unwrap();
    let mut after = replaced(&before, &made);
    put(&mut after, names::DIRECTORY, &[bytes(&made, names::DIRECTORY), bytes(&before, names::DIRECTORY)].concat());
    assert_eq!(refusal(&after), "the authority's directory.pem cannot be read: it holds more than two certificates");
}

#[test]
fn what_is_rehearsed_with_is_not_the_real_key() {
    let authority = authority();
    for issuing in Issuing::ALL {
        let intermediate = authority.issuer(issuing);
        assert_ne!(intermediate.rehearsal.key().der_bytes(), intermediate.issuer.key().der_bytes());
    }
}

/// Made once: a P-384 key takes its time.
static FILES: LazyLock<Vec<File>> = LazyLock::new(|| files(&options()));

fn any_file() -> impl Strategy<Value = &'static str> {
    let needed = CERTIFICATES.iter().chain(&KEYS[1..]).chain(&[names::SETTINGS]).copied().collect::<Vec<_>>();
    prop::sample::select(needed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn random_bytes_in_any_file_are_an_error(
        name in any_file(), random in prop::collection::vec(any::<u8>(), 0..400)
    ) {
        let mut files = FILES.clone();
        put(&mut files, name, &random);
        prop_assert!(Authority::open(&files, PASSPHRASE).is_err());
    }

    #[test]
    fn a_cut_file_is_an_error(name in any_file(), at: prop::sample::Index) {
        let mut files = FILES.clone();
        let whole = bytes(&files, name).trim_ascii_end().to_vec();
        put(&mut files, name, &whole[..at.index(whole.len())]);
        prop_assert!(Authority::open(&files, PASSPHRASE).is_err());
    }

    #[test]
    fn an_octet_changed_in_a_certificate_or_key_is_an_error_or_changes_nothing(
        name in any_file(), at: prop::sample::Index, octet: u8
    ) {
        prop_assume!(name != names::SETTINGS);
        let mut files = FILES.clone();
        let before = Authority::open(&files, PASSPHRASE).unwrap();
        let mut changed = bytes(&files, name).to_vec();
        let at = at.index(changed.len());
        changed[at] = octet;
        put(&mut files, name, &changed);
        if let Ok(after) = Authority::open(&files, PASSPHRASE) {
            prop_assert_eq!(before.root(), after.root());
            prop_assert_eq!(before.intermediate(Issuing::Tel), after.intermediate(Issuing::Tel));
            prop_assert_eq!(before.intermediate(Issuing::Email), after.intermediate(Issuing::Email));
            prop_assert_eq!(before.directory_certificate(), after.directory_certificate());
            prop_assert_eq!(before.directory_key().as_bytes(), after.directory_key().as_bytes());
        }
    }
}
