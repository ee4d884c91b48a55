//! For those who keep in memory what they read: when that still is what they would read now
//! ([`Read::last_write`](super::engine::Read::last_write)), and the rows of each commit as it comes
//! ([`Follower`]).

use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use super::engine::StoreError;
use super::staging::Writes;
use super::table::{Key, Record, Table};

/// Some of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tables([u128; 2]);

impl Tables {
    /// None of them.
    pub const NONE: Self = Self([0; 2]);

    /// These, and this one.
    #[must_use]
    pub const fn with<K: Key, V: Record>(mut self, table: &Table<K, V>) -> Self {
        let tag = table.tag() as usize;
        self.0[tag / 128] |= 1 << (tag % 128);
        self
    }

    /// Whether one of them has keys that start with this byte.
    pub(super) const fn have(self, tag: u8) -> bool {
        self.0[tag as usize / 128] >> (tag % 128) & 1 == 1
    }

    /// The first bytes of their keys.
    fn tags(self) -> impl Iterator<Item = usize> {
        let has = move |tag: &usize| self.0[tag / 128] >> (tag % 128) & 1 == 1;
        (0..256).filter(has)
    }
}

/// For each table the number of the last batch that wrote rows of it, or a later one of the same group.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Marks(Box<[u64; 256]>);

impl Marks {
    /// Of a store that has just come up with so many batches in it.
    pub(super) fn at(commits: u64) -> Self {
        Self(Box::new([commits; 256]))
    }

    /// Notes a group that ends with batch number `commits`.
    pub(super) fn note(&mut self, writes: &Writes, commits: u64) {
        let mut from = Bound::Unbounded;
        // From one table to the next, not from row to row.
        while let Some((key, _)) = writes
            .range::<[u8], _>((
                from.as_ref().map(|from: &[u8; 1]| &from[..]),
                Bound::Unbounded,
            ))
            .next()
        {
            let tag = key[0];
            self.0[usize::from(tag)] = commits;
            match tag.checked_add(1) {
                Some(next) => from = Bound::Included([next]),
                None => return,
            }
        }
    }

    /// The newest of these tables' numbers.
    pub(super) fn last_write(&self, tables: Tables) -> u64 {
        let marks = tables.tags().map(|tag| self.0[tag]);
        marks.max().unwrap_or(0)
    }
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Marks").field(&self.0.iter().max()).finish()
    }
}

/// Somebody who is handed what is committed, group by group and in order: after readers can see it, and
/// before anybody is told that it is done.
///
/// Whoever begins to keep something first sees to it that it hears of changes to it, and then reads it
/// from a new snapshot: what was handed over before is in that snapshot, and what is handed over from
/// then on, in it or not, is to be taken over it. A snapshot can be ahead of what was handed over: where
/// that matters, [`last_write`](super::engine::Read::last_write) of the snapshot is the number of the
/// group up to which it is to be waited for.
pub trait Follower: Send + Sync {
    /// What a group wrote. The store calls this while it commits: it must be quick, and must not call
    /// the store.
    fn follow(&self, written: &Written<'_>);

    /// The store comes up, or comes up anew under whoever uses it: what is kept may not be what it holds.
    /// It holds what was written up to the group with this number.
    fn begin_anew(&self, number: u64);
}

/// The rows that a group of commits wrote.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    writes: &'a Writes,
    number: u64,
    by: By,
}

/// Who committed a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Somebody who called this engine.
    Us,
    /// Another process, on a store that several share.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    Another,
}

impl<'a> Written<'a> {
    /// The number of the group: what [`last_write`](super::engine::Read::last_write) tells from then on of
    /// the tables that it wrote. Later groups have greater ones.
    pub const fn number(self) -> u64 {
        self.number
    }

    /// Whether another process committed it, so that nobody here knows of it otherwise.
    pub const fn is_from_elsewhere(self) -> bool {
        matches!(self.by, By::Another)
    }

    /// The same, as other processes hear of it.
    #[cfg(test)]
    pub(crate) const fn heard_elsewhere(self) -> Self {
        Self {
            by: By::Another,
            ..self
        }
    }

    /// Those of a table, in ascending order of their keys; `None` where a row was removed.
    pub fn rows<K: Key, V: Record>(
        self,
        table: &'a Table<K, V>,
    ) -> impl Iterator<Item = Result<(K, Option<V>), StoreError>> + 'a {
        let (from, to) = table.range(&[]);
        let range = (Bound::Included(from), Bound::Excluded(to));
        self.writes.range::<Vec<u8>, _>(range).map(|(key, value)| {
            let value = value.as_ref().map(|value| table.value(value));
            Ok((table.key(key)?, value.transpose()?))
        })
    }
}

/// Those who follow a store.
#[derive(Default)]
pub(super) struct Followers(RwLock<Vec<Arc<dyn Follower>>>);

impl Followers {
    pub(super) fn add(&self, follower: Arc<dyn Follower>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.push(follower);
    }

    pub(super) fn hand_over(&self, writes: &Writes, number: u64, by: By) {
        self.each(|follower| follower.follow(&Written { writes, number, by }));
    }

    pub(super) fn begin_anew(&self, number: u64) {
        self.each(|follower| follower.begin_anew(number));
    }

    fn each(&self, tell: impl Fn(&dyn Follower)) {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().for_each(|follower| tell(&**follower));
    }
}

impl fmt::Debug for Followers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_tuple("Followers").field(&all.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Table<u32, u64> = Table::new(0x70, "one");
    const OTHER: Table<u32, u64> = Table::new(0xfe, "other");

    #[test]
    fn a_table_is_marked_by_the_last_group_that_wrote_it() {
        let mut marks = Marks::at(5);
        let both = Tables::NONE.with(&ONE).with(&OTHER);
        assert_eq!(marks.last_write(both), 5);
        let row = |tag: u8, key: u8| (vec![tag, key], None);
        marks.note(&Writes::from([row(0x70, 1), row(0x70, 2)]), 7);
        let of = |marks: &Marks| [ONE.tag(), OTHER.tag()].map(|tag| marks.0[usize::from(tag)]);
        assert_eq!(of(&marks), [7, 5]);
        marks.note(&Writes::from([row(0xfe, 1), row(0x01, 2)]), 8);
        assert_eq!(of(&marks), [7, 8]);
        assert_eq!(marks.last_write(Tables::NONE.with(&ONE)), 7);
        assert_eq!(marks.last_write(both), 8);
        assert_eq!(marks.last_write(Tables::NONE), 0);
    }

    #[test]
    fn rows_are_handed_over_as_what_their_table_says() {
        let mut batch = super::super::Batch::default();
        ONE.put(&mut batch, &1, &10);
        OTHER.put(&mut batch, &2, &20);
        ONE.delete(&mut batch, &3);
        let puts = batch
            .puts
            .into_iter()
            .map(|(key, value)| (key, Some(value)));
        let writes: Writes = puts
            .chain(batch.deletes.into_iter().map(|key| (key, None)))
            .collect();
        let written = Written {
            writes: &writes,
            number: 7,
            by: By::Us,
        };
        let ones: Result<Vec<_>, _> = written.rows(&ONE).collect();
        assert_eq!(ones, Ok(vec![(1, Some(10)), (3, None)]));
        assert_eq!(written.rows(&OTHER).count(), 1);
    }
}
