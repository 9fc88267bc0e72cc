//! The steps that the page lists, and which one is going on.

use ivr_core::proof::Binding;

use crate::verify::View;
use crate::web::sse;

/// One step of the list.
pub(super) struct PageStep {
    /// What the person does.
    pub(super) text: &'static str,
    /// It is going on.
    pub(super) is_current: bool,
    /// It is behind.
    pub(super) is_done: bool,
}

/// The steps of this verification. Their places are those of [`sse::step`].
pub(super) fn of(view: &View, binding: Binding) -> Vec<PageStep> {
    let last = if view.wants_certificate { "Your certificate is made." } else { "Your result is signed." };
    let digits = match binding {
        Binding::ReadBack => "Type the six digits that the voice reads to you.",
        Binding::CodeOnly => "Hear that it worked.",
    };
    let current = sse::step(view);
    ["Call the number.", "After the warning, key in the code.", "Press the key that the voice names.", digits, last]
        .into_iter()
        .enumerate()
        .map(|(place, text)| PageStep { text, is_current: place == current, is_done: place < current })
        .collect()
}
