//! The contract, described from the table of routes: OpenAPI 3.1 for programs, a page for people.

use serde_json::{Map, Value, json};

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::routes::{Access, ROUTES, Route};
use crate::web::{DocsPage, RouteLine};

pub(super) fn show(edge: &Edge, _: &Request) -> Result<Reply, Problem> {
    let description = describe(edge.registry.urls().origin());
    Ok(Reply::json(200, &description).fresh_for(edge.cache.description))
}

pub(super) fn page(edge: &Edge, _: &Request) -> Result<Reply, Problem> {
    let routes = ROUTES.iter().map(|route| RouteLine {
        method: route.method,
        path: route.path,
        summary: route.summary,
        needs_token: route.access == Access::Token,
    });
    let page = DocsPage {
        routes: routes.collect(),
    };
    Ok(Reply::html(page.html()).fresh_for(edge.cache.description))
}

/// The OpenAPI 3.1 description of this registry.
pub(super) fn describe(origin: &str) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    schemas.insert("Problem".into(), problem_schema());
    for route in ROUTES {
        let operations = paths.entry(route.path).or_insert_with(|| json!({}));
        operations[route.method.to_lowercase()] = operation(route, &mut schemas);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Goodstanding",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Is this credential in good standing, and who stands behind its issuer?",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": origin }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn operation(route: &Route, schemas: &mut Map<String, Value>) -> Value {
    let mut operation = json!({
        "summary": route.summary,
        "operationId": operation_id(route),
        "parameters": parameters(route),
        "responses": {
            route.success.to_string(): answer(route),
            "default": {
                "description": "A problem (RFC 9457)",
                "content": { "application/problem+json": {
                    "schema": { "$ref": "#/components/schemas/Problem" }
                } },
            },
        },
    });
    if route.access == Access::Token {
        operation["security"] = json!([{ "token": [] }]);
    }
    if let Some(body) = &route.body {
        let name = (body.name)().into_owned();
        let mut parts = Vec::new();
        (body.parts)(&mut parts);
        parts.push((name.clone(), (body.schema)()));
        for (name, schema) in parts {
            let schema = serde_json::to_value(schema).expect("a schema has string keys only");
            schemas.insert(name, schema);
        }
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": {
                "schema": { "$ref": format!("#/components/schemas/{name}") }
            } },
        });
    }
    operation
}

/// The answer when all is well: its media types, and the members that its JSON always has.
fn answer(route: &Route) -> Value {
    let content: Map<String, Value> = route
        .media
        .iter()
        .map(|media| {
            let schema = match media.ends_with("json") || media.ends_with("/vc") {
                true => json!({ "type": "object", "required": route.members }),
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
    let of_path = route.path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        Some(
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }),
        )
    });
    let of_query = route.query.iter().map(|name| {
        json!({ "name": name, "in": "query", "required": false, "schema": { "type": "string" } })
    });
    let key = json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "Two requests with one key are one request",
        "schema": { "type": "string", "maxLength": 255 },
    });
    let changes = route.method == "POST" && route.access == Access::Token;
    of_path
        .chain(of_query)
        .chain(changes.then_some(key))
        .collect()
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "format": "uri", "description": "Stable" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What is wrong, where, what to do" },
            "pointer": { "type": "string", "description": "JSON pointer to the place" },
        },
    })
}
