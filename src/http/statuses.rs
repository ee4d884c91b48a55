//! Look-ups of status for verifiers.

mod asked;
#[cfg(test)]
mod tests;
mod told;

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::edge::Edge;
use super::moment::{moment, moment_asked};
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::registry::{
    CredentialAnswer, EntriesAsked, MaySee, Outcome, QuestionAnswer, StatusAnswer, StatusQuestion,
    StatusUnknown,
};
use crate::time::Timestamp;

pub(super) use told::Text;

/// Up to 10,000 questions.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusQuery {
    /// The questions; answers come in their order.
    queries: Vec<StatusQueryItem>,
    /// As of this moment (RFC 3339) rather than now.
    at: Option<String>,
}

/// One question: an entry by its place, or a credential.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusQueryItem {
    /// URL of the list.
    list: Option<String>,
    /// The index, as a number or as a string of digits.
    #[schema(value_type = Option<u64>)]
    index: Option<Value>,
    /// Id of the credential.
    credential: Option<String>,
    /// Its issuer, by id or slug, where several issuers say something of the id.
    issuer: Option<String>,
}

const JSON: &str = "application/json";
const MOST_QUERIES: usize = 10_000;

pub(super) fn look_up(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let at: Option<Timestamp> = request.query_as("at", "an RFC 3339 time")?;
    let as_of = moment_asked(edge, at, "?at")?.to_string();
    let issuer = request.query("issuer");
    let reply = match (
        request.query("list"),
        request.query("index"),
        request.query("credential"),
    ) {
        (Some(list), Some(index), None) if issuer.is_none() => {
            let index = parse_index(index).ok_or_else(|| {
                Problem::invalid("?index", "the index has to be a whole number from 0")
            })?;
            let answer = edge.registry.status_at(list, index, at, request.actor)??;
            let reply = stamped(entry_members(&answer), &as_of);
            match at.and(request.actor) {
                None => reply.fresh_for(edge.cache.look_up),
                // How a list was may be for this caller alone.
                Some(_) => reply.not_kept(),
            }
        }
        (None, None, Some(credential)) => {
            let may_see = may_see(edge, request)?;
            let answer = edge.registry.status_of(credential, issuer, at, may_see)??;
            let reply = stamped(credential_members(&answer), &as_of);
            match edge.tells_everybody() {
                true => reply.fresh_for(edge.cache.look_up),
                // That the credential exists is for this caller alone.
                false => reply.not_kept(),
            }
        }
        _ => {
            let detail = "either the parameters list and index are needed, or credential, and with \
                          it issuer where one is meant; and with either at, a moment in the past";
            return Err(Problem::invalid("", detail));
        }
    };
    Ok(reply)
}

fn stamped(mut answer: Value, as_of: &str) -> Reply {
    answer["asOf"] = as_of.into();
    Reply::json(200, &answer)
}

pub(super) fn query(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    request.must_be("application/json")?;
    match asked::by_place(&request.body) {
        Some(asked) => Ok(Reply::bytes(200, JSON, present(edge, &asked)?)),
        None => query_any(edge, request),
    }
}

/// The answer to questions by place about the present.
fn present(edge: &Edge, asked: &EntriesAsked<'_>) -> Result<Vec<u8>, Problem> {
    let as_of = edge.registry.now();
    let told = edge.registry.entries_now(asked)?;
    let mut text = Text::with_room_for(asked.len());
    text.push("{\"results\":[");
    for (place, answer) in told.answers(asked).enumerate() {
        if place > 0 {
            text.push(",");
        }
        match answer {
            Ok(entry) => {
                text.entry(entry);
                text.push("}");
            }
            Err(unknown) => text.push(&unknown_members(unknown).to_string()),
        }
    }
    text.push("]");
    text.as_of(as_of);
    text.push("}");
    Ok(text.into_bytes())
}

/// The answer to any questions.
fn query_any(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let body: StatusQuery = request.json()?;
    if body.queries.is_empty() || body.queries.len() > MOST_QUERIES {
        let detail = format!("1 to {MOST_QUERIES} questions are needed");
        return Err(Problem::invalid("/queries", detail));
    }
    let by_credential = body
        .queries
        .iter()
        .any(|question| question.credential.is_some());
    let may_see = if by_credential {
        may_see(edge, request)?
    } else {
        MaySee::Nothing
    };
    let questions: Result<Vec<StatusQuestion>, Problem> = body
        .queries
        .into_iter()
        .enumerate()
        .map(|(n, item)| item.parse(n))
        .collect();
    let at = moment(body.at.as_deref(), "/at")?;
    let as_of = moment_asked(edge, at, "/at")?.to_string();
    let answers = edge
        .registry
        .statuses(&questions?, at, request.actor, may_see)?;
    let results: Vec<Value> = answers
        .into_iter()
        .map(|answer| match answer {
            QuestionAnswer::Entry(Ok(answer)) => entry_members(&answer),
            QuestionAnswer::Credential(Ok(answer)) => credential_members(&answer),
            QuestionAnswer::Entry(Err(unknown)) | QuestionAnswer::Credential(Err(unknown)) => {
                unknown_members(unknown)
            }
        })
        .collect();
    Ok(Reply::json(
        200,
        &json!({ "results": results, "asOf": as_of }),
    ))
}

impl StatusQueryItem {
    fn parse(self, place: usize) -> Result<StatusQuestion, Problem> {
        let pointer = format!("/queries/{place}");
        match (self.list, self.index, self.credential, self.issuer) {
            (Some(list), Some(index), None, None) => {
                let text = index
                    .as_str()
                    .map_or_else(|| index.to_string(), str::to_owned);
                let index = parse_index(&text).ok_or_else(|| {
                    let detail = "the index has to be a whole number from 0";
                    Problem::invalid(&format!("{pointer}/index"), detail)
                })?;
                Ok(StatusQuestion::Entry { list, index })
            }
            (None, None, Some(id), issuer) => Ok(StatusQuestion::Credential { id, issuer }),
            _ => Err(Problem::invalid(
                &pointer,
                "either list and index or credential is needed",
            )),
        }
    }
}

fn parse_index(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// Asking by credential reveals that the credential exists, so it takes a token unless the
/// registry is set to tell everybody.
pub(super) fn may_see(edge: &Edge, request: &Request) -> Result<MaySee, Problem> {
    if edge.tells_everybody() {
        return Ok(MaySee::Everything);
    }
    let detail = "asking by credential id takes a token; by list and index it does not";
    request
        .actor
        .map(MaySee::OwnOf)
        .ok_or_else(|| Problem::unauthenticated(detail))
}

fn entry_members(answer: &StatusAnswer) -> Value {
    let mut members = json!({
        "status": answer.status,
        "purpose": answer.purpose.as_str(),
        "valid": answer.status == 0,
        "outcome": answer.outcome,
        "revision": answer.revision,
    });
    if let Some(message) = &answer.message {
        members["message"] = message.as_str().into();
    }
    members
}

fn credential_members(answer: &CredentialAnswer) -> Value {
    let entries: Vec<Value> = answer
        .entries
        .iter()
        .map(|entry| {
            let mut members =
                json!({ "list": entry.list, "index": entry.index, "issuer": entry.issuer });
            if let (Value::Object(all), Value::Object(more)) =
                (&mut members, entry_members(&entry.answer))
            {
                all.extend(more);
            }
            members
        })
        .collect();
    json!({ "credential": answer.credential, "outcome": answer.outcome, "entries": entries })
}

/// An answer among many that is not known says so, and why.
fn unknown_members(unknown: StatusUnknown) -> Value {
    let outcome = match &unknown {
        StatusUnknown::Elsewhere(_) => Outcome::Unreachable,
        StatusUnknown::NoList(_)
        | StatusUnknown::OutOfRange(_)
        | StatusUnknown::NoCredential(_)
        | StatusUnknown::BeforeList { .. }
        | StatusUnknown::NotHeld { .. }
        | StatusUnknown::Withheld { .. } => Outcome::Unknown,
    };
    json!({ "outcome": outcome, "problem": Problem::from(unknown).to_value() })
}
