//! Tables that registrars upload: tried out first, held until somebody says that they are to be made, made,
//! and reported on.
//!
//! They are seen to one after the other by one thread, which begins with the first of them and ends with the
//! last, and stands back for everything else. What is held is in the memory of this process, so much and no
//! more, and for a while.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use bytes::Bytes;
use serde_json::Value;

use super::bulk::{Kind, PIECE, Pieces, Told, Upload as Lines};
use super::problem::Problem;
use super::request::Parts;
use crate::ids::{ListId, ProfileId, Revision};
use crate::registry::standing_back::stand_back;
use crate::registry::{Actor, Registry};
use crate::time::{Timestamp, Ttl};

/// What names an upload: nobody can guess it.
pub(super) type UploadId = [u8; 16];

/// A table as it was handed in.
#[derive(Clone)]
pub(super) struct HandedIn {
    /// Who handed it in.
    pub(super) actor: Actor,
    /// The list whose entries it is about.
    pub(super) list: ListId,
    /// What the file is called.
    pub(super) name: String,
    /// How it is written.
    pub(super) kind: Kind,
    /// What is in it.
    pub(super) table: Bytes,
    /// Why its changes are made.
    pub(super) reason: Option<String>,
}

/// An upload, as it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct UploadView {
    /// The list.
    pub(super) list: ListId,
    /// What the file is called.
    pub(super) name: String,
    /// How many bytes it has.
    pub(super) bytes: usize,
    /// Why its changes are made.
    pub(super) reason: Option<String>,
    /// How far it is.
    pub(super) state: UploadState,
}

/// How far an upload is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum UploadState {
    /// It waits for its turn: to be made, or only to be tried.
    Waiting(Stage),
    /// So many of its bytes are seen to.
    UnderWay(Stage, usize),
    /// It was tried, and can be made.
    Tried(Report),
    /// It was made.
    Made(Report),
    /// It broke off.
    BrokenOff(Stage, Report, String),
}

/// What is done with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It is tried out: nothing is changed.
    Trying,
    /// It is made.
    Making,
}

/// What came of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Report {
    /// How many entries have the status asked for.
    pub(super) applied: usize,
    /// How many lines were refused.
    pub(super) refused: usize,
    /// The first of them: the number of the line, and why.
    pub(super) lines: Vec<(u64, String)>,
    /// The list's revision that shows every change; none where nothing was changed.
    pub(super) revision: Option<Revision>,
}

/// So many refused lines are told of.
const MOST_TOLD: usize = 100_000;

/// So long an upload is held that nobody goes on with.
const HELD: Ttl = Ttl::from_seconds(1_800);

/// So many are held, of one issuer and in all; and tables of so many bytes.
const MOST_OF_ONE: usize = 4;
const MOST: usize = 64;
const MOST_BYTES: usize = 256 << 20;

/// The uploads of this process.
#[derive(Clone, Default)]
pub struct Uploads(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    all: Vec<Upload>,
    waiting: VecDeque<UploadId>,
    /// Whether a thread sees to those that wait.
    is_seen_to: bool,
}

struct Upload {
    id: UploadId,
    given: HandedIn,
    state: UploadState,
    touched: Timestamp,
}

impl Upload {
    fn owner(&self) -> ProfileId {
        self.given.list.owner()
    }

    const fn rests(&self) -> bool {
        !matches!(
            self.state,
            UploadState::Waiting(_) | UploadState::UnderWay(..)
        )
    }
}

impl Uploads {
    /// Takes a table in, to be tried out.
    ///
    /// # Errors
    /// Too much is held already.
    pub(super) fn take_in(
        &self,
        registry: &Arc<Registry>,
        given: HandedIn,
        most_lines: u64,
    ) -> Result<UploadId, Problem> {
        let (id, now) = (registry.random(), registry.now());
        let mut held = self.held();
        held.forget(now, given.table.len(), given.list.owner())?;
        held.all.push(Upload {
            id,
            given,
            state: UploadState::Waiting(Stage::Trying),
            touched: now,
        });
        held.waiting.push_back(id);
        self.begin(held, registry, most_lines)?;
        Ok(id)
    }

    /// Has an upload made that was tried. One that is made already, or is being made, stays as it is.
    pub(super) fn make(
        &self,
        registry: &Arc<Registry>,
        (id, owner): (&UploadId, ProfileId),
        most_lines: u64,
    ) -> Result<(), Problem> {
        let mut held = self.held();
        let now = registry.now();
        let upload = held.find(id, owner).ok_or_else(gone)?;
        if !matches!(upload.state, UploadState::Tried(_)) {
            return Ok(());
        }
        upload.state = UploadState::Waiting(Stage::Making);
        upload.touched = now;
        held.waiting.push_back(*id);
        self.begin(held, registry, most_lines)
    }

    /// An upload of an issuer, as it stands.
    pub(super) fn view(&self, id: &UploadId, owner: ProfileId) -> Option<UploadView> {
        let mut held = self.held();
        let upload = held.find(id, owner)?;
        Some(UploadView {
            list: upload.given.list,
            name: upload.given.name.clone(),
            bytes: upload.given.table.len(),
            reason: upload.given.reason.clone(),
            state: upload.state.clone(),
        })
    }

    /// Whose it is.
    pub(super) fn owner(&self, id: &UploadId) -> Option<ProfileId> {
        let held = self.held();
        let found = held.all.iter().find(|upload| upload.id == *id);
        found.map(Upload::owner)
    }

    /// Lets an upload go that nobody wants made.
    pub(super) fn drop(&self, id: &UploadId, owner: ProfileId) {
        self.held()
            .all
            .retain(|upload| upload.id != *id || upload.owner() != owner || !upload.rests());
    }

    /// Begins a thread where none sees to what waits.
    fn begin(
        &self,
        mut held: MutexGuard<'_, Held>,
        registry: &Arc<Registry>,
        most_lines: u64,
    ) -> Result<(), Problem> {
        if held.is_seen_to {
            return Ok(());
        }
        let (uploads, registry) = (self.clone(), registry.clone());
        let see_to = move || {
            stand_back();
            while let Some(next) = uploads.next() {
                uploads.see_to(&registry, &next, most_lines);
            }
        };
        let begun = thread::Builder::new()
            .name("uploads".to_owned())
            .spawn(see_to);
        held.is_seen_to = begun.is_ok();
        match begun {
            Ok(_) => Ok(()),
            Err(_) => {
                held.waiting.clear();
                held.all.retain(Upload::rests);
                Err(Problem::internal())
            }
        }
    }

    /// What waits first. Where nothing does, the thread ends.
    fn next(&self) -> Option<(UploadId, HandedIn, Stage)> {
        let mut held = self.held();
        while let Some(id) = held.waiting.pop_front() {
            let found = held.all.iter_mut().find(|upload| upload.id == id);
            if let Some(upload) = found
                && let UploadState::Waiting(stage) = upload.state
            {
                upload.state = UploadState::UnderWay(stage, 0);
                return Some((id, upload.given.clone(), stage));
            }
        }
        held.is_seen_to = false;
        None
    }

    /// Sees to one upload. A panic in it is its own end alone.
    fn see_to(
        &self,
        registry: &Registry,
        (id, given, stage): &(UploadId, HandedIn, Stage),
        most_lines: u64,
    ) {
        let work = || match stage {
            Stage::Trying => {
                let tried = registry.try_statuses(given.actor, given.list, |tries| {
                    self.read(id, given, (*stage, most_lines), &mut |_, _, updates, _| {
                        tries(updates)
                    })
                });
                tried.map_err(Problem::from).and_then(|told| told)
            }
            Stage::Making => self.read(
                id,
                given,
                (*stage, most_lines),
                &mut |change, list, updates, reason| {
                    registry.update_statuses(change, list, updates, reason)
                },
            ),
        };
        let came = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
            .unwrap_or_else(|_| Err(Problem::internal()));
        let state = match (came, stage) {
            (Ok(told), Stage::Trying) => UploadState::Tried(Report::of(told)),
            (Ok(told), Stage::Making) => UploadState::Made(Report::of(told)),
            (Err(problem), stage) => {
                let report = Report::of_problem(&problem);
                UploadState::BrokenOff(*stage, report, problem.detail)
            }
        };
        self.note(id, |upload| {
            if !matches!(state, UploadState::Tried(_)) {
                // Nothing more is read of it.
                upload.given.table = Bytes::new();
            }
            upload.state = state;
            upload.touched = registry.now();
        });
    }

    /// Reads a table, and has each chunk made or tried.
    fn read(
        &self,
        id: &UploadId,
        given: &HandedIn,
        (stage, most_lines): (Stage, u64),
        make: &mut super::bulk::Make<'_>,
    ) -> Result<Told, Problem> {
        let key = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let parts = Parts::under(
            given.actor,
            key,
            [given.list.to_string(), "upload".to_owned()],
        );
        let how = (parts, given.reason.clone());
        let mut lines = Lines::of(
            Pieces::of_kind(given.kind),
            given.list,
            how,
            (most_lines, MOST_TOLD),
        );
        let mut seen_to = 0;
        for piece in given.table.chunks(PIECE) {
            lines.take(make, piece)?;
            seen_to += piece.len();
            self.note(id, |upload| {
                upload.state = UploadState::UnderWay(stage, seen_to)
            });
        }
        lines.finish(make)
    }

    fn note(&self, id: &UploadId, change: impl FnOnce(&mut Upload)) {
        let mut held = self.held();
        if let Some(upload) = held.all.iter_mut().find(|upload| upload.id == *id) {
            change(upload);
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // What is held is whole at each step, also where somebody panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn find(&mut self, id: &UploadId, owner: ProfileId) -> Option<&mut Upload> {
        let mut all = self.all.iter_mut();
        all.find(|upload| upload.id == *id && upload.owner() == owner)
    }

    /// Makes room for a table of so many bytes.
    fn forget(&mut self, now: Timestamp, bytes: usize, owner: ProfileId) -> Result<(), Problem> {
        self.all
            .retain(|upload| !upload.rests() || upload.touched.plus(HELD) > now);
        loop {
            let of_one = self
                .all
                .iter()
                .filter(|upload| upload.owner() == owner)
                .count();
            let held: usize = self.all.iter().map(|upload| upload.given.table.len()).sum();
            let (one_full, full) = (
                of_one >= MOST_OF_ONE,
                self.all.len() >= MOST || held + bytes > MOST_BYTES,
            );
            if !one_full && !full {
                return Ok(());
            }
            // The oldest that rests gives way: of the same issuer, so that nobody drives out another's.
            let oldest = self
                .all
                .iter()
                .position(|upload| upload.rests() && upload.owner() == owner);
            match oldest {
                Some(oldest) => drop(self.all.remove(oldest)),
                None => {
                    let detail = "other tables are being seen to; try again when they are done";
                    let problem = Problem::new(429, "uploads-full", "Too many uploads", detail);
                    return Err(problem.header("Retry-After", "30"));
                }
            }
        }
    }
}

impl Report {
    fn of(told: Told) -> Self {
        let (applied, revision) = told.made_all();
        let (refused, listed) = told.all_refused_lines();
        Self {
            applied,
            refused,
            lines: lines(&listed),
            revision,
        }
    }

    /// What stands of a table that broke off.
    fn of_problem(problem: &Problem) -> Self {
        let members = problem.to_value();
        let number = |member: &str| members[member].as_u64().unwrap_or(0);
        let listed = members["refused"].as_array().cloned().unwrap_or_default();
        Self {
            applied: usize::try_from(number("applied")).unwrap_or(usize::MAX),
            refused: usize::try_from(number("refusedCount")).unwrap_or(usize::MAX),
            lines: lines(&listed),
            revision: members["revision"].as_u64().map(Revision),
        }
    }
}

fn lines(listed: &[Value]) -> Vec<(u64, String)> {
    let line = |refused: &Value| {
        let reason = refused["reason"].as_str().unwrap_or_default().to_owned();
        (refused["line"].as_u64().unwrap_or(0), reason)
    };
    listed.iter().map(line).collect()
}

fn gone() -> Problem {
    let detail = "this upload is not held any more, or was handed in at another process; hand the table in again";
    Problem::new(404, "not-found", "Not found", detail)
}
