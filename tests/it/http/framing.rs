//! Addresses, methods, media types and sizes; and that the connection outlives a refusal.

use serde_json::json;

use crate::support::client::Connection;
use crate::support::house::{House, Plan};

#[test]
fn a_body_over_the_limit_is_refused_and_the_connection_stays() {
    let house = Plan::new().taking_in(64 << 10).open();
    let school = house.registrar("school");
    let before = house.store();
    let mut connection = Connection::open(house.address);
    let large = format!("{{\"subjects\":[\"{}\"]}}", "x".repeat(200 << 10));
    let reads = house.call("GET", "/profiles/school");
    for target in ["/endorsements/query", "/credentials/verify"] {
        let call = house
            .call("POST", target)
            .body("application/json", large.clone());
        let problem = connection.send(&call).problem(413);
        assert!(
            problem["detail"].as_str().unwrap().contains("65536"),
            "{problem}"
        );
        assert_eq!(connection.send(&reads).is(200).json()["id"], school.id);
    }
    let call = school
        .call("POST", "/endorsements")
        .body("application/json", large.clone());
    connection.send(&call).problem(413);
    connection.send(&reads).is(200);

    // The same in chunks, whose sum nobody announces.
    let mut chunked = format!(
        "POST /endorsements/query HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
        house.address
    );
    for part in large.as_bytes().chunks(10_000) {
        let part = std::str::from_utf8(part).unwrap();
        chunked += &format!("{:x}\r\n{part}\r\n", part.len());
    }
    chunked += "0\r\n\r\n";
    connection.send_bytes(chunked.as_bytes()).problem(413);
    connection.send(&reads).is(200);
    assert_eq!(house.store(), before);

    // What is just as long as is taken is read, and bulk routes take more.
    let fits = format!("{{\"subjects\":[\"{}\"]}}", "x".repeat((64 << 10) - 17));
    assert_eq!(fits.len(), 64 << 10);
    let call = house.call("POST", "/endorsements/query");
    connection
        .send(&call.body("application/json", fits))
        .is(200);
    let list = school.opens_list("revocation");
    let ids: Vec<String> = (0..5_000)
        .map(|n| format!("urn:example:credential:{n}"))
        .collect();
    let call = school.call("POST", &format!("{list}/entries"));
    let call = call.json(&json!({ "credentialIds": ids }));
    connection.send(&call).is(200);
}

#[test]
fn a_body_that_announces_itself_as_far_too_large_is_not_waited_for() {
    let house = Plan::new().taking_in(64 << 10).open();
    let head = format!(
        "POST /endorsements/query HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: 1000000000\r\n\r\n",
        house.address
    );
    let answer = Connection::open(house.address).send_bytes(head.as_bytes());
    answer.problem(413);
    assert_eq!(answer.header("connection"), Some("close"));
    // Nor is the end of one that never announced how long it is.
    let chunked = head.replace("Content-Length: 1000000000", "Transfer-Encoding: chunked");
    let part = (256 << 10) + 1;
    let endless = format!("{chunked}{part:x}\r\n{}\r\n", "x".repeat(part));
    let answer = Connection::open(house.address).send_bytes(endless.as_bytes());
    answer.problem(413);
    assert_eq!(answer.header("connection"), Some("close"));
    // Nor is one that asks beforehand.
    let asks = head.replace("1000000000\r\n", "65537\r\nExpect: 100-continue\r\n");
    let answer = Connection::open(house.address).send_bytes(asks.as_bytes());
    answer.problem(413);
}

#[test]
fn a_misspelt_filter_does_not_mean_all() {
    let house = House::open();
    for (target, pointer) in [
        ("/endorsements?subjet=urn:x", "?subjet"),
        ("/endorsements?subject=urn:x&subject=urn:y", "?subject"),
        ("/profiles?cusor=1", "?cusor"),
        ("/profiles?limit=1&limit=2", "?limit"),
        ("/status?list=urn:x&index=1&credental=urn:y", "?credental"),
    ] {
        let refused = house.call("GET", target).send().problem(400);
        assert_eq!(refused["pointer"], pointer, "{target}: {refused}");
    }
}

#[test]
fn a_refusal_leaves_the_connection_usable() {
    let house = House::open();
    let school = house.registrar("school");
    let mut connection = Connection::open(house.address);
    let reads = house.call("GET", "/profiles/school");
    let refused = [
        (
            house
                .call("POST", "/status-lists")
                .body("application/json", "}{"),
            401,
        ),
        (
            school
                .call("POST", "/status-lists")
                .body("application/json", "}{"),
            400,
        ),
        (
            school
                .call("POST", "/nowhere")
                .body("application/json", "}{"),
            404,
        ),
        (
            house
                .call("DELETE", "/profiles")
                .body("application/json", "{}"),
            405,
        ),
        (
            house
                .call("GET", "/profiles/school")
                .header("Accept", "image/png"),
            406,
        ),
        (
            school.call("POST", "/status-lists").body("text/csv", "a,b"),
            415,
        ),
    ];
    for (call, status) in refused {
        connection.send(&call).problem(status);
        connection.send(&reads).is(200);
    }
}

#[test]
fn what_is_nowhere_is_not_found_whatever_it_looks_like() {
    let house = House::open();
    let absent = "0".repeat(20);
    for path in [
        "/nowhere",
        "/profiles/",
        "/profiles/nobody",
        "/profiles/Not%20A%20Slug",
        "/profiles/nobody/did.json",
        "/profiles/nobody/jwks.json",
        "/profiles/nobody/achievements",
        "/profiles/x/y/z",
        "/status-lists/x",
        &format!("/status-lists/{absent}"),
        &format!("/endorsements/{absent}"),
        "/endorsements/..%2f..%2fetc",
        &format!("/achievements/{absent}"),
        "/achievements/%ff",
    ] {
        house.call("GET", path).send().problem(404);
        let head = house.call("HEAD", path).send().is(404);
        assert!(head.body.is_empty());
    }
    let operator = house.operator();
    for (path, body) in [
        (
            format!("/status-lists/{absent}/entries"),
            json!({ "count": 1 }),
        ),
        (
            format!("/status-lists/{absent}/updates"),
            json!({ "updates": [{ "index": 1, "status": 1 }] }),
        ),
        (format!("/endorsements/{absent}/revoke"), json!({})),
        (
            "/profiles/nobody/keys/key-1/revoke".into(),
            json!({ "since": "2026-01-01T00:00:00Z" }),
        ),
    ] {
        operator.post(&path, &body).problem(404);
    }
}

#[test]
fn a_method_that_an_address_does_not_take_is_told_which_it_does() {
    let house = House::open();
    for (method, path, allowed) in [
        (
            "DELETE",
            "/profiles",
            &["GET", "HEAD", "OPTIONS", "POST"][..],
        ),
        ("POST", "/profiles/x", &["GET", "HEAD", "OPTIONS", "PUT"]),
        ("GET", "/status/query", &["OPTIONS", "POST"]),
        ("PUT", "/status-lists/x", &["GET", "HEAD", "OPTIONS"]),
        ("PATCH", "/credentials/issue", &["OPTIONS", "POST"]),
    ] {
        let answer = house.call(method, path).send();
        answer.problem(405);
        let told = |answer: &crate::support::client::Answer| {
            let allow = answer.header("allow").expect("Allow").to_owned();
            let mut methods: Vec<String> = allow.split(", ").map(str::to_owned).collect();
            methods.sort();
            methods
        };
        assert_eq!(told(&answer), allowed);
        let asked = house.call("OPTIONS", path).send().is(204);
        assert_eq!(told(&asked), allowed);
    }
}

#[test]
fn what_cannot_be_had_in_the_form_asked_for_says_in_which_it_can() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let list = school.opens_list("revocation");
    let achievement = school.defines("Welding");
    let endorsement = board.endorses(&school.id, "profile", false);
    let endorsement = endorsement["id"].as_str().unwrap();
    for (target, offer) in [
        ("/profiles", "text/html"),
        ("/profiles/school", "application/ld+json"),
        ("/profiles/school/did.json", "application/did+json"),
        (&list, "application/vc"),
        (&achievement, "application/ld+json"),
        (endorsement, "application/vc"),
        ("/", "application/json"),
    ] {
        let answer = house
            .call("GET", target)
            .header("Accept", "image/png")
            .send();
        let problem = answer.problem(406);
        assert!(
            problem["detail"].as_str().unwrap().contains(offer),
            "{problem}"
        );
        let answer = house
            .call("GET", target)
            .header("Accept", offer)
            .send()
            .is(200);
        assert!(answer.header("content-type").unwrap().starts_with(offer));
    }
}

#[test]
fn pages_of_others_may_read_what_is_public() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let by_index = format!("/status?list={list}&index=0");
    let wallet = "https://wallet.example";
    for target in [
        &*list,
        &by_index,
        "/profiles",
        "/profiles/school",
        "/endorsements",
        "/nowhere",
    ] {
        let answer = house.call("GET", target).header("Origin", wallet).send();
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("*"),
            "{target}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    let asked = house
        .call("OPTIONS", "/credentials/verify")
        .header("Origin", wallet);
    let asked = asked.header("Access-Control-Request-Method", "POST");
    let asked = asked
        .header("Access-Control-Request-Headers", "content-type")
        .send()
        .is(204);
    assert_eq!(asked.header("access-control-allow-origin"), Some("*"));
    let methods = asked.header("access-control-allow-methods").unwrap();
    assert!(methods.contains("POST"), "{methods}");
    let headers = asked.header("access-control-allow-headers").unwrap();
    assert!(headers.to_lowercase().contains("content-type"), "{headers}");
}
