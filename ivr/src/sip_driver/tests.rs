use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ivr_core::call::flow::{Ending, Step};
use ivr_core::call::question::Session;
use ivr_core::caller::{KeepsDiversion, Level, Passports, Policy, TrunkProfile};
use ivr_core::endpoint::{Addresses, EndpointConfig, Limits, Strangers};
use ivr_core::media::Voices;
use ivr_core::number::{KindPolicy, Number};
use ivr_core::private::Private;
use ivr_core::proof::Binding;
use tokio::task::JoinHandle;
use voice_prompts::{Language, Library, PromptId, Vocabulary};

use super::*;
use crate::media_driver::RtpSockets;
use crate::phone::{CallPlan, CallReport, EndedBy, Identity, Law, News, Scenario, Stage, call};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const OUR_NUMBER: &str = "+12025550100";
const CODE: &str = "482913";
const SESSION: VerificationId = VerificationId([7; 16]);
/// Far longer than a call; only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(120);

/// A service whose use cases are the test.
struct Service {
    address: SocketAddr,
    questions: mpsc::Receiver<(CallKey, Question)>,
    answers: mpsc::Sender<(CallKey, Answer)>,
    outcomes: mpsc::Sender<(VerificationId, Outcome)>,
    records: mpsc::Receiver<Recorded>,
    figures: watch::Receiver<Figures>,
    shutdown: Shutdown,
    task: JoinHandle<Result<(), Stopped>>,
}

impl Service {
    async fn start() -> Self {
        let voices = Voices::new(Library::embedded());
        voices.prepare(Language::ENGLISH);
        let rtp = RtpSockets::drawn(LOOPBACK, 8).unwrap();
        let rtp_ports = rtp.ports().to_vec();
        let media = MediaDriver::start(rtp, voices, Clock).unwrap();
        let socket = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let (ask, questions) = mpsc::channel(8);
        let (answers, answered) = mpsc::channel(8);
        let (outcomes, ended) = mpsc::channel(8);
        let (record, records) = mpsc::channel(1_000);
        let desk = Desk { questions: ask, answers: answered, outcomes: ended, records: record };
        let endpoint = Endpoint::new(config(address, rtp_ports), [1; 32]);
        let driver = SipDriver::new(socket, endpoint, media, desk, Clock);
        let (figures, shutdown) = (driver.figures(), Shutdown::default());
        let task = tokio::spawn(driver.run(shutdown.clone()));
        Self { address, questions, answers, outcomes, records, figures, shutdown, task }
    }

    fn plan(&self, scenario: Scenario) -> CallPlan {
        CallPlan {
            service: self.address,
            local: None,
            dialled: OUR_NUMBER.into(),
            uri_parameters: Vec::new(),
            identity: Identity::of("+12025550143"),
            laws: vec![Law::Mu, Law::A],
            scenario,
            code: Private::new(CODE.into()),
            vocabulary: Vocabulary::of(&Library::embedded(), "en"),
            patience: PATIENCE,
        }
    }

    /// A call in the background, and what happens in it.
    fn call(&self, plan: CallPlan) -> (JoinHandle<CallReport>, mpsc::UnboundedReceiver<News>) {
        let (tell, news) = mpsc::unbounded_channel();
        let tell = move |happened| drop(tell.send(happened));
        (tokio::spawn(async { call(plan, tell).await.unwrap() }), news)
    }

    async fn answer(&mut self, wanted: impl Fn(&Question) -> Answer) -> Question {
        let (call, question) = self.questions.recv().await.expect("the driver asks");
        self.answers.send((call, wanted(&question))).await.unwrap();
        question
    }

    /// Waits until the driver ends by itself, and gives what was recorded.
    async fn ends(mut self) -> (Figures, Vec<Entry>) {
        tokio::time::timeout(PATIENCE, self.task).await.expect("the driver goes on").unwrap().unwrap();
        let mut entries = Vec::new();
        while let Some(recorded) = self.records.recv().await {
            entries.push(recorded.entry);
        }
        let figures = *self.figures.borrow();
        (figures, entries)
    }
}

/// One trunk on loopback.
fn config(address: SocketAddr, rtp_ports: Vec<u16>) -> EndpointConfig {
    let trunk = TrunkProfile {
        name: "loopback".into(),
        sources: vec!["127.0.0.0/8".parse().unwrap()],
        numbers: vec![Number::parse(OUR_NUMBER).unwrap()],
        shared_addresses: false,
        trust_pai: true,
        cli_screened: true,
        country: Some("US".parse().unwrap()),
        keeps_diversion: KeepsDiversion::Yes,
        max_calls: 8,
        ..TrunkProfile::default()
    };
    EndpointConfig {
        addresses: Addresses::only(address),
        rtp_ports,
        policy: Policy { trunks: vec![trunk], issue_from: Level::L1.into(), kinds: KindPolicy::default() },
        links: Vec::new(),
        passports: Passports::Ignored,
        binding: Binding::ReadBack,
        limits: Limits::default(),
        strangers: Strangers::Refuse,
        server: None,
    }
}

fn expected(question: &Question) -> Answer {
    match question {
        Question::Passport(_) => Answer::Unavailable,
        Question::Session(_) => Answer::Expected,
        Question::Code { entered, .. } if entered.expose().as_str() == CODE => {
            Answer::Matched(Session { id: SESSION, key_check: None, language: Language::ENGLISH })
        }
        Question::Code { .. } => Answer::Wrong { tries_left: 1 },
        Question::ReadBack { .. } | Question::CodeOnly { .. } => Answer::Stored,
        Question::Rehearsed { .. } | Question::Certificates(_) => Answer::NoSession,
        Question::Suspend(_) => Answer::NotSuspended,
    }
}

async fn report(call: JoinHandle<CallReport>) -> CallReport {
    tokio::time::timeout(PATIENCE, call).await.expect("the call goes on").unwrap()
}

/// The statuses of the calls that were refused.
fn refusals(entries: &[Entry]) -> Vec<u16> {
    let status = |entry: &Entry| if let Entry::Refused { reason, .. } = entry { Some(reason.status()) } else { None };
    entries.iter().filter_map(status).collect()
}

#[tokio::test]
async fn a_caller_keys_in_the_code_and_hears_the_read_back() {
    let mut service = Service::start().await;
    let (call, mut news) = service.call(service.plan(Scenario::Happy));
    assert!(matches!(service.answer(expected).await, Question::Session(caller) if caller.trunk == "loopback"));
    assert!(matches!(service.answer(expected).await, Question::Code { .. }));
    let Question::ReadBack { proof, digits, .. } = service.answer(expected).await else { panic!("no read-back") };
    assert_eq!((proof.number().as_str(), proof.verification()), ("+12025550143", SESSION));
    let heard = loop {
        match news.recv().await.expect("the caller hears the digits") {
            News::ReadBack(heard) => break heard,
            _ => continue,
        }
    };
    assert_eq!(heard.expose(), digits.expose().as_str());
    service.outcomes.send((SESSION, Outcome::Issued)).await.unwrap();

    let report = report(call).await;
    assert_eq!((report.status, report.ended_by, report.packets_lost), (Some(200), EndedBy::Service, 0));
    assert_eq!(report.number_ending, Some(Private::new("0143".into())));
    for said in [PromptId::WarningScam, PromptId::EnterCode, PromptId::PressToConfirm, PromptId::Verified] {
        assert!(report.has_heard(said), "{said:?} was not heard");
    }
    service.shutdown.drain.cancel();
    let (figures, entries) = service.ends().await;
    assert_eq!((figures.endpoint.confirmed, figures.endpoint.calls, figures.lost_records), (1, 0, 0));
    let keys = entries.iter().filter(|entry| matches!(entry, Entry::KeyPressed { .. })).count();
    assert_eq!(keys, CODE.len() + 1, "each key counts once");
    assert!(entries.iter().any(|entry| matches!(entry, Entry::Step(Step::Ended(Ending::Verified)))));
    let quality =
        entries.iter().find_map(|entry| if let Entry::Quality(quality) = entry { Some(quality) } else { None });
    let quality = quality.expect("the figures of the media are recorded");
    assert_eq!((quality.packets_lost, quality.packets_foreign), (0, 0));
    assert!(quality.packets_sent >= report.packets_received && quality.packets_received > 0);
    assert!(matches!(entries.last(), Some(Entry::Over { .. })));
}

#[tokio::test]
async fn where_nobody_answers_questions_the_call_is_refused_at_once() {
    let mut service = Service::start().await;
    service.questions.close();
    let (call, _) = service.call(service.plan(Scenario::Happy));
    let report = report(call).await;
    assert_eq!((report.status, report.ended_by), (Some(480), EndedBy::Refusal));
    service.shutdown.drain.cancel();
    let (figures, entries) = service.ends().await;
    assert_eq!((figures.unasked_questions, refusals(&entries)), (1, vec![480]));
}

#[tokio::test]
async fn a_service_that_drains_refuses_new_calls_and_ends_after_the_last() {
    let mut service = Service::start().await;
    let (first, mut news) = service.call(service.plan(Scenario::HangUp(Stage::Warning)));
    service.answer(expected).await;
    while !matches!(news.recv().await.expect("the call is answered"), News::Answered { .. }) {}
    service.shutdown.drain.cancel();
    let (second, _) = service.call(service.plan(Scenario::Happy));
    assert_eq!(report(second).await.status, Some(503));
    assert!(!service.task.is_finished(), "the first caller is still on the line");
    assert_eq!(report(first).await.ended_by, EndedBy::Caller);
    let (figures, entries) = service.ends().await;
    assert_eq!((figures.endpoint.answered, figures.endpoint.calls, refusals(&entries)), (1, 0, vec![503]));
}

#[tokio::test]
async fn at_the_end_nobody_is_waited_for() {
    let mut service = Service::start().await;
    let plan = CallPlan { patience: Duration::from_secs(2), ..service.plan(Scenario::Silent) };
    let (call, mut news) = service.call(plan);
    service.answer(expected).await;
    while !matches!(news.recv().await.expect("the call is answered"), News::Answered { .. }) {}
    service.shutdown.drain.cancel();
    service.shutdown.end.cancel();
    let (figures, _) = service.ends().await;
    assert_eq!(figures.endpoint.answered, 1);
    call.abort();
}

#[tokio::test]
async fn noise_at_the_socket_is_counted_and_a_call_goes_through_it() {
    const NOISE: u64 = 2_000;
    let mut service = Service::start().await;
    let noise = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
    let mut figures = service.figures.clone();
    for n in 0..NOISE {
        noise.send_to(b"\x16\x03\x01 no SIP at all", service.address).await.unwrap();
        // No more than the socket holds, so that none is lost and all are counted.
        if n % 50 == 49 {
            let arrived = figures.wait_for(|figures| figures.endpoint.datagrams == n + 1);
            tokio::time::timeout(PATIENCE, arrived).await.expect("noise got lost").unwrap();
        }
    }
    let (call, _) = service.call(service.plan(Scenario::Happy));
    service.answer(|_| Answer::NoSession).await;
    assert_eq!(report(call).await.status, Some(480));
    service.shutdown.drain.cancel();
    let (figures, entries) = service.ends().await;
    assert_eq!((figures.endpoint.garbage, refusals(&entries)), (NOISE, vec![480]));
}
