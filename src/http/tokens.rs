//! Bearer tokens.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::ids::Slug;
use crate::time::Ttl;

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NewTokenBody {
    /// Slug of the profile that the token speaks for; the registry's operator where none is named.
    profile: Option<String>,
    /// Seconds for which it is good, 1 to 31,622,400; 90 days where nothing is said.
    expires_in: Option<u64>,
}

const NINETY_DAYS: u64 = 90 * 24 * 3600;

pub(super) fn create(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let body: NewTokenBody = request.json()?;
    let slug = body.profile.map(|text| text.parse::<Slug>()).transpose();
    let slug = slug.map_err(|error| Problem::invalid("/profile", error.to_string()))?;
    let good_for = Ttl::from_seconds(body.expires_in.unwrap_or(NINETY_DAYS));
    let made = edge
        .registry
        .make_token(&request.change()?, slug.as_ref(), good_for)?;
    let answer = json!({
        "token": *made.token,
        "id": made.id,
        "profile": made.profile,
        "expires": made.expires.to_string(),
    });
    Ok(Reply::json(201, &answer))
}

pub(super) fn revoke(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let id: String = request.param("token")?;
    request.nothing()?;
    edge.registry.revoke_token(&request.change()?, &id)?;
    Ok(Reply::empty(204))
}
