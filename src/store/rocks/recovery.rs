//! A store that RocksDB refuses to open.
//!
//! It refuses where the log has a record that is damaged, also where that is the newest one and nobody
//! was ever told of it. A copy beside the store is opened then up to the damage. Where the anchor says
//! that everything that was acknowledged is in it, the copy takes the store's place, and the damaged one is
//! kept; else the copy is read and not written, and the store stays as it is. Where the engine refuses the
//! copy too, the damage is not in the log, and the store does not come up.

use std::io;
use std::path::Path;

use rocksdb::ErrorKind;

use super::beside::Beside;
use super::view::Live;
use super::{Place, cannot_open, come_up, options};
use crate::store::engine::StoreError;
use crate::store::opening::{Opened, Origin};
use crate::time::Timestamp;

/// Whether what was refused may open with its end cut off.
pub(super) fn may_help(refused: &rocksdb::Error) -> bool {
    refused.kind() == ErrorKind::Corruption
}

/// The store, recovered from a copy of what RocksDB refused to open.
pub(super) fn recover(
    place: &Place,
    refused: &rocksdb::Error,
    now: Timestamp,
) -> Result<(Live, Opened), StoreError> {
    let (path, beside) = (place.store.as_path(), Beside::of(&place.store));
    let failed = |error: io::Error| cannot_recover(path, refused, &error);
    let copy = beside.copy_of_present().map_err(failed)?;
    if !copy.is_dir() {
        beside.copy_to(&copy).map_err(failed)?;
    }
    let cut_off = options::Wals::UpToDamage;
    let Ok(live) = options::open(&copy, place.write_buffer_bytes, cut_off) else {
        // It is of no use to anybody, and what it was made of is still there.
        let _ = std::fs::remove_dir_all(&copy);
        return Err(cannot_open(path, refused.as_ref()));
    };
    let (live, opened) = come_up(live, place, Origin::CutOff)?;
    if let Err(stopped) = &opened.anchoring {
        tracing::error!(
            store = %path.display(), copy = %copy.display(), engine = %refused, state = stopped.state(),
            "the store is damaged; a copy of it is read up to the damage, and nothing is written"
        );
        return Ok((live, opened));
    }
    tracing::warn!(
        store = %path.display(), engine = %refused,
        "the store's log was damaged behind everything that was acknowledged; it goes on without that"
    );
    drop(live);
    beside.replace_with(&copy, now).map_err(failed)?;
    let live = options::open(path, place.write_buffer_bytes, options::Wals::Whole)
        .map_err(|error| cannot_open(path, error.as_ref()))?;
    come_up(live, place, Origin::AsLeft)
}

fn cannot_recover(path: &Path, refused: &rocksdb::Error, error: &io::Error) -> StoreError {
    StoreError::Unavailable(format!(
        "{} is damaged ({}), and a copy of it beside it cannot be made or take its place: {error}",
        path.display(),
        refused.as_ref()
    ))
}
