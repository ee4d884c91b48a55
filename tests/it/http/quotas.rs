//! How much a profile takes up: each quota is held to, by each profile for itself, and starts anew.

use std::sync::Arc;
use std::thread;

use goodstanding::store::memory::MemoryEngine;
use serde_json::{Value, json};

use crate::support::actors::{Actor, badge};
use crate::support::client::Answer;
use crate::support::house::{House, Plan};

/// Asks for one thing more, the one with this number.
type Ask<'a> = &'a dyn Fn(usize) -> Answer;

/// What the profile sees of one of its quotas.
fn usage(who: &Actor<'_>, quota: &str) -> Value {
    let answer = who.get(&format!("/profiles/{}/usage", who.slug));
    let answer = answer.is(200).json();
    let quotas = answer["quotas"].as_array().unwrap().clone();
    let found = quotas.into_iter().find(|each| each["quota"] == quota);
    found.unwrap_or_else(|| panic!("{quota} is not told: {answer}"))
}

fn asks_for_list(who: &Actor<'_>, issuer: &str) -> Answer {
    let body = json!({ "issuer": issuer, "statusPurpose": "revocation" });
    who.post("/status-lists", &body)
}

fn asks_for_entries(who: &Actor<'_>, list: &str, count: u64) -> Answer {
    who.post(&format!("{list}/entries"), &json!({ "count": count }))
}

/// A refusal for today, at nine in the morning.
#[track_caller]
fn spent(answer: &Answer, quota: &str, limit: u64) {
    let problem = answer.problem(429);
    assert_eq!(problem["type"], "urn:goodstanding:problem:quota-spent");
    assert_eq!(problem["quota"], quota);
    assert_eq!(problem["limit"], limit);
    assert_eq!(problem["resets"], "2026-03-02T00:00:00Z");
    let wait = (15 * 3_600).to_string();
    assert_eq!(answer.header("retry-after"), Some(&*wait), "until midnight");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("2026-03-02T00:00:00Z"), "{detail}");
}

#[test]
fn a_day_has_so_many_of_each_thing_and_the_next_day_again() {
    let house = Plan::new()
        .allowing(|quotas| {
            quotas.lists_per_day = 2;
            quotas.credentials_per_day = 2;
            quotas.endorsements_per_day = 2;
            quotas.requests_per_day = 2;
        })
        .open();
    let operator = house.operator();
    let school = operator.registers("school", &["issuer", "accreditor"], "did:web");
    let board = house.accreditor("board");
    let subjects: Vec<String> = (0..3)
        .map(|n| school.defines(&format!("Level {n}")))
        .collect();
    let list = |_: usize| asks_for_list(&school, "school");
    let issue = |_: usize| school.asks_to_issue(&badge(&school.id, &subjects[0]));
    let endorse = |n: usize| board.asks_to_endorse(&subjects[n], "achievement", false);
    let request = |n: usize| {
        let subject = json!({ "id": subjects[n], "kind": "achievement" });
        let body = json!({
            "accreditor": "board", "requester": "school", "subject": subject, "name": "Label",
        });
        school.post("/endorsement-requests", &body)
    };
    let asks: [(&str, &Actor<'_>, Ask<'_>); 4] = [
        ("requests_per_day", &school, &request),
        ("credentials_per_day", &school, &issue),
        ("endorsements_per_day", &board, &endorse),
        ("lists_per_day", &school, &list),
    ];
    for (quota, who, ask) in asks {
        let already = usage(who, quota)["used"].as_u64().unwrap() as usize;
        for n in already..2 {
            ask(n).is(201);
        }
        let before = house.store();
        spent(&ask(2), quota, 2);
        assert_eq!(house.store(), before, "{quota}: nothing was done");
        let told = usage(who, quota);
        let resets = "2026-03-02T00:00:00Z";
        let wanted = json!({
            "quota": quota, "of": "tenant", "used": 2, "limit": 2, "left": 0, "resets": resets,
        });
        assert_eq!(told, wanted);
    }
    house.wait(15 * 3_600 - 1);
    spent_a_second_before_midnight(&list(2));
    house.wait(1);
    for (quota, who, ask) in asks {
        assert_eq!(usage(who, quota)["used"], 0, "{quota}");
        if quota != "requests_per_day" {
            ask(2).is(201);
        }
    }
    request(2).is(201);
}

#[track_caller]
fn spent_a_second_before_midnight(answer: &Answer) {
    answer.problem(429);
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[test]
fn no_client_takes_all_that_its_profile_has_for_a_day() {
    let house = Plan::new()
        .allowing(|quotas| {
            quotas.client_lists_per_day = 2;
            quotas.client_entries_per_day = 5;
            quotas.entries_per_day = 8;
        })
        .open();
    let school = house.registrar("school");
    let client = school.registers_client("list-manager", &json!({}));
    let with_token = || Actor {
        house: &house,
        token: Some(client.token("read lists:write status:write")),
        slug: school.slug.clone(),
        id: school.id.clone(),
    };
    let machine = with_token();
    let list = machine.opens_list("revocation");
    asks_for_list(&machine, "school").is(201);
    let refused = asks_for_list(&machine, "school");
    spent(&refused, "client_lists_per_day", 2);
    assert_eq!(refused.json()["of"], "client");
    asks_for_entries(&machine, &list, 5).is(200);
    let before = house.store();
    spent(
        &asks_for_entries(&machine, &list, 1),
        "client_entries_per_day",
        5,
    );
    assert_eq!(house.store(), before, "nothing was done");
    // Another access token is of the same client, and another client has its own.
    let machine = with_token();
    let refused = asks_for_list(&machine, "school");
    spent(&refused, "client_lists_per_day", 2);
    let told = usage(&machine, "client_entries_per_day");
    let resets = "2026-03-02T00:00:00Z";
    let wanted = json!({
        "quota": "client_entries_per_day", "of": "client", "used": 5, "limit": 5, "left": 0,
        "resets": resets,
    });
    assert_eq!(told, wanted);
    assert_eq!(usage(&school, "client_entries_per_day")["used"], 0);
    asks_for_list(&school, "school").is(201);
    // Both take of what is the profile's.
    let both = asks_for_entries(&school, &list, 4);
    spent(&both, "entries_per_day", 8);
    assert_eq!(both.json()["of"], "tenant");
    asks_for_entries(&school, &list, 3).is(200);
    assert_eq!(usage(&school, "client_entries_per_day")["used"], 3);
    assert_eq!(usage(&school, "entries_per_day")["used"], 8);
    asks_for_entries(&house.operator(), &list, 9).is(200);
    house.wait(15 * 3_600);
    assert_eq!(usage(&school, "client_entries_per_day")["used"], 0);
}

#[test]
fn entries_count_one_by_one_however_they_are_asked_for() {
    let house = Plan::new().allowing(|q| q.entries_per_day = 10).open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    school.allocates(&list, 6);
    school.issues(&badge(&school.id, "https://far.example/welding"));
    let ids = json!({ "credentialIds": ["urn:example:1", "urn:example:2"] });
    let named = || school.post(&format!("{list}/entries"), &ids);
    named().is(200);
    assert_eq!(usage(&school, "entries_per_day")["used"], 9);
    // Those that have entries already take none.
    named().is(200);
    assert_eq!(usage(&school, "entries_per_day")["used"], 9);
    spent(&asks_for_entries(&school, &list, 2), "entries_per_day", 10);
    school.allocates(&list, 1);
    spent(&asks_for_entries(&school, &list, 1), "entries_per_day", 10);
    let credential = badge(&school.id, "https://far.example/welding");
    spent(&school.asks_to_issue(&credential), "entries_per_day", 10);
    // Statuses can be changed all the same.
    let updates = json!({ "updates": [{ "credentialId": "urn:example:1", "status": 1 }] });
    school.post(&format!("{list}/updates"), &updates).is(200);
}

#[test]
fn a_repeated_request_takes_nothing_twice() {
    let house = Plan::new().allowing(|q| q.entries_per_day = 5).open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let ask = || {
        let call = school.call("POST", &format!("{list}/entries"));
        call.json(&json!({ "count": 5 }))
            .key("first")
            .send()
            .is(200)
    };
    let first = ask();
    assert_eq!(ask().body, first.body, "also where nothing is left");
    assert_eq!(usage(&school, "entries_per_day")["used"], 5);
}

#[test]
fn what_one_profile_takes_is_nothing_to_another_nor_what_the_operator_does_to_either() {
    let house = Plan::new().allowing(|q| q.lists_per_day = 1).open();
    let (school, other) = (house.registrar("school"), house.registrar("other"));
    let operator = house.operator();
    for _ in 0..3 {
        asks_for_list(&operator, "school").is(201);
    }
    assert_eq!(usage(&school, "lists_per_day")["used"], 0);
    assert_eq!(
        usage(&school, "lists")["used"],
        3,
        "it is there all the same"
    );
    asks_for_list(&school, "school").is(201);
    spent(&asks_for_list(&school, "school"), "lists_per_day", 1);
    asks_for_list(&other, "other").is(201);
    asks_for_list(&operator, "school").is(201);
    other.get("/profiles/school/usage").problem(404);
    house.verifier().get("/profiles/school/usage").problem(401);
}

#[test]
fn what_there_is_in_all_is_bound_for_good() {
    let house = Plan::new()
        .allowing(|quotas| {
            quotas.lists = 2;
            quotas.achievements = 1;
            quotas.profiles = 2;
            quotas.endorsements_per_day = 0;
        })
        .open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let achievement = school.defines("Welding");
    let another = json!({
        "name": "Milling", "description": "Mills.", "criteria": { "narrative": "A part." },
    });
    asks_for_list(&school, "school").is(201);
    asks_for_list(&house.operator(), "school").is(201);
    for _ in 0..2 {
        let profile = json!({ "slug": "third", "name": "Third", "roles": ["issuer"] });
        for (answer, quota, limit) in [
            (asks_for_list(&school, "school"), "lists", 2),
            (
                school.post("/profiles/school/achievements", &another),
                "achievements",
                1,
            ),
            (house.operator().post("/profiles", &profile), "profiles", 2),
        ] {
            let problem = answer.problem(409);
            assert_eq!(problem["type"], "urn:goodstanding:problem:quota-reached");
            assert_eq!(problem["quota"], quota);
            assert_eq!(problem["limit"], limit);
            assert_eq!(answer.header("retry-after"), None, "it never starts anew");
        }
        house.wait(86_400);
    }
    // Without a bound all is counted, and nothing is refused.
    board.endorses(&achievement, "achievement", false);
    let told = usage(&board, "endorsements_per_day");
    assert_eq!(told["used"], 1);
    assert_eq!(told.get("limit"), None);
    // Changing what is there takes nothing.
    school.put(&achievement, &another).is(200);
}

#[test]
fn what_was_there_before_anybody_counted_counts() {
    let house = House::open();
    let school = house.registrar("school");
    for _ in 0..3 {
        school.opens_list("revocation");
    }
    school.defines("Welding");
    let token = school.token.clone();
    // As a program that knew no quotas left it.
    let mut rows = house.store();
    rows.retain(|(key, _)| key[0] != 0x69);
    assert!(rows.len() < house.store().len());
    let clock = house.clock.clone();
    let engine = MemoryEngine::holding(rows, clock.clone()).unwrap();
    let again = Plan::over(Arc::new(engine), clock).seeded(2);
    let again = again.allowing(|quotas| quotas.lists = 4).open();
    let operator = again.operator();
    let school = Actor {
        house: &again,
        token,
        slug: "school".into(),
        id: school.id.clone(),
    };
    assert_eq!(usage(&school, "lists")["used"], 3);
    assert_eq!(usage(&school, "achievements")["used"], 1);
    asks_for_list(&school, "school").is(201);
    asks_for_list(&school, "school").problem(409);
    asks_for_list(&operator, "school").is(201);
    assert_eq!(usage(&school, "lists")["used"], 5);
}

#[test]
fn of_many_at_once_no_more_take_than_there_is() {
    let house = Plan::new()
        .allowing(|quotas| {
            quotas.entries_per_day = 20;
            quotas.achievements = 4;
        })
        .open();
    let school = house.registrar("school");
    let lists = [
        school.opens_list("revocation"),
        school.opens_list("suspension"),
    ];
    let body = json!({
        "name": "Milling", "description": "Mills.", "criteria": { "narrative": "A part." },
    });
    let (mut taken, mut defined) = (0, 0);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let (list, school, body) = (&lists[n % 2], &school, &body);
                scope.spawn(move || {
                    let mut statuses = Vec::new();
                    for _ in 0..4 {
                        statuses.push(asks_for_entries(school, list, 1).status);
                        let answer = school.post("/profiles/school/achievements", body);
                        statuses.push(answer.status);
                    }
                    statuses
                })
            })
            .collect();
        for thread in threads {
            for status in thread.join().unwrap() {
                match status {
                    200 => taken += 1,
                    201 => defined += 1,
                    409 | 429 => {}
                    other => panic!("{other}"),
                }
            }
        }
    });
    assert_eq!((taken, defined), (20, 4));
    assert_eq!(usage(&school, "entries_per_day")["used"], 20);
    assert_eq!(usage(&school, "achievements")["used"], 4);
}

#[test]
fn what_was_used_on_days_that_are_over_is_forgotten() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    school.allocates(&list, 3);
    let counts = || {
        house
            .store()
            .iter()
            .filter(|(key, _)| key[0] == 0x69)
            .count()
    };
    let (all, daily) = (counts(), 4);
    assert_eq!(house.registry.forget_used_quotas().unwrap(), 0, "not today");
    house.wait(86_400);
    assert_eq!(house.registry.forget_used_quotas().unwrap(), daily);
    assert_eq!(counts(), all - daily);
    assert_eq!(
        usage(&school, "lists")["used"],
        1,
        "what there is stays counted"
    );
    assert_eq!(house.registry.forget_used_quotas().unwrap(), 0);
}
