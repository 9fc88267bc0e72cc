//! From a verification's state to its receiver, on both databases: what is sent, when again, and when no more.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use serde_json::Value;
use time::Duration as Span;
use time::format_description::well_known::Rfc3339;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::attempt::Verdict;
use super::*;
use crate::clock::whole_milliseconds;
use crate::store::Tuning;
use crate::store::deliveries::Due;
use crate::store::test_database::{TestDatabase, on_both_databases};
use crate::verify::fixture::{NUMBER, SOURCE, Service, request, start};
use crate::verify::{Start, StartError, Started, State};

on_both_databases!(
    who_is_named_hears_what_the_owner_sees_once_and_signed,
    a_certificate_is_told_with_its_pem,
    who_hears_of_all_is_told_no_number_unless_it_is_named,
    every_end_is_told_and_no_step_on_the_way,
    whose_time_is_over_is_told_of_if_somebody_asked,
    after_a_day_away_who_expired_is_told_of_before_it_is_forgotten,
    what_a_stranger_begins_and_leaves_is_told_to_nobody,
    a_state_without_its_event_is_not_committed,
    what_was_refused_is_sent_again_under_the_same_name,
    a_receiver_that_asks_for_rest_is_left_alone,
    rest_that_was_asked_for_is_kept_although_another_event_is_taken,
    after_ten_attempts_an_endpoint_is_turned_off,
    one_failure_after_a_long_absence_turns_nothing_off,
    attempts_that_died_use_nothing_up,
    who_is_gone_gets_nothing_more_until_it_is_turned_on,
    a_receiver_that_redirects_is_not_followed,
    an_address_inside_is_not_posted_to,
    one_that_hangs_holds_up_no_other,
    an_answer_that_takes_too_long_is_none,
    what_was_under_way_when_the_power_went_is_sent_again,
    while_a_secret_is_replaced_both_sign,
    what_was_delivered_is_sent_again_when_it_is_asked_for,
    an_event_goes_with_its_verification_and_keeps_it_until_it_is_out,
    what_was_missed_can_be_asked_for_for_days,
    two_senders_share_the_events_and_send_none_twice,
    of_two_that_turn_an_endpoint_off_neither_waits_for_the_other,
    what_a_busy_database_does_not_take_at_once_is_stored_later,
    what_waits_is_looked_for_in_each_endpoint,
    a_promised_secret_is_dropped_by_nobody_who_does_not_say_so,
    an_endpoint_moves_and_keeps_its_name_and_secret,
    who_names_the_same_url_again_gets_the_same_endpoint,
    a_stolen_database_tells_no_url_no_secret_and_no_number,
    what_is_removed_is_forgotten,
);

/// What a receiver answers.
#[derive(Debug, Clone, Copy)]
enum Answers {
    Status(u16),
    RestFor(u16),
    Redirect,
    Never,
}

use Answers::{Never, Redirect, RestFor, Status};

/// What arrived.
#[derive(Debug, Clone)]
struct Arrived {
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Arrived {
    fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Is it signed with this secret? By another library than signs, and as a receiver does it.
    fn is_signed(&self, secret: &Private<String>) -> bool {
        let key = STANDARD.decode(secret.expose().strip_prefix("whsec_").unwrap()).unwrap();
        let text =
            [self.id().as_bytes(), b".", self.headers["webhook-timestamp"].as_bytes(), b".", &self.body].concat();
        self.headers["webhook-signature"].split(' ').any(|signature| {
            let octets = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
            hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), &text, &octets).is_ok()
        })
    }
}

/// A server on loopback that answers so, the last answer again and again.
struct Receiver {
    url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    came: Arc<Notify>,
}

impl Receiver {
    async fn answering(answers: &[Answers]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?token=of-the-receiver", listener.local_addr().unwrap());
        let (arrived, came) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Notify::new()));
        let (keep, ring) = (arrived.clone(), came.clone());
        let mut answers: VecDeque<Answers> = answers.iter().copied().collect();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0] };
                tokio::spawn(serve(stream, answer, keep.clone(), ring.clone()));
            }
        });
        Self { url, arrived, came }
    }

    fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    /// The only one.
    fn one(&self) -> Arrived {
        let all = self.arrived();
        assert_eq!(all.len(), 1, "{all:?}");
        all.into_iter().next().unwrap()
    }

    async fn has(&self, many: usize) {
        let come = async {
            while self.arrived().len() < many {
                self.came.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), come).await.expect("it arrives");
    }
}

async fn serve(mut stream: TcpStream, answer: Answers, keep: Arc<Mutex<Vec<Arrived>>>, ring: Arc<Notify>) {
    let (mut read, mut buffer) = (Vec::new(), [0; 4_096]);
    let (head, length) = loop {
        let n = stream.read(&mut buffer).await.unwrap_or(0);
        if n == 0 {
            return;
        }
        read.extend_from_slice(&buffer[..n]);
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(read.drain(..end + 4).collect()).unwrap();
            let headers: HashMap<String, String> = head
                .lines()
                .skip(1)
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect();
            assert!(head.starts_with("POST /hook?token=of-the-receiver HTTP/1.1\r\n"), "{head}");
            let length: usize = headers["content-length"].parse().unwrap();
            break (headers, length);
        }
    };
    while read.len() < length {
        let n = stream.read(&mut buffer).await.unwrap();
        read.extend_from_slice(&buffer[..n]);
    }
    keep.lock().unwrap().push(Arrived { headers: head, body: read });
    ring.notify_one();
    let (status, more) = match answer {
        Status(status) => (status, String::new()),
        RestFor(seconds) => (503, format!("Retry-After: {seconds}\r\n")),
        Redirect => (307, "Location: /elsewhere\r\n".to_owned()),
        Never => std::future::pending().await,
    };
    let answer = format!("HTTP/1.1 {status} So\r\n{more}Content-Length: 0\r\n\r\n");
    let _gone = stream.write_all(answer.as_bytes()).await;
}

struct Scene {
    service: Service,
    webhooks: Webhooks,
    sender: Arc<Sender>,
}

impl Scene {
    async fn over(database: TestDatabase) -> Self {
        let service = Service::over(database).await;
        let store = service.database.store.clone();
        let sender = sender(&store, Reach::LOOPBACK);
        Self { service, webhooks: Webhooks::new(store, Reach::LOOPBACK, Clock), sender }
    }

    async fn add(&self, receiver: &Receiver, hears: Hears) -> Added {
        self.webhooks.add(&receiver.url, hears, self.service.now).await.unwrap()
    }

    /// A receiver, and a verification that names it and was given up: its event waits.
    async fn with_event(database: TestDatabase, answers: &[Answers]) -> (Self, Receiver, Added) {
        let (scene, receiver) = (Self::over(database).await, Receiver::answering(answers).await);
        let added = scene.add(&receiver, Hears::Named).await;
        scene.give_up(&added).await;
        (scene, receiver, added)
    }

    async fn begin(&self, csr: Option<Vec<u8>>, webhook: Option<EndpointId>) -> Started {
        self.service.verify.start(Start { webhook, ..start(NUMBER, SOURCE, csr) }, self.service.now).await.unwrap()
    }

    async fn give_up(&self, added: &Added) -> Started {
        let started = self.begin(None, Some(added.id)).await;
        self.service.verify.cancel(started.id, started.secret.expose(), self.service.now).await.unwrap();
        started
    }

    async fn send(&self) {
        self.sender.send_due(self.service.now).await;
    }

    async fn send_after(&mut self, span: Span) {
        self.service.now += span;
        self.send().await;
    }

    /// State, attempts and last error of each event, the newest first.
    async fn events(&self) -> Vec<(String, i64, Option<String>)> {
        let all = self.webhooks.events(None, 100).await.unwrap();
        all.into_iter().map(|event| (event.state, event.attempts, event.last_error)).collect()
    }

    async fn due_after(&mut self, span: Span, added: &Added) -> Due {
        self.service.now += span;
        self.claimed(added).await
    }

    /// The next event of this endpoint, as a sender takes it.
    async fn claimed(&self, added: &Added) -> Due {
        self.sender.claim(added.id, self.service.now).await.unwrap().expect("one is due")
    }

    async fn off(&self) -> Vec<Option<String>> {
        self.webhooks.list().await.unwrap().into_iter().map(|one| one.off.map(|(_, why)| why)).collect()
    }
}

fn sender(store: &Store, reach: Reach) -> Arc<Sender> {
    let means = Means { reach, names: Vec::new(), tls_roots: None, patience: Duration::from_secs(60) };
    Arc::new(Sender::new(store.clone(), means, Clock))
}

/// Later than the pause after this attempt, whatever chance does to it.
const PAUSES: [Span; 9] = [
    Span::minutes(1),
    Span::minutes(7),
    Span::minutes(35),
    Span::minutes(133),
    Span::minutes(331),
    Span::hours(12),
    Span::hours(16),
    Span::hours(23),
    Span::hours(27),
];

async fn who_is_named_hears_what_the_owner_sees_once_and_signed(database: TestDatabase) {
    let (scene, receiver) = (Scene::over(database).await, Receiver::answering(&[Status(204)]).await);
    let added = scene.add(&receiver, Hears::Named).await;
    let started = scene.begin(None, Some(added.id)).await;
    scene.service.prove(NUMBER, &started).await;
    scene.send().await;

    let event = receiver.one();
    assert!(event.is_signed(&added.secret));
    assert!(!event.is_signed(&signature::shown(&[0; 32])));
    assert_eq!(event.headers["content-type"], "application/json");
    assert_eq!(event.headers["webhook-timestamp"], scene.service.now.unix_timestamp().to_string());
    let (told, view) = (event.json(), scene.service.view(&started).await);
    assert_eq!((&told["type"], &told["data"]["state"]), (&"verification.issued".into(), &"issued".into()));
    assert_eq!(told["data"]["id"], started.id.to_string());
    assert_eq!(told["data"]["number"], NUMBER);
    assert_eq!(told["data"]["result"].as_str(), view.result.as_deref());
    let claims = told["data"]["result"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["sub"], format!("tel:{NUMBER}"));
    assert!(told["data"]["certificate_pem"].is_null() && told["data"]["failure"].is_null(), "{told}");

    scene.send().await;
    receiver.one();
    assert_eq!(scene.events().await, [("delivered".to_owned(), 1, None)]);
}

async fn a_certificate_is_told_with_its_pem(database: TestDatabase) {
    let (scene, receiver) = (Scene::over(database).await, Receiver::answering(&[Status(200)]).await);
    let added = scene.add(&receiver, Hears::Named).await;
    let started = scene.begin(Some(request()), Some(added.id)).await;
    scene.service.prove(NUMBER, &started).await;
    scene.send().await;
    let (told, view) = (receiver.one().json(), scene.service.view(&started).await);
    let certificate = view.certificate.unwrap();
    assert_eq!(told["data"]["certificate_pem"], certificate.certificate_pem);
    assert_eq!(told["data"]["serial"], certificate.serial);
    assert_eq!(told["data"]["level"], "L2");
    assert!(told["data"]["not_after"].is_string() && told["data"]["result"].is_null(), "{told}");
}

async fn who_hears_of_all_is_told_no_number_unless_it_is_named(database: TestDatabase) {
    let scene = Scene::over(database).await;
    let (named, all) = (Receiver::answering(&[Status(200)]).await, Receiver::answering(&[Status(200)]).await);
    scene.add(&named, Hears::Named).await;
    let hears_all = scene.add(&all, Hears::All).await;
    // Neither a result nor a certificate may tell it.
    let result = scene.begin(None, None).await;
    scene.service.prove(NUMBER, &result).await;
    scene.service.prove(NUMBER, &scene.begin(Some(request()), None).await).await;
    scene.send().await;
    assert!(named.arrived().is_empty(), "nobody named it");
    let arrived = all.arrived();
    assert_eq!(arrived.len(), 2);
    for event in &arrived {
        assert_eq!(event.json()["data"]["number"], "***0143");
        let text = String::from_utf8(event.body.clone()).unwrap();
        let known = ["2025550143", "certificate_pem", "\"result\""];
        assert!(known.iter().all(|known| !text.contains(known)), "{text}");
    }
    scene.service.prove(NUMBER, &scene.begin(None, Some(hears_all.id)).await).await;
    scene.send().await;
    assert_eq!(all.arrived()[2].json()["data"]["number"], NUMBER);
}

async fn every_end_is_told_and_no_step_on_the_way(database: TestDatabase) {
    let (mut scene, receiver) = (Scene::over(database).await, Receiver::answering(&[Status(200)]).await);
    let added = scene.add(&receiver, Hears::Named).await;
    let kinds = async |scene: &Scene| {
        scene.send().await;
        let mut kinds = HashMap::<String, usize>::new();
        for event in receiver.arrived() {
            *kinds.entry(event.json()["type"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        kinds
    };
    // A certificate; then another key, which waits and is issued; then one that waits and is given up.
    scene.service.prove(NUMBER, &scene.begin(Some(request()), None).await).await;
    let second = scene.begin(Some(request()), Some(added.id)).await;
    scene.service.prove(NUMBER, &second).await;
    assert_eq!(kinds(&scene).await, HashMap::from([("verification.held".to_owned(), 1)]));
    assert!(receiver.one().json()["data"]["held_until"].is_string());
    scene.service.wait().await;
    assert_eq!(scene.service.view(&second).await.state, State::Issued);
    scene.give_up(&added).await;
    let voided = scene.begin(None, Some(added.id)).await;
    let heard = scene.service.call(voided.code.expose()).await.heard.unwrap();
    let wrong = crate::verify::fixture::other_than(&heard);
    for _ in 0..3 {
        let secret = voided.secret.expose();
        scene.service.verify.type_in(voided.id, secret, &wrong, scene.service.now).await.unwrap();
    }
    // A key that waits and is pushed out by a later one.
    let pushed = scene.begin(Some(request()), Some(added.id)).await;
    scene.service.prove(NUMBER, &pushed).await;
    scene.service.prove(NUMBER, &scene.begin(Some(request()), None).await).await;
    assert_eq!(scene.service.view(&pushed).await.state, State::Failed);
    let expected = [("held", 2), ("issued", 1), ("expired", 1), ("voided", 1), ("failed", 1)];
    let expected = expected.map(|(state, many)| (format!("verification.{state}"), many));
    assert_eq!(kinds(&scene).await, HashMap::from(expected));
    let failed =
        receiver.arrived().into_iter().map(|event| event.json()).find(|told| told["data"]["state"] == "failed");
    assert!(failed.unwrap()["data"]["failure"].as_str().unwrap().contains("took its place"));
}

async fn whose_time_is_over_is_told_of_if_somebody_asked(database: TestDatabase) {
    let (mut scene, receiver) = (Scene::over(database).await, Receiver::answering(&[Status(200)]).await);
    let added = scene.add(&receiver, Hears::Named).await;
    let (named, other) = (scene.begin(None, Some(added.id)).await, scene.begin(None, None).await);
    assert_eq!(scene.service.verify.end_overdue(scene.service.now).await.unwrap(), 0, "not yet");
    scene.service.now += Span::minutes(11);
    assert_eq!(scene.service.verify.end_overdue(scene.service.now).await.unwrap(), 1);
    scene.send().await;
    let told = receiver.one().json();
    assert_eq!((&told["type"], &told["data"]["id"]), (&"verification.expired".into(), &named.id.to_string().into()));
    let began = told["data"]["created_at"].as_str().unwrap();
    let told_at = OffsetDateTime::parse(told["timestamp"].as_str().unwrap(), &Rfc3339).unwrap();
    assert_eq!(told_at - OffsetDateTime::parse(began, &Rfc3339).unwrap(), Span::minutes(10), "when its time was over");
    assert_eq!(scene.service.view(&other).await.state, State::Expired, "the time alone says it");
    assert_eq!(scene.service.verify.end_overdue(scene.service.now).await.unwrap(), 0, "once");
}

async fn after_a_day_away_who_expired_is_told_of_before_it_is_forgotten(database: TestDatabase) {
    let (mut scene, receiver) = (Scene::over(database).await, Receiver::answering(&[Status(200)]).await);
    let added = scene.add(&receiver, Hears::Named).await;
    let (named, _) = (scene.begin(None, Some(added.id)).await, scene.begin(None, None).await);
    scene.service.now += Span::days(8);
    assert_eq!(scene.service.verify.purge(scene.service.now).await.unwrap(), 1, "the one that named nobody");
    scene.send().await;
    assert_eq!(receiver.one().json()["data"]["id"], named.id.to_string());
    assert_eq!(scene.service.verify.purge(scene.service.now).await.unwrap(), 1);
}

async fn what_a_stranger_begins_and_leaves_is_told_to_nobody(database: TestDatabase) {
    let (mut scene, receiver) = (Scene::over(database).await, Receiver::answering(&[Status(200)]).await);
    let hears_all = scene.add(&receiver, Hears::All).await;
    let given_up = scene.begin(None, None).await;
    scene.service.verify.cancel(given_up.id, given_up.secret.expose(), scene.service.now).await.unwrap();
    let left = scene.begin(None, None).await;
    scene.service.now += Span::minutes(11);
    assert_eq!(scene.service.verify.end_overdue(scene.service.now).await.unwrap(), 0);
    assert_eq!(scene.service.view(&left).await.state, State::Expired);
    assert!(scene.events().await.is_empty());
    // It is told of those that name it.
    scene.give_up(&hears_all).await;
    scene.send().await;
    receiver.one();
}

async fn a_state_without_its_event_is_not_committed(database: TestDatabase) {
    let (scene, _receiver, added) = Scene::with_event(database, &[Status(200)]).await;
    // From now on no second event of a kind can be stored.
    scene.service.database.refuse_an_event_of_a_kind_twice().await;
    let started = scene.begin(None, Some(added.id)).await;
    let cancelled = scene.service.verify.cancel(started.id, started.secret.expose(), scene.service.now).await;
    assert!(cancelled.is_err());
    assert_eq!(scene.service.view(&started).await.state, State::Waiting);
}

async fn what_was_refused_is_sent_again_under_the_same_name(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[Status(500), Status(404), Status(200)]).await;
    scene.send().await;
    scene.send_after(Span::seconds(4)).await;
    assert_eq!(scene.events().await, [("waiting".to_owned(), 1, Some("it answers 500".to_owned()))]);
    scene.send_after(Span::minutes(1)).await;
    assert_eq!(receiver.arrived().len(), 2);
    scene.send_after(Span::minutes(7)).await;
    let arrived = receiver.arrived();
    assert_eq!(arrived.len(), 3);
    assert!(arrived.iter().all(|event| event.id() == arrived[0].id() && event.body == arrived[0].body));
    assert!(arrived.iter().all(|event| event.is_signed(&added.secret)));
    // Each attempt has its own time, so that a receiver may refuse old ones.
    let times: Vec<i64> = arrived.iter().map(|event| event.headers["webhook-timestamp"].parse().unwrap()).collect();
    assert_eq!((times[1] - times[0], times[2] - times[0]), (64, 484));
    assert_eq!(scene.events().await, [("delivered".to_owned(), 3, None)]);
    assert!(scene.webhooks.list().await.unwrap()[0].failing_since.is_none());
}

async fn a_receiver_that_asks_for_rest_is_left_alone(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[RestFor(600), Status(200)]).await;
    scene.send().await;
    // Another event of its own waits, too.
    scene.give_up(&added).await;
    scene.send_after(Span::seconds(590)).await;
    assert_eq!(receiver.arrived().len(), 1);
    scene.send_after(Span::minutes(2)).await;
    assert_eq!(receiver.arrived().len(), 3);
}

async fn rest_that_was_asked_for_is_kept_although_another_event_is_taken(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[Status(200)]).await;
    scene.give_up(&added).await;
    let (first, second) = (scene.claimed(&added).await, scene.claimed(&added).await);
    let wants_rest = Verdict::Failed { why: "it answers 429".to_owned(), rest: Some(Duration::from_secs(600)) };
    scene.sender.settle(&first, &wants_rest, scene.service.now).await.unwrap();
    scene.sender.settle(&second, &Verdict::Delivered, scene.service.now).await.unwrap();
    scene.give_up(&added).await;
    scene.send_after(Span::seconds(590)).await;
    assert!(receiver.arrived().is_empty());
    scene.send_after(Span::minutes(2)).await;
    assert_eq!(receiver.arrived().len(), 2);
}

async fn after_ten_attempts_an_endpoint_is_turned_off(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[Status(500)]).await;
    scene.send().await;
    for (attempts, pause) in (2..).zip(PAUSES) {
        assert_eq!(scene.off().await, [None]);
        scene.send_after(pause).await;
        assert_eq!(receiver.arrived().len(), attempts);
    }
    assert_eq!(scene.events().await, [("stopped".to_owned(), 10, Some("it answers 500".to_owned()))]);
    let why = "nothing was delivered for 60 hours, at last: it answers 500";
    assert_eq!(scene.off().await, [Some(why.to_owned())]);
    let figures = scene.webhooks.census().await.unwrap();
    assert_eq!(figures.endpoints, [("on", 0), ("failing", 0), ("off", 1)]);
    assert_eq!(figures.events, [("waiting", 0), ("delivered", 0), ("given-up", 0), ("stopped", 1)]);
    // What happens while it is off is kept.
    scene.give_up(&added).await;
    scene.send_after(Span::days(1)).await;
    assert_eq!(receiver.arrived().len(), 10);
    assert_eq!(scene.webhooks.replay_missed(added.id, scene.service.now).await.unwrap(), None, "it is off");
}

async fn one_failure_after_a_long_absence_turns_nothing_off(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[Status(500), Status(503), Status(200)]).await;
    scene.send().await;
    scene.send_after(Span::days(3)).await;
    assert_eq!((receiver.arrived().len(), scene.off().await), (2, vec![None]));
    assert_eq!(scene.events().await, [("waiting".to_owned(), 2, Some("it answers 503".to_owned()))]);
    // Nor one that is given up because it was on its way for too long: what comes later begins anew.
    let due = scene.due_after(Span::days(3), &added).await;
    let failed = Verdict::Failed { why: "it answers 500".to_owned(), rest: None };
    scene.sender.settle(&due, &failed, scene.service.now).await.unwrap();
    assert_eq!(scene.events().await, [("given-up".to_owned(), 3, Some("it answers 500".to_owned()))]);
    assert_eq!(scene.off().await, [None]);
    assert!(scene.webhooks.list().await.unwrap()[0].failing_since.is_none());
}

async fn attempts_that_died_use_nothing_up(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[Status(500), Status(200)]).await;
    for _ in 0..12 {
        scene.due_after(Span::minutes(2), &added).await;
    }
    scene.send_after(Span::minutes(2)).await;
    assert_eq!(scene.events().await, [("waiting".to_owned(), 13, Some("it answers 500".to_owned()))]);
    assert_eq!(scene.off().await, [None]);
    scene.send_after(Span::hours(27)).await;
    assert_eq!(receiver.arrived().len(), 2);
}

async fn who_is_gone_gets_nothing_more_until_it_is_turned_on(database: TestDatabase) {
    let (scene, receiver, added) = Scene::with_event(database, &[Status(410), Status(200)]).await;
    scene.send().await;
    assert_eq!(scene.off().await, [Some("it answered 410: it wants no more events".to_owned())]);
    scene.give_up(&added).await;
    scene.send().await;
    receiver.one();
    let states: Vec<String> = scene.events().await.into_iter().map(|(state, ..)| state).collect();
    assert!(states.contains(&"given-up".to_owned()) && states.contains(&"stopped".to_owned()), "{states:?}");
    assert!(scene.webhooks.turn_on(added.id, scene.service.now).await.unwrap());
    assert_eq!(scene.webhooks.replay_missed(added.id, scene.service.now).await.unwrap(), Some(2));
    scene.send().await;
    assert_eq!(receiver.arrived().len(), 3);
    let nobody = EndpointId([0; 16]);
    assert!(!scene.webhooks.turn_on(nobody, scene.service.now).await.unwrap());
    // What changed nothing is not audited.
    assert_eq!(scene.webhooks.replay_missed(added.id, scene.service.now).await.unwrap(), Some(0));
    assert_eq!(scene.webhooks.replay_missed(nobody, scene.service.now).await.unwrap(), None);
    let audited = scene.service.database.contents(&["audit"]).await;
    assert_eq!(audited.iter().filter(|(_, value)| value == b"webhook-replay").count(), 1);
}

async fn a_receiver_that_redirects_is_not_followed(database: TestDatabase) {
    let (scene, receiver, _) = Scene::with_event(database, &[Redirect]).await;
    scene.send().await;
    receiver.one();
    let why = "it answers 307: redirects are not followed, name the new URL";
    assert_eq!(scene.events().await, [("waiting".to_owned(), 1, Some(why.to_owned()))]);
}

async fn an_address_inside_is_not_posted_to(database: TestDatabase) {
    let (scene, receiver, _) = Scene::with_event(database, &[Status(200)]).await;
    // The endpoint was added when it might be; now only public addresses are posted to.
    sender(&scene.service.database.store, Reach::PUBLIC).send_due(scene.service.now).await;
    assert!(receiver.arrived().is_empty());
    let why = "its address may not be connected to";
    assert_eq!(scene.events().await, [("waiting".to_owned(), 1, Some(why.to_owned()))]);
    // And none is added.
    let strict = Webhooks::new(scene.service.database.store.clone(), Reach::PUBLIC, Clock);
    for (url, refused) in [
        ("http://shop.example/hook", "https URLs only"),
        ("https://127.0.0.1/hook", "may not be connected to"),
        ("https://user:password@shop.example/", "user name or password"),
        ("ftp://9.9.9.9/", "https URLs only"),
        ("shop.example", "no URL"),
        (&format!("https://shop.example/{}", "x".repeat(LONGEST_URL)), "at most 1024"),
    ] {
        let error = strict.add(url, Hears::Named, scene.service.now).await.unwrap_err().to_string();
        assert!(error.contains(refused), "{url}: {error}");
    }
}

async fn one_that_hangs_holds_up_no_other(database: TestDatabase) {
    let (scene, slow, added) = Scene::with_event(database, &[Never]).await;
    for _ in 0..3 {
        scene.give_up(&added).await;
    }
    let quick = Receiver::answering(&[Status(200)]).await;
    let other = scene.add(&quick, Hears::Named).await;
    scene.give_up(&other).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(scene.sender.clone().run(scene.service.verify.bell(), stop.clone()));
    quick.has(1).await;
    slow.has(sender::OF_AN_ENDPOINT).await;
    // Whoever is quick is sent the next at once, while the slow one has its places, and no more than those.
    scene.give_up(&other).await;
    quick.has(2).await;
    assert_eq!(slow.arrived().len(), sender::OF_AN_ENDPOINT);
    // Told to stop, it waits for those that are under way, as long as its caller does.
    stop.cancel();
    running.abort();
}

async fn an_answer_that_takes_too_long_is_none(database: TestDatabase) {
    let (scene, receiver, _) = Scene::with_event(database, &[Never]).await;
    let means =
        Means { reach: Reach::LOOPBACK, names: Vec::new(), tls_roots: None, patience: Duration::from_millis(300) };
    Arc::new(Sender::new(scene.service.database.store.clone(), means, Clock)).send_due(scene.service.now).await;
    assert!(receiver.arrived().len() <= 1);
    let events = scene.events().await;
    assert_eq!(events, [("waiting".to_owned(), 1, Some("no answer in time".to_owned()))]);
}

async fn what_was_under_way_when_the_power_went_is_sent_again(database: TestDatabase) {
    let (mut scene, receiver, _) = Scene::with_event(database, &[Never, Status(200)]).await;
    let (sender_of_then, now) = (scene.sender.clone(), scene.service.now);
    let sending = tokio::spawn(async move { sender_of_then.send_due(now).await });
    receiver.has(1).await;
    sending.abort();
    drop(sending.await);
    // The next start leaves it alone as long as another node might still be at it.
    scene.sender = sender(&scene.service.database.opened_again().await, Reach::LOOPBACK);
    scene.send_after(Span::seconds(59)).await;
    receiver.one();
    scene.send_after(Span::seconds(2)).await;
    let arrived = receiver.arrived();
    assert_eq!((arrived.len(), arrived[0].id()), (2, arrived[1].id()));
    assert_eq!(scene.events().await, [("delivered".to_owned(), 2, None)]);
}

async fn while_a_secret_is_replaced_both_sign(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[Status(200)]).await;
    let day = Span::hours(24);
    let second = scene.webhooks.rotate(added.id, day, scene.service.now).await.unwrap();
    scene.send().await;
    let event = receiver.one();
    assert!(event.is_signed(&added.secret) && event.is_signed(&second));
    scene.service.now += day + Span::seconds(1);
    scene.give_up(&added).await;
    scene.send().await;
    let event = receiver.arrived().pop().unwrap();
    assert!(!event.is_signed(&added.secret) && event.is_signed(&second));
    // One that others know signs nothing more.
    let third = scene.webhooks.rotate(added.id, Span::ZERO, scene.service.now).await.unwrap();
    scene.give_up(&added).await;
    scene.send().await;
    let event = receiver.arrived().pop().unwrap();
    assert!(!event.is_signed(&second) && event.is_signed(&third));
    let unknown = scene.webhooks.rotate(EndpointId([0; 16]), day, scene.service.now).await;
    assert!(matches!(unknown, Err(RotateError::Unknown)), "{unknown:?}");
}

async fn a_promised_secret_is_dropped_by_nobody_who_does_not_say_so(database: TestDatabase) {
    let (scene, receiver, added) = Scene::with_event(database, &[Status(200)]).await;
    let (day, now) = (Span::hours(24), whole_milliseconds(scene.service.now));
    let second = scene.webhooks.rotate(added.id, day, now).await.unwrap();
    let third = scene.webhooks.rotate(added.id, day, now + Span::hours(23)).await;
    assert!(matches!(third, Err(RotateError::Promised(until)) if until - now == day), "{third:?}");
    scene.send().await;
    let event = receiver.one();
    assert!(event.is_signed(&added.secret) && event.is_signed(&second));
    scene.webhooks.rotate(added.id, day, now + day).await.expect("the promise is kept");
    scene.webhooks.rotate(added.id, Span::ZERO, now + day).await.expect("so is wanted");
}

async fn an_endpoint_moves_and_keeps_its_name_and_secret(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[RestFor(600)]).await;
    scene.send().await;
    let moved = Receiver::answering(&[Status(200)]).await;
    scene.webhooks.change(added.id, &moved.url, scene.service.now).await.unwrap();
    scene.send_after(Span::minutes(12)).await;
    assert!(moved.one().is_signed(&added.secret));
    assert_eq!(receiver.arrived().len(), 1);
    let strict = Webhooks::new(scene.service.database.store.clone(), Reach::PUBLIC, Clock);
    assert!(matches!(strict.change(added.id, &moved.url, scene.service.now).await, Err(ChangeError::Url(_))));
    let unknown = scene.webhooks.change(EndpointId([0; 16]), &moved.url, scene.service.now).await;
    assert!(matches!(unknown, Err(ChangeError::Unknown)), "{unknown:?}");
    let audited = scene.service.database.contents(&["audit"]).await;
    assert_eq!(audited.iter().filter(|(_, value)| value == b"webhook-change").count(), 1);
}

async fn who_names_the_same_url_again_gets_the_same_endpoint(database: TestDatabase) {
    let (scene, receiver) = (Scene::over(database).await, Receiver::answering(&[Status(410)]).await);
    let now = scene.service.now;
    let first = scene.webhooks.add_once(&receiver.url, now).await.unwrap();
    scene.give_up(&first).await;
    scene.send().await;
    assert!(scene.off().await[0].is_some());
    let again = scene.webhooks.add_once(&receiver.url, now).await.unwrap();
    assert_eq!((first.id, first.secret.expose()), (again.id, again.secret.expose()));
    assert_eq!(scene.off().await, [None]);
    scene.webhooks.add_once(&format!("{}&more", receiver.url), now).await.unwrap();
    assert_eq!(scene.off().await.len(), 2);
}

async fn what_was_delivered_is_sent_again_when_it_is_asked_for(database: TestDatabase) {
    let (mut scene, receiver, _) = Scene::with_event(database, &[Status(200)]).await;
    scene.send().await;
    let id: EventId = receiver.one().id().parse().unwrap();
    scene.service.now += Span::hours(1);
    assert!(scene.webhooks.replay(id, scene.service.now).await.unwrap());
    scene.send().await;
    let arrived = receiver.arrived();
    assert_eq!((arrived.len(), arrived[1].id()), (2, arrived[0].id()));
    assert!(!scene.webhooks.replay(EventId([0; 16]), scene.service.now).await.unwrap());
}

async fn an_event_goes_with_its_verification_and_keeps_it_until_it_is_out(database: TestDatabase) {
    let (mut scene, _receiver, _) = Scene::with_event(database, &[Status(500)]).await;
    scene.send().await;
    // A day after it was given up it would go; its event still waits.
    scene.service.now += Span::hours(26);
    assert_eq!(scene.service.verify.purge(scene.service.now).await.unwrap(), 0);
    assert_eq!(scene.events().await.len(), 1);
    // Nobody sends it, because the service was away: it goes all the same.
    scene.service.now += Span::hours(5 * 24);
    assert_eq!(scene.service.verify.purge(scene.service.now).await.unwrap(), 1);
    assert!(scene.events().await.is_empty());
}

async fn what_was_missed_can_be_asked_for_for_days(database: TestDatabase) {
    let (mut scene, receiver, added) = Scene::with_event(database, &[Status(410), Status(200)]).await;
    scene.give_up(&added).await;
    // One is under way and finds out; the other is stopped with the endpoint.
    scene.claimed(&added).await;
    scene.send().await;
    scene.give_up(&added).await;
    let states = async |scene: &Scene| {
        let mut states: Vec<String> = scene.events().await.into_iter().map(|(state, ..)| state).collect();
        states.sort();
        states
    };
    assert_eq!(states(&scene).await, ["given-up", "stopped", "stopped"]);
    scene.service.now += Span::days(4);
    assert_eq!(scene.service.verify.purge(scene.service.now).await.unwrap(), 0);
    assert!(scene.webhooks.turn_on(added.id, scene.service.now).await.unwrap());
    assert_eq!(scene.webhooks.replay_missed(added.id, scene.service.now).await.unwrap(), Some(3));
    scene.send().await;
    assert_eq!(receiver.arrived().len(), 4);
    // Not for ever.
    scene.give_up(&added).await;
    let due = scene.claimed(&added).await;
    scene.sender.settle(&due, &Verdict::Gone, scene.service.now).await.unwrap();
    scene.service.now += Span::days(6);
    assert_eq!(scene.service.verify.purge(scene.service.now).await.unwrap(), 4);
    assert!(scene.events().await.is_empty());
}

async fn two_senders_share_the_events_and_send_none_twice(database: TestDatabase) {
    const EVENTS: usize = 12;
    let (scene, receiver) = (Scene::over(database).await, Receiver::answering(&[Status(200)]).await);
    let added = scene.add(&receiver, Hears::Named).await;
    for _ in 0..EVENTS {
        scene.give_up(&added).await;
    }
    let other = sender(&scene.service.database.opened_again().await, Reach::LOOPBACK);
    tokio::join!(scene.send(), other.send_due(scene.service.now));
    let mut ids: Vec<String> = receiver.arrived().iter().map(|event| event.id().to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), receiver.arrived().len()), (EVENTS, EVENTS));
    assert!(scene.events().await.iter().all(|event| *event == ("delivered".to_owned(), 1, None)));
}

async fn of_two_that_turn_an_endpoint_off_neither_waits_for_the_other(database: TestDatabase) {
    let (scene, _receiver, added) = Scene::with_event(database, &[Never]).await;
    scene.give_up(&added).await;
    let (_first, second) = (scene.claimed(&added).await, scene.claimed(&added).await);
    // One is at it, and has come as far as the endpoint's row.
    let store = scene.service.database.store.clone();
    let mut writer = store.begin().await.unwrap();
    endpoints::hold(added.id, &mut writer).await.unwrap();
    let (sender, now) = (scene.sender.clone(), scene.service.now);
    let other = tokio::spawn(async move { sender.settle(&second, &Verdict::Gone, now).await });
    scene.service.database.somebody_waits_for_a_row().await;
    assert!(endpoints::turn_off(added.id, "it answered 410", now, &mut writer).await.unwrap());
    writer.commit().await.unwrap();
    other.await.unwrap().unwrap();
    assert_eq!(scene.off().await, [Some("it answered 410".to_owned())]);
}

async fn what_a_busy_database_does_not_take_at_once_is_stored_later(database: TestDatabase) {
    let (scene, receiver, added) = Scene::with_event(database, &[Status(200)]).await;
    let impatient = Tuning { patience: Duration::from_millis(500), ..Tuning::default() };
    let sender = sender(&scene.service.database.opened_with(impatient).await, Reach::LOOPBACK);
    let due = scene.claimed(&added).await;
    let writer = scene.service.database.hold_events().await;
    let (busy, now) = (sender.clone(), scene.service.now);
    let attempt = tokio::spawn(async move { busy.attempt(due, now).await });
    receiver.has(1).await;
    // Longer than its patience: it finds the database busy.
    tokio::time::sleep(Duration::from_millis(700)).await;
    drop(writer);
    attempt.await.unwrap();
    receiver.one();
    assert_eq!(scene.events().await, [("delivered".to_owned(), 1, None)]);
}

async fn what_waits_is_looked_for_in_each_endpoint(database: TestDatabase) {
    let (mut scene, _receiver, added) = Scene::with_event(database, &[Status(500)]).await;
    let (began, store) = (whole_milliseconds(scene.service.now), scene.service.database.store.clone());
    let next = async |now| deliveries::next_due(now, &mut store.read().await.unwrap()).await.unwrap();
    assert_eq!(next(began).await, None, "it is due already");
    let due = scene.claimed(&added).await;
    assert_eq!(next(began).await.map(|at| at - began), Some(Span::minutes(1)), "its lease");
    scene.service.now += Span::seconds(1);
    // Another is due, but the endpoint rests.
    scene.give_up(&added).await;
    let wants_rest = Verdict::Failed { why: "it answers 429".to_owned(), rest: Some(Duration::from_hours(1)) };
    scene.sender.settle(&due, &wants_rest, began).await.unwrap();
    assert_eq!(next(scene.service.now).await.map(|at| at - began), Some(Span::hours(1)));
    scene.webhooks.turn_on(added.id, began).await.unwrap();
    let quick = Receiver::answering(&[Status(200)]).await;
    let other = scene.add(&quick, Hears::Named).await;
    scene.give_up(&other).await;
    let _taken = scene.claimed(&other).await;
    assert_eq!(next(scene.service.now).await.map(|at| at - began), Some(Span::seconds(61)), "the first of both");
}

async fn a_stolen_database_tells_no_url_no_secret_and_no_number(database: TestDatabase) {
    let (scene, receiver, added) = Scene::with_event(database, &[Status(500)]).await;
    scene.webhooks.rotate(added.id, Span::hours(1), scene.service.now).await.unwrap();
    scene.service.prove(NUMBER, &scene.begin(None, Some(added.id)).await).await;
    scene.send().await;
    let key = STANDARD.decode(added.secret.expose().strip_prefix("whsec_").unwrap()).unwrap();
    let tables = ["webhook_endpoints", "webhook_deliveries", "verifications"];
    let contents = scene.service.database.contents(&tables).await;
    assert!(contents.iter().any(|(column, _)| column == "webhook_deliveries.last_error"));
    for (column, value) in contents {
        for known in [&key[..], receiver.url.as_bytes(), b"of-the-receiver", b"2025550143"] {
            assert!(!value.windows(known.len()).any(|part| part == known), "{column}");
        }
    }
    let shown = format!("{added:?} {:?}", scene.webhooks.list().await.unwrap());
    assert!(!shown.contains("whsec_") && !shown.contains("of-the-receiver"), "{shown}");
}

async fn what_is_removed_is_forgotten(database: TestDatabase) {
    let (scene, receiver, added) = Scene::with_event(database, &[Status(200)]).await;
    assert!(scene.webhooks.remove(added.id, scene.service.now).await.unwrap());
    assert!(!scene.webhooks.remove(added.id, scene.service.now).await.unwrap());
    scene.send().await;
    assert!(receiver.arrived().is_empty() && scene.events().await.is_empty());
    let start = Start { webhook: Some(added.id), ..start(NUMBER, SOURCE, None) };
    let refused = scene.service.verify.start(start, scene.service.now).await;
    assert!(matches!(refused, Err(StartError::NoEndpoint)), "{refused:?}");
    for _ in 0..MOST_ENDPOINTS {
        scene.add(&receiver, Hears::Named).await;
    }
    let full = scene.webhooks.add(&receiver.url, Hears::Named, scene.service.now).await;
    assert!(matches!(full, Err(AddError::Full)), "{full:?}");
    let audited = scene.service.database.contents(&["audit"]).await;
    let is_audited = |word: &str| audited.iter().any(|(_, value)| value == word.as_bytes());
    assert!(is_audited("webhook-add") && is_audited("webhook-remove") && is_audited(&added.id.to_string()));
}
