//! The service API of Open Badges 3.0, as a client of it meets it: it reads the service description,
//! and finds its way by that. Shapes and words are those that the standard publishes.

mod description;
mod handing_in;
mod held;
mod profile;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::actors::text;
use crate::support::client::{Answer, Call};
use crate::support::house::{House, ORIGIN};

const SCOPES: &str = "https://purl.imsglobal.org/spec/ob/v3p0/scope/";

/// What B.3.6 has of codes, with the status that it says each goes with; `unknown` goes with any.
const CODES: [(&str, u16); 9] = [
    ("forbidden", 403),
    ("internal_server_error", 500),
    ("invalid_data", 422),
    ("invalid_query_parameter", 400),
    ("not_acceptable", 406),
    ("not_allowed", 405),
    ("not_found", 404),
    ("server_busy", 429),
    ("unauthorizedrequest", 401),
];

/// A program that knows the standard and nothing else of this registry.
struct Client<'h> {
    house: &'h House,
    token: Option<String>,
    description: Value,
}

impl<'h> Client<'h> {
    /// Reads the service description, which needs no token.
    fn of(house: &'h House) -> Self {
        let found = house.call("GET", "/ims/ob/v3p0/discovery").send().is(200);
        assert_eq!(found.header("content-type"), Some("application/json"));
        Self {
            house,
            token: None,
            description: found.json(),
        }
    }

    /// With a token of this profile, narrowed to scopes of the standard.
    fn with(&self, profile: &str, scopes: &[&str]) -> Self {
        let scopes: Vec<String> = scopes
            .iter()
            .map(|name| format!("{SCOPES}{name}"))
            .collect();
        let body = json!({ "profile": profile, "scope": scopes.join(" ") });
        let made = self.house.operator().post("/tokens", &body).is(201).json();
        Self {
            house: self.house,
            token: Some(text(&made["token"])),
            description: self.description.clone(),
        }
    }

    /// The call of an operation of the standard, where the description says that it is.
    fn calls(&self, operation: &str) -> Call {
        let server = text(&self.description["servers"][0]["url"]);
        let (method, path) = self.finds(operation);
        let call = self
            .house
            .call(&method.to_uppercase(), &format!("{server}{path}"));
        match &self.token {
            Some(token) => call.token(token),
            None => call,
        }
    }

    fn finds(&self, operation: &str) -> (String, String) {
        let paths = self.description["paths"].as_object().unwrap();
        let all = paths.iter().flat_map(|(path, item)| {
            let item = item.as_object().unwrap();
            item.iter().map(move |(method, said)| (method, path, said))
        });
        let found = all
            .filter(|(_, _, said)| said["operationId"] == operation)
            .collect::<Vec<_>>();
        let [(method, path, _)] = found[..] else {
            panic!("{operation}: {found:?}");
        };
        (method.clone(), path.clone())
    }

    fn said(&self, operation: &str) -> &Value {
        let (method, path) = self.finds(operation);
        &self.description["paths"][&path][&method]
    }

    fn gets(&self, operation: &str) -> Answer {
        self.calls(operation).send()
    }

    fn hands_in(&self, credential: &Value) -> Answer {
        self.calls("upsertCredential").json(credential).send()
    }

    /// A page of what the profile holds.
    fn page(&self, query: &str) -> Page {
        let server = text(&self.description["servers"][0]["url"]);
        self.follows(&format!("{server}/credentials{query}"))
    }

    fn follows(&self, url: &str) -> Page {
        let token = self.token.as_deref().unwrap();
        let answer = self.house.call("GET", url).token(token).send().is(200);
        let body = answer.json();
        let mut members: Vec<&String> = body.as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, ["compactJwsString", "credential"]);
        let list = |name: &str| body[name].as_array().unwrap().clone();
        let links = answer.header("link").unwrap().split(", ").map(|link| {
            let (url, relation) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
            let relation = relation.strip_prefix("; rel=\"").unwrap();
            (relation.trim_end_matches('"').to_owned(), url.to_owned())
        });
        Page {
            credentials: list("credential"),
            jwts: list("compactJwsString"),
            total: answer.header("x-total-count").unwrap().parse().unwrap(),
            links: links.collect(),
        }
    }
}

struct Page {
    credentials: Vec<Value>,
    jwts: Vec<Value>,
    total: usize,
    links: BTreeMap<String, String>,
}

/// Demands a refusal as the standard writes it, and gives its code.
#[track_caller]
fn refusal(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let info = answer.json();
    let members: BTreeSet<&str> = info
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let known = BTreeSet::from([
        "imsx_codeMajor",
        "imsx_codeMinor",
        "imsx_description",
        "imsx_severity",
    ]);
    assert_eq!(members, known);
    assert_eq!(info["imsx_codeMajor"], "failure");
    assert!(!text(&info["imsx_description"]).is_empty());
    let fields = info["imsx_codeMinor"]["imsx_codeMinorField"].as_array();
    let [field] = &fields.unwrap()[..] else {
        panic!("one code: {info}");
    };
    assert_eq!(field["imsx_codeMinorFieldName"], ORIGIN);
    let code = text(&field["imsx_codeMinorFieldValue"]);
    let severity = if code == "not_found" {
        "status"
    } else {
        "error"
    };
    assert_eq!(info["imsx_severity"], severity);
    let known = CODES.iter().find(|(known, _)| *known == code);
    match known {
        // A body that says what cannot be is a bad request in every API here.
        Some(("invalid_data", _)) => assert!([400, 422].contains(&status), "{info}"),
        Some((_, goes_with)) => assert_eq!(status, *goes_with, "{info}"),
        None => assert_eq!(code, "unknown", "{info}"),
    }
    code
}

#[track_caller]
fn described(answer: &Answer, words: &str) {
    let description = text(&answer.json()["imsx_description"]);
    assert!(description.contains(words), "{description}");
}

#[test]
fn each_scope_is_good_for_its_operation_alone() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let held = board.endorses(&school.id, "profile", false);
    let client = Client::of(&house);
    let operations = [
        ("credential.readonly", "getCredentials", None),
        ("credential.upsert", "upsertCredential", Some(held)),
        ("profile.readonly", "getProfile", None),
        (
            "profile.update",
            "putProfile",
            Some(json!({ "name": "School" })),
        ),
    ];
    for (scope, ..) in &operations {
        let client = client.with("school", &[*scope]);
        for (needed, operation, body) in &operations {
            let call = client.calls(operation);
            let answer = match body {
                Some(body) => call.json(body).send(),
                None => call.send(),
            };
            if needed == scope {
                answer.is(200);
                continue;
            }
            assert_eq!(refusal(&answer, 403), "forbidden");
            let challenge = answer.header("www-authenticate").unwrap();
            let named = format!("error=\"insufficient_scope\", scope=\"{SCOPES}{needed}\"");
            assert!(challenge.contains(&named), "{challenge}");
        }
        // And for nothing outside of this API.
        let token = client.token.as_deref().unwrap();
        let keys = house.call("GET", "/profiles/school/keys").token(token);
        keys.send().problem(403);
        let put = house.call("PUT", "/profiles/school").token(token);
        put.json(&json!({ "name": "School" })).send().problem(403);
    }
}

#[test]
fn nothing_else_is_there_and_that_is_said_in_the_same_words() {
    let house = House::open();
    let asks = |method: &str, target: &str| {
        let browser = house.call(method, target).header("Accept", "text/html");
        browser.send()
    };
    for target in [
        "/ims/ob/v3p0",
        "/ims/ob/v3p0/",
        "/ims/ob/v3p0/credentials/1",
    ] {
        assert_eq!(refusal(&asks("GET", target), 404), "not_found", "{target}");
    }
    let answer = asks("DELETE", "/ims/ob/v3p0/credentials");
    assert_eq!(refusal(&answer, 405), "not_allowed");
    assert_eq!(answer.header("allow"), Some("GET, POST, HEAD, OPTIONS"));
    // Beside this API problems are what they were.
    house.call("GET", "/ims/ob/v3p01").send().problem(404);
}

/// A token of somebody who only endorses reads, and changes no profile.
#[test]
fn a_role_narrows_what_a_scope_gives() {
    let house = House::open();
    house.registrar("school");
    let client = Client::of(&house);
    let scopes = ["profile.readonly", "profile.update"].map(|name| format!("{SCOPES}{name}"));
    let body = json!({ "profile": "school", "role": "endorser", "scope": scopes.join(" ") });
    let made = house.operator().post("/tokens", &body).is(201).json();
    let token = text(&made["token"]);
    client.calls("getProfile").token(&token).send().is(200);
    let put = client.calls("putProfile").token(&token);
    let answer = put.json(&json!({ "name": "School" })).send();
    assert_eq!(refusal(&answer, 403), "forbidden");
}
