//! The protection of a call's packets, both ways and through changes of its keys.

use super::security::Security;
use super::srtp::{NotAuthentic, Numbers, Receiver, Sender};

/// What protects our packets and opens theirs.
#[derive(Debug)]
pub(crate) struct Protection {
    security: Security,
    sender: Sender,
    receiver: Receiver,
    /// Of the key before, until something came under the present one: their packets are under way when they learn our answer.
    former: Option<Receiver>,
}

impl Protection {
    pub(crate) fn new(security: &Security) -> Box<Self> {
        Box::new(Self {
            sender: Sender::new(&security.ours, security.suite, Numbers::default()),
            receiver: Receiver::new(security),
            former: None,
            security: security.clone(),
        })
    }

    /// A later description agreed on this. A key that stays goes on where it was: its numbers must not come again.
    pub(crate) fn change(&mut self, security: &Security) {
        let before = std::mem::replace(&mut self.security, security.clone());
        let is_same_suite = before.suite == security.suite;
        if !is_same_suite || before.ours != security.ours {
            self.sender = Sender::new(&security.ours, security.suite, self.sender.numbers());
        }
        if !is_same_suite || (&before.theirs, before.key_name_bytes) != (&security.theirs, security.key_name_bytes) {
            let former = std::mem::replace(&mut self.receiver, Receiver::new(security));
            // Of two that have heard nothing, the older is in use.
            self.former = Some(former).filter(Receiver::has_heard).or(self.former.take());
        }
    }

    /// Protects the first `length` octets of a packet and says how many there are then.
    pub(crate) fn protect(&mut self, packet: &mut [u8], length: usize) -> usize {
        self.sender.protect(packet, length)
    }

    /// The same of a report.
    pub(crate) fn protect_report(&mut self, packet: &mut [u8], length: usize) -> usize {
        self.sender.protect_report(packet, length)
    }

    /// Opens a packet in its place and says how long it is.
    pub(crate) fn open(&mut self, packet: &mut [u8]) -> Result<usize, NotAuthentic> {
        self.by_either_key(|receiver| receiver.open(packet))
    }

    /// The same of a report.
    pub(crate) fn open_report(&mut self, packet: &mut [u8]) -> Result<usize, NotAuthentic> {
        self.by_either_key(|receiver| receiver.open_report(packet))
    }

    fn by_either_key(
        &mut self,
        mut open: impl FnMut(&mut Receiver) -> Result<usize, NotAuthentic>,
    ) -> Result<usize, NotAuthentic> {
        match (open(&mut self.receiver), &mut self.former) {
            (Err(NotAuthentic), Some(former)) => open(former),
            (opened, former) => {
                if opened.is_ok() {
                    *former = None;
                }
                opened
            }
        }
    }
}
