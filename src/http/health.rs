//! Whether the service runs, and whether it can do its work.

use serde_json::json;

use super::edge::Edge;
use super::problem::{Problem, shown};
use super::reply::Reply;
use super::request::Request;
use crate::registry::{Gravity, State};

pub(super) fn live(_: &Edge, _: &Request) -> Result<Reply, Problem> {
    Ok(Reply::json(200, &json!({ "status": "live" })))
}

/// Whether changes are taken; where not, in which states the registry is. What soon may keep it from
/// that is a warning, for whoever looks after it, and no reason to take it out of service.
pub(super) fn ready(edge: &Edge, _: &Request) -> Result<Reply, Problem> {
    let states = edge.registry.states();
    match states.first().map(State::gravity) {
        None => Ok(Reply::json(200, &json!({ "status": "ready" }))),
        Some(Gravity::Warning) => {
            let warnings: Vec<_> = states.iter().map(shown).collect();
            let ready = json!({ "status": "ready", "warnings": warnings });
            Ok(Reply::json(200, &ready))
        }
        Some(Gravity::ReadOnly) => Err(Problem::not_ready(&states)),
    }
}
