//! A shared place in memory, for tests: several replicas on one, and whatever can happen on the way to it.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::copy::InMemory;
use super::remote::{Group, Hold, Newer, Remote, RemoteError};
use super::{Parts, ReplicaEngine, not_opened};
use crate::store::engine::{Decision, Read as _, Row, StoreError};
use crate::store::format::Tip;
use crate::store::memory::{MemoryAnchor, Rows};
use crate::store::rocks::Place;
use crate::time::Clock;

/// For so long it is waited for the head row.
const HELD_FOR_AT_MOST: Duration = Duration::from_secs(2);
/// Rows of a portion, and groups: few, so that there are several.
const ROWS_AT_ONCE: usize = 16;
const GROUPS_AT_ONCE: usize = 8;
/// Behind the keys of all rows.
const END: [u8; 64] = [0xff; 64];

/// What several replicas share. A clone is the same place.
#[derive(Clone, Default)]
pub struct SharedPlace(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

/// What a replica asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Where the newest group ends.
    Tip,
    /// The groups after some.
    Newer,
    /// All rows.
    ReadAll,
    /// To make the store.
    Make,
    /// The head row.
    Hold,
    /// To write a group.
    Write,
    /// To lead.
    Lead,
}

/// What it meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// Nothing.
    Nothing,
    /// The place is away; nothing is done.
    Away,
    /// It is done, and the replica does not hear of it.
    CutOffAndKept,
    /// It is not done, and the replica does not know.
    CutOffAndLost,
    /// A write that the replica does not hear of: the head row stays held until [`SharedPlace::ends`].
    CutOffAndOpen,
}

/// Decides what a replica meets. It runs under the lock of the place and must not call it.
pub type Hook = Box<dyn FnMut(u32, Deed) -> Met + Send>;

/// All of it at one moment.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    rows: Rows,
    tip: Option<Tip>,
    log: Vec<Group>,
    /// After how many batches the log begins.
    since: u64,
}

#[derive(Default)]
struct State {
    now: Moment,
    /// Whether somebody holds the head row.
    held: bool,
    /// What was cut off while it was written, and has not ended.
    open: Option<Group>,
    leader: Option<(u32, Instant)>,
    hook: Option<Hook>,
}

/// What a replica keeps over a restart: its copy, and its anchor. A clone is the same.
#[derive(Clone)]
pub struct Kept {
    name: u32,
    copy: Arc<InMemory>,
    anchor: MemoryAnchor,
}

impl Kept {
    /// Nothing yet, of a replica that the hook is told of by that name.
    pub fn nothing(name: u32) -> Self {
        Self {
            name,
            copy: Arc::default(),
            anchor: MemoryAnchor::default(),
        }
    }

    /// What it would keep as it is now, apart from it.
    #[must_use]
    pub fn set_aside(&self) -> Self {
        Self {
            name: self.name,
            copy: Arc::new(InMemory::holding(self.copy.rows())),
            anchor: self.anchor.apart(),
        }
    }

    /// The same without its copy.
    #[must_use]
    pub fn without_copy(&self) -> Self {
        Self {
            copy: Arc::default(),
            ..self.clone()
        }
    }

    /// With other rows in its copy.
    #[must_use]
    pub fn with_rows(&self, rows: impl IntoIterator<Item = Row>) -> Self {
        let rows = rows.into_iter().collect();
        Self {
            copy: Arc::new(InMemory::holding(rows)),
            ..self.clone()
        }
    }

    /// The rows of its copy.
    pub fn rows(&self) -> Vec<Row> {
        let rows = self.copy.rows().scan(&[], &END, usize::MAX);
        rows.expect("rows in memory can be read")
    }
}

impl SharedPlace {
    /// Opens a replica whose copy is in memory.
    ///
    /// # Errors
    /// As for every replica.
    pub fn replica(
        &self,
        kept: &Kept,
        decision: Decision,
        clock: Arc<dyn Clock>,
    ) -> Result<ReplicaEngine, StoreError> {
        let started = ReplicaEngine::start(Parts {
            remote: Arc::new(self.reached_by(kept.name)),
            copy: kept.copy.clone(),
            anchor: Box::new(kept.anchor.clone()),
            new_id: fresh(),
            decision,
            clock,
        });
        started.map_err(|trouble| not_opened(trouble, Path::new("memory")))
    }

    /// Opens a replica whose copy is on a disk.
    ///
    /// # Errors
    /// As for every replica.
    pub fn replica_at(
        &self,
        place: &Place,
        name: u32,
        clock: Arc<dyn Clock>,
    ) -> Result<ReplicaEngine, StoreError> {
        let place = Place {
            new_id: fresh(),
            ..place.clone()
        };
        ReplicaEngine::open(&place, Box::new(self.reached_by(name)), clock)
    }

    fn reached_by(&self, name: u32) -> Reached {
        Reached {
            place: self.clone(),
            name,
        }
    }

    /// From now on `hook` decides what a replica meets.
    pub fn set_hook(&self, hook: impl FnMut(u32, Deed) -> Met + Send + 'static) {
        self.state().hook = Some(Box::new(hook));
        self.0.changed.notify_all();
    }

    /// What is there now.
    pub fn moment(&self) -> Moment {
        self.state().now.clone()
    }

    /// From now on that is there, as after a copy of an earlier moment was put back.
    pub fn put_back(&self, moment: Moment) {
        self.state().now = moment;
        self.0.changed.notify_all();
    }

    /// The log holds no group any more.
    pub fn forget_log(&self) {
        let mut state = self.state();
        let since = state.now.tip.map_or(0, |tip| tip.commits);
        state.now.since = since;
        state.now.log.clear();
    }

    /// Somebody else holds the head row, until this is dropped.
    pub fn held(&self) -> HeldElsewhere {
        let mut state = self.wait_while_held();
        state.held = true;
        HeldElsewhere(self.clone())
    }

    /// What was cut off while it was written ends, and is kept or not.
    pub fn ends(&self, kept: bool) {
        let mut state = self.state();
        if let Some(group) = state.open.take() {
            state.held = false;
            if kept {
                state.now.goes_on_with(&group);
            }
        }
        self.0.changed.notify_all();
    }

    /// Whether a write that was cut off has not ended.
    pub fn is_open(&self) -> bool {
        self.state().open.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while_held(&self) -> MutexGuard<'_, State> {
        let state = self.state();
        let waited = self
            .0
            .changed
            .wait_timeout_while(state, HELD_FOR_AT_MOST, |state| state.held);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The head row, held by somebody who is no replica.
pub struct HeldElsewhere(SharedPlace);

impl Drop for HeldElsewhere {
    fn drop(&mut self) {
        self.0.state().held = false;
        self.0.0.changed.notify_all();
    }
}

/// Bytes that no other start has.
fn fresh() -> [u8; 16] {
    use std::sync::atomic::{AtomicU64, Ordering};
    static STARTS: AtomicU64 = AtomicU64::new(1);
    let number = STARTS.fetch_add(1, Ordering::Relaxed);
    let mut id = *b"a start 00000000";
    id[8..].copy_from_slice(&number.to_be_bytes());
    id
}

/// The place as one replica reaches it.
struct Reached {
    place: SharedPlace,
    name: u32,
}

impl Reached {
    /// The place, for a deed that does not change it.
    fn meets(&self, deed: Deed) -> Result<MutexGuard<'_, State>, RemoteError> {
        let mut state = self.place.state();
        match state.meets(self.name, deed) {
            Met::Nothing => Ok(state),
            _ => Err(away()),
        }
    }
}

fn away() -> RemoteError {
    RemoteError::Away("the hook says so".to_owned())
}

impl Remote for Reached {
    fn tip(&self) -> Result<Option<Tip>, RemoteError> {
        Ok(self.meets(Deed::Tip)?.now.tip)
    }

    fn newer(&self, commits: u64) -> Result<Newer, RemoteError> {
        let state = self.meets(Deed::Newer)?;
        let now = &state.now;
        if commits < now.since {
            return Ok(Newer::ForgottenSince);
        }
        let groups = now.log.iter().filter(|group| group.after >= commits);
        Ok(Newer::Groups(
            groups.take(GROUPS_AT_ONCE).cloned().collect(),
        ))
    }

    fn read_all(
        &self,
        portion: &mut dyn FnMut(Vec<Row>) -> Result<(), RemoteError>,
    ) -> Result<Option<Tip>, RemoteError> {
        let Moment { rows, tip, .. } = self.meets(Deed::ReadAll)?.now.clone();
        let rows = rows.scan(&[], &END, usize::MAX);
        let rows = rows.map_err(|error| RemoteError::Away(error.to_string()))?;
        for rows in rows.chunks(ROWS_AT_ONCE) {
            // It may be lost between any two.
            drop(self.meets(Deed::ReadAll)?);
            portion(rows.to_vec())?;
        }
        Ok(tip)
    }

    fn make(&self, group: &Group) -> Result<(), RemoteError> {
        let mut state = self.meets(Deed::Make)?;
        if state.now.tip.is_none() {
            // Nothing that anybody could take in: it stands before the log.
            state.now.rows.apply(group.writes.clone());
            state.now.tip = Some(group.tip);
        }
        Ok(())
    }

    fn hold(&self) -> Result<(Tip, Box<dyn Hold + '_>), RemoteError> {
        drop(self.meets(Deed::Hold)?);
        let mut state = self.place.wait_while_held();
        if state.held {
            return Err(RemoteError::Away("it is busy".to_owned()));
        }
        let tip = state.now.tip.ok_or_else(away)?;
        state.held = true;
        let held = Held {
            of: self,
            lets_go: true,
        };
        Ok((tip, Box::new(held)))
    }

    fn wait_for_news(&self, at_most: Duration) {
        let state = self.place.state();
        let waited = self.place.0.changed.wait_timeout(state, at_most);
        drop(waited);
    }

    fn lead(&self, for_so_long: Duration) -> Result<bool, RemoteError> {
        let mut state = self.meets(Deed::Lead)?;
        let now = Instant::now();
        let leads = match state.leader {
            Some((name, until)) => name == self.name || until < now,
            None => true,
        };
        if leads {
            state.leader = Some((self.name, now + for_so_long));
        }
        Ok(leads)
    }
}

struct Held<'a> {
    of: &'a Reached,
    lets_go: bool,
}

impl Hold for Held<'_> {
    fn write(mut self: Box<Self>, group: &Group) -> Result<(), RemoteError> {
        let mut state = self.of.place.state();
        let met = state.meets(self.of.name, Deed::Write);
        if matches!(met, Met::Nothing | Met::CutOffAndKept) {
            state.now.goes_on_with(group);
        }
        if met == Met::CutOffAndOpen {
            state.open = Some(group.clone());
            self.lets_go = false;
        }
        match met {
            Met::Nothing => Ok(()),
            Met::Away => Err(away()),
            _ => Err(RemoteError::Unknown("the hook cuts it off".to_owned())),
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.lets_go {
            self.of.place.state().held = false;
            self.of.place.0.changed.notify_all();
        }
    }
}

impl State {
    fn meets(&mut self, name: u32, deed: Deed) -> Met {
        let hook = self.hook.as_mut();
        hook.map_or(Met::Nothing, |hook| hook(name, deed))
    }
}

impl Moment {
    fn goes_on_with(&mut self, group: &Group) {
        let here = self.tip.map_or(0, |tip| tip.commits);
        assert_eq!(
            group.after, here,
            "a group goes on where the last one ended"
        );
        self.rows.apply(group.writes.clone());
        self.tip = Some(group.tip);
        self.log.push(group.clone());
    }
}
