//! Which lists are published, for whoever keeps copies of them where others read.

use serde_json::{Value, json};

use super::edge::Edge;
use super::endorsements::next_page;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::ids::ListId;
use crate::registry::{ListForm, ListPublished, PublishedList, Urls, WhichLists};

/// The published lists of whom the caller speaks for, or of all, in each of their forms.
pub(super) fn list(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let actor = request.change()?.actor;
    let limit = request.limit()?;
    let one = request.query_as::<ListId>("list", "the id of a status list")?;
    let after = request.query_as::<ListId>("cursor", "a cursor from a Link header")?;
    let which = one.map_or(WhichLists::Page(after, limit), WhichLists::One);
    let page = edge.registry.lists_published(actor.speaks_as(), which)?;
    let urls = edge.registry.urls();
    let lists: Vec<Value> = page.lists.iter().map(|list| members(&urls, list)).collect();
    let answer = json!({
        "lists": lists,
        "event": page.event,
        "registry": urls.origin(),
        "asOf": edge.registry.now().to_string(),
    });
    let reply = Reply::json(200, &answer).header("Cache-Control", "private, no-store");
    Ok(match page.next {
        Some(last) => reply.header("Link", next_page(&urls, request, &last.to_string())),
        None => reply,
    })
}

fn members(urls: &Urls<'_>, published: &ListPublished) -> Value {
    let forms = published.forms.iter();
    let forms = forms.map(|(form, list)| form_members(urls, published.list, *form, list));
    json!({
        "list": urls.list(published.list),
        "profile": published.profile,
        "forms": forms.collect::<Vec<_>>(),
    })
}

/// What tells one publication from another: `generation` grows with each, and `published` where clocks
/// are right.
fn form_members(urls: &Urls<'_>, id: ListId, form: ListForm, list: &PublishedList) -> Value {
    let mut told = json!({
        "url": urls.list_as(id, form),
        "mediaType": media_type(form),
        "etag": String::from_utf8_lossy(&list.etag),
        "revision": list.revision,
        "generation": list.generation,
        "published": list.published_at.to_string(),
    });
    if let Some(until) = list.valid_until {
        told["validUntil"] = until.to_string().into();
    }
    told
}

const fn media_type(form: ListForm) -> &'static str {
    match form {
        ListForm::Bitstring | ListForm::Status2021 => "application/vc",
        ListForm::BitstringJwt => "application/vc+jwt",
        ListForm::TokenJwt => "application/statuslist+jwt",
        ListForm::TokenCwt => "application/statuslist+cwt",
    }
}
