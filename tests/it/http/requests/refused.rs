//! What is refused, and with which reason.

use serde_json::{Value, json};

use super::{REQUESTS_PATH, STEPS, asks, request, step};
use crate::support::actors::{Actor, badge, text};
use crate::support::house::{House, ORIGIN};

#[test]
fn a_step_is_taken_by_the_side_whose_it_is() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let asked = asks(&school, &board);
    let before = house.store();
    for (actor, names, whose) in [
        (&school, &STEPS[..3], "accreditor"),
        (&board, &STEPS[3..], "requester"),
    ] {
        for name in names {
            let refused = step(actor, &asked, name).problem(403);
            assert_eq!(refused["type"], "urn:goodstanding:problem:not-yours");
            assert!(text(&refused["detail"]).contains(whose), "{refused}");
        }
    }
    assert_eq!(house.store(), before);
    // The operator acts for both.
    let operator = house.operator();
    for (name, state) in [
        ("ask", "asked"),
        ("answer", "requested"),
        ("approve", "approved"),
    ] {
        assert_eq!(step(&operator, &asked, name).is(200).json()["state"], state);
    }
}

#[test]
fn a_step_that_leads_nowhere_is_refused_by_name() {
    let house = House::open();
    let board = house.accreditor("board");
    let operator = house.operator();
    let refused = |asked: &str, name: &str| {
        let before = house.store();
        let refused = step(&operator, asked, name).problem(409);
        assert_eq!(house.store(), before);
        let kind = text(&refused["type"]);
        kind.rsplit(':').next().unwrap().to_owned()
    };
    for (school, last, state) in [
        ("first", "approve", "approved"),
        ("second", "decline", "declined"),
        ("third", "withdraw", "withdrawn"),
    ] {
        let asked = asks(&house.registrar(school), &board);
        assert_eq!(refused(&asked, "answer"), "nothing-asked");
        step(&operator, &asked, "ask").is(200);
        assert_eq!(refused(&asked, "ask"), "question-open");
        let done = step(&operator, &asked, last).is(200).json();
        assert_eq!(done["state"], state);
        for name in STEPS {
            assert_eq!(
                refused(&asked, name),
                "request-closed",
                "{name} when {state}"
            );
        }
    }
    // A conversation that does not end is ended, by a decision.
    let long = asks(&house.registrar("fourth"), &board);
    let words = "語".repeat(2_000);
    let say = |name: &str| {
        let said = json!({ if name == "ask" { "question" } else { "answer" }: words });
        operator.post(&format!("{long}/{name}"), &said)
    };
    let turns = ["ask", "answer"].iter().cycle();
    let said = turns.take_while(|name| say(name).status == 200).count();
    // 131,072 bytes, of which each of these takes 6,000 and a few.
    assert_eq!(said, 21);
    let before = house.store();
    let full = say("answer").problem(409);
    assert_eq!(full["type"], "urn:goodstanding:problem:request-full");
    assert_eq!(house.store(), before);
    step(&operator, &long, "decline").is(200);
}

#[test]
fn what_cannot_be_asked_for_is_refused_with_the_reason() {
    let house = House::open();
    let [school, other] = ["school", "other"].map(|slug| house.registrar(slug));
    let board = house.accreditor("board");
    let both = house
        .operator()
        .registers("both", &["issuer", "accreditor"], "did:web");
    let own = school.defines("Welding");
    let [foreign, of_both] = [&other, &both].map(|actor| actor.defines("Baking"));
    let issued = other.issues(&badge(&other.id, &foreign));
    let issued = text(&issued["id"]);
    let absent = format!("{ORIGIN}/profiles/nobody");
    let before = house.store();
    let refuses = |actor: &Actor<'_>, subject: &str, kind: &str, words: &str| {
        let refused = actor
            .post(REQUESTS_PATH, &request(&board, subject, kind))
            .problem(422);
        assert_eq!(refused["type"], "urn:goodstanding:problem:wrong-subject");
        assert!(
            text(&refused["detail"]).contains(words),
            "{subject}: {refused}"
        );
        text(&refused["detail"]).replace(subject, "…")
    };
    // Of another kind than it is.
    refuses(&school, &school.id, "achievement", "is a profile");
    refuses(&school, &own, "profile", "is an achievement");
    // Not the requester's.
    refuses(&school, &other.id, "profile", "speaks for");
    refuses(&school, &foreign, "achievement", "speaks for");
    refuses(&school, &absent, "profile", "speaks for");
    refuses(
        &school,
        "https://far.example/x",
        "achievement",
        "speaks for",
    );
    refuses(&other, &board.id, "profile", "speaks for");
    // Whether others have issued something is not told.
    for kind in ["credential", "achievement", "profile"] {
        let there = refuses(&school, &issued, kind, "speaks for");
        assert_eq!(there, refuses(&school, "urn:uuid:none", kind, "speaks for"));
    }

    let ask = |actor: &Actor<'_>, body: &Value| actor.post(REQUESTS_PATH, body);
    // Oneself.
    for (subject, kind) in [(&both.id, "profile"), (&of_both, "achievement")] {
        let refused = ask(&both, &request(&both, subject, kind)).problem(422);
        assert_eq!(refused["type"], "urn:goodstanding:problem:self-endorsement");
    }
    // Somebody who endorses nothing.
    let refused = ask(&school, &request(&other, &school.id, "profile")).problem(403);
    assert_eq!(refused["type"], "urn:goodstanding:problem:role-missing");
    // In the name of others, or of nobody.
    let mut body = request(&board, &other.id, "profile");
    body["requester"] = json!("other");
    ask(&school, &body).problem(403);
    let nameless = request(&board, &school.id, "profile");
    let refused = ask(&house.operator(), &nameless).problem(400);
    assert_eq!(refused["pointer"], "/requester");
    house.verifier().post(REQUESTS_PATH, &body).problem(401);
    assert_eq!(house.store(), before);
    ask(&house.operator(), &body).is(201);
}

#[test]
fn a_renewal_goes_on_from_an_endorsement_of_the_same_by_the_same() {
    let house = House::open();
    let [school, other] = ["school", "other"].map(|slug| house.registrar(slug));
    let [board, council] = ["board", "council"].map(|slug| house.accreditor(slug));
    let good = text(&board.endorses(&school.id, "profile", true)["id"]);
    let foreign = text(&council.endorses(&school.id, "profile", false)["id"]);
    let of_other = text(&board.endorses(&other.id, "profile", false)["id"]);
    let revoked = board.endorses(&school.id, "profile", false);
    board.does("revoke", &revoked).is(200);
    let before = house.store();
    let ask = |renews: &str| {
        let mut body = request(&board, &school.id, "profile");
        body["renews"] = json!(renews);
        school.post(REQUESTS_PATH, &body)
    };
    let absent = format!("{ORIGIN}/endorsements/{}", "0".repeat(20));
    let far = "https://far.example/endorsements/1";
    for renews in [&foreign, &of_other, &text(&revoked["id"]), &absent, far] {
        let refused = ask(renews).problem(400);
        assert_eq!(refused["pointer"], "/renews", "{renews}");
        assert!(text(&refused["detail"]).contains(renews), "{refused}");
    }
    assert_eq!(house.store(), before);
    // One that is suspended may come back, and be renewed.
    board.does("suspend", &json!({ "id": good })).is(200);
    assert_eq!(ask(&good).is(201).json()["renews"], json!(good));
}

#[test]
fn bad_input_is_refused_at_its_place() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let asked = asks(&school, &board);
    let achievement = school.defines("Welding");
    let before = house.store();
    let refused = |actor: &Actor<'_>, target: &str, body: &Value, pointer: &str| {
        let refused = actor.post(target, body).problem(400);
        assert_eq!(refused["pointer"], pointer, "{target} {body}: {refused}");
        assert!(
            house.store() == before,
            "{target} {body}: something was stored"
        );
    };
    let long = "x".repeat(2_001);
    let wide: Vec<String> = (0..64).map(|n| format!("{n}{}", "x".repeat(200))).collect();
    let many: Vec<String> = (0..21).map(|n| format!("https://a.example/{n}")).collect();
    for (member, value, pointer) in [
        ("accreditor", json!("nobody"), "/accreditor"),
        ("requester", json!("nobody"), "/requester"),
        ("subject", json!({ "id": achievement }), "/subject"),
        (
            "subject",
            json!({ "id": achievement, "kind": "thing" }),
            "/subject/kind",
        ),
        (
            "subject",
            json!({ "id": "welding", "kind": "achievement" }),
            "/subject/id",
        ),
        ("name", json!(" "), "/name"),
        ("name", json!(long), "/name"),
        ("comment", json!("a\u{7}"), "/comment"),
        ("comment", json!(long), "/comment"),
        ("evidence", json!("https://a.example/"), "/evidence"),
        ("evidence", json!(many), "/evidence"),
        (
            "evidence",
            json!(["https://a.example/", "http://a.example/"]),
            "/evidence/1",
        ),
        ("evidence", json!(["javascript:alert(1)"]), "/evidence/0"),
        (
            "evidence",
            json!(["https://user@a.example/"]),
            "/evidence/0",
        ),
        (
            "evidence",
            json!([format!("https://a.example/{long}{long}")]),
            "/evidence/0",
        ),
        ("scope", json!("all"), "/scope"),
        ("scope", json!({}), "/scope"),
        ("scope", json!({ "tag": wide }), "/scope"),
        ("scope", json!({ "tags": ["a"] }), "/scope/tags"),
        ("scope", json!({ "tag": ["a", 7] }), "/scope/tag/1"),
        ("validFrom", json!("tomorrow"), "/validFrom"),
        ("validUntil", json!("2026-03-01T08:59:59Z"), "/validUntil"),
        ("renews", json!("nothing"), "/renews"),
        ("colour", json!("red"), ""),
    ] {
        let mut body = request(&board, &achievement, "achievement");
        body[member] = value;
        refused(&school, REQUESTS_PATH, &body, pointer);
    }
    let mut body = request(&board, &achievement, "achievement");
    body["validFrom"] = json!("2027-01-01T00:00:00Z");
    body["validUntil"] = json!("2026-12-31T00:00:00Z");
    refused(&school, REQUESTS_PATH, &body, "/validUntil");

    let at = |name: &str| format!("{asked}/{name}");
    for (name, body, pointer) in [
        ("decline", json!({}), ""),
        ("decline", json!({ "reason": "" }), "/reason"),
        ("decline", json!({ "reason": long }), "/reason"),
        ("ask", json!({}), ""),
        ("ask", json!({ "question": "\n" }), "/question"),
        ("ask", json!({ "question": "When?", "why": 1 }), ""),
        ("approve", json!({ "name": " " }), "/name"),
        (
            "approve",
            json!({ "validUntil": "2026-03-01T09:00:00Z" }),
            "/validUntil",
        ),
        ("approve", json!({ "securing": "rsa" }), "/securing"),
        ("approve", json!({ "scope": { "tag": [] } }), "/scope/tag"),
        ("approve", json!({ "suspendable": "yes" }), "/suspendable"),
        ("approve", json!({ "endorser": "board" }), ""),
    ] {
        refused(&board, &at(name), &body, pointer);
    }
    step(&board, &asked, "ask").is(200);
    let before = house.store();
    for (body, pointer) in [
        (json!({}), ""),
        (json!({ "answer": " " }), "/answer"),
        (
            json!({ "answer": "In May.", "evidence": ["ftp://a"] }),
            "/evidence/0",
        ),
    ] {
        let refused = school.post(&at("answer"), &body).problem(400);
        assert_eq!(refused["pointer"], pointer);
    }
    let refused = school
        .post(&at("withdraw"), &json!({ "reason": long }))
        .problem(400);
    assert_eq!(refused["pointer"], "/reason");
    assert!(house.store() == before);
}

#[test]
fn an_approval_says_what_the_request_left_open_and_ends_after_now() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let body = json!({
        "accreditor": "board",
        "subject": { "id": school.id, "kind": "profile" },
        "comment": "Please.",
        "validUntil": "2026-03-02T00:00:00Z",
        "scope": { "jurisdiction": ["CH", "DE"] },
    });
    let asked = school.post(REQUESTS_PATH, &body).is(201).json();
    let approve = |body: &Value| board.post(&format!("{}/approve", text(&asked["id"])), body);
    assert_eq!(approve(&json!({})).problem(400)["pointer"], "/name");
    house.wait(86_400);
    let named = json!({ "name": "Accredited" });
    let refused = approve(&named).problem(400);
    assert_eq!(refused["pointer"], "/validUntil");
    let body = json!({
        "name": "Accredited",
        "validFrom": "2026-03-01T00:00:00Z",
        "validUntil": "2027-03-02T00:00:00Z",
        "awardedDate": "2026-02-01T00:00:00Z",
        "scope": { "jurisdiction": ["CH"] },
    });
    let issued = approve(&body).is(200).json()["verifiableCredential"].clone();
    for member in ["name", "validFrom", "validUntil", "awardedDate"] {
        assert_eq!(issued[member], body[member], "{member}");
    }
    let about = &issued["credentialSubject"];
    assert_eq!(about["endorsementScope"]["jurisdiction"], json!(["CH"]));
    // What the requester said for itself is not the accreditor's word.
    assert_eq!(about.get("endorsementComment"), None);
    assert_eq!(issued.get("evidence"), None);
}

#[test]
fn whoever_endorses_no_longer_approves_nothing() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let asked = asks(&school, &board);
    let roles = json!({ "name": "Board", "roles": ["issuer"] });
    house.operator().put("/profiles/board", &roles).is(200);
    let before = house.store();
    let refused = step(&board, &asked, "approve").problem(403);
    assert_eq!(refused["type"], "urn:goodstanding:problem:role-missing");
    assert_eq!(house.store(), before);
    step(&board, &asked, "decline").is(200);
}
