//! What looking up a code costs, among many.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::registry::NewList;
use crate::registry::testing::{in_memory, operator, school};
use crate::status::StatusPurpose;
use crate::store::engine::{Row, StoreError};

/// Counts what is asked of the store.
struct Counting<'a> {
    read: &'a dyn Read,
    asked: AtomicUsize,
}

impl Read for Counting<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.read.get(key)
    }

    fn multi_get(&self, _: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        unreachable!("a code is one question after the other")
    }

    fn scan(&self, _: &[u8], _: &[u8], _: usize) -> Result<Vec<Row>, StoreError> {
        unreachable!("nothing is looked through for a code")
    }
}

fn of(credentials: &[String]) -> CodesOf {
    CodesOf {
        credentials: credentials.to_vec(),
        issuer: None,
    }
}

#[test]
fn a_code_is_found_in_two_reads_and_one_that_is_not_there_takes_one() {
    let (registry, _, _) = in_memory();
    let school = school(&registry, "school");
    let list = NewList::usual(school, StatusPurpose::Revocation);
    let list = registry.create_list(&operator(), &list).unwrap().id;
    let ids: Vec<String> = (0..20_000)
        .map(|number| format!("urn:x:{number}"))
        .collect();
    registry.allocate_for(&operator(), list, &ids).unwrap();
    let mut codes = Vec::new();
    for ids in ids.chunks(MOST_CODES) {
        let handed = registry
            .hand_out_codes(&operator(), &of(ids), false)
            .unwrap();
        codes.extend(handed.codes);
    }
    let keys = registry.vault().code_keys().unwrap();
    let asks = |code: &VerificationCode| {
        let snapshot = registry.engine.snapshot();
        let read = Counting {
            read: &*snapshot,
            asked: AtomicUsize::new(0),
        };
        let found = find(&read, &keys, code).unwrap();
        (found.map(|found| found.id), read.asked.into_inner())
    };
    for one in codes.iter().step_by(1_999) {
        assert_eq!(asks(&one.code), (Some(one.credential.clone()), 2));
    }
    // One that was withdrawn and one that never was are the same question.
    let withdrawn = codes[7].code;
    registry
        .withdraw_codes(&operator(), &of(&ids[7..8]))
        .unwrap();
    assert_eq!(asks(&withdrawn), (None, 1));
    assert_eq!(asks(&VerificationCode::of_bits([7; 10])), (None, 1));
}
