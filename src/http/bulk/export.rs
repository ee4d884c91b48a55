//! `GET /status-lists/{list}/export`.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{CSV, NDJSON};
use crate::bitstring::encode;
use crate::csv;
use crate::http::accept::negotiate;
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::ids::ListId;
use crate::registry::{Actor, ExportPage, ExportedList, Exporting};

const JSON: &str = "application/json";

/// Entries of a page, unless another number is asked for, and at most.
const USUAL: usize = 10_000;
const MOST: usize = 100_000;

/// The entries of a list, line by line, or the list as a whole, as an import takes it back.
pub(in crate::http) fn export(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let list: ListId = request.param("list")?;
    let actor = request.change()?.actor;
    let media = media_type(request)?;
    let reply = match media {
        JSON => whole(edge, request, actor, list)?,
        _ => page(edge, request, (actor, list), media)?,
    };
    Ok(reply
        .header("Vary", "Accept")
        .header("Cache-Control", "private, no-store"))
}

fn media_type(request: &Request) -> Result<&'static str, Problem> {
    match request.query("format") {
        None => negotiate(request.accept().as_deref(), &[NDJSON, CSV, JSON]),
        Some("ndjson") => Ok(NDJSON),
        Some("csv") => Ok(CSV),
        Some("json") => Ok(JSON),
        Some(_) => Err(Problem::invalid("?format", "ndjson, csv or json is needed")),
    }
}

fn whole(edge: &Edge, request: &Request, actor: Actor, list: ListId) -> Result<Reply, Problem> {
    for name in ["all", "from", "limit"] {
        if request.query(name).is_some() {
            let detail = "JSON holds the list as a whole; pages are had as ndjson or csv";
            return Err(Problem::invalid(&format!("?{name}"), detail));
        }
    }
    let exported = edge.registry.export_list(actor, list)?;
    let members = members(&exported, edge.registry.urls().list(list));
    Ok(Reply::json(200, &Value::Object(members)).header(REVISION, exported.revision.0.to_string()))
}

/// The members that an import takes.
fn members(list: &ExportedList, url: String) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("issuer".into(), list.issuer.clone().into());
    members.insert("statusPurpose".into(), list.purpose.as_str().into());
    let size = list.statuses.size();
    members.insert("statusSize".into(), size.bits().into());
    members.extend(list.entry.to_map());
    members.insert("length".into(), list.statuses.entries().into());
    let encoded = encode(list.statuses.as_bytes());
    members.insert("encodedList".into(), encoded.into());
    if let Some(used) = &list.used {
        let used = json!({ "encodedList": encode(used.as_bytes()) });
        members.insert("usedIndexes".into(), used);
    }
    members.insert("source".into(), url.into());
    members
}

/// Names the list's revision that was read: pages of one export may be of several.
const REVISION: &str = "List-Revision";

fn page(
    edge: &Edge,
    request: &Request,
    (actor, list): (Actor, ListId),
    media: &str,
) -> Result<Reply, Problem> {
    let which = match request.query("all") {
        None => Exporting::Set,
        Some("given-out") => Exporting::GivenOut,
        Some(_) => {
            let detail = "given-out is needed: the clear entries are told as well then";
            return Err(Problem::invalid("?all", detail));
        }
    };
    let from = request.query_as("from", "an index")?.unwrap_or(0);
    let need = "a number from 1 to 100000";
    let limit = request.query_as("limit", need)?.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        let detail = format!("the parameter limit has to be {need}");
        return Err(Problem::invalid("?limit", detail));
    }
    let page = edge
        .registry
        .export_entries(actor, list, which, from, limit)?;
    let text = match media {
        CSV => as_csv(&page),
        _ => as_ndjson(&page),
    };
    let reply = Reply::bytes(200, media, text).header(REVISION, page.revision.0.to_string());
    Ok(match page.next {
        Some(next) => reply.header("Link", link(edge, request, next)),
        None => reply,
    })
}

fn as_csv(page: &ExportPage) -> String {
    let mut text = String::from("index,status,credentialId\r\n");
    for row in &page.rows {
        let id = row.credential.as_deref().unwrap_or_default();
        let id = csv::field(id);
        write!(text, "{},{},{id}\r\n", row.index, row.status).expect("a String takes all");
    }
    text
}

fn as_ndjson(page: &ExportPage) -> String {
    let mut text = String::new();
    for row in &page.rows {
        write!(text, "{{\"index\":{},\"status\":{}", row.index, row.status)
            .expect("a String takes all");
        if let Some(id) = &row.credential {
            text.push_str(",\"credentialId\":");
            text.push_str(&json!(id).to_string());
        }
        text.push_str("}\n");
    }
    text
}

/// The same question from another index on.
fn link(edge: &Edge, request: &Request, from: u64) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in request.query.iter().filter(|(name, _)| name != "from") {
        query.append_pair(name, value);
    }
    query.append_pair("from", &from.to_string());
    let urls = edge.registry.urls();
    let (origin, path) = (urls.origin(), &request.path);
    format!("<{origin}{path}?{}>; rel=\"next\"", query.finish())
}
