//! Conditional requests (RFC 9110, section 13).

use serde_json::json;

use crate::support::house::House;

#[test]
fn every_tagged_answer_can_be_asked_for_again() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let list = school.opens_list("revocation");
    let achievement = school.defines("Welding");
    let endorsement = board.endorses(&school.id, "profile", false);
    let endorsement = endorsement["id"].as_str().unwrap();
    for target in [
        &*list,
        &achievement,
        endorsement,
        "/profiles/school",
        "/profiles/school/did.json",
    ] {
        let first = house.call("GET", target).send().is(200);
        let etag = first.header("etag").expect(target).to_owned();
        assert!(
            etag.starts_with('"') && etag.ends_with('"'),
            "strong: {etag}"
        );
        for method in ["GET", "HEAD"] {
            let call = house
                .call(method, target)
                .header("If-None-Match", etag.as_str());
            let unchanged = call.send().is(304);
            assert_eq!(unchanged.header("etag"), Some(etag.as_str()));
            assert_eq!(
                unchanged.header("cache-control"),
                first.header("cache-control")
            );
            let call = house.call(method, target).header("If-None-Match", "\"x\"");
            call.send().is(200);
        }
    }
}

#[test]
fn a_change_takes_one_of_several_tags() {
    let house = House::open();
    let school = house.registrar("school");
    let seen = school.get("/profiles/school").is(200);
    let etag = seen.header("etag").unwrap();
    let body = json!({ "name": "New" });
    let put = |condition: &str| {
        let call = school.call("PUT", "/profiles/school").json(&body);
        call.header("If-Match", condition).send()
    };
    put("\"a\", \"b\"").problem(412);
    put(&format!("\"a\", {etag}")).is(200);
    put("*").is(200);
}

#[test]
fn a_change_that_was_made_is_not_answered_with_unchanged() {
    let house = House::open();
    let school = house.registrar("school");
    let before = house.store();
    let body = json!({ "name": "New" });
    let call = school.call("PUT", "/profiles/school").json(&body);
    let answer = call.header("If-None-Match", "*").send();
    // Either the condition is not read, or it fails; never a change without its answer.
    match answer.status {
        200 => assert_eq!(answer.json()["name"], "New"),
        status => {
            assert_eq!(status, 412, "{}", answer.text());
            assert_eq!(house.store(), before);
        }
    }
}
