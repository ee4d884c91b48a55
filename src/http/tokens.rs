//! Bearer tokens.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::access::{Role, Scopes, UnknownRole};
use crate::ids::Slug;
use crate::registry::TokenFor;
use crate::time::Ttl;

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NewTokenBody {
    /// Slug of the profile that the token speaks for; the registry where none is named.
    profile: Option<String>,
    /// What its holder is: owner, list-manager, endorser or auditor of the profile, or operator or
    /// auditor of the registry. Where nothing is said, owner or operator.
    role: Option<String>,
    /// What it is narrowed to: scopes with spaces between them, such as status:write.
    scope: Option<String>,
    /// Seconds for which it is good, 1 to 31,622,400; 90 days where nothing is said.
    expires_in: Option<u64>,
}

const NINETY_DAYS: u64 = 90 * 24 * 3600;

pub(super) fn create(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let body: NewTokenBody = request.json()?;
    let slug = body.profile.map(|text| text.parse::<Slug>()).transpose();
    let slug = slug.map_err(|error| Problem::invalid("/profile", error.to_string()))?;
    let role = match &body.role {
        Some(text) => text
            .parse()
            .map_err(|error: UnknownRole| Problem::invalid("/role", error.to_string()))?,
        None if slug.is_some() => Role::Owner,
        None => Role::Operator,
    };
    let scopes = body.scope.as_deref().map(Scopes::parse).transpose();
    let scopes = scopes.map_err(|error| Problem::invalid("/scope", error.to_string()))?;
    let holder = TokenFor {
        profile: slug,
        role,
        scopes,
    };
    let good_for = Ttl::from_seconds(body.expires_in.unwrap_or(NINETY_DAYS));
    let made = edge
        .registry
        .make_token(&request.change()?, &holder, good_for)?;
    let answer = json!({
        "token": *made.token,
        "id": made.id,
        "profile": holder.profile,
        "role": holder.role,
        "scope": holder.scopes.map(|scopes| scopes.to_string()),
        "expires": made.expires.to_string(),
    });
    Ok(Reply::json(201, &answer))
}

pub(super) fn list(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let actor = request.change()?.actor;
    let named = request.query_as::<Slug>("profile", "the slug of a profile")?;
    let tokens = edge.registry.tokens(actor, named.as_ref())?;
    let tokens = tokens.iter().map(|token| {
        json!({
            "id": token.id,
            "profile": token.profile,
            "role": token.role,
            "scope": token.scope,
            "made": token.made_at.to_string(),
            "expires": token.expires.to_string(),
        })
    });
    Ok(Reply::json(
        200,
        &json!({ "tokens": tokens.collect::<Vec<_>>() }),
    ))
}

pub(super) fn revoke(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let id: String = request.param("token")?;
    edge.registry
        .revoke_token(&request.change_with_reason()?, &id)?;
    Ok(Reply::empty(204))
}
