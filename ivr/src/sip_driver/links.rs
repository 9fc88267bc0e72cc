//! What the endpoint's links need of the world: name servers, and a board where their state stands.

use std::sync::Arc;

use ivr_core::link::{LinkKey, Query, Records};
use tokio::sync::mpsc;

use crate::link_status::LinkBoard;
use crate::names::Names;

/// A name server's answer.
pub(super) type Located = (LinkKey, Query, Records);

/// What links need.
#[derive(Debug)]
pub(super) struct Links {
    /// Who is asked; nobody if no link has a name.
    names: Option<Arc<Names>>,
    located: mpsc::Sender<Located>,
    pub(super) board: LinkBoard,
}

impl Links {
    /// The receiver gives what name servers answer.
    pub(super) fn new(names: Option<Names>, board: LinkBoard) -> (Self, mpsc::Receiver<Located>) {
        let (located, receiver) = mpsc::channel(ANSWERS);
        (Self { names: names.map(Arc::new), located, board }, receiver)
    }

    /// Asks, in a task of its own: a link asks one question at a time and has patience for 20 s, so there are few of them.
    pub(super) fn look_up(&self, link: LinkKey, query: Query) {
        let (Some(names), located) = (self.names.clone(), self.located.clone()) else { return };
        tokio::spawn(async move {
            let records = names.look_up(&query).await;
            // The SIP task may be gone meanwhile.
            let _gone = located.send((link, query, records)).await;
        });
    }
}

/// Answers that the SIP task has not taken up. When it is full, the look-ups wait, not the socket.
const ANSWERS: usize = 16;
