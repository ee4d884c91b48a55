//! Journey 3, the publisher: a change is acknowledged first, and signed soon after.

use std::sync::Arc;
use std::time::{Duration, Instant};

use goodstanding::store::memory::{Fault, MemoryEngine};
use goodstanding::store::tables::PUBLISHED;

use crate::support::house::{House, Plan, clock};
use crate::support::reader::{bit, ones};

const HOUR: Duration = Duration::from_secs(3_600);

/// More than enough, even on a machine that has much else to do.
const DEADLINE: Duration = Duration::from_secs(30);

#[test]
fn the_signed_list_follows_a_change_that_look_ups_show_at_once() {
    let delay = Duration::from_millis(100);
    let house = Plan::new().publishing_after(delay).open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let given = school.allocates(&list, 200);
    for (n, index) in given.iter().enumerate() {
        let done = school.sets(&list, *index, 1).is(200).json();
        assert_eq!(done["revision"], n + 2);
        assert_eq!(school.looks_up(&list, *index)["outcome"], "revoked");
    }
    let deadline = Instant::now() + DEADLINE;
    while ones(&school.reads(&list)) < 200 {
        assert!(Instant::now() < deadline, "the list was never signed again");
        std::thread::yield_now();
    }
    let bits = school.reads(&list);
    assert!(given.iter().all(|index| bit(&bits, *index)));
}

#[test]
fn a_stop_publishes_what_waits() {
    let (clock, engine) = (clock(), Arc::new(MemoryEngine::new(clock())));
    let house = Plan::over(engine.clone(), clock.clone());
    let house = house.publishing_after(HOUR).open();
    let (list, index) = revoked_and_not_yet_signed(&house);
    drop(house);
    let house = Plan::over(engine, clock).seeded(2).left_as_it_was().open();
    assert!(bit(&house.verifier().reads(&list), index));
}

#[test]
fn a_start_publishes_what_a_crash_left_behind() {
    let (clock, engine) = (clock(), Arc::new(MemoryEngine::new(clock())));
    let crashed = Plan::over(engine.clone(), clock.clone());
    let crashed = crashed.publishing_after(HOUR).open();
    let (list, index) = revoked_and_not_yet_signed(&crashed);
    // What is stored at this moment is what a crash would leave.
    let left = Plan::over(engine.clone(), clock.clone()).seeded(2);
    let left = left.left_as_it_was().open();
    assert!(
        !bit(&left.verifier().reads(&list), index),
        "nothing to make good"
    );
    assert_eq!(left.verifier().looks_up(&list, index)["outcome"], "revoked");
    let started = Plan::over(engine, clock).seeded(3).open();
    assert!(bit(&started.verifier().reads(&list), index));
}

#[test]
fn a_list_that_cannot_be_published_does_not_hold_up_the_others() {
    let (clock, engine) = (clock(), Arc::new(MemoryEngine::new(clock())));
    let house = Plan::over(engine.clone(), clock.clone());
    let house = house.publishing_after(HOUR).open();
    let school = house.registrar("school");
    let lists = ["revocation", "suspension"].map(|purpose| school.opens_list(purpose));
    for list in &lists {
        school.sets(list, school.allocates(list, 1)[0], 1).is(200);
    }
    let mut attempts = 0;
    engine.set_fault_hook(move |_, batch| {
        let publishes = batch.puts.iter().any(|(key, _)| key[0] == PUBLISHED.tag());
        attempts += u32::from(publishes);
        if publishes && attempts == 1 {
            Fault::Refuse
        } else {
            Fault::Proceed
        }
    });
    let started = Plan::over(engine.clone(), clock).seeded(2).open();
    let signed = lists
        .iter()
        .map(|list| ones(&started.verifier().reads(list)));
    assert_eq!(signed.sum::<u32>(), 1, "the first was refused");
}

fn revoked_and_not_yet_signed(house: &House) -> (String, u64) {
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let index = school.allocates(&list, 1)[0];
    school.sets(&list, index, 1).is(200);
    assert!(!bit(&school.reads(&list), index), "the hour is not over");
    (list, index)
}
