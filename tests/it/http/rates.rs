//! How often is asked: who has a token has so many requests, and who has none is not counted.

use goodstanding::http::{Limits, Rates};
use goodstanding::time::Ttl;
use serde_json::json;

use crate::support::actors::{Actor, text};
use crate::support::client::Answer;
use crate::support::house::{House, Plan};

fn house(client: u32, tenant: u32, operator: u32) -> House {
    let rates = Rates {
        window: Ttl::from_seconds(60),
        client,
        tenant,
        operator,
        ..Rates::usual()
    };
    Plan::new()
        .within(|limits: &mut Limits| limits.rates = rates)
        .open()
}

fn reads(who: &Actor<'_>) -> Answer {
    who.get(&format!("/profiles/{}/keys", who.slug))
}

/// A member of a structured field (RFC 9651) that is a list of texts with whole-number parameters.
fn told(answer: &Answer, header: &str, name: &str, parameter: &str) -> u64 {
    let field = answer.header(header).expect("it is told");
    let item = field.split(", ").find_map(|item| {
        let (text, parameters) = item.split_once(';')?;
        (text == format!("\"{name}\"")).then_some(parameters)
    });
    let item = item.unwrap_or_else(|| panic!("{name} is not in {field}"));
    let found = item
        .split(';')
        .find_map(|each| each.strip_prefix(&format!("{parameter}=")));
    found.expect(field).parse().expect(field)
}

#[track_caller]
fn refused(answer: &Answer, policies: &[&str], seconds: &str) {
    let problem = answer.problem(429);
    assert_eq!(
        problem["type"],
        "urn:goodstanding:problem:too-many-requests"
    );
    assert_eq!(problem["violated-policies"], json!(policies));
    assert_eq!(answer.header("retry-after"), Some(seconds));
}

#[test]
fn a_client_hears_what_it_has_left_and_when_to_come_back() {
    let house = house(3, 100, 0);
    let school = house.registrar("school");
    for left in [2, 1, 0] {
        let answer = reads(&school).is(200);
        let policy = answer.header("ratelimit-policy");
        assert_eq!(policy, Some("\"client\";q=3;w=60, \"tenant\";q=100;w=60"));
        assert_eq!(told(&answer, "ratelimit", "client", "r"), left);
        assert_eq!(told(&answer, "ratelimit", "client", "t"), (3 - left) * 20);
    }
    let answer = reads(&school);
    refused(&answer, &["client"], "20");
    assert_eq!(told(&answer, "ratelimit", "client", "r"), 0);
    // Who is refused has lost nothing by asking.
    assert_eq!(told(&answer, "ratelimit", "tenant", "r"), 97);
    // Changes come out of the same bucket, and are not made.
    let before = house.store();
    let change = school.post("/profiles/school/keys", &json!({}));
    refused(&change, &["client"], "20");
    assert_eq!(house.store(), before);
    house.wait(19);
    refused(&reads(&school), &["client"], "1");
    house.wait(1);
    reads(&school).is(200);
    refused(&reads(&school), &["client"], "20");
    house.wait(3_600);
    assert_eq!(
        told(&reads(&school), "ratelimit", "client", "r"),
        2,
        "no more than full"
    );
}

#[test]
fn the_clients_of_a_profile_share_what_it_has() {
    let house = house(4, 6, 0);
    let (school, other) = (house.registrar("school"), house.registrar("other"));
    let made = house
        .operator()
        .post("/tokens", &json!({ "profile": "school" }));
    let second = Actor {
        house: &house,
        token: Some(text(&made.is(201).json()["token"])),
        slug: school.slug.clone(),
        id: school.id.clone(),
    };
    (0..4).for_each(|_| drop(reads(&school).is(200)));
    (0..2).for_each(|_| drop(reads(&second).is(200)));
    refused(&reads(&second), &["tenant"], "10");
    refused(&reads(&school), &["client", "tenant"], "15");
    reads(&other).is(200);
}

#[test]
fn what_is_for_everybody_is_not_counted() {
    let house = house(1, 1, 0);
    let school = house.registrar("school");
    reads(&school).is(200);
    reads(&school).problem(429);
    for _ in 0..5 {
        // Also where whoever asks has a token.
        for who in [&school, &house.verifier()] {
            let answer = who.get("/profiles/school").is(200);
            assert_eq!(answer.header("ratelimit"), None);
            assert_eq!(answer.header("ratelimit-policy"), None);
        }
        let answer = house
            .verifier()
            .post("/endorsements/query", &json!({ "subjects": ["urn:a"] }));
        assert_eq!(answer.is(200).header("ratelimit"), None);
        // Who is nobody is told so, as often as they ask.
        let answer = house
            .call("GET", "/profiles/school/keys")
            .token("nobody")
            .send();
        assert_eq!(answer.is(401).header("ratelimit"), None);
    }
}

#[test]
fn the_operator_is_counted_where_that_is_configured() {
    let free = house(1, 1, 0);
    for _ in 0..5 {
        let answer = free.operator().get("/keys").is(200);
        assert_eq!(answer.header("ratelimit"), None);
    }
    let bound = house(0, 0, 2);
    let operator = bound.operator();
    operator.get("/keys").is(200);
    let answer = operator.get("/keys").is(200);
    assert_eq!(
        answer.header("ratelimit-policy"),
        Some("\"operator\";q=2;w=60")
    );
    refused(&operator.get("/keys"), &["operator"], "30");
}

#[test]
fn without_bounds_nothing_is_counted() {
    let house = house(0, 0, 0);
    let school = house.registrar("school");
    for _ in 0..5 {
        assert_eq!(reads(&school).is(200).header("ratelimit"), None);
    }
}
