//! The registry's own identity: its DID document and keys at their well-known places.

use serde_json::json;

use super::edge::Edge;
use super::problem::Problem;
use super::profiles::did_reply;
use super::reply::Reply;
use super::request::Request;
use crate::registry::{KeyOwner, KeyView, TakenUp};

pub(super) fn did_document(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    identity(edge)?;
    did_reply(edge, request, KeyOwner::Registry)
}

pub(super) fn jwks(edge: &Edge, _: &Request) -> Result<Reply, Problem> {
    let set = edge.registry.key_set()?;
    let reply = Reply::bytes(200, "application/jwk-set+json", set.document.clone());
    // The first key comes with the first profile, and nobody should wait for it longer than that.
    if edge.registry.keys(KeyOwner::Registry)?.is_empty() {
        return Ok(reply.not_kept());
    }
    Ok(reply
        .header("ETag", set.etag.clone())
        .fresh_for(edge.cache.did_document))
}

pub(super) fn rotate_master_key(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let done = edge
        .registry
        .rotate_master_key(&request.change_with_reason()?)?;
    let answer = json!({
        "masterKey": done.to,
        "replaced": done.from,
        "inUse": match done.taken_up {
            TakenUp::Now => "now",
            TakenUp::AtNextStart => "at-next-start",
        },
    });
    Ok(Reply::json(200, &answer))
}

/// The registry's keys, once it has some.
pub(super) fn identity(edge: &Edge) -> Result<Vec<KeyView>, Problem> {
    let keys = edge.registry.keys(KeyOwner::Registry)?;
    if keys.is_empty() {
        let detail = "this registry has no key yet: it gets one with its first profile, and signs \
                      nothing before that";
        return Err(Problem::new(404, "not-found", "Not found", detail));
    }
    Ok(keys)
}
