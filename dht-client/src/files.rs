//! Small files that are read whole and replaced whole.

use std::io::{self, Write};
use std::path::Path;

/// The text of a file of at most `limit` bytes; none if there is no such file.
pub(crate) fn read(file: &Path, limit: u64) -> io::Result<Option<String>> {
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.len() > limit => {
            Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is larger than this program writes it"))
        }
        Ok(_) => std::fs::read_to_string(file).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes beside the file and renames, so that a power cut leaves the old one or the new.
pub(crate) fn replace(file: &Path, text: &str) -> io::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    // Whom somebody looks up is nobody else's business.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut new = options.open(&beside)?;
    new.write_all(text.as_bytes())?;
    new.sync_all()?;
    std::fs::rename(&beside, file)
}
