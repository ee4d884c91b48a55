//! Who may have the master key changed, and what is said where it cannot be. That it is changed is
//! told by the stories of the whole program.

use serde_json::json;

use crate::support::house::House;

const ROTATE: &str = "/master-key/rotate";

#[test]
fn only_the_operator_changes_the_master_key() {
    let house = House::open();
    let school = house.registrar("school");
    let before = house.store();
    let asked = house.call("POST", ROTATE).send();
    assert!(asked.problem(401)["detail"].as_str().is_some());
    assert!(asked.header("www-authenticate").is_some());
    let refused = school.post(ROTATE, &json!({})).problem(403);
    assert_eq!(refused["type"], "urn:goodstanding:problem:operator-only");
    let refused = house
        .operator()
        .post(ROTATE, &json!({ "key": "0" }))
        .problem(400);
    assert_eq!(refused["member"], "key");
    assert_eq!(house.store(), before);
}

#[test]
fn without_another_master_key_it_is_said_what_to_do() {
    let house = House::open();
    let before = house.store();
    let refused = house.operator().post(ROTATE, &json!({})).problem(409);
    assert_eq!(refused["type"], "urn:goodstanding:problem:master-key-place");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("none can take its place"), "{detail}");
    assert_eq!(house.store(), before);
    let ready = house.call("GET", "/health/ready").send().is(200).json();
    assert_eq!(ready, json!({ "status": "ready" }));
}
