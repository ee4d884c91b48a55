//! What readers are shown: the rows as they were at one commit, and where the store stood then.

#[cfg(feature = "rocksdb")]
use std::sync::Arc;

use super::engine::{Read, Row, StoreError};
use super::following::Tables;
#[cfg(feature = "rocksdb")]
use super::format::Tip;
use super::write_path::Front;

/// One state.
pub(super) struct View<R> {
    rows: R,
    /// Where the store stood.
    front: Front,
}

impl<R> View<R> {
    pub(super) const fn new(rows: R, front: Front) -> Self {
        Self { rows, front }
    }

    #[cfg(feature = "rocksdb")]
    pub(super) const fn tip(&self) -> &Tip {
        &self.front.tip
    }
}

impl<R: Read> Read for View<R> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.rows.get(key)
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.rows.multi_get(keys)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.rows.scan(from, to, limit)
    }

    fn scan_each(
        &self,
        ranges: &[(Vec<u8>, Vec<u8>)],
        limit: usize,
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        self.rows.scan_each(ranges, limit)
    }

    fn scan_apart(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.rows.scan_apart(from, to, limit)
    }

    fn last_write(&self, tables: Tables) -> Option<u64> {
        Some(self.front.marks.last_write(tables))
    }

    fn commits(&self) -> Option<u64> {
        Some(self.front.tip.commits)
    }
}

/// Reads through a type that leads to what can be read.
#[cfg(feature = "rocksdb")]
macro_rules! reads_through {
    (<$($param:ident)?> $reader:ty, |$this:ident| $to:expr) => {
        impl<$($param: Read)?> Read for $reader {
            fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
                let $this = self;
                $to.get(key)
            }

            fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
                let $this = self;
                $to.multi_get(keys)
            }

            fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
                let $this = self;
                $to.scan(from, to, limit)
            }

            fn scan_each(
                &self,
                ranges: &[(Vec<u8>, Vec<u8>)],
                limit: usize,
            ) -> Result<Vec<Vec<Row>>, StoreError> {
                let $this = self;
                $to.scan_each(ranges, limit)
            }

            fn scan_apart(
                &self,
                from: &[u8],
                to: &[u8],
                limit: usize,
            ) -> Result<Vec<Row>, StoreError> {
                let $this = self;
                $to.scan_apart(from, to, limit)
            }

            fn last_write(&self, tables: Tables) -> Option<u64> {
                let $this = self;
                $to.last_write(tables)
            }

            fn commits(&self) -> Option<u64> {
                let $this = self;
                $to.commits()
            }
        }
    };
}
#[cfg(feature = "rocksdb")]
pub(super) use reads_through;

#[cfg(feature = "rocksdb")]
reads_through!(<R> Arc<View<R>>, |this| (**this));
