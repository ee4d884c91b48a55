//! Changes of status: revoke, suspend, reinstate.
//!
//! Requests for one list stand in line. Whoever gets the turn takes all that wait, decides
//! them one after the other in the list's lane ([`lanes`](crate::registry::lanes)), and commits them as one
//! batch: pages, events, the list's new revision, and every idempotency record. So a thousand clients
//! of one list share a disk sync, and none of them loses a race. While one group is on its way to the
//! disk the next is decided; with [`UNDER_WAY`] of them on their way the others gather.

use std::collections::HashSet;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::staged::Staged;
use crate::ids::{ListId, Revision};
use crate::registry::lanes::{Lane, Lanes, locked};
use crate::registry::{Change, Registry, RegistryError};
use crate::store::engine::{Batch, CommitError, Read};
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

/// A line for each list, as long as anybody is in it.
pub(in crate::registry) type Lines = Lanes<ListId, Line>;

/// Those who wait to change statuses of one list.
#[derive(Default)]
pub(in crate::registry) struct Line {
    queue: Mutex<Queue>,
    lane: Arc<Lane>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Arc<Job>>,
    /// Whether somebody has the turn. Where nobody does, nobody waits, or as many groups are under
    /// way as may be.
    led: bool,
    /// How many groups are on their way to the disk.
    under_way: usize,
}

/// So many groups of a list are on their way to the disk at a time: one is written while the other is
/// anchored.
const UNDER_WAY: usize = 2;

/// A request that waits in line.
pub(in crate::registry) struct Job {
    pub(in crate::registry) change: Change,
    pub(in crate::registry) updates: Vec<StatusUpdate>,
    pub(in crate::registry) reason: Option<String>,
    hear: Box<dyn Fn(Heard) + Send + Sync>,
}

impl Job {
    /// One for which nobody waits.
    pub(super) fn without_a_hearer(change: Change, updates: Vec<StatusUpdate>) -> Self {
        Self {
            change,
            updates,
            reason: None,
            hear: Box::new(|_| {}),
        }
    }
}

/// What somebody hears who stands in line, in the end always that it is done.
#[must_use]
pub enum Heard {
    /// It has the turn, and is to take it on a thread that may block.
    Turn(Turn),
    /// What came of the request.
    Done(Result<Updated, RegistryError>),
}

/// The turn to see to all that wait in line, one's own request among them. Whoever drops it has gone:
/// its request is not made, and the turn goes to the next one.
pub struct Turn {
    list: ListId,
    line: Arc<Line>,
    job: Arc<Job>,
    taken: bool,
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.taken {
            let mut queue = locked(&self.line.queue);
            queue.waiting.retain(|job| !Arc::ptr_eq(job, &self.job));
            queue.led = false;
            drop(queue);
            self.line.call_next(self.list);
        }
    }
}

impl Line {
    /// Where changes of the list are decided.
    pub(super) const fn lane(&self) -> &Arc<Lane> {
        &self.lane
    }

    /// Gives the turn to whoever is first in line, where it is free and there is room on the way.
    fn call_next(self: &Arc<Self>, list: ListId) {
        let mut queue = locked(&self.queue);
        if queue.led || queue.under_way >= UNDER_WAY {
            return;
        }
        let Some(job) = queue.waiting.first().cloned() else {
            return;
        };
        queue.led = true;
        drop(queue);
        let turn = Turn {
            list,
            line: self.clone(),
            job: job.clone(),
            taken: false,
        };
        (job.hear)(Heard::Turn(turn));
    }
}

/// A group that somebody sees to. However that ends, everybody in it is answered, and the turn goes to the
/// next one in line.
struct Group {
    list: ListId,
    line: Arc<Line>,
    jobs: Vec<Arc<Job>>,
    is_under_way: bool,
}

impl Group {
    /// All that wait.
    fn of(mut turn: Turn) -> Self {
        turn.taken = true;
        let mut queue = locked(&turn.line.queue);
        let (jobs, later) = one_of_each_key(std::mem::take(&mut queue.waiting));
        queue.waiting = later;
        drop(queue);
        Self {
            list: turn.list,
            line: turn.line.clone(),
            jobs,
            is_under_way: false,
        }
    }

    /// It has its place among the commits, so that the next one can be decided on it.
    fn sets_out(&mut self) {
        if !std::mem::replace(&mut self.is_under_way, true) {
            let mut queue = locked(&self.line.queue);
            queue.led = false;
            queue.under_way += 1;
            drop(queue);
            self.line.call_next(self.list);
        }
    }

    fn answer(mut self, outcomes: Result<Outcomes, RegistryError>) {
        let jobs = std::mem::take(&mut self.jobs);
        match outcomes {
            Ok(outcomes) => {
                for (job, outcome) in jobs.iter().zip(outcomes) {
                    (job.hear)(Heard::Done(outcome));
                }
            }
            Err(error) => {
                for job in &jobs {
                    (job.hear)(Heard::Done(Err(error.clone())));
                }
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for job in &self.jobs {
            // Only a panic leaves anybody here without an answer.
            let words = "the request ended in a fault of this program".to_owned();
            let unknown = RegistryError::Commit(CommitError::Indeterminate(words));
            (job.hear)(Heard::Done(Err(unknown)));
        }
        let mut queue = locked(&self.line.queue);
        match self.is_under_way {
            true => queue.under_way -= 1,
            false => queue.led = false,
        }
        drop(queue);
        self.line.call_next(self.list);
    }
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
        let (hear, heard) = mpsc::channel();
        self.ask_for_statuses(change, list, updates, reason, move |said| {
            // Whoever waits is there until it is done.
            let _ = hear.send(said);
        })?;
        loop {
            match heard.recv() {
                Ok(Heard::Done(outcome)) => return outcome,
                Ok(Heard::Turn(turn)) => self.take_turn(turn),
                Err(_) => {
                    let words = "the request was dropped by a fault of this program".to_owned();
                    return Err(RegistryError::Commit(CommitError::Indeterminate(words)));
                }
            }
        }
    }

    /// As [`Registry::update_statuses`], for whoever does not wait on a thread: puts the request in line
    /// and returns. `hear` is called, by any thread and briefly, with each turn that the request gets,
    /// at once maybe, and then with what came of it. It reads nothing and never blocks.
    ///
    /// # Errors
    /// There are no updates, or more than can be made at once.
    pub fn ask_for_statuses(
        &self,
        change: &Change,
        list: ListId,
        updates: Vec<StatusUpdate>,
        reason: Option<String>,
        hear: impl Fn(Heard) + Send + Sync + 'static,
    ) -> Result<(), RegistryError> {
        if updates.is_empty() || updates.len() > MOST_UPDATES {
            let detail = format!("1 to {MOST_UPDATES} updates are needed");
            return Err(RegistryError::invalid("/updates", detail));
        }
        let line = self.lines.of(list);
        let job = Job {
            change: change.clone(),
            updates,
            reason,
            hear: Box::new(hear),
        };
        locked(&line.queue).waiting.push(Arc::new(job));
        line.call_next(list);
        Ok(())
    }

    /// Sees to all that wait in line, and returns when that is made.
    pub fn take_turn(&self, turn: Turn) {
        let mut group = Group::of(turn);
        let outcomes = self.see_to(&mut group);
        group.answer(outcomes);
    }

    /// Decides a group on one state and commits it, again where another change came first.
    fn see_to(&self, group: &mut Group) -> Result<Outcomes, RegistryError> {
        let (list, line) = (group.list, group.line.clone());
        for _ in 0..ATTEMPTS {
            let jobs = &group.jobs;
            let under_way = self.in_lane(&line.lane, |read| self.decide_group(read, list, jobs));
            group.sets_out();
            if let Some(settled) = under_way.settle(self) {
                let (outcomes, changed) = settled?;
                if changed {
                    self.follow(list)?;
                }
                return Ok(outcomes);
            }
        }
        Err(RegistryError::Contended)
    }

    fn decide_group(
        &self,
        read: &dyn Read,
        list: ListId,
        jobs: &[Arc<Job>],
    ) -> Result<(Batch, (Outcomes, bool)), RegistryError> {
        let mut staged = Staged::new(self, read, list)?;
        let mut outcomes = Outcomes::with_capacity(jobs.len());
        for job in jobs {
            match staged.decide(self, job) {
                // What was staged so far may be half a request: nothing of it is committed.
                Err(RegistryError::Store(error)) => return Err(error.into()),
                outcome => outcomes.push(outcome),
            }
        }
        let changed = staged.changed;
        Ok((staged.into_batch()?, (outcomes, changed)))
    }
}

/// How often a group is decided that lost to a change from outside its line.
const ATTEMPTS: usize = 64;

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
