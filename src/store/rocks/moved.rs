//! A store in a folder that is moved from, or to ([`moving`](crate::store::moving)).

use std::path::Path;

use rocksdb::{WriteBatch, WriteOptions};

use super::closed::{Closed, is_in_use};
use super::options::{self, WRITE_BUFFER_BYTES, Wals};
use super::view::Live;
use super::{cannot_open, unreadable};
use crate::store::anchor;
use crate::store::anchor::file::AnchorFile;
use crate::store::durably::make_folder;
use crate::store::engine::{Read, Row, StoreError};
use crate::store::examine::Stand;
use crate::store::format::{FIRST_ROWS_TAG, Identity, Tip};
use crate::store::moving::{Source, Target};
use crate::store::staging::Writes;

impl Closed {
    /// As [`open`](Self::open), of one that no server has open and that holds everything that its anchor says
    /// was acknowledged.
    ///
    /// # Errors
    /// It is in use, does not fit its anchor, or cannot be read.
    pub fn whole(folder: &Path, anchor: &Path) -> Result<Self, StoreError> {
        let path = folder.display();
        if is_in_use(folder).unwrap_or(false) {
            return Err(StoreError::Unavailable(format!(
                "another goodstanding is using {path}; stop it, or move from a backup that is put into \
                 another folder first, and once more from here when it is stopped"
            )));
        }
        if options::is_empty(folder) {
            return Err(StoreError::Unavailable(format!("{path} holds no store")));
        }
        let closed = Self::open(folder)?;
        if let Some(stand) = Stand::of(closed.rows())? {
            let fits = closed.held_against(&stand, anchor)?.fits;
            fits.map_err(StoreError::NoWrites)?;
        }
        Ok(closed)
    }
}

impl Read for Closed {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(key)
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.0.multi_get(keys)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.0.scan_apart(from, to, limit)
    }
}

impl Source for Closed {
    fn about(&self) -> Option<u64> {
        let known = self.0.0.property_int_value("rocksdb.estimate-num-keys");
        known.ok().flatten()
    }
}

/// A store that is being moved into a folder.
pub struct MovedTo {
    live: Live,
    anchor: AnchorFile,
}

impl MovedTo {
    /// Opens the folder, and makes it where there is none.
    ///
    /// # Errors
    /// It cannot be used, or another process uses it.
    pub fn open(folder: &Path, anchor: &Path) -> Result<Self, StoreError> {
        let made = make_folder(folder);
        made.map_err(|error| cannot_open(folder, &error.to_string()))?;
        let live = options::open(folder, WRITE_BUFFER_BYTES, Wals::Whole);
        Ok(Self {
            live: live.map_err(|error| cannot_open(folder, error.as_ref()))?,
            anchor: AnchorFile::at(anchor),
        })
    }

    /// Without a sync for each range: all of it is written out before the last rows.
    fn write(&self, gone: &[Row], rows: &[Row]) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        gone.iter().for_each(|(key, _)| batch.delete(key));
        rows.iter().for_each(|(key, value)| batch.put(key, value));
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        self.live.0.write_opt(batch, &options).map_err(unreadable)
    }
}

impl Read for MovedTo {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.live.get(key)
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.live.multi_get(keys)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.live.scan_apart(from, to, limit)
    }
}

impl Target for MovedTo {
    fn close(&mut self) -> Result<(), StoreError> {
        let first = self.live.scan(&[], &[FIRST_ROWS_TAG], usize::MAX)?;
        let gone: Writes = first.into_iter().map(|(key, _)| (key, None)).collect();
        self.live
            .write(&gone, super::Synced::Now)
            .map_err(unreadable)
    }

    fn replace(&mut self, from: &[u8], to: &[u8], rows: &[Row]) -> Result<(), StoreError> {
        let there = self.live.scan_apart(from, to, usize::MAX)?;
        self.write(&there, rows)
    }

    fn open_up(&mut self, tip: &Tip, identity: Identity, rows: &[Row]) -> Result<(), StoreError> {
        self.live.0.flush().map_err(unreadable)?;
        // Cut off between the two, it has an anchor and is no store: it is moved once more.
        anchor::make_at(&mut self.anchor, identity, tip)?;
        let last = rows.iter().cloned();
        let last: Writes = last.map(|(key, value)| (key, Some(value))).collect();
        self.live
            .write(&last, super::Synced::Now)
            .map_err(unreadable)
    }
}
