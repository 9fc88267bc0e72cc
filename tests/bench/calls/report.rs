//! Figures of several runs, held against marks and beside what others reach.

use std::fmt::Write as _;

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mark {
    AtMost(f64),
    AtLeast(f64),
    /// It is only told.
    None,
}

/// All figures so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<String>,
    missed: usize,
}

impl Report {
    /// Takes the figure of each run, prints all of them, judges their median, and makes a row of them. `peers`: what others
    /// reach.
    pub(crate) fn figure(&mut self, what: &str, unit: &str, mark: Mark, runs: &[f64], peers: &str) {
        let middle = median(runs);
        let (wanted, is_met) = match mark {
            Mark::AtMost(most) => (format!("≤ {}", number(most)), middle <= most),
            Mark::AtLeast(least) => (format!("≥ {}", number(least)), middle >= least),
            Mark::None => ("–".to_owned(), true),
        };
        self.missed += usize::from(!is_met);
        let all = runs.iter().map(|run| number(*run)).collect::<Vec<_>>().join(", ");
        let verdict = if is_met { "" } else { "  MISSED" };
        let unit = if unit.is_empty() { String::new() } else { format!(", {unit}") };
        println!("{what}{unit}: {} (mark {wanted}; runs {all}){verdict}", number(middle));
        let ours = if is_met { number(middle) } else { format!("**{}**", number(middle)) };
        let mut row = String::new();
        write!(row, "| {what}{unit} | {wanted} | {ours} | {all} | {peers} |").expect("a string takes all");
        self.rows.push(row);
    }

    /// Is no mark missed?
    pub(crate) fn is_met(&self) -> bool {
        self.missed == 0
    }

    /// The table in Markdown, and how many marks were missed.
    pub(crate) fn table(&self) -> String {
        let head = "| figure | mark | ours, median | all runs | others |\n|---|---|---|---|---|";
        let verdict = match self.missed {
            0 => "Every mark is met.".to_owned(),
            missed => format!("Marks that are missed (bold): {missed}."),
        };
        format!("{head}\n{}\n\n{verdict}\n", self.rows.join("\n"))
    }
}

/// Only prints a figure: its place is in another table.
pub(crate) fn tell(what: &str, unit: &str, runs: &[f64]) {
    let all = runs.iter().map(|run| number(*run)).collect::<Vec<_>>().join(", ");
    println!("{what}, {unit}: {} (runs {all})", number(median(runs)));
}

/// The middle one, or the lower one of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// Three digits, or all of a whole number.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        whole if whole >= 100.0 || whole == 0.0 => format!("{value:.0}"),
        tens if tens >= 10.0 => format!("{value:.1}"),
        ones if ones >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
