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
use crate::store::engine::{Batch, CommitError, Committed, Held, Read, Row, StoreError};
use crate::store::following::Tables;
use crate::store::queued::Queued;

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
    /// What became of commits, told by those who may not wait until nobody decides. Whoever is next to
    /// decide hears it first.
    news: Mutex<Vec<(u64, Became)>>,
    /// Whether nobody else will ever be in it: what is ahead need not be kept then.
    apart: bool,
}

impl Lane {
    /// A lane of one's own, for what is decided once and competes with everybody.
    pub(super) fn apart() -> Self {
        Self {
            ahead: Mutex::default(),
            news: Mutex::default(),
            apart: true,
        }
    }
}

/// What became of a commit, as far as those after it are concerned.
#[derive(Clone, Copy)]
enum Became {
    Stands,
    Fell,
}

impl Became {
    const fn of(answer: &Result<Committed, CommitError>) -> Self {
        match answer {
            Ok(_) => Self::Stands,
            Err(_) => Self::Fell,
        }
    }
}

impl Lane {
    fn take_news(&self) -> Vec<(u64, Became)> {
        std::mem::take(&mut *locked(&self.news))
    }
}

/// What was queued in a lane and cannot be read by everybody yet.
#[derive(Default)]
struct Ahead {
    /// Each row as the newest of the commits leaves it (`None`: removed), with that one's number.
    rows: BTreeMap<Vec<u8>, (u64, Option<Vec<u8>>)>,
    /// The commits in order. The next one is tied to the newest of them.
    under_way: BTreeMap<u64, Held>,
    /// How many were queued.
    queued: u64,
    /// Up to which number they are known to have fallen.
    fallen: u64,
}

/// What was decided in a lane and is on its way to the disk.
#[must_use]
pub(super) struct UnderWay<T> {
    /// `None` where there was nothing to commit.
    sent: Option<Sent>,
    decided: Result<T, RegistryError>,
}

/// A commit of a lane that is on its way. However whoever waits for it ends, the lane hears what becomes of
/// it: else the next ones would be tied to it for ever.
struct Sent {
    lane: Arc<Lane>,
    number: u64,
    /// `None` once that is known.
    commit: Option<Queued>,
}

impl Registry {
    /// Decides in a lane, and queues what was decided. `decide` is given what those before leave; it
    /// returns what is to be written, and what is to be answered once that is durable.
    pub(super) fn in_lane<T>(
        &self,
        lane: &Arc<Lane>,
        decide: impl FnOnce(&dyn Read) -> Result<(Batch, T), RegistryError>,
    ) -> UnderWay<T> {
        let mut ahead = locked(&lane.ahead);
        // Before the snapshot is taken, which shows all that stands by now.
        ahead.hear(lane.take_news());
        // Taken while the lane is held: what is no more among the rows ahead is in it.
        let snapshot = self.engine.snapshot();
        // What it shows is there as it is now: others may have changed it since.
        ahead.are_shown(&*snapshot);
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
        batch.after = ahead.under_way.values().next_back().cloned();
        if !batch.writes() && batch.after.is_none() {
            let sent = None;
            return UnderWay { sent, decided };
        }
        let number = if lane.apart { 0 } else { ahead.add(&mut batch) };
        match self.queue(batch) {
            Ok(commit) => {
                let commit = Some(commit);
                let sent = Some(Sent {
                    lane: lane.clone(),
                    number,
                    commit,
                });
                UnderWay { sent, decided }
            }
            Err(refused) => {
                ahead.fell(number);
                UnderWay {
                    sent: None,
                    decided: decided.and(Err(refused)),
                }
            }
        }
    }
}

impl<T> UnderWay<T> {
    /// Waits until it is durable and shown, and says what is to be answered. `None`: it fell, with
    /// what it was decided on or since another change came first, and is to be decided again.
    pub(super) fn settle(self, registry: &Registry) -> Option<Result<T, RegistryError>> {
        let became = self.sent.and_then(|mut sent| sent.settle());
        let decided = self.decided;
        Settled { became, decided }.told(registry)
    }

    /// As [`settle`](Self::settle), without a thread that waits: `hear` is called once that is known, here
    /// and now or by the engine's thread ([`Queued::then`]), and is to be as brief.
    pub(super) fn then(self, hear: impl FnOnce(Settled<T>) + Send + 'static)
    where
        T: Send + 'static,
    {
        let Self { sent, decided } = self;
        let Some((sent, commit)) = sent.and_then(|mut sent| {
            let commit = sent.commit.take()?;
            Some((sent, commit))
        }) else {
            let became = None;
            return hear(Settled { became, decided });
        };
        commit.then(move |became| {
            sent.leaves_word(&became);
            let became = Some(became);
            hear(Settled { became, decided });
        });
    }

    /// With something else to be answered.
    pub(super) fn map<U>(self, answer: impl FnOnce(T) -> Result<U, RegistryError>) -> UnderWay<U> {
        UnderWay {
            sent: self.sent,
            decided: self.decided.and_then(answer),
        }
    }
}

/// What was decided in a lane, and what became of its commit.
#[must_use]
pub(super) struct Settled<T> {
    /// `None` where there was nothing to commit.
    became: Option<Result<Committed, CommitError>>,
    decided: Result<T, RegistryError>,
}

impl<T> Settled<T> {
    /// What was refused before it came to a lane.
    pub(super) const fn refused(error: RegistryError) -> Self {
        Self {
            became: None,
            decided: Err(error),
        }
    }

    /// What is to be answered. `None`: it fell, and is to be decided again.
    pub(super) fn told(self, registry: &Registry) -> Option<Result<T, RegistryError>> {
        let Some(became) = self.became else {
            return Some(self.decided);
        };
        match registry.told(became) {
            Ok(_) => Some(self.decided),
            Err(RegistryError::Commit(CommitError::Conflict)) => None,
            Err(error) => Some(self.decided.and(Err(error))),
        }
    }
}

impl Sent {
    /// Waits for what becomes of it, and tells the lane; `None` where that was done before.
    fn settle(&mut self) -> Option<Result<Committed, CommitError>> {
        let became = self.commit.take()?.wait();
        let mut ahead = locked(&self.lane.ahead);
        match Became::of(&became) {
            Became::Stands => ahead.stands(self.number),
            Became::Fell => ahead.fell(self.number),
        }
        Some(became)
    }

    /// As it does, where nobody may wait until the lane is free.
    fn leaves_word(&self, became: &Result<Committed, CommitError>) {
        if !self.lane.apart {
            let news = (self.number, Became::of(became));
            locked(&self.lane.news).push(news);
        }
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        // Only a panic leaves it unknown until now.
        let _ = self.settle();
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
        self.under_way.insert(number, held);
        number
    }

    /// Lets go of what a snapshot shows already, whose own threads have not come to say so.
    fn are_shown(&mut self, snapshot: &dyn Read) {
        while let Some(commits) = snapshot.commits()
            && let Some((number, held)) = self.under_way.first_key_value()
            && held.is_among(commits)
        {
            self.stands(*number);
        }
    }

    /// What became of commits, in the order in which it became known.
    fn hear(&mut self, news: Vec<(u64, Became)>) {
        for (number, became) in news {
            match became {
                Became::Stands => self.stands(number),
                Became::Fell => self.fell(number),
            }
        }
    }

    /// It is committed, and every snapshot from now on shows it.
    fn stands(&mut self, number: u64) {
        if self.under_way.remove(&number).is_some() {
            self.rows.retain(|_, (by, _)| *by != number);
        }
    }

    /// It is not, and neither will be what was queued after it by now.
    fn fell(&mut self, number: u64) {
        if number > self.fallen {
            self.fallen = self.queued;
            self.rows.clear();
            self.under_way.clear();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::registry::Settings;
    use crate::store::memory::MemoryEngine;
    use crate::time::ManualClock;
    use crate::vc::sealing::MasterKey;

    const KEY: &[u8] = &[0x10, 1];

    fn registry() -> Registry {
        let clock = Arc::new(ManualClock::new("2026-03-01T09:00:00Z".parse().unwrap()));
        let engine = Arc::new(MemoryEngine::new(clock.clone()));
        let entropy = Arc::new(SeededEntropy::new(1));
        let master = MasterKey::generate(&*entropy);
        let settings = Settings::usual("https://registry.example");
        Registry::open(engine, clock, entropy, master, settings).unwrap()
    }

    fn put(value: u8) -> Batch {
        Batch {
            puts: vec![(KEY.to_vec(), vec![value])],
            ..Batch::default()
        }
    }

    fn value(registry: &Registry, lane: &Arc<Lane>) -> Option<u8> {
        let read = |read: &dyn Read| Ok((Batch::default(), read.get(KEY)?));
        let seen = registry.in_lane(lane, read).settle(registry).unwrap();
        seen.unwrap().map(|bytes| bytes[0])
    }

    #[test]
    fn what_is_shown_and_changed_by_others_since_is_seen_as_it_is_now() {
        let (registry, lane) = (registry(), Arc::<Lane>::default());
        let first = registry.in_lane(&lane, |_| Ok((put(1), ())));
        assert_eq!(value(&registry, &lane), Some(1));
        // Its own thread has not come to say that it stands.
        registry.engine.commit(put(2)).unwrap();
        assert_eq!(value(&registry, &lane), Some(2));
        first.settle(&registry).unwrap().unwrap();
        assert_eq!(value(&registry, &lane), Some(2));
    }

    #[test]
    fn nobody_is_tied_to_what_fell_while_its_thread_ended_in_a_panic() {
        let (registry, lane) = (registry(), Arc::<Lane>::default());
        let mut other = put(1);
        other.preconditions = vec![(KEY.to_vec(), Some(vec![9]))];
        // What a panic does before it is settled.
        drop(registry.in_lane(&lane, |_| Ok((other, ()))));
        assert_eq!(value(&registry, &lane), None);
        let next = registry.in_lane(&lane, |_| Ok((put(3), ())));
        next.settle(&registry)
            .expect("it is not contended")
            .unwrap();
        assert_eq!(value(&registry, &lane), Some(3));
    }
}
