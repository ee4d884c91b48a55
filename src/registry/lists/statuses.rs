//! Changes of status: revoke, suspend, reinstate.
//!
//! Requests for one list queue up in its lane. Whoever gets the turn takes all that wait, decides
//! them one after the other on one snapshot, and commits them as one batch: pages, events, the
//! list's new revision, and every idempotency record. So a thousand clients of one list share a
//! disk sync, and none of them loses a race.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::staged::Staged;
use crate::ids::{ListId, Revision};
use crate::registry::lists::list_of;
use crate::registry::{Change, Registry, RegistryError};
use crate::store::engine::CommitError;
use crate::time::Timestamp;

/// One change of status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusUpdate {
    /// Whose status.
    pub target: StatusTarget,
    /// The new status.
    pub status: u64,
}

/// How an entry of a list is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusTarget {
    /// By its index.
    Index(u64),
    /// By the id of the credential that carries it.
    Credential(String),
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Updated {
    /// The list's revision that shows the change.
    pub revision: Revision,
    /// How many entries now have the status asked for, those included that had it before.
    pub applied: usize,
    /// What could not be done.
    pub refused: Vec<Refused>,
    /// When.
    pub at: Timestamp,
}

/// An update that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Its place in the request, from 0.
    pub item: usize,
    /// Why, and what to do.
    pub reason: String,
}

/// At most this many updates in one request.
pub(in crate::registry) const MOST_UPDATES: usize = 1_000_000;

/// One lane a list, as long as anybody is in it.
#[derive(Default)]
pub(in crate::registry) struct Lanes(Mutex<HashMap<ListId, Arc<Lane>>>);

#[derive(Default)]
struct Lane(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    waiting: Vec<Arc<Job>>,
    /// Whether somebody serves the lane. Where nobody does, nobody waits.
    led: bool,
}

/// How many lanes are kept before those that nobody is in are let go.
const MOST_LANES: usize = 4_096;

impl Lanes {
    fn of(&self, list: ListId) -> Arc<Lane> {
        let mut lanes = locked(&self.0);
        if lanes.len() >= MOST_LANES {
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1);
        }
        lanes.entry(list).or_default().clone()
    }
}

/// A request that waits in a lane.
pub(in crate::registry) struct Job {
    pub(in crate::registry) change: Change,
    pub(in crate::registry) updates: Vec<StatusUpdate>,
    pub(in crate::registry) reason: Option<String>,
    called: Mutex<Option<Call>>,
    bell: Condvar,
}

/// What a waiting caller is called for.
enum Call {
    /// To serve the lane: whoever served it before has handed it over.
    Lead,
    /// To take its answer.
    Done(Result<Updated, RegistryError>),
}

impl Job {
    fn call(&self, call: Call) {
        *locked(&self.called) = Some(call);
        self.bell.notify_one();
    }

    /// Waits to be called, and says what for.
    fn wait(&self) -> Call {
        let mut called = locked(&self.called);
        loop {
            match called.take() {
                Some(call) => return call,
                None => {
                    called = self
                        .bell
                        .wait(called)
                        .unwrap_or_else(PoisonError::into_inner)
                }
            }
        }
    }
}

/// The one who serves a lane. However that ends, everybody in the group is answered, and the lane is
/// handed to the next one who waits.
struct Leader<'a> {
    lane: &'a Lane,
    group: Vec<Arc<Job>>,
}

impl<'a> Leader<'a> {
    /// Takes all that wait, the caller's own request among them: it waits first in line.
    fn of(lane: &'a Lane) -> Self {
        let mut queue = locked(&lane.0);
        let (group, later) = one_of_each_key(std::mem::take(&mut queue.waiting));
        queue.waiting = later;
        Self { lane, group }
    }

    fn answer(mut self, outcomes: Result<Outcomes, RegistryError>) {
        let group = std::mem::take(&mut self.group);
        match outcomes {
            Ok(outcomes) => {
                for (job, outcome) in group.iter().zip(outcomes) {
                    job.call(Call::Done(outcome));
                }
            }
            Err(error) => group
                .iter()
                .for_each(|job| job.call(Call::Done(Err(error.clone())))),
        }
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        for job in &self.group {
            // Only a panic leaves anybody here without an answer.
            let words = "the request ended in a fault of this program".to_owned();
            let unknown = RegistryError::Commit(CommitError::Indeterminate(words));
            job.call(Call::Done(Err(unknown)));
        }
        let mut queue = locked(&self.lane.0);
        match queue.waiting.first() {
            Some(next) => next.call(Call::Lead),
            None => queue.led = false,
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registry {
    /// Changes entries of one list. What is acknowledged is durable and in every look-up; the
    /// signed list follows within the publish delay.
    pub fn update_statuses(
        &self,
        change: &Change,
        list: ListId,
        updates: Vec<StatusUpdate>,
        reason: Option<String>,
    ) -> Result<Updated, RegistryError> {
        if updates.is_empty() || updates.len() > MOST_UPDATES {
            let detail = format!("1 to {MOST_UPDATES} updates are needed");
            return Err(RegistryError::invalid("/updates", detail));
        }
        list_of(&*self.engine, &self.urls(), list)?;
        let lane = self.lanes.of(list);
        let job = Arc::new(Job {
            change: change.clone(),
            updates,
            reason,
            called: Mutex::new(None),
            bell: Condvar::new(),
        });
        let leads = {
            let mut queue = locked(&lane.0);
            queue.waiting.push(job.clone());
            !std::mem::replace(&mut queue.led, true)
        };
        if leads {
            self.lead(list, &lane);
        }
        loop {
            match job.wait() {
                Call::Done(outcome) => return outcome,
                Call::Lead => self.lead(list, &lane),
            }
        }
    }

    /// Serves what waits in a lane, this caller's own request among it.
    fn lead(&self, list: ListId, lane: &Lane) {
        let leader = Leader::of(lane);
        let outcomes = self
            .serve(list, &leader.group)
            .and_then(|(outcomes, changed)| {
                if changed {
                    self.follow(list)?;
                }
                Ok(outcomes)
            });
        leader.answer(outcomes);
    }

    /// Decides a group on one snapshot and commits it, again where another change came first.
    fn serve(&self, list: ListId, group: &[Arc<Job>]) -> Result<(Outcomes, bool), RegistryError> {
        for _ in 0..16 {
            let snapshot = self.engine.snapshot();
            let mut staged = Staged::new(self, &*snapshot, list)?;
            let mut outcomes = Outcomes::with_capacity(group.len());
            for job in group {
                match staged.decide(self, job) {
                    // What was staged so far may be half a request: nothing of it is committed.
                    Err(RegistryError::Store(error)) => return Err(error.into()),
                    outcome => outcomes.push(outcome),
                }
            }
            let changed = staged.changed;
            let batch = staged.into_batch()?;
            // The memory engine copies what a snapshot still looks at.
            drop(snapshot);
            match self.commit(batch) {
                Ok(_) => return Ok((outcomes, changed)),
                Err(RegistryError::Commit(CommitError::Conflict)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(RegistryError::Contended)
    }
}

type Outcomes = Vec<Result<Updated, RegistryError>>;

/// Two requests under one idempotency key are never decided on one snapshot: the second one has
/// to see the first one's answer.
fn one_of_each_key(waiting: Vec<Arc<Job>>) -> (Vec<Arc<Job>>, Vec<Arc<Job>>) {
    let mut seen = HashSet::new();
    waiting
        .into_iter()
        .partition(|job| match &job.change.idempotency {
            Some(idempotency) => seen.insert(idempotency.key()),
            None => true,
        })
}
