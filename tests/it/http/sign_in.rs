//! People who sign in by a client: invited, let in, and removed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::actors::{Actor, text};
use crate::support::client::Answer;
use crate::support::house::House;
use crate::support::oauth::{hidden, opened, posts};

const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more";
const PLACE: &str = "https://app.example/cb?tenant=1";
const PASSPHRASE: &str = "nine lives, one cat";

/// A program on people's own devices, of the school, and what it asks.
pub(super) struct App {
    pub(super) client: String,
    asks: BTreeMap<&'static str, String>,
}

pub(super) fn app(school: &Actor<'_>) -> App {
    let public = json!({ "token_endpoint_auth_method": "none", "redirect_uris": [PLACE] });
    let client = school.registers_client("owner", &public).id;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let asks = [
        ("response_type", "code"),
        ("client_id", &client),
        ("redirect_uri", PLACE),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("state", "a b&c"),
    ];
    App {
        asks: asks.map(|(name, value)| (name, value.to_owned())).into(),
        client,
    }
}

impl App {
    /// What it asks, with one parameter otherwise; without it where that is empty.
    fn with(&self, name: &'static str, value: &str) -> String {
        let mut asks = self.asks.clone();
        asks.insert(name, value.to_owned());
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(asks.iter().filter(|(_, value)| !value.is_empty()));
        format!("/oauth/authorize?{}", query.finish())
    }

    /// What the app is told once somebody has signed in and agreed to these scopes.
    pub(super) fn is_sent_back(
        &self,
        house: &House,
        scope: &str,
        name: &str,
    ) -> BTreeMap<String, String> {
        let target = self.with("scope", scope);
        told(&answers(house, &target, &allows(name, PASSPHRASE)))
    }

    /// The token that it is given then.
    pub(super) fn signs_in(&self, house: &House, scope: &str, name: &str) -> Answer {
        let sent = self.is_sent_back(house, scope, name);
        self.fetches(house, &sent["code"], VERIFIER)
    }

    fn fetches(&self, house: &House, code: &str, verifier: &str) -> Answer {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", &self.client),
            ("code", code),
            ("redirect_uri", PLACE),
            ("code_verifier", verifier),
        ];
        posts(house, "/oauth/token", &form).send()
    }
}

/// Invites somebody and lets them take the invitation; their id.
pub(super) fn invited(by: &Actor<'_>, email: &str, role: &str) -> String {
    let body = json!({ "name": "Ada", "email": email, "role": role });
    let made = by
        .post(&format!("/profiles/{}/people", by.slug), &body)
        .is(201)
        .json();
    accepts(by.house, &text(&made["invitation"]), PASSPHRASE).is(200);
    text(&made["id"])
}

fn accepts(house: &House, code: &str, passphrase: &str) -> Answer {
    let page = house.call("GET", "/oauth/accept").send().is(200);
    let hidden = hidden(&page);
    let form = [
        ("form", hidden["form"].as_str()),
        ("code", code),
        ("passphrase", passphrase),
    ];
    posts(house, "/oauth/accept", &form).send()
}

/// Opens the page that an app leads to, and answers.
fn answers(house: &House, target: &str, more: &[(&str, &str)]) -> Answer {
    let page = house.call("GET", target).send().is(200);
    let hidden = hidden(&page);
    let mut form: Vec<(&str, &str)> = hidden
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    form.extend(more);
    posts(house, "/oauth/authorize", &form).send()
}

fn allows<'a>(name: &'a str, passphrase: &'a str) -> [(&'a str, &'a str); 3] {
    [
        ("answer", "allow"),
        ("name", name),
        ("passphrase", passphrase),
    ]
}

/// What the client is told at its place.
#[track_caller]
fn told(answer: &Answer) -> BTreeMap<String, String> {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let location = answer.header("location").unwrap();
    let (place, _) = location.split_once("&").unwrap();
    assert_eq!(place, PLACE);
    let query = url::Url::parse(location).unwrap();
    let pairs: BTreeMap<String, String> = query.query_pairs().into_owned().collect();
    assert_eq!(
        (pairs["state"].as_str(), pairs["tenant"].as_str()),
        ("a b&c", "1")
    );
    assert_eq!(pairs["iss"], "https://registry.example");
    pairs
}

#[test]
fn somebody_who_is_invited_signs_in_by_a_client_and_acts_as_themselves() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let app = app(&school);
    let ada = invited(&school, "Ada@school.example", "list-manager");
    let page = house
        .call("GET", &app.with("scope", "status:write"))
        .send()
        .is(200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("form-action 'self' https://app.example;"),
        "{policy}"
    );
    assert!(policy.contains("default-src 'none'") && !page.text().contains("<script"));
    for words in ["A system", "school", "Revoke and suspend", "status:write"] {
        assert!(page.text().contains(words), "{words}");
    }
    assert_eq!(page.header("cache-control"), Some("no-store"));

    let target = app.with("state", "a b&c");
    let wrong = answers(
        &house,
        &target,
        &allows("ada@school.example", "nine lives, two cats"),
    );
    assert_eq!((wrong.status, wrong.header("location")), (403, None));
    assert!(wrong.text().contains("not right") && !wrong.text().contains("two cats"));
    let code = &told(&answers(
        &house,
        &target,
        &allows("ada@school.example", PASSPHRASE),
    ))["code"];
    // Neither another verifier nor another client's name gets anything for it.
    let other = app.fetches(&house, code, &VERIFIER.replace('a', "b"));
    assert_eq!(
        (other.status, &other.json()["error"]),
        (400, &json!("invalid_grant"))
    );
    let given = app.fetches(&house, code, VERIFIER).is(200).json();
    let token = text(&given["access_token"]);
    let [_, claims] = opened(&token);
    assert_eq!(
        (&claims["sub"], &claims["client_id"]),
        (&json!(ada), &json!(app.client))
    );
    let with = |method: &str, target: &str| house.call(method, target).token(&token);
    let entries = json!({ "count": 1 });
    with("POST", &format!("{list}/entries"))
        .json(&entries)
        .send()
        .is(200);
    // The client may do everything for the school, and Ada may not.
    with("POST", "/profiles/school/keys").send().problem(403);
    let events = school.get("/events").is(200).text();
    assert!(events.contains("person.accepted"), "{events}");
    let events: Value = serde_json::from_str(&events).unwrap();
    let events = events["events"].as_array().unwrap();
    let allocated = events
        .iter()
        .find(|event| event["type"] == "entries.allocated");
    let actor = &allocated.unwrap()["actor"];
    assert_eq!(
        (&actor["person"], &actor["client"]),
        (&json!(ada), &json!(app.client))
    );

    // Whoever used the code a second time may be the thief, or the first one was.
    let again = app.fetches(&house, code, VERIFIER);
    assert_eq!(
        (again.status, &again.json()["error"]),
        (400, &json!("invalid_grant"))
    );
    with("POST", &format!("{list}/entries"))
        .json(&entries)
        .send()
        .problem(401);

    let code = &told(&answers(&house, &target, &allows(&ada, PASSPHRASE)))["code"];
    house.wait(59);
    let token = text(&app.fetches(&house, code, VERIFIER).is(200).json()["access_token"]);
    let keys = || {
        house
            .call("GET", "/profiles/school/keys")
            .token(&token)
            .send()
    };
    keys().is(200);
    school
        .post(&format!("/people/{ada}/remove"), &json!({}))
        .is(204);
    keys().problem(401);
    answers(&house, &target, &allows(&ada, PASSPHRASE)).is(403);
    assert_eq!(school.get("/people").is(200).json()["people"], json!([]));
    house.wait(700);
    assert!(house.registry.forget_ended_codes().unwrap() >= 2);
}

#[test]
fn what_is_asked_wrongly_is_answered_where_that_is_safe() {
    let house = House::open();
    let (school, other) = (house.registrar("school"), house.registrar("other"));
    let app = app(&school);
    // Nobody is sent to a place that is not the client's.
    for (name, value) in [
        ("redirect_uri", "https://evil.example/cb"),
        ("redirect_uri", "https://app.example/cb"),
        ("redirect_uri", ""),
        ("client_id", "00000000000000000000000000000000"),
        ("client_id", ""),
    ] {
        let answer = house.call("GET", &app.with(name, value)).send().is(400);
        assert_eq!(answer.header("location"), None, "{name} {value}");
        assert!(
            answer
                .header("content-type")
                .unwrap()
                .starts_with("text/html")
        );
    }
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("scope", "everything", "invalid_scope"),
        ("scope", "registry:write", "invalid_scope"),
        ("resource", "https://other.example", "invalid_target"),
        ("request", "eyJ", "invalid_request"),
    ] {
        let answer = house.call("GET", &app.with(name, value)).send();
        assert_eq!(told(&answer)["error"], error, "{name} {value}");
    }
    let target = app.with("scope", "read");
    let denied = answers(&house, &target, &[("answer", "deny")]);
    assert_eq!(told(&denied)["error"], "access_denied");

    invited(&school, "ada@school.example", "owner");
    let them = invited(&other, "ada@school.example", "owner");
    let good = allows("ada@school.example", PASSPHRASE);
    // A form that another page made up, or of another request, or that is old.
    let page = house.call("GET", &target).send().is(200);
    let fields = hidden(&page);
    let sends = |bent: &dyn Fn(&mut BTreeMap<String, String>)| {
        let mut fields = fields.clone();
        bent(&mut fields);
        let mut form: Vec<(&str, &str)> = fields
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        form.extend(good);
        posts(&house, "/oauth/authorize", &form).send()
    };
    sends(&|fields| drop(fields.remove("form"))).is(403);
    sends(&|fields| drop(fields.insert("form".into(), "1.AAAA".into()))).is(403);
    sends(&|fields| drop(fields.insert("scope".into(), "keys:write".into()))).is(403);
    sends(&|fields| drop(fields.insert("state".into(), "theirs".into()))).is(403);
    sends(&|_| ()).is(303);
    house.wait(900);
    sends(&|_| ()).is(403);
    // Another tenant's people are nobody here.
    answers(&house, &target, &allows(&them, PASSPHRASE)).is(403);
    // A code that nobody fetched in time.
    let code = &told(&answers(&house, &app.with("scope", ""), &good))["code"];
    house.wait(60);
    let late = app.fetches(&house, code, VERIFIER);
    assert_eq!(
        (late.status, &late.json()["error"]),
        (400, &json!("invalid_grant"))
    );
}

#[test]
fn an_invitation_is_taken_once_and_in_time() {
    let house = House::open();
    let school = house.registrar("school");
    let body = json!({ "name": "Ada", "email": "ada@school.example", "role": "endorser" });
    let made = school.post("/profiles/school/people", &body).is(201).json();
    let code = text(&made["invitation"]);
    let bytes = code.as_bytes();
    let leaks = |row: &(Vec<u8>, Vec<u8>)| row.1.windows(bytes.len()).any(|part| part == bytes);
    assert!(!house.store().iter().any(leaks));
    school.post("/profiles/school/people", &body).problem(400);
    for bad in [json!("operator"), json!("root")] {
        let body = json!({ "name": "Eve", "role": bad });
        school.post("/profiles/school/people", &body).problem(400);
    }
    accepts(&house, &code, "too short").is(400);
    accepts(&house, &format!("{code}x"), PASSPHRASE).is(403);
    accepts(&house, "gsi_nothing", PASSPHRASE).is(403);
    let foreign = [
        ("form", "1.AAAA"),
        ("code", code.as_str()),
        ("passphrase", PASSPHRASE),
    ];
    posts(&house, "/oauth/accept", &foreign).send().is(403);
    let listed = school.get("/people").is(200).json();
    assert_eq!(listed["people"][0]["accepted"], Value::Bool(false));
    accepts(&house, &code, PASSPHRASE).is(200);
    accepts(&house, &code, "another passphrase").is(403);
    let kept = PASSPHRASE.as_bytes();
    let leaks = |row: &(Vec<u8>, Vec<u8>)| row.1.windows(kept.len()).any(|part| part == kept);
    assert!(!house.store().iter().any(leaks));

    let operator = house.operator();
    let made = operator
        .post("/people", &json!({ "name": "Op", "role": "operator" }))
        .is(201);
    house.wait(7 * 86_400);
    accepts(&house, &text(&made.json()["invitation"]), PASSPHRASE).is(403);
    let other = house.registrar("other");
    let id = text(&listed["people"][0]["id"]);
    other
        .post(&format!("/people/{id}/remove"), &json!({}))
        .problem(404);
}

#[test]
fn who_guesses_waits() {
    let house = House::open();
    let school = house.registrar("school");
    let app = app(&school);
    invited(&school, "ada@school.example", "owner");
    let target = app.with("scope", "read");
    let tries =
        |passphrase: &str| answers(&house, &target, &allows("ada@school.example", passphrase));
    for _ in 0..5 {
        assert!(
            tries("a wrong passphrase")
                .is(403)
                .text()
                .contains("not right")
        );
    }
    // Not even the right one is looked at.
    let waits = tries(PASSPHRASE).is(429);
    assert_eq!(waits.header("retry-after"), Some("1"));
    assert!(waits.text().contains("try again in 1 seconds"));
    house.wait(1);
    assert!(
        tries("a wrong passphrase")
            .is(403)
            .text()
            .contains("not right")
    );
    assert!(
        tries(PASSPHRASE)
            .is(429)
            .text()
            .contains("try again in 2 seconds")
    );
    house.wait(2);
    tries(PASSPHRASE).is(303);
    tries(PASSPHRASE).is(303);
}

#[test]
fn who_guesses_names_learns_nothing_by_waiting() {
    let house = House::open();
    let school = house.registrar("school");
    let app = app(&school);
    let ada = invited(&school, "ada@school.example", "owner");
    let target = app.with("scope", "read");
    let tries = |name: &str| {
        let answers: Vec<(u16, bool)> = (0..6)
            .map(|_| answers(&house, &target, &allows(name, "a wrong passphrase")))
            .map(|answer| (answer.status, answer.text().contains("try again in")))
            .collect();
        answers
    };
    let known = tries("ada@school.example");
    assert_eq!(known.last(), Some(&(429, true)));
    assert_eq!(tries("nobody@school.example"), known);
    // By another name of the same person there are no further tries.
    let by_id = answers(&house, &target, &allows(&ada, PASSPHRASE));
    assert!(by_id.is(429).text().contains("try again in"));
}

#[test]
fn no_page_of_another_origin_reads_where_people_sign_in() {
    let house = House::open();
    let school = house.registrar("school");
    let app = app(&school);
    let elsewhere = |method: &str, target: &str| {
        let call = house.call(method, target);
        let answer = call.header("Origin", "https://evil.example").send();
        answer.header("access-control-allow-origin").is_some()
    };
    for target in [&app.with("scope", "read"), "/oauth/accept"] {
        for method in ["GET", "OPTIONS"] {
            assert!(!elsewhere(method, target), "{method} {target}");
        }
    }
    assert!(elsewhere("GET", "/.well-known/oauth-authorization-server"));
    assert!(elsewhere("OPTIONS", "/oauth/token"));
}
