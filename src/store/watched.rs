//! A state of the store that notes when anything but some tables is read, for whoever keeps what was
//! worked out from these alone.

use std::sync::atomic::{AtomicBool, Ordering};

use super::engine::{Read, Row, StoreError};
use super::following::Tables;

/// One state of the store. What was worked out from it holds as long as no row of the tables is
/// written ([`Read::last_write`]), unless something else was read.
pub struct Watched<'a> {
    read: &'a dyn Read,
    tables: Tables,
    strayed: AtomicBool,
}

impl<'a> Watched<'a> {
    /// Notes nothing yet.
    pub const fn new(read: &'a dyn Read, tables: Tables) -> Self {
        Self {
            read,
            tables,
            strayed: AtomicBool::new(false),
        }
    }

    /// Whether nothing but the tables was read so far.
    pub fn kept_to_them(&self) -> bool {
        !self.strayed.load(Ordering::Relaxed)
    }

    fn note(&self, key: &[u8]) {
        if !key.first().is_some_and(|tag| self.tables.have(*tag)) {
            self.strayed.store(true, Ordering::Relaxed);
        }
    }
}

impl Read for Watched<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.note(key);
        self.read.get(key)
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        keys.iter().for_each(|key| self.note(key));
        self.read.multi_get(keys)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.note_range(from, to);
        self.read.scan(from, to, limit)
    }

    fn scan_each(
        &self,
        ranges: &[(Vec<u8>, Vec<u8>)],
        limit: usize,
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        ranges
            .iter()
            .for_each(|(from, to)| self.note_range(from, to));
        self.read.scan_each(ranges, limit)
    }

    fn last_write(&self, tables: Tables) -> Option<u64> {
        self.read.last_write(tables)
    }
}

impl Watched<'_> {
    /// A range that goes beyond its first table goes astray.
    fn note_range(&self, from: &[u8], to: &[u8]) {
        self.note(from);
        let (first, end) = (from.first().copied(), to.first().copied());
        let within = first == end || end == first.map(|tag| tag.wrapping_add(1)) && to.len() == 1;
        if !within {
            self.strayed.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::table::Table;

    const ONE: Table<u32, u64> = Table::new(0x70, "one");
    const OTHER: Table<u32, u64> = Table::new(0x71, "other");

    struct Empty;

    impl Read for Empty {
        fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            Ok(None)
        }

        fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
            Ok(vec![None; keys.len()])
        }

        fn scan(&self, _: &[u8], _: &[u8], _: usize) -> Result<Vec<Row>, StoreError> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn what_is_read_elsewhere_is_noted() {
        type Reading = fn(&dyn Read);
        let reads: [(&str, Reading); 4] = [
            ("get", |read| drop(OTHER.get(read, &1))),
            ("multi_get", |read| drop(OTHER.multi_get(read, &[1, 2]))),
            ("scan", |read| drop(OTHER.scan(read, &[], None, 1))),
            ("scan_each", |read| drop(OTHER.scan_each(read, &[[1]], 1))),
        ];
        for (name, elsewhere) in reads {
            let read = Watched::new(&Empty, Tables::NONE.with(&ONE));
            ONE.get(&read, &1).unwrap();
            ONE.multi_get(&read, &[1]).unwrap();
            ONE.scan(&read, &[], None, 9).unwrap();
            ONE.scan_each(&read, &[[1]], 9).unwrap();
            assert!(read.kept_to_them(), "{name}");
            elsewhere(&read);
            assert!(!read.kept_to_them(), "{name}");
        }
        let read = Watched::new(&Empty, Tables::NONE.with(&ONE));
        read.scan(&[0x70], &[0x71, 1], 9).unwrap();
        assert!(!read.kept_to_them());
    }
}
