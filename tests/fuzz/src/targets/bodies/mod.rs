//! Bodies of requests: questions about standing and trust, and what is to be endorsed.

mod world;

use std::cell::RefCell;

use goodstanding::badges::Scope;
use goodstanding::json;
use goodstanding::time::Timestamp;
use serde_json::{Value, json};

use super::Reached;
use world::{
    Answer, COLLEGE, DEGREE, GUILD, MINISTRY, REVOKED, SCHOOL, World, is_one_of, unproved,
};

/// Where the bodies go: what only asks, and what changes something.
const QUESTIONS: [&str; 4] = [
    "/endorsements/query",
    "/standing/query",
    "/trqp/authorization",
    "/trqp/recognition",
];
const CHANGES: [&str; 2] = ["/endorsements", "/endorsement-requests"];

thread_local! {
    /// A registry as [`World::new`] makes it.
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// An input is JSON: a `body`, and to which route it goes. No body is the registry's own fault, the
/// blanks in it mean nothing, and one with a member that nobody knows is refused. A question changes
/// nothing, and neither does what is refused. Good is nothing but what was endorsed when the world
/// was made, for what it was endorsed; what is endorsed now says what the body did.
pub fn run(data: &[u8]) -> Reached {
    let Ok(input) = json::parse(data) else {
        return Reached::Refused;
    };
    let (Some(to), Some(body)) = (input["to"].as_str(), input.get("body")) else {
        return Reached::Refused;
    };
    let is_question = QUESTIONS.contains(&to);
    if !is_question && !CHANGES.contains(&to) {
        return Reached::Refused;
    }
    WORLD.with_borrow_mut(|kept| {
        let world = kept.get_or_insert_with(World::new);
        if let Some(members) = body.as_object().filter(|body| !body.contains_key("nobody")) {
            let mut more = members.clone();
            more.insert("nobody".to_owned(), Value::Null);
            let refused = world.post(to, &Value::from(more).to_string());
            assert!(refused.status >= 400, "{input}");
        }
        let before = world.head();
        let answer = world.post(to, &body.to_string());
        if answer.status >= 400 {
            assert!(answer.is_problem(), "{input}: {answer:?}");
            assert_eq!(world.head(), before, "{input}");
            return Reached::Refused;
        }
        if is_question {
            let pretty = serde_json::to_string_pretty(body).expect("it was JSON");
            assert_eq!(world.post(to, &pretty), answer, "{input}");
            assert_eq!(world.head(), before, "{input}");
            check_answer(world, to, body, &answer);
        } else {
            assert_ne!(world.head(), before, "{input}");
            check_change(world, to, body, &answer);
            // The next input finds what this one found.
            *kept = None;
        }
        Reached::Read
    })
}

/// Nothing is good but what was, at the moment that is asked about.
fn check_answer(world: &World, to: &str, body: &Value, answer: &Answer) {
    let context = || format!("{body}: {answer:?}");
    let signed = body["signed"] == true;
    let told = if signed {
        answer.claims()
    } else {
        answer.json()
    };
    let then = [&body["at"], &body["context"]["time"]].into_iter();
    let mut then = then.filter_map(|at| at.as_str()?.parse::<Timestamp>().ok());
    let then = then.next();
    if to.starts_with("/trqp") {
        let issues = to.ends_with("authorization");
        let member = if issues { "authorized" } else { "recognized" };
        let granted = told[member] == true;
        let active = told["context"]["outcome"] == "active";
        assert_eq!(granted, active, "{}", context());
        let (entity, resource) = (&body["entity_id"], &body["resource"]);
        let may = match issues {
            true if is_one_of(entity, SCHOOL) => {
                // It is endorsed for degrees alone.
                let degrees = *resource == "Degree" || *resource == *world.achievement;
                degrees && stood(SCHOOL, then)
            }
            true => is_one_of(entity, COLLEGE) && stood(COLLEGE, then),
            false => is_one_of(entity, GUILD) && stood(GUILD, then),
        };
        return assert!(!granted || may, "{}", context());
    }
    let asked = ["subjects", "ids", "credentials"];
    let asked = asked.iter().find_map(|name| body[name].as_array());
    let results = told["results"].as_array();
    let (asked, results) = asked.zip(results).expect("both are lists");
    assert_eq!(asked.len(), results.len(), "{}", context());
    for (asked, result) in asked.iter().zip(results) {
        if to == "/endorsements/query" {
            assert_eq!(result["subject"], *asked, "{}", context());
        }
        if result["outcome"] != "active" {
            continue;
        }
        let may = match to {
            _ if result["reason"] == "anchor-itself" => true,
            "/endorsements/query" => [SCHOOL, GUILD, COLLEGE]
                .into_iter()
                .any(|slug| is_one_of(asked, slug) && stood(slug, then)),
            _ => {
                let by_id = body.get("ids").is_some();
                let is_degree = |place: usize| match by_id {
                    true => *asked == [REVOKED, DEGREE][place],
                    false => unproved(asked) == world.degrees[place] && result["verified"] == true,
                };
                let unrevoked = then.is_some_and(|then| then < world::decided());
                (is_degree(1) || unrevoked && is_degree(0)) && stood(SCHOOL, then)
            }
        };
        assert!(may, "{asked}: {}", context());
    }
}

/// Whether somebody's endorsement was in force at a moment, or is now.
fn stood(slug: &str, at: Option<Timestamp>) -> bool {
    let in_time = |at: Timestamp| slug != COLLEGE || at < world::decided();
    at.map_or(slug != COLLEGE, |at| world::begin() <= at && in_time(at))
}

fn check_change(world: &World, to: &str, body: &Value, answer: &Answer) {
    let context = || format!("{body}: {answer:?}");
    assert_eq!(answer.status, 201, "{}", context());
    let location = answer.location.as_deref().expect("it has a URL");
    let shown = world.get(location);
    assert_eq!(shown.status, 200, "{}", context());
    if to == "/endorsement-requests" {
        let (requester, accreditor) = (&shown.json()["requester"], &shown.json()["accreditor"]);
        assert_ne!(requester, accreditor, "{}", context());
        return;
    }
    let may_endorse = |name: &Value| is_one_of(name, MINISTRY) || is_one_of(name, GUILD);
    assert!(may_endorse(&body["endorser"]), "{}", context());
    let made = answer.json()["verifiableCredential"].clone();
    let claims = world::claims_of(&made);
    let subject = &claims["credentialSubject"];
    assert_eq!(claims["id"], location, "{}", context());
    assert!(may_endorse(&claims["issuer"]["id"]), "{}", context());
    assert_eq!(claims["name"], body["name"], "{}", context());
    let is_ours = subject["id"]
        .as_str()
        .is_some_and(|id| id.contains("registry.example"));
    assert!(
        subject["id"] == body["subject"]["id"] || is_ours,
        "{}",
        context()
    );
    let scope = body.get("scope").filter(|scope| !scope.is_null());
    let scope = scope.map(|scope| Scope::parse(scope).expect("it was taken").to_value());
    assert_eq!(
        subject.get("endorsementScope"),
        scope.as_ref(),
        "{}",
        context()
    );
    for member in ["validFrom", "validUntil", "awardedDate"] {
        let moment = |value: &Value| value.as_str()?.parse::<Timestamp>().ok();
        let wanted = moment(&body[member]);
        let made = moment(&claims[member]);
        assert!(
            made == wanted || wanted.is_none() && member == "validFrom",
            "{}",
            context()
        );
    }
    let question = json!({ "subjects": [subject["id"]] });
    let told = world
        .post("/endorsements/query", &question.to_string())
        .json();
    let known = told["results"][0]["endorsements"].as_array();
    let mut known = known.expect("a list").iter();
    assert!(
        known.any(|one| one["id"] == location),
        "{}: {told}",
        context()
    );
}
