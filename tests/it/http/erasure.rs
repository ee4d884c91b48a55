//! Words and contacts are erased; statuses and the log stay as they were.

use serde_json::{Value, json};

use crate::support::actors::{Actor, text};
use crate::support::house::House;

/// Whether a text stands anywhere in the store.
fn stored(house: &House, words: &str) -> bool {
    let holds = |bytes: &[u8]| {
        bytes
            .windows(words.len())
            .any(|part| part == words.as_bytes())
    };
    house.store().iter().any(|(_, value)| holds(value))
}

fn erases(actor: &Actor<'_>, profile: &str, body: &Value) -> crate::support::client::Answer {
    actor.post(&format!("/profiles/{profile}/erase"), body)
}

fn trail(actor: &Actor<'_>) -> Vec<Value> {
    let answer = actor.get("/events?limit=1000").is(200).json();
    answer["events"].as_array().unwrap().clone()
}

#[test]
fn the_reason_for_a_revocation_goes_and_the_revocation_stays() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let indexes = school.allocates(&list, 2);
    for (index, reason) in indexes.iter().zip(["Jo Doe was ill", "Max Roe left"]) {
        let updates = json!({ "updates": [{ "index": index, "status": 1 }], "reason": reason });
        school.post(&format!("{list}/updates"), &updates).is(200);
    }
    let before = trail(&school);
    let chain = |house: &House| {
        let read = house.operator().get("/events?limit=1000").is(200).json();
        let events = read["events"].as_array().unwrap().clone();
        let links = events
            .iter()
            .map(|e| (e["digest"].clone(), e["body"].clone()));
        links.collect::<Vec<_>>()
    };
    let (linked, bits) = (chain(&house), school.reads(&list));
    let of = |words: &str| before.iter().find(|e| e["reason"] == words).unwrap()["id"].clone();
    let ill = of("Jo Doe was ill");
    assert!(stored(&house, "Jo Doe"));
    let erased = erases(&school, "school", &json!({ "reasons": [ill] }))
        .is(200)
        .json();
    assert_eq!(erased["erased"]["reasons"], 1);
    assert!(!stored(&house, "Jo Doe") && stored(&house, "Max Roe"));
    let after = trail(&school);
    let told = after.iter().find(|event| event["id"] == ill).unwrap();
    assert!(
        told["reason"].is_null() && told.get("reason").is_some(),
        "{told}"
    );
    assert_eq!(told["about"]["indexes"], json!([indexes[0]]));
    assert_eq!(after.last().unwrap()["type"], "words.erased");
    // What the log holds is what it held, with one event more.
    assert_eq!(chain(&house)[..linked.len()], linked);
    assert_eq!(school.reads(&list), bits);
    assert_eq!(school.looks_up(&list, indexes[0])["outcome"], "revoked");
    erases(&school, "school", &json!({ "reasons": "all" })).is(200);
    assert!(!stored(&house, "Max Roe"));
    // Erased twice is erased.
    let again = erases(&school, "school", &json!({ "reasons": [ill] }))
        .is(200)
        .json();
    assert_eq!(again["erased"]["reasons"], 0);
}

#[test]
fn contacts_and_comments_go_from_what_is_served_and_signed() {
    let house = House::open();
    let operator = house.operator();
    let board = house.accreditor("board");
    let school = house.registrar("school");
    let members = json!({
        "name": "Jo Doe, sole trader", "roles": ["accreditor"], "email": "jo@doe.example",
    });
    board.put("/profiles/board", &members).is(200);
    let endorsement = board.endorses(&school.id, "profile", true);
    let id = text(&endorsement["id"]);
    let jwt = json!({
        "endorser": "board", "subject": { "id": "urn:x", "kind": "credential" },
        "name": "Label", "endorsementComment": "Seen on site.", "securing": "vc+jwt",
    });
    board.post("/endorsements", &jwt).is(201);
    assert!(stored(&house, "Seen on site.") && stored(&house, "jo@doe.example"));
    let read = board.get("/endorsements?endorser=board").is(200).json();
    let all = read["endorsements"].as_array().unwrap().iter();
    let all: Vec<Value> = all.map(|e| e["id"].clone()).collect();
    assert_eq!(all.len(), 2);
    let body = json!({ "members": ["email", "name"], "endorsements": all });
    let erased = erases(&board, "board", &body).is(200).json();
    assert_eq!(erased["erased"]["endorsements"], 2);
    for words in ["Seen on site.", "jo@doe.example", "Jo Doe"] {
        assert!(!stored(&house, words), "{words}");
    }
    let profile = house.verifier().get("/profiles/board").is(200).json();
    assert_eq!(
        (&profile["name"], profile.get("email")),
        (&json!("board"), None)
    );
    // It is the same endorsement, in force and well signed.
    let now = house.verifier().get(&id).is(200).json();
    assert!(now["credentialSubject"].get("endorsementComment").is_none());
    assert_eq!(now["credentialStatus"], endorsement["credentialStatus"]);
    let report = house.verifier().verifies(&now);
    assert_eq!(
        (&report["verified"], &report["outcome"]),
        (&json!(true), &json!("active"))
    );
    board.does("suspend", &endorsement).is(200);
    operator.get("/events").is(200);
}

#[test]
fn each_side_of_a_request_erases_what_it_said_when_it_is_closed() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let asked = json!({
        "accreditor": "board", "requester": "school", "name": "Label",
        "subject": { "id": school.id, "kind": "profile" },
        "comment": "Our Ms Roe knows.",
    });
    let answer = school.post("/endorsement-requests", &asked);
    let url = text(&answer.is(201).json()["id"]);
    board
        .post(
            &format!("{url}/ask"),
            &json!({ "question": "Which Ms Roe?" }),
        )
        .is(200);
    school
        .post(
            &format!("{url}/answer"),
            &json!({ "answer": "Ms Roe of the office." }),
        )
        .is(200);
    let body = json!({ "requests": [url] });
    let refused = erases(&school, "school", &body).problem(400);
    assert_eq!(refused["pointer"], "/requests/0");
    board
        .post(
            &format!("{url}/decline"),
            &json!({ "reason": "Ms Roe is not known." }),
        )
        .is(200);
    erases(&school, "school", &body).is(200);
    assert!(!stored(&house, "knows") && !stored(&house, "of the office"));
    assert!(stored(&house, "Which Ms Roe?") && stored(&house, "is not known"));
    erases(&board, "board", &body).is(200);
    assert!(!stored(&house, "Ms Roe"));
    let seen = school.get(&url).is(200).json();
    assert_eq!(seen["state"], "declined");
}

#[test]
fn what_cannot_be_erased_is_named_and_nothing_is_erased() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let endorsement = board.endorses(&school.id, "profile", false);
    let before = house.store();
    let bad = |body: Value, pointer: &str| {
        let problem = erases(&school, "school", &body).problem(400);
        assert_eq!(problem["pointer"], pointer, "{body}");
    };
    bad(json!({}), "");
    bad(json!({ "reasons": "some" }), "/reasons");
    bad(json!({ "reasons": [1_000_000] }), "/reasons/0");
    bad(json!({ "reasons": [1] }), "/reasons/0");
    bad(json!({ "reasons": vec![1; 1_001] }), "/reasons");
    bad(json!({ "members": ["url", "slug"] }), "/members/1");
    bad(
        json!({ "requests": ["https://far.example/1"] }),
        "/requests/0",
    );
    // Nobody erases what others said.
    let body = json!({ "endorsements": [endorsement["id"]] });
    erases(&school, "school", &body).problem(404);
    erases(&school, "board", &body).problem(403);
    assert_eq!(house.store(), before);
}

#[test]
fn why_the_operator_suspended_an_accreditor_is_not_the_accreditors_to_erase() {
    let house = House::open();
    let (board, operator) = (house.accreditor("board"), house.operator());
    let body = json!({ "reason": "It sold labels." });
    operator.post("/profiles/board/suspend", &body).is(200);
    let told = |actor: &Actor<'_>| {
        let trail = trail(actor);
        let mut events = trail.iter();
        let found = events.find(|event| event["type"] == "accreditor.suspended");
        found.unwrap().clone()
    };
    let event = told(&board);
    assert_eq!(event["reason"], "It sold labels.");
    let one = json!({ "reasons": [event["id"]] });
    let refused = erases(&board, "board", &one).problem(400);
    assert_eq!(refused["pointer"], "/reasons/0");
    erases(&board, "board", &json!({ "reasons": "all" })).is(200);
    assert_eq!(told(&board)["reason"], "It sold labels.");
    // Whoever gave it may have it erased.
    let erased = erases(&operator, "board", &one).is(200).json();
    assert_eq!(erased["erased"]["reasons"], 1);
    assert!(told(&operator)["reason"].is_null());
    assert!(!stored(&house, "It sold labels."));
}

#[cfg(feature = "rocksdb")]
#[test]
fn what_is_erased_is_gone_from_the_files_of_the_running_store() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::on_disk(folder.path(), &crate::support::house::clock(), 1);
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let index = school.allocates(&list, 1)[0];
    let reason = "Jo Doe was ill in spring";
    let updates = json!({ "updates": [{ "index": index, "status": 1 }], "reason": reason });
    school.post(&format!("{list}/updates"), &updates).is(200);
    let holds = || {
        let files = std::fs::read_dir(folder.path().join("store")).unwrap();
        let mut files = files.map(|file| std::fs::read(file.unwrap().path()).unwrap_or_default());
        files.any(|file| {
            file.windows(reason.len())
                .any(|part| part == reason.as_bytes())
        })
    };
    assert!(holds(), "the log of the store has it");
    erases(&school, "school", &json!({ "reasons": "all" })).is(200);
    assert!(!holds());
    assert_eq!(school.looks_up(&list, index)["outcome"], "revoked");
}

/// Each thing goes once, however often it is named.
#[test]
fn what_is_named_twice_is_erased_once() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let endorsement = text(&board.endorses(&school.id, "profile", true)["id"]);
    let asked = json!({
        "accreditor": "board", "requester": "school", "name": "Label",
        "subject": { "id": school.id, "kind": "profile" }, "comment": "Ms Roe knows.",
    });
    let request = school.post("/endorsement-requests", &asked);
    let request = text(&request.is(201).json()["id"]);
    let reason = json!({ "reason": "Ms Roe is away." });
    board.post(&format!("{request}/decline"), &reason).is(200);
    let declined = trail(&board).last().unwrap()["id"].clone();
    let body = json!({
        "reasons": [declined, declined], "requests": [request, request],
        "endorsements": [endorsement, endorsement], "reason": "asked by Ms Roe",
    });
    let erased = erases(&board, "board", &body).is(200).json();
    let expected = json!({
        "reasons": 1, "members": 0, "requests": 1, "endorsements": 1, "more": false,
    });
    assert_eq!(erased["erased"], expected);
    assert!(!stored(&house, "is away"));
}
