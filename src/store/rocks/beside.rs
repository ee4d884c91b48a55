//! The folders beside a store that is being recovered, and how a copy takes its place.
//!
//! ```text
//! store                   the store
//! store.copying           a copy that is not whole yet
//! store.recovered-HASH    a copy of the store whose files HASH stands for, cut off where it was damaged
//! store.replacing         a copy that holds everything that was acknowledged, on its way into the place
//! store.damaged-TIME      what stood in the place before
//! ```
//!
//! A folder gets its next name at once or not at all, so that a crash leaves one of these, and the next
//! start does what is left to be done. Nothing but a copy that is not whole is ever removed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::time::Timestamp;

/// The folders of one store.
#[derive(Debug)]
pub(super) struct Beside {
    store: PathBuf,
    copying: PathBuf,
    replacing: PathBuf,
}

/// What is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    store: bool,
    copying: bool,
    replacing: bool,
}

/// One change of the folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A copy that is not whole is removed.
    Discard,
    /// What stands in the place is put aside, and kept.
    PutAside,
    /// The copy takes the place.
    PutInPlace,
}

/// What a crash left to be done, or a recovery that has come so far.
const fn next(found: Found) -> Option<Step> {
    match found {
        Found { copying: true, .. } => Some(Step::Discard),
        Found {
            replacing: true,
            store: true,
            ..
        } => Some(Step::PutAside),
        Found {
            replacing: true,
            store: false,
            ..
        } => Some(Step::PutInPlace),
        Found {
            replacing: false, ..
        } => None,
    }
}

impl Beside {
    pub(super) fn of(store: &Path) -> Self {
        Self {
            store: store.to_owned(),
            copying: named(store, "copying"),
            replacing: named(store, "replacing"),
        }
    }

    /// Does what is left to be done. What is put aside is named after `now`.
    pub(super) fn settle(&self, now: Timestamp) -> io::Result<()> {
        while let Some(step) = next(self.found()) {
            match step {
                Step::Discard => fs::remove_dir_all(&self.copying)?,
                Step::PutAside => {
                    let aside = self.unused(&format!("damaged-{now}"));
                    self.rename(&self.store, &aside)?;
                    tracing::warn!(folder = %aside.display(), "the damaged store is kept");
                }
                Step::PutInPlace => {
                    self.rename(&self.replacing, &self.store)?;
                    tracing::warn!(folder = %self.store.display(), "a recovered copy is the store now");
                }
            }
        }
        Ok(())
    }

    /// The copy that was or will be made of the store as it is now.
    pub(super) fn copy_of_present(&self) -> io::Result<PathBuf> {
        let hash = hash_of(&self.store)?;
        Ok(named(&self.store, &format!("recovered-{hash}")))
    }

    /// Makes that copy. Files that never change are the same ones under a second name.
    pub(super) fn copy_to(&self, copy: &Path) -> io::Result<()> {
        let copied = self.copy_files();
        if let Err(error) = copied.and_then(|()| self.rename(&self.copying, copy)) {
            // A disk that is full is not to stay so.
            let _ = fs::remove_dir_all(&self.copying);
            return Err(error);
        }
        Ok(())
    }

    /// The copy holds everything: from here on it is to be the store, also after a crash.
    pub(super) fn replace_with(&self, copy: &Path, now: Timestamp) -> io::Result<()> {
        self.rename(copy, &self.replacing)?;
        self.settle(now)
    }

    fn found(&self) -> Found {
        Found {
            store: self.store.is_dir(),
            copying: self.copying.is_dir(),
            replacing: self.replacing.is_dir(),
        }
    }

    fn copy_files(&self) -> io::Result<()> {
        fs::create_dir(&self.copying)?;
        for file in files(&self.store)? {
            let (from, to) = (file.path(), self.copying.join(file.file_name()));
            let is_sorted = from.extension().is_some_and(|kind| kind == "sst");
            if is_sorted && fs::hard_link(&from, &to).is_ok() {
                continue;
            }
            fs::copy(&from, &to)?;
            File::open(&to)?.sync_all()?;
        }
        File::open(&self.copying)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        let above = self.store.parent().filter(|above| above.is_dir());
        File::open(above.unwrap_or_else(|| Path::new(".")))?.sync_all()
    }

    /// A name beside the store that nothing has. Times are written without colons, which some
    /// programs take for something else.
    fn unused(&self, suffix: &str) -> PathBuf {
        let suffix = suffix.replace(':', "-");
        let numbered = (2..).map(|n| named(&self.store, &format!("{suffix}-{n}")));
        let mut names = std::iter::once(named(&self.store, &suffix)).chain(numbered);
        let unused = names.find(|name| !name.exists());
        unused.expect("there are more numbers than folders")
    }
}

fn named(store: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(store);
    name.push(format!(".{suffix}"));
    name.into()
}

/// The files of a store, in the order of their names, without the lock and the engine's own log.
fn files(store: &Path) -> io::Result<Vec<fs::DirEntry>> {
    let mut files = fs::read_dir(store)?.collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| {
        let name = file.file_name();
        let passing = name.as_encoded_bytes().starts_with(b"LO");
        !passing && file.file_type().is_ok_and(|kind| kind.is_file())
    });
    files.sort_by_key(fs::DirEntry::file_name);
    Ok(files)
}

/// Stands for the store as it is: any file that is changed, added or put back makes another.
fn hash_of(store: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    for file in files(store)? {
        let about = file.metadata()?;
        let changed = about.modified()?.duration_since(std::time::UNIX_EPOCH);
        hash.update(file.file_name().as_encoded_bytes());
        hash.update([0]);
        hash.update(about.len().to_be_bytes());
        hash.update(changed.unwrap_or_default().as_nanos().to_be_bytes());
    }
    Ok(crate::store::table::hex(&hash.finalize()[..8]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWITCHES: [bool; 2] = [false, true];

    /// Whatever a crash left, the steps come to an end, and the copy is in the place then.
    #[test]
    fn every_state_is_settled() {
        for store in SWITCHES {
            for copying in SWITCHES {
                for replacing in SWITCHES {
                    let mut found = Found {
                        store,
                        copying,
                        replacing,
                    };
                    let mut steps = 0;
                    while let Some(step) = next(found) {
                        match step {
                            Step::Discard => found.copying = false,
                            Step::PutAside => found.store = false,
                            Step::PutInPlace => (found.store, found.replacing) = (true, false),
                        }
                        steps += 1;
                        assert!(steps <= 3);
                    }
                    assert_eq!(found.store, store || replacing);
                    assert!(!found.copying && !found.replacing);
                }
            }
        }
    }

    #[test]
    fn a_name_is_not_given_twice() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let beside = Beside::of(&store);
        let one = beside.unused("damaged-2026-03-01T09:00:00Z");
        assert!(one.ends_with("store.damaged-2026-03-01T09-00-00Z"));
        fs::create_dir(&one).unwrap();
        let other = beside.unused("damaged-2026-03-01T09:00:00Z");
        assert!(other.ends_with("store.damaged-2026-03-01T09-00-00Z-2"));
    }

    #[test]
    fn a_copy_stands_for_one_state_of_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        fs::create_dir(&store).unwrap();
        fs::write(store.join("000004.log"), "one").unwrap();
        let beside = Beside::of(&store);
        let before = beside.copy_of_present().unwrap();
        fs::write(store.join("LOG"), "what the engine did").unwrap();
        assert_eq!(beside.copy_of_present().unwrap(), before);
        fs::write(store.join("000004.log"), "more").unwrap();
        assert_ne!(beside.copy_of_present().unwrap(), before);
    }
}
