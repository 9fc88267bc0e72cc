//! The authority's certificates, lists and key files as other programs see them: OpenSSL, GnuTLS, NSS, and rustls-webpki
//! in our own reader.

use std::fs;
use std::path::Path;
use std::process::Command;

use ca::authority::names;
use ca::email::Address;
use ca::{
    Assurance, Authority, InitOptions, Issued, Issuing, KeyCost, KeyStanding, Level, Order, Reason, Request, Revoked,
    Serial, Subject, Urls,
};
use dht_client::{Bundle, BundleError, HashCost, Identity, Pin, Terms};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SignatureAlgorithm};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

const PASSPHRASE: &str = "correct horse";
const ARC: [u64; 7] = [1, 3, 6, 1, 4, 1, 32473];
const CRL_NUMBER: u64 = 4711;

/// One leaf of each kind that is issued.
struct Sample {
    file: &'static str,
    identity: String,
    assurance: Assurance,
    key: &'static SignatureAlgorithm,
    strict_smime: bool,
}

fn samples() -> Vec<Sample> {
    use Level::{L0, L1, L2, L3};
    let sample = |file, identity: &str, assurance, key| Sample {
        file,
        identity: identity.to_owned(),
        assurance,
        key,
        strict_smime: false,
    };
    let long = format!("mailto:{}@example.org", "l".repeat(64));
    let (p256, mailbox) = (&PKCS_ECDSA_P256_SHA256, Assurance::ReadBack(L0));
    let strict = sample("strict-mailbox.pem", "mailto:Someone@example.org", mailbox, p256);
    vec![
        sample("number.pem", "tel:+12025550143", Assurance::ReadBack(L2), p256),
        sample("ed25519.pem", "tel:+12025550144", Assurance::ReadBack(L3), &PKCS_ED25519),
        sample("low.pem", "tel:+12025550145", Assurance::ReadBack(L1), p256),
        sample("code-only.pem", "tel:+12025550146", Assurance::CodeOnly, p256),
        sample("mailbox.pem", "mailto:Some.One+tag@Example.org", mailbox, p256),
        sample("utf8-mailbox.pem", "mailto:jörg@bücher.example", mailbox, p256),
        sample("long-mailbox.pem", &long, mailbox, p256),
        Sample { strict_smime: true, ..strict },
    ]
}

impl Sample {
    fn subject(&self) -> Subject {
        match self.identity.split_once(':').expect("an identity has a scheme") {
            ("tel", number) => Subject::tel(number).expect("a number"),
            (_, address) => Subject::email(Address::parse(address).expect("an address")),
        }
    }

    fn issuing(&self) -> Issuing {
        self.subject().issuing()
    }

    fn policy(&self, level: Level) -> String {
        format!("1.3.6.1.4.1.32473.1.{}", level as u8)
    }
}

/// An authority with its files in a folder, as an operator has them, and their certificates.
struct Place {
    authority: Authority,
    folder: TempDir,
    now: OffsetDateTime,
}

impl Place {
    #[expect(clippy::disallowed_methods, reason = "the other programs look at the real clock")]
    fn new(strict_smime: bool, cost: KeyCost) -> Self {
        let now = OffsetDateTime::now_utc();
        let options = InitOptions {
            name: "Example".into(),
            oid_arc: ARC.into(),
            urls: Urls::under("http://ca.example.org"),
            strict_smime,
            now,
            entropy: [9; 32],
            passphrase: PASSPHRASE,
            cost,
        };
        let files = Authority::init(&options).expect("an authority");
        let folder = tempfile::tempdir().expect("a temporary folder");
        ca::files::write_new(folder.path(), &files).expect("files in a new folder");
        Self { authority: Authority::open(&files, PASSPHRASE).expect("it opens"), folder, now }
    }

    fn issue(&self, sample: &Sample, number: u8) -> Issued {
        self.certify(&KeyPair::generate_for(sample.key).expect("a key"), sample, number)
    }

    fn certify(&self, key: &KeyPair, sample: &Sample, number: u8) -> Issued {
        let request = CertificateParams::default().serialize_request(key).expect("a request");
        let (subject, request) = (sample.subject(), Request::parse(request.der()).expect("a good request"));
        let order = Order {
            subject: &subject,
            request: &request,
            assurance: sample.assurance,
            standing: KeyStanding::Clear,
            serial: Serial::from_random([number; 20]),
            now: self.now,
            life: subject.issuing().longest_life(sample.assurance.level()),
        };
        self.authority.prepare(&order).expect("a good order").sign(&self.authority).expect("the key signs")
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join(name), bytes).expect("a file in a temporary folder");
    }

    /// Writes a leaf of each kind, with its chain, a revoked one for each intermediate, and the lists.
    fn with_leaves(strict_smime: bool) -> Self {
        let place = Self::new(strict_smime, KeyCost::Throwaway);
        for (number, sample) in (1..).zip(samples_of(strict_smime)) {
            let issued = place.issue(&sample, number);
            place.write(sample.file, &issued.pem);
            place.write(&format!("chain-of-{}", sample.file), issued.pem + &issued.chain_pem);
        }
        for (number, (issuing, like)) in (100..).zip([(Issuing::Tel, 0), (Issuing::Email, 4)]) {
            let revoked = place.issue(&samples()[like], number);
            place.write(revoked_file(issuing), &revoked.pem);
            place.write(&format!("chain-of-{}", revoked_file(issuing)), revoked.pem + &revoked.chain_pem);
            let entry = Revoked { serial: revoked.serial, at: place.now, reason: Reason::KeyCompromise };
            let next = place.now + Duration::days(7);
            let crl = place.authority.crl(issuing, &[entry], CRL_NUMBER, place.now, next).expect("a list");
            place.write(crl_file(issuing), crl.pem);
            place.write(&format!("{}.der", crl_file(issuing)), crl.der);
        }
        place
    }

    /// Runs another program in the folder: whether it is content, and what it says.
    fn ask(&self, line: &str) -> (bool, String) {
        ask_in(self.folder.path(), line)
    }

    /// What a program says that must be content.
    fn told(&self, line: &str) -> String {
        let (content, said) = self.ask(line);
        assert!(content, "{line}: {said}");
        said
    }
}

fn ask_in(folder: &Path, line: &str) -> (bool, String) {
    let (program, arguments) = line.split_once(' ').expect("a program and its arguments");
    let output = Command::new(program).args(arguments.split(' ')).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{program} does not run: {error}; tests/setup installs it"));
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    (output.status.success(), said)
}

fn samples_of(strict_smime: bool) -> Vec<Sample> {
    samples().into_iter().filter(|sample| sample.strict_smime == strict_smime).collect()
}

fn intermediate_file(issuing: Issuing) -> &'static str {
    match issuing {
        Issuing::Tel => names::TEL,
        Issuing::Email => names::EMAIL,
    }
}

fn crl_file(issuing: Issuing) -> &'static str {
    match issuing {
        Issuing::Tel => "tel.crl",
        Issuing::Email => "email.crl",
    }
}

fn revoked_file(issuing: Issuing) -> &'static str {
    match issuing {
        Issuing::Tel => "revoked-number.pem",
        Issuing::Email => "revoked-mailbox.pem",
    }
}

fn bundle(authority: &Authority, number: u64) -> String {
    let networks = vec!["mainline:127.0.0.1:4001".parse().expect("a network")];
    let terms = Terms { number, oid_arc: ARC.into(), cost: HashCost::CHEAP, networks };
    authority.bundle(&terms.to_string()).expect("the terms' own text")
}

#[test]
fn our_reader_takes_every_leaf_for_what_it_is() {
    for strict_smime in [false, true] {
        let place = Place::new(strict_smime, KeyCost::Throwaway);
        let bundle = Bundle::read(bundle(&place.authority, 1).as_bytes(), Pin::File, place.now).expect("a bundle");
        let stranger = Place::new(strict_smime, KeyCost::Throwaway);
        for (number, sample) in (1..).zip(samples_of(strict_smime)) {
            let identity = Identity::parse(&sample.identity).expect("an identity");
            let leaf = place.issue(&sample, number);
            let read = bundle.authority.check(&leaf.der, &identity, place.now).expect(sample.file);
            assert_eq!(read.level as u8, sample.assurance.level() as u8, "{}", sample.file);
            assert_eq!(read.code_only, sample.assurance == Assurance::CodeOnly, "{}", sample.file);
            assert_eq!(read.serial, leaf.serial_hex());
            assert_eq!(read.chain, [place.authority.intermediate(sample.issuing())]);

            let other = Identity::parse("tel:+12025550199").expect("an identity");
            assert!(bundle.authority.check(&leaf.der, &other, place.now).is_err(), "{}", sample.file);
            let late = leaf.not_after + Duration::hours(1);
            assert!(bundle.authority.check(&leaf.der, &identity, late).is_err(), "{}", sample.file);
            let forged = stranger.issue(&sample, number).der;
            assert!(bundle.authority.check(&forged, &identity, place.now).is_err(), "{}", sample.file);
        }
    }
}

#[test]
fn our_reader_opens_the_bundle_by_its_pin_alone() {
    let (place, other) = (Place::new(false, KeyCost::Throwaway), Place::new(false, KeyCost::Throwaway));
    let text = bundle(&place.authority, 1);
    let read = Bundle::read(text.as_bytes(), Pin::Root(place.authority.root_sha256()), place.now).expect("a bundle");
    assert_eq!(read.directory_keys, [place.authority.directory_key().verifying_key().to_bytes()]);
    assert_eq!(read.authority.root, place.authority.root());
    assert_eq!((read.terms.number, read.authority.oid_arc.as_slice()), (1, &ARC[..]));

    let pinned_elsewhere = Bundle::read(text.as_bytes(), Pin::Root(other.authority.root_sha256()), place.now);
    assert!(matches!(pinned_elsewhere, Err(BundleError::OtherRoot { .. })));
    assert!(read.update(bundle(&place.authority, 2).as_bytes(), place.now).is_ok());
    assert!(matches!(read.update(text.as_bytes(), place.now), Err(BundleError::Older { .. })));
    assert!(read.update(bundle(&other.authority, 2).as_bytes(), place.now).is_err());
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs openssl: run tests/run")]
fn openssl_finds_every_leaf_strictly_valid_and_the_revoked_ones_revoked() {
    for strict_smime in [false, true] {
        let place = Place::with_leaves(strict_smime);
        let line = |issuing, more: &str, file: &str| {
            let (ca, crl) = (intermediate_file(issuing), crl_file(issuing));
            format!(
                "openssl verify -x509_strict -crl_check -CRLfile {crl} -CAfile root-ca.pem -untrusted {ca} {more} {file}"
            )
        };
        for sample in samples_of(strict_smime) {
            let (issuing, level) = (sample.issuing(), sample.assurance.level());
            let policy = |level| format!("-policy_check -explicit_policy -policy {}", sample.policy(level));
            let purposes: &[&str] = match issuing {
                Issuing::Tel => &["sslclient"],
                // Its "smimeencrypt" knows RSA only: it wants keyEncipherment. That it encrypts, the next test shows.
                Issuing::Email if strict_smime => &["smimesign"],
                Issuing::Email => &["sslclient", "smimesign"],
            };
            for purpose in purposes {
                place.told(&line(issuing, &format!("-purpose {purpose} {}", policy(level)), sample.file));
            }
            for purpose in ["sslserver", "timestampsign"] {
                let (valid, said) = place.ask(&line(issuing, &format!("-purpose {purpose}"), sample.file));
                assert!(!valid && said.contains("purpose"), "{} {purpose}: {said}", sample.file);
            }
            let (valid, said) = place.ask(&line(issuing, &policy(Level::L4), sample.file));
            assert!(!valid && said.contains("no explicit policy"), "{}: {said}", sample.file);
        }
        for issuing in Issuing::ALL {
            let (valid, said) = place.ask(&line(issuing, "", revoked_file(issuing)));
            assert!(!valid && said.contains("certificate revoked"), "{said}");
        }
        place.told("openssl verify -x509_strict -CAfile root-ca.pem tel-ca.pem email-ca.pem directory.pem");
    }
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs openssl: run tests/run")]
fn openssl_encrypts_to_a_mailbox_and_its_holder_opens_it() {
    let place = Place::new(false, KeyCost::Throwaway);
    for (number, sample) in (1..).zip(samples()).filter(|(_, sample)| sample.issuing() == Issuing::Email) {
        let key = KeyPair::generate_for(sample.key).expect("a key");
        place.write("leaf.pem", place.certify(&key, &sample, number).pem);
        place.write("leaf.key", key.serialize_pem());
        place.write("letter", "only for you");
        place.told("openssl cms -encrypt -aes256 -in letter -out sealed leaf.pem");
        assert!(place.told("openssl cms -decrypt -in sealed -recip leaf.pem -inkey leaf.key").contains("only for you"));
        let root = "-CAfile root-ca.pem -certfile email-ca.pem -purpose smimesign";
        place.told("openssl cms -sign -in letter -out signed -signer leaf.pem -inkey leaf.key -certfile email-ca.pem");
        place.told(&format!("openssl cms -verify -in signed {root}"));
    }
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs openssl: run tests/run")]
fn openssl_reads_the_lists_and_their_reasons() {
    let place = Place::with_leaves(false);
    for issuing in Issuing::ALL {
        let (crl, ca) = (crl_file(issuing), intermediate_file(issuing));
        let said = place.told(&format!("openssl crl -in {crl} -CAfile {ca} -verify -noout -text"));
        for wanted in ["verify OK", "CRL Number", &CRL_NUMBER.to_string(), "Key Compromise", "Authority Key Identifier"]
        {
            assert!(said.contains(wanted), "no {wanted} in {said}");
        }
        assert_eq!(said.matches("Serial Number").count(), 1);
    }
    for (number, reason) in (0..).zip(Reason::ALL) {
        let entry = Revoked { serial: Serial::from_random([number; 20]), at: place.now, reason };
        let next = place.now + Duration::days(7);
        let crl = place.authority.crl(Issuing::Tel, &[entry], 1, place.now, next).expect("a list");
        place.write("reason.crl", crl.pem);
        let said = place.told("openssl crl -in reason.crl -CAfile tel-ca.pem -verify -noout -text").to_lowercase();
        let wanted = reason.name().to_lowercase();
        let unspaced = said.replace(' ', "");
        assert_eq!(unspaced.contains(&wanted), reason != Reason::Unspecified, "{wanted} in {said}");
    }
    let next = place.now + Duration::days(7);
    place.write("none.crl", place.authority.crl(Issuing::Tel, &[], 1, place.now, next).expect("a list").pem);
    let said = place.told("openssl crl -in none.crl -CAfile tel-ca.pem -verify -noout -text");
    assert!(said.contains("No Revoked Certificates"), "{said}");
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs openssl: run tests/run")]
fn openssl_opens_the_key_files_with_their_passphrase_alone() {
    let place = Place::new(false, KeyCost::Strong);
    let pairs = [
        (names::ROOT_KEY, names::ROOT),
        (names::TEL_KEY, names::TEL),
        (names::EMAIL_KEY, names::EMAIL),
        (names::DIRECTORY_KEY, names::DIRECTORY),
    ];
    place.write("right", PASSPHRASE);
    place.write("wrong", "Correct horse");
    for (key, certificate) in pairs {
        let public = place.told(&format!("openssl pkey -in {key} -passin file:right -pubout"));
        assert_eq!(public, place.told(&format!("openssl x509 -in {certificate} -noout -pubkey")), "{key}");
        assert!(!place.ask(&format!("openssl pkey -in {key} -passin file:wrong -noout")).0, "{key}");
    }
    place.told(&format!("openssl pkey -in {} -passin file:right -noout", names::RESULT_KEY));
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs certtool: run tests/run")]
fn gnutls_agrees() {
    for strict_smime in [false, true] {
        let place = Place::with_leaves(strict_smime);
        let line = |issuing, purpose: &str, file: &str| {
            let crl = crl_file(issuing);
            let ca = "--load-ca-certificate root-ca.pem";
            format!("certtool --verify {ca} --load-crl {crl} --verify-purpose {purpose} --infile chain-of-{file}")
        };
        let (client, mail, server) = ("1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.1");
        for sample in samples_of(strict_smime) {
            let issuing = sample.issuing();
            let purpose = if strict_smime { mail } else { client };
            let said = place.told(&line(issuing, purpose, sample.file));
            assert!(said.contains("Chain verification output: Verified."), "{}: {said}", sample.file);
            let (valid, said) = place.ask(&line(issuing, server, sample.file));
            assert!(!valid && said.contains("does not match the intended purpose"), "{}: {said}", sample.file);
        }
        for issuing in Issuing::ALL {
            let purpose = if strict_smime && issuing == Issuing::Email { mail } else { client };
            let (valid, said) = place.ask(&line(issuing, purpose, revoked_file(issuing)));
            assert!(!valid && said.contains("revoked"), "{said}");
            place.told(&format!(
                "certtool --verify-crl --load-ca-certificate {} --infile {}",
                intermediate_file(issuing),
                crl_file(issuing)
            ));
        }
    }
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs certutil, crlutil and vfychain: run tests/run")]
fn nss_agrees_as_far_as_it_knows_the_keys() {
    for strict_smime in [false, true] {
        let place = Place::with_leaves(strict_smime);
        fs::create_dir(place.folder.path().join("nss")).expect("a new folder");
        place.told("certutil -N -d sql:nss --empty-password");
        let import =
            |file: &str, trust: &str| place.ask(&format!("certutil -A -d sql:nss -n {file} -t {trust} -i {file}"));
        assert!(import(names::ROOT, "CT,C,C").0);
        for issuing in Issuing::ALL {
            assert!(import(intermediate_file(issuing), ",,").0);
            assert!(import(revoked_file(issuing), ",,").0);
        }
        // SSL client, mail signer, mail recipient.
        let says = |file: &str, usage: &str| place.ask(&format!("certutil -V -d sql:nss -n {file} -u {usage} -e")).1;
        for sample in samples_of(strict_smime) {
            let (imported, said) = import(sample.file, ",,");
            if sample.key == &PKCS_ED25519 {
                // Why P-256 is the default: Thunderbird could not hold such a certificate.
                assert!(!imported && said.contains("SEC_ERROR_ADDING_CERT"), "{said}");
                continue;
            }
            assert!(imported, "{said}");
            let allowed: &[&str] = match sample.issuing() {
                Issuing::Tel => &["C"],
                Issuing::Email if strict_smime => &["S", "R"],
                Issuing::Email => &["C", "S", "R"],
            };
            for usage in ["C", "S", "R", "V"] {
                let valid = says(sample.file, usage).contains("certificate is valid");
                assert_eq!(valid, allowed.contains(&usage), "{} {usage}", sample.file);
            }
            let usage = if strict_smime { 4 } else { 0 };
            place.told(&format!("vfychain -d sql:nss -pp -u {usage} -a {}", sample.file));
        }
        let usage = if strict_smime { "S" } else { "C" };
        for issuing in Issuing::ALL.into_iter().filter(|issuing| !strict_smime || *issuing == Issuing::Email) {
            assert!(says(revoked_file(issuing), usage).contains("certificate is valid"), "before the list is there");
            place.told(&format!("crlutil -I -d sql:nss -i {}.der", crl_file(issuing)));
            assert!(says(revoked_file(issuing), usage).contains("has been revoked"));
        }
    }
}
