//! A copy of a store in use as it is at one moment, and what such a copy holds.

use std::fs;
use std::path::Path;

use rocksdb::checkpoint::Checkpoint;
use rocksdb::{ColumnFamilyDescriptor, DB};

use super::options::options;
use crate::store::contents::{self, Contents};
use crate::store::engine::StoreError;

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
    let unreadable = |error: rocksdb::Error| {
        let reason = format!("{}: {error}", folder.display());
        StoreError::Unavailable(reason)
    };
    let mut options = options();
    options.create_if_missing(false);
    let family = ColumnFamilyDescriptor::new(super::view::FAMILY, options.clone());
    let db = DB::open_cf_descriptors_read_only(&options, folder, [family], false);
    contents::read(&super::view::Live(db.map_err(unreadable)?))
}
