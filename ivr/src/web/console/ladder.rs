//! The SIP ladder: who sent what to whom, drawn on the server. The page has the same as a table.

use time::OffsetDateTime;

use super::masked;
use super::words::offset;
use crate::store::calls::Event;

/// Between two rungs, in units of the drawing.
const STEP: usize = 34;
/// The first rung.
const TOP: usize = 64;
/// Characters that fit between the lifelines.
const LONGEST_LABEL: usize = 56;

/// Messages that are drawn: a call has about ten, and one that repeats itself must not make the page long.
const MOST_RUNGS: usize = 60;

/// A drawing.
pub(super) struct Ladder {
    pub(super) rungs: Vec<Rung>,
    /// Messages that are not drawn.
    pub(super) more: usize,
}

/// A message.
pub(super) struct Rung {
    /// Where its arrow is.
    pub(super) y: usize,
    /// Where its label is.
    pub(super) label_y: usize,
    /// From us.
    pub(super) sent: bool,
    /// How long after the beginning.
    pub(super) offset: String,
    /// Start line and CSeq.
    pub(super) text: String,
    /// As much of it as fits.
    pub(super) label: String,
}

impl Ladder {
    /// Of a call's lines; `shows_numbers` if their reader may see them.
    pub(super) fn of(events: &[Event], began_at: OffsetDateTime, shows_numbers: bool) -> Self {
        let messages = events.iter().filter_map(|event| event.message.as_ref().map(|message| (event, message)));
        let more = messages.clone().count().saturating_sub(MOST_RUNGS);
        let rungs = messages.take(MOST_RUNGS).enumerate().map(|(at, (event, message))| {
            let text = if shows_numbers { message.expose().clone() } else { masked::summary(message.expose()) };
            let y = TOP + at * STEP;
            let label = label(&text);
            Rung { y, label_y: y - 7, sent: event.kind == "sent", offset: offset(began_at, event.at), text, label }
        });
        Self { rungs: rungs.collect(), more }
    }

    /// Where the lifelines end.
    pub(super) fn foot(&self) -> usize {
        TOP + self.rungs.len() * STEP - STEP / 2
    }
}

fn label(text: &str) -> String {
    if text.chars().count() <= LONGEST_LABEL {
        return text.to_owned();
    }
    text.chars().take(LONGEST_LABEL - 1).chain(['…']).collect()
}
