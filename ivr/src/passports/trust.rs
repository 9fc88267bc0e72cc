//! The operator's files of anchors and revocation lists, read again when they change: lists are renewed daily.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use ivr_core::passport::{Authority, Trust, Untrusted};

use crate::config::passports::Authority as Files;

/// The files, and what was last read in them.
#[derive(Debug)]
pub struct TrustFiles(Mutex<Last>);

#[derive(Debug)]
struct Last {
    authorities: Vec<Kept>,
    trust: Arc<Trust>,
}

/// One authority's: what is wrong with its files keeps nothing back that is new in another's.
#[derive(Debug)]
struct Kept {
    files: Files,
    authority: Authority,
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
    pub fn open(authorities: &[Files]) -> Result<Self, TrustError> {
        let authorities: Vec<Kept> = authorities.iter().map(Kept::read).collect::<Result<_, _>>()?;
        let trust = trust_in(&authorities);
        Ok(Self(Mutex::new(Last { authorities, trust })))
    }

    /// What they hold now; or what they held, if they cannot be used any more.
    pub fn current(&self) -> Arc<Trust> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Each is looked at: `any` would stop at the first.
        let changed = last.authorities.iter_mut().filter_map(Kept::read_again).count();
        if changed > 0 {
            last.trust = trust_in(&last.authorities);
        }
        last.trust.clone()
    }
}

fn trust_in(authorities: &[Kept]) -> Arc<Trust> {
    Arc::new(authorities.iter().map(|kept| kept.authority.clone()).collect())
}

impl Kept {
    fn read(files: &Files) -> Result<Self, TrustError> {
        let changed = changes(files);
        let authority = read_authority(files)?;
        tell_of_oddities(&authority);
        Ok(Self { files: files.clone(), authority, changed, is_unread: false })
    }

    /// If they have changed, and can be used.
    fn read_again(&mut self) -> Option<()> {
        let changed = changes(&self.files);
        if changed == self.changed {
            return None;
        }
        let result = read_authority(&self.files);
        let is_unread = matches!(result, Err(TrustError::Unreadable { .. }));
        if let Err(error) = &result
            && !(is_unread && self.is_unread)
        {
            tracing::error!(%error, "signed identities are judged as before: {error}");
        }
        // What could not be read may be readable the next time, as it is.
        if !is_unread {
            self.changed = changed;
        }
        self.is_unread = is_unread;
        self.authority = result.ok()?;
        tell_of_oddities(&self.authority);
        Some(())
    }
}

fn tell_of_oddities(authority: &Authority) {
    for stranger in authority.strangers_lists() {
        tracing::warn!(issuer = stranger, "{}", of_stranger(stranger));
    }
    for untrusted in authority.passed_over() {
        tracing::warn!("{}", of_passed_over(untrusted));
    }
}

/// What is told of a certificate among the anchors that is of no known kind.
pub fn of_passed_over(untrusted: Untrusted) -> String {
    format!(
        "{untrusted}: it is passed over, and calls signed by those below it are refused; if it signs nothing but revocation lists \
         and one of them is here, all signed calls are"
    )
}

/// What is told of a list that no anchor has signed.
pub fn of_stranger(issuer: &str) -> String {
    format!(
        "no anchor has signed the revocation list of {issuer:?}: put the certificate of its signer into anchors, too; until then \
         it revokes nobody (an authority's below the anchors revokes its own), or has everybody refused, if it speaks of all"
    )
}

/// Reads the files of an authority.
///
/// # Errors
/// If one cannot be used.
pub fn read_authority(files: &Files) -> Result<Authority, TrustError> {
    let octets =
        |file: &Path| std::fs::read(file).map_err(|cause| TrustError::Unreadable { file: file.to_owned(), cause });
    let unusable = |file: &Path| {
        let file = file.to_owned();
        move |cause| TrustError::Unusable { file, cause }
    };
    let authority = Authority::anchored(&octets(files.anchors())?).map_err(unusable(files.anchors()))?;
    let with_list = |authority: Authority, list: &PathBuf| authority.with_lists(&octets(list)?).map_err(unusable(list));
    let mut authority = files.revocation_lists().iter().try_fold(authority, with_list)?;
    if files.believes_delegates() {
        authority = authority.with_delegates();
    }
    Ok(match files.countries() {
        Some(countries) => authority.only_for(countries.to_vec()),
        None => authority,
    })
}

fn changes(files: &Files) -> Vec<Option<SystemTime>> {
    let changed = |file: &Path| std::fs::metadata(file).and_then(|metadata| metadata.modified()).ok();
    let lists = files.revocation_lists().iter().map(PathBuf::as_path);
    std::iter::once(files.anchors()).chain(lists).map(changed).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::{fmt, registry};

    use super::*;

    fn made(name: &str) -> Vec<u8> {
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("core/scenarios/passport").join(name)).unwrap()
    }

    fn files(anchors: &Path) -> Files {
        Files::of_all(anchors.to_owned(), Vec::new())
    }

    fn write(file: &Path, octets: &[u8], seconds: u64) {
        std::fs::write(file, octets).unwrap();
        set(file, seconds);
    }

    /// A change within the resolution of the file system's clock would not be seen.
    fn set(file: &Path, seconds: u64) {
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        std::fs::File::open(file).unwrap().set_modified(changed).unwrap();
    }

    #[test]
    fn files_are_read_again_when_they_change_and_kept_when_they_are_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let (file, root) = (folder.path().join("anchors.pem"), made("root.pem"));
        assert!(matches!(TrustFiles::open(&[files(&file)]), Err(TrustError::Unreadable { .. })));
        std::fs::write(&file, &root).unwrap();
        let trust = TrustFiles::open(&[files(&file)]).unwrap();
        for (octets, seconds, expected) in [(root.repeat(2), 1, 2), (b"damaged".to_vec(), 2, 2), (root.clone(), 3, 1)] {
            write(&file, &octets, seconds);
            assert_eq!(trust.current().anchor_count(), expected);
        }
        let known = trust.current();
        assert!(Arc::ptr_eq(&known, &trust.current()), "what is known of signers is kept while nothing changes");
    }

    #[test]
    fn what_is_damaged_at_one_authority_holds_nothing_back_at_another() {
        let folder = tempfile::tempdir().unwrap();
        let ([one, other], root) = (["one", "other"].map(|name| folder.path().join(name)), made("root.pem"));
        write(&one, &root, 1);
        write(&other, &root, 1);
        let trust = TrustFiles::open(&[files(&one), files(&other)]).unwrap();
        write(&one, b"damaged", 2);
        write(&other, &root.repeat(2), 2);
        assert_eq!(trust.current().anchor_count(), 1 + 2);
    }

    #[test]
    fn a_list_that_no_anchor_has_signed_is_told_of_whenever_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let [anchors, list] = ["anchors", "list"].map(|name| folder.path().join(name));
        write(&anchors, &made("root.pem"), 1);
        // Of an authority below the root, which need not have been meant.
        write(&list, &made("crl-empty.pem"), 1);
        let log = folder.path().join("log");
        let lines = fmt::layer().with_writer(std::fs::File::create(&log).unwrap());
        tracing::subscriber::with_default(registry().with(lines), || {
            let trust = TrustFiles::open(&[Files::of_all(anchors, vec![list.clone()])]).unwrap();
            set(&list, 2);
            trust.current();
            trust.current();
        });
        let text = std::fs::read_to_string(log).unwrap();
        assert_eq!(text.matches("no anchor has signed the revocation list of").count(), 2, "{text}");
    }

    #[test]
    fn an_anchor_of_another_kind_is_told_of_and_keeps_no_other_back() {
        let folder = tempfile::tempdir().unwrap();
        let [anchors, log] = ["anchors", "log"].map(|name| folder.path().join(name));
        write(&anchors, &[made("p384-root.pem"), made("root.pem")].concat(), 1);
        let lines = fmt::layer().with_writer(std::fs::File::create(&log).unwrap());
        tracing::subscriber::with_default(registry().with(lines), || {
            assert_eq!(TrustFiles::open(&[files(&anchors)]).unwrap().current().anchor_count(), 1);
        });
        let text = std::fs::read_to_string(log).unwrap();
        assert!(text.contains("certificate 1 cannot be an anchor") && text.contains("passed over"), "{text}");
        write(&anchors, &made("p384-root.pem"), 2);
        assert!(matches!(TrustFiles::open(&[files(&anchors)]), Err(TrustError::Unusable { .. })), "none is left");
    }

    #[test]
    fn what_could_not_be_read_is_tried_again_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let (file, root) = (folder.path().join("anchors.pem"), made("root.pem"));
        std::fs::write(&file, root.repeat(2)).unwrap();
        let trust = TrustFiles::open(&[files(&file)]).unwrap();
        // A folder cannot be read; then a file stands there that is as old.
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        set(&file, 1);
        assert_eq!(trust.current().anchor_count(), 2);
        std::fs::remove_dir(&file).unwrap();
        std::fs::write(&file, &root).unwrap();
        set(&file, 1);
        assert_eq!(trust.current().anchor_count(), 1);
    }
}
