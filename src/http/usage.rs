//! How much of its quotas a profile has used, and whoever asks of theirs.

use serde_json::{Map, Value, json};

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::access::Action;
use crate::ids::Slug;
use crate::registry::QuotaUse;
use crate::store::event::Means;

pub(super) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let slug: Slug = request.param("profile")?;
    let profile = edge.registry.profile(&slug)?;
    let actor = request.actor;
    if !actor.is_some_and(|actor| actor.may(Action::Read, profile.id)) {
        return Err(Problem::no_route(&request.path));
    }
    let known = actor.filter(|actor| !actor.operates());
    let means = known.map_or(Means::None, |actor| actor.means());
    let quotas = edge.registry.usage(&slug, means)?;
    let quotas: Vec<Value> = quotas.iter().map(members).collect();
    let now = edge.registry.now().to_string();
    Ok(Reply::json(200, &json!({ "quotas": quotas, "asOf": now })))
}

/// Where there is no bound, nothing is said of a limit; a quota in all never starts anew.
fn members(each: &QuotaUse) -> Value {
    let mut members = Map::new();
    members.insert("quota".into(), each.quota.name().into());
    members.insert("of".into(), each.quota.of().into());
    members.insert("used".into(), each.used.into());
    if let Some(limit) = each.limit {
        members.insert("limit".into(), limit.into());
        members.insert("left".into(), limit.saturating_sub(each.used).into());
    }
    if let Some(anew) = each.anew {
        members.insert("resets".into(), anew.to_string().into());
    }
    Value::Object(members)
}
