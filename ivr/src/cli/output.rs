//! What commands print. The macros stand in the place of the standard library's, which panic if nobody takes what is said: a
//! reader who went early (`| head -1`) has heard enough, and the command goes on and ends as it would have. Anything else that
//! keeps words from standard output, such as a full disk, is told in the end, and the command has failed.

use std::fmt;
use std::io::{self, Write};
use std::sync::OnceLock;

/// The first failure to print. What came after would be told without what was before: no more is printed.
static FAILED: OnceLock<io::Error> = OnceLock::new();

macro_rules! print {
    ($($text:tt)*) => { $crate::cli::output::say(format_args!($($text)*)) };
}

macro_rules! println {
    ($($text:tt)*) => { $crate::cli::output::say(format_args!("{}\n", format_args!($($text)*))) };
}

macro_rules! eprint {
    ($($text:tt)*) => { $crate::cli::output::complain(format_args!($($text)*)) };
}

macro_rules! eprintln {
    ($($text:tt)*) => { $crate::cli::output::complain(format_args!("{}\n", format_args!($($text)*))) };
}

/// To standard output.
pub(super) fn say(text: fmt::Arguments<'_>) {
    if FAILED.get().is_none() {
        note(io::stdout().write_fmt(text));
    }
}

/// To standard error. Who does not hear it cannot be told so either.
pub(super) fn complain(text: fmt::Arguments<'_>) {
    let _ = io::stderr().write_fmt(text);
}

/// What became of something that was printed by other means.
pub(super) fn note(printed: io::Result<()>) {
    if let Err(error) = printed {
        let _ = FAILED.set(error);
    }
}

/// When all is said: what kept words from who wanted them, if anything did.
pub(super) fn failure() -> Option<&'static io::Error> {
    note(io::stdout().flush());
    FAILED.get().filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
}
