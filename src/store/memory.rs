//! The engine for tests, which keeps everything in memory and fails on demand.
//!
//! It promises what [`Engine`] promises with one reservation: durable is what outlives
//! [`MemoryEngine::reopen`], not the process.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::anchor::{AnchorPlace, Anchoring};
use super::engine::{
    Batch, CommitError, Committed, Decision, Engine, Head, LoggedEvent, Read, Row, Stopped,
    StoreError,
};
use super::following::{Follower, Tables};
use super::format;
use super::opening::{self, Opened, Opening, Origin};
use super::queued::Queued;
use super::staging::Writes;
use super::view::View;
use super::write_path::{self, Disk, Front, Group, NotWritten, Standing, Waiting};
use crate::ids::Seq;
use crate::metrics;
use crate::time::Clock;

/// An engine whose rows live as long as the value.
pub struct MemoryEngine {
    clock: Arc<dyn Clock>,
    state: RwLock<State>,
}

/// What a commit meets, as the fault hook decides. Where it is a crash or a write error, the answer is
/// `Indeterminate`, and the engine takes no writes until [`MemoryEngine::reopen`]; only then can
/// rows be read that reached the disk, as with an engine that finds them in its log when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: the commit is durable and is reported so.
    Proceed,
    /// Nothing reached the disk.
    LoseAndReportFailed,
    /// All rows reached the disk, and the anchor does not say so.
    PersistButReportFailed,
    /// All rows reached the disk, and one of the anchor's slots is garbage.
    TearAnchor,
    /// All rows reached the disk, and the anchor says so.
    AnchorButReportFailed,
    /// No write is tried. The answer is `Unavailable`, and the next commit is a new attempt.
    Refuse,
    /// The same, since the disk is full; the engine says so until a commit finds room.
    NoSpace,
}

/// Decides what a commit meets; it is handed the commit's number, from 1 over the engine's life,
/// and the batch. It runs under the engine's lock and must not call the engine.
pub type FaultHook = Box<dyn FnMut(u64, &Batch) -> Fault + Send + Sync>;

/// What a restart would find: the rows, and the anchor beside them.
#[derive(Debug, Clone, Default)]
pub struct Image {
    rows: Rows,
    /// The anchor's two slots; `None` where there is no anchor.
    pub anchor: Option<[Vec<u8>; 2]>,
}

/// Rows without an anchor.
impl FromIterator<Row> for Image {
    fn from_iter<I: IntoIterator<Item = Row>>(rows: I) -> Self {
        let rows = rows.into_iter().collect();
        Self { rows, anchor: None }
    }
}

struct State {
    /// What reads see.
    rows: Rows,
    /// Where it stands with them.
    front: Front,
    standing: Standing,
    epoch: u32,
    /// `None` where the store is only read.
    anchoring: Option<Anchoring>,
    anchor: MemoryAnchor,
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

/// The id of stores that are made in memory.
const MEMORY_ID: [u8; 16] = *b"kept in memory  ";

impl MemoryEngine {
    /// A new, empty store.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::holding([], clock).expect("a store without rows is a new one")
    }

    /// The store of which these are the rows, as a start finds them on a disk with an anchor that says
    /// the same.
    pub fn holding(
        rows: impl IntoIterator<Item = Row>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let rows = rows.into_iter().collect::<Rows>();
        let anchor = format::anchor_of(&rows)?;
        Self::starting(Image { rows, anchor }, Decision::AsAnchored, clock)
    }

    /// What a start makes of this.
    pub fn starting(
        image: Image,
        decision: Decision,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let anchor = MemoryAnchor::holding(image.anchor);
        let (rows, opened) = image.rows.opened(&anchor, decision)?;
        let state = State::new(rows, opened, anchor, Box::new(|_, _| Fault::Proceed), 0);
        let state = RwLock::new(state);
        Ok(Self { clock, state })
    }

    /// From now on `hook` decides what each commit meets. A commit that is refused for itself
    /// (a conflict) is so whatever the hook says, unless no write is to be tried at all.
    pub fn set_fault_hook(&self, hook: impl FnMut(u64, &Batch) -> Fault + Send + Sync + 'static) {
        self.write_state().hook = Box::new(hook);
    }

    /// What a restart would find now.
    pub fn disk(&self) -> Image {
        self.read_state().disk()
    }

    /// What a restart does: reads what the disk holds, through the code that every engine comes
    /// up through, and takes writes again. Snapshots that are out keep their view.
    pub fn reopen(&self) -> Result<(), StoreError> {
        // Held from the beginning: nothing is committed between what is read and what takes its place.
        let mut state = self.write_state();
        let Image { rows, anchor } = state.disk();
        let anchor = MemoryAnchor::holding(anchor);
        let (rows, opened) = rows.opened(&anchor, Decision::AsAnchored)?;
        let proceed: FaultHook = Box::new(|_, _| Fault::Proceed);
        let hook = std::mem::replace(&mut state.hook, proceed);
        let next = State::new(rows, opened, anchor, hook, state.attempts);
        let before = std::mem::replace(&mut *state, next);
        state.standing.followers = before.standing.followers;
        let number = state.front.tip.commits;
        state.standing.followers.begin_anew(number);
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
            .field("standing", &state.standing)
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

    fn last_write(&self, tables: Tables) -> Option<u64> {
        Some(self.read_state().front.marks.last_write(tables))
    }
}

impl Engine for MemoryEngine {
    fn snapshot(&self) -> Box<dyn Read + '_> {
        let state = self.read_state();
        Box::new(View::new(state.rows.clone(), state.front.clone()))
    }

    fn follow(&self, follower: Arc<dyn Follower>) {
        let state = self.read_state();
        state.standing.follow(follower, &state.front.tip);
    }

    fn queue(&self, batch: Batch) -> Queued {
        let mut state = self.write_state();
        Queued::settled(state.commit(batch, &*self.clock))
    }

    fn takes_writes(&self) -> Result<(), Stopped> {
        self.read_state().standing.takes_writes()
    }

    fn epoch(&self) -> u32 {
        self.read_state().epoch
    }

    /// There are no files.
    fn purge(&self, _: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
        Ok(())
    }

    fn measured(&self) -> Option<Arc<metrics::Writes>> {
        Some(self.read_state().standing.measured.clone())
    }

    fn head(&self) -> Head {
        self.read_state().front.tip.head
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
    /// What a restart would find.
    fn disk(&self) -> Image {
        Image {
            rows: self.disk.clone().unwrap_or_else(|| self.rows.clone()),
            anchor: self.anchor.slots(),
        }
    }

    fn new(
        rows: Rows,
        opened: Opened,
        anchor: MemoryAnchor,
        hook: FaultHook,
        attempts: u64,
    ) -> Self {
        let (anchoring, stopped) = match opened.anchoring {
            Ok(anchoring) => (Some(anchoring), None),
            Err(stopped) => (None, Some(stopped)),
        };
        Self {
            rows,
            front: Front::at(opened.tip),
            standing: Standing::new(stopped),
            epoch: opened.identity.epoch,
            anchoring,
            anchor,
            disk: None,
            attempts,
            hook,
        }
    }

    fn commit(&mut self, batch: Batch, clock: &dyn Clock) -> Result<Committed, CommitError> {
        let stopped = self.standing.stopped();
        let (None, Some(anchoring)) = (&stopped, &mut self.anchoring) else {
            let stopped = stopped.expect("a store without an anchor says why");
            return Err(CommitError::Unavailable(stopped.to_string()));
        };
        self.attempts += 1;
        let fault = (self.hook)(self.attempts, &batch);
        if fault == Fault::Refuse {
            let refused = "the fault hook refuses".to_owned();
            return Err(CommitError::Unavailable(refused));
        }
        self.anchor.state().fault = Some(fault);
        let mut front = self.front.clone();
        let (answer, queued) = Queued::waits();
        let group = vec![Waiting::new(&self.standing, batch, answer)];
        let mut faulty = Faulty {
            rows: &self.rows,
            disk: &mut self.disk,
            fault,
        };
        let durable =
            write_path::commit(&mut faulty, &self.standing, &mut front, group, clock.now());
        if let Some(durable) = durable {
            let (rows, shown) = (&mut self.rows, &mut self.front);
            write_path::settle(&self.standing, anchoring, vec![durable], |writes, front| {
                rows.apply(writes);
                *shown = front;
            });
        }
        queued.wait()
    }
}

/// The rows, and what becomes of the next write.
struct Faulty<'a> {
    rows: &'a Rows,
    disk: &'a mut Option<Rows>,
    fault: Fault,
}

impl Faulty<'_> {
    fn persist(&mut self, writes: Writes) {
        let mut disk = self.rows.clone();
        disk.apply(writes);
        *self.disk = Some(disk);
    }
}

impl Disk for Faulty<'_> {
    type Shown = Writes;

    fn committed(&self) -> &dyn Read {
        self.rows
    }

    fn has_room(&self) -> Result<(), Stopped> {
        match self.fault {
            Fault::NoSpace => Err(Stopped::DiskFull { free: 0, least: 1 }),
            _ => Ok(()),
        }
    }

    fn write(&mut self, group: &mut Group) -> Result<Writes, NotWritten> {
        let writes = &group.writes;
        let failed = || {
            let reason = "the fault hook fails the write";
            Err(NotWritten::Failed(reason.to_owned()))
        };
        match self.fault {
            Fault::Proceed => Ok(writes.clone()),
            Fault::AnchorButReportFailed | Fault::TearAnchor => {
                self.persist(writes.clone());
                Ok(writes.clone())
            }
            Fault::PersistButReportFailed => {
                self.persist(writes.clone());
                failed()
            }
            Fault::LoseAndReportFailed | Fault::Refuse | Fault::NoSpace => {
                *self.disk = Some(self.rows.clone());
                failed()
            }
        }
    }
}

/// An anchor without a file.
#[derive(Clone, Default)]
pub(super) struct MemoryAnchor(Arc<Mutex<AnchorState>>);

#[derive(Default)]
struct AnchorState {
    slots: Option<[Vec<u8>; 2]>,
    fault: Option<Fault>,
}

impl MemoryAnchor {
    pub(super) fn holding(slots: Option<[Vec<u8>; 2]>) -> Self {
        let state = AnchorState { slots, fault: None };
        Self(Arc::new(Mutex::new(state)))
    }

    /// What it says now, apart from it.
    #[cfg(feature = "postgres")]
    pub(super) fn apart(&self) -> Self {
        Self::holding(self.slots())
    }

    fn slots(&self) -> Option<[Vec<u8>; 2]> {
        self.state().slots.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, AnchorState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AnchorPlace for MemoryAnchor {
    fn read(&self) -> Result<Option<[Vec<u8>; 2]>, String> {
        Ok(self.slots())
    }

    fn make(&mut self, slot: &[u8]) -> Result<(), String> {
        self.state().slots = Some([slot.to_vec(), slot.to_vec()]);
        Ok(())
    }

    fn write(&mut self, place: usize, slot: &[u8]) -> Result<(), String> {
        let mut state = self.state();
        let fault = state.fault.take();
        let slots = state.slots.as_mut().expect("an anchor is made first");
        slots[place] = slot.to_vec();
        match fault {
            Some(Fault::TearAnchor) => slots[place][100] ^= 0xff,
            Some(Fault::AnchorButReportFailed) => {}
            _ => return Ok(()),
        }
        Err("the fault hook fails the write".to_owned())
    }
}

impl Rows {
    /// These rows once an engine has come up on them.
    fn opened(
        mut self,
        anchor: &MemoryAnchor,
        decision: Decision,
    ) -> Result<(Self, Opened), StoreError> {
        let anchor = Box::new(anchor.clone());
        let opened = opening::open(&mut self, anchor, MEMORY_ID, decision, Origin::AsLeft)?;
        Ok((self, opened))
    }

    pub(super) fn apply(&mut self, writes: Writes) {
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
