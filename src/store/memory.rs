//! The engine for tests, which keeps everything in memory and fails on demand.
//!
//! It promises what [`Engine`] promises with one reservation: durable is what outlives
//! [`MemoryEngine::reopen`], not the process.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::engine::{
    Batch, CommitError, Committed, Engine, Head, LoggedEvent, Read, Row, StoreError,
};
use super::format::{self, Opening, Tip};
use super::staging::{self, Writes};
use crate::ids::Seq;
use crate::time::Clock;

/// An engine whose rows live as long as the value.
pub struct MemoryEngine {
    clock: Arc<dyn Clock>,
    state: RwLock<State>,
}

/// What a commit meets, as the fault hook decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: the commit is durable and is reported so.
    Proceed,
    /// A write error, and nothing reached the disk. The answer is `Indeterminate`, and the engine
    /// takes no writes until [`MemoryEngine::reopen`].
    LoseAndReportFailed,
    /// A write error, yet all reached the disk. The answer is `Indeterminate`, and the engine
    /// takes no writes until [`MemoryEngine::reopen`]; only then can the rows be read, as with an
    /// engine that finds them in its log when it starts.
    PersistButReportFailed,
    /// No write is tried. The answer is `Unavailable`, and the next commit is a new attempt.
    Refuse,
}

/// Decides what a commit meets; it is handed the commit's number, from 1 over the engine's life,
/// and the batch. It runs under the engine's lock and must not call the engine.
pub type FaultHook = Box<dyn FnMut(u64, &Batch) -> Fault + Send + Sync>;

struct State {
    /// What reads see.
    rows: Rows,
    tip: Tip,
    /// After a write error: what the disk holds. No commit is taken until it is read again.
    disk: Option<Rows>,
    attempts: u64,
    hook: FaultHook,
}

/// Rows in ascending order. A clone costs nothing; while there is one, the next write copies the
/// map, though not the keys and values in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows(Arc<BTreeMap<Shared, Shared>>);

/// Bytes that two versions of the map can hold at once.
type Shared = Arc<[u8]>;

impl MemoryEngine {
    /// A new, empty store.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::holding([], clock).expect("a store without rows is a new one")
    }

    /// The store of which these are the rows, as a start finds them on a disk.
    pub fn holding(
        rows: impl IntoIterator<Item = Row>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let (rows, tip) = rows.into_iter().collect::<Rows>().opened()?;
        let hook: FaultHook = Box::new(|_, _| Fault::Proceed);
        let state = State {
            rows,
            tip,
            disk: None,
            attempts: 0,
            hook,
        };
        Ok(Self {
            clock,
            state: RwLock::new(state),
        })
    }

    /// From now on `hook` decides what each commit meets. A commit that is refused for itself
    /// (a conflict) is so whatever the hook says.
    pub fn set_fault_hook(&self, hook: impl FnMut(u64, &Batch) -> Fault + Send + Sync + 'static) {
        self.write_state().hook = Box::new(hook);
    }

    /// What a restart does: reads what the disk holds, through the code that every engine comes
    /// up through, and takes writes again. Snapshots that are out keep their view.
    pub fn reopen(&self) -> Result<(), StoreError> {
        let mut state = self.write_state();
        let disk = state.disk.clone().unwrap_or_else(|| state.rows.clone());
        (state.rows, state.tip) = disk.opened()?;
        state.disk = None;
        Ok(())
    }

    fn read_state(&self) -> RwLockReadGuard<'_, State> {
        // A panic of a hook leaves the state as it was before the commit.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_state(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn rows(&self) -> Rows {
        self.read_state().rows.clone()
    }
}

impl fmt::Debug for MemoryEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.read_state();
        f.debug_struct("MemoryEngine")
            .field("rows", &state.rows.0.len())
            .field("tip", &state.tip)
            .field("failed", &state.disk.is_some())
            .finish_non_exhaustive()
    }
}

impl Read for MemoryEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.rows().get(key)
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.rows().multi_get(keys)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.rows().scan(from, to, limit)
    }
}

impl Engine for MemoryEngine {
    fn snapshot(&self) -> Box<dyn Read + '_> {
        Box::new(self.rows())
    }

    fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        let mut state = self.write_state();
        let state = &mut *state;
        state.takes_writes().map_err(CommitError::Unavailable)?;
        state.attempts += 1;
        let fault = (state.hook)(state.attempts, &batch);
        let mut staged = staging::stage(&state.rows, state.tip, vec![batch], self.clock.now());
        let committed = staged.answers.pop().expect("staging answers each batch")?;
        match fault {
            Fault::Proceed => {
                state.rows.apply(staged.writes);
                state.tip = staged.tip;
                return Ok(committed);
            }
            Fault::Refuse => {
                return Err(CommitError::Unavailable(
                    "the fault hook refuses".to_owned(),
                ));
            }
            Fault::LoseAndReportFailed => state.disk = Some(state.rows.clone()),
            Fault::PersistButReportFailed => {
                let mut disk = state.rows.clone();
                disk.apply(staged.writes);
                state.disk = Some(disk);
            }
        }
        Err(CommitError::Indeterminate(
            "the fault hook fails the write".to_owned(),
        ))
    }

    fn takes_writes(&self) -> Result<(), String> {
        self.read_state().takes_writes()
    }

    /// There are no files.
    fn purge(&self, _: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
        Ok(())
    }

    fn head(&self) -> Head {
        self.read_state().tip.head
    }

    fn changes(&self, since: Seq, limit: usize) -> Result<Vec<LoggedEvent>, StoreError> {
        format::changes(&self.rows(), since, limit)
    }

    fn changes_of(
        &self,
        who: u32,
        since: Seq,
        limit: usize,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        format::changes_of(&self.rows(), who, since, limit)
    }
}

impl State {
    fn takes_writes(&self) -> Result<(), String> {
        match self.disk {
            None => Ok(()),
            Some(_) => Err("a write failed before; the store must be opened again".to_owned()),
        }
    }
}

impl Rows {
    /// These rows once an engine has come up on them.
    fn opened(mut self) -> Result<(Self, Tip), StoreError> {
        let tip = format::open(&mut self)?;
        Ok((self, tip))
    }

    fn apply(&mut self, writes: Writes) {
        let rows = Arc::make_mut(&mut self.0);
        for (key, value) in writes {
            match value {
                Some(value) => rows.insert(key.into(), value.into()),
                None => rows.remove(key.as_slice()),
            };
        }
    }
}

impl Read for Rows {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(key).map(|value| value.to_vec()))
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let range = (Bound::Included(from), Bound::Excluded(to));
        let rows = self.0.range::<[u8], _>(range).take(limit);
        Ok(rows
            .map(|(key, value)| (key.to_vec(), value.to_vec()))
            .collect())
    }
}

impl Opening for Rows {
    fn write(&mut self, writes: Writes) -> Result<(), StoreError> {
        self.apply(writes);
        Ok(())
    }
}

impl FromIterator<Row> for Rows {
    fn from_iter<I: IntoIterator<Item = Row>>(rows: I) -> Self {
        let rows = rows
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()));
        Self(Arc::new(rows.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{ManualClock, Timestamp};

    fn engine() -> MemoryEngine {
        MemoryEngine::new(Arc::new(ManualClock::new(Timestamp::EPOCH)))
    }

    fn put(key: u8, value: &[u8]) -> Batch {
        Batch {
            puts: vec![(vec![0x10, key], value.to_vec())],
            ..Batch::default()
        }
    }

    #[test]
    fn the_hook_sees_each_attempt_with_its_number() {
        let engine = engine();
        engine.set_fault_hook(|number, batch| {
            if number == 2 && batch.puts[0].0 == [0x10, 2] {
                Fault::Refuse
            } else {
                Fault::Proceed
            }
        });
        assert!(engine.commit(put(1, b"a")).is_ok());
        assert!(matches!(
            engine.commit(put(2, b"b")),
            Err(CommitError::Unavailable(_))
        ));
        assert!(engine.commit(put(2, b"b")).is_ok(), "refused is not failed");
    }

    #[test]
    fn a_conflict_is_one_whatever_the_hook_says() {
        let engine = engine();
        engine.set_fault_hook(|_, _| Fault::PersistButReportFailed);
        let mut batch = put(1, b"a");
        batch
            .preconditions
            .push((vec![0x10, 1], Some(b"other".to_vec())));
        assert_eq!(engine.commit(batch), Err(CommitError::Conflict));
        engine.set_fault_hook(|_, _| Fault::Proceed);
        assert!(engine.commit(put(1, b"a")).is_ok(), "nothing has failed");
    }

    #[test]
    fn a_write_copies_the_map_only_while_somebody_else_holds_it() {
        let engine = engine();
        engine.commit(put(1, b"a")).unwrap();
        let before = Arc::as_ptr(&engine.rows().0);
        engine.commit(put(1, b"b")).unwrap();
        assert_eq!(Arc::as_ptr(&engine.rows().0), before);
        let snapshot = engine.snapshot();
        engine.commit(put(1, b"c")).unwrap();
        assert_ne!(Arc::as_ptr(&engine.rows().0), before);
        assert_eq!(snapshot.get(&[0x10, 1]), Ok(Some(b"b".to_vec())));
    }
}
