//! 180, or 100: what the caller hears before the store has answered, reliably where it must be (RFC 3262).
//!
//! A caller that only supports 100rel gets a plain 180 (RFC 3262 3 leaves that to us): ours says nothing that is missed
//! when it is lost, and carriers take either. What we repeat until a PRACK comes, a forged source would have us send to
//! its victim.

use super::*;

/// A 180 that was sent reliably and that no PRACK has named yet.
#[derive(Debug)]
pub(super) struct Reliable {
    rseq: u32,
    /// The INVITE's number.
    cseq: u32,
    resending: Resending,
    summary: String,
}

impl Reliable {
    /// When it is sent again, if the INVITE has no final response by then.
    pub(super) fn deadline(&self) -> Instant {
        self.resending.deadline()
    }
}

/// What a PRACK acknowledges (RFC 3262 7.2).
#[derive(Debug, PartialEq, Eq)]
struct RAck {
    rseq: u32,
    cseq: u32,
}

impl RAck {
    /// Reads the header; only an INVITE has responses to acknowledge.
    fn read(value: &str) -> Option<Self> {
        let mut parts = value.split_ascii_whitespace();
        let (rseq, cseq, method) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
        (method == "INVITE" && parts.next().is_none()).then_some(Self { rseq, cseq })
    }
}

impl Call {
    /// Sends 180; only where that may not be sent, 100 (RFC 3261 17.2.1: who sends a provisional response at once needs none).
    pub(super) fn ring(&mut self, invite: &Incoming, has_offer: bool, desk: &mut Desk<'_>) {
        let must_be_reliable = invite.request.requires("100rel");
        if must_be_reliable && !has_offer {
            // RFC 3262 5: the first reliable response would have to bring our offer, and the 200 to wait for the PRACK
            // with the answer. Nobody asks for a 180: there is none.
            let trying = desk.written(&Reply::new(100), &invite.request, invite.from, "");
            desk.send(trying.clone());
            self.note_reply(100, &invite.request, desk);
            return desk.transactions.servers.open(&invite.key, &invite.request, self.key, trying);
        }
        let ringing = Reply::new(180).contact(&self.dialog.contact(&desk.config.addresses));
        // RFC 3262 3: drawn from 1 to 2^31 - 1.
        let rseq = must_be_reliable.then(|| (desk.chance.next_u32() >> 1).max(1));
        let ringing = match rseq {
            Some(rseq) => ringing.require("100rel").header("RSeq", rseq.to_string()),
            None => ringing,
        };
        let (to, bytes) = desk.written(&ringing, &invite.request, invite.from, self.dialog.local_tag());
        desk.transactions.servers.open(&invite.key, &invite.request, self.key, (to, bytes.clone()));
        desk.send((to, bytes.clone()));
        self.note_reply(180, &invite.request, desk);
        self.reliable = rseq.map(|rseq| Reliable {
            rseq,
            cseq: invite.request.cseq,
            resending: Resending::end_to_end(to, bytes, desk.now).doubling(),
            summary: reply_summary(180, &invite.request),
        });
    }

    /// Sends the 180 again, if it is time. The call gives up asking before 64*T1, and any final response ends this: ours
    /// has no description, so even a 2xx need not wait for the PRACK (RFC 3262 3).
    pub(super) fn repeat_ringing(&mut self, desk: &mut Desk<'_>) {
        const { assert!(STORE_LIMIT.as_secs() < LIFETIME.as_secs()) };
        let Some(reliable) = &mut self.reliable else { return };
        let mut repeated = Vec::new();
        if reliable.resending.on_timeout(desk.now, &mut repeated) != Resent::Again {
            return;
        }
        let summary = reliable.summary.clone();
        desk.counters.retransmissions += 1;
        repeated.into_iter().for_each(|sending| desk.send(sending));
        self.note(true, summary, desk);
    }

    /// A PRACK: it may also come after the final response.
    pub(super) fn on_prack(&mut self, prack: &Incoming, desk: &mut Desk<'_>) {
        let Some(named) = prack.request.lines.value("RAck").and_then(RAck::read) else {
            return self.respond(Reply::new(400), prack, desk);
        };
        let matches = |reliable: &mut Reliable| named == RAck { rseq: reliable.rseq, cseq: reliable.cseq };
        let status = match self.reliable.take_if(matches) {
            None => 481,
            // RFC 3262 5: an offer may come here only once the INVITE's has its answer, and that is in our 200.
            Some(_) if !prack.request.body.is_empty() => 488,
            Some(_) => 200,
        };
        self.respond(Reply::new(status), prack, desk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prack_names_one_response_to_an_invite() {
        for (value, expected) in [
            ("776656 1 INVITE", Some((776_656, 1))),
            ("  776656\t1   INVITE ", Some((776_656, 1))),
            ("4294967295 0 INVITE", Some((u32::MAX, 0))),
            ("4294967296 1 INVITE", None),
            ("776656 1 invite", None),
            ("776656 1 UPDATE", None),
            ("776656 1", None),
            ("776656 1 INVITE x", None),
            ("-1 1 INVITE", None),
            ("", None),
        ] {
            assert_eq!(RAck::read(value).map(|named| (named.rseq, named.cseq)), expected, "{value:?}");
        }
    }
}
