//! What the description says of who may call a route: how they show who they are, what they are told of
//! their rates, and how they are refused.

use serde_json::{Map, Value, json};

use super::refused::content_of;
use crate::access::{Action, Asked, OpenBadgesScope, Scope};
use crate::http::open_badges;
use crate::http::routes::Route;

/// Headers of answers, and what each says.
const HEADERS: [(&str, &str); 10] = [
    (
        "WWW-Authenticate",
        "How to show who one is, or the scope that the token lacks (RFC 6750 section 3)",
    ),
    (
        "RateLimit",
        "What is left of each rate of the caller: r requests, and t seconds until there are as many as \
         there can be (draft-ietf-httpapi-ratelimit-headers)",
    ),
    (
        "RateLimit-Policy",
        "The rates of the caller: q requests in w seconds",
    ),
    ("Retry-After", "In how many seconds to come back"),
    (
        "ETag",
        "The version of what is answered, for If-None-Match and, of a PUT, If-Match",
    ),
    ("Last-Modified", "When it changed last"),
    (
        "Link",
        "Where the next page is (rel=\"next\"); none on the last one",
    ),
    ("Location", "The URL of what was made, or where to go on"),
    (
        "X-Request-Id",
        "The name of the request in the audit trail: the caller's own where it is a UUID",
    ),
    (
        "Goodstanding-Revision",
        "A place that shows the change: whoever sends it back is answered from a state that shows it too, by \
         whichever replica",
    ),
];

/// What answers to those who are known tell of their rates and of the request.
const TOLD: [&str; 3] = ["RateLimit", "RateLimit-Policy", "X-Request-Id"];

/// What answers to changes tell besides.
const CHANGED: &str = "Goodstanding-Revision";

/// A refusal that every route which is not for everybody may answer with.
struct Refusal {
    status: u16,
    name: &'static str,
    description: &'static str,
    headers: &'static [&'static str],
}

const REFUSALS: [Refusal; 3] = [
    Refusal {
        status: 401,
        name: "Unauthenticated",
        description: "No token, or one that is good for nothing here",
        headers: &["WWW-Authenticate"],
    },
    Refusal {
        status: 403,
        name: "Forbidden",
        description: "The caller is known, and may not do this: the token lacks the scope that \
            WWW-Authenticate names, or it is somebody else's affair",
        headers: &[
            "WWW-Authenticate",
            "RateLimit",
            "RateLimit-Policy",
            "X-Request-Id",
        ],
    },
    Refusal {
        status: 429,
        name: "TooMany",
        description: "Too many requests, or a quota is spent for today",
        headers: &[
            "Retry-After",
            "RateLimit",
            "RateLimit-Policy",
            "X-Request-Id",
        ],
    },
];

/// Says of the operation of a private route what a token has to be good for, and how callers are refused.
pub(super) fn tell(route: &Route, operation: &mut Value) {
    let needs = Scope::needed(Asked {
        writes: route.method != "GET",
        path: route.path,
        needs: route.access.action(),
    });
    let scopes = [needs.to_string()];
    operation["security"] = json!([{ "token": scopes }, { "oauth2": scopes }]);
    let responses = &mut operation["responses"];
    for refusal in &REFUSALS {
        let name = name(refusal, open_badges::is_below(route.path));
        let reference = json!({ "$ref": format!("#/components/responses/{name}") });
        responses[refusal.status.to_string()] = reference;
    }
    let changed = (route.method != "GET").then_some(CHANGED);
    let told: Vec<_> = TOLD.into_iter().chain(changed).collect();
    responses[route.success.to_string()]["headers"] = references(&told);
}

/// The refusals, once for all routes.
pub(super) fn responses() -> Map<String, Value> {
    let mut responses = Map::new();
    for refusal in &REFUSALS {
        for of_open_badges in [false, true] {
            let content = content_of(of_open_badges);
            let response = json!({
                "description": refusal.description,
                "headers": references(refusal.headers),
                "content": content,
            });
            responses.insert(name(refusal, of_open_badges), response);
        }
    }
    responses
}

/// The headers, once for all answers.
pub(super) fn headers() -> Value {
    let each = HEADERS.iter().map(|(name, meaning)| {
        let kind = match *name {
            "Retry-After" => "integer",
            _ => "string",
        };
        let header = json!({ "description": meaning, "schema": { "type": kind } });
        ((*name).to_owned(), header)
    });
    each.collect::<Map<String, Value>>().into()
}

/// How callers show who they are: by a token that they have, or by one that they get here.
pub(super) fn schemes(origin: &str) -> Value {
    let actions = Action::ALL.map(|action| (action.scope().to_owned(), action.meaning().into()));
    let open_badges = OpenBadgesScope::ALL.map(|scope| {
        let name = Scope::OpenBadges(scope).to_string();
        (name, scope.meaning().into())
    });
    let scopes: Map<String, Value> = actions.into_iter().chain(open_badges).collect();
    let token_url = format!("{origin}/oauth/token");
    json!({
        "token": {
            "type": "http", "scheme": "bearer",
            "description": "A token of this registry, or of a provider that it trusts",
        },
        "oauth2": {
            "type": "oauth2",
            "description": "Clients register at /oauth/register (RFC 7591). Scopes may also be by path, such as \
                read:/status-lists (VCALM)",
            "flows": {
                "clientCredentials": { "tokenUrl": token_url, "scopes": scopes },
                "authorizationCode": {
                    "authorizationUrl": format!("{origin}/oauth/authorize"),
                    "tokenUrl": token_url,
                    "scopes": scopes,
                },
            },
        },
    })
}

fn name(refusal: &Refusal, of_open_badges: bool) -> String {
    let room = if of_open_badges { "OpenBadges" } else { "" };
    format!("{room}{}", refusal.name)
}

fn references(names: &[&str]) -> Value {
    let each = names.iter().map(|name| {
        let reference = json!({ "$ref": format!("#/components/headers/{name}") });
        ((*name).to_owned(), reference)
    });
    each.collect::<Map<String, Value>>().into()
}
