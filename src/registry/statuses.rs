//! Changes of status: revoke, suspend, reinstate.
//!
//! Requests for one list queue up in its lane. Whoever gets the turn takes all that wait, decides
//! them one after the other on one snapshot, and commits them as one batch: pages, events, the
//! list's new revision, and every idempotency record. So a thousand clients of one list share a
//! disk sync, and none of them loses a race.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::lists::list_of;
use super::staged::Staged;
use super::{Change, Registry, RegistryError};
use crate::ids::{ListId, Revision};
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
pub(super) const MOST_UPDATES: usize = 1_000_000;

/// One lane a list.
#[derive(Default)]
pub(super) struct Lanes(Mutex<HashMap<ListId, Arc<Lane>>>);

#[derive(Default)]
struct Lane {
    waiting: Mutex<Vec<Arc<Job>>>,
    turn: Mutex<()>,
}

/// A request that waits in a lane.
pub(super) struct Job {
    pub(super) change: Change,
    pub(super) updates: Vec<StatusUpdate>,
    pub(super) reason: Option<String>,
    outcome: Mutex<Option<Result<Updated, RegistryError>>>,
}

impl Job {
    fn finish(&self, outcome: Result<Updated, RegistryError>) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }

    fn outcome(&self) -> Option<Result<Updated, RegistryError>> {
        self.outcome
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
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
        if updates.is_empty() || updates.len() > MOST_UPDATES {
            let detail = format!("1 to {MOST_UPDATES} updates are needed");
            return Err(RegistryError::invalid("/updates", detail));
        }
        list_of(&*self.engine, &self.urls(), list)?;
        let lane = {
            let mut lanes = self.lanes.0.lock().unwrap_or_else(PoisonError::into_inner);
            lanes.entry(list).or_default().clone()
        };
        let outcome = Mutex::new(None);
        let job = Arc::new(Job {
            change: change.clone(),
            updates,
            reason,
            outcome,
        });
        lane.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(job.clone());
        loop {
            let _turn = lane.turn.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(outcome) = job.outcome() {
                return outcome;
            }
            self.take_turn(list, &lane);
        }
    }

    /// Serves what waits in a lane, this caller's own request among it.
    fn take_turn(&self, list: ListId, lane: &Lane) {
        let group = {
            let mut waiting = lane.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let (now, later) = one_of_each_key(std::mem::take(&mut *waiting));
            *waiting = later;
            now
        };
        let outcomes = self.serve(list, &group).and_then(|(outcomes, changed)| {
            if changed {
                self.follow(list)?;
            }
            Ok(outcomes)
        });
        match outcomes {
            Ok(outcomes) => {
                for (job, outcome) in group.iter().zip(outcomes) {
                    job.finish(outcome);
                }
            }
            Err(error) => group.iter().for_each(|job| job.finish(Err(error.clone()))),
        }
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
            match self.commit(staged.into_batch()) {
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
