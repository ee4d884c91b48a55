//! Giving out entries: many in one call, and the last of a list beside its first.

use std::collections::HashSet;
use std::time::Instant;

use goodstanding::bitstring::MINIMUM_ENTRIES;
use goodstanding::registry::{Allocated, RegistryError};
use serde_json::Value;

use crate::harness::{CpuClock, Report, Samples, Verdict, ratios};
use crate::places::{ENGINES, Kind, ORIGIN, Place, change};

/// Entries of the one large call.
const MANY: u64 = 100_000;
const MOST_SECONDS: f64 = 0.1;
/// Entries compared at the two ends of a list.
const ENDS: u64 = 1_000;
/// How much slower the last entries may seem, which is what a busy machine makes of alike work.
const MOST_RATIO: f64 = 1.5;
const LISTS: usize = 9;

pub(crate) fn run(report: &mut Report) {
    let words = "Each sample is on a fresh list of 131,072 entries.";
    report.section("Allocation: 100,000 entries in one call", words);
    for engine in ENGINES {
        by_count(report, &Place::new(*engine));
    }
    for engine in ENGINES {
        by_credential(report, &Place::new(*engine));
    }
    let words = "Time that passes. The first 1,000 entries of a list and its last 1,000, given out \
                 one by one and in one call, on a fresh store each time. The ratio is last to first.";
    report.section("Allocation: a list never slows", words);
    for engine in ENGINES {
        for way in [Way::OneByOne, Way::InOneCall] {
            ends_of_a_list(report, *engine, way);
        }
    }
}

fn by_count(report: &mut Report, place: &Place) {
    let [mut reserved, mut made, mut passed] = [const { Vec::new() }; 3];
    for _ in 0..LISTS {
        let list = place.list();
        let (clock, started) = (CpuClock::start(), Instant::now());
        let allocated = place
            .registry
            .allocate(&change(), list, MANY)
            .expect("a fresh list has room");
        reserved.push(started.elapsed().as_secs_f64());
        let entries = answer(&allocated, place);
        passed.push(started.elapsed().as_secs_f64());
        made.push(clock.used().as_secs_f64());
        check_entries(&entries, &place.registry.urls().list(list));
    }
    let name = |what: &str| format!("{}: by `count`, {what}", place.engine);
    let objects = "and their JSON written";
    for (what, samples) in [
        (name("reserved, time that passes"), reserved),
        (name(objects), made),
    ] {
        let samples = Samples::new(samples);
        let verdict = Verdict::below(samples.median(), MOST_SECONDS, "100 ms");
        report.judged(&what, &samples.times(), &verdict);
    }
    let what = name(&format!("{objects}, time that passes"));
    report.context(&what, &Samples::new(passed).times());
}

fn by_credential(report: &Report, place: &Place) {
    let mut made = Vec::new();
    for round in 0..LISTS {
        let ids: Vec<String> = (0..MANY)
            .map(|n| format!("https://school.example/credentials/{round}/{n}"))
            .collect();
        let list = place.list();
        let started = Instant::now();
        let allocated = place
            .registry
            .allocate_for(&change(), list, &ids)
            .expect("a fresh list has room");
        made.push(started.elapsed().as_secs_f64());
        check_entries(
            &answer(&allocated, place),
            &place.registry.urls().list(list),
        );
    }
    let what = format!(
        "{}: by `credentialIds`, each remembered, time that passes",
        place.engine
    );
    report.context(&what, &Samples::new(made).times());
}

fn answer(allocated: &Allocated, place: &Place) -> String {
    let answer = allocated.answer(&place.registry);
    answer.expect("the list is there")
}

/// As many entries as were asked for, each of this list, no index twice.
fn check_entries(answer: &str, list: &str) {
    let answer: Value = serde_json::from_str(answer).expect("the answer is JSON");
    let entries = answer["entries"].as_array().expect("entries are an array");
    assert!(list.starts_with(ORIGIN));
    let mut seen = HashSet::new();
    for entry in entries {
        let index = entry["statusListIndex"].as_str().expect("a string");
        let number: u64 = index.parse().expect("a number");
        assert!(number < MINIMUM_ENTRIES, "{number} lies behind the end");
        assert!(seen.insert(number), "{number} was given out twice");
        assert_eq!(entry["type"], "BitstringStatusListEntry");
        assert_eq!(entry["statusPurpose"], "revocation");
        assert_eq!(entry["statusListCredential"], list);
        assert_eq!(entry["id"], format!("{list}#{index}"));
    }
    assert_eq!(entries.len() as u64, MANY);
}

#[derive(Debug, Clone, Copy)]
enum Way {
    OneByOne,
    InOneCall,
}

fn ends_of_a_list(report: &mut Report, engine: Kind, way: Way) {
    let (name, step) = match way {
        Way::OneByOne => ("one by one", 1),
        Way::InOneCall => ("in one call", ENDS),
    };
    let (mut first, mut last) = (Vec::new(), Vec::new());
    let mut engine_name = "";
    for _ in 0..LISTS {
        let place = Place::new(engine);
        engine_name = place.engine;
        let list = place.list();
        let take = |count: u64| {
            let taken = place.registry.allocate(&change(), list, count);
            taken.expect("the list has room").indexes()
        };
        let thousand = || -> f64 {
            let started = Instant::now();
            (0..ENDS / step).for_each(|_| drop(take(step)));
            started.elapsed().as_secs_f64()
        };
        first.push(thousand());
        let middle = MINIMUM_ENTRIES - 2 * ENDS;
        take(middle / 2);
        take(middle - middle / 2);
        last.push(thousand());
        let full = place.registry.allocate(&change(), list, 1);
        assert!(
            matches!(full, Err(RegistryError::ListFull { remaining: 0, .. })),
            "the list has to be full: {full:?}"
        );
    }
    let ratio = ratios(&first, &last);
    let verdict = Verdict::below(ratio.median(), MOST_RATIO, "1.5×");
    for (end, samples) in [("first", first), ("last", last)] {
        let what = format!("{engine_name}, {name}: the {end} 1,000");
        report.context(&what, &Samples::new(samples).times());
    }
    let what = format!("{engine_name}, {name}: last to first");
    report.judged(&what, &ratio.ratios(), &verdict);
}
