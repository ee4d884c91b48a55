//! `Idempotency-Key`: two requests with one key are one request.

use std::thread;

use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::client::Answer;
use crate::support::house::House;
use crate::support::reader::ones;

fn keyed(actor: &Actor<'_>, key: &str, target: &str, body: &Value) -> Answer {
    actor.call("POST", target).key(key).json(body).send()
}

fn endorsing(board: &Actor<'_>, subject: &str) -> Value {
    json!({
        "endorser": board.slug, "name": "x", "subject": { "id": subject, "kind": "credential" },
    })
}

#[test]
fn a_request_that_is_sent_again_is_answered_again_and_done_once() {
    let house = House::open();
    let operator = house.operator();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let list = school.opens_list("revocation");
    let given = school.allocates(&list, 10);
    let update = json!({ "updates": [{ "index": given[0], "status": 1 }] });
    let opened = json!({ "issuer": "school", "statusPurpose": "suspension" });
    let profile = json!({ "slug": "new", "name": "New", "roles": ["issuer"] });
    let achievement = json!({ "name": "X", "description": "x", "criteria": { "narrative": "x" } });
    let issue = json!({ "credential": badge(&school.id, "https://far.example/welding") });
    let entries = format!("{list}/entries");
    let updates = format!("{list}/updates");
    let ids = |second: &str| json!({ "credentialIds": ["urn:a", second] });
    let named = |mut body: Value, name: &str| {
        body["name"] = json!(name);
        body
    };
    let mut other_issue = issue.clone();
    other_issue["credential"]["name"] = json!("Y");
    let other_update = json!({ "updates": [{ "index": given[1], "status": 1 }] });
    let other_list = json!({ "issuer": "school", "statusPurpose": "refresh" });
    let achievements = "/profiles/school/achievements";
    let (x, y) = (endorsing(&board, "urn:x"), endorsing(&board, "urn:y"));
    let other_profile = named(profile.clone(), "Newer");
    let other_achievement = named(achievement.clone(), "Y");
    let (five, six) = (json!({ "count": 5 }), json!({ "count": 6 }));
    let cases: [(&Actor<'_>, &str, &Value, &Value); 8] = [
        (&school, &entries, &five, &six),
        (&school, &entries, &ids("urn:b"), &ids("urn:c")),
        (&school, &updates, &update, &other_update),
        (&school, "/status-lists", &opened, &other_list),
        (&school, "/credentials/issue", &issue, &other_issue),
        (&school, achievements, &achievement, &other_achievement),
        (&board, "/endorsements", &x, &y),
        (&operator, "/profiles", &profile, &other_profile),
    ];
    for (n, (actor, target, body, other)) in cases.into_iter().enumerate() {
        let key = format!("key-{n}");
        let first = keyed(actor, &key, target, body);
        assert!(
            matches!(first.status, 200 | 201),
            "{target}: {}",
            first.text()
        );
        let stored = house.store();
        house.wait(60);
        let again = keyed(actor, &key, target, body);
        assert_eq!(
            (again.status, again.json()),
            (first.status, first.json()),
            "{target}"
        );
        assert_eq!(again.header("location"), first.header("location"));
        assert!(house.store() == stored, "{target}: done twice");
        let problem = keyed(actor, &key, target, other).problem(422);
        let kind = "urn:goodstanding:problem:idempotency-key-reused";
        assert_eq!(problem["type"], kind, "{target}");
        assert!(house.store() == stored, "{target}");
        // It was the key alone that stood in the way.
        let fresh = keyed(actor, &format!("other-{n}"), target, other).status;
        assert!(matches!(fresh, 200 | 201 | 409), "{target}: {fresh}");
    }
}

#[test]
fn a_key_is_its_callers_own_and_ends() {
    let house = House::open();
    let school = house.registrar("school");
    let other = house.registrar("other");
    let [list, others] = [&school, &other].map(|actor| actor.opens_list("revocation"));
    let body = json!({ "count": 3 });
    let first = keyed(&school, "k", &format!("{list}/entries"), &body).is(200);
    // Neither another caller nor another address is that request.
    keyed(&other, "k", &format!("{others}/entries"), &body).is(200);
    let second = school.opens_list("suspension");
    keyed(&school, "k", &format!("{second}/entries"), &body).problem(422);
    house.wait(86_399);
    let again = keyed(&school, "k", &format!("{list}/entries"), &body).is(200);
    assert_eq!(again.json(), first.json());
    house.wait(1);
    let fresh = keyed(&school, "k", &format!("{list}/entries"), &body).is(200);
    assert_ne!(fresh.json(), first.json());
}

#[test]
fn the_first_answer_stays_the_answer_when_the_world_moves_on() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("suspension");
    let index = school.allocates(&list, 1)[0];
    let target = format!("{list}/updates");
    let set = json!({ "updates": [{ "index": index, "status": 1 }] });
    let first = keyed(&school, "set", &target, &set).is(200);
    school.sets(&list, index, 0).is(200);
    let again = keyed(&school, "set", &target, &set).is(200);
    assert_eq!(again.json(), first.json());
    assert_eq!(
        school.looks_up(&list, index)["outcome"],
        "active",
        "not set a second time"
    );
}

#[test]
fn a_change_of_an_endorsement_is_answered_again_as_it_was() {
    let house = House::open();
    let board = house.accreditor("board");
    let endorsement = board.endorses("urn:x", "credential", true);
    let id = text(&endorsement["id"]);
    let body = json!({ "reason": "a complaint" });
    let suspend = || keyed(&board, "k", &format!("{id}/suspend"), &body);
    let first = suspend().is(200);
    assert_eq!(first.json()["outcome"], "suspended");
    board.does("reinstate", &endorsement).is(200);
    let again = suspend().is(200);
    assert_eq!(
        board.asks_about(&["urn:x"])[0]["outcome"],
        "active",
        "not done twice"
    );
    assert_eq!(again.json()["outcome"], first.json()["outcome"]);
    assert_eq!(again.json(), first.json());
}

#[test]
fn a_change_that_was_made_is_not_refused_when_it_is_sent_again() {
    let house = House::open();
    let board = house.accreditor("board");
    let endorsement = board.endorses("urn:x", "credential", true);
    let id = text(&endorsement["id"]);
    let suspend = || keyed(&board, "k", &format!("{id}/suspend"), &json!({}));
    suspend().is(200);
    board.does("revoke", &endorsement).is(200);
    suspend().is(200);
}

/// What others may read is shown as it stands: neither a name that was erased nor a key or a list as
/// it was before a revocation comes back by asking again.
#[test]
fn what_was_made_is_shown_as_it_is_now() {
    let house = House::open();
    let operator = house.operator();
    let profile = json!({ "slug": "new", "name": "New", "roles": ["issuer"] });
    let make = || keyed(&operator, "k", "/profiles", &profile);
    let first = make().is(201);
    let renamed = json!({ "name": "Newer", "roles": ["issuer"] });
    let call = operator.call("PUT", "/profiles/new");
    call.key("k2").json(&renamed).send().is(200);
    let again = make().is(201);
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.json()["id"], first.json()["id"]);
    assert_eq!(again.json()["name"], "Newer");
    let retire = || keyed(&operator, "k3", "/keys/key-1/retire", &json!({}));
    operator.post("/keys", &json!({})).is(201);
    house.wait(3_600);
    retire().is(200);
    let since = json!({ "since": house.now() });
    operator.post("/keys/key-1/revoke", &since).is(200);
    assert!(retire().is(200).json()["revokedSince"].is_string());
}

/// What was refused is not kept: the same request may be good a moment later.
#[test]
fn a_refusal_is_not_the_answer_for_ever() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let body = json!({ "updates": [{ "credentialId": "urn:c", "status": 1 }] });
    let revoke = || keyed(&school, "k", &format!("{list}/updates"), &body);
    let stored = house.store();
    revoke().problem(422);
    assert!(house.store() == stored);
    let ids = json!({ "credentialIds": ["urn:c"] });
    school.post(&format!("{list}/entries"), &ids).is(200);
    let done = revoke().is(200);
    assert_eq!(revoke().is(200).json(), done.json());
}

#[test]
fn the_query_is_part_of_the_request() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let index = school.allocates(&list, 1)[0];
    let line = format!("{{\"index\":{index},\"status\":1}}\n");
    let send = |reason: &str| {
        let call = school
            .call("POST", &format!("{list}/updates?reason={reason}"))
            .key("k");
        call.body("application/x-ndjson", line.clone()).send()
    };
    send("fraud").is(200);
    send("fraud").is(200);
    send("typo").problem(422);
}

#[test]
fn one_key_from_many_threads_is_one_request() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let list = school.opens_list("revocation");
    let given = school.allocates(&list, 20);
    let target = format!("{list}/entries");
    let same = |actor: &Actor<'_>, target: &str, body: &Value| -> Value {
        let answers: Vec<Answer> = thread::scope(|scope| {
            let send = || keyed(actor, "same", target, body);
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(send)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        for answer in &answers {
            assert_eq!(answer.status, answers[0].status, "{}", answer.text());
            assert_eq!(answer.json(), answers[0].json());
        }
        answers[0].json()
    };
    let entries = same(&school, &target, &json!({ "count": 7 }));
    assert_eq!(entries["entries"].as_array().map(Vec::len), Some(7));
    let rest = json!({ "count": 100_000 });
    school.post(&target, &rest).is(200);
    let full = school.post(&target, &rest).problem(409);
    assert_eq!(full["remaining"], 131_072 - 100_000 - 20 - 7, "taken once");

    let other = house.registrar("other");
    let theirs = other.opens_list("revocation");
    let index = other.allocates(&theirs, 1)[0];
    let body = json!({ "updates": [{ "index": index, "status": 1 }] });
    let done = same(&other, &format!("{theirs}/updates"), &body);
    assert_eq!(
        (&done["revision"], &done["applied"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(ones(&other.reads(&theirs)), 1);
    assert_eq!(ones(&school.reads(&list)), 0, "{given:?}");

    let made = same(&board, "/endorsements", &endorsing(&board, "urn:x"));
    let listed = &board.asks_about(&["urn:x"])[0]["endorsements"];
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!(listed[0]["credential"], made["verifiableCredential"]);
}
