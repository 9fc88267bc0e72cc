//! Whom the operator believes: the anchors, and the revocation lists. Both are the operator's files; none is shipped.

use x509_parser::pem::Pem;

use super::Fault;
use super::certificate::Certificate;
use super::revocation::RevocationList;

/// Anchors and revocation lists. Without anchors nobody is believed.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    anchors: Vec<Certificate>,
    lists: Vec<RevocationList>,
}

/// Why a file of anchors or lists cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// No PEM block of the kind that is wanted, or something that is no PEM.
    #[error("there is no PEM block {0} in it, or it is damaged")]
    Nothing(&'static str),
    /// The n-th certificate, counted from 1.
    #[error("certificate {place} cannot be an anchor: {fault}")]
    Certificate {
        /// Counted from 1.
        place: usize,
        /// Why not.
        fault: Fault,
    },
    /// It may sign neither certificates nor lists.
    #[error("certificate {place} is no anchor: it is neither a CA's with keyCertSign nor for cRLSign")]
    NoIssuer {
        /// Counted from 1.
        place: usize,
    },
    /// The n-th list, counted from 1.
    #[error(
        "revocation list {place} cannot be read: it must be signed with P-256, whole (no delta) and for all reasons"
    )]
    List {
        /// Counted from 1.
        place: usize,
    },
}

impl Trust {
    /// Reads PEM: certificates that are trusted, each as it is, as issuers of certificates or of revocation lists.
    ///
    /// # Errors
    /// If there is none, or one can serve as neither.
    pub fn anchored(pem: &[u8]) -> Result<Self, Untrusted> {
        let blocks = blocks(pem, CERTIFICATE)?;
        let anchors = blocks.iter().zip(1..).map(|(block, place)| {
            let anchor =
                Certificate::from_der(&block.contents).map_err(|fault| Untrusted::Certificate { place, fault })?;
            let serves = anchor.may_issue(0) || anchor.usage.signs_lists;
            if serves { Ok(anchor) } else { Err(Untrusted::NoIssuer { place }) }
        });
        Ok(Self { anchors: anchors.collect::<Result<_, _>>()?, lists: Vec::new() })
    }

    /// Looks into these lists, too: PEM, any number of them.
    ///
    /// # Errors
    /// If there is none, or one cannot be read.
    pub fn with_lists(mut self, pem: &[u8]) -> Result<Self, Untrusted> {
        for (block, place) in blocks(pem, "X509 CRL")?.iter().zip(1..) {
            self.lists.push(RevocationList::from_der(&block.contents).ok_or(Untrusted::List { place })?);
        }
        Ok(self)
    }

    /// How many certificates are trusted.
    pub fn anchor_count(&self) -> usize {
        self.anchors.len()
    }

    /// Until when its anchors and lists hold, in seconds since 1970: the first end of each.
    pub fn ends_at(&self) -> (Option<i64>, Option<i64>) {
        let anchors = self.anchors.iter().map(|anchor| anchor.validity.to).min();
        (anchors, self.lists.iter().map(|list| list.validity().to).min())
    }

    pub(super) fn anchors(&self) -> &[Certificate] {
        &self.anchors
    }

    pub(super) fn lists(&self) -> &[RevocationList] {
        &self.lists
    }
}

/// The PEM blocks with this label, of which there is at least one.
pub(super) fn blocks(pem: &[u8], label: &'static str) -> Result<Vec<Pem>, Untrusted> {
    let blocks: Result<Vec<Pem>, _> = Pem::iter_from_buffer(pem).collect();
    let mut blocks = blocks.map_err(|_| Untrusted::Nothing(label))?;
    blocks.retain(|block| block.label == label);
    if blocks.is_empty() { Err(Untrusted::Nothing(label)) } else { Ok(blocks) }
}

/// RFC 7468 5.
pub(super) const CERTIFICATE: &str = "CERTIFICATE";
