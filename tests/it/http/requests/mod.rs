//! Requests for endorsements.

mod once;
mod refused;
mod seen;

use serde_json::{Value, json};

use crate::support::actors::{Actor, text};
use crate::support::client::Answer;

pub(super) const REQUESTS_PATH: &str = "/endorsement-requests";

pub(super) fn request(board: &Actor<'_>, subject: &str, kind: &str) -> Value {
    json!({
        "accreditor": board.slug,
        "subject": { "id": subject, "kind": kind },
        "name": "Quality label",
    })
}

pub(super) fn asks(actor: &Actor<'_>, board: &Actor<'_>) -> String {
    let asked = actor.post(REQUESTS_PATH, &request(board, &actor.id, "profile"));
    text(&asked.is(201).json()["id"])
}

pub(super) fn step(actor: &Actor<'_>, request: &str, step: &str) -> Answer {
    actor.post(&format!("{request}/{step}"), &words(step))
}

/// A body that the step takes.
pub(super) fn words(step: &str) -> Value {
    match step {
        "decline" => json!({ "reason": "No visit." }),
        "ask" => json!({ "question": "When?" }),
        "answer" => json!({ "answer": "In May." }),
        _ => json!({}),
    }
}

pub(super) const STEPS: [&str; 5] = ["approve", "decline", "ask", "answer", "withdraw"];

pub(super) fn listed(actor: &Actor<'_>, query: &str) -> Vec<String> {
    let answer = actor.get(&format!("{REQUESTS_PATH}{query}")).is(200).json();
    let items = answer["requests"].as_array().unwrap();
    items.iter().map(|item| text(&item["id"])).collect()
}

pub(super) fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

pub(super) fn endorsements(actor: &Actor<'_>, subject: &Actor<'_>) -> Vec<Value> {
    let found = actor.asks_about(&[&subject.id]);
    found[0]["endorsements"].as_array().unwrap().clone()
}
