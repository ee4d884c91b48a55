//! Every page of the console × every role, made from its table: who is let in, and that no form is taken without
//! its session's token.

use std::collections::BTreeMap;

use goodstanding::access::Role;
use goodstanding::http::routes::{Access, CONSOLE_ROUTES, Door, ROUTES, Route};
use serde_json::json;

use super::signed_in;
use crate::support::actors::text;
use crate::support::browser::Browser;
use crate::support::client::Answer;
use crate::support::house::House;

/// A path in which every parameter names something that is the school's.
fn concrete(route: &Route, things: &BTreeMap<&str, String>) -> String {
    let part = |part: &str| {
        let name = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'));
        match name {
            None => part.to_owned(),
            Some(name) => things
                .get(name)
                .unwrap_or_else(|| panic!("{}: name a {name} of the school here", route.path))
                .clone(),
        }
    };
    route
        .path
        .split('/')
        .map(part)
        .collect::<Vec<_>>()
        .join("/")
}

/// What a page is asked with where it says nothing without it.
fn query_of(route: &Route) -> &'static str {
    match (route.method, route.path) {
        ("GET", "/console/credential") => "?profile=school&id=urn:x:1",
        ("GET", "/console/new-list") => "?profile=school",
        ("GET", "/console/lists/{list}/entries") => "?index=7",
        _ => "",
    }
}

fn door(route: &Route) -> Door {
    match route.access {
        Access::Page(door) => door,
        other => panic!("{} is no page: {other:?}", route.path),
    }
}

fn sends(browser: &Browser<'_>, route: &Route, path: &str) -> Answer {
    match route.method {
        "GET" => browser.get(path),
        _ => browser.posts(path, &[]),
    }
}

#[test]
fn who_may_not_is_not_let_in_and_no_form_is_taken_without_its_token() {
    let house = House::open();
    let school = house.accreditor("school");
    let board = house.accreditor("board");
    let endorsement = school.endorses(&board.id, "profile", true);
    let body = json!({
        "accreditor": "school", "requester": "board",
        "subject": { "id": board.id, "kind": "profile" },
    });
    let request = board.post("/endorsement-requests", &body).is(201).json();
    let list = school.opens_list("revocation");
    let index = school.allocates(&list, 1)[0];
    let named = json!({ "credentialIds": ["urn:x:1"] });
    school.post(&format!("{list}/entries"), &named).is(200);
    let last = |url: &str| url.rsplit('/').next().unwrap().to_owned();
    let mut things: BTreeMap<&str, String> = [
        ("request", last(&text(&request["id"]))),
        ("endorsement", last(&text(&endorsement["id"]))),
        ("decision", "suspend".to_owned()),
        ("list", last(&list)),
        ("index", index.to_string()),
        ("key", "key-1".to_owned()),
    ]
    .into();
    let of_school = [
        Role::Owner,
        Role::ListManager,
        Role::Endorser,
        Role::Auditor,
    ];
    let mut browsers: Vec<_> = of_school
        .into_iter()
        .map(|role| (role, signed_in(&school, role.as_str())))
        .collect();
    let upload = super::registrar::uploads::tried(&browsers[0].1, &list);
    things.insert("upload", upload);
    let operator = house.operator();
    browsers.push((Role::Operator, signed_in(&operator, "operator")));
    let nobody = Browser::new(&house);
    house.wait(1);
    let before = house.store();
    for route in CONSOLE_ROUTES {
        let path = concrete(route, &things);
        let at = format!("{} {path}", route.method);
        if door(route) == Door::Open {
            continue;
        }
        let turned_away = sends(&nobody, route, &path).is(303);
        let to = turned_away.header("location").unwrap();
        assert!(to.starts_with("/console/sign-in?to="), "{at}: {to}");
        for (role, browser) in &browsers {
            let may = match door(route) {
                Door::May(action) => role.actions().contains(action),
                _ => true,
            };
            let answer = sends(browser, route, &format!("{path}{}", query_of(route)));
            match (may, route.method) {
                // It leads to an entry's page.
                (true, "GET") if route.path.ends_with("/entries") => drop(answer.is(303)),
                (true, "GET") => {
                    assert_eq!(answer.status, 200, "{at} by {role}: {}", answer.text())
                }
                (true, _) => {
                    let kind = &answer.problem(403)["type"];
                    assert_eq!(
                        kind, "urn:goodstanding:problem:form-refused",
                        "{at} by {role}"
                    );
                }
                (false, _) => {
                    let kind = &answer.problem(403)["type"];
                    assert_ne!(
                        kind, "urn:goodstanding:problem:form-refused",
                        "{at} by {role}"
                    );
                }
            }
        }
    }
    assert_eq!(house.store(), before, "nothing was changed");
}

#[test]
fn the_console_is_no_part_of_the_interface() {
    let house = House::open();
    let description = house.call("GET", "/openapi.json").send().is(200).text();
    let docs = house.call("GET", "/docs").send().is(200).text();
    let links = house.call("GET", "/").header("Accept", "application/json");
    let links = links.send().is(200).text();
    for route in CONSOLE_ROUTES {
        door(route);
        assert!(route.path == "/console" || route.path.starts_with("/console/"));
    }
    assert!(
        !ROUTES
            .iter()
            .any(|route| matches!(route.access, Access::Page(_)))
    );
    for text in [description, links] {
        assert!(!text.contains("/console"), "{text}");
    }
    // The page leads there like every other, and does not list it.
    assert!(!docs.contains("<code>/console"), "{docs}");
    // No token is good for it, and no page of another origin reads it.
    house.registrar("school");
    let scope = json!({ "profile": "school", "scope": "read:/console" });
    let made = house.operator().post("/tokens", &scope).is(201).json();
    let by_token = house.call("GET", "/console").token(&text(&made["token"]));
    by_token.send().is(303);
    let options = house
        .call("OPTIONS", "/console")
        .header("Origin", "https://evil.example");
    let options = options.send().is(204);
    assert_eq!(options.header("access-control-allow-origin"), None);
    let read = house
        .call("GET", "/console")
        .header("Origin", "https://evil.example")
        .send();
    assert_eq!(read.header("access-control-allow-origin"), None);
}
