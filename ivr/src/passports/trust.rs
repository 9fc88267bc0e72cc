//! The operator's files of anchors and revocation lists, read again when they change: lists are renewed daily.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use ivr_core::passport::{Trust, Untrusted};

/// The files, and what was last read in them.
#[derive(Debug)]
pub struct TrustFiles {
    anchors: PathBuf,
    lists: Vec<PathBuf>,
    last: Mutex<Last>,
}

#[derive(Debug)]
struct Last {
    trust: Arc<Trust>,
    changed: Vec<Option<SystemTime>>,
    /// They could not be read last time, which was told.
    is_unread: bool,
}

/// Why there is nobody to trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A file cannot be read.
    #[error("{} cannot be read: {cause}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} cannot be used: {cause}", file.display())]
    Unusable {
        /// Which.
        file: PathBuf,
        /// Why not.
        cause: Untrusted,
    },
}

impl TrustFiles {
    /// Reads them.
    ///
    /// # Errors
    /// If one cannot be used.
    pub fn open(anchors: &Path, lists: &[PathBuf]) -> Result<Self, TrustError> {
        let (anchors, lists) = (anchors.to_owned(), lists.to_vec());
        let changed = changes(&anchors, &lists);
        let trust = Arc::new(read(&anchors, &lists)?);
        Ok(Self { anchors, lists, last: Mutex::new(Last { trust, changed, is_unread: false }) })
    }

    /// What they hold now; or what they held, if they cannot be used any more.
    pub fn current(&self) -> Arc<Trust> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = changes(&self.anchors, &self.lists);
        if changed != last.changed {
            let result = read(&self.anchors, &self.lists);
            let is_unread = matches!(result, Err(TrustError::Unreadable { .. }));
            if let Err(error) = &result
                && !(is_unread && last.is_unread)
            {
                tracing::error!(%error, "signed identities are judged as before: {error}");
            }
            // What could not be read may be readable the next time, as it is.
            if !is_unread {
                last.changed = changed;
            }
            last.is_unread = is_unread;
            if let Ok(trust) = result {
                last.trust = Arc::new(trust);
            }
        }
        last.trust.clone()
    }
}

fn read(anchors: &Path, lists: &[PathBuf]) -> Result<Trust, TrustError> {
    let octets =
        |file: &Path| std::fs::read(file).map_err(|cause| TrustError::Unreadable { file: file.to_owned(), cause });
    let unusable = |file: &Path| {
        let file = file.to_owned();
        move |cause| TrustError::Unusable { file, cause }
    };
    let trust = Trust::anchored(&octets(anchors)?).map_err(unusable(anchors))?;
    lists.iter().try_fold(trust, |trust, list| trust.with_lists(&octets(list)?).map_err(unusable(list)))
}

fn changes(anchors: &Path, lists: &[PathBuf]) -> Vec<Option<SystemTime>> {
    let changed = |file: &Path| std::fs::metadata(file).and_then(|metadata| metadata.modified()).ok();
    std::iter::once(anchors).chain(lists.iter().map(PathBuf::as_path)).map(changed).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn files_are_read_again_when_they_change_and_kept_when_they_are_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let (file, made) = (folder.path().join("anchors.pem"), "core/scenarios/passport/root.pem");
        let root = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(made)).unwrap();
        assert!(matches!(TrustFiles::open(&file, &[]), Err(TrustError::Unreadable { .. })));
        std::fs::write(&file, &root).unwrap();
        let files = TrustFiles::open(&file, &[]).unwrap();
        let write = |octets: &[u8], seconds| {
            std::fs::write(&file, octets).unwrap();
            // A change within the resolution of the file system's clock would not be seen.
            let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            std::fs::File::options().write(true).open(&file).unwrap().set_modified(changed).unwrap();
        };
        write(&[&root[..], &root[..]].concat(), 1);
        assert_eq!(files.current().anchor_count(), 2);
        write(b"damaged", 2);
        assert_eq!(files.current().anchor_count(), 2);
        write(&root, 3);
        assert_eq!(files.current().anchor_count(), 1);
    }

    #[test]
    fn what_could_not_be_read_is_tried_again_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let (file, made) = (folder.path().join("anchors.pem"), "core/scenarios/passport/root.pem");
        let root = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(made)).unwrap();
        std::fs::write(&file, [&root[..], &root[..]].concat()).unwrap();
        let files = TrustFiles::open(&file, &[]).unwrap();
        let set = |path: &Path| {
            let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
            std::fs::File::open(path).unwrap().set_modified(changed).unwrap();
        };
        // A folder cannot be read; then a file stands there that is as old.
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        set(&file);
        assert_eq!(files.current().anchor_count(), 2);
        std::fs::remove_dir(&file).unwrap();
        std::fs::write(&file, &root).unwrap();
        set(&file);
        assert_eq!(files.current().anchor_count(), 1);
    }
}
