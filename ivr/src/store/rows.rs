//! Statements over many rows at once. They come in few shapes, so that a connection prepares each of them once.

use super::Conn;

/// Rows that one statement takes: beyond, a statement more is no loss. Either database takes far more parameters than these
/// (SQLite 32,766, PostgreSQL 65,535).
const MOST: usize = 32;

/// Cuts rows into statements of 32, 16, 8, 4, 2 and 1.
pub(super) fn shaped<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let largest = rows.len().checked_ilog2()?;
        let (next, rest) = rows.split_at(MOST.min(1 << largest));
        rows = rest;
        Some(next)
    })
}

/// The placeholders of a statement, in the order of its values: `$1`, `$2` for PostgreSQL, `?` for SQLite. A parameter that
/// has a name is looked up in the list of all names whenever a value is bound to it, and so many would take long.
pub(super) struct Placeholders {
    are_numbered: bool,
    given: usize,
}

impl Placeholders {
    pub(super) fn of(conn: &Conn) -> Self {
        Self { are_numbered: conn.backend_name() != "SQLite", given: 0 }
    }

    /// One more.
    pub(super) fn next(&mut self) -> String {
        self.list(1)
    }

    /// `$1, $2, $3`
    pub(super) fn list(&mut self, values: usize) -> String {
        let mut list = String::new();
        for n in 0..values {
            self.given += 1;
            list += if n == 0 { "" } else { ", " };
            if self.are_numbered {
                list += "$";
                list += &self.given.to_string();
            } else {
                list += "?";
            }
        }
        list
    }

    /// `($1, $2), ($3, $4)`
    pub(super) fn rows(&mut self, rows: usize, values: usize) -> String {
        let rows: Vec<String> = (0..rows).map(|_| format!("({})", self.list(values))).collect();
        rows.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_powers_of_two() {
        for (rows, expected) in [(0, &[][..]), (1, &[1]), (32, &[32]), (101, &[32, 32, 32, 4, 1]), (15, &[8, 4, 2, 1])]
        {
            let rows = vec![(); rows];
            assert_eq!(shaped(&rows).map(<[()]>::len).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn placeholders_are_numbered_for_postgres_alone() {
        let text = |are_numbered| {
            let mut placeholders = Placeholders { are_numbered, given: 0 };
            format!("{} IN ({}) {}", placeholders.next(), placeholders.list(2), placeholders.rows(2, 2))
        };
        assert_eq!(text(true), "$1 IN ($2, $3) ($4, $5), ($6, $7)");
        assert_eq!(text(false), "? IN (?, ?) (?, ?), (?, ?)");
    }
}
