//! A new INVITE: refused without a trace of state, or a call.

use super::probes::Taken;
use super::refusal::RECORDED_OF_THE_SANDBOX;
use super::*;
use crate::call::{Incoming, Opening, unguessable};
use crate::caller::probe::{self, Capture};
use crate::caller::{self, Assessed, PassportVerdict, Passports, Realm, Reason, Verdict};
use crate::sip::dialog::Dialog;
use crate::sip::digest::challenger::{self, Proof, Scope};
use crate::sip::message::{Asked, Reply, shortened};
use crate::sip::sdp::{Proposal, Unacceptable};
use crate::sip::session_timer::{Agreement, Unagreeable};

/// Why an INVITE does not become a call.
enum Turned {
    /// Its sender must prove an account first.
    Challenged {
        /// The password was right, and only the nonce was not.
        is_stale: bool,
    },
    /// It is refused.
    Away(Refused),
}

impl From<Refused> for Turned {
    fn from(refused: Refused) -> Self {
        Self::Away(refused)
    }
}

/// The refusal of an INVITE.
struct Refused {
    reason: Reason,
    /// Who calls, if the checks on that had passed, or all but the last.
    caller: Option<Box<Caller>>,
    claimed: Option<Number>,
}

impl Refused {
    fn new(reason: Reason) -> Self {
        Self { reason, caller: None, claimed: None }
    }
}

impl From<Box<caller::Refusal>> for Refused {
    fn from(refusal: Box<caller::Refusal>) -> Self {
        let caller::Refusal { reason, claimed, caller, .. } = *refusal;
        Self { claimed, caller: caller.map(Box::new), ..Self::new(reason) }
    }
}

impl Endpoint {
    /// The media thread has bound these: the service is ready.
    pub(super) fn take_calls(&mut self, rtp_ports: Vec<u16>) {
        if self.door != Door::NotYetOpen {
            return;
        }
        self.door = Door::Open;
        self.ports = Ports::new(rtp_ports.len());
        self.config.rtp_ports = rtp_ports;
    }

    /// An INVITE outside of any dialog, from a trunk, not heard before.
    pub(super) fn on_invite(&mut self, incoming: Incoming, trunk: TrunkIndex, now: Instant, out: &mut Outbox) {
        let Incoming { request, .. } = &incoming;
        let tag = || self.tags.tag(&request.via, &request.lines);
        match self.probes.take(trunk, request, tag, now) {
            Taken::No => {}
            taken => return self.answer_probe(taken, &incoming, trunk, now, out),
        }
        if let Some(reason) = self.refused_before(request, trunk, now) {
            return self.refuse(Refused::new(reason), &incoming, trunk, now, out);
        }
        match self.pass(&incoming, trunk, now) {
            Ok(opening) => {
                self.counters.invites += 1;
                let (key, line) = (opening.key, opening.caller.line());
                self.make_way(&line, now, out);
                self.by_tag.insert(opening.dialog.local_tag().to_owned(), key);
                let call = Box::new(Call::open(opening, incoming, &mut self.desk(now, out)));
                self.tallies[trunk.0].calls += 1;
                self.tallies[trunk.0].unacknowledged += 1;
                self.lines.take(line, key);
                self.agenda.set(&key, call.deadline());
                self.calls.insert(key, call);
            }
            Err(Turned::Away(refused)) => self.refuse(refused, &incoming, trunk, now, out),
            Err(Turned::Challenged { is_stale }) => self.challenge(is_stale, &incoming, trunk, now, out),
        }
    }

    /// What was announced is refused before anything is done for it, and told.
    fn answer_probe(&mut self, taken: Taken, invite: &Incoming, trunk: TrunkIndex, now: Instant, out: &mut Outbox) {
        if let Taken::Now(expected) = taken {
            let Incoming { request, from, .. } = invite;
            let capture = Capture::of(&self.config.policy, trunk, *from, &request.uri, &request.lines.pairs());
            out.push(Output::Probed(trunk, Box::new(probe::Call { expected, capture })));
        }
        self.refuse(Refused::new(Reason::Probe), invite, trunk, now, out);
    }

    /// Why this INVITE was refused, if it comes again over a trunk with an account: its answer, which used up a count of the
    /// nonce, would be challenged now, but the same request gets the same response (RFC 3261 8.2.7).
    fn refused_before(&mut self, invite: &Request, trunk: TrunkIndex, now: Instant) -> Option<Reason> {
        let profile = self.config.policy.trunk(trunk);
        profile.digest.as_ref()?;
        self.refusals.of(profile.realm).reason(&self.tags.tag(&invite.via, &invite.lines), now)
    }

    /// The checks, the cheapest first: an overload must not cost more than it has to.
    fn pass(&mut self, incoming: &Incoming, trunk: TrunkIndex, now: Instant) -> Result<Opening, Turned> {
        self.check_limits(trunk)?;
        self.check_login(incoming, trunk, now)?;
        Ok(self.admit(&incoming.request, incoming.from, trunk, now)?)
    }

    /// A trunk with an account must prove it in every INVITE that opens a dialog. What follows in the dialog bears its tags,
    /// which nobody else knows; an ACK and a CANCEL are never challenged (RFC 3261 22.1).
    fn check_login(
        &mut self,
        Incoming { request, from, .. }: &Incoming,
        trunk: TrunkIndex,
        now: Instant,
    ) -> Result<(), Turned> {
        let Some(account) = &self.config.policy.trunk(trunk).digest else { return Ok(()) };
        let scope = Scope { trunk, ip: from.ip() };
        match self.challenger.check(account, request, scope, now) {
            Proof::Right => Ok(()),
            Proof::Wrong => Err(Refused::new(Reason::Credentials).into()),
            Proof::Missing => Err(Turned::Challenged { is_stale: false }),
            Proof::Stale => Err(Turned::Challenged { is_stale: true }),
        }
    }

    /// 401, which leaves nothing behind (RFC 3261 22.2).
    fn challenge(
        &mut self,
        is_stale: bool,
        Incoming { request, from, .. }: &Incoming,
        trunk: TrunkIndex,
        now: Instant,
        out: &mut Outbox,
    ) {
        let Some(account) = &self.config.policy.trunk(trunk).digest else { return };
        self.counters.challenged += 1;
        let mut random = [0; challenger::RANDOM];
        self.chance.fill_bytes(&mut random);
        let scope = Scope { trunk, ip: from.ip() };
        let challenges = self.challenger.challenge(account, scope, is_stale, random, now);
        let reply = challenges.iter().fold(Reply::new(401), |reply, one| reply.header("WWW-Authenticate", one));
        self.reply_stateless(&reply, &Asked::of(request, *from), out);
    }

    /// The checks of who calls and of what is offered.
    fn admit(&mut self, invite: &Request, from: Peer, trunk: TrunkIndex, now: Instant) -> Result<Opening, Refused> {
        let (caller, unsettled) = self.judge(invite, from)?;
        let refused = |reason| Refused {
            claimed: Some(caller.number.clone()),
            caller: Some(Box::new(caller.clone())),
            ..Refused::new(reason)
        };
        let line = caller.line();
        if self.is_busy(&line) && !self.can_make_way(&line, now) {
            return Err(refused(Reason::NumberBusy));
        }
        let proposal = (!invite.body.is_empty())
            .then(|| Proposal::read(&invite.body, &self.config.addresses, self.config.policy.trunk(trunk).srtp))
            .transpose()
            .map_err(|cause| refused(cause.into()))?;
        Agreement::of(invite).map_err(|cause| refused(cause.into()))?;
        // The last check: what the others refuse costs little.
        if !self.tallies[trunk.0].rate.admit(self.config.policy.trunk(trunk).pace, now) {
            return Err(refused(Reason::TrunkRate));
        }
        let tag = unguessable(&mut self.chance);
        let dialog = Dialog::open(invite, tag, from).map_err(|_| refused(Reason::NoContact))?;
        let port = self.ports.draw(&mut self.chance, now);
        let port = port.ok_or_else(|| refused(Reason::NoPort))?;
        self.last_key += 1;
        Ok(Opening { key: CallKey(self.last_key), trunk, caller, unsettled, dialog, port, proposal })
    }

    /// Has this number as many calls as it may have?
    fn is_busy(&self, line: &Line) -> bool {
        self.lines.of(line).len() >= self.config.limits.calls_of_a_number
    }

    /// The call that gives its line to a newer one: the oldest that may be forged. Two such must not keep the owner of their number
    /// out until they are given up; and they must not displace a call that is certainly the owner's.
    fn yielding(&self, line: &Line) -> Option<CallKey> {
        let may_be_forged = |key: &CallKey| self.calls.get(key).is_some_and(|call| call.may_be_forged());
        self.lines.of(line).iter().copied().find(may_be_forged).filter(|_| self.lines.may_displace(line))
    }

    /// Does a call give its line to the next? One that rings is refused for that, and recorded: no more of them in a second than
    /// of the other refusals.
    fn can_make_way(&mut self, line: &Line, now: Instant) -> bool {
        let Some(key) = self.yielding(line) else { return false };
        let (realm, is_ringing) = (line.0, self.calls.get(&key).is_some_and(|call| call.is_ringing()));
        let most = self.recorded_refusals(realm);
        !is_ringing || self.refusals.of(realm).admit(most, now)
    }

    fn make_way(&mut self, line: &Line, now: Instant, out: &mut Outbox) {
        if let Some(key) = self.yielding(line).filter(|_| self.is_busy(line)) {
            self.lines.displace(line, key);
            self.with(key, now, out, |call, desk| call.give_way(desk));
        }
    }

    /// How many refusals of a realm are recorded in a second.
    fn recorded_refusals(&self, realm: Realm) -> u32 {
        let most = self.config.limits.recorded_refusals_per_second;
        match realm {
            Realm::Service => most,
            Realm::Sandbox => most.min(RECORDED_OF_THE_SANDBOX),
        }
    }

    fn check_limits(&self, trunk: TrunkIndex) -> Result<(), Refused> {
        let (profile, tally) = (self.config.policy.trunk(trunk), self.tallies[trunk.0]);
        match self.door {
            Door::NotYetOpen => return Err(Refused::new(Reason::Starting)),
            Door::Open => {}
            Door::Closed => return Err(Refused::new(Reason::Draining)),
        }
        if self.calls.len() >= self.config.limits.calls {
            return Err(Refused::new(Reason::NodeFull));
        }
        if tally.calls >= profile.max_calls {
            return Err(Refused::new(Reason::TrunkFull));
        }
        if tally.unacknowledged >= profile.pace.unacknowledged {
            return Err(Refused::new(Reason::UnacknowledgedFull));
        }
        Ok(())
    }

    /// Who calls; and what is not settled yet, if a signed identity is to be verified.
    fn judge(&self, invite: &Request, from: Peer) -> Result<(Caller, Option<Box<Assessed>>), Refused> {
        let policy = &self.config.policy;
        let assessed = caller::assess(policy, &from, &invite.uri, &invite.lines.pairs())?;
        if self.config.passports == Passports::Verified && assessed.passport().is_some() {
            let assessed = assessed.at_best(policy)?;
            return Ok((assessed.caller(policy, PassportVerdict::Unverified), Some(Box::new(assessed))));
        }
        match assessed.settle(policy, PassportVerdict::Unverified) {
            Verdict::Accept { caller, .. } => Ok((caller, None)),
            Verdict::Refuse(refusal) => Err(refusal.into()),
        }
    }

    fn refuse(&mut self, refused: Refused, invite: &Incoming, trunk: TrunkIndex, now: Instant, out: &mut Outbox) {
        let Incoming { request, from, .. } = invite;
        let asked = Asked::of(request, *from);
        let Refused { reason, caller, claimed } = refused;
        let status = reason.status();
        let reply = Reply::refusal(status, &mut self.chance);
        self.reply_stateless(&reply, &asked, out);
        let realm = self.config.policy.trunk(trunk).realm;
        let most = self.recorded_refusals(realm);
        let records = self.refusals.of(realm);
        if records.is_repeated(self.tags.tag(asked.via, asked.lines), reason, now) {
            return self.counters.retransmitted_requests += 1;
        }
        self.counters.invites += 1;
        self.counters.count_refused(realm);
        match realm {
            Realm::Service if !records.admit(most, now) => return self.counters.unrecorded_refusals += 1,
            // Anybody may call the sandbox from anywhere, and leaves no record before being let in.
            Realm::Sandbox if claimed.is_none() || !records.admit(most, now) => return,
            Realm::Service | Realm::Sandbox => {}
        }
        self.last_key += 1;
        let key = CallKey(self.last_key);
        let profile = self.config.policy.trunk(trunk);
        let message = |sent, summary| Entry::Message { sent, summary: Private::new(summary) };
        let entries = [
            Entry::Began {
                sip_call_id: shortened(&request.call_id).to_owned(),
                trunk: Some(profile.name.clone()),
                realm,
                source: from.address,
                caller: caller.map(|caller| *caller),
            },
            message(false, request.summary()),
            message(true, reply_summary(status, request)),
            Entry::Refused { reason, claimed },
        ];
        out.extend(entries.map(|entry| Output::Record(key, entry)));
    }
}

impl From<Unacceptable> for Reason {
    fn from(cause: Unacceptable) -> Self {
        match cause {
            Unacceptable::Unreadable => Self::BadOffer,
            Unacceptable::NoCommonCodec => Self::NoCodec,
            Unacceptable::NotProtected => Self::NoSrtp,
        }
    }
}

impl From<Unagreeable> for Reason {
    fn from(cause: Unagreeable) -> Self {
        match cause {
            Unagreeable::Unreadable => Self::BadSessionTimer,
            Unagreeable::TooShort => Self::SessionTooShort,
        }
    }
}
