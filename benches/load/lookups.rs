//! Questions about many at once: `POST /status/query` and `POST /standing/query`, with bodies that differ, so
//! that no answer is given twice in a row.

use std::collections::HashSet;
use std::thread;

use serde_json::{Value, json};

use crate::Context;
use crate::reads::Small;
use crate::results::{Goal, Row, rates};
use crate::service::{ACCREDITOR, ISSUER, List, ORIGIN, Service};
use crate::turns::{Side, alone, cpu_cell, profile};
use crate::wrk::{Ran, Requests};

/// Bodies of each kind, which are asked in turns.
const BODIES: usize = 40;
/// Entries that one question to `/status/query` asks for.
const STATUSES: usize = 1_000;
/// Credentials that one question to `/standing/query` asks for.
const CREDENTIALS: usize = 100;
/// Credentials that are issued for it.
const ISSUED: usize = 2_000;

pub(crate) fn statuses(context: &mut Context) {
    let small = Small::set_up(context, "");
    let mut lists = vec![(small.list.clone(), small.revoked.clone())];
    for _ in 0..3 {
        let list = small.service.list(131_072);
        let given = small.service.entries(&list, 5_000);
        small.service.revoke(&list, &given);
        lists.push((list, given));
    }
    let asked: Vec<Asked> = (0..BODIES).map(|body| Asked::of(body, &lists)).collect();
    asked.iter().for_each(|one| one.check(&small.service));
    let bodies = asked.iter().map(|one| one.body.to_string()).collect();
    let side = Side {
        name: "goodstanding",
        process: &small.service.process,
        requests: Requests::post("/status/query", bodies),
        wire: 0,
    };
    let what = "POST /status/query of 1,000, over four lists";
    let rounds = alone(context, what, &side);
    asked[0].check(&small.service);
    let rate = |ran: &Ran| ran.rate() * STATUSES as f64;
    let median = crate::harness::Samples::new(rounds.iter().map(rate).collect()).median();
    context.results.row(Row {
        key: "status-query",
        what: what.to_owned(),
        figure: format!(
            "{} statuses; {} of CPU a question",
            rates(rounds.iter().map(rate)),
            cpu_cell(&rounds)
        ),
        goal: Goal::of("≥ 1,000,000 statuses/s", median >= 1e6),
    });
    profile(context, "status-query", &side);
}

/// A question, and what has to be said.
struct Asked {
    body: Value,
    revoked: Vec<bool>,
}

impl Asked {
    /// Entries all over the lists, as a fixed sequence gives them.
    fn of(body: usize, lists: &[(List, Vec<u64>)]) -> Self {
        let sets: Vec<HashSet<u64>> = lists
            .iter()
            .map(|(_, revoked)| revoked.iter().copied().collect())
            .collect();
        let (mut queries, mut revoked) = (Vec::new(), Vec::new());
        for place in 0..STATUSES {
            let number = (body * STATUSES + place) as u64;
            let (which, index) = (number as usize % lists.len(), number * 40_503 % 131_072);
            queries.push(json!({ "list": lists[which].0.id, "index": index }));
            revoked.push(sets[which].contains(&index));
        }
        assert!(revoked.contains(&true) && revoked.contains(&false));
        Self {
            body: json!({ "queries": queries }),
            revoked,
        }
    }

    fn check(&self, service: &Service) {
        let answer = service.anybody().json("/status/query", &self.body, 200);
        let results = answer["results"].as_array().expect("results");
        assert_eq!(results.len(), self.revoked.len());
        for (result, revoked) in results.iter().zip(&self.revoked) {
            let outcome = if *revoked { "revoked" } else { "active" };
            assert_eq!(result["outcome"], outcome, "{result}");
            assert_eq!(result["status"], u8::from(*revoked), "{result}");
        }
    }
}

pub(crate) fn standing(context: &mut Context) {
    let small = Small::set_up(context, "");
    let service = &small.service;
    let achievement = endorsed(service);
    let ids = issued(service, &achievement);
    // Every fiftieth is revoked.
    let revoked = |number: usize| number.is_multiple_of(50);
    for (number, id) in ids.iter().enumerate() {
        if revoked(number) {
            revoke(service, id);
        }
    }
    let numbers = |body: usize| (0..CREDENTIALS).map(move |n| (body * 37 + n * 19) % ISSUED);
    let bodies: Vec<Value> = (0..BODIES)
        .map(|body| json!({ "ids": numbers(body).map(|n| &*ids[n]).collect::<Vec<_>>() }))
        .collect();
    let check = || {
        for (body, question) in bodies.iter().enumerate() {
            let answer = service.operator().json("/standing/query", question, 200);
            let results = answer["results"].as_array().expect("results");
            assert_eq!(results.len(), CREDENTIALS);
            for (result, number) in results.iter().zip(numbers(body)) {
                let wanted = if revoked(number) { "revoked" } else { "active" };
                assert_eq!(result["outcome"], wanted, "{result}");
                assert_eq!(result["credential"], *ids[number], "{result}");
            }
        }
    };
    check();
    let texts = bodies.iter().map(Value::to_string).collect();
    let side = Side {
        name: "goodstanding",
        process: &service.process,
        requests: Requests::post("/standing/query", texts)
            .with("Authorization", &service.authorisation()),
        wire: 0,
    };
    let what = "POST /standing/query of 100 by id, unsigned";
    let rounds = alone(context, what, &side);
    check();
    let median = crate::harness::Samples::new(rounds.iter().map(Ran::rate).collect()).median();
    context.results.row(Row {
        key: "standing-query",
        what: what.to_owned(),
        figure: format!(
            "{} questions; {} of CPU each",
            rates(rounds.iter().map(Ran::rate)),
            cpu_cell(&rounds)
        ),
        goal: Goal::of("≥ 2,000 questions/s", median >= 2_000.0),
    });
    profile(context, "standing-query", &side);
}

/// An achievement, which the accreditor endorsed as it did its issuer.
fn endorsed(service: &Service) -> Value {
    let mut operator = service.operator();
    let body = json!({
        "name": "First aid",
        "description": "Can give first aid.",
        "criteria": { "narrative": "Passed the course." },
    });
    let made = operator.json(&format!("/profiles/{ISSUER}/achievements"), &body, 201);
    let achievement = made["id"].clone();
    let issuer = json!(format!("did:web:registry.example:profiles:{ISSUER}"));
    for (id, kind) in [(&issuer, "profile"), (&achievement, "achievement")] {
        let body = json!({
            "endorser": ACCREDITOR,
            "subject": { "id": id, "kind": kind },
            "name": "Accredited",
        });
        operator.json("/endorsements", &body, 201);
    }
    achievement
}

/// Badges that were really issued, by a few clients at once; their ids.
fn issued(service: &Service, achievement: &Value) -> Vec<String> {
    const CLIENTS: usize = 4;
    let id = |number: usize| format!("urn:uuid:10ad10ad-0000-4000-8000-{number:012x}");
    let issuer = format!("did:web:registry.example:profiles:{ISSUER}");
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let issuer = &issuer;
            scope.spawn(move || {
                let mut operator = service.operator();
                for number in (client..ISSUED).step_by(CLIENTS) {
                    let body = json!({ "credential": badge(&id(number), issuer, achievement) });
                    operator.json("/credentials/issue", &body, 201);
                }
            });
        }
    });
    (0..ISSUED).map(id).collect()
}

fn badge(id: &str, issuer: &str, achievement: &Value) -> Value {
    let text = include_str!("../documents/badge.json");
    let mut badge: Value = serde_json::from_str(text).expect("the sample is JSON");
    badge["id"] = id.into();
    badge["issuer"]["id"] = issuer.into();
    badge["credentialSubject"]["achievement"]["id"] = achievement.clone();
    let members = badge.as_object_mut().expect("an object");
    members.shift_remove("credentialStatus");
    badge
}

fn revoke(service: &Service, id: &str) {
    let mut operator = service.operator();
    let asked = json!({ "ids": [id] });
    let told = operator.json("/standing/query", &asked, 200);
    let list = told["results"][0]["status"][0]["list"].as_str();
    let list = list.and_then(|list| list.strip_prefix(ORIGIN));
    let list = list.unwrap_or_else(|| panic!("no list in {told}"));
    let body = json!({ "updates": [{ "credentialId": id, "status": 1 }] });
    operator.json(&format!("{list}/updates"), &body, 200);
}
