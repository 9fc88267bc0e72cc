//! A whole service for tests: rows, an authority, a directory in memory, and callers whose calls follow the real script.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ca::authority::names;
use ca::{Authority, File, InitOptions, KeyCost, Outgoing, Rotation, Urls};
use dht_client::backend::memory::Memory;
use dht_client::{Backend, Derived, HashCost, Hasher, Identity, Item, Record, Several};
use ivr_core::call::flow::{Action, Event, Flow, Purpose};
use ivr_core::call::question::{Answer, Outcome, Question, VerificationId};
use ivr_core::caller::{Caller, Caps, Dialled, Level, LineParameters, Passports, Policy, Realm, TrunkProfile};
use ivr_core::code::Code;
use ivr_core::number::{KindPolicy, Number};
use ivr_core::proof::Binding;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use time::OffsetDateTime;
use tokio::sync::mpsc;
use voice_prompts::{PromptId, Segment};

use super::{Expected, Limits, Start, StartError, Started, StartedBy, Verify, VerifyParts, View};
use crate::bell::Bell;
use crate::clock::Clock;
use crate::issue::{Issue, IssueParts};
use crate::publish::{Publisher, PublisherParts};
use crate::store::Store;
use crate::store::test_database::TestDatabase;

/// The number of most tests.
pub(crate) const NUMBER: &str = "+12025550143";
/// Of the sandbox.
pub(crate) const TEST_NUMBER: &str = "+12025550150";
/// What people call.
pub(crate) const DIAL: &str = "+12025550100";
/// The address of most tests.
pub(crate) const SOURCE: &str = "192.0.2.1";

/// Calls of a number that may end without a right code on one day.
pub(crate) const FRUITLESS_CALLS: i64 = 20;

/// How long a changed key waits.
pub(crate) const HOLD: Duration = Duration::from_secs(24 * 60 * 60);

/// The service. Nothing runs by itself: a test publishes when it wants to.
pub(crate) struct Service {
    pub(crate) verify: Verify,
    pub(crate) issue: Issue,
    pub(crate) publisher: Publisher,
    pub(crate) authority: Arc<Authority>,
    pub(crate) dht: Memory,
    pub(crate) outcomes: mpsc::Receiver<(VerificationId, Outcome)>,
    pub(crate) database: TestDatabase,
    pub(crate) now: OffsetDateTime,
    pub(crate) folder: tempfile::TempDir,
}

impl Service {
    pub(crate) async fn over(database: TestDatabase) -> Self {
        Self::with(database, Limits::default()).await
    }

    pub(crate) async fn with(database: TestDatabase, limits: Limits) -> Self {
        let now = Clock.wall();
        let authority = made(now).1.clone();
        let folder = tempfile::tempdir().unwrap();
        let dht = Memory::default();
        Self::assemble(database.store.clone(), database, authority, dht, limits, now, folder)
    }

    /// The service after its process ended and started again: the same rows, authority and directory.
    pub(crate) async fn restarted(self) -> Self {
        let store = self.database.opened_again().await;
        Self::assemble(store, self.database, self.authority, self.dht, Limits::default(), self.now, self.folder)
    }

    /// The same with this authority.
    pub(crate) async fn restarted_with(self, authority: Arc<Authority>) -> Self {
        Self { authority, ..self }.restarted().await
    }

    /// The same with another directory key in the place of its authority's.
    pub(crate) async fn rotated(self, outgoing: Outgoing) -> Self {
        let mut files = made(self.now).0.clone();
        let root_key = files.iter().find(|file| file.name == names::ROOT_KEY).unwrap().bytes.clone();
        let (root_key, now, entropy) = (root_key.as_slice(), self.now, Clock.bytes());
        let (passphrase, cost) = (PASSPHRASE, KeyCost::Throwaway);
        let rotation = Rotation { root_key, outgoing, now, entropy, passphrase, cost };
        for newer in self.authority.rotate_directory_key(&rotation).unwrap() {
            files.retain(|file| file.name != newer.name);
            files.push(newer);
        }
        let authority = Arc::new(Authority::open(&files, PASSPHRASE).unwrap());
        self.restarted_with(authority).await
    }

    fn assemble(
        store: Store,
        database: TestDatabase,
        authority: Arc<Authority>,
        dht: Memory,
        limits: Limits,
        now: OffsetDateTime,
        folder: tempfile::TempDir,
    ) -> Self {
        let (bell, clock) = (Bell::default(), Clock);
        let publisher = Publisher::new(PublisherParts {
            store: store.clone(),
            authority: authority.clone(),
            networks: Several::new(vec![Backend::Memory(dht.clone())]).unwrap(),
            hasher: Hasher::start().unwrap(),
            cost: HashCost::CHEAP,
            bell: bell.clone(),
            clock,
        });
        let issue = Issue::new(IssueParts {
            store: store.clone(),
            authority: authority.clone(),
            publisher: publisher.clone(),
            crl_folder: Some(folder.path().to_owned()),
            key_change_hold: HOLD,
            issue_from: Level::L1.into(),
            clock,
        });
        let (sender, outcomes) = mpsc::channel(64);
        let verify = Verify::new(VerifyParts {
            store,
            issue: issue.clone(),
            dialled: dialled(),
            code_life: Duration::from_secs(600),
            kinds: KindPolicy::default(),
            test_numbers: vec![number(TEST_NUMBER)],
            own_numbers: vec![number(DIAL)],
            fruitless_calls: FRUITLESS_CALLS,
            limits,
            bell,
            expected: Expected::default(),
            outcomes: sender,
            clock,
        });
        Self { verify, issue, publisher, authority, dht, outcomes, database, now, folder }
    }

    /// Begins a verification of [`NUMBER`] with a new key, to be published.
    pub(crate) async fn start(&self) -> Started {
        self.try_start(NUMBER, SOURCE, Some(request())).await.unwrap()
    }

    pub(crate) async fn try_start(&self, of: &str, source: &str, csr: Option<Vec<u8>>) -> Result<Started, StartError> {
        self.verify.start(start(of, source, csr), self.now).await
    }

    pub(crate) async fn view(&self, started: &Started) -> View {
        self.verify.view(started.id, started.secret.expose(), self.now).await.unwrap()
    }

    /// Calls from [`NUMBER`], keys in the code, confirms, and hears the digits.
    pub(crate) async fn call(&self, code: &Code) -> Call {
        self.call_from(NUMBER, code, Binding::ReadBack).await
    }

    pub(crate) async fn call_from(&self, from: &str, code: &Code, binding: Binding) -> Call {
        let mut call = Call::new(caller(from), binding, self.now);
        call.run(&self.verify, code).await;
        call
    }

    /// A verification that is proved and whose digits were heard.
    pub(crate) async fn proved(&self) -> (Started, Code) {
        let started = self.start().await;
        let heard = self.call(started.code.expose()).await.heard.unwrap();
        (started, heard)
    }

    /// A verification with its certificate, by this key.
    pub(crate) async fn certified(&self, csr: Vec<u8>) -> Started {
        self.finish(start(NUMBER, SOURCE, Some(csr))).await
    }

    /// The same, without a record in the directory.
    pub(crate) async fn certified_unpublished(&self) -> Started {
        self.finish(Start { publish: false, ..start(NUMBER, SOURCE, Some(request())) }).await
    }

    /// The same for another number.
    pub(crate) async fn certified_of(&self, of: &str) -> Started {
        self.finish(start(of, SOURCE, Some(request()))).await
    }

    /// A verification by another key than before, after that key has waited.
    pub(crate) async fn succeeded(&mut self, csr: Vec<u8>) -> Started {
        let started = self.certified(csr).await;
        self.wait().await;
        started
    }

    /// A key that waits has waited.
    pub(crate) async fn wait(&mut self) {
        self.now += HOLD;
        assert_eq!(self.issue.finish_all(self.now).await.unwrap(), 1, "one key had waited");
    }

    /// A verification that began so, with its certificate.
    pub(crate) async fn finish(&self, start: Start) -> Started {
        let number = start.number.clone();
        let started = self.verify.start(start, self.now).await.unwrap();
        self.prove(number.as_str(), &started).await;
        started
    }

    /// Proves the number of a verification that has begun, and has its certificate issued.
    pub(crate) async fn prove(&self, of: &str, started: &Started) {
        let call = self.call_from(of, started.code.expose(), Binding::ReadBack).await;
        let heard = call.heard.unwrap();
        self.verify.type_in(started.id, started.secret.expose(), &heard, self.now).await.unwrap();
    }

    /// Empties the outbox.
    pub(crate) async fn publish(&self) {
        while self.publisher.publish_due(self.now).await.unwrap() {}
    }

    /// What a stranger who knows the identity finds in the directory.
    pub(crate) async fn lookup(&self, identity: &str) -> Option<(Record, Item)> {
        self.lookup_under(self.authority.directory_key().verifying_key().to_bytes(), identity).await
    }

    /// The same under this directory key.
    pub(crate) async fn lookup_under(&self, key: [u8; 32], identity: &str) -> Option<(Record, Item)> {
        use dht_client::backend::several::Harvest;
        let derived = Derived::hash(&Identity::parse(identity).unwrap(), &key, HashCost::CHEAP).unwrap();
        let networks = Several::new(vec![Backend::Memory(self.dht.clone())]).unwrap();
        let slot = derived.directory_slot(&key);
        match networks.get(&slot, Duration::from_secs(1), None, self.now).await.unwrap() {
            Harvest::Nothing { .. } => None,
            Harvest::Items { items, .. } => {
                let item = items[0].0.clone();
                let record = Record::unseal(item.value(), &derived.seal_key(), &slot, item.seq()).unwrap();
                Some((record, item))
            }
        }
    }
}

/// The number of one trunk.
pub(crate) fn dialled() -> Dialled {
    let trunks = vec![TrunkProfile { numbers: vec![number(DIAL)], ..TrunkProfile::default() }];
    let policy = Policy { trunks, issue_from: Level::L1.into(), kinds: KindPolicy::default() };
    Dialled::of(&policy, Realm::Service, Passports::Ignored).unwrap()
}

const PASSPHRASE: &str = "correct horse";

/// One authority for all tests of the process, and its files: making one takes longer than most of them.
fn made(now: OffsetDateTime) -> &'static (Vec<File>, Arc<Authority>) {
    static MADE: OnceLock<(Vec<File>, Arc<Authority>)> = OnceLock::new();
    let make = || {
        let options = InitOptions {
            name: "Example".into(),
            oid_arc: vec![1, 3, 6, 1, 4, 1, 32473],
            urls: Urls::under("http://ca.example.org"),
            strict_smime: false,
            now,
            entropy: Clock.bytes(),
            passphrase: PASSPHRASE,
            cost: KeyCost::Throwaway,
        };
        let files = Authority::init(&options).unwrap();
        let authority = Arc::new(Authority::open(&files, PASSPHRASE).unwrap());
        (files, authority)
    };
    MADE.get_or_init(make)
}

/// A call in progress: the real script, asked and answered as the endpoint does.
pub(crate) struct Call {
    flow: Flow,
    chance: ChaCha20Rng,
    now: OffsetDateTime,
    /// What the store said to each question.
    pub(crate) answers: Vec<Answer>,
    /// The digits of the read-back, as the voice reads them.
    pub(crate) heard: Option<Code>,
}

impl Call {
    pub(crate) fn new(caller: Caller, binding: Binding, now: OffsetDateTime) -> Self {
        let chance = ChaCha20Rng::from_seed(Clock.bytes());
        Self {
            flow: Flow::new(caller, Purpose::Prove(binding), Clock.now()),
            chance,
            now,
            answers: Vec::new(),
            heard: None,
        }
    }

    /// Until something is read back, or the store says no.
    pub(crate) async fn run(&mut self, verify: &Verify, code: &Code) {
        for event in [Event::Confirmed, Event::PlayEnded, Event::PlayEnded] {
            self.event(event, verify).await;
        }
        for key in code.as_str().chars() {
            self.event(Event::Key(key), verify).await;
        }
        if !matches!(self.answers.last(), Some(Answer::Matched(_))) {
            return;
        }
        let said = self.event(Event::PlayEnded, verify).await;
        let digit = said.iter().find_map(digit).expect("the voice names the confirm digit");
        self.event(Event::Key(digit), verify).await;
    }

    /// One event, and whatever questions follow from it.
    async fn event(&mut self, event: Event, verify: &Verify) -> Vec<Action> {
        let mut actions = Vec::new();
        self.flow.on_event(event, Clock.now(), &mut self.chance, &mut actions);
        let mut next = 0;
        while next < actions.len() {
            if let Action::Ask(question) = actions[next].clone() {
                if let Question::ReadBack { digits, .. } = &question {
                    self.heard = Some(digits.expose().clone());
                }
                let answer = verify.answer(question, self.now).await;
                self.answers.push(answer.clone());
                self.flow.on_event(Event::Answer(answer), Clock.now(), &mut self.chance, &mut actions);
            }
            next += 1;
        }
        actions
    }
}

fn digit(action: &Action) -> Option<char> {
    let Action::Say(utterance) = action else { return None };
    utterance.0.iter().find_map(|segment| match segment {
        Segment::Clip(PromptId::Digit(digit)) => char::from_digit(u32::from(*digit), 10),
        _ => None,
    })
}

pub(crate) fn start(of: &str, source: &str, csr: Option<Vec<u8>>) -> Start {
    Start {
        number: number(of),
        csr,
        location: None,
        webhook: None,
        started_by: StartedBy::Page,
        publish: true,
        locale: "en".into(),
        source: source.parse().unwrap(),
    }
}

pub(crate) fn number(text: &str) -> Number {
    Number::parse(text).unwrap()
}

pub(crate) fn caller(text: &str) -> Caller {
    Caller {
        number: number(text),
        level: Level::L2,
        trunk: "test".into(),
        realm: Realm::Service,
        caps: Caps::from_codes("not-attested"),
        line: LineParameters::default(),
        passport: None,
    }
}

/// A request by a new P-256 key.
pub(crate) fn request() -> Vec<u8> {
    device().1
}

/// A new P-256 key, and its request.
pub(crate) fn device() -> (rcgen::KeyPair, Vec<u8>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap().der().to_vec();
    (key, csr)
}

/// What this key signs.
pub(crate) fn sign(key: &rcgen::KeyPair, statement: &ca::old_key::Statement<'_>) -> ca::old_key::Signature {
    let octets = rcgen::SigningKey::sign(key, statement.text().as_bytes()).unwrap();
    ca::old_key::Signature::parse(&STANDARD.encode(octets)).unwrap()
}

/// The hash of a request's key.
pub(crate) fn spki(csr: &[u8]) -> [u8; 32] {
    ca::Request::parse(csr).unwrap().spki_sha256()
}

/// A code that is not this one.
pub(crate) fn other_than(code: &Code) -> Code {
    let first = if code.as_str().starts_with('0') { '1' } else { '0' };
    Code::parse(&format!("{first}{}", &code.as_str()[1..])).unwrap()
}
