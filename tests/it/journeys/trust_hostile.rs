//! What those try who want to look better than they stand, or others worse.

use goodstanding::time::{Clock as _, Ttl};
use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::house::House;

fn asks(house: &House, subject: &str, anchor: &str) -> Value {
    let question = json!({ "subjects": [subject], "trustAnchors": [anchor] });
    let answer = house
        .verifier()
        .post("/endorsements/query", &question)
        .is(200)
        .json();
    answer["results"][0].clone()
}

fn standing(house: &House, question: &Value) -> Value {
    let answer = house
        .operator()
        .post("/standing/query", question)
        .is(200)
        .json();
    answer["results"][0].clone()
}

fn endorses_within(endorser: &Actor<'_>, subject: &str, scope: &Value) -> Value {
    let body = json!({
        "endorser": endorser.id, "subject": { "id": subject, "kind": "profile" },
        "name": "Within limits", "scope": scope, "suspendable": true,
    });
    endorser.post("/endorsements", &body).is(201).json()["verifiableCredential"].clone()
}

#[test]
fn nobody_is_crowded_out_by_somebody_who_endorses_often() {
    let house = House::open();
    let rogue = house.accreditor("rogue");
    let (top, board) = (house.accreditor("top"), house.accreditor("board"));
    let school = house.registrar("school");
    top.endorses(&board.id, "profile", false);
    for _ in 0..300 {
        rogue.endorses(&school.id, "profile", false);
    }
    board.endorses(&school.id, "profile", false);
    let told = asks(&house, &school.id, "top");
    assert_eq!(told["outcome"], "active", "{}", told["detail"]);
}

#[test]
fn a_limit_is_not_got_rid_of_by_its_end() {
    let house = House::open();
    let (ministry, board) = (house.accreditor("ministry"), house.accreditor("board"));
    let school = house.registrar("school");
    let limit = endorses_within(
        &ministry,
        &board.id,
        &json!({ "achievementType": ["Degree"] }),
    );
    let wide = || board.asks_to_endorse(&school.id, "profile", false);
    assert_eq!(
        wide().problem(422)["type"],
        "urn:goodstanding:problem:scope-too-wide"
    );
    ministry.does("suspend", &limit).is(200);
    wide().problem(422);
    ministry.does("revoke", &limit).is(200);
    wide().problem(422);
    // Another word of the ministry's sets it free.
    ministry.endorses(&board.id, "profile", false);
    wide().is(201);
}

#[test]
fn an_achievement_is_what_is_registered_and_what_is_said_of_it() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let body = json!({
        "name": "Medicine", "description": "Medicine", "achievementType": "DoctoralDegree",
        "criteria": { "narrative": "Passed." },
    });
    let made = school
        .post("/profiles/school/achievements", &body)
        .is(201)
        .json();
    let achievement = text(&made["id"]);
    endorses_within(&board, &school.id, &json!({ "achievementType": ["Badge"] }));
    let mut said = badge(&school.id, &achievement);
    said["credentialSubject"]["achievement"]["achievementType"] = json!("Badge");
    let issued = school.issues(&said);
    let told = standing(&house, &json!({ "credentials": [issued] }));
    assert_eq!(told["outcome"], "not-endorsed", "{told}");
}

#[test]
fn who_lost_the_role_is_endorsed_in_it_no_more() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let welding = school.defines("Welding");
    let id = text(&school.issues(&badge(&school.id, &welding))["id"]);
    board.endorses(&school.id, "profile", false);
    let asked = json!({ "ids": [id] });
    assert_eq!(standing(&house, &asked)["outcome"], "active");
    house.wait(60);
    let before = house.now();
    house.wait(60);
    let none = json!({ "name": "School", "roles": ["accreditor"] });
    house.operator().put("/profiles/school", &none).is(200);
    let told = standing(&house, &asked);
    assert_eq!(
        (&told["outcome"], &told["issuer"]["reason"]),
        (&json!("not-endorsed"), &json!("role"))
    );
    // Since when an issuer has its role is not kept: of a moment before nobody knows.
    let told = standing(&house, &json!({ "ids": [id], "at": before }));
    assert_eq!(told["outcome"], "unknown");
}

#[test]
fn a_suspended_accreditor_is_not_recognized() {
    let house = House::open();
    let (ministry, board) = (house.accreditor("ministry"), house.accreditor("board"));
    ministry.endorses(&board.id, "profile", false);
    let question = json!({
        "entity_id": board.id, "authority_id": ministry.id, "action": "recognize", "resource": "*",
    });
    let asks = || {
        house
            .verifier()
            .post("/trqp/recognition", &question)
            .is(200)
            .json()
    };
    assert_eq!(asks()["recognized"], true);
    house
        .operator()
        .post("/profiles/board/suspend", &json!({}))
        .is(200);
    let told = asks();
    assert_eq!(
        (&told["recognized"], &told["context"]["outcome"]),
        (&json!(false), &json!("suspended"))
    );
}

#[test]
fn what_is_known_only_by_its_entry_is_not_said_to_be_in_force() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    board.endorses(&school.id, "profile", false);
    let list = school.opens_list("revocation");
    let entries = json!({ "credentialIds": ["urn:uuid:far"] });
    school.post(&format!("{list}/entries"), &entries).is(200);
    let told = standing(&house, &json!({ "ids": ["urn:uuid:far"] }));
    assert_eq!(
        (&told["outcome"], &told["decidedBy"]),
        (&json!("unknown"), &json!("credential"))
    );
    assert_eq!(told["status"][0]["outcome"], "active");
    // And another's entry for the id changes nothing of what its issuer is told, and tells nothing.
    let spy = house.registrar("spy");
    let own = spy.opens_list("revocation");
    let asks = |actor: &Actor<'_>, id: &str| {
        let answer = actor
            .post("/standing/query", &json!({ "ids": [id] }))
            .is(200)
            .json();
        answer["results"][0].clone()
    };
    let before = asks(&school, "urn:uuid:far");
    for id in ["urn:uuid:far", "urn:uuid:nowhere"] {
        spy.post(&format!("{own}/entries"), &json!({ "credentialIds": [id] }))
            .is(200);
    }
    assert_eq!(asks(&school, "urn:uuid:far"), before);
    let of = |id: &str| asks(&spy, id)["outcome"].clone();
    assert_eq!(of("urn:uuid:far"), of("urn:uuid:nowhere"));
}

#[test]
fn an_answer_is_not_fresh_beyond_what_it_rests_on() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let body = json!({
        "endorser": board.id, "subject": { "id": school.id, "kind": "profile" },
        "name": "Until then", "validUntil": "2026-03-01T09:02:00Z",
    });
    board.post("/endorsements", &body).is(201);
    let welding = school.defines("Welding");
    let id = text(&school.issues(&badge(&school.id, &welding))["id"]);
    let question = json!({ "ids": [id] });
    let answer = house
        .operator()
        .post("/standing/query", &question)
        .is(200)
        .json();
    assert_eq!(answer["results"][0]["outcome"], "active");
    assert_eq!(answer["freshUntil"], "2026-03-01T09:02:00Z");
}

#[test]
fn an_answer_that_is_kept_ends_at_the_moment_it_rests_on_and_with_each_change() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let body = json!({
        "endorser": board.id, "subject": { "id": school.id, "kind": "profile" }, "name": "A while",
        "validFrom": "2026-03-01T09:01:00Z", "validUntil": "2026-03-01T09:02:00Z",
    });
    board.post("/endorsements", &body).is(201);
    let welding = school.defines("Welding");
    let issued = school.issues(&badge(&school.id, &welding));
    // Two that have nothing to do with it, so that there is always one whose answer is kept.
    let (other, college) = (house.accreditor("other"), house.registrar("college"));
    other.endorses(&college.id, "profile", true);
    let carving = college.defines("Carving");
    let theirs = college.issues(&badge(&college.id, &carving));
    let questions = [
        json!({ "ids": [issued["id"], theirs["id"]] }),
        json!({ "credentials": [issued, theirs] }),
    ];
    let are = |expected: [&str; 2]| {
        for question in questions.iter().chain(&questions) {
            let answer = house.operator().post("/standing/query", question);
            let answer = answer.is(200).json();
            let told = [0, 1].map(|place| answer["results"][place]["issuer"]["outcome"].clone());
            assert_eq!(told, expected, "{} {answer:#}", house.now());
        }
    };
    let begin = house.clock.now().millis();
    let at = |millis: i64| {
        let passed = house.clock.now().millis() - begin;
        let millis = u64::try_from(millis - passed).expect("time goes on");
        house.clock.advance(Ttl::from_millis(millis));
    };
    are(["not-yet-valid", "active"]);
    at(59_999);
    are(["not-yet-valid", "active"]);
    at(60_000);
    are(["active", "active"]);
    at(119_999);
    are(["active", "active"]);
    at(120_000);
    are(["expired", "active"]);
    let decide = |what: &str| {
        let path = format!("/profiles/other/{what}");
        let decided = house.operator().post(&path, &json!({}));
        decided.is(200);
    };
    decide("suspend");
    are(["expired", "suspended"]);
    decide("reinstate");
    are(["expired", "active"]);
    board.endorses(&school.id, "profile", false);
    are(["active", "active"]);
}

#[test]
fn a_forgery_gets_no_word_of_whom_it_names() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    board.endorses(&school.id, "profile", false);
    let welding = school.defines("Welding");
    let mut forged = school.issues(&badge(&school.id, &welding));
    forged["name"] = json!("Brain surgery");
    let told = standing(&house, &json!({ "credentials": [forged] }));
    assert_eq!(
        (&told["outcome"], &told["verified"]),
        (&json!("unknown"), &json!(false))
    );
    assert!(
        told.get("issuer").is_none() && told.get("path").is_none(),
        "{told}"
    );
}

#[test]
fn a_script_is_nobodys_name() {
    let house = House::open();
    let board = house.accreditor("board");
    for id in [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
    ] {
        let problem = board.asks_to_endorse(id, "profile", false).problem(400);
        assert_eq!(problem["pointer"], "/subject/id");
    }
}
