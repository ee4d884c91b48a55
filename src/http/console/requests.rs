//! Requests for endorsements: the queue of an accreditor, and what is said and done about each.

use serde_json::Value;

use super::overview::choices;
use super::wanted::{Wanted, fields, trouble};
use super::{Sent, Visit};
use crate::access::Action;
use crate::badges::Scope;
use crate::http::edge::Edge;
use crate::http::pages::subject_link;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::ids::RequestId;
use crate::registry::{
    Approval, Expected, NewStep, RequestFilter, RequestSide, RequestState, RequestView,
};
use crate::web::console::{
    Done, EndorsementFields, PreviewPage, RequestLine, RequestPage, RequestsPage, Room, StepLine,
    Trouble,
};
use crate::web::{Link, Moment};

/// So many stand on a page.
const MOST_LINES: usize = 25;

/// The requests that whoever is signed in is a side of.
pub(in crate::http) fn list(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let profiles = visit.profiles()?;
    let profile = visit.profile(&profiles)?;
    let state = request.query("state").filter(|state| !state.is_empty());
    let state: Option<RequestState> = state.and_then(|state| state.parse().ok());
    let filter = RequestFilter {
        accreditor: profile
            .as_ref()
            .filter(|_| visit.actor().speaks_as().is_none())
            .map(|profile| profile.slug.to_string()),
        requester: None,
        state,
        after: request.query_as("cursor", "a cursor from a page")?,
    };
    let page = edge.registry.requests(visit.actor(), &filter, MOST_LINES)?;
    let lines = page.requests.iter().map(|view| line(&visit, view));
    let query = |cursor: RequestId| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in &request.query {
            if !matches!(name.as_str(), "cursor" | "done") {
                query.append_pair(name, value);
            }
        }
        query.append_pair("cursor", &cursor.to_string());
        format!("/console/requests?{}", query.finish())
    };
    let page = RequestsPage {
        frame: visit.frame(Room::Requests),
        profiles: choices(visit.language, &profiles, profile.as_ref()),
        state: state.map(RequestState::as_str),
        lines: lines.collect::<Result<_, Problem>>()?,
        next: page.next.map(query),
    };
    Ok(visit.page(200, page.html()))
}

fn line(visit: &Visit<'_>, view: &RequestView) -> Result<RequestLine, Problem> {
    let own = visit.own_id()?;
    let asked = own.as_deref() != Some(&view.requester);
    let other = if asked {
        &view.requester
    } else {
        &view.accreditor
    };
    Ok(RequestLine {
        page: Link::here(
            &path(view.id, ""),
            visit.language.console(state_key(view.state)),
        ),
        other: subject_link(visit.edge, visit.language, other)?,
        is_to_us: asked,
        subject: subject_link(visit.edge, visit.language, &view.subject)?,
        changed_at: Moment(view.changed_at),
    })
}

/// A request with what was said about it, and the steps that can be taken.
pub(in crate::http) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let view = edge
        .registry
        .request(visit.actor(), request.param("request")?)?;
    let empty = (asked_for(&view), String::new());
    page(&visit, &view, 200, empty, None)
}

/// Shows the endorsement as it would be signed, or the form again.
pub(in crate::http) fn preview(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let sent = Sent::of(edge, request)?;
    if sent.given("back").is_some() {
        return again(&sent, 200, None);
    }
    let id: RequestId = request.param("request")?;
    let approval = match approval(&sent) {
        Ok(approval) => approval,
        Err(trouble) => return again(&sent, 400, Some(trouble)),
    };
    let expected = Expected::parse(sent.field("version"));
    let change = sent.change()?;
    let unsigned = edge
        .registry
        .approval_preview(&change, id, &approval, expected.as_ref());
    let unsigned = match unsigned {
        Ok(unsigned) => unsigned,
        Err(error) => return refused(&sent, error.into()),
    };
    let mut carried = carried(&sent);
    carried.push(("version".into(), sent.field("version").to_owned()));
    let visit = &sent.visit;
    let page = PreviewPage {
        frame: visit.frame(Room::Requests),
        confirm: path(id, "/approve"),
        back: path(id, "/preview"),
        carried,
        members: members(visit, &unsigned)?,
        document: pretty(&unsigned),
        keys: visit.keys(),
    };
    Ok(visit.page(200, page.html()))
}

/// Issues what was shown.
pub(in crate::http) fn approve(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let sent = Sent::of(edge, request)?;
    let id: RequestId = request.param("request")?;
    let approval = match approval(&sent) {
        Ok(approval) => approval,
        Err(trouble) => return again(&sent, 400, Some(trouble)),
    };
    let expected = Expected::parse(sent.field("version"));
    let change = sent.change()?;
    match edge
        .registry
        .approve(&change, id, &approval, expected.as_ref())
    {
        Ok(approved) => {
            let place = format!("/console/endorsements/{}", approved.endorsement.id);
            Ok(sent.done(&place, Done::Endorsed))
        }
        Err(error) => refused(&sent, error.into()),
    }
}

pub(in crate::http) fn decline(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    step(edge, request, Done::Declined, |sent| NewStep::Decline {
        reason: sent.field("reason").to_owned(),
    })
}

pub(in crate::http) fn ask(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    step(edge, request, Done::Asked, |sent| NewStep::Ask {
        question: sent.field("question").to_owned(),
    })
}

pub(in crate::http) fn answer(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    step(edge, request, Done::Answered, |sent| NewStep::Answer {
        answer: sent.field("answer").to_owned(),
        evidence: sent
            .field("evidence")
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
    })
}

pub(in crate::http) fn withdraw(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    step(edge, request, Done::Withdrawn, |sent| NewStep::Withdraw {
        reason: sent.given("reason").map(str::to_owned),
    })
}

/// Takes a step in a request as it was seen. Of those who send the same form twice, or decide at the same time,
/// one does it.
fn step(
    edge: &Edge,
    request: &Request,
    done: Done,
    of: impl Fn(&Sent<'_>) -> NewStep,
) -> Result<Reply, Problem> {
    let sent = Sent::of(edge, request)?;
    let id: RequestId = request.param("request")?;
    let expected = Expected::parse(sent.field("version"));
    let change = sent.change()?;
    match edge
        .registry
        .step(&change, id, &of(&sent), expected.as_ref())
    {
        Ok(_) => Ok(sent.done(&path(id, ""), done)),
        Err(error) => refused(&sent, error.into()),
    }
}

/// The page of a request once more, with why nothing was done.
fn refused(sent: &Sent<'_>, problem: Problem) -> Result<Reply, Problem> {
    let (status, trouble) = trouble(sent.visit.language, problem)?;
    again(sent, status, Some(trouble))
}

/// The page of a request once more, with what was filled in.
fn again(sent: &Sent<'_>, status: u16, trouble: Option<Trouble>) -> Result<Reply, Problem> {
    let visit = &sent.visit;
    let id: RequestId = visit.request.param("request")?;
    let view = visit.edge.registry.request(visit.actor(), id)?;
    // A form without these fields says nothing of them.
    let filled = match sent.has("name") {
        true => fields(sent),
        false => asked_for(&view),
    };
    let said = ["question", "reason", "answer"].map(|name| sent.field(name));
    page(visit, &view, status, (filled, said.concat()), trouble)
}

/// What the endorsement is to be, as the request has it.
fn asked_for(view: &RequestView) -> EndorsementFields {
    EndorsementFields {
        name: view.name.clone().unwrap_or_default(),
        comment: String::new(),
        valid_from: view.valid_from.map(date).unwrap_or_default(),
        valid_until: view.valid_until.map(date).unwrap_or_default(),
        suspendable: false,
    }
}

fn page(
    visit: &Visit<'_>,
    view: &RequestView,
    status: u16,
    (fields, said): (EndorsementFields, String),
    trouble: Option<Trouble>,
) -> Result<Reply, Problem> {
    let edge = visit.edge;
    let side = side(visit, view)?;
    let may = visit.can(Action::WriteEndorsements) && view.state.is_open();
    let link = |address: &String| Link::outside(address, address);
    let steps = view.steps.iter().map(|step| StepLine {
        key: match step.step.as_str() {
            "approved" => "step.approved",
            "declined" => "step.declined",
            "asked" => "step.asked",
            "answered" => "step.answered",
            _ => "step.withdrawn",
        },
        at: Moment(step.at),
        words: step.words.clone(),
        evidence: step.evidence.iter().map(link).collect(),
    });
    let page = RequestPage {
        frame: visit.frame(Room::Requests),
        path: path(view.id, ""),
        state: state_key(view.state),
        requester: subject_link(edge, visit.language, &view.requester)?,
        accreditor: subject_link(edge, visit.language, &view.accreditor)?,
        subject: subject_link(edge, visit.language, &view.subject)?,
        kind: kind_key(view.kind.as_str()),
        name: view.name.clone(),
        comment: view.comment.clone(),
        evidence: view.evidence.iter().map(link).collect(),
        covers: view.scope.as_ref().map(Scope::words).unwrap_or_default(),
        valid_from: view.valid_from.map(Moment),
        valid_until: view.valid_until.map(Moment),
        renews: view.renews.map(|id| {
            let path = format!("/console/endorsements/{id}");
            Link::here(&path, visit.language.console("request.renewed"))
        }),
        created_at: Moment(view.created_at),
        steps: steps.collect(),
        endorsement: view
            .endorsement
            .map(|id| format!("/console/endorsements/{id}")),
        decides: may && side != Some(RequestSide::Requester),
        asks: may && view.state == RequestState::Requested,
        answers: may && side != Some(RequestSide::Accreditor) && view.state == RequestState::Asked,
        withdraws: may && side == Some(RequestSide::Requester),
        version: view.etag.clone(),
        fields,
        said,
        keys: visit.keys(),
        trouble,
    };
    Ok(visit.page(status, page.html()))
}

/// Which side whoever is signed in is; none for who acts for the registry.
fn side(visit: &Visit<'_>, view: &RequestView) -> Result<Option<RequestSide>, Problem> {
    Ok(visit.own_id()?.map(|own| match own == view.requester {
        true => RequestSide::Requester,
        false => RequestSide::Accreditor,
    }))
}

impl Visit<'_> {
    /// `issuer.id` of the one profile for which the visitor acts.
    pub(super) fn own_id(&self) -> Result<Option<String>, Problem> {
        let registry = &self.edge.registry;
        let own = self.actor().speaks_as();
        let own = own.map(|own| registry.profile_numbered(own)).transpose()?;
        Ok(own.map(|own| own.issuer_id))
    }
}

fn approval(sent: &Sent<'_>) -> Result<Approval, Trouble> {
    let wanted = Wanted::read(sent)?;
    Ok(Approval {
        name: wanted.name,
        comment: wanted.comment,
        valid_from: wanted.valid_from,
        valid_until: wanted.valid_until,
        suspendable: wanted.suspendable,
        ..Approval::default()
    })
}

/// The fields of an endorsement, to be sent again as they are.
pub(super) fn carried(sent: &Sent<'_>) -> Vec<(String, String)> {
    let names = [
        "name",
        "comment",
        "valid_from",
        "valid_until",
        "suspendable",
    ];
    let pairs = names.map(|name| (name.to_owned(), sent.field(name).to_owned()));
    pairs
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

/// What an endorsement says, for people: the key of each word, and its value.
pub(super) fn members(
    visit: &Visit<'_>,
    unsigned: &Value,
) -> Result<Vec<(&'static str, Link)>, Problem> {
    let text = |pointer: &str| unsigned.pointer(pointer).and_then(Value::as_str);
    let mut members = Vec::new();
    for (key, pointer) in [
        ("endorsement.endorser", "/issuer/id"),
        ("endorsement.subject", "/credentialSubject/id"),
    ] {
        if let Some(id) = text(pointer) {
            members.push((key, subject_link(visit.edge, visit.language, id)?));
        }
    }
    for (key, pointer) in [
        ("endorsement.name", "/name"),
        (
            "endorsement.comment",
            "/credentialSubject/endorsementComment",
        ),
        ("endorsement.valid-from", "/validFrom"),
        ("endorsement.valid-until", "/validUntil"),
        ("endorsement.digest", "/relatedResource/0/digestMultibase"),
    ] {
        if let Some(text) = text(pointer) {
            let words = text.parse().map(|at| visit.language.moment(at));
            members.push((key, Link::here("", words.as_deref().unwrap_or(text))));
        }
    }
    let scope = unsigned.pointer("/credentialSubject/endorsementScope");
    if let Some(scope) = scope.and_then(|scope| Scope::parse(scope).ok()) {
        for words in scope.words() {
            members.push(("endorsement.covers", Link::here("", &words)));
        }
    }
    Ok(members)
}

/// A document as it is read by people who read such.
pub(super) fn pretty(document: &Value) -> String {
    serde_json::to_string_pretty(document).expect("JSON has string keys only")
}

/// A moment as a field of a form takes it: the day.
pub(super) fn date(at: crate::time::Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

fn path(id: RequestId, step: &str) -> String {
    format!("/console/requests/{id}{step}")
}

pub(super) fn kind_key(kind: &str) -> &'static str {
    match kind {
        "profile" => "kind.profile",
        "achievement" => "kind.achievement",
        _ => "kind.credential",
    }
}

const fn state_key(state: RequestState) -> &'static str {
    match state {
        RequestState::Requested => "state.requested",
        RequestState::Asked => "state.asked",
        RequestState::Approved => "state.approved",
        RequestState::Declined => "state.declined",
        RequestState::Withdrawn => "state.withdrawn",
    }
}
