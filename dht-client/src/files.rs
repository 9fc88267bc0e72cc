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

/// Writes beside the file and renames, so that a power cut leaves the old one or the new. Only the owner may read it: whom
/// somebody looks up is nobody else's business. Of two at once the later replaces the earlier, so callers hold their lock.
pub(crate) fn replace(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    beside.write_all(text.as_bytes())?;
    beside.as_file().sync_all()?;
    beside.persist(file)?;
    Ok(())
}
