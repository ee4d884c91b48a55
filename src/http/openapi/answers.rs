//! What is answered when all is well: the members of the JSON, and the headers.

use serde_json::{Map, Value, json};

use crate::http::check;
use crate::http::routes::{AUTHORIZE_PATH, LIST, LIST_2021, Route, TOKEN_LIST};

/// The schema of a JSON answer that always has these members, and may have more.
pub(super) fn with_members(members: &[&str]) -> Value {
    let properties: Map<String, Value> = members
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), member(name)?)))
        .collect();
    json!({ "type": "object", "required": members, "properties": properties })
}

fn member(name: &str) -> Option<Value> {
    let (_, kind, meaning) = MEMBERS.iter().find(|(known, ..)| *known == name)?;
    let mut schema = match *kind {
        "" => json!({}),
        "time" => {
            json!({ "type": "string", "format": "date-time", "examples": ["2026-03-01T09:00:00Z"] })
        }
        "count" => json!({ "type": "integer", "minimum": 0 }),
        kind => json!({ "type": kind }),
    };
    schema["description"] = (*meaning).into();
    Some(schema)
}

/// What a member of answers says, where that is the same in all of them.
pub(super) fn meaning(name: &str) -> Option<&'static str> {
    let known = MEMBERS.iter().find(|(known, ..)| *known == name);
    known.map(|(.., meaning)| *meaning)
}

/// Members of answers: the name, its kind where that is the same in all of them, and what it says.
#[rustfmt::skip]
const MEMBERS: &[(&str, &str, &str)] = &[
    ("@context", "", "JSON-LD contexts"),
    ("accept", "string", "The page where the invitation is taken"),
    ("access_token", "string", "The token"),
    ("accreditor", "string", "Who is asked: the id of the accreditor"),
    ("achievements", "array", "The achievements, as Open Badges 3.0 has them"),
    ("action", "string", "What was asked of"),
    ("active", "boolean", "Whether it is good now"),
    ("affected", "", "What the change has an effect on, or would have"),
    ("applied", "count", "How many updates were made"),
    ("asOf", "time", "The moment for which the answer holds"),
    ("assertionMethod", "array", "The keys that sign"),
    ("authority_id", "string", "Who was asked about as an authority"),
    ("authorization_servers", "array", "Where tokens are given"),
    ("backups", "array", "The backups, the newest first"),
    ("begun", "time", "When it began"),
    ("changedAt", "time", "When it changed last"),
    ("client_id", "string", "The id of the client"),
    ("client_name", "string", "The name by which people know it"),
    ("client_secret", "string", "The secret; it is shown this once"),
    ("clients", "array", "The clients"),
    ("compactJwsString", "array", "Endorsements as compact JWS"),
    ("components", "object", "What the description refers to"),
    ("createdAt", "time", "When it was made"),
    ("credential", "", "The credential, by its id or as it is"),
    ("criteria", "object", "What is needed for it"),
    ("description", "string", "What it is"),
    ("dryRun", "boolean", "Whether it was only tried out"),
    ("encodedList", "string", "The statuses, compressed, as the Bitstring Status List has them"),
    ("endorsements", "array", "The endorsements"),
    ("endorser", "string", "Who endorses, by id"),
    ("entity_id", "string", "Who was asked about"),
    ("entries", "array", "Status entries for credentials, in the order asked"),
    ("event", "", "The event up to which the answer goes"),
    ("events", "array", "Events of the audit trail, the oldest first"),
    ("expires_in", "count", "Seconds for which the token is good"),
    ("forms", "array", "The list in each form in which it is to be signed"),
    ("grant_types", "array", "The grants that the client uses"),
    ("id", "string", "Its id"),
    ("imported", "", "What was taken in"),
    ("info", "object", "Title and version"),
    ("invitation", "string", "The code of the invitation; it is shown this once"),
    ("isPresent", "boolean", "Whether it shows how the list is now"),
    ("keys", "array", "The keys"),
    ("kid", "string", "The key by which it is to be signed"),
    ("kind", "string", "What is endorsed: profile, achievement or credential"),
    ("length", "count", "How many entries the list has"),
    ("links", "array", "Every address: method, URL and what it does"),
    ("lists", "array", "The lists"),
    ("madeAt", "time", "When it was made"),
    ("name", "string", "Its name"),
    ("openapi", "string", "The version of OpenAPI"),
    ("outcome", "string", "How it stands, such as active, revoked or unknown"),
    ("paths", "object", "The operations by their paths"),
    ("people", "array", "Who signs in"),
    ("problemDetails", "array", "What is wrong, as problems"),
    ("profiles", "array", "The profiles"),
    ("publicKeyMultibase", "string", "The public key as a Multikey"),
    ("refused", "array", "The updates that were not made, each with its reason"),
    ("report", "", "Each check and what came of it"),
    ("requester", "string", "Who asks: the id of the profile"),
    ("requests", "array", "The requests"),
    ("resource", "string", "What it is about"),
    ("response_types_supported", "array", "What a sign-in answers with"),
    ("results", "array", "The answers, in the order of the questions"),
    ("role", "string", "As what they act"),
    ("roles", "array", "issuer, accreditor or both"),
    ("slug", "string", "Its name in URLs"),
    ("state", "string", "How far the request is"),
    ("statusPurpose", "string", "What a set bit means"),
    ("statusSize", "count", "Bits an entry"),
    ("status_lists", "array", "URLs of the token status lists"),
    ("steps", "array", "What was said so far"),
    ("tasks", "array", "What waits"),
    ("time_evaluated", "string", "The moment for which the answer holds"),
    ("token", "string", "The token; it is shown this once"),
    ("token_endpoint", "string", "Where tokens are given"),
    ("token_endpoint_auth_method", "string", "How the client shows who it is"),
    ("token_type", "string", "Bearer"),
    ("tokens", "array", "The tokens, without their secrets"),
    ("url", "string", "The public URL"),
    ("validFrom", "time", "From when on it holds"),
    ("validUntil", "time", "Until when it holds"),
    ("verified", "boolean", "Whether proof and data model are as they should be; `outcome` speaks of the whole"),
];

/// Statuses beside the usual one by which a route answers when all is well.
pub(super) fn others(route: &Route) -> Vec<(u16, Value)> {
    let page = || json!({ "text/html": { "schema": { "type": "string" } } });
    let back = "Back to the client, with `code` or `error` (RFC 6749 section 4.1.2)";
    let mut others = Vec::new();
    if has_version(route) && route.method == "GET" {
        let unchanged = "Not changed since the version that If-None-Match names";
        others.push((304, json!({ "description": unchanged })));
    }
    match (route.method, route.path) {
        ("GET", AUTHORIZE_PATH) => others.push((303, json!({ "description": back }))),
        ("POST", AUTHORIZE_PATH) => {
            let again = json!({ "description": "The page again", "content": page() });
            others.push((200, again));
        }
        (_, check::PATH) => {
            let there = "To the page of what was given, where that has one: a profile here, a code";
            others.push((303, json!({ "description": there })));
        }
        _ => {}
    }
    others
}

/// Whether an answer names its version, by which it is asked for again or changed.
fn has_version(route: &Route) -> bool {
    let named = [
        "/profiles/{profile}",
        "/achievements/{achievement}",
        "/endorsements/{endorsement}",
        "/endorsement-requests/{request}",
        "/endorsements",
        "/profiles/{profile}/did.json",
        "/.well-known/did.json",
        "/.well-known/jwks.json",
        "/registry.json",
        "/standing",
    ];
    [LIST, LIST_2021, TOKEN_LIST].contains(&route.media) || named.contains(&route.path)
}

/// The headers of an answer when all is well, by name.
pub(super) fn headers(route: &Route) -> Vec<&'static str> {
    let mut headers = Vec::new();
    if has_version(route) || route.method != "GET" && route.access.is_private() {
        headers.extend(["ETag", "Last-Modified"]);
    }
    if route.query.contains(&"cursor") || route.query.contains(&"offset") {
        headers.push("Link");
    }
    if matches!(route.success, 201..=303) {
        headers.push("Location");
    }
    headers
}
