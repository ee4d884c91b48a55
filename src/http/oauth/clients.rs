//! Clients, for those who decide about them.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::access::{Role, Scopes, UnknownRole};
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::ids::{ClientId, Slug};
use crate::registry::{ClientState, ClientView};

/// An approval.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApproveClientBody {
    /// As what the client acts: owner, list-manager, endorser or auditor of its profile, operator or
    /// auditor of the registry.
    role: String,
    /// What it may be good for at most; all of its role where nothing is said.
    scope: Option<String>,
}

pub(crate) fn list(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let actor = request.change()?.actor;
    let profile = request.query_as::<Slug>("profile", "the slug of a profile")?;
    let state = request.query("state").map(state).transpose()?;
    let after = request.query_as::<ClientId>("cursor", "the cursor of an answer")?;
    let limit = request.limit()?;
    let found = edge
        .registry
        .clients(actor, profile.as_ref(), state, after, limit + 1)?;
    let more = found.len() > limit;
    let shown = &found[..found.len().min(limit)];
    let clients: Vec<Value> = shown.iter().map(|client| members(client).into()).collect();
    let reply = Reply::json(200, &json!({ "clients": clients }));
    let next = shown.last().filter(|_| more);
    Ok(match next {
        Some(last) => reply.header("Link", next_page(edge, request, last.id)),
        None => reply,
    })
}

pub(crate) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let actor = request.change()?.actor;
    let client = edge.registry.client(actor, request.param("client")?)?;
    Ok(told(&client))
}

pub(crate) fn approve(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let id: ClientId = request.param("client")?;
    let body: ApproveClientBody = request.json()?;
    let role: Role = body
        .role
        .parse()
        .map_err(|error: UnknownRole| Problem::invalid("/role", error.to_string()))?;
    let scopes = body.scope.as_deref().map(Scopes::parse).transpose();
    let scopes = scopes.map_err(|error| Problem::invalid("/scope", error.to_string()))?;
    let change = request.change()?;
    let client = edge
        .registry
        .approve_client(&change, id, role, scopes.as_ref())?;
    Ok(told(&client))
}

pub(crate) fn reject(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let id: ClientId = request.param("client")?;
    let client = edge
        .registry
        .reject_client(&request.change_with_reason()?, id)?;
    Ok(told(&client))
}

pub(crate) fn remove(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let id: ClientId = request.param("client")?;
    edge.registry
        .remove_client(&request.change_with_reason()?, id)?;
    Ok(Reply::empty(204))
}

pub(crate) fn make_secret(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let id: ClientId = request.param("client")?;
    let secret = edge
        .registry
        .make_client_secret(&request.change_with_reason()?, id)?;
    let body = json!({
        "client_id": id.to_string(),
        "client_secret": secret.as_str(),
        "client_secret_expires_at": 0,
    });
    Ok(Reply::json(201, &body).not_kept())
}

/// A client in the words of RFC 7591, and our own for what that has none for.
pub(super) fn members(client: &ClientView) -> Map<String, Value> {
    let mut members = Map::new();
    let mut say = |member: &str, value: Value| members.insert(member.into(), value);
    say("client_id", client.id.to_string().into());
    say("client_name", client.name.as_str().into());
    say("status", json!(client.state));
    say("profile", json!(client.profile));
    say("role", client.role.as_str().into());
    if let Some(scope) = &client.scope {
        say("scope", scope.as_str().into());
    }
    say("token_endpoint_auth_method", client.auth.as_str().into());
    let grants: Vec<&str> = client.grants.iter().map(|grant| grant.as_str()).collect();
    say("grant_types", grants.into());
    say("redirect_uris", json!(client.redirects));
    if let Some(keys) = &client.keys {
        say("jwks", keys.clone());
    }
    say("created", client.created_at.to_string().into());
    if let Some(decided) = client.decided_at {
        say("decided", decided.to_string().into());
    }
    members
}

fn told(client: &ClientView) -> Reply {
    Reply::json(200, &members(client).into())
}

fn state(text: &str) -> Result<ClientState, Problem> {
    match text {
        "pending" => Ok(ClientState::Pending),
        "approved" => Ok(ClientState::Approved),
        "rejected" => Ok(ClientState::Rejected),
        _ => Err(Problem::invalid(
            "?state",
            "the parameter state has to be pending, approved or rejected",
        )),
    }
}

fn next_page(edge: &Edge, request: &Request, last: ClientId) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in request.query.iter().filter(|(name, _)| name != "cursor") {
        query.append_pair(name, value);
    }
    query.append_pair("cursor", &last.to_string());
    let origin = edge.registry.urls().origin();
    format!("<{origin}/clients?{}>; rel=\"next\"", query.finish())
}
