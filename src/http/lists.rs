//! Status lists: opening, allocation, updates, and the signed list.

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::accept::negotiate;
use super::bulk;
use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::bitstring::ListLength;
use crate::ids::ListId;
use crate::registry::{
    AlsoPublished, ListForm, ListStatuses, NewList, StatusTarget, StatusUpdate, Updated,
};
use crate::status::{PurposeError, StatusPurpose};
use crate::time::Ttl;

/// A list to be opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NewListBody {
    /// The issuer: slug or id of a profile here.
    issuer: String,
    /// `revocation`, `suspension` or `refresh`.
    status_purpose: String,
    /// Entries: a multiple of 8 from 131,072 (the default) to 67,108,864.
    length: Option<u64>,
    /// Milliseconds for which a copy of the list may be used.
    ttl: Option<u64>,
    /// URL or id of another list of the issuer, over whose indexes this one is to lie.
    paired_with: Option<String>,
    /// Bits an entry; this version makes lists of 1.
    status_size: Option<u64>,
    /// Formats to publish; this version publishes `bitstring`.
    formats: Option<Vec<String>>,
}

/// Entries to be allocated: a count, or the credentials that are to carry them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct EntriesBody {
    /// How many, 1 to 100,000.
    count: Option<u64>,
    /// Ids of credentials, 1 to 100,000; statuses can then be changed by these ids.
    credential_ids: Option<Vec<String>>,
}

/// Changes of status.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdatesBody {
    /// The changes, in order.
    updates: Vec<UpdateItem>,
    /// Why; kept with the change in the audit trail.
    reason: Option<String>,
}

/// One change of status.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct UpdateItem {
    /// The entry by its index.
    pub(super) index: Option<u64>,
    /// The entry by the credential that carries it.
    pub(super) credential_id: Option<String>,
    /// The new status: 1 sets, 0 clears.
    pub(super) status: u64,
}

/// At most this many characters of free text.
const LONGEST_REASON: usize = 2_000;

pub(super) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let list: ListId = request.param("list")?;
    if let Some(timestamp) = request.query("timestamp") {
        // The present list would be a wrong answer about the past.
        let detail = format!("the state of the list at {timestamp} is not held");
        let problem = Problem::new(404, "", "That moment is not held", detail);
        let kind = "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR";
        return Err(problem.of_standard(kind));
    }
    const JWT: &str = "application/vc+jwt";
    let offers = [
        "application/vc",
        "application/ld+json",
        "application/json",
        JWT,
    ];
    let accept = request.accept();
    let media_type = negotiate(accept.as_deref(), &offers)?;
    let form = match media_type {
        JWT => ListForm::BitstringJwt,
        _ => ListForm::Bitstring,
    };
    let published = edge.registry.published_list(list, form)?;
    let fresh = edge.cache.status_list.min(published.ttl);
    Ok(Reply::bytes(200, media_type, published.body.clone())
        .version(&published.etag, published.published_at)
        .header("Vary", "Accept")
        .fresh_for(fresh))
}

pub(super) fn create(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let body: NewListBody = request.json()?;
    if body.status_size.is_some_and(|size| size != 1) {
        return Err(Problem::invalid(
            "/statusSize",
            "this version makes lists of 1 bit an entry",
        ));
    }
    if body
        .formats
        .is_some_and(|formats| formats.iter().any(|format| format != "bitstring"))
    {
        return Err(Problem::invalid(
            "/formats",
            "this version publishes the format bitstring",
        ));
    }
    let purpose: StatusPurpose = body
        .status_purpose
        .parse()
        .map_err(|error: PurposeError| Problem::invalid("/statusPurpose", error.to_string()))?;
    if !matches!(
        purpose,
        StatusPurpose::Revocation | StatusPurpose::Suspension | StatusPurpose::Refresh
    ) {
        let detail = "this version makes lists for revocation, suspension and refresh";
        return Err(Problem::invalid("/statusPurpose", detail));
    }
    let paired_with = match &body.paired_with {
        Some(name) => Some(list_named(edge, name, "/pairedWith")?),
        None => None,
    };
    let length = body.length.map_or(Ok(ListLength::MINIMUM), ListLength::new);
    let new = NewList {
        issuer: edge.registry.profile_named(&body.issuer, "/issuer")?.id,
        purpose,
        length: length.map_err(|error| Problem::invalid("/length", error.to_string()))?,
        ttl: ttl(body.ttl)?,
        paired_with,
        statuses: ListStatuses::default(),
        also: AlsoPublished::default(),
    };
    let view = edge.registry.create_list(&request.change()?, &new)?;
    let url = edge.registry.urls().list(view.id);
    let answer = json!({ "id": url, "verifiableCredential": view.credential });
    Ok(Reply::json(201, &answer).header("Location", url))
}

/// A `ttl` within reason.
pub(super) fn ttl(millis: Option<u64>) -> Result<Option<Ttl>, Problem> {
    const LONGEST: u64 = 365 * 24 * 3_600_000;
    match millis {
        Some(millis) if !(1_000..=LONGEST).contains(&millis) => Err(Problem::invalid(
            "/ttl",
            "milliseconds, from 1,000 to a year, are needed",
        )),
        millis => Ok(millis.map(Ttl::from_millis)),
    }
}

/// A list by its URL here or its id.
pub(super) fn list_named(edge: &Edge, name: &str, pointer: &str) -> Result<ListId, Problem> {
    let parsed = edge
        .registry
        .urls()
        .parse_list(name)
        .or_else(|| name.parse().ok());
    parsed.ok_or_else(|| Problem::invalid(pointer, format!("{name:?} is not a status list here")))
}

pub(super) fn allocate(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let list: ListId = request.param("list")?;
    let body: EntriesBody = request.json()?;
    let change = request.change()?;
    let allocated = match (body.count, body.credential_ids) {
        (Some(count), None) => edge.registry.allocate(&change, list, count)?,
        (None, Some(ids)) => edge.registry.allocate_for(&change, list, &ids)?,
        _ => {
            return Err(Problem::invalid(
                "",
                "either count or credentialIds is needed",
            ));
        }
    };
    let entries = allocated.entries(&edge.registry);
    let body = format!("{{\"entries\":{entries}}}");
    Ok(Reply::bytes(200, "application/json", body))
}

pub(super) fn update(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let list: ListId = request.param("list")?;
    if bulk::is_table(request) {
        return bulk::update(edge, request, list);
    }
    let UpdatesBody { updates, reason } = request.json()?;
    if let Some((name, _)) = request.query.first() {
        let detail = "a JSON body gives the reason as its member; only lines need parameters";
        return Err(Problem::invalid(&format!("?{name}"), detail));
    }
    check_reason(reason.as_deref())?;
    let updates: Result<Vec<StatusUpdate>, Problem> = updates
        .iter()
        .enumerate()
        .map(|(n, item)| {
            item.parse()
                .map_err(|detail| Problem::invalid(&format!("/updates/{n}"), detail))
        })
        .collect();
    let updated = edge
        .registry
        .update_statuses(&request.change()?, list, updates?, reason)?;
    Ok(updated_reply(&updated))
}

/// What every change of statuses is answered with.
pub(super) fn updated_reply(updated: &Updated) -> Reply {
    let Updated {
        revision,
        applied,
        refused,
        ..
    } = updated;
    Reply::json(
        200,
        &json!({ "revision": revision, "applied": applied, "refused": refused }),
    )
}

impl UpdateItem {
    /// What it asks for, or what is missing.
    pub(super) fn parse(&self) -> Result<StatusUpdate, &'static str> {
        let target = match (self.index, &self.credential_id) {
            (Some(index), None) => StatusTarget::Index(index),
            (None, Some(id)) => StatusTarget::Credential(id.clone()),
            _ => return Err("either index or credentialId is needed"),
        };
        let status = self.status;
        Ok(StatusUpdate { target, status })
    }
}

/// Free text is bounded.
pub(super) fn check_reason(reason: Option<&str>) -> Result<(), Problem> {
    match reason {
        Some(reason) if reason.chars().count() > LONGEST_REASON => {
            let detail = format!("at most {LONGEST_REASON} characters are taken");
            Err(Problem::invalid("/reason", detail))
        }
        _ => Ok(()),
    }
}

/// The signed credential of a view, for answers that carry it.
pub(super) fn with_credential(credential: Value) -> Value {
    json!({ "verifiableCredential": credential })
}
