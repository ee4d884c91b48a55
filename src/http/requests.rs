//! Requests for endorsements: the accreditor's queue, the conversation, and the tasks of a profile.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::credentials::securing;
use super::edge::Edge;
use super::endorsements::{ScopeBody, SubjectBody, digest, next_page, parse_kind, parse_scope};
use super::moment::moment;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::badges::Scope;
use crate::ids::{ProfileId, RequestId, Slug};
use crate::registry::{
    Approval, NewRequest, NewStep, RequestFilter, RequestStateError, RequestStep, RequestView,
    StepView, Task, Urls, WaitingRequest,
};

/// A request for an endorsement.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NewRequestBody {
    /// Who asks: slug or id of a profile here; the profile whose token it is where nothing is
    /// said.
    requester: Option<String>,
    /// Who is asked: slug or id of an accreditor here.
    accreditor: String,
    /// What is to be endorsed: the requester, an achievement of its own, or a credential that it
    /// issued here.
    subject: SubjectBody,
    /// Name that the endorsement is to have.
    name: Option<String>,
    /// What speaks for it, in Markdown; at most 2,000 characters.
    comment: Option<String>,
    /// Links to what speaks for it: at most 20 https URLs.
    evidence: Option<Vec<String>>,
    /// What the endorsement is to cover; all of the subject where nothing is said.
    #[schema(value_type = Option<ScopeBody>)]
    scope: Option<Value>,
    /// From when on it is to hold (RFC 3339).
    valid_from: Option<String>,
    /// Until when it is to hold (RFC 3339).
    valid_until: Option<String>,
    /// URL of the endorsement that it is to go on from.
    renews: Option<String>,
}

/// What the accreditor says of the endorsement. Where it says nothing, it is as was asked for.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ApproveBody {
    /// Name of the endorsement; needed where the request has none.
    name: Option<String>,
    /// Why, in Markdown.
    endorsement_comment: Option<String>,
    /// From when on it holds (RFC 3339).
    valid_from: Option<String>,
    /// Until when it holds (RFC 3339).
    valid_until: Option<String>,
    /// When it was awarded (RFC 3339).
    awarded_date: Option<String>,
    /// Whether it can be suspended: it then carries a suspension entry as well.
    #[serde(default)]
    suspendable: bool,
    /// How it is secured: `eddsa-rdfc-2022` (the default), `eddsa-jcs-2022`, or `vc+jwt`, which
    /// gives an EnvelopedVerifiableCredential.
    securing: Option<String>,
    /// What it covers. Where nothing is said, as was asked for.
    #[schema(value_type = Option<ScopeBody>)]
    scope: Option<Value>,
}

/// Why it is asked for no longer.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WithdrawBody {
    /// The reason, where there is one to tell; at most 2,000 characters.
    reason: Option<String>,
}

/// Why there will be no endorsement.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclineBody {
    /// The reason, for the requester; at most 2,000 characters.
    reason: String,
}

/// What has to be known first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AskBody {
    /// The question; at most 2,000 characters.
    question: String,
}

/// The answer to a question.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerBody {
    /// The answer; at most 2,000 characters.
    answer: String,
    /// Links to what speaks for it: at most 20 https URLs.
    evidence: Option<Vec<String>>,
}

pub(super) fn create(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let body: NewRequestBody = request.json()?;
    let change = request.change()?;
    let new = NewRequest {
        requester: requester(edge, request, body.requester.as_deref())?,
        accreditor: edge
            .registry
            .profile_named(&body.accreditor, "/accreditor")?
            .id,
        subject: body.subject.id,
        kind: parse_kind(&body.subject.kind, "/subject/kind")?,
        digest: digest(body.subject.digest_multibase.as_deref())?,
        name: body.name,
        comment: body.comment,
        evidence: body.evidence.unwrap_or_default(),
        scope: parse_scope(body.scope.as_ref())?,
        valid_from: moment(body.valid_from.as_deref(), "/validFrom")?,
        valid_until: moment(body.valid_until.as_deref(), "/validUntil")?,
        renews: body.renews,
    };
    let view = edge.registry.request_endorsement(&change, &new)?;
    let urls = edge.registry.urls();
    Ok(document(&urls, 201, &view).header("Location", urls.request(view.id)))
}

fn requester(edge: &Edge, request: &Request, named: Option<&str>) -> Result<ProfileId, Problem> {
    match (named, request.actor.and_then(|actor| actor.speaks_as())) {
        (Some(name), _) => Ok(edge.registry.profile_named(name, "/requester")?.id),
        (None, Some(own)) => Ok(own),
        (None, None) => {
            let detail = "who asks has to be named, unless the token is a profile's own";
            Err(Problem::invalid("/requester", detail))
        }
    }
}

pub(super) fn list(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let limit = request.limit()?;
    let state = request.query("state").map(str::parse).transpose();
    let filter = RequestFilter {
        accreditor: request.query("accreditor").map(str::to_owned),
        requester: request.query("requester").map(str::to_owned),
        state: state
            .map_err(|error: RequestStateError| Problem::invalid("?state", error.to_string()))?,
        after: request.query_as("cursor", "a cursor from a Link header")?,
    };
    let actor = request.change()?.actor;
    let as_of = edge.registry.now();
    let page = edge.registry.requests(actor, &filter, limit)?;
    let urls = edge.registry.urls();
    let items: Vec<Value> = page
        .requests
        .iter()
        .map(|view| members(&urls, view))
        .collect();
    let answer = json!({ "requests": items, "asOf": as_of.to_string() });
    let reply = Reply::json(200, &answer);
    Ok(match page.next {
        Some(next) => reply.header("Link", next_page(&urls, request, &next.to_string())),
        None => reply,
    })
}

pub(super) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let id: RequestId = request.param("request")?;
    let view = edge.registry.request(request.change()?.actor, id)?;
    Ok(document(&edge.registry.urls(), 200, &view))
}

pub(super) fn approve(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let id: RequestId = request.param("request")?;
    let body: ApproveBody = match request.body.is_empty() {
        true => ApproveBody::default(),
        false => request.json()?,
    };
    let approval = Approval {
        name: body.name,
        comment: body.endorsement_comment,
        valid_from: moment(body.valid_from.as_deref(), "/validFrom")?,
        valid_until: moment(body.valid_until.as_deref(), "/validUntil")?,
        awarded_date: moment(body.awarded_date.as_deref(), "/awardedDate")?,
        suspendable: body.suspendable,
        securing: securing(body.securing.as_deref(), "/securing")?,
        scope: parse_scope(body.scope.as_ref())?,
    };
    let (change, expected) = (request.change()?, request.if_match()?);
    let approved = edge
        .registry
        .approve(&change, id, &approval, expected.as_ref())?;
    let mut answer = members(&edge.registry.urls(), &approved.request);
    answer["verifiableCredential"] = approved.endorsement.credential.secured().into_value();
    let view = approved.request;
    Ok(Reply::json(200, &answer).version(&view.etag, view.changed_at))
}

pub(super) fn decline(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let DeclineBody { reason } = request.json()?;
    step(edge, request, &NewStep::Decline { reason })
}

pub(super) fn ask(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let AskBody { question } = request.json()?;
    step(edge, request, &NewStep::Ask { question })
}

pub(super) fn answer(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let AnswerBody { answer, evidence } = request.json()?;
    let evidence = evidence.unwrap_or_default();
    step(edge, request, &NewStep::Answer { answer, evidence })
}

pub(super) fn withdraw(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let WithdrawBody { reason } = match request.body.is_empty() {
        true => WithdrawBody::default(),
        false => request.json()?,
    };
    step(edge, request, &NewStep::Withdraw { reason })
}

fn step(edge: &Edge, request: &Request, step: &NewStep) -> Result<Reply, Problem> {
    let id: RequestId = request.param("request")?;
    let (change, expected) = (request.change()?, request.if_match()?);
    let view = edge.registry.step(&change, id, step, expected.as_ref())?;
    Ok(document(&edge.registry.urls(), 200, &view))
}

pub(super) fn tasks(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let slug: Slug = request.param("profile")?;
    let limit = request.limit()?;
    let after = request.query_as("cursor", "a cursor from a Link header")?;
    let actor = request.change()?.actor;
    let page = edge.registry.tasks(actor, &slug, after, limit)?;
    let urls = edge.registry.urls();
    let items: Vec<Value> = page
        .tasks
        .iter()
        .map(|task| task_members(&urls, task))
        .collect();
    let answer = json!({ "tasks": items, "asOf": page.as_of.to_string() });
    let reply = Reply::json(200, &answer);
    Ok(match page.next {
        Some(next) => reply.header("Link", next_page(&urls, request, &next.to_string())),
        None => reply,
    })
}

fn document(urls: &Urls<'_>, status: u16, view: &RequestView) -> Reply {
    Reply::json(status, &members(urls, view)).version(&view.etag, view.changed_at)
}

/// A request as every answer shows it.
fn members(urls: &Urls<'_>, view: &RequestView) -> Value {
    let mut subject = json!({ "id": view.subject, "kind": view.kind });
    if let Some(digest) = &view.digest {
        subject["digestMultibase"] = digest.clone().into();
    }
    let mut members = Map::new();
    members.insert("id".into(), urls.request(view.id).into());
    members.insert("state".into(), json!(view.state));
    members.insert("requester".into(), view.requester.clone().into());
    members.insert("accreditor".into(), view.accreditor.clone().into());
    members.insert("subject".into(), subject);
    let links = |links: &[String]| (!links.is_empty()).then(|| json!(links));
    let optional = [
        ("name", view.name.clone().map(Value::from)),
        ("comment", view.comment.clone().map(Value::from)),
        ("evidence", links(&view.evidence)),
        ("scope", view.scope.as_ref().map(Scope::to_value)),
        ("validFrom", view.valid_from.map(|at| at.to_string().into())),
        (
            "validUntil",
            view.valid_until.map(|at| at.to_string().into()),
        ),
        ("renews", view.renews.map(|id| urls.endorsement(id).into())),
    ];
    members.extend(
        optional
            .into_iter()
            .filter_map(|(name, value)| Some((name.into(), value?))),
    );
    let steps: Vec<Value> = view.steps.iter().map(step_members).collect();
    members.insert("steps".into(), steps.into());
    if let Some(id) = view.endorsement {
        members.insert("endorsement".into(), urls.endorsement(id).into());
    }
    members.insert("createdAt".into(), view.created_at.to_string().into());
    members.insert("changedAt".into(), view.changed_at.to_string().into());
    Value::Object(members)
}

fn step_members(step: &StepView) -> Value {
    let mut members = json!({ "step": step.step.as_str(), "at": step.at.to_string() });
    let said = match step.step {
        RequestStep::Asked => "question",
        RequestStep::Answered => "answer",
        RequestStep::Approved | RequestStep::Declined | RequestStep::Withdrawn => "reason",
    };
    if let Some(words) = &step.words {
        members[said] = words.clone().into();
    }
    if !step.evidence.is_empty() {
        members["evidence"] = json!(step.evidence);
    }
    members
}

fn task_members(urls: &Urls<'_>, task: &Task) -> Value {
    let of_request = |kind: &str, side: &str, waiting: &WaitingRequest| {
        json!({
            "kind": kind,
            "request": urls.request(waiting.request),
            "subject": waiting.subject,
            side: waiting.other,
            "since": waiting.since.to_string(),
        })
    };
    match task {
        Task::Request(waiting) => of_request("request", "requester", waiting),
        Task::Answered(waiting) => of_request("answered", "requester", waiting),
        Task::Asked(waiting) => of_request("asked", "accreditor", waiting),
        Task::StaleDigest {
            endorsement,
            subject,
            bound,
            present,
            since,
        } => json!({
            "kind": "stale-digest",
            "endorsement": urls.endorsement(*endorsement),
            "subject": subject,
            "digestMultibase": bound,
            "presentDigestMultibase": present,
            "since": since.to_string(),
        }),
        Task::ExpiresSoon {
            endorsement,
            subject,
            until,
        } => json!({
            "kind": "expires-soon",
            "endorsement": urls.endorsement(*endorsement),
            "subject": subject,
            "until": until.to_string(),
        }),
    }
}
