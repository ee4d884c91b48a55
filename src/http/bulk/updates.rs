//! Updates as lines: any number of them, cut into chunks of which each is made whole or not at all.
//!
//! A body that fits into memory ([`Limits::bulk_body_bytes`](crate::http::Limits)) is read to its end first, and a
//! line that cannot be read refuses all of it. A longer one is made as it comes, and no more of it is in
//! memory than a chunk and what came last: where a line cannot be read, or the body breaks off, the chunks
//! before it stand.
//!
//! Under an `Idempotency-Key` every chunk has a key of its own, for what is in it and whether it is the
//! last one. So a body that broke off can be sent again as it was: what was made is not made again, and is told in the answer as though it were.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::MOST_LISTED;
use super::lines::{Line, Pieces};
use crate::http::edge::Edge;
use crate::http::lists::check_reason;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::{Parts, Request};
use crate::ids::{ListId, Revision};
use crate::registry::{Change, Refused, RegistryError, StatusTarget, StatusUpdate, Updated};

/// Updates that are decided and written together.
const CHUNK: usize = 50_000;

/// Fewer of them where the ids of their credentials have so many bytes.
const CHUNK_IDS: usize = 8 << 20;

/// A body that is in memory is read by pieces of so many bytes.
pub(in crate::http) const PIECE: usize = 1 << 20;

/// Changes statuses by the lines of a body that is there as a whole.
pub(in crate::http) fn update(
    edge: &Edge,
    request: &Request,
    list: ListId,
) -> Result<Reply, Problem> {
    check_reason(request.query("reason"))?;
    let mut count = 0_usize;
    let mut look = |line: Line| {
        count += 1;
        target(&line).map(drop)
    };
    let mut lines = Pieces::of(request)?;
    for piece in request.body.chunks(PIECE) {
        lines.read(piece, &mut look)?;
    }
    lines.end(&mut look)?;
    if count == 0 {
        return Err(none_at_all());
    }
    let mut upload = Upload::begin(edge, request, list)?;
    let make = &mut making(edge);
    for piece in request.body.chunks(PIECE) {
        upload.take(make, piece)?;
    }
    upload.finish(make)?.reply()
}

/// What is done with a chunk: it is made, or only tried out.
pub(in crate::http) type Make<'a> = dyn FnMut(&Change, ListId, Vec<StatusUpdate>, Option<String>) -> Result<Updated, RegistryError>
    + 'a;

/// Makes chunks.
pub(in crate::http) fn making(
    edge: &Edge,
) -> impl FnMut(&Change, ListId, Vec<StatusUpdate>, Option<String>) -> Result<Updated, RegistryError> + '_
{
    |change, list, updates, reason| edge.registry.update_statuses(change, list, updates, reason)
}

fn none_at_all() -> Problem {
    Problem::invalid("/updates", "at least one update is needed")
}

/// A body while it comes.
pub(in crate::http) struct Upload {
    lines: Option<Pieces>,
    chunks: Chunks,
}

/// What is made of its lines.
struct Chunks {
    list: ListId,
    reason: Option<String>,
    parts: Parts,
    gathered: Vec<(u64, StatusUpdate)>,
    /// Bytes of the ids in them.
    ids: usize,
    count: u64,
    /// So many lines are taken.
    most: u64,
    told: Told,
}

impl Upload {
    pub(in crate::http) fn begin(
        edge: &Edge,
        request: &Request,
        list: ListId,
    ) -> Result<Self, Problem> {
        let reason = request.query("reason").map(str::to_owned);
        check_reason(reason.as_deref())?;
        let parts = request.change_in_parts()?;
        let most = edge.limits.bulk_lines;
        Ok(Self::of(
            Pieces::of(request)?,
            list,
            (parts, reason),
            (most, MOST_LISTED),
        ))
    }

    /// One of so many lines at most, of whose refused ones so many are listed.
    pub(in crate::http) fn of(
        lines: Pieces,
        list: ListId,
        (parts, reason): (Parts, Option<String>),
        (most, listed): (u64, usize),
    ) -> Self {
        let chunks = Chunks {
            list,
            reason,
            parts,
            gathered: Vec::new(),
            ids: 0,
            count: 0,
            most,
            told: Told {
                most_listed: listed,
                ..Told::default()
            },
        };
        Self {
            lines: Some(lines),
            chunks,
        }
    }

    /// Takes what comes next, and makes the chunks that are full with it. After a problem, which tells
    /// what was made before it, there is nothing more to be taken.
    pub(in crate::http) fn take(
        &mut self,
        make: &mut Make<'_>,
        piece: &[u8],
    ) -> Result<(), Problem> {
        let Self { lines, chunks } = self;
        let lines = lines.as_mut().ok_or_else(Problem::internal)?;
        let read = lines.read(piece, &mut |line| chunks.add(make, line));
        read.map_err(|problem| chunks.broken_off(problem))
    }

    /// Makes what is left, and tells what came of all.
    pub(in crate::http) fn finish(mut self, make: &mut Make<'_>) -> Result<Told, Problem> {
        let chunks = &mut self.chunks;
        let lines = self.lines.take().ok_or_else(Problem::internal)?;
        let read = lines.end(&mut |line| chunks.add(make, line));
        read.and_then(|()| chunks.make(make, Place::Last))
            .map_err(|problem| chunks.broken_off(problem))?;
        Ok(self.chunks.told)
    }

    /// Nothing more comes, since of that came too much or too little: what was made stands.
    pub(in crate::http) fn break_off(mut self, problem: Problem) -> Problem {
        self.chunks.broken_off(problem)
    }
}

/// Where a chunk stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Last,
}

impl Chunks {
    fn add(&mut self, make: &mut Make<'_>, line: Line) -> Result<(), Problem> {
        let most = self.most;
        if self.count >= most {
            let detail = format!("a body has at most {most} lines; send the rest in another one");
            return Err(Problem::new(
                413,
                "body-too-large",
                "Body too large",
                detail,
            ));
        }
        let update = target(&line)?;
        // Only now it is known that more follows the chunk before.
        if self.gathered.len() == CHUNK || self.ids >= CHUNK_IDS {
            self.make(make, Place::Before)?;
        }
        self.count += 1;
        if let StatusTarget::Credential(id) = &update.target {
            self.ids += id.len();
        }
        self.gathered.push((line.number, update));
        Ok(())
    }

    fn make(&mut self, make: &mut Make<'_>, place: Place) -> Result<(), Problem> {
        let (Some((first, _)), Some((last, _))) = (self.gathered.first(), self.gathered.last())
        else {
            return Err(none_at_all());
        };
        let lines = (*first, *last);
        self.ids = 0;
        let change = self.parts.next(&digest(&self.gathered, place));
        let (numbers, updates): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.gathered).into_iter().unzip();
        match make(&change, self.list, updates, self.reason.clone()) {
            Ok(updated) => self.told.made(lines, &numbers, &updated),
            Err(RegistryError::AllRefused(refused)) => self.told.refused(lines, &numbers, &refused),
            Err(error) => {
                self.told.next = Some(lines.0);
                return Err(error.into());
            }
        }
        Ok(())
    }

    fn broken_off(&mut self, problem: Problem) -> Problem {
        let told = std::mem::take(&mut self.told);
        let next = told.next.or_else(|| Some(self.gathered.first()?.0));
        told.broken_off(problem, next)
    }
}

/// What tells a chunk from others.
fn digest(chunk: &[(u64, StatusUpdate)], place: Place) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update([u8::from(place == Place::Last)]);
    for (number, StatusUpdate { target, status }) in chunk {
        hash.update(number.to_be_bytes());
        hash.update(status.to_be_bytes());
        match target {
            StatusTarget::Index(index) => {
                hash.update([0]);
                hash.update(index.to_be_bytes());
            }
            StatusTarget::Credential(id) => {
                hash.update([1]);
                hash.update((id.len() as u64).to_be_bytes());
                hash.update(id);
            }
        }
    }
    hash.finalize().into()
}

/// What a line asks for.
fn target(line: &Line) -> Result<StatusUpdate, Problem> {
    let number = line.number;
    line.item.parse().map_err(|detail| {
        Problem::invalid("", format!("line {number}: {detail}")).with("line", number)
    })
}

/// What was made of the chunks so far.
#[derive(Default)]
pub(in crate::http) struct Told {
    /// So many refused lines are listed.
    most_listed: usize,
    revision: Option<Revision>,
    applied: usize,
    /// Those that are listed, and how many there are.
    listed: Vec<Value>,
    refused: usize,
    /// Lines before the present chunk.
    items: usize,
    chunks: Vec<Value>,
    /// The first line of a chunk that could not be made.
    next: Option<u64>,
}

impl Told {
    fn made(&mut self, place: (u64, u64), chunk: &[u64], updated: &Updated) {
        self.revision = self.revision.max(Some(updated.revision));
        self.applied += updated.applied;
        let mut said = chunk_said(place, updated.applied, updated.refused.len());
        said["revision"] = json!(updated.revision);
        self.chunks.push(said);
        self.list(chunk, &updated.refused);
    }

    fn refused(&mut self, place: (u64, u64), chunk: &[u64], refused: &[Refused]) {
        self.chunks.push(chunk_said(place, 0, refused.len()));
        self.list(chunk, refused);
    }

    fn list(&mut self, chunk: &[u64], refused: &[Refused]) {
        let room = self.most_listed.saturating_sub(self.listed.len());
        for one in refused.iter().take(room) {
            self.listed.push(json!({
                "item": self.items + one.item,
                "line": chunk[one.item],
                "reason": one.reason,
            }));
        }
        self.refused += refused.len();
        self.items += chunk.len();
    }

    pub(in crate::http) fn reply(self) -> Result<Reply, Problem> {
        let Some(revision) = self.revision else {
            return Err(self.all_refused());
        };
        let answer = json!({
            "revision": revision,
            "applied": self.applied,
            "refused": self.listed,
            "refusedCount": self.refused,
            "chunks": self.chunks,
        });
        Ok(Reply::json(200, &answer))
    }

    fn all_refused(self) -> Problem {
        let reason = |refused: &Value| refused["reason"].as_str().unwrap_or_default().to_owned();
        let detail = match self.listed.as_slice() {
            [only] if self.refused == 1 => reason(only),
            _ => format!("none of the {} updates could be made", self.refused),
        };
        Problem::new(422, "all-refused", "Nothing could be changed", detail)
            .with("refused", self.listed)
            .with("refusedCount", self.refused)
    }

    /// How many entries have the status asked for, and the list's revision that shows all of them; none
    /// where nothing was changed.
    pub(in crate::http) const fn made_all(&self) -> (usize, Option<Revision>) {
        (self.applied, self.revision)
    }

    /// How many lines were refused, and those of them that are listed, as they stand in answers.
    pub(in crate::http) fn all_refused_lines(self) -> (usize, Vec<Value>) {
        (self.refused, self.listed)
    }

    /// A chunk could not be read, decided or written: those before it stand.
    fn broken_off(self, problem: Problem, line: Option<u64>) -> Problem {
        if self.chunks.is_empty() {
            return problem;
        }
        let problem = match line {
            Some(line) => problem.with("resumeFromLine", line),
            None => problem,
        };
        let problem = problem
            .with("applied", self.applied)
            .with("refused", self.listed)
            .with("refusedCount", self.refused)
            .with("chunks", self.chunks);
        match self.revision {
            Some(revision) => problem.with("revision", json!(revision)),
            None => problem,
        }
    }
}

fn chunk_said((first, last): (u64, u64), applied: usize, refused: usize) -> Value {
    json!({ "firstLine": first, "lastLine": last, "applied": applied, "refused": refused })
}
