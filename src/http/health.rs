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
    if let Err(error) = edge.registry.check_store() {
        let detail = error.to_string();
        return Err(Problem::new(503, "not-ready", "Not ready", detail));
    }
    // What is open stays open without it, so that this is for whoever looks after the registry and
    // no reason to take it out of service. Where the key stands is nobody else's business.
    let status = match edge.registry.check_master_key() {
        Ok(()) => json!({ "status": "ready" }),
        Err(_) => json!({
            "status": "ready",
            "masterKey": "the next start would not find a master key that opens this store",
        }),
    };
    Ok(Reply::json(200, &status))
}
