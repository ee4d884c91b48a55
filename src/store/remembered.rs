//! A state of the store in which each row is read once, for questions that are about many things.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use super::engine::{Read, Row, StoreError};
use super::following::Tables;
use super::table::{Key, Record, Table};

/// What was read of one state of the store is kept as long as this is. That state does not change,
/// so what is kept is what would be read: hand in a snapshot.
pub struct Remembered<'a> {
    read: &'a dyn Read,
    kept: RwLock<Kept>,
}

#[derive(Default)]
struct Kept {
    rows: HashMap<Vec<u8>, Option<Vec<u8>>>,
    /// Of all values.
    bytes: usize,
}

/// So many rows are kept, of so many bytes in all; what comes later is read each time.
const MOST_ROWS: usize = 16_384;
const MOST_BYTES: usize = 32 << 20;

impl<'a> Remembered<'a> {
    /// Remembers nothing yet.
    pub fn new(read: &'a dyn Read) -> Self {
        Self {
            read,
            kept: RwLock::default(),
        }
    }

    /// Reads rows that will be asked for, in one question to the store.
    ///
    /// # Errors
    /// Those of the store.
    pub fn read_ahead<K: Key, V: Record>(
        &self,
        table: &Table<K, V>,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<(), StoreError> {
        let mut new: Vec<_> = {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            let keys = keys.into_iter().map(|key| table.stored_key(&key));
            keys.filter(|key| !kept.rows.contains_key(key)).collect()
        };
        new.sort_unstable();
        new.dedup();
        let values = self.read.multi_get(&new)?;
        for (key, value) in new.into_iter().zip(values) {
            self.keep(key, &value);
        }
        Ok(())
    }

    fn keep(&self, key: Vec<u8>, value: &Option<Vec<u8>>) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let bytes = kept.bytes + value.as_ref().map_or(0, Vec::len);
        if kept.rows.len() < MOST_ROWS && bytes <= MOST_BYTES {
            kept.rows.insert(key, value.clone());
            kept.bytes = bytes;
        }
    }
}

impl Read for Remembered<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.rows.get(key) {
            return Ok(known.clone());
        }
        drop(kept);
        let value = self.read.get(key)?;
        self.keep(key.to_vec(), &value);
        Ok(value)
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.read.multi_get(keys)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.read.scan(from, to, limit)
    }

    fn scan_each(
        &self,
        ranges: &[(Vec<u8>, Vec<u8>)],
        limit: usize,
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        self.read.scan_each(ranges, limit)
    }

    fn last_write(&self, tables: Tables) -> Option<u64> {
        self.read.last_write(tables)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const NUMBERS: Table<(u32, u32), u64> = Table::new(0x70, "numbers");

    /// Ten rows under each of ten numbers, and how often one was asked for.
    #[derive(Default)]
    struct Counted(AtomicUsize);

    impl Counted {
        fn asked(&self) -> usize {
            self.0.swap(0, Ordering::Relaxed)
        }
    }

    fn row(key: (u32, u32)) -> Row {
        let mut batch = crate::store::engine::Batch::default();
        NUMBERS.put(&mut batch, &key, &u64::from(key.0 * 10 + key.1));
        batch.puts.remove(0)
    }

    impl Read for Counted {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let mut rows = (0..100).map(|number| row((number / 10, number % 10)));
            Ok(rows.find(|(known, _)| known == key).map(|(_, value)| value))
        }

        fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
            keys.iter().map(|key| self.get(key)).collect()
        }

        fn scan(&self, _: &[u8], _: &[u8], _: usize) -> Result<Vec<Row>, StoreError> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn each_row_is_read_once() {
        let store = Counted::default();
        let read = Remembered::new(&store);
        for _ in 0..2 {
            assert_eq!(NUMBERS.get(&read, &(3, 4)), Ok(Some(34)));
            assert_eq!(NUMBERS.get(&read, &(30, 4)), Ok(None));
        }
        assert_eq!(store.asked(), 2);
        let ahead = [(3, 4), (5, 6), (5, 6), (50, 6)];
        read.read_ahead(&NUMBERS, ahead).unwrap();
        assert_eq!(store.asked(), 2);
        assert_eq!(NUMBERS.get(&read, &(5, 6)), Ok(Some(56)));
        assert_eq!(NUMBERS.get(&read, &(50, 6)), Ok(None));
        assert_eq!(store.asked(), 0);
    }
}
