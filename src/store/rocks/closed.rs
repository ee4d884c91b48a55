//! A store that no server has open, opened for reading: nothing of it is changed, not even RocksDB's own log.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::options::{self, Wals};
use super::view::Live;
use crate::store::anchor::file::AnchorFile;
use crate::store::engine::{Read, StoreError};
use crate::store::examine::{AnchorSays, Stand};

/// The rows of a closed store.
pub struct Closed(pub(super) Live);

impl Closed {
    /// Opens the store in `folder`.
    ///
    /// # Errors
    /// What RocksDB says of it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let opened = options::open_to_read(folder, Wals::Whole).map(Self);
        opened.map_err(|error| StoreError::Unavailable(error.into_string()))
    }

    /// Its rows.
    pub fn rows(&self) -> &dyn Read {
        &self.0
    }

    /// Holds it, which stands so, against the anchor in this file.
    ///
    /// # Errors
    /// Rows that cannot be read.
    pub fn held_against(&self, stand: &Stand, anchor: &Path) -> Result<AnchorSays, StoreError> {
        stand.held_against(&self.0, &AnchorFile::at(anchor))
    }
}

/// Whether another process has the store in `folder` open.
pub fn is_in_use(folder: &Path) -> io::Result<bool> {
    let lock = match File::open(folder.join("LOCK")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        lock => lock?,
    };
    let held = fcntl_getlk(&lock, &Flock::from(FlockType::WriteLock))?;
    Ok(held.is_some())
}
