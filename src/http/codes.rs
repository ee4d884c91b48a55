//! Verification codes: handed out to issuers, who print them, and looked up by whoever has the paper.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::standing::write_parties;
use super::verification::options;
use crate::codes::{CodeError, VerificationCode};
use crate::registry::{
    CodedStanding, CodesOf, CredentialCode, Outcome, Question, StandingAnswer, StatusPart, Urls,
};
use crate::time::Timestamp;
use crate::verify::Expected;

/// The credentials that are to have codes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CodesBody {
    /// Ids of up to 5,000 credentials that were issued, or given an entry by their ids, here.
    credential_ids: Vec<String>,
    /// Their issuer, by id or slug, where the caller speaks for several and the ids do not tell.
    issuer: Option<String>,
    /// Whether each gets a new code, so that the one before finds nothing any more. Otherwise a credential
    /// that has a code keeps it.
    #[serde(default)]
    replace: bool,
}

/// The credentials that are to have no code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct WithdrawCodesBody {
    /// Ids of up to 5,000 credentials.
    credential_ids: Vec<String>,
    /// Their issuer, by id or slug, where the caller speaks for several and the ids do not tell.
    issuer: Option<String>,
    /// Why; kept with the change in the audit trail.
    reason: Option<String>,
}

pub(super) fn hand_out(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let CodesBody {
        credential_ids: credentials,
        issuer,
        replace,
    } = request.json()?;
    let of = CodesOf {
        credentials,
        issuer,
    };
    let registry = &edge.registry;
    let handed = registry.hand_out_codes(&request.change()?, &of, replace)?;
    let urls = registry.urls();
    let codes = handed.codes.iter().map(|code| code_members(&urls, code));
    let codes: Vec<Value> = codes.collect();
    Ok(Reply::json(
        200,
        &json!({ "codes": codes, "refused": handed.refused }),
    ))
}

/// What an issuer is told of a code.
pub(super) fn code_members(urls: &Urls<'_>, code: &CredentialCode) -> Value {
    json!({
        "credential": code.credential,
        "code": code.code.to_string(),
        "url": urls.code(&code.code),
    })
}

pub(super) fn withdraw(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let WithdrawCodesBody {
        credential_ids: credentials,
        issuer,
        reason,
    } = request.json()?;
    let of = CodesOf {
        credentials,
        issuer,
    };
    let change = request.change_because(reason)?;
    let withdrawn = edge.registry.withdraw_codes(&change, &of)?;
    Ok(Reply::json(
        200,
        &json!({ "withdrawn": withdrawn.credentials, "refused": withdrawn.refused }),
    ))
}

/// What is told of a credential to whoever has its code: how it stands and why, by whom it was issued, what
/// was achieved, and who stands behind that. Not its id, which issuers choose and which may tell of its holder,
/// nor where its statuses stand, by which it could be found again.
pub(super) fn look_up(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let typed: String = request.param("code")?;
    let code: VerificationCode = typed.parse().map_err(mistyped)?;
    let as_of = edge.registry.now();
    let question = Question {
        at: None,
        anchors: edge.registry.anchors(None)?,
        jurisdiction: None,
    };
    let options = options(edge, Expected::default(), &[]);
    let found = edge
        .registry
        .standing_by_code(&code, &question, options, &*edge.outside)?;
    let CodedStanding { answer, since } = found.ok_or_else(unknown)?;
    let mut text = Vec::new();
    write(&mut text, &edge.registry.urls(), &answer, since);
    text.extend_from_slice(format!(",\"asOf\":\"{as_of}\"}}").as_bytes());
    let reply = Reply::bytes(200, "application/json", text).not_kept();
    Ok(not_referred_to(reply))
}

/// Writes what is told, as an object that is left open.
pub(super) fn write(
    text: &mut Vec<u8>,
    urls: &Urls<'_>,
    answer: &StandingAnswer,
    since: Option<Timestamp>,
) {
    let written = serde_json::to_writer(&mut *text, &Shown::of(answer, since));
    written.expect("its members have names");
    // Other members follow.
    text.pop();
    write_parties(text, urls, answer);
}

/// Links that lead on from an answer do not tell the code.
fn not_referred_to(reply: Reply) -> Reply {
    reply.header("Referrer-Policy", "no-referrer")
}

/// A text that is no code, which tells nothing of those that are.
fn mistyped(error: CodeError) -> Problem {
    let detail = error.to_string();
    let problem = Problem::new(400, "mistyped-code", "Not a verification code", detail);
    problem.header("Referrer-Policy", "no-referrer")
}

/// The same for every code that finds nothing, word by word.
fn unknown() -> Problem {
    let detail = "no credential has this code: compare it with the paper once more, or ask the issuer, who may \
                  have withdrawn it";
    let problem = Problem::new(404, "unknown-code", "No such verification code", detail);
    problem.header("Referrer-Policy", "no-referrer")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    outcome: Outcome,
    decided_by: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    status: Vec<StatusShown<'a>>,
}

#[derive(Serialize)]
struct StatusShown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<&'a str>,
    outcome: Outcome,
}

impl<'a> Shown<'a> {
    fn of(answer: &'a StandingAnswer, since: Option<Timestamp>) -> Self {
        let part = |part: &'a StatusPart| StatusShown {
            purpose: part.purpose.as_deref(),
            outcome: part.outcome,
        };
        Self {
            outcome: answer.outcome,
            decided_by: answer.decided_by.as_str(),
            detail: &answer.detail,
            since: since.map(|since| since.to_string()),
            status: answer.status.iter().map(part).collect(),
        }
    }
}
