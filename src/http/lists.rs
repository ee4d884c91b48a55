//! Status lists: opening, allocation, updates, and the signed list.

use std::error::Error;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use utoipa::ToSchema;

use super::accept::{Codings, negotiate};
use super::edge::Edge;
use super::hot::{VARIES, form_of, fresh, left_at, shown};
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::routes::{Answering, LIST, LIST_2021, Permit, TOKEN_LIST};
use crate::bitstring::{ListLength, StatusSize};
use crate::ids::ListId;
use crate::registry::{
    AlsoPublished, Change, EntriesWanted, ListForm, ListThen, NewList, StatusUnknown, ToldTo,
    WithheldFrom,
};
use crate::status::{
    ERROR_RETRIEVAL, EntryMembers, ListMessages, PurposeError, StatusPurpose, StatusReferences,
};
use crate::time::{Timestamp, Ttl};
use crate::vc::securing::Securing;

/// A list to be opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NewListBody {
    /// The issuer: slug or id of a profile here.
    issuer: String,
    /// `revocation`, `suspension`, `refresh`, `message`, or a purpose of one's own.
    status_purpose: String,
    /// Entries: a multiple of 8 from 131,072 (the default) to 67,108,864.
    length: Option<u64>,
    /// Milliseconds for which a copy of the list may be used.
    ttl: Option<u64>,
    /// URL or id of another list of the issuer, over whose indexes this one is to lie.
    paired_with: Option<String>,
    /// Bits an entry: 1 (the default), 2, 4 or 8.
    status_size: Option<u64>,
    /// What each status means, one object for each: needed for more than one bit and for the
    /// purpose `message`. Every entry carries them.
    #[schema(value_type = Option<Vec<MessageBody>>)]
    status_message: Option<Value>,
    /// Where more is told about the statuses: an https URL, or up to 8 of them.
    #[schema(value_type = Option<Vec<String>>)]
    status_reference: Option<Value>,
    /// What it is published as: `bitstring` (always), `token` for a Token Status List of all lists
    /// over these indexes, `2021` for a StatusList2021.
    formats: Option<Vec<String>>,
    /// The proofs of the credential: `eddsa-rdfc-2022` (always), `eddsa-jcs-2022` for a second one.
    cryptosuites: Option<Vec<String>>,
}

/// What a status means.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the member, which the status room reads"
)]
pub(super) struct MessageBody {
    /// The status in hexadecimal, such as `0x0`.
    status: String,
    /// What it means.
    message: String,
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

/// At most this many characters of free text.
const LONGEST_REASON: usize = 2_000;

pub(super) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let list: ListId = request.param("list")?;
    let media_type = negotiate(request.accept().as_deref(), LIST)?;
    let place = (list, form_of(LIST, media_type));
    match timestamp(edge, request)? {
        Some(at) => as_it_was(edge, request, place, at, media_type),
        None => served(edge, request, place, media_type),
    }
}

/// The list as a StatusList2021Credential.
pub(super) fn show_2021(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let media_type = negotiate(request.accept().as_deref(), LIST_2021)?;
    let place = (request.param("list")?, form_of(LIST_2021, media_type));
    match timestamp(edge, request)? {
        Some(at) => as_it_was(edge, request, place, at, media_type),
        None => served(edge, request, place, media_type),
    }
}

/// The token list, as a JWT unless a CWT is preferred.
pub(super) fn show_token(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let media_type = negotiate(request.accept().as_deref(), TOKEN_LIST)?;
    let place = (request.param("list")?, form_of(TOKEN_LIST, media_type));
    match request.query_as::<i64>("time", "whole seconds since 1970")? {
        Some(seconds) => token_list_as_it_was(edge, request, place, seconds, media_type),
        None => served(edge, request, place, media_type),
    }
}

/// The moment for which a list is asked (Bitstring Status List 1.0, section 2.4).
fn timestamp(edge: &Edge, request: &Request) -> Result<Option<Timestamp>, Problem> {
    let need = "a time such as 2026-01-31T12:00:00Z, with + written as %2B";
    let at = request.query_as("timestamp", need)?;
    if let Some(at) = at {
        has_been(edge, at)?;
    }
    Ok(at)
}

/// What is to come is not held. A reader's clock may be a little ahead, so that this is no fault of
/// the question.
fn has_been(edge: &Edge, at: Timestamp) -> Result<(), Problem> {
    let now = edge.registry.now();
    if at <= now {
        return Ok(());
    }
    let detail = format!("{at} is in the future; now is {now}");
    let problem = Problem::new(404, "", "That moment is not held", detail);
    Err(problem.of_standard(ERROR_RETRIEVAL))
}

/// The newest signed list. `hot/artefacts.rs` gives the same answer where it is ready.
fn served(
    edge: &Edge,
    request: &Request,
    place: (ListId, ListForm),
    media_type: &str,
) -> Result<Reply, Problem> {
    let published = edge.registry.published_list(place.0, place.1)?;
    let allowed = Codings::of(&request.headers);
    let packed = match allowed.gzip {
        true => edge.registry.packed(place, &published),
        false => None,
    };
    let shown = shown(&published, packed, allowed).ok_or_else(Problem::no_acceptable_coding)?;
    let etag = String::from_utf8_lossy(shown.etag);
    let mut reply =
        Reply::bytes(200, media_type, shown.body.clone()).version(&etag, published.published_at);
    if let Some(coding) = shown.coding {
        reply = reply.header("Content-Encoding", coding);
    }
    let fresh = fresh(edge, &published, edge.registry.now());
    Ok(reply.header("Vary", VARIES).fresh_for(fresh))
}

/// A list as it was. What is over never changes; where not everybody may see it, nobody keeps it.
fn as_it_was(
    edge: &Edge,
    request: &Request,
    place: (ListId, ListForm),
    at: Timestamp,
    media_type: &str,
) -> Result<Reply, Problem> {
    let then = edge.registry.list_as_it_was(place, at, request.actor)??;
    Ok(shown_as_it_was(edge, then, media_type))
}

/// Token Status List, historical resolution: 501 where the past is not told at all, 404 where that
/// time of it is not held.
fn token_list_as_it_was(
    edge: &Edge,
    request: &Request,
    place: (ListId, ListForm),
    seconds: i64,
    media_type: &str,
) -> Result<Reply, Problem> {
    let at = Timestamp::from_millis(seconds.saturating_mul(1_000));
    has_been(edge, at)?;
    match edge.registry.list_as_it_was(place, at, request.actor)? {
        Ok(then) => Ok(shown_as_it_was(edge, then, media_type)),
        Err(unknown) => {
            let nobody = matches!(
                unknown,
                StatusUnknown::Withheld {
                    from: WithheldFrom::Everybody,
                    ..
                }
            );
            let problem = Problem::from(unknown);
            Err(match nobody {
                true => Problem::new(501, "no-history", "No history", problem.detail),
                false => problem,
            })
        }
    }
}

fn shown_as_it_was(edge: &Edge, then: ListThen, media_type: &str) -> Reply {
    let reply = Reply::bytes(200, media_type, then.body)
        .version(&then.etag, then.since)
        .header("Vary", "Accept");
    match (then.told, then.superseded) {
        (ToldTo::TheAsker, _) => reply.header("Cache-Control", "private, no-store"),
        (ToldTo::Everybody, Some(_)) => reply.fresh_for(edge.cache.past_list),
        (ToldTo::Everybody, None) => {
            let left = left_at(then.valid_until, edge.registry.now());
            reply.fresh_for(edge.cache.status_list.min(then.ttl).min(left))
        }
    }
}

/// Where an issuer's token lists are (Token Status List, section 9: aggregation).
pub(super) fn aggregate(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let issuer = request.query("issuer").unwrap_or_default();
    let issuer = edge.registry.profile_named(issuer, "?issuer")?.id;
    let urls = edge.registry.urls();
    let lists = edge.registry.token_lists(issuer)?;
    let lists: Vec<String> = lists
        .into_iter()
        .map(|list| urls.token_list(list))
        .collect();
    Ok(Reply::json(200, &json!({ "status_lists": lists })).fresh_for(edge.cache.status_list))
}

pub(super) fn create(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let body: NewListBody = request.json()?;
    let purpose: StatusPurpose = body
        .status_purpose
        .parse()
        .map_err(|error: PurposeError| Problem::invalid("/statusPurpose", error.to_string()))?;
    let paired_with = match &body.paired_with {
        Some(name) => Some(list_named(edge, name, "/pairedWith")?),
        None => None,
    };
    let size = status_size(body.status_size)?;
    let said = (body.status_message.as_ref(), body.status_reference.as_ref());
    let entry = entry_members(&purpose, size, said)?;
    let length = match body.length {
        None => ListLength::MINIMUM,
        Some(length) => ListLength::of_size(length, entry.size())
            .map_err(|error| Problem::invalid("/length", error.to_string()))?,
    };
    let new = NewList {
        issuer: edge.registry.profile_named(&body.issuer, "/issuer")?.id,
        also: also_published(body.formats.as_deref(), body.cryptosuites.as_deref())?,
        entry,
        purpose,
        length,
        ttl: ttl(body.ttl)?,
        paired_with,
    };
    let view = edge.registry.create_list(&request.change()?, &new)?;
    let url = edge.registry.urls().list(view.id);
    let mut answer = json!({ "id": url });
    match view.credential {
        Some(credential) => answer["verifiableCredential"] = credential,
        // Its owner signs it elsewhere.
        None => answer["toSign"] = format!("{url}/unsigned").into(),
    }
    Ok(Reply::json(201, &answer).header("Location", url))
}

/// How many bits an entry has.
pub(super) fn status_size(bits: Option<u64>) -> Result<StatusSize, Problem> {
    StatusSize::try_from(bits.unwrap_or(1))
        .map_err(|error| Problem::invalid("/statusSize", error.to_string()))
}

/// What the entries of a new list say besides their place: `statusMessage` and `statusReference`.
pub(super) fn entry_members(
    purpose: &StatusPurpose,
    size: StatusSize,
    (messages, references): (Option<&Value>, Option<&Value>),
) -> Result<EntryMembers, Problem> {
    let refused = |at: &str, error: &dyn Error| Problem::invalid(at, error.to_string());
    let at = "/statusMessage";
    let messages = messages.map(|messages| ListMessages::parse(messages, size, at));
    let messages = messages.transpose().map_err(|error| refused(at, &error))?;
    let at = "/statusReference";
    let references = references.map(|references| StatusReferences::parse(references, at));
    let references = references
        .transpose()
        .map_err(|error| refused(at, &error))?;
    EntryMembers::new(purpose, size, messages, references)
        .map_err(|error| refused("/statusMessage", &error))
}

/// What a new list is published as beside a credential with one proof.
pub(super) fn also_published(
    formats: Option<&[String]>,
    cryptosuites: Option<&[String]>,
) -> Result<AlsoPublished, Problem> {
    let mut also = AlsoPublished::default();
    for (place, format) in formats.into_iter().flatten().enumerate() {
        match format.as_str() {
            "bitstring" => {}
            "token" => also.token = true,
            "2021" => also.status_2021 = true,
            other => {
                let detail = format!("{other:?} is none of bitstring, token and 2021");
                return Err(Problem::invalid(&format!("/formats/{place}"), detail));
            }
        }
    }
    for (place, suite) in cryptosuites.into_iter().flatten().enumerate() {
        match suite.parse() {
            Ok(Securing::EddsaRdfc2022) => {}
            Ok(Securing::EddsaJcs2022) => also.jcs_proof = true,
            _ => {
                let detail = format!("{suite:?} is none of eddsa-rdfc-2022 and eddsa-jcs-2022");
                return Err(Problem::invalid(&format!("/cryptosuites/{place}"), detail));
            }
        }
    }
    Ok(also)
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
    given_out(edge, &change, list, body.wanted()?)
}

fn given_out(
    edge: &Edge,
    change: &Change,
    list: ListId,
    wanted: EntriesWanted<'_>,
) -> Result<Reply, Problem> {
    let allocated = edge.registry.allocate_entries(change, list, wanted)?;
    let answer = allocated.answer(&edge.registry)?;
    Ok(Reply::bytes(200, "application/json", answer))
}

impl EntriesBody {
    fn wanted(&self) -> Result<EntriesWanted<'_>, Problem> {
        match (self.count, &self.credential_ids) {
            (Some(count), None) => Ok(EntriesWanted::Count(count)),
            (None, Some(ids)) => Ok(EntriesWanted::Credentials(ids)),
            _ => Err(Problem::invalid(
                "",
                "either count or credentialIds is needed",
            )),
        }
    }
}

/// So few entries are given out without a thread that waits until they are durable.
const FEW_ENTRIES: u64 = 64;

/// A body that is read in the time that handing it to another thread takes.
const SHORT: usize = 16 << 10;

/// As [`allocate`], where few are asked for: a thread that may block decides, and sees to others while that
/// is on its way to the disk. `None`: it is to be answered by a thread that may block, as is what is wrong
/// with the request.
pub(super) fn allocate_in_line(
    edge: &Arc<Edge>,
    blocking: &Handle,
    request: &Request,
    permit: Permit,
) -> Option<Answering> {
    if request.body.len() > SHORT {
        return None;
    }
    let list: ListId = request.param("list").ok()?;
    let body: EntriesBody = request.json().ok()?;
    if body.wanted().ok()?.count() > FEW_ENTRIES {
        return None;
    }
    let change = request.change().ok()?;
    let (edge, blocking) = (edge.clone(), blocking.clone());
    let asked = Arc::new((change, list, body));
    Some(Box::pin(async move {
        let (hear, heard) = oneshot::channel();
        let asking = (edge.clone(), asked.clone(), permit.clone());
        blocking.spawn_blocking(move || {
            let (edge, asked, permit) = asking;
            let (change, list, body) = &*asked;
            let hear = move |settled| {
                // Kept until it is seen to, also where its caller has gone. Nobody hears it then.
                let _permit = permit;
                let _ = hear.send(settled);
            };
            let wanted = body.wanted().expect("looked at before");
            edge.registry.ask_to_allocate(change, *list, wanted, hear);
        });
        let settled = heard.await.map_err(|_| Problem::internal())?;
        if let Some(told) = settled.told(&edge.registry) {
            return Ok(Reply::bytes(200, "application/json", told?));
        }
        // Another change came first, one of another process maybe: from now on as often as it takes.
        let again = move || {
            let _permit = permit;
            let (change, list, body) = &*asked;
            given_out(&edge, change, *list, body.wanted()?)
        };
        let told = blocking.spawn_blocking(again).await;
        told.unwrap_or_else(|_| Err(Problem::internal()))
    }))
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
