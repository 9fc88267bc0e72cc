//! Requests of ours in the dialog: the BYE, and the refresh of its session.

use super::*;
use crate::sip::client_transactions::Asker;
use crate::sip::dialog::Draft;
use crate::sip::header_lines::HeaderLine;
use crate::sip::message::{Response, Status};
use crate::sip::peer::Peer;
use crate::sip::resending::Sending;

/// One that was sent.
#[derive(Debug)]
pub(super) struct OurRequest {
    pub(super) method: Method,
    pub(super) cseq: u32,
    pub(super) branch: String,
}

impl Call {
    /// Sends a request, until it is answered.
    pub(super) fn request(
        &mut self,
        method: Method,
        more: Vec<HeaderLine>,
        body: &[u8],
        desk: &mut Desk<'_>,
    ) -> OurRequest {
        let (cseq, branch) = (self.dialog.next_cseq(), branch(desk.chance));
        let (sending, summary) = self.written(Draft { method, cseq, branch: &branch, more, body }, desk);
        desk.transactions.clients.send(&branch, Asker::Call(self.key), method, sending.clone(), desk.now);
        desk.send(sending);
        self.note(true, summary, desk);
        OurRequest { method, cseq, branch }
    }

    /// Acknowledges the final response to our INVITE, that one too whose call is over by now.
    pub(super) fn acknowledge(&mut self, ours: &OurRequest, status: u16, desk: &mut Desk<'_>) {
        // RFC 3261 13.2.2.4: the ACK of a 2xx is a transaction of its own; 17.1.1.3: any other is the INVITE's.
        let branch = if status < 300 { branch(desk.chance) } else { ours.branch.clone() };
        let ack = Draft { method: Method::Ack, cseq: ours.cseq, branch: &branch, more: Vec::new(), body: b"" };
        let (sending, summary) = self.written(ack, desk);
        desk.transactions.clients.acknowledged(&ours.branch, sending.clone(), desk.now);
        desk.send(sending);
        self.note(true, summary, desk);
    }

    fn written(&self, draft: Draft<'_>, desk: &Desk<'_>) -> (Sending, String) {
        let profile = self.profile(desk);
        let may_go = |hop: &Peer, before: &Peer| profile.may_follow(hop, before);
        self.dialog.write(draft, &desk.config.addresses, desk.config.server.as_deref(), may_go)
    }

    /// A final response to one of them.
    pub(crate) fn on_response(&mut self, response: &Response, desk: &mut Desk<'_>) {
        let summary = format!("SIP/2.0 {} ({} {})", Status(response.status), response.cseq, response.method);
        self.note(false, summary, desk);
        match response.method {
            Method::Bye => self.on_bye_over(desk),
            _ => self.on_refresh_response(response, desk),
        }
    }

    /// Nobody answers one of them.
    pub(crate) fn on_no_response(&mut self, method: Method, desk: &mut Desk<'_>) {
        match method {
            Method::Bye => self.on_bye_over(desk),
            _ => self.on_refresh_unanswered(desk),
        }
    }

    /// Our BYE was answered, or nobody answers it: whatever ends it ends the call.
    fn on_bye_over(&mut self, desk: &mut Desk<'_>) {
        if let Stage::Ending { bye, .. } = &mut self.stage {
            *bye = false;
            self.settle(desk);
        }
    }

    /// Sends a BYE.
    pub(super) fn hang_up(&mut self, desk: &mut Desk<'_>) {
        if !matches!(self.stage, Stage::Up) {
            return;
        }
        self.request(Method::Bye, Vec::new(), b"", desk);
        self.unacknowledged = None;
        self.part(true, desk);
    }
}
