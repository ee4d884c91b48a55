//! A store moved from one engine to another, row by row and held against itself at the end.
//!
//! What is moved to is no store from the first row on until the last one stands: the rows that make it
//! one come last, so that nobody takes half of it for the whole. A move that was cut off is begun again with
//! the same words: ranges of rows that are there already are read and left alone, and only what
//! differs is written. So a first move may be made from a copy while the store itself is still in use,
//! and a second one of what changed since, once it is not.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::engine::{Head, Read, Row, StoreError};
use super::format::{self, FORMAT, Identity, Tip, corrupt};
#[cfg(feature = "postgres")]
use super::postgres;
use super::rocks::closed::Closed;
use super::rocks::moved::MovedTo;
use super::tables::names::name_of;

/// A store that nobody changes while it is read from its first row to its last.
pub(in crate::store) trait Source: Read {
    /// About how many rows there are, where that is known.
    fn about(&self) -> Option<u64> {
        None
    }
}

/// What is moved to. Nobody else uses it meanwhile.
pub(in crate::store) trait Target: Read {
    /// From now on it is no store, until [`open_up`](Self::open_up): nobody takes what is in it for one.
    fn close(&mut self) -> Result<(), StoreError>;

    /// Whatever stands in `from <= key < to` is replaced by these rows, all at once.
    fn replace(&mut self, from: &[u8], to: &[u8], rows: &[Row]) -> Result<(), StoreError>;

    /// It is a store that stands so, with these last rows. Everything is durable when this returns.
    fn open_up(&mut self, tip: &Tip, identity: Identity, rows: &[Row]) -> Result<(), StoreError>;
}

/// How far a move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moving {
    /// Rows that were looked at.
    pub rows: u64,
    /// About how many there are, where that is known.
    pub of: Option<u64>,
    /// Whether they are being compared, after all were moved.
    pub comparing: bool,
}

/// What came of a move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Each table that has rows, in the order of their keys.
    pub tables: Vec<TableMoved>,
    /// Where the store stands.
    pub head: Head,
    /// Rows that were written; the others were there already.
    pub written: u64,
}

/// A table that is the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableMoved {
    /// Its name.
    pub name: &'static str,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 over each row's length of key u32, key, length of value u32, and value, in ascending order.
    pub digest: [u8; 32],
}

/// Why a store could not be moved. Both sides can be read as before; what is moved to may be no store until
/// it was moved.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoveError {
    /// There is nothing to move.
    #[error("there is no store to move from")]
    NoSource,
    /// What would be overwritten is another store.
    #[error(
        "what is to be moved to holds another store; move to an empty place, or remove what is there"
    )]
    AnotherStore,
    /// What would be overwritten has changes that the other side has not.
    #[error(
        "what is to be moved to has changes up to event {theirs}, which are not those of what is moved from \
         (up to event {ours}); nothing was written"
    )]
    Diverged {
        /// The newest event of what is moved from.
        ours: u64,
        /// That of what would be overwritten.
        theirs: u64,
    },
    /// The two sides differ after all was moved.
    #[error(
        "table {0} is not the same on both sides after it was moved; see that nobody else writes, and \
         begin again"
    )]
    Differs(&'static str),
    /// One side could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What can be moved from or to.
#[derive(Debug, Clone)]
pub enum Side {
    /// A store in a folder, with its anchor's file.
    Folder {
        /// The folder.
        store: PathBuf,
        /// The anchor's file.
        anchor: PathBuf,
    },
    /// A database.
    #[cfg(feature = "postgres")]
    Postgres(Box<postgres::Settings>),
}

/// Moves the store from one place to another, and tells how far that is.
///
/// # Errors
/// As [`MoveError`] has them.
pub fn move_store(
    from: &Side,
    to: &Side,
    so_far: &mut dyn FnMut(Moving),
) -> Result<Moved, MoveError> {
    let source: Box<dyn Source> = match from {
        Side::Folder { store, anchor } => Box::new(Closed::whole(store, anchor)?),
        #[cfg(feature = "postgres")]
        Side::Postgres(settings) => {
            let moved = postgres::moved::MovedFrom::open(*settings.clone())?;
            Box::new(moved.ok_or(MoveError::NoSource)?)
        }
    };
    let mut target: Box<dyn Target> = match to {
        Side::Folder { store, anchor } => Box::new(MovedTo::open(store, anchor)?),
        #[cfg(feature = "postgres")]
        Side::Postgres(settings) => Box::new(postgres::moved::MovedTo::open(*settings.clone())?),
    };
    run(&*source, &mut *target, so_far)
}

/// Where the rows begin that are not the engine's head and format, and where all rows end.
const FIRST: [u8; 1] = [format::FIRST_ROWS_TAG];
const END: [u8; 1] = [0xff];

/// Moves all of `source`, and tells how far that is.
fn run(
    source: &dyn Source,
    target: &mut dyn Target,
    so_far: &mut dyn FnMut(Moving),
) -> Result<Moved, MoveError> {
    let Some((tip, identity)) = stand(source)? else {
        return Err(MoveError::NoSource);
    };
    may_take_the_place(source, &tip, identity, target)?;
    target.close()?;
    let mut written = 0;
    let mut told = Told::of(source, so_far);
    let ours = each_range(source, &mut |from, to, rows| {
        told.looked_at(rows);
        if !is_there(target, from, to, rows)? {
            target.replace(from, to, rows)?;
            written += rows.len() as u64;
        }
        Ok(())
    })?;
    told.compares();
    let theirs = each_range(&*target, &mut |_, _, rows| {
        told.looked_at(rows);
        Ok(())
    })?;
    let tables = same(ours, theirs)?;
    let last = source.scan(&[], &FIRST, usize::MAX)?;
    target.open_up(&tip, identity, &last)?;
    Ok(Moved {
        tables,
        head: tip.head,
        written,
    })
}

/// Where a store stands; `None` where there is none, or not yet.
fn stand(store: &dyn Read) -> Result<Option<(Tip, Identity)>, StoreError> {
    let (Some(found), Some(head)) = (
        store.get(&format::format_key())?,
        store.get(&format::head_key())?,
    ) else {
        return Ok(None);
    };
    let found = format::read_format(&found)?;
    if found != FORMAT {
        return Err(StoreError::Format {
            found,
            known: FORMAT,
        });
    }
    Ok(Some((Tip::decode(&head)?, format::read_identity(store)?)))
}

/// A store that is there is one that the source has grown from, or is left alone.
fn may_take_the_place(
    source: &dyn Read,
    tip: &Tip,
    identity: Identity,
    target: &dyn Read,
) -> Result<(), MoveError> {
    let Some((theirs, other)) = stand(target)? else {
        return Ok(());
    };
    if other.store != identity.store {
        return Err(MoveError::AnotherStore);
    }
    let at_theirs = format::digest_at(source, theirs.head.seq)?;
    let grown = theirs.commits <= tip.commits
        && other.epoch <= identity.epoch
        && at_theirs == Some(theirs.head.digest);
    match grown {
        true => Ok(()),
        false => Err(MoveError::Diverged {
            ours: tip.head.seq.0,
            theirs: theirs.head.seq.0,
        }),
    }
}

/// What the tables of a store add up to, by their tags.
type Sums = BTreeMap<u8, (u64, Sha256)>;

/// What is done with a range of rows: from where, up to where, and all that stands there.
type OnRange<'a> = dyn FnMut(&[u8], &[u8], &[Row]) -> Result<(), StoreError> + 'a;

/// Hands over all rows but the last ones, in ranges that have no gap between them and no row twice.
fn each_range(read: &dyn Read, range: &mut OnRange<'_>) -> Result<Sums, StoreError> {
    let mut sums = Sums::new();
    let mut from = FIRST.to_vec();
    let mut size = Size::default();
    loop {
        let rows = read.scan(&from, &END, size.rows)?;
        let to = match rows.last() {
            Some((last, _)) if rows.len() == size.rows => [last.as_slice(), &[0]].concat(),
            _ => END.to_vec(),
        };
        for row in &rows {
            add(&mut sums, row);
        }
        range(&from, &to, &rows)?;
        if to == END {
            return Ok(sums);
        }
        size.learn_from(&rows);
        from = to;
    }
}

/// How many rows are read at once: as many as have about [`Size::BYTES`], since some are of megabytes.
struct Size {
    rows: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self { rows: 64 }
    }
}

impl Size {
    const BYTES: usize = 2 << 20;

    fn learn_from(&mut self, rows: &[Row]) {
        let bytes: usize = rows.iter().map(|(key, row)| key.len() + row.len()).sum();
        let fits = self.rows * Self::BYTES / bytes.max(1);
        // One row of megabytes among thousands of small ones is no reason to go on one by one.
        self.rows = fits.clamp((self.rows / 4).max(4), self.rows * 2).min(8_192);
    }
}

fn add(sums: &mut Sums, (key, value): &Row) {
    let (rows, sum) = sums.entry(key[0]).or_default();
    *rows += 1;
    for part in [key, value] {
        sum.update((part.len() as u64).to_be_bytes());
        sum.update(part);
    }
}

/// Whether the range holds these rows and no others.
fn is_there(target: &dyn Read, from: &[u8], to: &[u8], rows: &[Row]) -> Result<bool, StoreError> {
    // Of a place that is empty a single row tells.
    if !rows.is_empty() && target.scan(from, to, 1)?.first() != rows.first() {
        return Ok(false);
    }
    Ok(target.scan(from, to, rows.len() + 1)? == rows)
}

fn same(ours: Sums, mut theirs: Sums) -> Result<Vec<TableMoved>, MoveError> {
    let mut tables = Vec::with_capacity(ours.len());
    for (tag, (rows, sum)) in ours {
        let name =
            name_of(tag).ok_or_else(|| corrupt("meta", format!("there is no table {tag:#04x}")))?;
        let digest: [u8; 32] = sum.finalize().into();
        let there = theirs
            .remove(&tag)
            .map(|(rows, sum)| (rows, sum.finalize().into()));
        if there != Some((rows, digest)) {
            return Err(MoveError::Differs(name));
        }
        tables.push(TableMoved { name, rows, digest });
    }
    match theirs.into_keys().next() {
        Some(tag) => Err(MoveError::Differs(name_of(tag).unwrap_or("unknown"))),
        None => Ok(tables),
    }
}

/// Who hears how far it is.
struct Told<'a> {
    moving: Moving,
    so_far: &'a mut dyn FnMut(Moving),
}

impl<'a> Told<'a> {
    fn of(source: &dyn Source, so_far: &'a mut dyn FnMut(Moving)) -> Self {
        let moving = Moving {
            rows: 0,
            of: source.about(),
            comparing: false,
        };
        Self { moving, so_far }
    }

    fn looked_at(&mut self, rows: &[Row]) {
        self.moving.rows += rows.len() as u64;
        (self.so_far)(self.moving);
    }

    fn compares(&mut self) {
        self.moving = Moving {
            rows: 0,
            of: Some(self.moving.rows),
            comparing: true,
        };
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::store::engine::{Batch, Engine as _};
    use crate::store::memory::{MemoryEngine, Rows};
    use crate::store::tables::names::NAMES;
    use crate::time::{ManualClock, Timestamp};
    use std::sync::Arc;

    impl Source for Rows {}

    /// A place that is moved to, and breaks after so many writes.
    struct Place {
        rows: Rows,
        writes: usize,
    }

    impl Place {
        fn write(&mut self, gone: Vec<Vec<u8>>, rows: &[Row]) -> Result<(), StoreError> {
            if self.writes == 0 {
                return Err(StoreError::Unavailable("it broke".to_owned()));
            }
            self.writes -= 1;
            let left = self.rows.scan(&[], &[0xff; 40], usize::MAX)?.into_iter();
            let left = left.filter(|(key, _)| !gone.contains(key));
            self.rows = left.chain(rows.iter().cloned()).collect();
            Ok(())
        }
    }

    impl Read for Place {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            self.rows.get(key)
        }

        fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
            self.rows.multi_get(keys)
        }

        fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
            self.rows.scan(from, to, limit)
        }
    }

    impl Target for Place {
        fn close(&mut self) -> Result<(), StoreError> {
            let first = self.rows.scan(&[], &FIRST, usize::MAX)?;
            self.write(first.into_iter().map(|(key, _)| key).collect(), &[])
        }

        fn replace(&mut self, from: &[u8], to: &[u8], rows: &[Row]) -> Result<(), StoreError> {
            let there = self.rows.scan(from, to, usize::MAX)?;
            self.write(there.into_iter().map(|(key, _)| key).collect(), rows)
        }

        fn open_up(&mut self, _: &Tip, _: Identity, rows: &[Row]) -> Result<(), StoreError> {
            self.write(Vec::new(), rows)
        }
    }

    fn engine() -> MemoryEngine {
        MemoryEngine::new(Arc::new(ManualClock::new(Timestamp::EPOCH)))
    }

    /// Writes a row of a table, and says so in the log.
    fn put(engine: &MemoryEngine, number: u16, bytes: usize) {
        let tag = NAMES[usize::from(number) % NAMES.len()].0;
        // Counters of indexes are written in their own way.
        let tag = if format::is_counter(&[tag]) {
            0x10
        } else {
            tag
        };
        let key = [&[tag][..], &number.to_be_bytes()].concat();
        let batch = Batch {
            puts: vec![(key, vec![number as u8; bytes])],
            events: vec![number.to_be_bytes().to_vec().into()],
            ..Batch::default()
        };
        engine.commit(batch).unwrap();
    }

    fn rows(engine: &MemoryEngine) -> Rows {
        let all = engine.scan(&[], &[0xff; 40], usize::MAX).unwrap();
        all.into_iter().collect()
    }

    fn all(read: &dyn Read) -> Vec<Row> {
        read.scan(&[], &[0xff; 40], usize::MAX).unwrap()
    }

    #[test]
    fn every_table_has_a_name_of_its_own() {
        let sources = [
            include_str!("tables.rs"),
            include_str!("tables/clients.rs"),
            include_str!("tables/codes.rs"),
            include_str!("tables/endorsements.rs"),
            include_str!("tables/keys.rs"),
            include_str!("tables/lists.rs"),
            include_str!("tables/requests.rs"),
        ];
        let tables: usize = sources
            .iter()
            .map(|source| source.matches("Table::new(").count())
            .sum();
        let tags: HashSet<_> = NAMES.iter().map(|(tag, _)| tag).collect();
        assert_eq!((NAMES.len(), tags.len()), (tables, tables));
    }

    proptest! {
        /// However often a move breaks off, and whatever the store did meanwhile: at the end the
        /// two sides are the same, and until then nobody would take the one for a store.
        #[test]
        fn a_move_that_is_begun_again_ends_where_one_that_was_not_does(
            first in prop::collection::vec((any::<u16>(), 0usize..3_000), 0..200),
            later in prop::collection::vec((any::<u16>(), 0usize..3_000), 0..20),
            breaks in prop::collection::vec(0usize..6, 0..4),
        ) {
            let engine = engine();
            first.iter().for_each(|(number, bytes)| put(&engine, *number, *bytes));
            let mut place = Place { rows: Rows::default(), writes: 0 };
            for after in breaks {
                place.writes = after;
                let came = run(&rows(&engine), &mut place, &mut |_| {});
                let is_store = stand(&place).unwrap().is_some();
                prop_assert!(is_store || came.is_err());
                prop_assert!(!is_store || all(&place) == all(&engine));
            }
            later.iter().for_each(|(number, bytes)| put(&engine, *number, *bytes));
            place.writes = usize::MAX;
            let moved = run(&rows(&engine), &mut place, &mut |_| {}).unwrap();
            prop_assert_eq!(all(&place), all(&engine));
            prop_assert_eq!(moved.head, engine.head());
            let again = run(&rows(&engine), &mut place, &mut |_| {}).unwrap();
            prop_assert_eq!((again.written, again.tables), (0, moved.tables));
        }
    }

    #[test]
    fn nothing_is_overwritten_that_the_source_has_not_grown_from() {
        let (ours, theirs) = (engine(), engine());
        put(&ours, 1, 10);
        put(&theirs, 2, 10);
        put(&theirs, 3, 10);
        let mut place = Place {
            rows: rows(&theirs),
            writes: usize::MAX,
        };
        let diverged = MoveError::Diverged { ours: 1, theirs: 2 };
        assert_eq!(run(&rows(&ours), &mut place, &mut |_| {}), Err(diverged));
        assert_eq!(all(&place), all(&theirs));
        let mut other: BTreeMap<_, _> = all(&theirs).into_iter().collect();
        other.insert(format::store_key(), vec![9; 16]);
        place.rows = other.into_iter().collect();
        let came = run(&rows(&ours), &mut place, &mut |_| {});
        assert_eq!(came, Err(MoveError::AnotherStore));
        let came = run(&Rows::default(), &mut place, &mut |_| {});
        assert_eq!(came, Err(MoveError::NoSource));
    }

    #[test]
    fn a_place_that_does_not_keep_what_it_is_given_is_noticed() {
        struct Forgets(Place);
        impl Read for Forgets {
            fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
                self.0.get(key)
            }
            fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
                self.0.multi_get(keys)
            }
            fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
                self.0.scan(from, to, limit)
            }
        }
        impl Target for Forgets {
            fn close(&mut self) -> Result<(), StoreError> {
                self.0.close()
            }
            fn replace(&mut self, from: &[u8], to: &[u8], rows: &[Row]) -> Result<(), StoreError> {
                self.0.replace(from, to, &rows[..rows.len() - 1])
            }
            fn open_up(&mut self, _: &Tip, _: Identity, _: &[Row]) -> Result<(), StoreError> {
                panic!("it is not the same");
            }
        }
        let engine = engine();
        put(&engine, 1, 10);
        let mut place = Forgets(Place {
            rows: Rows::default(),
            writes: usize::MAX,
        });
        let came = run(&rows(&engine), &mut place, &mut |_| {});
        assert!(matches!(came, Err(MoveError::Differs(_))), "{came:?}");
    }
}
