//! Clients register themselves (RFC 7591), see their registration, and end it (RFC 7592).

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::refusal;
use crate::access::Action;
use crate::http::auth;
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::ids::ClientId;
use crate::json;
use crate::oauth::{ClientMetadata, ErrorCode, OAuthError};
use crate::registry::{ClientView, RegistryError};

/// What a client says of itself. Members that mean nothing here are ignored (RFC 7591 section 2).
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body, which is read member by member"
)]
pub(crate) struct ClientRegistration {
    /// The name by which people know it.
    client_name: String,
    /// Slug of the profile for which it wants to act; the registry where none is named.
    profile: Option<String>,
    /// As what: owner, list-manager, endorser or auditor of the profile, operator or auditor of the
    /// registry.
    role: String,
    /// What it wants to be allowed at most; all of its role where nothing is said.
    scope: Option<String>,
    /// client_secret_basic, client_secret_post, private_key_jwt or none.
    token_endpoint_auth_method: Option<String>,
    /// Its public keys, for private_key_jwt.
    #[schema(value_type = Option<Object>)]
    jwks: Option<Value>,
    /// client_credentials, authorization_code.
    grant_types: Option<Vec<String>>,
    /// code, with authorization_code.
    response_types: Option<Vec<String>>,
    /// Where people are sent back to, with authorization_code.
    redirect_uris: Option<Vec<String>>,
}

/// RFC 7591 section 3.1.
pub(crate) fn register(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let needs = Action::WriteClients;
    let request = match request.headers.contains_key("authorization") {
        true => &auth::again(edge, request, needs)?,
        false => request,
    };
    let metadata = match metadata(request) {
        Ok(metadata) => metadata,
        Err(error) => return Ok(refusal(&error)),
    };
    let change = request.actor.map(|_| request.change()).transpose()?;
    let made = match edge
        .registry
        .register_client(change.as_ref(), request.id, &metadata)
    {
        Ok(made) => made,
        Err(error) => return refused(error, change.is_some()),
    };
    let mut body = shown(edge, &made.client);
    let mut say = |member: &str, value: Value| body.insert(member.into(), value);
    if let Some(secret) = &made.secret {
        say("client_secret", secret.as_str().into());
        say("client_secret_expires_at", 0.into());
    }
    say(
        "registration_access_token",
        made.registration_token.as_str().into(),
    );
    Ok(Reply::json(201, &body.into()).not_kept())
}

/// RFC 7592 section 2.1.
pub(crate) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let client = own(edge, request)?;
    let mut body = shown(edge, &client);
    // The one that was sent, as the answer has to have it (section 3).
    let token = auth::bearer_token(&request.headers)?;
    body.insert("registration_access_token".into(), json!(token));
    Ok(Reply::json(200, &body.into()).not_kept())
}

/// RFC 7592 section 2.3.
pub(crate) fn end(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let client = own(edge, request)?;
    edge.registry.remove_own_client(&client)?;
    Ok(Reply::empty(204).not_kept())
}

fn metadata(request: &Request) -> Result<ClientMetadata, OAuthError> {
    if !request.is("application/json") {
        return Err(OAuthError::request("the body has to be application/json"));
    }
    let body =
        json::parse(&request.body).map_err(|error| OAuthError::request(error.to_string()))?;
    let members = body.as_object();
    let members = members.ok_or_else(|| OAuthError::request("the body has to be an object"))?;
    ClientMetadata::read(members)
}

fn refused(error: RegistryError, known: bool) -> Result<Reply, Problem> {
    let code = match &error {
        RegistryError::RegistrationClosed if !known => ErrorCode::InvalidToken,
        RegistryError::RegistrationClosed => ErrorCode::InsufficientScope,
        RegistryError::NotFound(..) | RegistryError::Invalid { .. } => {
            ErrorCode::InvalidClientMetadata
        }
        RegistryError::ClientsFull => ErrorCode::AccessDenied,
        _ => return Err(error.into()),
    };
    Ok(refusal(&OAuthError::new(code, error.to_string())))
}

/// The client whose registration the bearer's token is for. Nothing is told of others.
fn own(edge: &Edge, request: &Request) -> Result<ClientView, Problem> {
    let token = auth::bearer_token(&request.headers)?;
    let none = || Problem::invalid_token("the token is for no registration of this name");
    let token = token.ok_or_else(none)?;
    let id: ClientId = request.param("client").map_err(|_| none())?;
    edge.registry
        .client_by_registration(id, token)?
        .ok_or_else(none)
}

/// A registration as the client sees it (RFC 7591 section 3.2.1).
fn shown(edge: &Edge, client: &ClientView) -> Map<String, Value> {
    let origin = edge.registry.urls().origin();
    let registered = format!("{origin}/oauth/register/{}", client.id);
    let mut body = super::clients::members(client);
    let mut say = |member: &str, value: Value| body.insert(member.into(), value);
    say("client_id_issued_at", client.created_at.seconds().into());
    say("registration_client_uri", registered.into());
    let code = !client.redirects.is_empty();
    say(
        "response_types",
        if code { json!(["code"]) } else { json!([]) },
    );
    body
}
