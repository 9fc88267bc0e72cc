//! Whatever a trunk with an account says in Authorization: nobody is let in without the password, and who has it once for each count
//! of a nonce that is not too old.
#![no_main]

use std::time::{Duration, Instant};

use ivr_core::caller::{DigestAlgorithm, DigestLogin};
use ivr_core::endpoint::{Endpoint, Input, Output};
use ivr_core::link::Login;
use ivr_core::private::Private;
use ivr_core_fuzz::{config, request, trunk};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

const REALM: &str = "dialproof.example";
const URI: &str = "sip:+12025550100@203.0.113.1";
/// As the challenger counts it.
const NONCE_LIFE: Duration = Duration::from_secs(60);
/// The calls withhold their number, which is found out only after the account was proved.
const LET_IN: u16 = 433;
const MOST_LINES: usize = 200;

/// A nonce that we were sent, when, and the highest count that was used with it.
struct Nonce {
    text: String,
    made: Instant,
    used: Option<u32>,
}

struct Scene {
    endpoint: Endpoint,
    now: Instant,
    calls: u32,
    nonces: Vec<Nonce>,
}

impl Scene {
    /// The status of a call that says this. What a 401 brings is kept.
    fn call(&mut self, authorization: Option<&str>) -> Option<u16> {
        self.calls += 1;
        let authorization = authorization.map_or(String::new(), |value| format!("Authorization: {value}\r\n"));
        let invite = request(0, self.calls, ("INVITE", ""), &format!("Privacy: id\r\n{authorization}"), b"");
        let mut out = Vec::new();
        self.endpoint.handle(Input::Message { from: trunk().into(), bytes: &invite }, self.now, &mut out);
        let mut answers = out.into_iter().filter_map(|output| match output {
            Output::Message { bytes, .. } => Some(String::from_utf8(bytes).expect("what we write is text")),
            Output::Ask(..) => panic!("a call that withholds its number goes on"),
            _ => None,
        });
        let answer = answers.next()?;
        if let Some((_, rest)) = answer.split_once("nonce=\"") {
            let (text, _) = rest.split_once('"').expect("a closing quote");
            self.nonces.push(Nonce { text: text.to_owned(), made: self.now, used: None });
        }
        Some(answer[8..11].parse().expect("a status"))
    }

    /// A call of who has the password, with one of the nonces and this count.
    fn prove(&mut self, nonce: usize, count: u32) {
        let at = nonce % self.nonces.len();
        let Nonce { text, made, used } = &mut self.nonces[at];
        let is_fresh = self.now - *made < NONCE_LIFE;
        let is_right = is_fresh && used.is_none_or(|used| count > used);
        if is_fresh {
            *used = Some(used.map_or(count, |used| used.max(count)));
        }
        let hash = |text: String| Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let secret = hash(format!("dialproof:{REALM}:open sesame"));
        let response = hash(format!("{secret}:{text}:{count:08x}:c:auth:{}", hash(format!("INVITE:{URI}"))));
        let says = format!(
            "Digest username=\"dialproof\", realm=\"{REALM}\", nonce=\"{text}\", uri=\"{URI}\", algorithm=SHA-256, qop=auth, \
             nc={count:08x}, cnonce=\"c\", response=\"{response}\""
        );
        assert_eq!(self.call(Some(&says)), Some(if is_right { LET_IN } else { 401 }), "{says}");
    }
}

// A line each: `proves NONCE COUNT`, `pass SECONDS`, or what stands in Authorization, where $ is the last nonce.
fuzz_target!(|given: &str| {
    let mut config = config();
    let private = |text: &str| Private::new(text.to_owned());
    config.policy.trunks[0].digest = Some(DigestLogin {
        realm: REALM.to_owned(),
        login: Login { user: private("dialproof"), password: private("open sesame") },
        algorithms: vec![DigestAlgorithm::Sha256, DigestAlgorithm::Md5],
    });
    let endpoint = Endpoint::new(config, [3; 32]);
    let mut scene = Scene { endpoint, now: Instant::now(), calls: 0, nonces: Vec::new() };
    assert_eq!(scene.call(None), Some(401));
    for line in given.lines().take(MOST_LINES) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["proves", nonce, count] => {
                let (Ok(nonce), Ok(count)) = (nonce.parse::<u16>(), count.parse()) else { continue };
                scene.prove(nonce.into(), count);
            }
            ["pass", seconds] => scene.now += Duration::from_secs(seconds.parse::<u16>().unwrap_or(1).into()),
            _ => {
                let nonce = &scene.nonces.last().expect("the first call was challenged").text;
                let says = line.replace('$', nonce).replace(char::is_control, "");
                let status = scene.call(Some(&says));
                assert_ne!(status, Some(LET_IN), "nobody knew the password: {says}");
            }
        }
    }
});
