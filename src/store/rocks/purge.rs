//! What was deleted or overwritten is made to go from RocksDB's files as well.

use rocksdb::{BottommostLevelCompaction, CompactOptions, DB};

use crate::store::engine::StoreError;

/// Writes out what is in memory, which ends the log files that hold it, and writes the files that
/// overlap these ranges anew, down to the lowest level.
pub(super) fn purge(db: &DB, ranges: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
    db.flush().map_err(super::unreadable)?;
    let mut options = CompactOptions::default();
    options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
    for (from, to) in ranges {
        db.compact_range_opt(Some(from), Some(to), &options);
    }
    Ok(())
}
