//! A call, and what the other side answers.

use super::*;

const SDP: &str = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";

/// A call and the other side's answers to it.
struct Line {
    dialog: Dialog,
    now: Instant,
    sent: Vec<Vec<u8>>,
}

impl Line {
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to begin with")]
    fn dial() -> Self {
        let now = Instant::now();
        let mut sent = Vec::new();
        let invitation = Invitation {
            target: "sip:7042@127.0.0.1:5060".into(),
            from: "<sip:+12025550143@a.invalid>".into(),
            to: "<sip:7042@127.0.0.1:5060>".into(),
            headers: vec![("P-Asserted-Identity".into(), "<tel:+12025550143>".into())],
            local: "127.0.0.1:5070".parse().unwrap(),
            offer: SDP.into(),
            call_id: "c1@127.0.0.1".into(),
            tag: "ours".into(),
        };
        let dialog = Dialog::invite(invitation, now, &mut sent);
        Self { dialog, now, sent }
    }

    /// What was sent since the last look, as method (or status) and CSeq.
    fn sent(&mut self) -> Vec<String> {
        let message = |bytes: &Vec<u8>| {
            let message = Message::parse(bytes).unwrap();
            match &message.start {
                Start::Request { method, .. } => method.clone(),
                Start::Response { status, .. } => format!("{status} {}", message.method().unwrap()),
            }
        };
        std::mem::take(&mut self.sent).iter().map(message).collect()
    }

    fn answer(&mut self, status: u16, method: &str) -> Option<Signal> {
        let body = if status == 200 && method == "INVITE" { SDP } else { "" };
        let text = format!(
            "SIP/2.0 {status} Because\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-ours-x\r\n\
             To: <sip:7042@127.0.0.1>;tag=theirs\r\nCall-ID: c1@127.0.0.1\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:ivr@127.0.0.1:5060>\r\n\r\n{body}"
        );
        self.dialog.receive(text.as_bytes(), self.now, &mut self.sent)
    }

    fn ask(&mut self, method: &str) -> Option<Signal> {
        let text = format!("{method} sip:phone@127.0.0.1 SIP/2.0\r\nCall-ID: c1@127.0.0.1\r\nCSeq: 9 {method}\r\n\r\n");
        self.dialog.receive(text.as_bytes(), self.now, &mut self.sent)
    }

    fn hang_up(&mut self) {
        self.dialog.hang_up(self.now, &mut self.sent);
    }

    /// Lets time pass up to the next deadline.
    fn wait(&mut self) -> Option<Signal> {
        self.now = self.dialog.deadline().unwrap();
        self.dialog.timeout(self.now, &mut self.sent)
    }
}

fn is_answered(signal: &Option<Signal>) -> bool {
    matches!(signal, Some(Signal::Answered(agreed)) if agreed.remote.port() == 4000)
}

#[test]
fn a_call_stands_after_the_ack_and_ends_by_our_bye() {
    let mut line = Line::dial();
    assert_eq!(line.answer(100, "INVITE"), Some(Signal::Progress(100)));
    assert_eq!(line.answer(180, "INVITE"), Some(Signal::Progress(180)));
    assert!(is_answered(&line.answer(200, "INVITE")));
    assert_eq!(line.sent(), ["INVITE", "ACK"]);
    assert_eq!(line.answer(200, "INVITE"), None, "a repeated 200");
    assert_eq!(line.sent(), ["ACK"]);
    line.hang_up();
    assert_eq!(line.sent(), ["BYE"]);
    assert_eq!(line.wait(), None);
    assert_eq!(line.sent(), ["BYE"]);
    assert_eq!(line.answer(200, "BYE"), Some(Signal::Over));
    assert!(line.dialog.is_over());
}

#[test]
fn their_bye_is_answered_and_so_is_its_repetition() {
    let mut line = Line::dial();
    line.answer(200, "INVITE");
    assert_eq!(line.ask("BYE"), Some(Signal::HungUp));
    assert_eq!(line.ask("BYE"), None);
    assert_eq!(line.sent(), ["INVITE", "ACK", "200 BYE", "200 BYE"]);
}

#[test]
fn a_refusal_is_acknowledged_within_its_transaction() {
    let mut line = Line::dial();
    assert_eq!(line.answer(433, "INVITE"), Some(Signal::Refused(433, "Because".into())));
    assert_eq!(line.answer(433, "INVITE"), None);
    let messages: Vec<_> = line.sent.iter().map(|bytes| Message::parse(bytes).unwrap()).collect();
    let [invite, ack, again] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!((ack.branch(), ack.header("CSeq")), (invite.branch(), Some("1 ACK")));
    assert_eq!(ack.header("To"), Some("<sip:7042@127.0.0.1>;tag=theirs"));
    assert_eq!(ack, again);
}

#[test]
fn hanging_up_before_the_answer_waits_for_a_sign_of_life_and_then_cancels() {
    let mut line = Line::dial();
    line.hang_up();
    assert_eq!(line.sent(), ["INVITE"]);
    line.answer(100, "INVITE");
    assert_eq!(line.sent(), ["CANCEL"]);
    line.answer(200, "CANCEL");
    assert_eq!(line.answer(487, "INVITE"), Some(Signal::Over));
    assert_eq!(line.sent(), ["ACK"]);
}

#[test]
fn a_200_that_crosses_our_cancel_is_acknowledged_and_ended() {
    let mut line = Line::dial();
    line.answer(180, "INVITE");
    line.hang_up();
    assert_eq!(line.answer(200, "INVITE"), None);
    assert_eq!(line.sent(), ["INVITE", "CANCEL", "ACK", "BYE"]);
    assert_eq!(line.answer(200, "BYE"), Some(Signal::Over));
}

#[test]
fn an_unanswered_invite_is_repeated_and_given_up_after_32_seconds() {
    let mut line = Line::dial();
    let began = line.now;
    let mut signal = None;
    while signal.is_none() {
        signal = line.wait();
    }
    assert_eq!(signal, Some(Signal::Failed("no answer to the INVITE")));
    assert_eq!(line.now - began, TIMER_B);
    assert_eq!(line.sent().len(), 7, "at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s");
}

#[test]
fn an_answer_without_audio_ends_the_call() {
    let mut line = Line::dial();
    let text = "SIP/2.0 200 OK\r\nVia: x;branch=z9hG4bK-ours-x\r\nTo: <sip:a>;tag=t\r\nCall-ID: c1@127.0.0.1\r\nCSeq: 1 INVITE\r\nContact: <sip:b>\r\n\r\n";
    let signal = line.dialog.receive(text.as_bytes(), line.now, &mut line.sent);
    assert!(matches!(signal, Some(Signal::Failed(_))), "{signal:?}");
    assert_eq!(line.sent(), ["INVITE", "ACK", "BYE"]);
}

#[test]
fn other_calls_and_noise_change_nothing() {
    let mut line = Line::dial();
    let other = "SIP/2.0 200 OK\r\nCall-ID: other\r\nCSeq: 1 INVITE\r\n\r\n";
    let stray = "SIP/2.0 200 OK\r\nVia: x;branch=z9hG4bK-theirs\r\nCall-ID: c1@127.0.0.1\r\nCSeq: 1 INVITE\r\n\r\n";
    for bytes in [other.as_bytes(), stray.as_bytes(), b"\x00\x01", b""] {
        assert_eq!(line.dialog.receive(bytes, line.now, &mut line.sent), None);
    }
    assert_eq!(line.sent(), ["INVITE"]);
}
