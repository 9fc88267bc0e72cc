//! What the endpoint does for its links: it lets one act, and keeps its deadline.

use super::*;

impl Endpoint {
    /// Lets a link act.
    pub(super) fn with_link(
        &mut self,
        key: LinkKey,
        now: Instant,
        out: &mut Outbox,
        act: impl FnOnce(&mut Link, &mut Desk<'_>),
    ) {
        let Some(link) = self.links.get_mut(key.0) else { return };
        let mut desk = Desk {
            config: &self.config,
            transactions: &mut self.transactions,
            chance: &mut self.chance,
            counters: &mut self.counters,
            now,
            out,
        };
        act(link, &mut desk);
        self.link_agenda.set(&key, link.deadline());
    }

    /// Lets all of them act.
    pub(super) fn with_links(&mut self, now: Instant, out: &mut Outbox, act: impl Fn(&mut Link, &mut Desk<'_>)) {
        for key in (0..self.links.len()).map(LinkKey) {
            self.with_link(key, now, out, &act);
        }
    }
}
