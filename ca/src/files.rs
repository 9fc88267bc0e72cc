//! The authority's folder: the one place of this crate that touches a disk.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// A file of the authority, in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name in the folder.
    pub name: String,
    /// Its content. Keys are encrypted.
    pub bytes: Vec<u8>,
}

/// What a folder of the authority may hold. A file larger than this is none of ours.
const SIZE_LIMIT: u64 = 1024 * 1024;

/// Writes files that do not exist yet, keys readable by their owner alone. The folder is made if there is none.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] names the first file that is there already; nothing is ever overwritten.
pub fn write_new(folder: &Path, files: &[File]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for file in files {
        let path = folder.join(&file.name);
        if path.try_exists()? {
            let message = format!("{} exists already: move it away first", path.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
    }
    for file in files {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let mut written = with_mode(&mut options, &file.name).open(folder.join(&file.name))?;
        written.write_all(&file.bytes)?;
        written.sync_all()?;
    }
    // The names are durable only when the folder is.
    fs::File::open(folder)?.sync_all()
}

/// Puts a file in the place of an older one, in one step: readers see the old or the new. It stays its owner's, if whoever writes
/// may give it to them.
///
/// # Errors
/// Whatever the disk says.
pub fn replace(folder: &Path, file: &File) -> io::Result<()> {
    let path = folder.join(&file.name);
    let beside = folder.join(format!(".{}.new", file.name));
    // What an earlier attempt left behind keeps its own mode: it is not written into, but made anew.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let mut written = with_mode(&mut options, &file.name).open(&beside)?;
    keep_owner(&path, &written);
    written.write_all(&file.bytes)?;
    written.sync_all()?;
    fs::rename(&beside, &path)?;
    fs::File::open(folder)?.sync_all()
}

/// Reads the files of a folder: certificates, keys and settings.
///
/// # Errors
/// Whatever the disk says.
pub fn read(folder: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let ours = [".pem", ".key", ".json"].iter().any(|end| name.ends_with(end)) && !name.starts_with('.');
        let metadata = entry.metadata()?;
        if ours && metadata.is_file() && metadata.len() <= SIZE_LIMIT {
            files.push(File { name, bytes: fs::read(entry.path())? });
        }
    }
    Ok(files)
}

#[cfg(unix)]
fn with_mode<'a>(options: &'a mut OpenOptions, name: &str) -> &'a mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(if name.ends_with(".key") { 0o600 } else { 0o644 })
}

#[cfg(not(unix))]
fn with_mode<'a>(options: &'a mut OpenOptions, _name: &str) -> &'a mut OpenOptions {
    options
}

/// Gives what is written to whoever owns what it replaces: the root user must not take a key from the service.
#[cfg(unix)]
fn keep_owner(replaced: &Path, written: &fs::File) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let owner = |metadata: fs::Metadata| (metadata.uid(), metadata.gid());
    let (Ok(before), Ok(after)) = (fs::metadata(replaced).map(owner), written.metadata().map(owner)) else { return };
    if before != after {
        // Who may not write in their name writes in their own, as ever.
        let _ = fchown(written, Some(before.0), Some(before.1));
    }
}

#[cfg(not(unix))]
fn keep_owner(_replaced: &Path, _written: &fs::File) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, content: &str) -> File {
        File { name: name.into(), bytes: content.into() }
    }

    #[cfg(unix)]
    #[test]
    fn keys_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("ca");
        write_new(&inner, &[file("a.key", "k"), file("a.pem", "p")]).unwrap();
        let mode = |name| fs::metadata(inner.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("a.key"), mode("a.pem")), (0o600, 0o644));
        replace(&inner, &file("a.key", "other")).unwrap();
        assert_eq!(mode("a.key"), 0o600);
        assert_eq!(fs::read(inner.join("a.key")).unwrap(), b"other");
    }

    #[cfg(unix)]
    #[test]
    fn what_a_crash_left_behind_lends_a_key_no_wider_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join(".a.key.new");
        fs::write(&left, "half").unwrap();
        fs::set_permissions(&left, fs::Permissions::from_mode(0o666)).unwrap();
        replace(folder.path(), &file("a.key", "whole")).unwrap();
        let written = folder.path().join("a.key");
        assert_eq!(fs::metadata(&written).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!((fs::read(written).unwrap().as_slice(), left.exists()), (&b"whole"[..], false));
    }

    #[cfg(unix)]
    #[test]
    fn what_the_root_user_replaces_stays_its_owner_s() {
        use std::os::unix::fs::{MetadataExt, chown};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        fs::write(&path, "k").unwrap();
        // Who is not the root user can give nothing away: then only that the file is replaced is seen. CI runs as root.
        let owner = if chown(&path, Some(12345), Some(12346)).is_ok() { Some((12345, 12346)) } else { None };
        replace(folder.path(), &file("a.key", "other")).unwrap();
        let metadata = fs::metadata(&path).unwrap();
        assert!(owner.is_none_or(|owner| owner == (metadata.uid(), metadata.gid())));
        assert_eq!(fs::read(&path).unwrap(), b"other");
    }

    #[test]
    fn only_files_of_an_authority_are_read() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.pem", "b.key", "c.json", ".d.key.new", ".e.key", "notes.txt"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        fs::create_dir(folder.path().join("f.pem")).unwrap();
        fs::write(folder.path().join("large.pem"), vec![0; SIZE_LIMIT as usize + 1]).unwrap();
        let mut names: Vec<_> = read(folder.path()).unwrap().into_iter().map(|file| file.name).collect();
        names.sort();
        assert_eq!(names, ["a.pem", "b.key", "c.json"]);
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        write_new(folder.path(), &[file("a.pem", "first")]).unwrap();
        let error = write_new(folder.path(), &[file("b.pem", "new"), file("a.pem", "second")]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        let read = read(folder.path()).unwrap();
        assert_eq!(read, [file("a.pem", "first")]);
    }
}
