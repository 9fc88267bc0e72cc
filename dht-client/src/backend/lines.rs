//! Splits a stream into lines without ever keeping more than one: a line too long to hold an item is dropped unread.

/// The longest line that may hold an item: 1.2 KB in base64, and the proxy's own fields.
const LINE_LIMIT: usize = 8 * 1024;

/// The line that has begun but not ended.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
    /// The line is already too long; its rest is skipped.
    skipping: bool,
    /// How many lines have ended, empty ones included.
    ended: usize,
    weight: usize,
}

impl Lines {
    /// Takes the next bytes and hands every line that ends in them to `judge`.
    pub(super) fn push(&mut self, mut bytes: &[u8], mut judge: impl FnMut(&[u8])) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            self.append(&bytes[..end]);
            self.end_line(&mut judge);
            bytes = &bytes[end + 1..];
        }
        self.append(bytes);
    }

    /// The stream is over: the last line may lack its end.
    pub(super) fn finish(&mut self, mut judge: impl FnMut(&[u8])) {
        self.end_line(&mut judge);
    }

    /// Which line has begun and not ended, by its number.
    pub(super) fn unended(&self) -> Option<usize> {
        (self.skipping || !self.begun.is_empty()).then_some(self.ended)
    }

    /// How many lines have ended.
    pub(super) fn ended(&self) -> usize {
        self.ended
    }

    /// How many bytes came so far, but of no line more than may hold an item: a few long lines are few lines.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    fn append(&mut self, bytes: &[u8]) {
        let counted = if self.skipping { LINE_LIMIT } else { self.begun.len() };
        self.weight += bytes.len().min(LINE_LIMIT - counted);
        if self.skipping || self.begun.len() + bytes.len() > LINE_LIMIT {
            self.skipping = true;
            self.begun.clear();
        } else {
            self.begun.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self, judge: &mut impl FnMut(&[u8])) {
        if !self.skipping && !self.begun.is_empty() {
            judge(&self.begun);
        }
        self.begun.clear();
        self.skipping = false;
        self.ended += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        for chunk in chunks {
            lines.push(chunk, |line| out.push(line.to_vec()));
        }
        lines.finish(|line| out.push(line.to_vec()));
        out
    }

    #[test]
    fn a_line_too_long_is_dropped_and_the_next_is_read() {
        let long = vec![b'x'; LINE_LIMIT + 1];
        assert_eq!(split(&[b"a\n", &long, b"tail\nb\nc"]), [b"a", b"b", b"c"]);
    }

    #[test]
    fn of_a_line_too_long_no_more_counts_than_may_hold_an_item_and_each_has_a_number() {
        let (mut lines, long) = (Lines::default(), vec![b'x'; LINE_LIMIT]);
        for (bytes, weight, unended) in [
            (&b"ab\nc"[..], 3, Some(1)),
            (b"d", 4, Some(1)),
            (b"\n", 4, None),
            (&long, 4 + LINE_LIMIT, Some(2)),
            (&long, 4 + LINE_LIMIT, Some(2)),
            (b"\n\ne", 5 + LINE_LIMIT, Some(4)),
        ] {
            lines.push(bytes, |_| {});
            assert_eq!((lines.weight(), lines.unended()), (weight, unended));
        }
    }

    proptest! {
        #[test]
        fn where_the_chunks_are_cut_changes_nothing(text in prop::collection::vec(prop::sample::select(b"ab\n".to_vec()), 0..200), cut in 0_usize..200) {
            let (head, tail) = text.split_at(cut.min(text.len()));
            prop_assert_eq!(split(&[head, tail]), split(&[&text]));
        }
    }
}
