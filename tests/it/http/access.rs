//! Who may do what, and who hears of what.

use goodstanding::access::OPEN_BADGES_PATH;
use goodstanding::http::routes::ROUTES;
use serde_json::json;

use crate::support::actors::{badge, text};
use crate::support::house::House;

/// A path of a route, with something in place of each parameter.
fn concrete(path: &str) -> String {
    let part = |part: &str| {
        if part.starts_with('{') {
            "x".to_owned()
        } else {
            part.to_owned()
        }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn a_change_takes_a_token_before_its_body_is_looked_at() {
    let house = House::open();
    let before = house.store();
    let guarded: Vec<_> = ROUTES.iter().filter(|r| r.access.is_private()).collect();
    assert!(guarded.len() > 10);
    for route in guarded {
        for header in [
            None,
            Some("Bearer nobody"),
            Some("Basic b3BlcmF0b3I6eA=="),
            Some("Bearer"),
        ] {
            let call = house.call(route.method, &concrete(route.path));
            let mut call = call.body("text/plain", "}{ not JSON at all \u{1}");
            if let Some(header) = header {
                call = call.header("Authorization", header);
            }
            let answer = call.send();
            if route.path.starts_with(OPEN_BADGES_PATH) {
                // It refuses in words of its own (open_badges_api.rs).
                assert_eq!(answer.status, 401);
            } else {
                let problem = answer.problem(401);
                assert_eq!(problem["type"], "urn:goodstanding:problem:unauthenticated");
            }
            let challenge = answer.header("www-authenticate").expect("a challenge");
            assert!(challenge.starts_with("Bearer realm="), "{challenge}");
            assert_eq!(challenge.contains("invalid_token"), header.is_some());
        }
    }
    assert_eq!(house.store(), before);
}

#[test]
fn a_token_lasts_its_time_and_no_longer() {
    let house = House::open();
    house.registrar("school");
    let body = json!({ "profile": "school", "expiresIn": 60 });
    let made = house.operator().post("/tokens", &body).is(201).json();
    assert_eq!(made["expires"], "2026-03-01T09:01:00Z");
    let token = text(&made["token"]);
    let keys = || {
        house
            .call("GET", "/profiles/school/keys")
            .token(&token)
            .send()
    };
    keys().is(200);
    house.wait(59);
    keys().is(200);
    house.wait(1);
    keys().problem(401);
    let secret = token.as_bytes();
    let leaks = |row: &(Vec<u8>, Vec<u8>)| row.1.windows(secret.len()).any(|part| part == secret);
    assert!(!house.store().iter().any(leaks), "tokens are kept hashed");
}

#[test]
fn a_token_is_made_by_the_operator_and_revoked_by_whom_it_speaks_for() {
    let house = House::open();
    let operator = house.operator();
    let school = house.registrar("school");
    let stranger = house.registrar("stranger");
    let own = json!({ "profile": "school" });
    let made = operator.post("/tokens", &own).is(201).json();
    let before = house.store();
    // Nobody trades a token for one that is good for longer, or for more.
    for body in [&own, &json!({ "profile": "stranger" }), &json!({})] {
        school.post("/tokens", body).problem(403);
    }
    for bad in [
        json!({ "expiresIn": 0 }),
        json!({ "expiresIn": 40_000_000 }),
    ] {
        let refused = operator.post("/tokens", &bad).problem(400);
        assert_eq!(refused["pointer"], "/expiresIn");
    }
    let target = format!("/tokens/{}/revoke", text(&made["id"]));
    // That there is such a token is nobody else's business.
    let hidden = stranger.call("POST", &target).send().problem(404);
    let absent = format!("/tokens/{}/revoke", "A".repeat(22));
    let none = stranger.call("POST", &absent).send().problem(404);
    assert_eq!(hidden["title"], none["title"]);
    assert_eq!(house.store(), before);

    let token = text(&made["token"]);
    let keys = || {
        let call = house.call("GET", "/profiles/school/keys");
        call.token(&token).send()
    };
    keys().is(200);
    school.call("POST", &target).send().is(204);
    keys().problem(401);
}

#[test]
fn a_token_is_shown_once_and_made_once() {
    let house = House::open();
    house.registrar("school");
    let operator = house.operator();
    let body = json!({ "profile": "school" });
    let make = || operator.call("POST", "/tokens").key("k").json(&body).send();
    let made = make().is(201).json();
    let before = house.store();
    let refused = make().problem(409);
    assert!(
        refused.to_string().contains(&text(&made["id"])),
        "{refused}"
    );
    assert!(!refused.to_string().contains(&text(&made["token"])));
    assert_eq!(house.store(), before);
}

#[test]
fn what_belongs_to_another_is_not_changed() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let stranger = house
        .operator()
        .registers("stranger", &["issuer", "accreditor"], "did:web");
    let list = school.opens_list("revocation");
    let index = school.allocates(&list, 1)[0];
    let endorsement = board.endorses(&school.id, "profile", true);
    let before = house.store();
    stranger
        .post(&format!("{list}/entries"), &json!({ "count": 1 }))
        .problem(403);
    stranger.sets(&list, index, 1).problem(403);
    let opened = json!({ "issuer": "school", "statusPurpose": "revocation" });
    stranger.post("/status-lists", &opened).problem(403);
    let beside = json!({
        "issuer": "stranger", "statusPurpose": "suspension", "pairedWith": list,
    });
    stranger.post("/status-lists", &beside).problem(403);
    for action in ["revoke", "suspend", "reinstate"] {
        stranger.does(action, &endorsement).problem(403);
    }
    let unsigned = badge(&school.id, "https://far.example/welding");
    stranger.asks_to_issue(&unsigned).problem(403);
    board
        .asks_to_issue(&badge(&board.id, "https://far.example/x"))
        .problem(403);
    assert_eq!(house.store(), before);
}

#[test]
fn the_status_of_a_credential_by_its_id_is_told_to_its_owner_alone() {
    let house = House::open();
    let school = house.registrar("school");
    let stranger = house.registrar("stranger");
    let badge = school.issues(&badge(&school.id, "https://far.example/welding"));
    let id = text(&badge["id"]);
    let target = format!("/status?credential={id}");
    house.call("GET", &target).send().problem(401);
    let told = school.get(&target).is(200).json();
    assert_eq!(
        (&told["credential"], &told["outcome"]),
        (&json!(id), &json!("active"))
    );
    assert_eq!(
        told["entries"][0]["list"],
        badge["credentialStatus"]["statusListCredential"]
    );
    house.operator().get(&target).is(200);

    // To others it is as if there were none.
    let hidden = stranger.get(&target).problem(404);
    let none = stranger.get("/status?credential=urn:none").problem(404);
    assert_eq!(hidden["type"], none["type"]);
    let queries = json!({ "queries": [{ "credential": id }] });
    house
        .verifier()
        .post("/status/query", &queries)
        .problem(401);
    let told = school.post("/status/query", &queries).is(200).json();
    assert_eq!(told["results"][0]["outcome"], "active");
    let told = stranger.post("/status/query", &queries).is(200).json();
    assert_eq!(told["results"][0]["outcome"], "unknown");
    let change = json!({
        "credentialId": id,
        "credentialStatus": { "type": "BitstringStatusListEntry", "statusPurpose": "revocation" },
        "status": true,
    });
    stranger.post("/credentials/status", &change).problem(404);
    assert_eq!(school.get(&target).is(200).json()["outcome"], "active");
}

#[test]
fn an_answer_for_one_caller_is_not_left_in_a_shared_cache() {
    let house = House::open();
    let school = house.registrar("school");
    let badge = school.issues(&badge(&school.id, "https://far.example/welding"));
    let target = format!("/status?credential={}", text(&badge["id"]));
    let answer = school.get(&target).is(200);
    let policy = answer.header("cache-control").unwrap_or_default();
    let kept_apart = policy.contains("no-store") || policy.contains("private");
    assert!(kept_apart && !policy.contains("public"), "{policy}");
}

#[test]
fn the_keys_of_a_profile_are_listed_to_its_owner_alone() {
    let house = House::open();
    let school = house.registrar("school");
    let stranger = house.registrar("stranger");
    school.get("/profiles/school/keys").is(200);
    house.operator().get("/profiles/school/keys").is(200);
    stranger.get("/profiles/school/keys").problem(404);
}
