//! The registry as a federation (OpenID Federation 1.0) and as the document of issuers that the
//! DCC's clients read. Shapes are those of the standard's sections 3, 7 and 8 and of the DCC's
//! published registries.

mod document;
mod limits;
mod model;
mod statements;
mod trust_marks;

use serde_json::{Value, json};

use crate::support::actors::{Actor, text};
use crate::support::client::Answer;
use crate::support::house::House;
use crate::support::jwt::open;

const OUTSIDE: &str = "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";

fn ask(house: &House, target: &str) -> Answer {
    house.call("GET", target).send()
}

fn registry(house: &House) -> Value {
    let answer = ask(house, "/registry.json").is(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

fn listed(house: &House) -> Vec<String> {
    let registry = registry(house);
    let mut ids: Vec<String> = registry["registry"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    ids.sort();
    let mut same = ids_at(house, "/federation/list");
    same.sort();
    assert_eq!(ids, same, "one list, in two shapes");
    ids
}

fn ids_at(house: &House, target: &str) -> Vec<String> {
    let answer = ask(house, target).is(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let ids = answer.json();
    ids.as_array().expect("an array").iter().map(text).collect()
}

/// The claims of an answer that is a JWT of this type, by a key in the entity configuration.
#[track_caller]
fn claims(house: &House, answer: &Answer, typ: &str) -> Value {
    let media_type = answer.header("content-type").map(str::to_owned);
    assert_eq!(
        media_type,
        Some(format!("application/{typ}")),
        "{}",
        answer.text()
    );
    let own = ask(house, "/.well-known/openid-federation").is(200).text();
    let keys = ask(house, "/.well-known/jwks.json").is(200).json();
    let (_, own) = open(&own, "entity-statement+jwt", &keys);
    open(&answer.text(), typ, &own["jwks"]).1
}

fn fetch(house: &House, sub: &str) -> Answer {
    ask(house, &format!("/federation/fetch?sub={}", encoded(sub)))
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// An error as section 8.9 wants it, and what a problem document has beside it.
#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    assert_eq!(body["error"], error, "{body}");
    assert!(!text(&body["error_description"]).is_empty(), "{body}");
    assert_eq!(body["status"], status, "{body}");
    body
}

fn with_period(board: &Actor<'_>, subject: &str, from: &str, until: &str) {
    let body = json!({
        "endorser": board.slug,
        "subject": { "id": subject, "kind": "profile" },
        "name": "For a while",
        "validFrom": from,
        "validUntil": until,
    });
    board.post("/endorsements", &body).is(201);
}
