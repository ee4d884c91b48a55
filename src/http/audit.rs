//! `GET /events`: the audit trail.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::accept::negotiate;
use super::edge::Edge;
use super::endorsements::next_page_by;
use super::feed::{COME_BACK_MS, last_read};
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::request_id::uuid;
use super::routes::TRAIL;
use crate::ids::{ClientId, PersonId, Seq, Slug};
use crate::registry::{AuditActor, AuditEvent, AuditPage, AuditParty, AuditReason};
use crate::store::event::Means;

const NDJSON: &str = TRAIL[1];
const EVENTS: &str = TRAIL[2];

/// What happened behind an event, in the order of the log: as JSON or as lines, page by page, or as
/// server-sent events, whose reader comes back for more by itself.
pub(super) fn list(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let media = negotiate(request.accept().as_deref(), TRAIL)?;
    let actor = request.change()?.actor;
    let of = request.query_as::<Slug>("profile", "the slug of a profile")?;
    let since = last_read(request)?.map_or(Seq(0), |(seq, _)| seq);
    let page = edge
        .registry
        .audit(actor, of.as_ref(), since, request.limit()?)?;
    let reply = match media {
        NDJSON => Reply::bytes(200, NDJSON, as_lines(&page)),
        EVENTS => Reply::bytes(200, EVENTS, as_feed(&page, since)),
        _ => {
            let events: Vec<Value> = page.events.iter().map(members).collect();
            Reply::json(200, &json!({ "events": events }))
        }
    };
    let reply = match page.next {
        Some(next) => {
            let urls = edge.registry.urls();
            reply.header(
                "Link",
                next_page_by("since", &urls, request, &next.to_string()),
            )
        }
        None => reply,
    };
    Ok(reply
        .header("Vary", "Accept")
        .header("Cache-Control", "private, no-store"))
}

fn as_lines(page: &AuditPage) -> String {
    let lines = page
        .events
        .iter()
        .map(|event| format!("{}\n", members(event)));
    lines.collect()
}

/// The feed ends with what there is; its reader comes back with the last id (WHATWG HTML, section
/// 9.2.3), so that no connection waits for what seldom happens.
fn as_feed(page: &AuditPage, since: Seq) -> String {
    let mut text = format!("retry: {COME_BACK_MS}\nid: {since}\n\n");
    for event in &page.events {
        let (seq, name, data) = (event.seq, event.name, members(event));
        text.push_str(&format!("id: {seq}\nevent: {name}\ndata: {data}\n\n"));
    }
    text
}

pub(super) fn members(event: &AuditEvent) -> Value {
    let mut members = Map::new();
    members.insert("id".into(), event.seq.0.into());
    members.insert("at".into(), event.at.to_string().into());
    members.insert("type".into(), event.name.into());
    if let Some(profile) = &event.profile {
        members.insert("profile".into(), profile.as_str().into());
    }
    members.insert("actor".into(), actor(&event.actor));
    if let Some(request) = event.request {
        members.insert("request".into(), uuid(request).into());
    }
    match &event.reason {
        AuditReason::None => {}
        AuditReason::Given(text) => drop(members.insert("reason".into(), text.as_str().into())),
        AuditReason::NotHere => drop(members.insert("reason".into(), Value::Null)),
    }
    members.insert("about".into(), event.about.clone().into());
    if let Some((digest, body)) = &event.link {
        members.insert("digest".into(), URL_SAFE_NO_PAD.encode(digest).into());
        members.insert("body".into(), URL_SAFE_NO_PAD.encode(body).into());
    }
    members.into()
}

fn actor(actor: &AuditActor) -> Value {
    let mut members = Map::new();
    match &actor.party {
        AuditParty::Registry => drop(members.insert("type".into(), "registry".into())),
        AuditParty::Development => drop(members.insert("type".into(), "development".into())),
        AuditParty::Anonymous => drop(members.insert("type".into(), "anonymous".into())),
        AuditParty::Profile(slug) => {
            members.insert("type".into(), "profile".into());
            members.insert("profile".into(), slug.as_str().into());
        }
    }
    let (name, id) = match actor.means {
        Means::None => return members.into(),
        Means::Token(id) => ("token", URL_SAFE_NO_PAD.encode(id)),
        Means::Client(id) => ("client", ClientId::from_bytes(id).to_string()),
        Means::Person(id) => ("person", PersonId::from_bytes(id).to_string()),
        Means::Outside(id) => ("outside", URL_SAFE_NO_PAD.encode(id)),
        Means::PersonBy { person, client } => {
            let client = ClientId::from_bytes(client).to_string();
            members.insert("client".into(), client.into());
            ("person", PersonId::from_bytes(person).to_string())
        }
    };
    members.insert(name.into(), id.into());
    members.into()
}
