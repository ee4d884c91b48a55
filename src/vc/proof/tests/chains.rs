//! Proofs that rest on others.

use super::*;
use std::collections::BTreeSet;

fn named(n: usize) -> String {
    format!("urn:example:proof:{n}")
}

/// Proof `n`, which rests on those of these numbers.
fn link(n: usize, suite: Suite, previous: &[usize]) -> ProofOptions {
    ProofOptions {
        suite,
        id: Some(named(n)),
        previous_proof: previous.iter().map(|n| named(*n)).collect(),
        ..options()
    }
}

/// A document with one proof by each row, the rows in turn.
fn signed_in_turn(rows: &[(Suite, Vec<usize>)]) -> Value {
    let rows = rows.iter().enumerate();
    rows.fold(endorsement(), |document, (n, (suite, previous))| {
        sign(&document, &link(n, *suite, previous), &key()).unwrap()
    })
}

const RDFC: Suite = Suite::EddsaRdfc2022;
const JCS: Suite = Suite::EddsaJcs2022;

#[test]
fn endorsers_co_sign_with_either_suite() {
    for suites in [
        [RDFC, RDFC, RDFC],
        [JCS, JCS, JCS],
        [RDFC, JCS, RDFC],
        [JCS, RDFC, JCS],
    ] {
        let [first, second, third] = suites;
        let signed = signed_in_turn(&[(first, vec![]), (second, vec![0]), (third, vec![0, 1])]);
        let all: Vec<_> = proofs(&signed).map(Result::unwrap).collect();
        assert_eq!(all[0].previous, [""; 0]);
        assert_eq!(all[1].previous, [named(0)]);
        assert_eq!(all[2].previous, [named(0), named(1)]);
        let verdicts = verify_all(&signed, Timestamp::EPOCH);
        assert!(
            verdicts.iter().all(Result::is_ok),
            "{suites:?}: {verdicts:?}"
        );
    }
}

#[test]
fn a_proof_that_others_rest_on_cannot_be_exchanged_for_another_good_one() {
    let signed = signed_in_turn(&[(RDFC, vec![]), (RDFC, vec![0])]);
    let other = ProofOptions {
        created: Some("2026-02-01T00:00:00Z".parse().unwrap()),
        ..link(0, RDFC, &[])
    };
    let mut exchanged = signed.clone();
    exchanged["proof"][0] = sign(&endorsement(), &other, &key()).unwrap()["proof"].clone();
    let verdicts = verify_all(&exchanged, Timestamp::EPOCH);
    assert!(verdicts[0].is_ok());
    assert!(matches!(&verdicts[1], Err(ProofError::Signature { place }) if place == "/proof/1"));
    // Nor taken away, while a proof beside the chain may go.
    let third = sign(&signed, &link(2, RDFC, &[]), &key()).unwrap();
    for (gone, expected) in [(0, [false, true]), (1, [true, true]), (2, [true, true])] {
        let mut fewer = third.clone();
        fewer["proof"].as_array_mut().unwrap().remove(gone);
        let verdicts = verify_all(&fewer, Timestamp::EPOCH);
        let good: Vec<bool> = verdicts.iter().map(Result::is_ok).collect();
        assert_eq!(good, expected, "{gone}: {verdicts:?}");
    }
}

#[test]
fn chains_that_are_none_are_named() {
    let signed = signed_in_turn(&[(RDFC, vec![]), (RDFC, vec![0])]);
    let verdict = |change: &dyn Fn(&mut Value)| {
        let mut changed = signed.clone();
        change(&mut changed["proof"]);
        verify_all(&changed, Timestamp::EPOCH)
            .remove(1)
            .unwrap_err()
    };
    let place = || "/proof/1".to_owned();
    assert_eq!(
        verdict(&|proofs| proofs[1]["previousProof"] = json!("urn:example:other")),
        ProofError::MissingPrevious {
            place: place(),
            id: "urn:example:other".to_owned()
        }
    );
    assert_eq!(
        verdict(&|proofs| {
            let twin = proofs[0].clone();
            proofs.as_array_mut().unwrap().push(twin);
        }),
        ProofError::DuplicateId {
            place: place(),
            id: named(0)
        }
    );
    assert_eq!(
        verdict(&|proofs| proofs[1]["previousProof"] = json!([named(0), named(1)])),
        ProofError::OwnPrevious { place: place() }
    );
    for back in [json!(named(1)), json!([named(1)])] {
        assert_eq!(
            verdict(&|proofs| proofs[0]["previousProof"] = back.clone()),
            ProofError::Cycle { place: place() }
        );
    }
    assert_eq!(
        verdict(&|proofs| {
            let far = proofs[0].clone();
            proofs.as_array_mut().unwrap().push(far);
            proofs[2]["id"] = json!(named(2));
            proofs[2]["previousProof"] = json!(named(1));
            proofs[0]["previousProof"] = json!(named(2));
        }),
        ProofError::Cycle { place: place() }
    );
    // Alone, the proof has nothing to rest on.
    let mut alone = signed.clone();
    alone["proof"] = alone["proof"][1].clone();
    let missing = verify_all(&alone, Timestamp::EPOCH).remove(0);
    assert!(
        matches!(missing, Err(ProofError::MissingPrevious { .. })),
        "{missing:?}"
    );
}

#[test]
fn what_would_be_no_chain_is_not_signed() {
    let signed = signed_in_turn(&[(RDFC, vec![])]);
    let made = |options| sign(&signed, &options, &key()).unwrap_err();
    let place = "/proof/1".to_owned();
    assert_eq!(
        made(link(0, RDFC, &[])),
        ProofError::DuplicateId {
            place: place.clone(),
            id: named(0)
        }
    );
    assert_eq!(
        made(link(1, RDFC, &[7])),
        ProofError::MissingPrevious {
            place: place.clone(),
            id: named(7)
        }
    );
    assert_eq!(made(link(1, JCS, &[1])), ProofError::OwnPrevious { place });
    let unnamed = ProofOptions {
        id: Some("co-signed".to_owned()),
        ..options()
    };
    assert!(matches!(
        made(unnamed),
        ProofError::Member { member: "id", .. }
    ));
}

#[test]
fn a_chain_costs_work_and_there_is_an_end_to_it() {
    let signed = signed_in_turn(&[(RDFC, vec![]), (RDFC, vec![0]), (JCS, vec![0])]);
    let all: Vec<_> = proofs(&signed).map(Result::unwrap).collect();
    let mut prepared = Prepared::of(&signed).unwrap();
    let key = key().public().into();
    let mut verified = |proof, units| {
        let mut work = Work::units(units);
        let verdict = prepared.verify(proof, PURPOSE, &key, Timestamp::EPOCH, &mut work);
        (verdict.is_ok(), units - work.left())
    };
    // Each document with earlier proofs is another, and is read anew.
    assert_eq!(verified(&all[0], 9), (true, 2));
    assert_eq!(verified(&all[1], 9), (true, 2));
    assert_eq!(verified(&all[1], 9), (true, 2));
    assert_eq!(verified(&all[2], 9), (true, 2));
    for proof in &all[1..] {
        assert_eq!(verified(proof, 1), (false, 1));
        assert_eq!(verified(proof, 0), (false, 0));
    }
}

#[test]
fn a_long_chain_is_walked_once() {
    // Each names the next two: counted by paths, there would be no end.
    let number = 3_000;
    let proofs: Vec<Value> = (0..number)
        .map(|n| json!({"id": named(n), "previousProof": [named(n + 1), named(n + 2)]}))
        .collect();
    let chain = Chain::of(&proofs);
    let id = named(number + 7);
    let earlier = chain.earlier(Link {
        place: "/proof/0",
        id: Some(&id),
        previous: &[&named(0), &named(1)],
    });
    assert_eq!(earlier, Ok(vec![&proofs[0], &proofs[1]]));
}

/// Up to five proofs, each with a suite, and which of those before it rests on.
fn rows() -> impl Strategy<Value = Vec<(Suite, Vec<usize>)>> {
    prop::collection::vec((any::<bool>(), any::<u8>()), 1..6).prop_map(|rows| {
        let rows = rows.into_iter().enumerate();
        rows.map(|(n, (json, bits))| {
            let previous = (0..n).filter(|earlier| bits >> earlier & 1 == 1);
            (if json { JCS } else { RDFC }, previous.collect())
        })
        .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_change_shows_in_the_proof_and_in_those_that_rest_on_it(
        rows in rows(),
        changed in any::<prop::sample::Index>(),
    ) {
        let mut signed = signed_in_turn(&rows);
        let good = verify_all(&signed, Timestamp::EPOCH);
        prop_assert!(good.iter().all(Result::is_ok), "{:?}", good);
        let changed = changed.index(rows.len());
        let proof = match rows.len() {
            1 => &mut signed["proof"],
            _ => &mut signed["proof"][changed],
        };
        proof["created"] = json!("2026-01-02T00:00:00Z");
        let bad: BTreeSet<usize> = (0..rows.len())
            .filter(|n| *n == changed || rows[*n].1.contains(&changed))
            .collect();
        for (n, verdict) in verify_all(&signed, Timestamp::EPOCH).into_iter().enumerate() {
            prop_assert_eq!(verdict.is_err(), bad.contains(&n), "{}: {:?}", n, verdict);
        }
    }
}
