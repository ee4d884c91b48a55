//! What is told of moments in the past, where more is known now than was then, or less is kept.

use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::house::House;

fn told(verifier: &Actor<'_>, subject: &str, at: &str) -> (String, String) {
    let question = json!({ "subjects": [subject], "at": at });
    let answer = verifier.post("/endorsements/query", &question).is(200);
    let result = answer.json()["results"][0].clone();
    (text(&result["outcome"]), text(&result["reason"]))
}

fn stands(asker: &Actor<'_>, question: &Value) -> Value {
    let answer = asker.post("/standing/query", question).is(200).json();
    answer["results"][0].clone()
}

/// Endorses a thing as it is now, by the digest of what is served at `target`.
fn endorses_this_version(board: &Actor<'_>, subject: &str, kind: &str, target: &str) {
    use base64::Engine as _;
    use sha2::{Digest as _, Sha256};
    let shown = board.get(target).is(200).body;
    let multihash = [&[0x12, 0x20], &Sha256::digest(&shown)[..]].concat();
    let digest = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(multihash);
    let body = json!({
        "endorser": board.slug, "name": "As it is now",
        "subject": { "id": subject, "kind": kind, "digestMultibase": format!("u{digest}") },
    });
    board.post("/endorsements", &body).is(201);
}

#[test]
fn nothing_was_known_of_who_was_not_registered_yet() {
    let house = House::open();
    house.accreditor("board");
    let before = house.now();
    house.wait(60);
    let school = house.registrar("school");
    let welding = school.defines("Welding");
    let verifier = house.verifier();
    for subject in [&school.id, &welding] {
        let unknown = ("unknown".to_owned(), "unknown-subject".to_owned());
        assert_eq!(told(&verifier, subject, &before), unknown);
        let nobody = ("not-endorsed".to_owned(), "no-endorsement".to_owned());
        assert_eq!(told(&verifier, subject, &house.now()), nobody);
    }
}

#[test]
fn trying_a_decision_first_tells_what_it_would_do_and_no_more() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let body = json!({
        "endorser": "board", "subject": { "id": school.id, "kind": "profile" },
        "name": "For some weeks", "validUntil": "2026-03-20T09:00:00Z", "suspendable": true,
    });
    let made = board.post("/endorsements", &body).is(201).json();
    let endorsement = text(&made["verifiableCredential"]["id"]);
    let tries = |action: &str| {
        let operator = house.operator();
        let target = format!("{endorsement}/{action}");
        let answer = operator.post(&target, &json!({ "dryRun": true })).is(200);
        answer.json()["affected"]["endorsements"].clone()
    };
    assert_eq!(tries("suspend"), 1);
    house.wait(10 * 86_400);
    board
        .post(&format!("{endorsement}/suspend"), &json!({}))
        .is(200);
    assert_eq!(tries("reinstate"), 1);
    // What is over does not come back.
    house.wait(15 * 86_400);
    assert_eq!(tries("reinstate"), 0);
}

#[test]
fn what_a_lost_key_had_signed_before_stood_then_too() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    board.endorses(&school.id, "profile", false);
    let mut unsigned = badge(&school.id, &school.defines("Welding"));
    unsigned["validFrom"] = "2026-01-01T00:00:00Z".into();
    let issued = school.issues(&unsigned);
    house.wait(60);
    let meanwhile = house.now();
    house.wait(60);
    let since = house.now();
    house.wait(60);
    // Signed by whoever had the key then, and dated back.
    let later = school.issues(&unsigned);
    let revoked = school.post(
        "/profiles/school/keys/key-1/revoke",
        &json!({ "since": since }),
    );
    revoked.is(200);
    let verifier = house.verifier();
    for at in [&meanwhile, &since, &house.now()] {
        let told = |credential: &Value| {
            stands(&verifier, &json!({ "credentials": [credential], "at": at }))
        };
        let (good, bad) = (told(&issued), told(&later));
        assert_eq!(
            (&good["verified"], &good["outcome"]),
            (&json!(true), &json!("active"))
        );
        assert_eq!(
            (&bad["verified"], &bad["outcome"]),
            (&json!(false), &json!("unknown"))
        );
    }
}

#[test]
fn of_what_was_changed_since_nobody_knows_what_it_was() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    endorses_this_version(&board, &school.id, "profile", "/profiles/school");
    let was = json!({ "name": "The school", "url": "https://school.example/" });
    let other = json!({ "name": "Another school" });
    let mut moments = Vec::new();
    for body in [&other, &was] {
        house.wait(60);
        moments.push(house.now());
        house.wait(60);
        school.put("/profiles/school", body).is(200);
    }
    let verifier = house.verifier();
    for at in moments {
        assert_eq!(told(&verifier, &school.id, &at).0, "unknown", "at {at}");
    }
    assert_eq!(told(&verifier, &school.id, &house.now()).0, "active");
}

#[test]
fn a_document_that_shows_another_thing_changes_with_it() {
    let house = House::open();
    let board = house.accreditor("board");
    let school = house.operator().registers("school", &["issuer"], "https");
    let welding = school.defines("Welding");
    endorses_this_version(&board, &school.id, "profile", "/profiles/school");
    endorses_this_version(&board, &welding, "achievement", &welding);
    house.wait(60);
    let verifier = house.verifier();
    let modified = |target: &str| {
        verifier
            .get(target)
            .is(200)
            .header("last-modified")
            .map(str::to_owned)
    };
    let (then, achievement, profile) = (
        house.now(),
        modified(&welding),
        modified("/profiles/school"),
    );
    house.wait(60);
    // A profile whose id is its URL lists its keys, and an achievement names who defined it.
    school.call("POST", "/profiles/school/keys").send().is(201);
    assert_ne!(modified("/profiles/school"), profile);
    school
        .put("/profiles/school", &json!({ "name": "The new school" }))
        .is(200);
    assert_ne!(modified(&welding), achievement);
    for subject in [&school.id, &welding] {
        assert_eq!(told(&verifier, subject, &house.now()).0, "stale-digest");
        assert_eq!(told(&verifier, subject, &then).0, "unknown");
    }
}

#[test]
fn what_an_achievement_was_before_it_was_changed_decides_nothing() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let welding = school.defines("Welding");
    let body = json!({
        "endorser": "board", "subject": { "id": school.id, "kind": "profile" },
        "name": "For degrees", "scope": { "achievementType": ["Degree"] },
    });
    board.post("/endorsements", &body).is(201);
    let issued = school.issues(&badge(&school.id, &welding));
    let ids = json!([issued["id"]]);
    let then = house.now();
    house.wait(60);
    let degree = json!({
        "name": "Welding", "description": "What can be done with it.", "achievementType": "Degree",
        "criteria": { "narrative": "A panel has seen it." },
    });
    school.put(&welding, &degree).is(200);
    let now = stands(&house.operator(), &json!({ "ids": ids }));
    assert_eq!(now["outcome"], "active");
    let told = stands(&house.operator(), &json!({ "ids": ids, "at": then }));
    assert_eq!(told["outcome"], "unknown", "{told:#}");
}
