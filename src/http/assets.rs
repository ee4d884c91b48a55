//! What the pages load: styles, scripts and pictures, all from here.

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::time::Ttl;
use crate::web;

/// A year: under its digest, an asset never changes.
const FOR_GOOD: Ttl = Ttl::from_seconds(31_536_000);

pub(super) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let name: String = request.param("asset")?;
    let (asset, present) = web::asset(&name).ok_or_else(|| Problem::no_route(&request.path))?;
    let reply = Reply::bytes(200, asset.media_type, asset.bytes);
    Ok(match present {
        true => reply.header(
            "Cache-Control",
            format!("public, max-age={}, immutable", FOR_GOOD.seconds()),
        ),
        false => reply.fresh_for(edge.cache.description),
    })
}
