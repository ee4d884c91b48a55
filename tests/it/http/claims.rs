//! What one profile claims of an id decides nothing for another, and a thing has one name here.

use serde_json::json;

use crate::support::actors::{badge, text};
use crate::support::house::{House, Plan};

#[test]
fn a_stranger_who_takes_an_entry_for_an_id_does_not_make_it_a_credential() {
    let house = House::open();
    let stranger = house.registrar("stranger");
    let board = house.accreditor("board");
    let achievement = "https://far.example/welding";
    let list = stranger.opens_list("revocation");
    let claim = json!({ "credentialIds": [achievement] });
    stranger.post(&format!("{list}/entries"), &claim).is(200);
    board
        .asks_to_endorse(achievement, "achievement", false)
        .is(201);
}

#[test]
fn a_stranger_does_not_revoke_a_credential_by_claiming_its_id() {
    let house = Plan::new().in_development().open();
    let anybody = house.verifier();
    for slug in ["school", "stranger"] {
        let body = json!({ "slug": slug, "name": slug, "roles": ["issuer"] });
        anybody.post("/profiles", &body).is(201);
    }
    let issued = anybody.issues(&badge("school", "https://far.example/welding"));
    let id = text(&issued["id"]);
    let body = json!({ "issuer": "stranger", "statusPurpose": "revocation" });
    let list = text(&anybody.post("/status-lists", &body).is(201).json()["id"]);
    let claim = json!({ "credentialIds": [id] });
    anybody.post(&format!("{list}/entries"), &claim).is(200);
    let revoke = json!({ "updates": [{ "credentialId": id, "status": 1 }] });
    anybody.post(&format!("{list}/updates"), &revoke).is(200);

    assert_eq!(anybody.verifies(&issued)["outcome"], "active");
    // Neither speaks for the other, so without a word on whose is meant nothing is known.
    let target = format!("/status?credential={id}");
    assert_eq!(anybody.get(&target).is(200).json()["outcome"], "unknown");
    let school = text(&issued["issuer"]["id"]);
    for (issuer, outcome) in [
        (&*school, "active"),
        ("school", "active"),
        ("stranger", "revoked"),
    ] {
        let asked: String = url::form_urlencoded::byte_serialize(issuer.as_bytes()).collect();
        let told = anybody.get(&format!("{target}&issuer={asked}")).is(200);
        assert_eq!(told.json()["outcome"], outcome, "{issuer}");
        let query = json!({ "queries": [{ "credential": id, "issuer": issuer }] });
        let told = anybody.post("/status/query", &query).is(200).json();
        assert_eq!(told["results"][0]["outcome"], outcome, "{issuer}");
    }
}

#[test]
fn another_spelling_of_an_address_here_is_no_address_elsewhere() {
    let house = House::open();
    let board = house.accreditor("board");
    let mut taken = Vec::new();
    for own in [
        "https://REGISTRY.example/profiles/board",
        "HTTPS://registry.example/profiles/board",
        "https://registry.example:443/profiles/board",
        "https://registry.example/profiles/./board",
        "https://registry.example/profiles/%62oard",
        "https://registry.example/profiles/board#",
        "https://registry.example/profiles/board?x",
        "https://registry.example/profiles/board/",
        "did:web:registry.example:profiles:board#key-1",
        "did:web:REGISTRY.example:profiles:board",
    ] {
        let before = house.store();
        let answer = board.asks_to_endorse(own, "profile", false);
        if matches!(answer.status, 400 | 422) {
            answer.problem(answer.status);
            assert!(house.store() == before, "{own}: something was stored");
        } else {
            taken.push((own, answer.status));
        }
    }
    assert!(taken.is_empty(), "endorsed as if elsewhere: {taken:#?}");
}

#[test]
fn an_endorsement_is_a_credential_that_can_be_endorsed() {
    let house = House::open();
    let [north, south] = ["north", "south"].map(|slug| house.accreditor(slug));
    let school = house.registrar("school");
    let endorsement = north.endorses(&school.id, "profile", false);
    let id = text(&endorsement["id"]);
    south.asks_to_endorse(&id, "profile", false).problem(422);
    south.asks_to_endorse(&id, "credential", false).is(201);
    assert_eq!(house.verifier().asks_about(&[&id])[0]["outcome"], "active");
}
