//! OAuth 2.0 over HTTP: who this authorization server is, the token endpoint and what belongs to it,
//! the registration of clients, the decisions about them, and the pages where people sign in by one.

pub(super) mod clients;
pub(super) mod metadata;
pub(super) mod pages;
pub(super) mod registration;
pub(super) mod token;

use serde_json::json;

use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::oauth::{ErrorCode, Form, OAuthError};
use crate::registry::GrantRefused;

/// A refusal in the words of OAuth 2.0, which clients of it read (RFC 6749 section 5.2).
fn refusal(error: &OAuthError) -> Reply {
    let status = match error.code {
        ErrorCode::InvalidClient | ErrorCode::InvalidToken => 401,
        ErrorCode::AccessDenied | ErrorCode::InsufficientScope => 403,
        _ => 400,
    };
    let body = json!({
        "error": error.code.as_str(),
        "error_description": error.description,
    });
    let reply = Reply::json(status, &body).not_kept();
    let scheme = match error.code {
        ErrorCode::InvalidClient => "Basic",
        ErrorCode::InvalidToken => "Bearer",
        _ => return reply,
    };
    let code = error.code.as_str();
    let challenge = format!("{scheme} realm=\"goodstanding\", error=\"{code}\"");
    reply.header("WWW-Authenticate", challenge)
}

/// An answer, where a refusal in the words of OAuth is one too.
fn told(answered: Result<Reply, GrantRefused>) -> Result<Reply, Problem> {
    match answered {
        Ok(reply) => Ok(reply.header("Pragma", "no-cache")),
        Err(GrantRefused::OAuth(error)) => Ok(refusal(&error)),
        Err(GrantRefused::Registry(error)) => Err(error.into()),
    }
}

/// The form that a request is.
pub(super) fn form(request: &Request) -> Result<Form, OAuthError> {
    let has_type = request.header("content-type").is_some();
    if !has_type || !request.is("application/x-www-form-urlencoded") {
        let words = "the body has to be application/x-www-form-urlencoded";
        return Err(OAuthError::request(words));
    }
    Form::parse(&request.body)
}
