//! What clients of OAuth 2.0 and strangers try, and do not get.

use serde_json::json;

use crate::support::actors::text;
use crate::support::house::{House, Plan};
use goodstanding::registry::Registration;

#[test]
fn a_client_that_is_approved_again_does_not_get_its_old_tokens_back() {
    let house = House::open();
    let school = house.registrar("school");
    let client = school.registers_client("owner", &json!({}));
    let stolen = client.token("");
    let reads = |token: &str| {
        house
            .call("GET", "/profiles/school/keys")
            .token(token)
            .send()
    };
    reads(&stolen).is(200);
    let path = format!("/clients/{}", client.id);
    house.wait(10);
    school.post(&format!("{path}/reject"), &json!({})).is(200);
    reads(&stolen).problem(401);
    house.wait(10);
    school
        .post(&format!("{path}/approve"), &json!({"role": "owner"}))
        .is(200);
    reads(&stolen).problem(401);
    reads(&client.token("")).is(200);
}

#[test]
fn a_strangers_registration_holds_no_more_than_keys() {
    let house = Plan::new().registering(Registration::Open).open();
    let school = house.registrar("school");
    let key = |more: usize| {
        json!({
            "kty": "OKP", "crv": "Ed25519", "kid": "one", "use": "sig", "x5c": ["A".repeat(more)],
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        })
    };
    let body = |more: usize| {
        json!({
            "client_name": "Theirs", "profile": "school", "role": "list-manager",
            "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [key(more)] },
        })
    };
    let stranger = house.verifier();
    stranger.post("/oauth/register", &body(100)).is(201);
    let refused = stranger.post("/oauth/register", &body(100_000)).is(400);
    assert_eq!(refused.json()["error"], "invalid_client_metadata");
    let kept = school.get("/clients").is(200).json();
    assert_eq!(kept["clients"].as_array().unwrap().len(), 1);
}

#[test]
fn a_registration_is_traced_to_its_request() {
    let house = House::open();
    let school = house.registrar("school");
    let client = school.registers_client("owner", &json!({}));
    let trail = school.get("/events?limit=1000").is(200).json();
    let mut events = trail["events"].as_array().unwrap().iter();
    let registered = events.find(|event| event["type"] == "client.registered");
    let registered = registered.unwrap();
    assert_eq!(text(&registered["about"]["client"]), client.id);
    assert!(registered["request"].is_string(), "{registered}");
}
