//! A copy of a store in use as it is at one moment, and what such a copy holds.

use std::fs;
use std::path::Path;

use rocksdb::DB;
use rocksdb::checkpoint::Checkpoint;

use super::options::{self, Wals};
use super::view::Live;
use crate::store::contents::{self, Contents};
use crate::store::engine::StoreError;
use crate::store::tables::{ARTEFACTS, ListForm};

/// Makes the copy in a folder that is not there yet. What is in memory is written out first, while writes
/// go on into memory anew; then the copy's files are links to the store's own where both are on one
/// disk.
pub(super) fn copy(db: &DB, to: &Path) -> Result<(), StoreError> {
    if let Some(above) = to.parent() {
        let made = fs::create_dir_all(above);
        made.map_err(|error| cannot(to, &error.to_string()))?;
    }
    Checkpoint::new(db)
        .and_then(|checkpoint| checkpoint.create_checkpoint(to))
        .map_err(|error| cannot(to, error.as_ref()))
}

fn cannot(to: &Path, reason: &str) -> StoreError {
    StoreError::Unavailable(format!("it cannot be copied to {}: {reason}", to.display()))
}

/// Reads the copy in `folder` to its last row, and sees to it that its log is whole. No row and no file of
/// rows is changed; RocksDB leaves a log of its own there.
///
/// # Errors
/// What cannot be read, and a log that does not add up.
pub fn inspect(folder: &Path) -> Result<Contents, StoreError> {
    contents::read(&open_to_read(folder, Wals::Whole)?)
}

/// The signed lists in a store of which more is lost, as far as they can be read: nothing else of it is
/// to be believed, and of these what their signatures say. No row and no file of rows is changed.
///
/// # Errors
/// Nothing of it can be read.
pub fn published_in(folder: &Path) -> Result<Vec<(ListForm, Vec<u8>)>, StoreError> {
    const AT_ONCE: usize = 64;
    let store = open_to_read(folder, Wals::UpToDamage)?;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        // Where a part of it is damaged, what stands before that is something.
        let rows = match ARTEFACTS.scan(&store, &[], after.as_ref(), AT_ONCE) {
            Ok(rows) => rows,
            Err(_) if !found.is_empty() => return Ok(found),
            Err(error) => return Err(error),
        };
        let Some((last, _)) = rows.last() else {
            return Ok(found);
        };
        after = Some(*last);
        let lists = rows.into_iter().map(|((_, form), row)| (form, row.body));
        found.extend(lists);
    }
}

fn open_to_read(folder: &Path, wals: Wals) -> Result<Live, StoreError> {
    options::open_to_read(folder, wals).map_err(|error| {
        let reason = format!("{}: {error}", folder.display());
        StoreError::Unavailable(reason)
    })
}
