//! Development mode: nobody signs in, so no web page may get through.

use serde_json::json;

use crate::support::actors::{Actor, badge, text};
use crate::support::house::{House, Plan};

fn somebody(house: &House) -> Actor<'_> {
    house.verifier()
}

#[test]
fn changes_need_no_token() {
    let house = Plan::new().in_development().open();
    let me = somebody(&house);
    let profile = json!({ "slug": "school", "name": "School", "roles": ["issuer"] });
    let made = me.post("/profiles", &profile).is(201).json();
    assert_eq!(made["id"], "did:web:localhost%3A8080:profiles:school");
    let credential = badge(&text(&made["id"]), "https://far.example/welding");
    let issued = me.issues(&credential);
    assert_eq!(me.verifies(&issued)["outcome"], "active");
    // And by its id everybody hears of a credential.
    let target = format!("/status?credential={}", text(&issued["id"]));
    assert_eq!(me.get(&target).is(200).json()["outcome"], "active");
    // A token that is none is still none.
    house
        .call("GET", "/profiles")
        .token("gst_x")
        .send()
        .problem(401);
}

#[test]
fn a_foreign_host_or_origin_is_turned_away() {
    let house = Plan::new().in_development().open();
    let port = house.address.port();
    let before = house.store();
    let profile = json!({ "slug": "school", "name": "School", "roles": ["issuer"] });
    let own = format!("localhost:{port}");
    let attack = |host: &str, origin: Option<&str>| {
        let call = house
            .call("POST", "/profiles")
            .json(&profile)
            .header("Host", host);
        match origin {
            Some(origin) => call.header("Origin", origin).send(),
            None => call.send(),
        }
    };
    let elsewhere = format!("http://localhost:{}", port.wrapping_add(1));
    for (host, origin) in [
        ("evil.example", None),
        ("evil.example:8080", None),
        ("localhost.evil.example", None),
        ("127.0.0.1.evil.example", None),
        ("localhost@evil.example", None),
        ("0.0.0.0", None),
        ("", None),
        ("evil.example", Some("http://evil.example")),
        (own.as_str(), Some("http://evil.example")),
        (own.as_str(), Some("null")),
        (own.as_str(), Some(elsewhere.as_str())),
        (own.as_str(), Some("http://localhost.evil.example")),
    ] {
        let refused = attack(host, origin).problem(403);
        let kind = "urn:goodstanding:problem:foreign-origin";
        assert_eq!(refused["type"], kind, "{host} {origin:?}");
    }
    // Reading is not for such pages either, nor is asking beforehand.
    for method in ["GET", "OPTIONS"] {
        let call = house
            .call(method, "/profiles")
            .header("Host", "evil.example");
        call.send().problem(403);
        let call = house
            .call(method, "/profiles")
            .header("Origin", "http://evil.example");
        let answer = call.send();
        answer.problem(403);
    }
    assert_eq!(house.store(), before);

    for (host, origin) in [
        (own.clone(), None),
        (format!("127.0.0.1:{port}"), None),
        (format!("[::1]:{port}"), None),
        (own.clone(), Some(format!("http://{own}"))),
        (
            "localhost:8080".into(),
            Some("http://localhost:8080".into()),
        ),
    ] {
        let call = house.call("GET", "/profiles").header("Host", host);
        let call = match origin {
            Some(origin) => call.header("Origin", origin),
            None => call,
        };
        call.send().is(200);
    }
}

#[test]
fn a_foreign_page_may_ask_a_registry_in_production_what_is_public_and_nothing_else() {
    let house = House::open();
    let call = house
        .call("GET", "/profiles")
        .header("Host", "registry.example");
    call.header("Origin", "https://evil.example").send().is(200);
    let profile = json!({ "slug": "school", "name": "School", "roles": ["issuer"] });
    let call = house.call("POST", "/profiles").json(&profile);
    call.header("Origin", "https://evil.example")
        .send()
        .problem(401);
}
