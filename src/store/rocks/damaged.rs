//! A store whose log or manifest RocksDB refuses to read to its end.
//!
//! A power cut can leave the last record of such a file with its whole length and not with its bytes:
//! it was being written, nobody was told of it, and RocksDB refuses the whole store as it does for
//! damage among acknowledged records. The anchor can tell the two apart. So a copy beside the store
//! is read up to the damage. Where that holds everything that was acknowledged, the store itself is
//! taken so far, and its logs and its manifest as they were are kept. Where it does not, the copy is
//! read and not written, and the store stays as it was found.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::manifest;
use super::options::{self, Wals};
use super::space;
use super::view::Live;
use super::{Place, cannot_open, in_use};
use crate::store::anchor::AnchorPlace;
use crate::store::anchor::file::AnchorFile;
use crate::store::durably::{remove_folder, sync_folder};
use crate::store::engine::StoreError;
use crate::store::opening::{self, Opened, Origin};

/// What a copy of a damaged store has shown.
pub(super) enum Tried {
    /// Up to the damage there is everything that was acknowledged. Nobody else mends the store as long as
    /// the file is open.
    Whole(File),
    /// There is not. The copy has come up for reading; its folder is this process's as long as the
    /// file is open.
    Less(Live, Box<Opened>, File),
}

/// Reads a copy of the store up to the damage. Without an anchor nobody can tell what has to be there,
/// so that it is only read, unless it was decided to take the store as it is.
pub(super) fn try_copy(place: &Place, damage: &rocksdb::Error) -> Result<Tried, StoreError> {
    let failed = |error: io::Error| cannot_open(&place.store, &error.to_string());
    let anchor = AnchorFile::at(&place.anchor);
    let held = File::open(&place.store).map_err(failed)?;
    match held.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(&place.store)),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let copy = beside(&place.store, ".tried");
    copy_store(&place.store, &copy)
        .and_then(|()| manifest::cut_at_damage(&copy))
        .map_err(|error| {
            // A disk that is full is not to stay so.
            let _ = remove_folder(&copy);
            no_copy(&place.store, damage, &error)
        })?;
    let live = options::open(&copy, place.write_buffer_bytes, Wals::UpToDamage);
    let Ok(mut live) = live else {
        // Damage of another kind: the copy is of no use to anybody.
        remove_folder(&copy).map_err(failed)?;
        return Err(cannot_open(&place.store, damage.as_ref()));
    };
    // Nothing that is found on the copy is anchored: the store itself was not changed yet.
    let anchor = Box::new(Unwritten(anchor));
    let (new_id, decision) = (place.new_id, place.decision);
    let opened = opening::open(&mut live, anchor, new_id, decision, Origin::CutOff)?;
    if let Err(stopped) = &opened.anchoring {
        tracing::error!(
            engine = %damage, file = %copy.display(), what = stopped.state(),
            "the store's log or manifest is damaged, and acknowledged changes stood behind the damage; \
             a copy of the store is read up to there, and the store stays as it is"
        );
        return Ok(Tried::Less(live, Box::new(opened), held));
    }
    drop(live);
    fs::remove_dir_all(&copy).map_err(failed)?;
    Ok(Tried::Whole(held))
}

fn no_copy(store: &Path, damage: &rocksdb::Error, error: &io::Error) -> StoreError {
    StoreError::Unavailable(format!(
        "{} is damaged ({}), and no copy of it can be made beside it to see what is left: {error}",
        store.display(),
        damage.as_ref()
    ))
}

/// Opens the store itself up to the damage. Its logs and its manifest as they were are kept; where some
/// were kept before, these take their place.
pub(super) fn open_up_to_damage(
    place: &Place,
    damage: &rocksdb::Error,
) -> Result<Live, StoreError> {
    let store = &place.store;
    let kept = beside(store, ".damaged");
    keep_logs(store, &kept)
        .and_then(|()| manifest::cut_at_damage(store))
        .map_err(|error| cannot_open(store, &error.to_string()))?;
    let live = options::open(store, place.write_buffer_bytes, Wals::UpToDamage);
    let live = live.map_err(|error| cannot_open(store, error.as_ref()))?;
    tracing::warn!(
        engine = %damage, file = %kept.display(),
        "the end of the store's log or manifest was damaged, as by a power cut; nothing that was \
         acknowledged stood there, and the file as it was is kept"
    );
    Ok(live)
}

fn keep_logs(store: &Path, kept: &Path) -> io::Result<()> {
    remove_folder(kept)?;
    fs::create_dir(kept)?;
    for (name, path) in files(store)? {
        if is(&path, "log") || manifest::is_one(&name) {
            let copy = kept.join(name);
            fs::copy(path, &copy)?;
            sync_folder(&copy)?;
        }
    }
    sync_folder(kept)
}

/// Removes what was copied beside a store that has come up well, and what was kept of damage: it may hold
/// rows that have to be gone.
pub(super) fn forget(store: &Path, kept_too: bool) {
    let suffixes: &[&str] = match kept_too {
        true => &[".tried", ".damaged"],
        false => &[".tried"],
    };
    for folder in suffixes.iter().map(|suffix| beside(store, suffix)) {
        if let Err(error) = remove_folder(&folder) {
            tracing::warn!(file = %folder.display(), engine = %error, "a copy of the store could not be removed");
        }
    }
}

/// Sorted files are never changed, so that another name does for them.
fn copy_store(store: &Path, copy: &Path) -> io::Result<()> {
    remove_folder(copy)?;
    fs::create_dir(copy)?;
    for (name, path) in files(store)? {
        if name == space::RESERVE {
            continue;
        }
        let to = copy.join(name);
        if !is(&path, "sst") || fs::hard_link(&path, &to).is_err() {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}

fn files(folder: &Path) -> io::Result<Vec<(OsString, PathBuf)>> {
    let entries = fs::read_dir(folder)?.map(|entry| {
        let entry = entry?;
        Ok((entry.file_name(), entry.path()))
    });
    entries.collect()
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension() == Some(OsStr::new(extension))
}

fn beside(store: &Path, suffix: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// An anchor that is read, and left as it is.
struct Unwritten(AnchorFile);

impl AnchorPlace for Unwritten {
    fn read(&self) -> Result<Option<[Vec<u8>; 2]>, String> {
        self.0.read()
    }

    fn make(&mut self, _: &[u8]) -> Result<(), String> {
        Ok(())
    }

    fn write(&mut self, _: usize, _: &[u8]) -> Result<(), String> {
        Ok(())
    }
}
