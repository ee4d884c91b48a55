//! Updates as lines: any number of them, cut into chunks of which each is made whole or not at all.

use serde_json::{Value, json};

use super::MOST_LISTED;
use super::lines::{Line, Lines};
use crate::http::edge::Edge;
use crate::http::lists::check_reason;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::ids::{ListId, Revision};
use crate::registry::{Refused, RegistryError, StatusUpdate, Updated};

/// Updates that are decided and written together.
const CHUNK: usize = 50_000;

/// Changes statuses by the lines of a body. A line that cannot be read refuses the body before
/// anything is changed. Under an `Idempotency-Key` every chunk has a key of its own, so that a body
/// that broke off can be sent again as it was.
pub(in crate::http) fn update(
    edge: &Edge,
    request: &Request,
    list: ListId,
) -> Result<Reply, Problem> {
    let reason = request.query("reason").map(str::to_owned);
    check_reason(reason.as_deref())?;
    let mut count = 0;
    for line in Lines::of(request)? {
        target(&line?)?;
        count += 1;
    }
    if count == 0 {
        return Err(Problem::invalid(
            "/updates",
            "at least one update is needed",
        ));
    }
    let mut changes = request.change_in_parts()?;
    let mut lines = Lines::of(request)?;
    let mut told = Told::default();
    loop {
        let chunk: Vec<Line> = lines.by_ref().take(CHUNK).collect::<Result<_, _>>()?;
        let (Some(first), Some(last)) = (chunk.first(), chunk.last()) else {
            return told.reply();
        };
        let place = (first.number, last.number);
        let updates = chunk.iter().map(target).collect::<Result<_, _>>()?;
        match edge
            .registry
            .update_statuses(&changes.next(), list, updates, reason.clone())
        {
            Ok(updated) => told.made(place, &chunk, &updated),
            Err(RegistryError::AllRefused(refused)) => told.refused(place, &chunk, &refused),
            Err(error) => return Err(told.broken_off(error, place.0)),
        }
    }
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
struct Told {
    revision: Option<Revision>,
    applied: usize,
    /// Those that are listed, and how many there are.
    listed: Vec<Value>,
    refused: usize,
    /// Lines before the present chunk.
    items: usize,
    chunks: Vec<Value>,
}

impl Told {
    fn made(&mut self, place: (u64, u64), chunk: &[Line], updated: &Updated) {
        self.revision = self.revision.max(Some(updated.revision));
        self.applied += updated.applied;
        let mut said = chunk_said(place, updated.applied, updated.refused.len());
        said["revision"] = json!(updated.revision);
        self.chunks.push(said);
        self.list(chunk, &updated.refused);
    }

    fn refused(&mut self, place: (u64, u64), chunk: &[Line], refused: &[Refused]) {
        self.chunks.push(chunk_said(place, 0, refused.len()));
        self.list(chunk, refused);
    }

    fn list(&mut self, chunk: &[Line], refused: &[Refused]) {
        let room = MOST_LISTED.saturating_sub(self.listed.len());
        for one in refused.iter().take(room) {
            self.listed.push(json!({
                "item": self.items + one.item,
                "line": chunk[one.item].number,
                "reason": one.reason,
            }));
        }
        self.refused += refused.len();
        self.items += chunk.len();
    }

    fn reply(self) -> Result<Reply, Problem> {
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

    /// A chunk could not be decided or written: those before it stand.
    fn broken_off(self, error: RegistryError, line: u64) -> Problem {
        let problem = Problem::from(error);
        if self.chunks.is_empty() {
            return problem;
        }
        let problem = problem
            .with("resumeFromLine", line)
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
