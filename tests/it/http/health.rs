//! What a load balancer asks.

use std::sync::Arc;

use goodstanding::store::memory::{Fault, MemoryEngine};
use serde_json::json;

use crate::support::house::{Plan, clock};

#[test]
fn a_registry_that_takes_no_more_changes_is_not_ready() {
    let (clock, engine) = (clock(), Arc::new(MemoryEngine::new(clock())));
    let house = Plan::over(engine.clone(), clock).open();
    let school = house.registrar("school");
    let ready = || house.call("GET", "/health/ready").send();
    ready().is(200);
    engine.set_fault_hook(|_, _| Fault::LoseAndReportFailed);
    let list = json!({ "issuer": school.id, "statusPurpose": "revocation" });
    school.post("/status-lists", &list).problem(503);
    let problem = ready().problem(503);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("takes no writes"), "{problem}");
    house.call("GET", "/health/live").send().is(200);
    engine.set_fault_hook(|_, _| Fault::Proceed);
    engine.reopen().unwrap();
    ready().is(200);
}
