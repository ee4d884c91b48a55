//! What a load balancer asks, and what it and everybody else hear in each state in which no changes are
//! taken.

use std::sync::Arc;

use goodstanding::store::memory::{Fault, MemoryEngine};
use goodstanding::time::{Clock as _, ManualClock, Ttl};
use serde_json::{Value, json};

use crate::support::actors::Actor;
use crate::support::client::Answer;
use crate::support::house::{House, Plan, clock};

fn ready(house: &House) -> Answer {
    house.call("GET", "/health/ready").send()
}

/// The states that readiness names where no changes are taken.
#[track_caller]
fn not_ready(house: &House) -> Value {
    let problem = ready(house).problem(503);
    assert_eq!(problem["type"], "urn:goodstanding:problem:not-ready");
    assert_eq!(problem["state"], problem["states"][0]["state"]);
    for state in problem["states"].as_array().unwrap() {
        let detail = problem["detail"].as_str().unwrap();
        let happened = state["detail"].as_str().unwrap();
        assert!(state["state"] != problem["state"] || detail.contains(happened));
        assert!(!state["whatToDo"].as_str().unwrap().is_empty());
    }
    house.call("GET", "/health/live").send().is(200);
    problem["states"].clone()
}

/// A change that is refused since the registry is in this state.
#[track_caller]
fn refused(school: &Actor<'_>, list: &Value, state: &str) {
    let answer = school.post("/status-lists", list);
    let problem = answer.problem(503);
    assert_eq!(problem["type"], "urn:goodstanding:problem:read-only");
    assert_eq!(problem["state"], state);
    assert!(answer.header("retry-after").is_some());
}

#[test]
fn a_registry_whose_write_failed_is_not_ready_until_its_store_is_opened_again() {
    let (clock, engine) = (clock(), Arc::new(MemoryEngine::new(clock())));
    let house = Plan::over(engine.clone(), clock).open();
    let school = house.registrar("school");
    assert_eq!(ready(&house).is(200).json(), json!({ "status": "ready" }));
    engine.set_fault_hook(|_, _| Fault::LoseAndReportFailed);
    let list = json!({ "issuer": school.id, "statusPurpose": "revocation" });
    let problem = school.post("/status-lists", &list).problem(503);
    assert_eq!(problem["type"], "urn:goodstanding:problem:outcome-unknown");
    assert_eq!(not_ready(&house)[0]["state"], "write-failed");
    refused(&school, &list, "write-failed");
    // What was there is there.
    let id = school
        .id
        .replace("did:web:registry.example:profiles:", "/profiles/");
    house.call("GET", &format!("{id}/did.json")).send().is(200);
    engine.set_fault_hook(|_, _| Fault::Proceed);
    engine.reopen().unwrap();
    ready(&house).is(200);
    school.post("/status-lists", &list).is(201);
}

#[test]
fn a_full_disk_is_over_when_there_is_room() {
    let (clock, engine) = (clock(), Arc::new(MemoryEngine::new(clock())));
    let house = Plan::over(engine.clone(), clock).open();
    let school = house.registrar("school");
    let list = json!({ "issuer": school.id, "statusPurpose": "revocation" });
    let before = house.store();
    engine.set_fault_hook(|_, _| Fault::NoSpace);
    refused(&school, &list, "disk-full");
    let states = not_ready(&house);
    assert_eq!(states.as_array().unwrap().len(), 1);
    assert_eq!(states[0]["state"], "disk-full");
    assert!(
        states[0]["whatToDo"]
            .as_str()
            .unwrap()
            .contains("make space")
    );
    let page = house
        .call("GET", "/")
        .header("accept", "text/html")
        .send()
        .is(200)
        .text();
    assert!(page.contains("No changes are taken now"), "{page}");
    assert_eq!(house.store(), before);
    engine.set_fault_hook(|_, _| Fault::Proceed);
    school.post("/status-lists", &list).is(201);
    assert_eq!(ready(&house).is(200).json(), json!({ "status": "ready" }));
    let page = house
        .call("GET", "/")
        .header("accept", "text/html")
        .send()
        .is(200)
        .text();
    assert!(!page.contains("No changes are taken now"), "{page}");
}

/// The engine's clock and the registry's are two here, so that one can be behind the other, as the
/// machine's is that was set back.
#[test]
fn a_clock_that_went_back_is_told_and_beyond_a_minute_nothing_is_changed() {
    let earlier = clock();
    let ahead = Arc::new(ManualClock::new(earlier.now()));
    let house = Plan::over(Arc::new(MemoryEngine::new(ahead.clone())), earlier).open();
    let school = house.registrar("school");
    let list = json!({ "issuer": school.id, "statusPurpose": "revocation" });
    // A little of that is nothing.
    ahead.advance(Ttl::from_seconds(1));
    school.post("/status-lists", &list).is(201);
    assert_eq!(ready(&house).is(200).json(), json!({ "status": "ready" }));

    ahead.advance(Ttl::from_seconds(58));
    let made = school.post("/status-lists", &list).is(201).json();
    let said = ready(&house).is(200).json();
    assert_eq!(said["status"], "ready");
    assert_eq!(said["warnings"][0]["state"], "clock-behind");
    let detail = said["warnings"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("59 seconds behind"), "{detail}");

    // What follows a change of a list, its signature, would be refused already.
    ahead.advance(Ttl::from_seconds(2));
    let college = json!({ "slug": "college", "name": "College", "roles": ["issuer"] });
    house.operator().post("/profiles", &college).is(201);
    let states = not_ready(&house);
    assert_eq!(states[0]["state"], "clock-behind");
    let to_do = states[0]["whatToDo"].as_str().unwrap();
    assert!(to_do.contains("clock.tolerance_seconds"), "{to_do}");
    refused(&school, &list, "clock-behind");
    // What was signed is served, and look-ups are answered, as of the newest change and not before it.
    house
        .call("GET", made["id"].as_str().unwrap())
        .send()
        .is(200);
    let query = format!("/status?list={}&index=0", made["id"].as_str().unwrap());
    let answer = house.call("GET", &query).send().is(200).json();
    assert_eq!(answer["asOf"], ahead.now().to_string());

    // It has caught up but for a second.
    house.wait(60);
    assert_eq!(ready(&house).is(200).json(), json!({ "status": "ready" }));
    school.post("/status-lists", &list).is(201);
}
