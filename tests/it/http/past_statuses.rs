//! Statuses as they were: `at` in the look-ups.

use goodstanding::time::Clock as _;
use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::house::{House, Plan};
use crate::support::reader::place;

const RETRIEVAL: &str = "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR";

fn now(house: &House) -> String {
    house.clock.now().to_string()
}

fn asked(actor: &Actor<'_>, queries: &Value, at: &str) -> Value {
    let question = json!({ "queries": queries, "at": at });
    actor.post("/status/query", &question).is(200).json()
}

#[test]
fn an_entry_is_told_as_it_was() {
    let house = Plan::new().with_open_history().open();
    let school = house.registrar("school");
    let verifier = house.verifier();
    let unopened = now(&house);
    house.wait(60);
    let list = school.opens_list("suspension");
    let indexes = school.allocates(&list, 2);
    let opened = now(&house);
    house.wait(3_600);
    school.sets(&list, indexes[0], 1).is(200);
    let suspended = now(&house);
    house.wait(3_600);
    school.sets(&list, indexes[0], 0).is(200);
    school.sets(&list, indexes[1], 1).is(200);
    let reinstated = now(&house);
    house.wait(3_600);

    for (at, first, second, outcome, revision) in [
        (&opened, 0, 0, "active", 1),
        (&suspended, 1, 0, "suspended", 2),
        (&reinstated, 0, 1, "active", 4),
        (&now(&house), 0, 1, "active", 4),
    ] {
        let target = format!("/status?list={list}&index={}&at={at}", indexes[0]);
        let said = verifier.get(&target).is(200).json();
        let expected = json!({
            "status": first,
            "purpose": "suspension",
            "valid": first == 0,
            "outcome": outcome,
            "revision": revision,
            "asOf": at,
        });
        assert_eq!(said, expected);
        let queries: Vec<Value> = indexes
            .iter()
            .map(|index| json!({ "list": list, "index": index }))
            .collect();
        let said = asked(&verifier, &json!(queries), at);
        assert_eq!(said["asOf"], *at);
        assert_eq!(said["results"][0]["status"], first);
        assert_eq!(said["results"][1]["status"], second);
    }

    // Before it was opened the list said nothing, and that is not "clear".
    let target = format!("/status?list={list}&index={}&at={unopened}", indexes[0]);
    let refused = verifier.get(&target).problem(404);
    assert_eq!(refused["type"], RETRIEVAL);
    assert!(
        text(&refused["detail"]).contains("was opened at"),
        "{refused}"
    );
    let query = json!([{ "list": list, "index": indexes[0] }]);
    let said = asked(&verifier, &query, &unopened);
    assert_eq!(said["results"][0]["outcome"], "unknown");
    assert_eq!(said["results"][0]["problem"]["type"], RETRIEVAL);
    assert_eq!(said["results"][0].get("status"), None);
}

#[test]
fn a_credential_is_told_as_it_stood_and_was_unknown_before_it_was_seen() {
    let house = House::open();
    let school = house.registrar("school");
    let other = house.registrar("other");
    school.opens_list("revocation");
    let unseen = now(&house);
    house.wait(60);
    let mut unsigned = badge(&school.id, "https://far.example/welding");
    unsigned["credentialStatus"] = json!([
        { "type": "BitstringStatusListEntry", "statusPurpose": "revocation" },
        { "type": "BitstringStatusListEntry", "statusPurpose": "suspension" },
    ]);
    let issued = school.issues(&unsigned);
    let seen = now(&house);
    let (suspensions, index) = place(&issued["credentialStatus"][1]);
    house.wait(60);
    school.sets(&suspensions, index, 1).is(200);
    let suspended = now(&house);
    house.wait(60);
    let (revocations, index) = place(&issued["credentialStatus"][0]);
    school.sets(&revocations, index, 1).is(200);
    let revoked = now(&house);
    house.wait(60);

    let query = json!([{ "credential": issued["id"] }]);
    for (at, outcome, statuses) in [
        (&seen, "active", [0, 0]),
        (&suspended, "suspended", [0, 1]),
        (&revoked, "revoked", [1, 1]),
    ] {
        let said = asked(&school, &query, at);
        let said = &said["results"][0];
        assert_eq!(said["outcome"], outcome, "{at}: {said}");
        let entries = said["entries"].as_array().unwrap().iter();
        let found: Vec<_> = entries.map(|entry| entry["status"].clone()).collect();
        assert_eq!(found, statuses);
        let id = text(&issued["id"]);
        let said = school.get(&format!("/status?credential={id}&at={at}"));
        let said = said.is(200).json();
        assert_eq!(
            (&said["outcome"], &said["asOf"]),
            (&json!(outcome), &json!(at))
        );
    }
    let said = asked(&school, &query, &unseen);
    assert_eq!(said["results"][0]["outcome"], "unknown");
    let id = text(&issued["id"]);
    school
        .get(&format!("/status?credential={id}&at={unseen}"))
        .problem(404);

    // The past is told to whom the present is told.
    let said = asked(&other, &query, &revoked);
    assert_eq!(said["results"][0]["outcome"], "unknown");
    let nobody = house.verifier();
    let question = json!({ "queries": query, "at": revoked });
    nobody.post("/status/query", &question).problem(401);
    nobody
        .get(&format!("/status?credential={id}&at={revoked}"))
        .problem(401);
}

#[test]
fn the_future_and_what_is_no_moment_are_refused() {
    let house = Plan::new().with_open_history().open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let verifier = house.verifier();
    let entry = json!([{ "list": list, "index": 0 }]);
    for (at, words) in [
        ("2026-03-01T09:00:00.001Z", "is in the future"),
        ("yesterday", "RFC 3339"),
        ("2026-03-01", "RFC 3339"),
        ("", "RFC 3339"),
    ] {
        let question = json!({ "queries": entry, "at": at });
        let refused = verifier.post("/status/query", &question).problem(400);
        assert_eq!(refused["pointer"], "/at");
        assert!(text(&refused["detail"]).contains(words), "{refused}");
        let target = format!("/status?list={list}&index=0&at={at}");
        let refused = verifier.get(&target).problem(400);
        assert_eq!(refused["pointer"], "?at");
        assert!(text(&refused["detail"]).contains(words), "{refused}");
    }
    let question = json!({ "queries": entry, "at": 7 });
    verifier.post("/status/query", &question).problem(400);
    let target = format!("/status?list={list}&index=0&at=2026-03-01T09:00:00Z");
    verifier
        .get(&format!("{target}&at=2026-03-01T09:00:00Z"))
        .problem(400);
    assert_eq!(verifier.get(&target).is(200).json()["status"], 0);
}
