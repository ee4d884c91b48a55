//! Whether the service runs, and whether it can do its work.

use serde_json::json;

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;

pub(super) fn live(_: &Edge, _: &Request) -> Result<Reply, Problem> {
    Ok(Reply::json(200, &json!({ "status": "live" })))
}

pub(super) fn ready(edge: &Edge, _: &Request) -> Result<Reply, Problem> {
    match edge.registry.check_store() {
        Ok(()) => Ok(Reply::json(200, &json!({ "status": "ready" }))),
        Err(error) => Err(Problem::new(
            503,
            "not-ready",
            "Not ready",
            error.to_string(),
        )),
    }
}
