//! Updates by the lines of a table, in chunks of which each is made whole or not at all.

use std::fmt::Write as _;

use goodstanding::store::event::{Event, EventKind};
use serde_json::json;

use super::{ENTRIES, bits_with, scattered};
use crate::support::actors::text;
use crate::support::house::House;
use crate::support::reader::ones;

#[test]
fn a_table_says_the_same_as_json() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("suspension");
    let ids = json!({ "credentialIds": ["urn:x:1", "urn:x:2"] });
    school.post(&format!("{list}/entries"), &ids).is(200);
    let given = school.allocates(&list, 2);
    let rows = format!(
        "\u{feff}credentialId,status,index\r\nurn:x:1,1,\r\n\r\n,1,{}\r\n\"urn:x:9\",1,\r\n,0,{}\r\n,1,200000\r\n",
        given[0], given[1],
    );
    let target = format!("{list}/updates?reason=recall");
    let done = school.sends(&target, "text/csv", rows).is(200).json();
    assert_eq!(
        (&done["applied"], &done["revision"], &done["refusedCount"]),
        (&json!(3), &json!(2), &json!(2))
    );
    assert_eq!(
        (&done["refused"][0]["item"], &done["refused"][0]["line"]),
        (&json!(2), &json!(5))
    );
    assert!(text(&done["refused"][0]["reason"]).contains("urn:x:9"));
    assert_eq!(done["refused"][1]["line"], 7);
    assert_eq!(
        done["chunks"],
        json!([{ "firstLine": 2, "lastLine": 7, "applied": 3, "refused": 2, "revision": 2 }])
    );
    assert_eq!(ones(&house.verifier().reads(&list)), 2);
    // One that is part of a longer table is told by the lines of that.
    let rows = "index,status\n200000,1\n200001,1\n";
    let refused = school
        .sends(&format!("{list}/updates?firstLine=5001"), "text/csv", rows)
        .problem(422);
    assert_eq!(
        (
            &refused["refused"][0]["line"],
            &refused["refused"][1]["line"]
        ),
        (&json!(5001), &json!(5002))
    );
    assert_eq!(refused["refusedCount"], 2);
}

#[test]
fn a_long_body_is_made_chunk_by_chunk_and_once() {
    let house = House::open();
    let school = house.registrar("school");
    // Every third is set and never goes back.
    let set: Vec<u64> = (0..ENTRIES as u64).step_by(3).collect();
    let list = school.brings(&bits_with(ENTRIES, &set), None);
    let mut lines = String::new();
    for index in 0..120_000_u64 {
        writeln!(
            lines,
            "{{\"index\":{index},\"status\":{}}}",
            u8::from(index % 2 == 0)
        )
        .unwrap();
    }
    let send = || {
        let call = school.call("POST", &format!("{list}/updates")).key("bulk");
        call.body("application/x-ndjson", lines.clone()).send()
    };
    let since = house.engine.head().seq;
    let done = send().is(200).json();
    // Odd ones that are set are refused: every sixth.
    assert_eq!(
        (&done["applied"], &done["refusedCount"], &done["revision"]),
        (&json!(100_000), &json!(20_000), &json!(4))
    );
    assert_eq!(done["refused"].as_array().unwrap().len(), 1_000);
    assert_eq!(
        (&done["refused"][1]["item"], &done["refused"][1]["line"]),
        (&json!(9), &json!(10))
    );
    let chunks = done["chunks"].as_array().unwrap();
    let places: Vec<_> = chunks
        .iter()
        .map(|chunk| (&chunk["firstLine"], &chunk["lastLine"], &chunk["revision"]))
        .collect();
    let expected = [
        (json!(1), json!(50_000), json!(2)),
        (json!(50_001), json!(100_000), json!(3)),
        (json!(100_001), json!(120_000), json!(4)),
    ];
    assert_eq!(places, expected.each_ref().map(|(a, b, c)| (a, b, c)));
    let events = house.engine.changes(since, 1_000).unwrap();
    let changes = events
        .iter()
        .map(|event| Event::decode(&event.body).unwrap().kind);
    assert_eq!(
        changes
            .filter(|kind| matches!(kind, EventKind::StatusChanged { .. }))
            .count(),
        3
    );
    let expected =
        (0..ENTRIES as u64).filter(|index| index % 3 == 0 || (*index < 120_000 && index % 2 == 0));
    assert_eq!(
        house.verifier().reads(&list),
        bits_with(ENTRIES, &expected.collect::<Vec<_>>())
    );

    // Again under the same key: the same answer, and nothing is written.
    let after = house.store();
    assert_eq!(send().is(200).json(), done);
    assert_eq!(house.store(), after);
    let shorter = lines
        .lines()
        .take(60_000)
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    let call = school.call("POST", &format!("{list}/updates")).key("bulk");
    call.body("application/x-ndjson", shorter)
        .send()
        .problem(422);
}

#[test]
fn a_line_that_cannot_be_read_refuses_all_before_anything_is_done() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.brings(&bits_with(ENTRIES, &[]), None);
    let mut lines: String = scattered(60_000, ENTRIES as u64)
        .iter()
        .map(|index| format!("{index},1\n"))
        .collect();
    lines.insert_str(0, "index,status\n");
    lines.push_str("-1,1\n");
    let before = house.store();
    let refused = school
        .sends(&format!("{list}/updates"), "text/csv", lines.clone())
        .problem(400);
    assert_eq!(refused["line"], lines.lines().count());
    assert_eq!(house.store(), before);
}

#[test]
fn a_body_that_broke_off_says_where_and_is_finished_by_sending_it_again() {
    use goodstanding::store::memory::{Fault, MemoryEngine};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use crate::support::house::{Plan, clock};

    let time = clock();
    let engine = Arc::new(MemoryEngine::new(time.clone()));
    let house = Plan::over(engine.clone(), time).open();
    let school = house.registrar("school");
    let list = school.brings(&bits_with(ENTRIES, &[]), None);
    let lines: String = (0..110_000)
        .map(|index| format!("{{\"index\":{index},\"status\":1}}\n"))
        .collect();
    let send = || {
        let call = school.call("POST", &format!("{list}/updates")).key("bulk");
        call.body("application/x-ndjson", lines.clone()).send()
    };
    // The first chunk and its publication are written, the second one is lost.
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = commits.clone();
    engine.set_fault_hook(move |_, _| match counted.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Fault::Proceed,
        _ => Fault::PersistButReportFailed,
    });
    let broken = send().problem(503);
    assert_eq!(
        (&broken["resumeFromLine"], &broken["applied"]),
        (&json!(50_001), &json!(50_000)),
        "{broken}"
    );
    assert_eq!(broken["chunks"].as_array().unwrap().len(), 1);
    engine.reopen().unwrap();
    engine.set_fault_hook(|_, _| Fault::Proceed);
    let done = send().is(200).json();
    assert_eq!(
        (&done["applied"], &done["revision"]),
        (&json!(110_000), &json!(4))
    );
    assert_eq!(ones(&house.verifier().reads(&list)), 110_000);
}
