//! Answers as our own client gives them, and every way in which they may be wrong.

use std::time::Duration;

use super::*;
use crate::private::Private;
use crate::sip::digest::{Challenge, Credentials, Login};
use crate::sip::gate::{Read, read};
use crate::sip::header_lines::{HeaderLine, HeaderLines};

const REALM: &str = "dialproof.example";
const URI: &str = "sip:+12025550100@203.0.113.1";
const SCOPE: Scope = Scope { trunk: TrunkIndex(1), ip: IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)) };

fn login(password: &str) -> Login {
    Login { user: Private::new("carrier".to_owned()), password: Private::new(password.to_owned()) }
}

fn account() -> DigestLogin {
    let algorithms = vec![DigestAlgorithm::Sha256, DigestAlgorithm::Md5];
    DigestLogin { realm: REALM.to_owned(), login: login("open sesame"), algorithms }
}

fn invite(authorization: &[String]) -> Request {
    let lines: String = authorization.iter().map(|value| format!("Authorization: {value}\r\n")).collect();
    let text = format!(
        "INVITE {URI} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n\
         Call-ID: c\r\nCSeq: 2 INVITE\r\n{lines}Content-Length: 0\r\n\r\n"
    );
    match read(text.as_bytes()) {
        Read::Request(request) => *request,
        _ => panic!("{text}"),
    }
}

/// A challenger, its clock, and a client that it challenges.
struct Play {
    challenger: Challenger,
    now: Instant,
    drawn: u8,
}

impl Play {
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
    fn new() -> Self {
        Self { challenger: Challenger::new([5; 32], 3), now: Instant::now(), drawn: 0 }
    }

    fn challenged(&mut self) -> [String; 2] {
        self.drawn += 1;
        let challenges = self.challenger.challenge(&account(), SCOPE, false, [self.drawn; RANDOM], self.now);
        challenges.try_into().unwrap()
    }

    fn check(&mut self, authorization: &[String]) -> Proof {
        self.check_from(SCOPE, authorization)
    }

    fn check_from(&mut self, scope: Scope, authorization: &[String]) -> Proof {
        self.challenger.check(&account(), &invite(authorization), scope, self.now)
    }
}

/// A client that answers one challenge, request after request.
fn client(challenge: &str) -> Credentials {
    let lines = HeaderLines(vec![HeaderLine::new("WWW-Authenticate", challenge)]);
    Credentials::new(Challenge::first(&lines, "WWW-Authenticate").expect("we can answer ourselves"), "cn".to_owned())
}

fn answer(challenge: &str) -> String {
    client(challenge).value(&login("open sesame"), "INVITE", URI, b"")
}

#[test]
fn each_algorithm_that_is_offered_is_taken() {
    let mut play = Play::new();
    let [first, second] = play.challenged();
    assert!(first.contains("algorithm=SHA-256") && second.contains("algorithm=MD5"), "{first}\n{second}");
    assert_eq!(play.check(&[answer(&first)]), Proof::Right);
    let [_, second] = play.challenged();
    assert_eq!(play.check(&[answer(&second)]), Proof::Right);
    // Who leaves the algorithm out means MD5 (RFC 7616 3.4).
    let [_, second] = play.challenged();
    assert_eq!(play.check(&[answer(&second).replace(", algorithm=MD5", "")]), Proof::Right);
}

#[test]
fn what_was_not_offered_is_not_taken() {
    let mut play = Play::new();
    let [_, md5] = play.challenged();
    let strict = DigestLogin { algorithms: vec![DigestAlgorithm::Sha256], ..account() };
    let answered = invite(&[answer(&md5)]);
    assert_eq!(play.challenger.check(&strict, &answered, SCOPE, play.now), Proof::Wrong);
    assert_eq!(play.challenger.challenge(&strict, SCOPE, false, [9; RANDOM], play.now).len(), 1);
}

#[test]
fn a_proxys_uri_and_other_realms_beside_ours_do_no_harm() {
    let mut play = Play::new();
    let [challenge, _] = play.challenged();
    let foreign = r#"Digest username="u", realm="other", nonce="n", uri="sip:x", response="0""#.to_owned();
    let ours = client(&challenge).value(&login("open sesame"), "INVITE", "sip:198.51.100.1:5060", b"");
    assert_eq!(play.check(&[foreign.clone(), ours]), Proof::Right);
    assert_eq!(play.check(&[foreign, "Basic YTpi".to_owned()]), Proof::Missing);
    assert_eq!(play.check(&[]), Proof::Missing);
}

#[test]
fn what_is_not_the_password_over_our_terms_is_wrong() {
    let mut play = Play::new();
    let [challenge, _] = play.challenged();
    let right = answer(&challenge);
    let wrong_password = client(&challenge).value(&login("open barley"), "INVITE", URI, b"");
    let other_method = client(&challenge).value(&login("open sesame"), "BYE", URI, b"");
    let changed = [
        wrong_password,
        other_method,
        right.replace("username=\"carrier\"", "username=\"other\""),
        right.replace(URI, "sip:+12025550199@203.0.113.1"),
        right.replace("qop=auth", "qop=auth-int"),
        right.replace("qop=auth, ", ""),
        right.replace("nc=00000001", "nc=00000002"),
        right.replace("nc=00000001", "nc=1"),
        right.replace("nc=00000001", "nc=+0000001"),
        right.replace("cnonce=\"cn\"", "cnonce=\"cm\""),
        right.replace("algorithm=SHA-256", "algorithm=MD5"),
        right.replace("algorithm=SHA-256", "algorithm=SHA-256-sess"),
        right.replace("algorithm=SHA-256", "algorithm=SHA-512-256"),
        format!("{right}, response=\"00\""),
        right.split(", response").next().unwrap().to_owned(),
    ];
    for changed in changed {
        assert_ne!(changed, right);
        assert_eq!(play.check(std::slice::from_ref(&changed)), Proof::Wrong, "{changed}");
    }
    // None of them used anything up.
    assert_eq!(play.check(&[right]), Proof::Right);
}

#[test]
fn a_nonce_counts_up_and_never_back() {
    let mut play = Play::new();
    let [challenge, _] = play.challenged();
    let mut client = client(&challenge);
    let values: Vec<String> = (0..3).map(|_| client.value(&login("open sesame"), "INVITE", URI, b"")).collect();
    assert_eq!(play.check(&values[..1]), Proof::Right);
    assert_eq!(play.check(&values[..1]), Proof::Stale, "a repetition");
    assert_eq!(play.check(&values[2..]), Proof::Right);
    assert_eq!(play.check(&values[1..2]), Proof::Stale, "an older count");
}

#[test]
fn a_nonce_is_good_for_a_minute_its_trunk_and_its_address() {
    let mut play = Play::new();
    let [challenge, _] = play.challenged();
    let right = [answer(&challenge)];
    for other in [
        Scope { trunk: TrunkIndex(2), ..SCOPE },
        Scope { ip: "192.0.2.2".parse().unwrap(), ..SCOPE },
        Scope { ip: "2001:db8::1".parse().unwrap(), ..SCOPE },
    ] {
        assert_eq!(play.check_from(other, &right), Proof::Stale, "{other:?}");
    }
    play.now += Duration::from_secs(60);
    assert_eq!(play.check(&right), Proof::Stale);
    play.now -= Duration::from_secs(1);
    assert_eq!(play.check_from(Scope { ip: "::ffff:192.0.2.1".parse().unwrap(), ..SCOPE }, &right), Proof::Right);
    // A nonce that somebody made up, or that another start of the service gave.
    let made_up = challenge.replacen("nonce=\"0", "nonce=\"1", 1);
    assert_eq!(play.check(&[answer(&made_up)]), Proof::Stale);
    assert_eq!(play.check(&[answer(r#"Digest realm="dialproof.example", nonce="n", qop="auth""#)]), Proof::Stale);
}

#[test]
fn a_busy_trunk_uses_up_nothing_of_anothers() {
    let mut play = Play::new();
    let [challenge, _] = play.challenged();
    let other = Scope { trunk: TrunkIndex(2), ..SCOPE };
    for n in 0..=MOST_USED {
        let (mut random, now) = ([0; RANDOM], play.now + Duration::from_secs(1));
        random.copy_from_slice(&(n as u64).to_be_bytes());
        let [busy, _] = play.challenger.challenge(&account(), other, false, random, now).try_into().unwrap();
        assert_eq!(play.check_from(other, &[answer(&busy)]), Proof::Right, "{n}");
    }
    assert_eq!(play.check(&[answer(&challenge)]), Proof::Right);
}

#[test]
fn what_is_remembered_is_bounded_and_what_is_forgotten_is_used_up() {
    let mut used = Used::default();
    let nonce = |n: usize| {
        let mut random = [0; RANDOM];
        random.copy_from_slice(&(n as u64).to_be_bytes());
        random
    };
    assert!(used.admit((0, nonce(0)), 1, 1));
    for n in 1..=MOST_USED {
        assert!(used.admit((2, nonce(n)), 1, 2), "{n}");
        assert!(used.counts.len() <= MOST_USED && used.order.len() <= MOST_USED);
    }
    assert!(!used.counts.contains_key(&nonce(0)), "the oldest went");
    assert!(!used.admit((0, nonce(0)), 2, 3), "and is not taken again");
    assert!(!used.admit((1, nonce(MOST_USED + 1)), 1, 3), "nor what was made until its use");
    // A minute later all of them are over and gone.
    assert!(used.admit((70, nonce(MOST_USED + 2)), 1, 70));
    assert_eq!((used.counts.len(), used.order.len()), (1, 1));
}
