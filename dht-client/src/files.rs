//! Small files that are read whole and replaced whole.

use std::io::{self, Write};
use std::path::Path;

/// The lines of a file of at most `limit` bytes, as they parse, and how many do not; none of either if there is no such
/// file. Lines that do not parse are damage, but a file of such lines alone is somebody's own, perhaps their key: an error,
/// so that it is never replaced.
pub(crate) fn read_lines<T>(file: &Path, limit: u64, parse: impl Fn(&str) -> Option<T>) -> io::Result<(Vec<T>, usize)> {
    let text = read(file, limit)?.unwrap_or_default();
    let (mut parsed, mut damaged) = (Vec::new(), 0);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match parse(line) {
            Some(one) => parsed.push(one),
            None => damaged += 1,
        }
    }
    if parsed.is_empty() && damaged > 0 {
        let told = "this program did not write it, for none of its lines can be read; it stays as it is: name another";
        return Err(io::Error::new(io::ErrorKind::InvalidData, told));
    }
    Ok((parsed, damaged))
}

/// The text of a file of at most `limit` bytes; none if there is no such file.
fn read(file: &Path, limit: u64) -> io::Result<Option<String>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_else_wrote_is_not_read_as_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let read = |text: Option<&str>| {
            if let Some(text) = text {
                std::fs::write(&file, text).unwrap();
            }
            read_lines(&file, 100, |line| line.parse::<u8>().ok())
        };
        assert_eq!(read(None).unwrap(), (vec![], 0), "no file");
        assert_eq!(read(Some("\n \n")).unwrap(), (vec![], 0));
        assert_eq!(read(Some("7\nx\n\n8\n")).unwrap(), (vec![7, 8], 1));
        let refused = read(Some("-----BEGIN PRIVATE KEY-----\nMIGH\n")).unwrap_err();
        assert!(refused.to_string().contains("stays as it is"), "{refused}");
    }
}
