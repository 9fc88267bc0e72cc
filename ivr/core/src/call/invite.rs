//! The INVITE of a call and its final response, and any later INVITE's 2xx until its ACK.

use super::*;

/// A 2xx to an INVITE, repeated until its ACK (RFC 3261 13.3.1.4).
#[derive(Debug)]
pub(super) struct Unacknowledged {
    pub(super) resending: Resending,
    /// The INVITE's number, which the ACK bears.
    cseq: u32,
    summary: String,
    /// The offer was ours: the ACK brings the answer.
    wants_answer: bool,
}

impl Call {
    /// 200 with our answer, or with our offer if there was none.
    pub(super) fn answer(&mut self, purpose: Purpose, desk: &mut Desk<'_>) {
        let Stage::Asking { invite, proposal, .. } = std::mem::replace(&mut self.stage, Stage::Up) else { return };
        if let Some(proposal) = &proposal {
            self.take_offer(proposal, desk);
        }
        self.flow = Some(Flow::new(self.caller.clone(), purpose, desk.now));
        desk.counters.answered += 1;
        self.record(Entry::Answered { setup: desk.now - self.began }, desk);
        self.accept(&invite, proposal.as_ref(), desk);
    }

    /// A 2xx to an INVITE, to be repeated until its ACK.
    pub(super) fn accept(&mut self, invite: &Incoming, proposal: Option<&Proposal>, desk: &mut Desk<'_>) {
        let sdp = self.describe(proposal, desk);
        let reply = Reply::new(200).contact(&self.dialog.contact(&desk.config.addresses)).allow().supported().sdp(sdp);
        let reply = self.agree_on_timer(reply, &invite.request, desk);
        let (to, bytes) = desk.written(&reply, &invite.request, invite.from, self.dialog.local_tag());
        desk.transactions.servers.accept(&invite.key, self.dialog.local_tag(), desk.now);
        desk.send((to, bytes.clone()));
        self.note_reply(200, &invite.request, desk);
        self.unacknowledged = Some(Unacknowledged {
            resending: Resending::end_to_end(to, bytes, desk.now),
            cseq: invite.request.cseq,
            summary: reply_summary(200, &invite.request),
            wants_answer: proposal.is_none(),
        });
    }

    /// A final refusal of the INVITE, and the end. Nothing happens if it was answered before.
    pub(super) fn refuse(&mut self, reason: Reason, desk: &mut Desk<'_>) {
        let before = std::mem::replace(&mut self.stage, Stage::Over);
        let Stage::Asking { invite, .. } = before else {
            self.stage = before;
            return;
        };
        // A caller who gives up is not refused.
        if reason != Reason::Cancelled {
            desk.counters.count_refused(self.caller.realm);
        }
        let status = reason.status();
        let refusal = Reply::refusal(status, desk.chance);
        let refusal = desk.written(&refusal, &invite.request, invite.from, self.dialog.local_tag());
        desk.transactions.servers.refuse(&invite.key, self.dialog.local_tag(), refusal.clone(), desk.now);
        desk.send(refusal);
        self.note_reply(status, &invite.request, desk);
        let claimed = Some(self.caller.number.clone());
        self.record(Entry::Refused { reason, claimed }, desk);
    }

    /// The caller gave up before we answered (RFC 3261 9.2). Afterwards a CANCEL has no effect.
    pub(crate) fn on_cancel(&mut self, cancel: &Incoming, desk: &mut Desk<'_>) {
        self.note(false, cancel.request.summary(), desk);
        self.respond(Reply::new(200), cancel, desk);
        self.refuse(Reason::Cancelled, desk);
    }

    /// An ACK with our tag.
    pub(crate) fn on_ack(&mut self, ack: &Incoming, desk: &mut Desk<'_>) {
        self.dialog.come_over(ack.from);
        let ack = &ack.request;
        let fits = self.unacknowledged.as_ref().is_some_and(|waiting| waiting.cseq == ack.cseq);
        let Some(waiting) = self.unacknowledged.take_if(|_| fits) else { return };
        self.note(false, ack.summary(), desk);
        if self.gave_way {
            return self.hang_up(desk);
        }
        if waiting.wants_answer && !self.take_answer(&ack.body, desk) {
            return self.lose(desk);
        }
        if !self.confirmed {
            self.confirmed = true;
            desk.counters.confirmed += 1;
            desk.out.push(Output::Media(self.key, MediaCommand::Listen));
            self.tell(Event::Confirmed, desk);
        }
    }

    pub(super) fn repeat_unacknowledged(&mut self, desk: &mut Desk<'_>) {
        let Some(waiting) = &mut self.unacknowledged else { return };
        let mut repeated = Vec::new();
        match waiting.resending.on_timeout(desk.now, &mut repeated) {
            Resent::Waiting => {}
            Resent::Again => {
                let summary = waiting.summary.clone();
                desk.counters.retransmissions += 1;
                repeated.into_iter().for_each(|sending| desk.send(sending));
                self.note(true, summary, desk);
            }
            Resent::GaveUp => {
                // RFC 3261 13.3.1.4: the dialog is there, so it is ended by a BYE.
                self.unacknowledged = None;
                desk.counters.never_acknowledged += 1;
                self.lose(desk);
            }
        }
    }
}
