//! The steps that the page lists, and which one is going on.

use ivr_core::proof::Binding;

use crate::verify::View;
use crate::web::sse;
use crate::words::{Text, Words};

/// One step of the list.
pub(super) struct PageStep {
    /// What the person does.
    pub(super) text: Text,
    /// It is going on.
    pub(super) is_current: bool,
    /// It is behind.
    pub(super) is_done: bool,
}

/// The steps of this verification. Their places are those of [`sse::step`].
pub(super) fn of(view: &View, binding: Binding, words: &Words) -> Vec<PageStep> {
    let last = if view.wants_certificate { words.step_certificate } else { words.step_result };
    let digits = match binding {
        Binding::ReadBack => words.step_digits,
        Binding::CodeOnly => words.step_hear,
    };
    let current = sse::step(view);
    [words.step_call, words.step_code, words.step_confirm, digits, last]
        .into_iter()
        .enumerate()
        .map(|(place, text)| PageStep { text, is_current: place == current, is_done: place < current })
        .collect()
}
