//! What the two sides agree on about audio, and what may change of it during a call: where audio goes, hold and resume (RFC 3261 14, RFC 3264 8, RFC 3311). Who calls may
//! not.

use rand_core::Rng;

use super::*;
use crate::caller::KeyWays;
use crate::caller::policy::names_another;
use crate::media::Security;
use crate::sip::identity::Headers;
use crate::sip::sdp::Unacceptable;
use crate::sip::session_timer::Agreement;

impl Call {
    /// A re-INVITE.
    pub(super) fn on_reinvite(&mut self, invite: &Incoming, desk: &mut Desk<'_>) {
        self.note(false, invite.request.summary(), desk);
        match self.renegotiate(&invite.request, desk) {
            Ok(proposal) => {
                self.dialog.refresh_target(&invite.request.lines);
                self.accept(invite, proposal.as_ref(), desk);
            }
            Err(refusal) => {
                let response = desk.written(&refusal.reply, &invite.request, invite.from, self.dialog.local_tag());
                desk.transactions.servers.refuse(&invite.key, self.dialog.local_tag(), response.clone(), desk.now);
                desk.send(response);
                self.note_reply(refusal.reply.status, &invite.request, desk);
                if refusal.ends_call {
                    self.lose(desk);
                }
            }
        }
    }

    /// An UPDATE: the same, answered at once and without an ACK; it may also bring no description at all.
    pub(super) fn on_update(&mut self, update: &Incoming, desk: &mut Desk<'_>) {
        self.note(false, update.request.summary(), desk);
        let reply = match self.renegotiate(&update.request, desk) {
            Ok(proposal) => {
                self.dialog.refresh_target(&update.request.lines);
                let reply = Reply::new(200).contact(&self.dialog.contact(&desk.config.addresses));
                let reply = self.agree_on_timer(reply, &update.request, desk);
                match proposal {
                    Some(proposal) => reply.sdp(self.describe(Some(&proposal), desk)),
                    None => reply,
                }
            }
            Err(Refusal { reply, ends_call: true }) => {
                self.respond(reply, update, desk);
                return self.lose(desk);
            }
            Err(Refusal { reply, .. }) => reply,
        };
        self.respond(reply, update, desk);
    }

    /// Takes the new description up, if there is one and everything is as it should be.
    fn renegotiate(&mut self, request: &Request, desk: &mut Desk<'_>) -> Result<Option<Proposal>, Refusal> {
        let in_order = self.dialog.advance(request);
        if matches!(self.stage, Stage::Ending { .. } | Stage::Over) {
            return Err(Refusal::of(481)); // Our BYE is under way.
        }
        if !in_order {
            return Err(Refusal::of(500)); // RFC 3261 12.2.2.
        }
        if self.unacknowledged.is_some() || matches!(self.stage, Stage::Asking { .. }) {
            // RFC 3261 14.2, RFC 3311 5.2: one at a time. Before the first ACK, nothing that this side says is believed.
            let seconds = desk.chance.next_u32() % 10 + 1;
            return Err(Refusal { reply: Reply::new(500).retry_after(seconds), ends_call: false });
        }
        let another =
            |headers: Headers<'_>| names_another(headers, &self.caller.number, self.named_by, self.profile(desk));
        if request.with_headers(another) {
            return Err(Refusal { reply: Reply::new(403), ends_call: true });
        }
        if self.has_offered() && (request.method == Method::Invite || !request.body.is_empty()) {
            return Err(Refusal::of(491)); // RFC 3261 14.2, RFC 3311 5.2: our own re-INVITE is under way.
        }
        if let Err(cause) = Agreement::of(request) {
            return Err(Refusal { reply: Reply::refusal(Reason::from(cause).status(), desk.chance), ends_call: false });
        }
        if request.body.is_empty() {
            return Ok(None);
        }
        let srtp = self.profile(desk).srtp;
        let proposal = Proposal::read(&request.body, &desk.config.addresses, srtp).map_err(Refusal::from)?;
        self.take_offer(&proposal, desk);
        Ok(Some(proposal))
    }

    /// The next description of our side: an answer, or an offer if there is nothing to answer.
    pub(super) fn describe(&mut self, proposal: Option<&Proposal>, desk: &Desk<'_>) -> Vec<u8> {
        self.description.version += 1;
        // Signalling and audio need not be of one family.
        let theirs = proposal.or(self.agreed.as_ref()).map(|theirs| theirs.remote.ip());
        if let Some(ours) = theirs.and_then(|theirs| desk.config.addresses.like(theirs)) {
            self.description.media.set_ip(ours.ip());
        }
        let described = match (proposal, &self.agreed) {
            (Some(proposal), _) => proposal.answer(&self.description),
            (None, Some(agreed)) => agreed.offer_again(&self.description),
            (None, None) => self.description.offer(),
        };
        self.described = Private::new(described);
        self.described.expose().clone()
    }

    /// Takes an offer up, with a key of ours if it has one of theirs. As long as theirs is the one of before, ours is, too: many
    /// re-INVITEs change something else, or nothing.
    pub(super) fn take_offer(&mut self, proposal: &Proposal, desk: &mut Desk<'_>) {
        let before = self.agreed.as_ref().and_then(|agreed| agreed.crypto.as_ref());
        if before != proposal.crypto.as_ref() {
            self.description.crypto = proposal.crypto.as_ref().map(|theirs| theirs.answer(desk.chance));
        }
        self.change_media(proposal, desk);
    }

    fn open_media(&mut self, proposal: &Proposal, desk: &mut Desk<'_>) {
        let plan = self.take_up(proposal, desk);
        let mut seed = [0; 32];
        desk.chance.fill_bytes(&mut seed);
        // RFC 3711 3.3.1: who misses the first packets must not miss a turn of the numbers.
        let unused_bits = if plan.security.is_some() { 17 } else { 16 };
        let start = RtpStart {
            ssrc: desk.chance.next_u32(),
            // RFC 3550 5.1: random, so that a known beginning helps nobody.
            sequence: (desk.chance.next_u32() >> unused_bits) as u16,
            timestamp: desk.chance.next_u32(),
            seed,
        };
        self.media = Media::Open;
        desk.out.push(Output::Media(
            self.key,
            MediaCommand::Open { port: self.port, plan, start, language: self.language },
        ));
    }

    fn take_up(&mut self, proposal: &Proposal, desk: &Desk<'_>) -> MediaPlan {
        let ways = self.profile(desk).keys;
        self.keys.agree(proposal.keys.is_some(), ways);
        self.agreed = Some(proposal.clone());
        let security = self.description.crypto.as_ref().zip(proposal.crypto.as_ref());
        let security = security.map(|(ours, theirs)| ours.with(theirs));
        plan(proposal, security, self.profile(desk))
    }

    /// The answer to our offer, in an ACK or in the 200 to our re-INVITE. Says whether it can be taken up.
    pub(super) fn take_answer(&mut self, body: &[u8], desk: &mut Desk<'_>) -> bool {
        let srtp = self.profile(desk).srtp;
        let answer = Proposal::read_answer(body, &desk.config.addresses, &self.description, self.agreed.as_ref(), srtp);
        let Ok(proposal) = answer else { return false };
        // RFC 8643 3.2: protection that was offered and need not be.
        if proposal.crypto.is_none() {
            self.description.crypto = None;
        }
        self.change_media(&proposal, desk);
        true
    }

    fn change_media(&mut self, proposal: &Proposal, desk: &mut Desk<'_>) {
        if self.media == Media::Unopened {
            return self.open_media(proposal, desk);
        }
        let plan = self.take_up(proposal, desk);
        desk.out.push(Output::Media(self.key, MediaCommand::Change(plan)));
    }
}

/// What offer and answer agreed on, as far as this trunk is believed.
fn plan(proposal: &Proposal, security: Option<Security>, profile: &TrunkProfile) -> MediaPlan {
    MediaPlan {
        remote: proposal.remote,
        control: proposal.control,
        codec: proposal.codec,
        event_payload_type: proposal.keys.map(|keys| keys.payload_type),
        hears_tones: proposal.keys.is_none() || profile.keys == KeyWays::Auto,
        packet_time: proposal.packet_time,
        media_networks: profile
            .media_networks
            .iter()
            .map(|network| (network.address(), network.prefix_length()))
            .collect(),
        held: proposal.is_held(),
        latch_any: profile.nat,
        security,
    }
}

/// Why a change is not made.
struct Refusal {
    reply: Reply,
    /// The call cannot go on, either.
    ends_call: bool,
}

impl Refusal {
    fn of(status: u16) -> Self {
        Self { reply: Reply::new(status), ends_call: false }
    }
}

impl From<Unacceptable> for Refusal {
    fn from(cause: Unacceptable) -> Self {
        Self::of(Reason::from(cause).status())
    }
}
