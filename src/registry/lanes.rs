//! Lanes: changes that would be in each other's way are decided one after the other, each on what those
//! before it leave, without waiting for the disk in between.
//!
//! Whoever decides in a lane sees the newest snapshot, and over it what was queued in the lane and is
//! not acknowledged yet. Its own commit takes its place in the engine's queue before the next one
//! decides, so that all of them share disk syncs, and none of them loses a race to another:
//!
//! ```text
//! first   decide ─ queue ─────────── durable, shown, answered
//! second           decide ─ queue ─────────────── durable, shown, answered
//! third                     decide ─ queue ─ …
//! ```
//!
//! What was decided on rows that nobody can read yet holds only where these are committed. So each
//! commit is tied to the one before it ([`Batch::after`]). A refusal and an answer that is repeated are
//! tied as well, by a commit that writes nothing. Where one of them falls, since somebody outside the
//! lane was first, all that were decided on it fall with it, and are decided again.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Registry, RegistryError};
use crate::store::engine::{Batch, CommitError, Held, Queued, Read, Row, StoreError};
use crate::store::following::Tables;

/// A lane for each place, as long as anybody is in it.
pub(super) struct Lanes<P, L>(Mutex<HashMap<P, Arc<L>>>);

impl<P, L> Default for Lanes<P, L> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// How many lanes are kept before those that nobody is in are let go.
const MOST_LANES: usize = 4_096;

impl<P: Eq + Hash, L: Default> Lanes<P, L> {
    pub(super) fn of(&self, place: P) -> Arc<L> {
        let mut lanes = locked(&self.0);
        if lanes.len() >= MOST_LANES {
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1);
        }
        lanes.entry(place).or_default().clone()
    }
}

/// One lane. Whoever decides in it holds it; nobody does while a commit is on its way.
#[derive(Default)]
pub(super) struct Lane {
    ahead: Mutex<Ahead>,
    /// Whether nobody else will ever be in it: what is ahead need not be kept then.
    apart: bool,
}

impl Lane {
    /// A lane of one's own, for what is decided once and competes with everybody.
    pub(super) fn apart() -> Self {
        Self {
            ahead: Mutex::default(),
            apart: true,
        }
    }
}

/// What was queued in a lane and is not settled yet.
#[derive(Default)]
struct Ahead {
    /// Each row as the newest of the commits leaves it (`None`: removed), with that one's number.
    rows: BTreeMap<Vec<u8>, (u64, Option<Vec<u8>>)>,
    /// The newest of them, to which the next one is tied.
    newest: Option<(u64, Held)>,
    /// How many were queued.
    queued: u64,
    /// Up to which number they are known to have fallen.
    fallen: u64,
}

/// What was decided in a lane and is on its way to the disk.
#[must_use]
pub(super) struct UnderWay<'a, T> {
    lane: &'a Lane,
    number: u64,
    /// `None` where there was nothing to commit.
    commit: Option<Queued>,
    decided: Result<T, RegistryError>,
}

impl Registry {
    /// Decides in a lane, and queues what was decided. `decide` is given what those before leave; it
    /// returns what is to be written, and what is to be answered once that is durable.
    pub(super) fn in_lane<'a, T>(
        &self,
        lane: &'a Lane,
        decide: impl FnOnce(&dyn Read) -> Result<(Batch, T), RegistryError>,
    ) -> UnderWay<'a, T> {
        let mut ahead = locked(&lane.ahead);
        // Taken while the lane is held: what is no more among the rows ahead is in it.
        let snapshot = self.engine.snapshot();
        let decided = decide(&Over {
            base: &*snapshot,
            ahead: &ahead.rows,
        });
        // The memory engine copies what a snapshot still looks at.
        drop(snapshot);
        let (mut batch, decided) = match decided {
            Ok((batch, answer)) => (batch, Ok(answer)),
            Err(refused) => (Batch::default(), Err(refused)),
        };
        batch.after = ahead.newest.as_ref().map(|(_, held)| held.clone());
        if !batch.writes() && batch.after.is_none() {
            return UnderWay {
                lane,
                number: 0,
                commit: None,
                decided,
            };
        }
        let number = if lane.apart { 0 } else { ahead.add(&mut batch) };
        match self.queue(batch) {
            Ok(commit) => UnderWay {
                lane,
                number,
                commit: Some(commit),
                decided,
            },
            Err(refused) => {
                ahead.fell(number);
                UnderWay {
                    lane,
                    number,
                    commit: None,
                    decided: decided.and(Err(refused)),
                }
            }
        }
    }
}

impl<T> UnderWay<'_, T> {
    /// Waits until it is durable and shown, and says what is to be answered. `None`: it fell, with
    /// what it was decided on or since another change came first, and is to be decided again.
    pub(super) fn settle(self, registry: &Registry) -> Option<Result<T, RegistryError>> {
        let Some(commit) = self.commit else {
            return Some(self.decided);
        };
        let came = registry.told(commit.wait());
        let mut ahead = locked(&self.lane.ahead);
        match came {
            Ok(_) => {
                ahead.stands(self.number);
                Some(self.decided)
            }
            Err(error) => {
                ahead.fell(self.number);
                match error {
                    RegistryError::Commit(CommitError::Conflict) => None,
                    error => Some(self.decided.and(Err(error))),
                }
            }
        }
    }
}

impl Ahead {
    fn add(&mut self, batch: &mut Batch) -> u64 {
        self.queued += 1;
        let number = self.queued;
        let puts = batch.puts.iter();
        let puts = puts.map(|(key, value)| (key.clone(), Some(value.clone())));
        let deletes = batch.deletes.iter().map(|key| (key.clone(), None));
        let written = puts.chain(deletes);
        self.rows
            .extend(written.map(|(key, row)| (key, (number, row))));
        let held = Held::default();
        batch.held = Some(held.clone());
        self.newest = Some((number, held));
        number
    }

    /// It is committed, and every snapshot from now on shows it.
    fn stands(&mut self, number: u64) {
        self.rows.retain(|_, (by, _)| *by != number);
        if self.newest.as_ref().is_some_and(|(by, _)| *by == number) {
            self.newest = None;
        }
    }

    /// It is not, and neither will be what was queued after it by now.
    fn fell(&mut self, number: u64) {
        if number > self.fallen {
            self.fallen = self.queued;
            self.rows.clear();
            self.newest = None;
        }
    }
}

/// Rows over a state of the store.
struct Over<'a> {
    base: &'a dyn Read,
    ahead: &'a BTreeMap<Vec<u8>, (u64, Option<Vec<u8>>)>,
}

impl Read for Over<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.ahead.get(key) {
            Some((_, row)) => Ok(row.clone()),
            None => self.base.get(key),
        }
    }

    fn last_write(&self, tables: Tables) -> Option<u64> {
        // What is ahead has no number yet.
        self.base
            .last_write(tables)
            .filter(|_| self.ahead.is_empty())
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        if self.ahead.is_empty() {
            return self.base.multi_get(keys);
        }
        let mut rows = self.base.multi_get(keys)?;
        for (row, key) in rows.iter_mut().zip(keys) {
            if let Some((_, ahead)) = self.ahead.get(key) {
                row.clone_from(ahead);
            }
        }
        Ok(rows)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let (first, end) = (from.to_vec(), to.to_vec());
        let ahead: Vec<_> = self.ahead.range(first..end).collect();
        // Each of those takes the place of one at most.
        let rows = self
            .base
            .scan(from, to, limit.saturating_add(ahead.len()))?;
        if ahead.is_empty() {
            return Ok(rows);
        }
        let mut rows: BTreeMap<_, _> = rows.into_iter().collect();
        for (key, (_, row)) in ahead {
            match row {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        Ok(rows.into_iter().take(limit).collect())
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
