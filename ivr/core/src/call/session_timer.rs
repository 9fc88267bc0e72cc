//! The session timer of a call (RFC 4028): refreshed by the other side or by us, or the call ends.

use super::*;
use crate::sip::header_lines::HeaderLine;
use crate::sip::message::Response;
use crate::sip::session_timer::{Agreement, Refresher, least};

/// How long the session lasts without a refresh.
#[derive(Debug)]
pub(super) struct SessionTimer {
    agreement: Agreement,
    /// Without a refresh, the call ends then.
    ends: Instant,
    /// When we refresh, if we do and have not begun to.
    refresh_at: Option<Instant>,
}

impl SessionTimer {
    /// From the 2xx on.
    fn begin(agreement: Agreement, now: Instant) -> Self {
        // RFC 4028 9, and 7.2 once we have refreshed: halfway through.
        let refresh_at = (agreement.refresher == Refresher::Us).then(|| now + agreement.interval() / 2);
        Self { agreement, ends: now + agreement.patience(), refresh_at }
    }

    /// When a refresh or the end is due.
    pub(super) fn deadline(&self) -> Instant {
        self.refresh_at.map_or(self.ends, |at| at.min(self.ends))
    }

    /// Our refresh did not succeed: once more before the end, if there is time.
    fn retry(&mut self, now: Instant) {
        let wait = (self.ends.saturating_duration_since(now) / 2).max(SHORTEST_RETRY);
        self.refresh_at = Some(now + wait).filter(|at| *at < self.ends);
    }
}

impl Call {
    /// Begins the timer that this request's 2xx agrees to, and says so in it. One that cannot be agreed to was refused
    /// before.
    pub(super) fn agree_on_timer(&mut self, reply: Reply, request: &Request, desk: &Desk<'_>) -> Reply {
        self.least_session = least(&request.lines).max(self.least_session);
        let agreement = Agreement::of(request).ok().flatten();
        self.timer = agreement.map(|agreement| SessionTimer::begin(agreement, desk.now));
        match agreement {
            Some(agreement) => agreement.told(reply, request),
            None => reply,
        }
    }

    /// Refreshes if it is time, or ends the call that was not refreshed.
    pub(super) fn keep_session(&mut self, desk: &mut Desk<'_>) {
        let Some(timer) = self.timer.as_mut().filter(|_| matches!(self.stage, Stage::Up)) else { return };
        if desk.now >= timer.ends {
            return self.lose(desk);
        }
        if timer.refresh_at.is_none_or(|at| desk.now < at) {
            return;
        }
        timer.refresh_at = None;
        let mut more = timer.agreement.refresh(self.least_session);
        more.push(HeaderLine::new("Contact", format!("<{}>", self.dialog.contact(&desk.config.addresses))));
        if self.dialog.serves_update() {
            // RFC 4028 7.4: without an offer nothing else can change.
            self.refresh = Some(self.request(Method::Update, more, b"", desk));
        } else if self.unacknowledged.is_some() {
            timer.retry(desk.now); // RFC 3261 14.1: one INVITE at a time.
        } else {
            // RFC 4028 7.4: the description of before, under its version, says that nothing changes.
            more.push(HeaderLine::new("Content-Type", "application/sdp"));
            let described = self.described.clone();
            self.refresh = Some(self.request(Method::Invite, more, &described, desk));
        }
    }

    /// Does an offer of ours wait for its answer?
    pub(super) fn has_offered(&self) -> bool {
        self.refresh.as_ref().is_some_and(|refresh| refresh.method == Method::Invite)
    }

    /// The final response to our refresh.
    pub(super) fn on_refresh_response(&mut self, response: &Response, desk: &mut Desk<'_>) {
        let Some(refresh) = self.refresh.take() else { return };
        if refresh.method == Method::Invite {
            self.acknowledge(&refresh, response.status, desk);
        }
        if !matches!(self.stage, Stage::Up) {
            return;
        }
        match response.status {
            200..300 => self.on_refreshed(&refresh, response, desk),
            // RFC 4028 10.
            408 | 481 => self.lose(desk),
            _ => {
                if response.status == 422 {
                    self.least_session = least(&response.lines).max(self.least_session);
                }
                self.timer.iter_mut().for_each(|timer| timer.retry(desk.now));
            }
        }
    }

    fn on_refreshed(&mut self, refresh: &OurRequest, response: &Response, desk: &mut Desk<'_>) {
        self.dialog.refresh_target(&response.lines);
        let agreement = Agreement::of_response(&response.lines);
        self.timer = agreement.map(|agreement| SessionTimer::begin(agreement, desk.now));
        if refresh.method == Method::Invite && !self.take_answer(&response.body, desk) {
            self.lose(desk);
        }
    }

    /// RFC 4028 10: who does not answer a refresh is not there.
    pub(super) fn on_refresh_unanswered(&mut self, desk: &mut Desk<'_>) {
        self.refresh = None;
        self.lose(desk);
    }
}

/// A refusal of a refresh is seldom over at once.
const SHORTEST_RETRY: Duration = Duration::from_secs(4);
