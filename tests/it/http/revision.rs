//! Whoever changed something finds it wherever it asks, or is told to come back.

use serde_json::json;

use crate::support::house::House;

const HEADER: &str = "goodstanding-revision";

#[test]
fn answers_to_changes_name_a_place_and_others_do_not() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let body = json!({ "count": 1 });
    let made = school.post(&format!("{list}/entries"), &body).is(200);
    let place = made.header(HEADER).expect("it is a change").to_owned();
    for target in ["/profiles/school", list.as_str()] {
        let call = || house.call("GET", target).header(HEADER, place.as_str());
        let seen = call().send().is(200);
        assert_eq!(seen.header(HEADER), None);
        let plain = house.call("GET", target).send().is(200);
        assert_eq!(seen.text(), plain.text());
    }
    // A refusal changes nothing.
    let refused = school.post(&format!("{list}/entries"), &json!({})).is(400);
    assert_eq!(refused.header(HEADER), None);
    let again = school.post(&format!("{list}/entries"), &body).is(200);
    assert_ne!(again.header(HEADER), Some(place.as_str()));
}

#[test]
fn what_is_not_here_yet_is_not_answered_from_before_it() {
    let (house, ahead) = (House::open(), House::open());
    let schools = [&house, &ahead].map(|house| house.registrar("school"));
    let lists = schools
        .each_ref()
        .map(|school| school.opens_list("revocation"));
    let body = json!({ "count": 1 });
    let entries = |which: usize| format!("{}/entries", lists[which]);
    schools[1].post(&entries(1), &body).is(200);
    let further = schools[1].post(&entries(1), &body).is(200);
    let place = further.header(HEADER).expect("it is a change");
    for target in ["/profiles/school", lists[0].as_str()] {
        let call = house.call("GET", target).header(HEADER, place);
        let behind = call.send().is(503);
        assert_eq!(behind.header("retry-after"), Some("1"));
        let kind = behind.json()["type"].clone();
        assert_eq!(kind, "urn:goodstanding:problem:behind");
    }
    let call = schools[0].call("POST", &entries(0)).header(HEADER, place);
    call.json(&body).send().is(503);
    // When it has come as far, it answers.
    schools[0].post(&entries(0), &body).is(200);
    schools[0].post(&entries(0), &body).is(200);
    let call = schools[0].call("POST", &entries(0)).header(HEADER, place);
    call.json(&body).send().is(200);
}

#[test]
fn what_names_no_place_is_refused_by_the_headers_name() {
    let house = House::open();
    house.registrar("school");
    let long = "A".repeat(400);
    for wrong in ["", "0", "AAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAA", "ä", &long] {
        let call = house.call("GET", "/profiles/school").header(HEADER, wrong);
        let refused = call.send().is(400).json();
        assert_eq!(refused["pointer"], "Goodstanding-Revision", "{wrong}");
    }
    let call = house.call("GET", "/profiles/school");
    let twice = call
        .header(HEADER, "AAAAAAAAAAAAAAAA")
        .header(HEADER, "AAAAAAAAAAAAAAAA");
    twice.send().is(400);
}
