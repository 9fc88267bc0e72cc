//! Small files that are read whole and replaced whole.

use std::fs::File;
use std::io::{self, Read, Write};
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
    let opened = match File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // What is read counts, not the size that the system states: a device has none.
    let mut bytes = Vec::new();
    if opened.take(limit.saturating_add(1)).read_to_end(&mut bytes)? as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is larger than this program writes it"));
    }
    String::from_utf8(bytes).map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Writes beside the file and renames, so that a power cut leaves the old one or the new. Only the owner may read it: whom
/// somebody looks up is nobody else's business. Of two at once the later replaces the earlier, so callers hold their lock.
pub(crate) fn replace(file: &Path, text: &str) -> io::Result<()> {
    // Who runs as root would have a file in the place of /dev/null.
    if std::fs::metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file, and stays as it is"));
    }
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

    #[test]
    fn no_more_is_read_than_was_ever_written_whatever_the_system_says_of_the_size() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "7\n8\n9\n").unwrap();
        let read = |file: &Path, limit| read_lines(file, limit, |line| line.parse::<u8>().ok());
        assert_eq!(read(&file, 6).unwrap().0, [7, 8, 9]);
        // The device never ends.
        for (file, limit) in [(&*file, 5), (Path::new("/dev/zero"), 1_000_000)] {
            let refused = read(file, limit).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::FileTooLarge, "{}: {refused}", file.display());
        }
    }

    #[test]
    fn what_is_no_file_is_not_replaced_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(replace(&socket, "7\n").unwrap_err().to_string().contains("no regular file"));
        assert!(!std::fs::metadata(&socket).unwrap().is_file());
    }
}
