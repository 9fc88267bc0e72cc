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
        let Some(mut link) = self.links.remove(&key) else { return };
        act(&mut link, &mut self.desk(now, out));
        self.link_agenda.set(&key, link.deadline());
        self.links.insert(key, link);
    }

    /// Lets all of them act.
    pub(super) fn with_links(&mut self, now: Instant, out: &mut Outbox, act: impl Fn(&mut Link, &mut Desk<'_>)) {
        let keys: Vec<LinkKey> = self.links.keys().copied().collect();
        keys.into_iter().for_each(|key| self.with_link(key, now, out, &act));
    }
}
