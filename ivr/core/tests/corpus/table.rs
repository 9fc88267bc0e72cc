//! The table of `docs/dtmf.md`, as it is printed and as it must stand there.

use std::fmt::Write as _;

use super::conditions::{Condition, Expected, conditions};
use super::score::Score;

/// What the detector makes of every condition, beside what its peers do.
pub(crate) struct Table {
    /// As it stands in the document.
    pub(crate) text: String,
    /// Conditions that must be met, and are not.
    pub(crate) failed: usize,
}

impl Table {
    /// Plays the whole corpus.
    pub(crate) fn of_the_corpus() -> Self {
        let (mut text, mut failed, mut total) = (HEAD.to_owned(), 0, Score::default());
        for (seed, condition) in (1..).zip(conditions()) {
            let score = Score::of(&condition, seed);
            failed += usize::from(!score.passes(condition.expected));
            (total.delay, total.heard) = (total.delay + score.delay, total.heard + score.heard);
            text += &row(&condition, &score);
        }
        let must = conditions().iter().filter(|condition| condition.expected != Expected::Info).count();
        let peers = [0, 1].map(|n| conditions().iter().filter(|condition| condition.peers[n].ends_with('!')).count());
        let [spandsp, multimon] = peers;
        let delay = total.mean_delay().unwrap_or_default();
        let delay = (delay.as_secs_f64() * 1_000.0).round();
        write!(
            text,
            "\nFailed of {must}: dialproof {failed}, spandsp {spandsp}, multimon-ng {multimon}.\n\
             Mean delay: {delay} ms from the beginning of a key to its report.\n"
        )
        .expect("a string takes everything");
        Self { text, failed }
    }
}

fn row(Condition { group, name, expected, peers, .. }: &Condition, score: &Score) -> String {
    let expectation = match expected {
        Expected::Accept => "accept",
        Expected::Reject => "reject",
        Expected::Info => "info",
    };
    let per_cent = (score.heard as f64 * 100.0 / score.keys as f64).round();
    let fails = if score.passes(*expected) { "" } else { "!" };
    let Score { wrong, doubled, extra, .. } = score;
    let [spandsp, multimon] = peers;
    format!(
        "| {group} | {name} | {expectation} | {per_cent} / {wrong} / {doubled} / {extra}{fails} | {spandsp} | {multimon} |\n"
    )
}

const HEAD: &str = "| group | condition | expected | dialproof | spandsp | multimon-ng |\n|---|---|---|---|---|---|\n";
