//! The OpenAPI description, held against the table of routes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use goodstanding::access::Action;
use goodstanding::http::Rates;
use goodstanding::http::routes::{Access, ROUTES};
use goodstanding::time::Ttl;
use serde_json::{Value, json};

use crate::support::actors::text;
use crate::support::client::Answer;
use crate::support::described::differs;
use crate::support::house::{House, ORIGIN, Plan};

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

fn description() -> Value {
    let house = House::open();
    let answer = house.call("GET", "/openapi.json").send().is(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=3600"));
    answer.json()
}

/// Every operation: method and path as the table writes them, and what is said of it.
fn operations(description: &Value) -> BTreeMap<(String, String), Value> {
    let mut found = BTreeMap::new();
    for (path, item) in description["paths"].as_object().expect("paths") {
        assert!(path.starts_with('/'), "{path}");
        for (method, operation) in item.as_object().expect("a path item") {
            assert!(METHODS.contains(&method.as_str()), "{path} {method}");
            found.insert((method.to_uppercase(), path.clone()), operation.clone());
        }
    }
    found
}

#[test]
fn it_lists_exactly_the_routes() {
    let listed: BTreeSet<(String, String)> = operations(&description()).into_keys().collect();
    let route = |route: &goodstanding::http::routes::Route| {
        (route.method.to_owned(), route.path.to_owned())
    };
    let routes: BTreeSet<(String, String)> = ROUTES.iter().map(route).collect();
    assert_eq!(routes.len(), ROUTES.len(), "no route stands twice");
    assert_eq!(listed, routes);
}

#[test]
fn it_has_the_shape_of_openapi_3_1() {
    let description = description();
    let version = text(&description["openapi"]);
    assert!(version.starts_with("3.1."), "{version}");
    for member in ["title", "version"] {
        text(&description["info"][member]);
    }
    let members = ["openapi", "info", "servers", "tags", "paths", "components"];
    for member in description.as_object().unwrap().keys() {
        assert!(members.contains(&member.as_str()), "{member}");
    }
    let mut ids = BTreeSet::new();
    for ((method, path), operation) in operations(&description) {
        let at = format!("{method} {path}");
        assert!(
            ids.insert(text(&operation["operationId"])),
            "{at}: operationId is not unique"
        );
        text(&operation["summary"]);
        let responses = operation["responses"].as_object().expect("responses");
        for (status, response) in responses {
            let response = resolved(&description, response);
            let known = status == "default" || matches!(status.parse(), Ok(100..600u16));
            assert!(
                known && response["description"].is_string(),
                "{at} {status}"
            );
        }
        let route = ROUTES
            .iter()
            .find(|route| route.method == method && route.path == path);
        let route = route.expect("listed is what is there");
        assert!(responses.contains_key(&route.success.to_string()), "{at}");
        assert_eq!(
            operation.get("security").is_some(),
            route.access.is_private(),
            "{at}"
        );
        assert_eq!(
            operation.get("requestBody").is_some(),
            route.body.is_some(),
            "{at}"
        );
        path_parameters_fit(&path, &operation);
    }
    let schemes = description["components"]["securitySchemes"]
        .as_object()
        .unwrap();
    assert_eq!(schemes["token"]["scheme"], "bearer");
}

/// What stands there, or where it refers to.
fn resolved<'d>(description: &'d Value, there: &'d Value) -> &'d Value {
    match there["$ref"].as_str() {
        Some(reference) => description.pointer(&reference[1..]).expect(reference),
        None => there,
    }
}

/// Holds an answer to what is said of those with its status: its media type and the headers that tell
/// callers of themselves. Those of them that it has.
#[track_caller]
fn told(description: &Value, operation: &Value, answer: &Answer) -> BTreeSet<String> {
    let response = &operation["responses"][answer.status.to_string()];
    let response = resolved(description, response);
    let media = answer.header("content-type").unwrap_or_default();
    let content = &response["content"][media.split(';').next().unwrap()];
    assert!(content["schema"].is_object(), "{media}: {response}");
    let known = description["components"]["headers"].as_object().unwrap();
    let has = known.keys().filter(|name| answer.header(name).is_some());
    let has: BTreeSet<String> = has.cloned().collect();
    for name in &has {
        let header = resolved(description, &response["headers"][name]);
        assert!(header["schema"].is_object(), "{name}: {response}");
    }
    has
}

/// Every way to be refused, at every route that is not for everybody; and each header that is described
/// with a refusal is one that some of them have.
#[test]
fn who_is_refused_is_refused_as_it_is_described() {
    let description = description();
    let rates = Rates {
        window: Ttl::from_seconds(60),
        client: 100,
        tenant: 100,
        operator: 5,
        ..Rates::usual()
    };
    let house = Plan::new().within(|limits| limits.rates = rates).open();
    let (school, operator) = (house.registrar("school"), house.operator());
    house.accreditor("board");
    let narrow = json!({ "profile": "school", "scope": "erasure:write" });
    let narrow = operator.post("/tokens", &narrow).is(201).json();
    let narrow = text(&narrow["token"]);
    let mut seen: BTreeMap<(bool, u16), BTreeSet<String>> = BTreeMap::new();
    for ((method, path), operation) in operations(&description) {
        let route = ROUTES
            .iter()
            .find(|route| (route.method, route.path) == (&*method, &*path));
        let Access::Needs(action) = route.expect("it is listed").access else {
            continue;
        };
        let target = path.replace(['{', '}'], "");
        let call = || house.call(&method, &target);
        let mut answers = vec![call().send().is(401), call().token("gst_x").send().is(401)];
        if action != Action::Erase {
            answers.push(call().token(&narrow).send().is(403));
        }
        answers.push(operator.call(&method, &target).send().is(429));
        for answer in answers {
            let has = told(&description, &operation, &answer);
            let of_open_badges = path.starts_with("/ims/");
            let seen = seen.entry((of_open_badges, answer.status)).or_default();
            seen.extend(has);
        }
    }
    // Refused by whose it is, after the request was counted.
    let foreign = school.post("/profiles/board/keys", &json!({})).is(403);
    let keys = &description["paths"]["/profiles/{profile}/keys"]["post"];
    let has = told(&description, keys, &foreign);
    seen.entry((false, 403)).or_default().extend(has);
    for (name, status) in [
        ("Unauthenticated", 401),
        ("Forbidden", 403),
        ("TooMany", 429),
    ] {
        let described = &description["components"]["responses"][name]["headers"];
        let described: BTreeSet<String> = described.as_object().unwrap().keys().cloned().collect();
        assert_eq!(described, seen[&(false, status)], "{name}");
    }
}

/// A client is made from the description alone: where tokens are given, and for what.
#[test]
fn a_client_finds_where_it_gets_a_token_and_for_what() {
    let description = description();
    let house = House::open();
    let server = house.call("GET", "/.well-known/oauth-authorization-server");
    let server = server.send().is(200).json();
    let flows = &description["components"]["securitySchemes"]["oauth2"]["flows"];
    for (flow, grant) in [
        ("clientCredentials", "client_credentials"),
        ("authorizationCode", "authorization_code"),
    ] {
        let grants = server["grant_types_supported"].as_array().unwrap();
        assert!(grants.contains(&grant.into()));
        assert_eq!(flows[flow]["tokenUrl"], server["token_endpoint"]);
        assert!(text(&flows[flow]["tokenUrl"]).starts_with(ORIGIN));
        let scopes = flows[flow]["scopes"].as_object().unwrap();
        for scope in server["scopes_supported"].as_array().unwrap() {
            assert!(scopes.contains_key(&text(scope)), "{flow}: {scope}");
        }
        for (at, operation) in operations(&description) {
            let Some(security) = operation.get("security") else {
                continue;
            };
            let [bearer, oauth] = security.as_array().unwrap().as_slice() else {
                panic!("{at:?}: {security}");
            };
            assert_eq!(bearer["token"], oauth["oauth2"], "{at:?}");
            let needs = oauth["oauth2"].as_array().unwrap().iter().map(text);
            for scope in needs {
                assert!(scopes.contains_key(&scope), "{at:?}: {scope}");
            }
        }
    }
    let code = &flows["authorizationCode"]["authorizationUrl"];
    assert_eq!(*code, server["authorization_endpoint"]);
}

fn path_parameters_fit(path: &str, operation: &Value) {
    let in_path = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path: BTreeSet<String> = in_path.map(str::to_owned).collect();
    let mut listed = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (name, place) = (text(&parameter["name"]), text(&parameter["in"]));
        assert!(["path", "query", "header", "cookie"].contains(&place.as_str()));
        assert!(parameter["schema"].is_object(), "{path} {name}");
        assert!(
            seen.insert((name.clone(), place.clone())),
            "{path} {name} stands twice"
        );
        if place == "path" {
            assert_eq!(parameter["required"], true, "{path} {name}");
            listed.insert(name);
        }
    }
    assert_eq!(listed, in_path, "{path}");
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let description = description();
    let mut references = BTreeSet::new();
    collect_references(&description, &mut references);
    assert!(references.len() > 10, "{references:?}");
    for reference in &references {
        let pointer = reference.strip_prefix('#').expect("within the description");
        assert!(
            description.pointer(pointer).is_some(),
            "{reference} leads nowhere"
        );
    }
    for name in description["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        let used = references.contains(&format!("#/components/schemas/{name}"));
        assert!(used, "the schema {name} is used by nobody");
    }
}

fn collect_references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                found.insert(reference.clone());
            }
            members
                .values()
                .for_each(|member| collect_references(member, found));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_references(item, found)),
        _ => {}
    }
}

/// Whatever can be had without a name is as it is described, an array or an object with its members.
#[test]
fn what_is_answered_is_what_is_described() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    board.endorses(&school.id, "profile", false);
    let operator = house.operator();
    let mut looked_at = 0;
    let description = description();
    for ((method, path), operation) in operations(&description) {
        let parameters = operation["parameters"].as_array().unwrap();
        let needs_more = parameters.iter().any(|one| one["required"] == true);
        // The first two take one of several sets of parameters; the others are about a profile's own, and
        // the operator has none (open_badges_api.rs).
        let of_ones_own = [
            "/status",
            "/check",
            "/ims/ob/v3p0/credentials",
            "/ims/ob/v3p0/profile",
        ];
        if method != "GET" || needs_more || of_ones_own.contains(&path.as_str()) {
            continue;
        }
        let answer = operator.call("GET", &path).header("Accept", "*/*").send();
        let answer = answer.is(200);
        told(&description, &operation, &answer);
        let media = answer.header("content-type").unwrap_or_default();
        let content = &operation["responses"]["200"]["content"];
        let schema = &content[media.split(';').next().unwrap()]["schema"];
        assert!(schema.is_object(), "{path}: {media} is not described");
        match schema["type"].as_str() {
            Some("array") => assert!(answer.json().is_array(), "{path}"),
            Some("object") => {
                let json = answer.json();
                let members = schema["required"].as_array().unwrap().iter().map(text);
                for member in members {
                    assert!(json.get(&member).is_some(), "{path}: {member}: {json}");
                }
            }
            _ => {}
        }
        looked_at += 1;
    }
    assert!(looked_at > 15, "{looked_at}");
}

/// What is ours is described to its last member, also within: every test's answers are held to that
/// (support/described.rs), and here it is seen to notice.
#[test]
fn a_member_that_is_not_described_is_noticed() {
    let description = description();
    let answers = &description["paths"]["/endorsements"]["get"]["responses"]["200"]["content"];
    let schema = &answers["application/json"]["schema"];
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    board.endorses(&school.id, "profile", false);
    let answer = house.call("GET", "/endorsements").send().is(200).json();
    assert_eq!(differs(schema, &answer, ""), None);
    for (planted, said) in [
        ("/planted", " has a planted"),
        ("/endorsements/0/planted", "/endorsements/0 has a planted"),
    ] {
        let mut with = answer.clone();
        let (within, name) = planted.rsplit_once('/').unwrap();
        with.pointer_mut(within).unwrap()[name] = json!(1);
        assert_eq!(differs(schema, &with, "").as_deref(), Some(said));
    }
    let mut without = answer.clone();
    let first = without["endorsements"][0].as_object_mut().unwrap();
    first.shift_remove("kind");
    let said = differs(schema, &without, "");
    assert_eq!(said.as_deref(), Some("/endorsements/0 has no kind"));
    // A credential is a document of another data model, and stays open.
    let mut with = answer;
    with["endorsements"][0]["credential"]["planted"] = json!(1);
    assert_eq!(differs(schema, &with, ""), None);
}

/// Whatever a body may hold is described with the route that takes it, and not with another's.
#[test]
fn what_a_body_takes_is_what_is_described() {
    let description = description();
    let house = House::open();
    let operator = house.operator();
    let mut looked_at = 0;
    for ((method, path), operation) in operations(&description) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let Some(reference) = schema["$ref"].as_str().filter(|_| !path.contains('{')) else {
            continue;
        };
        let described = description.pointer(&reference[1..]).expect("a schema");
        if described["additionalProperties"] != false {
            continue;
        }
        let asked = json!({ "noSuchMember": 1 });
        let problem = operator
            .call(&method, &path)
            .json(&asked)
            .send()
            .problem(400);
        let detail = text(&problem["detail"]);
        let (_, taken) = detail.split_once("known are ").expect(&detail);
        let taken: BTreeSet<&str> = taken.split(", ").collect();
        let members = described["properties"].as_object().expect("members");
        let members: BTreeSet<&str> = members.keys().map(String::as_str).collect();
        assert_eq!(members, taken, "{path}");
        looked_at += 1;
    }
    assert!(looked_at > 8, "{looked_at}");
}

#[test]
fn a_form_is_described_as_one_and_a_trial_by_what_it_answers() {
    let description = description();
    let body = |path: &str| &description["paths"][path]["post"]["requestBody"]["content"];
    let form = body("/federation/trust_mark_status");
    assert!(
        form["application/x-www-form-urlencoded"]["schema"].is_object(),
        "{form}"
    );
    assert_eq!(form.get("application/json"), None);
    let house = House::open();
    house.accreditor("board");
    let tried = house
        .operator()
        .post("/profiles/board/suspend", &json!({ "dryRun": true }));
    let tried = tried.is(200).json();
    let answers = &description["paths"]["/profiles/{profile}/suspend"]["post"]["responses"];
    let schemas = answers["200"]["content"]["application/json"]["schema"]["anyOf"].as_array();
    let fits = |schema: &Value| {
        let members = schema["required"].as_array().unwrap().iter().map(text);
        members
            .into_iter()
            .all(|member| tried.get(&member).is_some())
    };
    let fitting = schemas
        .expect("two answers")
        .iter()
        .filter(|schema| fits(schema));
    assert_eq!(fitting.count(), 1, "{tried}");
}

#[test]
fn the_page_and_the_links_name_every_route() {
    let house = House::open();
    let page = house.call("GET", "/docs").send().is(200).text();
    let links = house.call("GET", "/").header("Accept", "application/json");
    let links = links.send().is(200).json();
    let links: BTreeSet<(String, String)> = links["links"]
        .as_array()
        .expect("links")
        .iter()
        .map(|link| (text(&link["method"]), text(&link["url"])))
        .collect();
    for route in ROUTES {
        let path = askama_escaped(route.path);
        assert!(
            page.contains(&path) || page.contains(route.path),
            "{}",
            route.path
        );
        let url = format!("https://registry.example{}", route.path);
        assert!(
            links.contains(&(route.method.to_owned(), url)),
            "{}",
            route.path
        );
    }
}

/// The page loads its viewer from here and nothing from elsewhere, and a browser that takes gzip and one
/// that does not get the same files.
#[test]
fn the_viewer_is_served_from_here() {
    let house = House::open();
    let page = house.call("GET", "/docs").send().is(200);
    let policy = page.header("content-security-policy").unwrap().to_owned();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self';"),
        "{policy}"
    );
    for word in ["unsafe", "http", "*"] {
        assert!(!policy.contains(word), "{word}: {policy}");
    }
    let page = page.text();
    assert!(
        !page.contains("style=") && !page.contains("<script>"),
        "nothing stands inline"
    );
    for path in ["/docs/viewer.js", "/docs/viewer.css", "/docs/start.js"] {
        assert!(page.contains(path), "{path}");
        let plain = house.call("GET", path).send().is(200);
        let packed = house
            .call("GET", path)
            .header("Accept-Encoding", "gzip, br");
        let packed = packed.send().is(200);
        let unpacked = match packed.header("content-encoding") {
            None => packed.body.clone(),
            Some("gzip") => {
                assert_eq!(packed.header("vary"), Some("Accept-Encoding"));
                let mut bytes = Vec::new();
                let mut decoder = GzDecoder::new(&*packed.body);
                decoder.read_to_end(&mut bytes).unwrap();
                bytes
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(plain.body, unpacked, "{path}");
        assert!(plain.body.len() > 100 && plain.header("cache-control").is_some());
    }
    let none = house
        .call("GET", "/docs/viewer.js")
        .header("Accept-Encoding", "identity;q=0, br");
    none.send().problem(406);
}

/// Every type of problem that the program can make is told with the status that it has, and no other.
#[test]
fn every_type_of_problem_is_described() {
    let description = description();
    let mut told = BTreeSet::new();
    for (name, response) in description["components"]["responses"].as_object().unwrap() {
        let Ok(status) = name.trim_matches(char::is_alphabetic).parse::<u16>() else {
            continue;
        };
        for kind in response["x-problem-types"].as_array().into_iter().flatten() {
            let kind = text(kind);
            let kind = kind.strip_prefix("urn:goodstanding:problem:");
            told.insert((status, kind.expect("one of ours").to_owned()));
        }
    }
    let made = problems_made();
    assert!(made.len() > 40, "{made:?}");
    // An operation that is described is there: this is about others at its address.
    let elsewhere = (405, "method-not-allowed".to_owned());
    let untold: Vec<_> = made
        .difference(&told)
        .filter(|one| **one != elsewhere)
        .collect();
    assert_eq!(
        untold,
        Vec::<&(u16, String)>::new(),
        "add them to openapi/refused.rs"
    );
}

/// Statuses and types of problems, as the source has them.
fn problems_made() -> BTreeSet<(u16, String)> {
    let mut made = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            let source = source.split("#[cfg(test)]").next().unwrap();
            for call in source.split("::new(").skip(1) {
                let Some((status, rest)) = call.split_once(',') else {
                    continue;
                };
                let Ok(status) = status.trim().parse() else {
                    continue;
                };
                let kind = rest.trim_start().strip_prefix('"');
                let kind = kind.and_then(|kind| kind.split('"').next());
                // None where a standard gives the type, or a variable does.
                made.extend(
                    kind.filter(|kind| !kind.is_empty())
                        .map(|kind| (status, kind.to_owned())),
                );
            }
        }
    }
    made
}

/// As a page may write it.
fn askama_escaped(path: &str) -> String {
    path.replace('{', "&#123;").replace('}', "&#125;")
}

#[test]
fn a_problem_is_a_page_in_a_browser() {
    let house = House::open();
    let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
    let call = house
        .call("GET", "/profiles/nobody")
        .header("Accept", browser);
    let page = call.send().is(404);
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert!(
        page.text().contains("there is no profile"),
        "{}",
        page.text()
    );
    house.call("GET", "/profiles/nobody").send().problem(404);
}
