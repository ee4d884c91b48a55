//! The service description document (Open Badges 3.0, sections 6.3 and 7.1.1): an OpenAPI 3.0
//! document of this API alone, by which a client finds where to register and where to get tokens.

use serde_json::{Map, Value, json};

use super::is_below;
use crate::access::{Asked, OPEN_BADGES_PATH, OpenBadgesScope, Scope};
use crate::http::edge::Edge;
use crate::http::openapi::operation;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::http::routes::{ROUTES, Route};

/// The name of the security scheme (B.4.5).
const SCHEME: &str = "OAuth2ACG";

/// What the standard calls its operations.
const OPERATIONS: [(&str, &str, &str); 5] = [
    ("GET", "/credentials", "getCredentials"),
    ("POST", "/credentials", "upsertCredential"),
    ("GET", "/profile", "getProfile"),
    ("PUT", "/profile", "putProfile"),
    ("GET", "/discovery", "getServiceDescription"),
];

pub(in crate::http) fn show(edge: &Edge, _: &Request) -> Result<Reply, Problem> {
    Ok(Reply::json(200, &describe(edge)).fresh_for(edge.cache.description))
}

fn describe(edge: &Edge) -> Value {
    let urls = edge.registry.urls();
    let origin = urls.origin();
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for route in ROUTES.iter().filter(|route| is_below(route.path)) {
        let path = &route.path[OPEN_BADGES_PATH.len()..];
        let operations = paths.entry(path).or_insert_with(|| json!({}));
        operations[route.method.to_lowercase()] = in_its_words(route, path, &mut schemas);
    }
    json!({
        "openapi": "3.0.1",
        "info": {
            "title": format!("Goodstanding at {}", urls.host()),
            "description": "Open Badges 3.0 service API for EndorsementCredentials and profiles",
            "version": "3.0",
            "termsOfService": edge.service.terms_of_service(origin),
            "x-imssf-privacyPolicyUrl": edge.service.privacy_policy(origin),
        },
        "servers": [{ "url": format!("{origin}{OPEN_BADGES_PATH}") }],
        "tags": [{ "name": "OpenBadgeCredentials" }, { "name": "Discovery" }],
        "paths": paths,
        "components": {
            "securitySchemes": { (SCHEME): security_scheme(origin) },
            "schemas": schemas,
        },
    })
}

fn security_scheme(origin: &str) -> Value {
    let scopes = OpenBadgesScope::ALL.into_iter().map(|scope| {
        let name = Scope::OpenBadges(scope).to_string();
        (name, Value::from(scope.meaning()))
    });
    json!({
        "type": "oauth2",
        "description": "OAuth 2.0 Authorization Code Grant, with PKCE",
        "x-imssf-registrationUrl": format!("{origin}/oauth/register"),
        "flows": {
            "authorizationCode": {
                "authorizationUrl": format!("{origin}/oauth/authorize"),
                "tokenUrl": format!("{origin}/oauth/token"),
                "scopes": scopes.collect::<Map<String, Value>>(),
            },
        },
    })
}

/// An operation under the name that the standard gives it, with the scope that it needs.
fn in_its_words(route: &Route, path: &str, schemas: &mut Map<String, Value>) -> Value {
    let mut operation = operation(route, schemas);
    let named = OPERATIONS
        .iter()
        .find(|(method, at, _)| (*method, *at) == (route.method, path));
    let (_, _, name) = named.expect("each route of this API is one of the standard's");
    operation["operationId"] = (*name).into();
    operation["tags"] = match route.access.is_private() {
        true => json!(["OpenBadgeCredentials"]),
        false => json!(["Discovery"]),
    };
    if route.access.is_private() {
        let scope = Scope::needed(Asked {
            writes: route.method != "GET",
            path: route.path,
            needs: route.access.action(),
        });
        operation["security"] = json!([{ (SCHEME): [scope.to_string()] }]);
    }
    if *name == "upsertCredential" {
        // The same, of one that was here.
        operation["responses"]["200"] = operation["responses"]["201"].clone();
    }
    operation
}
