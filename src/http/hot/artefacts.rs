//! Signed lists that are kept ready, in each of their forms.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, LAST_MODIFIED, VARY};
use http::{HeaderMap, HeaderValue};

use super::{Answered, Head, Hot};
use crate::http::accept::{Codings, choose_in};
use crate::http::edge::Edge;
use crate::http::routes::{LIST, LIST_2021, TOKEN_LIST};
use crate::ids::ListId;
use crate::registry::{ListForm, Packed, PublishedList};
use crate::time::{Timestamp, Ttl};

/// What the answer with a list depends on.
pub(in crate::http) const VARIES: &str = "Accept, Accept-Encoding";

/// A published list as somebody is to get it.
pub(in crate::http) struct Shown<'l> {
    /// `Content-Encoding`, where it has one.
    pub(in crate::http) coding: Option<&'static str>,
    /// The strong tag of these bytes.
    pub(in crate::http) etag: &'l Bytes,
    pub(in crate::http) body: &'l Bytes,
}

/// A published list in a coding that is allowed; `None` where there is none.
pub(in crate::http) fn shown<'l>(
    list: &'l PublishedList,
    packed: Option<&'l Packed>,
    allowed: Codings,
) -> Option<Shown<'l>> {
    if let Some(packed) = packed.filter(|_| allowed.gzip) {
        return Some(Shown {
            coding: Some("gzip"),
            etag: &packed.etag,
            body: &packed.body,
        });
    }
    allowed.identity.then_some(Shown {
        coding: None,
        etag: &list.etag,
        body: &list.body,
    })
}

/// For how long a published list may be kept by who is given it now.
pub(in crate::http) fn fresh(edge: &Edge, list: &PublishedList, now: Timestamp) -> Ttl {
    let left = left_at(list.valid_until, now);
    edge.cache.status_list.min(list.ttl).min(left)
}

/// For how long what holds until `valid_until` still does.
pub(in crate::http) fn left_at(valid_until: Option<Timestamp>, now: Timestamp) -> Ttl {
    let left = |until: Timestamp| until.millis().saturating_sub(now.millis());
    Ttl::from_millis(valid_until.map_or(i64::MAX, left).try_into().unwrap_or(0))
}

/// The form of a list that goes with a media type.
pub(in crate::http) fn form_of(offers: &[&str], media_type: &str) -> ListForm {
    match media_type {
        "application/vc+jwt" => ListForm::BitstringJwt,
        "application/statuslist+jwt" => ListForm::TokenJwt,
        "application/statuslist+cwt" => ListForm::TokenCwt,
        _ if offers == LIST_2021 => ListForm::Status2021,
        _ => ListForm::Bitstring,
    }
}

pub(super) fn answer(hot: &Hot, edge: &Edge, head: &Head<'_>) -> Option<Answered> {
    let (route, list, offers) = addressed(head.path)?;
    // As it was at some moment, most likely.
    if head.query().is_some() {
        return None;
    }
    let media_type = choose_in(head.headers, offers)?;
    let allowed = Codings::of(head.headers);
    let place = (list, form_of(offers, media_type));
    let answer = |list: &PublishedList, now| {
        let packed = match allowed.gzip {
            // Nobody has asked for it so far: it is made where that may take a while.
            true => list.packed()?,
            false => None,
        };
        let shown = shown(list, packed, allowed)?;
        let unchanged = head.knows(shown.etag);
        let mut headers = HeaderMap::with_capacity(10);
        if !unchanged {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        headers.insert(ETAG, text(shown.etag)?);
        headers.insert(LAST_MODIFIED, text(&list.dated)?);
        if shown.coding.is_some() && !unchanged {
            headers.insert(CONTENT_ENCODING, GZIP.clone());
        }
        headers.insert(VARY, VARY_VALUE.clone());
        headers.insert(CACHE_CONTROL, hot.fresh_for(fresh(edge, list, now)));
        let body = (!unchanged).then(|| shown.body.clone());
        Some((route, head.respond(headers, body)))
    };
    edge.registry.look_at_ready(place, answer)?
}

pub(super) const LISTS: &str = "/status-lists/{list}";
pub(super) const LISTS_2021: &str = "/status-lists/{list}/2021";
pub(super) const TOKEN_LISTS: &str = "/token-status-lists/{list}";

/// The list at a path, spelled as it is handed out, with its route and the media types that are there.
fn addressed(path: &str) -> Option<(&'static str, ListId, &'static [&'static str])> {
    if let Some(rest) = path.strip_prefix("/status-lists/") {
        return Some(match rest.strip_suffix("/2021") {
            None => (LISTS, rest.parse().ok()?, LIST),
            Some(id) => (LISTS_2021, id.parse().ok()?, LIST_2021),
        });
    }
    let id = path.strip_prefix("/token-status-lists/")?;
    Some((TOKEN_LISTS, id.parse().ok()?, TOKEN_LIST))
}

fn text(bytes: &Bytes) -> Option<HeaderValue> {
    HeaderValue::from_maybe_shared(bytes.clone()).ok()
}

static GZIP: HeaderValue = HeaderValue::from_static("gzip");
static VARY_VALUE: HeaderValue = HeaderValue::from_static(VARIES);
