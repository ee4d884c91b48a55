//! The contract, described from the table of routes: OpenAPI 3.1 for programs, a page for people.

mod access;
mod answers;
mod examples;
mod refused;
mod shapes;
pub(super) mod viewer;

use serde_json::{Map, Value, json};

use super::edge::Edge;
use super::open_badges;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::routes::{FEED, ROUTES, Route, TRAIL};
use crate::registry::State;
use crate::web::{DocsPage, RouteLine, VIEWER_POLICY};

pub(super) fn show(edge: &Edge, _: &Request) -> Result<Reply, Problem> {
    let description = describe(edge.registry.urls().origin());
    Ok(Reply::json(200, &description).fresh_for(edge.cache.description))
}

pub(super) fn page(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let routes = ROUTES.iter().map(|route| RouteLine {
        method: route.method,
        path: route.path,
        summary: route.summary,
        scope: route
            .access
            .is_private()
            .then(|| route.access.action().scope()),
    });
    let page = DocsPage {
        routes: routes.collect(),
        frame: request.frame(),
    };
    let mut reply = Reply::html(page.html()).fresh_for(edge.cache.description);
    for (name, value) in &mut reply.headers {
        if *name == "Content-Security-Policy" {
            VIEWER_POLICY.clone_into(value);
        }
    }
    Ok(reply)
}

/// The OpenAPI 3.1 description of this registry.
pub(super) fn describe(origin: &str) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for route in ROUTES {
        let operations = paths.entry(route.path).or_insert_with(|| json!({}));
        operations[route.method.to_lowercase()] = in_full(route, &mut schemas);
    }
    let mut responses = refused::responses(&mut schemas);
    responses.extend(access::responses());
    let told = Value::from(paths.clone()).to_string();
    responses.retain(|name, _| told.contains(&format!("#/components/responses/{name}\"")));
    examples::tell(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Goodstanding",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": origin }],
        "tags": TAGS.iter().map(|(name, _)| json!({ "name": name })).collect::<Value>(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": responses,
            "headers": access::headers(),
            "securitySchemes": access::schemes(origin),
        },
    })
}

const DESCRIPTION: &str = "Is this credential in good standing, and who stands behind its issuer? Times are \
    RFC 3339 in UTC. Refusals are problem documents (RFC 9457) that say what to do; those about OAuth 2.0, OpenID \
    Federation and Open Badges are in the words of these. Pages of other origins may call what is for everybody \
    (CORS); what needs a token has to be called by a program or a server.";

/// The groups of operations, and the beginnings of the paths in each, of which the first that fits counts.
#[rustfmt::skip]
const TAGS: &[(&str, &[&str])] = &[
    ("Status lists", &["/status", "/token-status-lists", "/published", "/events/published"]),
    ("Good standing", &["/standing", "/credentials/verify", "/presentations"]),
    ("Credentials", &["/credentials"]),
    ("Endorsements", &["/endorsement"]),
    ("Profiles and achievements", &["/profiles", "/achievements"]),
    ("Trust registries", &["/trqp", "/registry.json", "/federation", "/.well-known/openid-federation"]),
    ("Open Badges API", &["/ims/"]),
    ("Tokens, clients and people", &["/oauth", "/tokens", "/clients", "/people", "/.well-known/oauth"]),
    ("The registry", &["/"]),
];

/// The group that a route belongs to.
fn tag(route: &Route) -> &'static str {
    let fits = |starts: &[&str]| starts.iter().any(|start| route.path.starts_with(start));
    let found = TAGS.iter().find(|(_, starts)| fits(starts));
    found.map_or("The registry", |(name, _)| name)
}

/// All that is said of a route.
fn in_full(route: &Route, schemas: &mut Map<String, Value>) -> Value {
    let mut operation = operation(route, schemas);
    operation["tags"] = json!([tag(route)]);
    let responses = operation["responses"].as_object_mut();
    responses.map(|responses| responses.shift_remove("default"));
    for (status, response) in answers::others(route) {
        operation["responses"][status.to_string()] = response;
    }
    refused::tell(route, &mut operation);
    if route.access.is_private() {
        access::tell(route, &mut operation);
    }
    let success = &mut operation["responses"][route.success.to_string()];
    for name in answers::headers(route) {
        success["headers"][name] = json!({ "$ref": format!("#/components/headers/{name}") });
    }
    operation
}

/// What is said of a route, but who may call it and how it refuses in detail. Schemas that it refers to are added to `schemas`.
pub(super) fn operation(route: &Route, schemas: &mut Map<String, Value>) -> Value {
    let mut operation = json!({
        "summary": route.summary,
        "operationId": operation_id(route),
        "parameters": parameters(route),
        "responses": {
            route.success.to_string(): answer(route),
            "default": refusal(route, schemas),
        },
    });
    if let Some(body) = &route.body {
        let name = (body.name)().into_owned();
        let mut parts = Vec::new();
        (body.parts)(&mut parts);
        parts.push((name.clone(), (body.schema)()));
        for (name, schema) in parts {
            let schema = serde_json::to_value(schema).expect("a schema has string keys only");
            schemas.insert(name, schema);
        }
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        let mut content = json!({ (body.media): { "schema": schema } });
        for media in route.also {
            content[*media] = json!({ "schema": { "type": "string" } });
        }
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation
}

/// The answer when it is refused.
fn refusal(route: &Route, schemas: &mut Map<String, Value>) -> Value {
    let of_open_badges = open_badges::is_below(route.path);
    let description = match of_open_badges {
        true => "A refusal, in the words of 1EdTech",
        false => "A problem (RFC 9457)",
    };
    let (name, schema) = match of_open_badges {
        true => ("Imsx_StatusInfo", open_badges::status_info_schema()),
        false => ("Problem", problem_schema()),
    };
    schemas.insert(name.into(), schema);
    json!({ "description": description, "content": refused::content_of(of_open_badges) })
}

/// The answer when all is well: its media types, and the members that its JSON always has.
fn answer(route: &Route) -> Value {
    let content: Map<String, Value> = route
        .media
        .iter()
        .map(|media| {
            let is_json = ["/json", "+json", "/vc"]
                .iter()
                .any(|end| media.ends_with(end));
            let schema = match is_json {
                true => json_schema(route),
                false => json!({ "type": "string" }),
            };
            ((*media).to_owned(), json!({ "schema": schema }))
        })
        .collect();
    match content.is_empty() {
        true => json!({ "description": "Done" }),
        false => json!({ "description": "As asked", "content": content }),
    }
}

fn json_schema(route: &Route) -> Value {
    let with = |members: &[&str]| {
        let mut schema = answers::with_members(members);
        shapes::close(route.method, route.path, &mut schema);
        schema
    };
    match (route.members, route.tried) {
        // RFC 7009 section 2.2: nothing is said, which here is an object without members.
        ([], _) if route.path == "/oauth/revoke" => with(&[]),
        ([], _) => json!({ "type": "array", "items": { "type": "string" } }),
        (members, []) => with(members),
        (members, tried) => json!({ "anyOf": [with(members), with(tried)] }),
    }
}

/// Such as `postStatusListsListUpdates`.
fn operation_id(route: &Route) -> String {
    let words = route
        .path
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty());
    words.fold(route.method.to_lowercase(), |mut id, word| {
        let (first, rest) = word.split_at(1);
        id.push_str(&first.to_uppercase());
        id.push_str(rest);
        id
    })
}

fn parameters(route: &Route) -> Vec<Value> {
    let parameter = |name: &str, place: &str, required: bool| {
        let kind = match name {
            "limit" | "offset" => "integer",
            _ => "string",
        };
        json!({
            "name": name, "in": place, "required": required,
            "description": meaning(route, name), "schema": { "type": kind },
        })
    };
    let of_path = route.path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        Some(parameter(name, "path", true))
    });
    let of_query = route
        .query
        .iter()
        .map(|name| parameter(name, "query", route.needed.contains(name)));
    let key = json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "Two requests with one key are one request: the second is answered as the \
            first was, also where that answer was lost or the registry restarted since. The key \
            with another request is refused (422). A refusal is not kept. A secret is shown once: \
            the second request hears what was made (409)",
        "schema": { "type": "string", "maxLength": 255 },
    });
    let last = json!({
        "name": "Last-Event-ID", "in": "header", "required": false,
        "description": "The id of the last event that was read: the answer goes on behind it. It \
            goes before the parameter since",
        "schema": { "type": "string" },
    });
    let seen = json!({
        "name": "Goodstanding-Revision", "in": "header", "required": false,
        "description": "What an answer to a change gave under this name: the answer is from a state that \
            shows that change, also where another replica made it. Where it is not here in time that is \
            said (503, behind)",
        "schema": { "type": "string", "minLength": 16, "maxLength": 16 },
    });
    let changes = route.method == "POST" && route.access.is_private();
    of_path
        .chain(of_query)
        .chain(changes.then_some(key))
        .chain((!open_badges::is_below(route.path)).then_some(seen))
        .chain((route.media == FEED || route.media == TRAIL).then_some(last))
        .collect()
}

/// What a parameter means, wherever it stands but in the Open Badges API, which has words of its own.
fn meaning(route: &Route, name: &str) -> &'static str {
    let known = meanings(route).iter().find(|(known, _)| *known == name);
    known.map_or("", |(_, meaning)| meaning)
}

fn meanings(route: &Route) -> &'static [(&'static str, &'static str)] {
    match open_badges::is_below(route.path) {
        true => OPEN_BADGES_MEANINGS,
        false => MEANINGS,
    }
}

#[rustfmt::skip]
const OPEN_BADGES_MEANINGS: &[(&str, &str)] = &[
    ("limit", "The most items on a page: from 1; never more than 100 are given"),
    ("offset", "How many items are passed over"),
    ("since", "What was issued, taken in or changed after this time (RFC 3339; UTC where it names no zone)"),
];

#[rustfmt::skip]
const MEANINGS: &[(&str, &str)] = &[
    ("asset", "Name of a file that the pages load, with the beginning of its digest"),
    ("profile", "Slug of a profile"),
    ("achievement", "Id of an achievement: the last part of its URL"),
    ("endorsement", "Id of an endorsement: the last part of its URL"),
    ("request", "Id of a request for an endorsement: the last part of its URL"),
    ("key", "Name of a key, such as key-1"),
    ("token", "Id of a token, which is not the token itself"),
    ("list", "A status list: in the path its id, in the query its URL"),
    ("index", "Place in the list, from 0"),
    ("timestamp", "The list as it was at this moment (xsd:dateTimeStamp); who may ask is for its issuer to say"),
    ("time", "The list as it was at this moment: whole seconds since 1970; who may ask is for its issuer to say"),
    ("at", "As of this moment (RFC 3339) rather than now; of a list, where its issuer lets who asks see how it was"),
    ("credential", "Id of a credential"),
    ("code", "A verification code, in any case, with any spaces and dashes, such as 0123-4567-89AB-CDE4"),
    ("issuer", "The issuer, by id or slug; in a look-up where several issuers say something of the id"),
    ("subject", "Endorsements of this thing, by its id"),
    ("endorser", "Endorsements by this one: a slug, or the id of somebody here or elsewhere"),
    ("kind", "Of things of this kind: profile, achievement or credential"),
    ("standing", "Standing like this, such as active or revoked"),
    ("trustAnchors", "Whom the asker trusts, in place of the registry's own trust anchors: slugs or ids with commas between them"),
    ("jurisdiction", "Where the endorsements have to count: an ISO 3166 code such as CH or CH-ZH"),
    ("endorsements", "embed puts the endorsements in force into the document"),
    ("limit", "The most items on a page: 1 to 1,000; of an export 1 to 100,000"),
    ("cursor", "Where the page begins, from the Link header of the page before"),
    ("since", "Id of an event: those behind it. Without it the feed tells those from now on, and the trail all"),
    ("reason", "Why; kept with the change in the audit trail"),
    ("firstLine", "The number that the first row of the body has in the table that it is part of"),
    ("statusPurpose", "With a table: what a set bit means"),
    ("statusSize", "With a table: bits an entry, 1"),
    ("length", "With a table: how many entries the list has; 131,072 where it is left out"),
    ("ttl", "With a table: milliseconds for which a copy of the list may be used"),
    ("pairedWith", "With a table: URL or id of another list, over whose indexes this one is to lie"),
    ("usedIndexes", "With a table: rows says that it names every index that is in use"),
    ("source", "With a table: URL of the list where it comes from"),
    ("format", "ndjson, csv or json, rather than as Accept says"),
    ("all", "given-out tells the clear entries as well"),
    ("from", "The index to begin with"),
    ("accreditor", "Requests to this accreditor, by slug or id"),
    ("requester", "Requests by this profile, by slug or id"),
    ("state", "Requests in this state: requested, asked, approved, declined or withdrawn; clients in this one: pending, approved or rejected; to a sign-in, what the client wants to find again in the answer"),
    ("client", "Id of a client: its client_id"),
    ("person", "Id of a person who signs in here"),
    ("client_id", "The client that asks"),
    ("redirect_uri", "Where the client has people sent back to, as it registered that"),
    ("response_type", "code"),
    ("scope", "What the token is to be good for, with spaces between; all that the client may have where nothing is said"),
    ("code_challenge", "SHA-256 of the verifier in base64url (RFC 7636)"),
    ("code_challenge_method", "S256"),
    ("resource", "The public URL of this registry, which is the only one that tokens are for (RFC 8707)"),
    ("sub", "Id of an issuer"),
    ("entity_type", "Subordinates of this type; all here are federation_entity"),
    ("trust_marked", "true or false; all here have a trust mark"),
    ("trust_mark_type", "URL or id of the accreditor's profile"),
    ("intermediate", "Not answered here; leave it out"),
    ("url", "Where a credential stands, which is fetched as far as the policy here allows"),
];

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "A refusal (RFC 9457). Which types each answer may have stands with it under \
            x-problem-types",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "format": "uri", "description": "Which kind of problem; never changes its meaning" },
            "title": { "type": "string", "description": "The kind in words" },
            "status": { "type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status" },
            "detail": { "type": "string", "description": "What is wrong, where, what to do" },
            "pointer": { "type": "string", "description": "JSON pointer to the place" },
            "state": {
                "enum": State::NAMES,
                "description": "Of read-only and not-ready: in which state the registry is",
            },
            "states": {
                "type": "array",
                "description": "Of not-ready: every state that it is in",
                "items": {
                    "type": "object",
                    "required": ["state", "detail", "whatToDo"],
                    "properties": {
                        "state": { "enum": State::NAMES },
                        "detail": { "type": "string", "description": "What happened" },
                        "whatToDo": { "type": "string" },
                    },
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_explained_and_nothing_else() {
        let mut used = Vec::new();
        for route in ROUTES {
            for needed in route.needed {
                assert!(route.query.contains(needed), "{}: {needed}", route.path);
            }
            for parameter in parameters(route) {
                let name = parameter["name"].as_str().unwrap().to_owned();
                let said = parameter["description"].as_str().unwrap_or_default();
                assert!(!said.is_empty(), "{}: {name}", route.path);
                used.push((open_badges::is_below(route.path), name));
            }
        }
        for (of_open_badges, meanings) in [(false, MEANINGS), (true, OPEN_BADGES_MEANINGS)] {
            for (name, _) in meanings {
                let used = used.contains(&(of_open_badges, (*name).to_owned()));
                assert!(used, "{name} is nowhere");
            }
        }
    }
}
