//! Holds what is answered when all is well against the registry's own description: a member that is not described
//! is noticed by whichever test meets it.

use std::cell::Cell;
use std::sync::LazyLock;

use goodstanding::http::routes::ROUTES;
use serde_json::Value;

use super::client::{Answer, Connection};
use super::house::House;

/// The description, which no test changes.
static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let house = House::open();
    let request = "GET /openapi.json HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let address = house.address;
    Connection::open(address)
        .send_bytes(request.as_bytes())
        .json()
});

thread_local! {
    /// Whether the description is being had, which takes answers itself.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// Holds an answer to a request against the description of its route.
#[track_caller]
pub(super) fn fits(method: &str, target: &str, answer: &Answer) {
    let media = answer.header("content-type").unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default();
    if !matches!(answer.status, 200 | 201) || !media.ends_with("json") || answer.body.is_empty() {
        return;
    }
    let Some(route) = route(method, target) else {
        return;
    };
    if ASKING.replace(true) {
        return;
    }
    let operation = &DESCRIPTION["paths"][route][method.to_lowercase()];
    ASKING.set(false);
    let content = &operation["responses"][answer.status.to_string()]["content"];
    let schema = &content[media]["schema"];
    let Ok(answer) = serde_json::from_slice::<Value>(&answer.body) else {
        return;
    };
    if let Some(differs) = differs(schema, &answer, "") {
        panic!("{method} {route} is not as it is described: {differs}: {answer}");
    }
}

/// What is not as the schema says, and where. The words that the description of answers is made of are read;
/// another reader of schemas is held against all of them in interop/contract.rs.
pub(crate) fn differs(schema: &Value, is: &Value, at: &str) -> Option<String> {
    if let Some(either) = schema["anyOf"].as_array() {
        let found: Vec<_> = either.iter().map(|one| differs(one, is, at)).collect();
        return found
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .map(|found| found.join("; or "));
    }
    let kind = match is {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = match &schema["type"] {
        Value::String(one) => one == kind,
        Value::Array(several) => several.iter().any(|one| one == kind),
        _ => true,
    };
    if !fits {
        return Some(format!("{at} is of type {kind}, not {}", schema["type"]));
    }
    if let Some(items) = is.as_array() {
        let mut items = items.iter().enumerate();
        return items
            .find_map(|(place, item)| differs(&schema["items"], item, &format!("{at}/{place}")));
    }
    let required = schema["required"].as_array().into_iter().flatten();
    let mut missing = required
        .filter_map(Value::as_str)
        .filter(|name| is.get(name).is_none());
    if let Some(missing) = missing.next() {
        return Some(format!("{at} has no {missing}"));
    }
    let mut members = is.as_object().into_iter().flatten();
    members.find_map(|(name, value)| match &schema["properties"][name] {
        Value::Null if schema["additionalProperties"] == false => {
            Some(format!("{at} has a {name}"))
        }
        described => differs(described, value, &format!("{at}/{name}")),
    })
}

/// The path, as the table writes it, that a request goes to.
fn route(method: &str, target: &str) -> Option<&'static str> {
    let path = target.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').collect();
    let fits = |known: &str| {
        let known: Vec<&str> = known.split('/').collect();
        let same =
            |(known, is): (&&str, &&str)| known == is || known.starts_with('{') && !is.is_empty();
        known.len() == segments.len() && known.iter().zip(&segments).all(same)
    };
    let mut routes = ROUTES
        .iter()
        .filter(|known| known.method == method && fits(known.path));
    // One without a place in it goes before one with.
    let first = routes.next()?.path;
    Some(
        routes
            .map(|known| known.path)
            .find(|path| *path == target)
            .unwrap_or(first),
    )
}
