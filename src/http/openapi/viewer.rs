//! The files of the viewer that `/docs` shows the contract in.

use std::io::Read as _;

use flate2::read::GzDecoder;

use crate::http::accept::Codings;
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::web::{VIEWER_SCRIPT, VIEWER_START, VIEWER_STYLE};

const SCRIPT: &str = "text/javascript; charset=utf-8";

pub(in crate::http) fn script(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    compressed(edge, request, SCRIPT, VIEWER_SCRIPT)
}

pub(in crate::http) fn style(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    compressed(edge, request, "text/css; charset=utf-8", VIEWER_STYLE)
}

pub(in crate::http) fn start(edge: &Edge, _: &Request) -> Result<Reply, Problem> {
    Ok(Reply::bytes(200, SCRIPT, VIEWER_START).fresh_for(edge.cache.description))
}

/// As it is kept, for those who take that, and otherwise as it was before.
fn compressed(
    edge: &Edge,
    request: &Request,
    media: &str,
    kept: &'static [u8],
) -> Result<Reply, Problem> {
    let reply = match Codings::of(&request.headers) {
        Codings { gzip: true, .. } => {
            Reply::bytes(200, media, kept).header("Content-Encoding", "gzip")
        }
        Codings {
            identity: false, ..
        } => return Err(Problem::no_acceptable_coding()),
        Codings { .. } => {
            let mut bytes = Vec::new();
            let read = GzDecoder::new(kept).read_to_end(&mut bytes);
            read.map_err(|_| Problem::internal())?;
            Reply::bytes(200, media, bytes)
        }
    };
    let reply = reply.header("Vary", "Accept-Encoding");
    Ok(reply.fresh_for(edge.cache.description))
}
