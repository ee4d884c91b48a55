//! The machine that the registry runs on: a clock that can be set back, a place of master keys, and
//! the engine with whatever goes wrong in it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use goodstanding::entropy::SeededEntropy;
use goodstanding::ids::Seq;
use goodstanding::registry::{Adopted, MasterKeys};
use goodstanding::store::engine::{
    Batch, CommitError, Committed, Decision, Engine, Head, LoggedEvent, Read, Row, Stopped,
    StoreError,
};
use goodstanding::store::following::{Follower, Tables};
use goodstanding::store::memory::{Fault, Image, MemoryEngine};
use goodstanding::store::queued::Queued;
use goodstanding::store::tables::{ALLOCATION, IDEMPOTENCY, PAGES};
use goodstanding::time::{Clock, Timestamp};
use goodstanding::vc::keys::MasterKey;
use goodstanding::vc::sealing::MasterKeyId;

use super::script::{Kind, Trouble};

/// A clock that somebody may set back.
#[derive(Debug)]
pub(super) struct WallClock(AtomicI64);

impl WallClock {
    pub(super) fn new(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.millis()))
    }

    /// Moves it by so many seconds, in either direction.
    pub(super) fn moves(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }
}

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Where master keys stand. Clones are the same place.
#[derive(Clone)]
pub(super) struct Shelf(Arc<Mutex<(u64, Option<u64>)>>);

impl Shelf {
    pub(super) fn new(present: u64) -> Self {
        Self(Arc::new(Mutex::new((present, None))))
    }

    /// The number of the master key that is in use.
    pub(super) fn present_number(&self) -> u64 {
        locked(&self.0).0
    }

    pub(super) fn provides_next(&self) {
        let mut keys = locked(&self.0);
        keys.1 = keys.1.or(Some(keys.0 + 1));
    }
}

fn master(number: u64) -> MasterKey {
    MasterKey::generate(&SeededEntropy::new(number))
}

impl MasterKeys for Shelf {
    fn present(&self) -> Result<MasterKey, String> {
        Ok(master(self.present_number()))
    }

    fn next(&self) -> Result<Option<MasterKey>, String> {
        Ok(locked(&self.0).1.map(master))
    }

    fn make_next(&self) -> Result<MasterKey, String> {
        self.provides_next();
        Ok(self.next()?.expect("it was just made"))
    }

    fn adopt(&self, id: MasterKeyId) -> Result<Adopted, String> {
        let mut keys = locked(&self.0);
        if master(keys.0).id() != id {
            keys.0 = keys.1.take().ok_or("there is no next one")?;
        }
        Ok(Adopted::Now)
    }
}

/// What one commit met.
#[derive(Debug, Clone, Copy)]
pub(super) struct Met {
    pub(super) fault: Fault,
    pub(super) answer: Answered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    Committed,
    Conflict,
    /// The engine did not take it.
    Unavailable,
    Unknown,
}

impl Met {
    /// Whether it will be found after a restart.
    pub(super) fn is_durable(&self) -> bool {
        let kept = matches!(
            self.fault,
            Fault::PersistButReportFailed | Fault::TearAnchor | Fault::AnchorButReportFailed
        );
        self.answer == Answered::Committed || self.answer == Answered::Unknown && kept
    }
}

/// A fault of an engine that the invariants have to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Planted {
    /// It acknowledges a batch that it never wrote.
    DropsABatch,
    /// It writes a page of a list as it was before.
    WritesAnOldPage,
    /// It does not count what was given out.
    GivesOutTwice,
    /// It acknowledges before it is durable, so that a kill loses the newest batch; the anchor too.
    AcknowledgesEarly,
    /// It does not keep answers.
    ForgetsAnswers,
    /// A start finds a page of a list that is empty.
    TakesBackARevocation,
}

/// What the next commits meet.
#[derive(Default)]
struct Plan {
    trouble: Option<Trouble>,
    /// Commits since then.
    commits: u8,
    /// What was done of it.
    fired: Option<Kind>,
    last: Option<Fault>,
}

impl Plan {
    fn next(&mut self, clock: &WallClock) -> Fault {
        let due = self
            .trouble
            .filter(|trouble| trouble.after == self.commits && self.fired.is_none());
        self.commits = self.commits.saturating_add(1);
        let fault = match due.map(|trouble| trouble.kind) {
            None => Fault::Proceed,
            Some(kind) => {
                self.fired = Some(kind);
                match kind {
                    Kind::Nothing => Fault::Proceed,
                    Kind::Lost => Fault::LoseAndReportFailed,
                    Kind::Persisted => Fault::PersistButReportFailed,
                    Kind::Torn => Fault::TearAnchor,
                    Kind::Anchored => Fault::AnchorButReportFailed,
                    Kind::NoSpace => Fault::NoSpace,
                    Kind::Refused => Fault::Refuse,
                    Kind::Slow => {
                        clock.moves(120);
                        Fault::Proceed
                    }
                    Kind::SetBack => {
                        clock.moves(-3_600);
                        Fault::Proceed
                    }
                }
            }
        };
        self.last = Some(fault);
        fault
    }
}

/// The memory engine, with a note of what each commit met.
pub(super) struct Probe {
    inner: MemoryEngine,
    plan: Arc<Mutex<Plan>>,
    met: Mutex<Vec<Met>>,
    planted: Option<Planted>,
    state: Mutex<State>,
}

/// What planted faults remember, and who waits for readers.
#[derive(Default)]
struct State {
    commits: u64,
    before: Option<Image>,
    door: Option<Box<dyn FnOnce() + Send>>,
}

impl Probe {
    pub(super) fn start(
        image: Option<Image>,
        decision: Decision,
        clock: &Arc<WallClock>,
        planted: Option<Planted>,
    ) -> Result<Self, StoreError> {
        let inner = match image {
            Some(image) => MemoryEngine::starting(image, decision, clock.clone())?,
            None => MemoryEngine::new(clock.clone()),
        };
        let plan = Arc::new(Mutex::new(Plan::default()));
        let (of_hook, clock) = (plan.clone(), clock.clone());
        inner.set_fault_hook(move |_, _| locked(&of_hook).next(&clock));
        Ok(Self {
            inner,
            plan,
            met: Mutex::default(),
            planted,
            state: Mutex::default(),
        })
    }

    /// From now on this is what commits meet, and what they met is noted anew.
    pub(super) fn arms(&self, trouble: Option<Trouble>) {
        *locked(&self.plan) = Plan {
            trouble,
            ..Plan::default()
        };
        locked(&self.met).clear();
    }

    /// What commits met since then, and what was done of the trouble.
    pub(super) fn disarms(&self) -> (Vec<Met>, Option<Kind>) {
        let fired = std::mem::take(&mut *locked(&self.plan)).fired;
        (std::mem::take(&mut *locked(&self.met)), fired)
    }

    /// What a restart would find.
    pub(super) fn disk(&self) -> Image {
        match (self.planted, locked(&self.state).before.take()) {
            (Some(Planted::AcknowledgesEarly), Some(before)) => before,
            (Some(Planted::TakesBackARevocation), _) => {
                self.empties_a_page();
                self.inner.disk()
            }
            _ => self.inner.disk(),
        }
    }

    /// Everything that can be read.
    pub(super) fn rows(&self) -> Vec<Row> {
        let rows = self.inner.scan(&[], &[0xff; 64], usize::MAX);
        rows.expect("memory can be read")
    }

    /// The anchor's two slots, as they are.
    pub(super) fn anchor(&self) -> Option<[Vec<u8>; 2]> {
        self.inner.disk().anchor
    }

    /// The next commit is held until `door` has returned.
    pub(super) fn holds_next(&self, door: impl FnOnce() + Send + 'static) {
        locked(&self.state).door = Some(Box::new(door));
    }

    /// Behind everybody's back.
    fn empties_a_page(&self) {
        let (from, to) = ([PAGES.tag()], [PAGES.tag() + 1]);
        let page = self.inner.scan(&from, &to, 1).expect("memory can be read");
        let puts = page.into_iter().map(|(key, page)| (key, empty_page(&page)));
        let batch = Batch {
            puts: puts.collect(),
            ..Batch::default()
        };
        if !batch.puts.is_empty() {
            let _ = self.inner.commit(batch);
        }
    }

    /// What a planted fault makes of a batch; `None` where nothing is written.
    fn spoils(&self, mut batch: Batch) -> Option<Batch> {
        let mut state = locked(&self.state);
        state.commits += 1;
        let now_and_then = state.commits.is_multiple_of(4);
        match self.planted {
            None => {}
            Some(Planted::DropsABatch) if now_and_then => return None,
            Some(Planted::AcknowledgesEarly) => state.before = Some(self.inner.disk()),
            Some(Planted::ForgetsAnswers) => {
                batch.puts.retain(|(key, _)| key[0] != IDEMPOTENCY.tag());
            }
            Some(Planted::GivesOutTwice) if now_and_then => {
                batch.puts.retain(|(key, _)| key[0] != ALLOCATION.tag());
            }
            Some(Planted::WritesAnOldPage) if now_and_then => {
                let is_page = |(key, _): &Row| key[0] == PAGES.tag();
                for (key, value) in batch.puts.iter_mut().filter(|row| is_page(row)) {
                    let old = self.inner.get(key).expect("memory can be read");
                    *value = old.unwrap_or_else(|| empty_page(value));
                }
            }
            Some(_) => {}
        }
        Some(batch)
    }
}

impl Read for Probe {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(key)
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.inner.multi_get(keys)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.inner.scan(from, to, limit)
    }

    fn last_write(&self, tables: Tables) -> Option<u64> {
        self.inner.last_write(tables)
    }
}

impl Probe {
    fn commits(&self, batch: Batch) -> Result<Committed, CommitError> {
        let door = locked(&self.state).door.take();
        if let Some(door) = door {
            door();
        }
        let events = batch.events.len() as u64;
        let Some(batch) = self.spoils(batch) else {
            let head = self.inner.head();
            let seq = Seq(head.seq.0 + events);
            return Ok(Committed { seq, at: head.at });
        };
        // Held over the commit, so that the hook's note is of this one.
        let mut met = locked(&self.met);
        locked(&self.plan).last = None;
        let done = self.inner.commit(batch);
        let fault = locked(&self.plan).last.unwrap_or(Fault::Proceed);
        let answer = match &done {
            Ok(_) => Answered::Committed,
            Err(CommitError::Conflict) => Answered::Conflict,
            Err(CommitError::Unavailable(_)) => Answered::Unavailable,
            Err(CommitError::Indeterminate(_)) => Answered::Unknown,
        };
        met.push(Met { fault, answer });
        done
    }
}

impl Engine for Probe {
    fn snapshot(&self) -> Box<dyn Read + '_> {
        self.inner.snapshot()
    }

    fn queue(&self, batch: Batch) -> Queued {
        Queued::settled(self.commits(batch))
    }

    fn follow(&self, follower: Arc<dyn Follower>) {
        self.inner.follow(follower);
    }

    fn takes_writes(&self) -> Result<(), Stopped> {
        self.inner.takes_writes()
    }

    fn epoch(&self) -> u32 {
        self.inner.epoch()
    }

    fn purge(&self, ranges: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
        self.inner.purge(ranges)
    }

    fn head(&self) -> Head {
        self.inner.head()
    }

    fn changes(&self, since: Seq, limit: usize) -> Result<Vec<LoggedEvent>, StoreError> {
        self.inner.changes(since, limit)
    }

    fn changes_of(
        &self,
        who: u32,
        since: Seq,
        limit: usize,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        self.inner.changes_of(who, since, limit)
    }
}

/// In the version of this one, which stands in front.
fn empty_page(page: &[u8]) -> Vec<u8> {
    let mut empty = vec![0; page.len()];
    empty[0] = page[0];
    empty
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
