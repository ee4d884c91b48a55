//! Reading: the rows as they are written, and as they were at one commit.

use std::sync::Arc;

use rocksdb::{DB, DBIterator, Direction, IteratorMode, ReadOptions, Snapshot};
use self_cell::self_cell;

use super::unreadable;
use crate::store::engine::{Read, Row, StoreError};

/// RocksDB's own name for the family of columns in which all rows are.
pub(super) const FAMILY: &str = "default";

/// The newest state, anchored or not. Whoever writes is the only one to look at it.
pub(in crate::store) struct Live(pub(super) DB);

self_cell!(
    /// One state, which RocksDB keeps until this is dropped.
    pub(in crate::store) struct Frozen {
        owner: Arc<Live>,
        #[not_covariant]
        dependent: Snapshot,
    }
);

impl Frozen {
    /// The state that `live` has now.
    pub(in crate::store) fn of(live: &Arc<Live>) -> Self {
        Self::new(live.clone(), |live| live.0.snapshot())
    }

    fn with<T>(&self, read: impl FnOnce(&DB, ReadOptions) -> T) -> T {
        self.with_dependent(|live, snapshot| {
            let mut options = ReadOptions::default();
            options.set_snapshot(snapshot);
            read(&live.0, options)
        })
    }
}

impl Live {
    fn with<T>(&self, read: impl FnOnce(&DB, ReadOptions) -> T) -> T {
        read(&self.0, ReadOptions::default())
    }
}

/// Both read alike.
macro_rules! read_with_options {
    ($view:ty, $($more:item)*) => {
        impl Read for $view {
            fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
                self.with(|db, options| db.get_opt(key, &options).map_err(unreadable))
            }

            fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
                self.with(|db, options| values(db, keys, &options))
            }

            fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
                if from >= to {
                    return Ok(Vec::new());
                }
                self.with(|db, mut options| {
                    options.set_iterate_upper_bound(to);
                    let start = IteratorMode::From(from, Direction::Forward);
                    rows(db.iterator_opt(start, options), limit)
                })
            }

            fn scan_each(
                &self,
                ranges: &[(Vec<u8>, Vec<u8>)],
                limit: usize,
            ) -> Result<Vec<Vec<Row>>, StoreError> {
                self.with(|db, options| rows_of_each(db, options, ranges, limit))
            }

            $($more)*
        }
    };
}
read_with_options!(Live,);
read_with_options! {
    Frozen,
    fn scan_apart(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        self.with(|db, mut options| {
            options.fill_cache(false);
            options.set_iterate_upper_bound(to);
            let start = IteratorMode::From(from, Direction::Forward);
            rows(db.iterator_opt(start, options), limit)
        })
    }
}

/// The values of keys, looked for together, and sorted here: RocksDB takes longer for that.
fn values(
    db: &DB,
    keys: &[Vec<u8>],
    options: &ReadOptions,
) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
    let family = db.cf_handle(FAMILY).ok_or_else(|| {
        StoreError::Unavailable("the store was opened without its rows".to_owned())
    })?;
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_unstable_by(|one, other| keys[*one].cmp(&keys[*other]));
    let sorted = order.iter().map(|place| &keys[*place]);
    let found = db.batched_multi_get_cf_opt(family, sorted, true, options);
    let mut values = vec![None; keys.len()];
    for (place, value) in order.into_iter().zip(found) {
        values[place] = value.map_err(unreadable)?.map(|bytes| bytes.to_vec());
    }
    Ok(values)
}

fn rows(iterator: DBIterator<'_>, limit: usize) -> Result<Vec<Row>, StoreError> {
    iterator
        .take(limit)
        .map(|row| {
            row.map(|(key, value)| (key.into_vec(), value.into_vec()))
                .map_err(unreadable)
        })
        .collect()
}

fn rows_of_each(
    db: &DB,
    options: ReadOptions,
    ranges: &[(Vec<u8>, Vec<u8>)],
    limit: usize,
) -> Result<Vec<Vec<Row>>, StoreError> {
    let mut iterator = db.raw_iterator_opt(options);
    let scan = |(from, to): &(Vec<u8>, Vec<u8>)| {
        let mut rows = Vec::new();
        iterator.seek(from);
        while let Some((key, value)) = iterator.item()
            && key < &**to
            && rows.len() < limit
        {
            rows.push((key.to_vec(), value.to_vec()));
            iterator.next();
        }
        iterator.status().map_err(unreadable)?;
        Ok(rows)
    };
    ranges.iter().map(scan).collect()
}
