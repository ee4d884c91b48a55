//! Many at once: nobody loses, and nobody is told what is not so.

use std::collections::BTreeSet;
use std::thread;

use serde_json::json;

use crate::support::actors::text;
use crate::support::house::House;
use crate::support::reader::{bit, ones, place};

#[test]
fn sixteen_threads_revoke_in_one_list() {
    revoke_from_sixteen_threads(&House::open());
}

#[cfg(feature = "rocksdb")]
#[test]
fn sixteen_threads_revoke_in_one_list_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let clock = crate::support::house::clock();
    let list = revoke_from_sixteen_threads(&House::on_disk(folder.path(), &clock, 1));
    let house = House::on_disk(folder.path(), &clock, 2);
    assert_eq!(ones(&house.verifier().reads(&list)), 192, "after a restart");
}

/// Gives the list's URL, for who wants to look again.
fn revoke_from_sixteen_threads(house: &House) -> String {
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let given = school.allocates(&list, 16 * 12);
    let revisions: Vec<Vec<u64>> = thread::scope(|scope| {
        let revoke = |indexes: &[u64]| -> Vec<u64> {
            let one = |index: &u64| {
                let done = school.sets(&list, *index, 1).is(200).json();
                assert_eq!(
                    (&done["applied"], &done["refused"]),
                    (&json!(1), &json!([]))
                );
                // Signed before it was acknowledged, and in every look-up.
                assert!(
                    bit(&school.reads(&list), *index),
                    "acknowledged, and not in the list"
                );
                let said = school.looks_up(&list, *index);
                assert_eq!(said["outcome"], "revoked");
                let revision = done["revision"].as_u64().unwrap();
                assert!(said["revision"].as_u64().unwrap() >= revision);
                revision
            };
            indexes.iter().map(one).collect()
        };
        let threads: Vec<_> = given
            .chunks(12)
            .map(|indexes| scope.spawn(move || revoke(indexes)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    for seen in &revisions {
        assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
    }
    let all: BTreeSet<u64> = revisions.into_iter().flatten().collect();
    assert!(all.into_iter().eq(2..=193), "each change is one revision");
    let bits = school.reads(&list);
    assert_eq!(ones(&bits), 192);
    assert!(given.iter().all(|index| bit(&bits, *index)));
    list
}

#[test]
fn eight_threads_allocate_and_no_index_is_given_twice() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let given: Vec<u64> = thread::scope(|scope| {
        let allocate = |thread: usize| -> Vec<u64> {
            let take = |round: usize| match (thread + round) % 2 {
                0 => school.allocates(&list, 37),
                _ => {
                    let ids: Vec<String> = (0..11)
                        .map(|n| format!("urn:{thread}:{round}:{n}"))
                        .collect();
                    let answer =
                        school.post(&format!("{list}/entries"), &json!({ "credentialIds": ids }));
                    let answer = answer.is(200).json();
                    let entries = answer["entries"].as_array().unwrap().clone();
                    entries.iter().map(|entry| place(entry).1).collect()
                }
            };
            (0..20).flat_map(take).collect()
        };
        let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || allocate(n))).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(given.len(), 8 * 10 * (37 + 11));
    let distinct: BTreeSet<u64> = given.iter().copied().collect();
    assert_eq!(distinct.len(), given.len());
    assert_eq!(ones(&school.reads(&list)), 0);
}

#[test]
fn a_board_that_endorses_for_the_first_time_does_so_from_eight_threads() {
    let house = House::open();
    let board = house.accreditor("board");
    let made: Vec<_> = thread::scope(|scope| {
        let endorse = |thread: usize| {
            let one = |n: usize| {
                let subject = format!("https://far.example/{thread}/{n}");
                board.endorses(&subject, "credential", n.is_multiple_of(2))
            };
            (0..5).map(one).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || endorse(n))).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let ids: BTreeSet<String> = made
        .iter()
        .map(|endorsement| text(&endorsement["id"]))
        .collect();
    assert_eq!(ids.len(), 40);
    let places = made.iter().map(|endorsement| {
        let status = &endorsement["credentialStatus"];
        place(status.get(0).unwrap_or(status))
    });
    let places: BTreeSet<(String, u64)> = places.collect();
    assert_eq!(places.len(), 40, "each has a place of its own");
    let lists: BTreeSet<&String> = places.iter().map(|(list, _)| list).collect();
    assert_eq!(lists.len(), 1, "one list, and no list for each");
    let found = house
        .call("GET", "/endorsements?standing=active")
        .send()
        .is(200)
        .json();
    assert_eq!(found["endorsements"].as_array().map(Vec::len), Some(40));
}

#[test]
fn of_many_who_take_one_slug_one_gets_it() {
    let house = House::open();
    let operator = house.operator();
    let statuses: Vec<u16> = thread::scope(|scope| {
        let take = |n: usize| {
            let body = json!({ "slug": "same", "name": format!("{n}"), "roles": ["issuer"] });
            operator.post("/profiles", &body).status
        };
        let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || take(n))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let made = statuses.iter().filter(|status| **status == 201).count();
    let refused = statuses.iter().filter(|status| **status == 409).count();
    assert_eq!((made, refused), (1, 7), "{statuses:?}");
    let listed = house.call("GET", "/profiles").send().is(200).json();
    assert_eq!(listed["profiles"].as_array().map(Vec::len), Some(1));
}
