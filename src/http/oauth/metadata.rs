//! Who this authorization server is, and what it protects.

use serde_json::json;

use crate::access::Action;
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::oauth::{AuthMethod, GrantKind};

/// RFC 8414.
pub(crate) fn server(edge: &Edge, _: &Request) -> Result<Reply, Problem> {
    let origin = edge.registry.urls().origin();
    let methods = AuthMethod::ALL.map(AuthMethod::as_str);
    // Whoever shows no more than a name may not look at tokens (RFC 7662 section 2.1).
    let shown = AuthMethod::ALL
        .into_iter()
        .filter(|method| *method != AuthMethod::None);
    let introspecting: Vec<&str> = shown.map(AuthMethod::as_str).collect();
    let algorithms = ["EdDSA", "ES256", "RS256"];
    let body = json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/oauth/authorize"),
        "token_endpoint": format!("{origin}/oauth/token"),
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "registration_endpoint": format!("{origin}/oauth/register"),
        "revocation_endpoint": format!("{origin}/oauth/revoke"),
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint": format!("{origin}/oauth/introspect"),
        "introspection_endpoint_auth_methods_supported": introspecting,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "jwks_uri": format!("{origin}/.well-known/jwks.json"),
        "scopes_supported": scopes(),
        "grant_types_supported": GrantKind::ALL.map(GrantKind::as_str),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "service_documentation": format!("{origin}/docs"),
    });
    Ok(Reply::json(200, &body).fresh_for(edge.cache.description))
}

/// RFC 9728.
pub(crate) fn resource(edge: &Edge, _: &Request) -> Result<Reply, Problem> {
    let origin = edge.registry.urls().origin();
    let providers = edge.providers.issuers();
    let servers: Vec<&str> = std::iter::once(origin).chain(providers).collect();
    let body = json!({
        "resource": origin,
        "resource_name": "Goodstanding",
        "authorization_servers": servers,
        "bearer_methods_supported": ["header"],
        "scopes_supported": scopes(),
        "resource_documentation": format!("{origin}/docs"),
    });
    Ok(Reply::json(200, &body).fresh_for(edge.cache.description))
}

fn scopes() -> Vec<&'static str> {
    Action::ALL.map(Action::scope).to_vec()
}
