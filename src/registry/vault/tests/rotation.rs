//! Rotations that go well, are ended by a crash, or find no other master key.

use std::sync::atomic::AtomicBool;
use std::thread;

use super::*;
use crate::access::Role;
use crate::oauth::form_token::FormCheck;
use crate::registry::sides::{Sides, make_school};
use crate::registry::{Idempotency, KeyOwner};
use crate::store::engine::CommitError;
use crate::store::event::{MasterKeyStep, Means};

fn step(from: &MasterKey, to: &MasterKey, step: MasterKeyStep) -> EventKind {
    EventKind::MasterKeyRotated {
        from: from.id(),
        to: to.id(),
        step,
    }
}

#[test]
fn the_next_master_key_opens_everything_and_the_earlier_one_nothing() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    let before = state(&registry);
    let (earlier, next) = (shelf.present().unwrap(), shelf.provide(2));
    let done = registry.rotate_master_key(&operator()).unwrap();
    assert_eq!(
        done,
        MasterKeyRotated {
            from: earlier.id().to_string(),
            to: next.id().to_string(),
            taken_up: TakenUp::Now,
        }
    );
    assert_eq!(sealed_under(&engine), (2, [next.id().to_string()].into()));
    opens_nothing(&engine, &earlier);
    every_key_opens(&engine, &registry);
    assert_eq!(
        logged(&engine),
        [
            made(1),
            step(&earlier, &next, MasterKeyStep::Begun),
            made(2),
            step(&earlier, &next, MasterKeyStep::Done),
        ]
    );
    // What is sealed from now on is under a data key that the earlier one never sealed.
    make_key(&registry);
    let rows = key_rows(&engine);
    let generation = |record: &KeyRecord| Sealed::from_bytes(&record.sealed).unwrap().under();
    let (_, newest) = rows.last().unwrap();
    assert_eq!(generation(newest), SealedUnder::DataKey(Generation(2)));
    assert_eq!(generation(&rows[0].1), SealedUnder::DataKey(Generation(1)));
    assert_eq!(registry.check_master_key(), Ok(()));
    drop(registry);
    let registry = open(&engine, &shelf);
    every_key_opens(&engine, &registry);
    assert_eq!(check(&registry, &before), StatementCheck::Good);
    assert_eq!(logged(&engine).len(), 4);
}

#[test]
fn who_signs_meanwhile_notices_nothing() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    let (over, failed) = (AtomicBool::new(false), AtomicBool::new(false));
    let (registry, over, failed) = (&registry, &over, &failed);
    let statements: usize = thread::scope(|scope| {
        let signers: Vec<_> = (0..3)
            .map(|nth| {
                scope.spawn(move || {
                    let mut signed = 0;
                    while !over.load(Ordering::SeqCst) || signed < 20 {
                        let good = check(registry, &state(registry)) == StatementCheck::Good;
                        failed.fetch_or(!good, Ordering::SeqCst);
                        if nth == 0 && signed < 300 {
                            make_key(registry);
                        }
                        signed += 1;
                    }
                    signed
                })
            })
            .collect();
        for seed in 0..20 {
            shelf.provide(1_000 + seed);
            let done = registry.rotate_master_key(&operator()).unwrap();
            assert_eq!(done.taken_up, TakenUp::Now);
        }
        over.store(true, Ordering::SeqCst);
        signers
            .into_iter()
            .map(|signer| signer.join().unwrap())
            .sum()
    });
    assert!(!failed.load(Ordering::SeqCst) && statements >= 60);
    assert_eq!(
        sealed_under(&engine),
        (21, [master(1_019).id().to_string()].into())
    );
    every_key_opens(&engine, registry);
    opens_nothing(&engine, &master(1_018));
    every_key_opens(&engine, &open(&engine, &shelf));
}

/// Whatever happens, each start finds a master key that opens all; and when the rotation has been
/// gone on with, the earlier key opens nothing.
#[test]
fn a_crash_at_each_step_is_made_good() {
    let faults = [
        Fault::LoseAndReportFailed,
        Fault::PersistButReportFailed,
        Fault::Refuse,
    ];
    // The first batch, the second, or none of them.
    let in_store = (1..=2).flat_map(|at| faults.map(|fault| (at, fault, Trouble::None)));
    let in_place =
        [Trouble::BeforeIt, Trouble::AfterIt].map(|trouble| (0, Fault::Proceed, trouble));
    for (at, fault, trouble) in in_store.chain(in_place) {
        for restarted in [true, false] {
            // After such a fault the engine takes no writes before a restart.
            if !restarted && at > 0 && fault != Fault::Refuse {
                continue;
            }
            crashed_at(at, fault, trouble, restarted);
        }
    }
}

fn crashed_at(at: u32, fault: Fault, trouble: Trouble, restarted: bool) {
    let (engine, shelf) = (engine(), Shelf::new());
    let mut registry = furnished(&engine, &shelf);
    let before = state(&registry);
    let (earlier, next) = (shelf.present().unwrap(), shelf.provide(2));
    let mut attempts = 0;
    engine.set_fault_hook(move |_, _| {
        attempts += 1;
        if attempts == at {
            fault
        } else {
            Fault::Proceed
        }
    });
    shelf.fails(trouble);
    let refused = registry.rotate_master_key(&operator()).unwrap_err();
    match at {
        0 => assert!(
            matches!(refused, RegistryError::MasterKeyPlace(_)),
            "{refused}"
        ),
        _ => assert!(
            matches!(
                refused,
                RegistryError::Commit(CommitError::Indeterminate(_) | CommitError::Unavailable(_))
            ),
            "{refused}"
        ),
    }
    // Whoever signs goes on.
    assert_eq!(check(&registry, &state(&registry)), StatementCheck::Good);
    engine.set_fault_hook(|_, _| Fault::Proceed);
    shelf.fails(Trouble::None);
    let lost = at == 1 && fault != Fault::PersistButReportFailed;
    if restarted {
        drop(registry);
        engine.reopen().unwrap();
        registry = open(&engine, &shelf);
        every_key_opens(&engine, &registry);
        // What was begun is done by the start; what was not waits to be asked for again.
        let masters = sealed_under(&engine).1;
        let by = if lost { &earlier } else { &next };
        assert_eq!(masters, [by.id().to_string()].into(), "{at} {fault:?}");
        assert_eq!(shelf.present().unwrap().id(), by.id());
    }
    if !restarted || lost {
        let done = registry.rotate_master_key(&operator()).unwrap();
        assert_eq!(
            (done.from, done.to),
            (earlier.id().to_string(), next.id().to_string())
        );
    }
    every_key_opens(&engine, &registry);
    opens_nothing(&engine, &earlier);
    assert_eq!(check(&registry, &before), StatementCheck::Good);
    let begun = step(&earlier, &next, MasterKeyStep::Begun);
    let done = step(&earlier, &next, MasterKeyStep::Done);
    assert_eq!(
        logged(&engine),
        [made(1), begun, made(2), done],
        "{at} {fault:?}"
    );
    assert_eq!(registry.check_master_key(), Ok(()));
    drop(registry);
    every_key_opens(&engine, &open(&engine, &shelf));
}

#[test]
fn one_from_the_environment_is_taken_up_by_a_start() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    let (earlier, next) = (shelf.present().unwrap(), shelf.provide(2));
    shelf.fails(Trouble::Environment);
    let done = registry.rotate_master_key(&operator()).unwrap();
    assert_eq!(done.taken_up, TakenUp::AtNextStart);
    assert_eq!(registry.rotate_master_key(&operator()), Ok(done));
    every_key_opens(&engine, &registry);
    drop(registry);
    // Started as before, also where the next one was left out, both go on opening it.
    for given in [Some(next.clone()), None] {
        shelf.state().next = given;
        every_key_opens(&engine, &open(&engine, &shelf));
        assert_eq!(sealed_under(&engine).1.len(), 2);
    }
    let begun = step(&earlier, &next, MasterKeyStep::Begun);
    assert_eq!(logged(&engine), [made(1), begun.clone()]);
    // Started with the next one, while the variable beside it may still hold it as well.
    shelf.is_started_with(&next);
    shelf.provide(2);
    let registry = open(&engine, &shelf);
    every_key_opens(&engine, &registry);
    opens_nothing(&engine, &earlier);
    let done = step(&earlier, &next, MasterKeyStep::Done);
    assert_eq!(logged(&engine), [made(1), begun, made(2), done]);
    let again = registry.rotate_master_key(&operator()).unwrap_err();
    assert!(again.to_string().contains("is the one in use"), "{again}");
}

#[test]
fn a_next_one_that_was_given_up_opens_nothing_when_another_follows() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    let (earlier, given_up) = (shelf.present().unwrap(), shelf.provide(2));
    shelf.fails(Trouble::BeforeIt);
    assert!(registry.rotate_master_key(&operator()).is_err());
    drop(registry);
    shelf.state().next = None;
    let registry = open(&engine, &shelf);
    every_key_opens(&engine, &registry);
    let next = shelf.provide(3);
    assert!(registry.rotate_master_key(&operator()).is_err());
    opens_nothing(&engine, &given_up);
    shelf.fails(Trouble::None);
    registry.rotate_master_key(&operator()).unwrap();
    assert_eq!(sealed_under(&engine), (2, [next.id().to_string()].into()));
    opens_nothing(&engine, &earlier);
    every_key_opens(&engine, &registry);
}

#[test]
fn a_start_that_cannot_go_on_with_it_serves_with_the_earlier_one() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    let (earlier, next) = (shelf.present().unwrap(), shelf.provide(2));
    shelf.fails(Trouble::BeforeIt);
    assert!(registry.rotate_master_key(&operator()).is_err());
    drop(registry);
    for unreadable in [false, true] {
        shelf.state().unreadable = unreadable;
        let registry = open(&engine, &shelf);
        every_key_opens(&engine, &registry);
        assert_eq!(shelf.present().unwrap().id(), earlier.id());
        assert_eq!(sealed_under(&engine).1.len(), 2);
    }
    shelf.state().unreadable = false;
    shelf.fails(Trouble::None);
    every_key_opens(&engine, &open(&engine, &shelf));
    assert_eq!(shelf.present().unwrap().id(), next.id());
    opens_nothing(&engine, &earlier);
}

/// What was there before must not be taken for what this rotation sealed.
#[test]
fn what_does_not_open_with_the_next_one_ends_the_rotation() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    let (earlier, next) = (shelf.present().unwrap(), shelf.provide(2));
    let other = DataKey::generate(Generation(1), &SeededEntropy::new(5));
    let mut sealed = next.seal(&other, &SeededEntropy::new(6)).to_bytes();
    for changed in [false, true] {
        sealed[20] ^= u8::from(changed);
        let record = DataKeyRecord {
            sealed: sealed.clone(),
            master: MasterKeyUse::Next,
        };
        let mut batch = Batch::default();
        DATA_KEYS.put(&mut batch, &row_key(Generation(1), next.id()), &record);
        engine.commit(batch).unwrap();
        let refused = registry.rotate_master_key(&operator()).unwrap_err();
        assert!(matches!(refused, RegistryError::Key(_)), "{refused}");
        assert_eq!(shelf.present().unwrap().id(), earlier.id());
        every_key_opens(&engine, &registry);
    }
}

#[test]
fn without_another_master_key_nothing_changes() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    let before = (engine.head(), sealed_under(&engine));
    let refused = registry.rotate_master_key(&operator()).unwrap_err();
    assert_eq!(refused.to_string(), "put one on the shelf");
    shelf.provide(100);
    let refused = registry.rotate_master_key(&operator()).unwrap_err();
    assert!(
        refused.to_string().contains("is the one in use"),
        "{refused}"
    );
    shelf.provide(2);
    let school = Change::by(Actor::known(
        Some(ProfileId(1)),
        Means::None,
        Role::Owner.actions(),
    ));
    let refused = registry.rotate_master_key(&school).unwrap_err();
    assert_eq!(refused, RegistryError::OperatorOnly);
    assert_eq!((engine.head(), sealed_under(&engine)), before);
}

#[test]
fn a_rotation_that_is_asked_for_twice_is_made_once() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    let change = Change {
        idempotency: Some(Idempotency::new(Actor::operator(), "a", &[b"rotate"])),
        ..operator()
    };
    shelf.provide(2);
    let done = registry.rotate_master_key(&change).unwrap();
    shelf.provide(3);
    assert_eq!(registry.rotate_master_key(&change), Ok(done.clone()));
    assert_eq!(sealed_under(&engine), (2, [done.to].into()));
}

#[test]
fn a_master_key_that_was_replaced_by_hand_is_noticed() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    assert_eq!(registry.check_master_key(), Ok(()));
    shelf.is_started_with(&master(2));
    assert_eq!(registry.check_master_key(), Err(RegistryError::MasterKey));
    every_key_opens(&engine, &registry);
    // Asked to, the registry follows.
    registry.rotate_master_key(&operator()).unwrap();
    assert_eq!(registry.check_master_key(), Ok(()));
    opens_nothing(&engine, &master(100));
    assert_eq!(registry.keys(KeyOwner::Registry).unwrap().len(), 1);
}

/// Where several processes share a store, each has its own place of master keys, and one of them rotates.
#[test]
fn another_process_takes_over_what_a_rotation_leaves() {
    let (sides, shelves) = (Sides::new(), [Shelf::new(), Shelf::new()]);
    let both = [0, 1].map(|number| sides.open(number, shelves[number].clone()));
    let [one, other] = &both;
    make_school(one);
    let before = state(other);
    let form = other.forms().sign(&["a"], other.now());
    let next = shelves[0].provide(2);
    one.rotate_master_key(&operator()).unwrap();
    // It has not been given the next key yet: what was sealed before opens all the same.
    assert_eq!(check(other, &state(other)), StatementCheck::Good);
    assert_eq!(other.check_master_key(), Err(RegistryError::MasterKey));
    make_key(one);
    let rows = KEYS.scan(&sides.engine, &[], None, usize::MAX).unwrap();
    let ((profile, key), newest) = rows.last().unwrap();
    let opens = |registry: &Registry| {
        let place = KeyPlace {
            profile: *profile,
            key: *key,
        };
        registry.vault().open(place, &newest.sealed).is_ok()
    };
    assert!(opens(one) && !opens(other));
    shelves[1].provide(2);
    assert!(opens(other));
    assert_eq!(other.check_master_key(), Ok(()));
    assert_eq!(shelves[1].present().unwrap().id(), next.id());
    assert_eq!(check(other, &before), StatementCheck::Good);
    // Both make forms anew.
    assert_eq!(
        other.forms().check(&form, &["a"], other.now()),
        FormCheck::Bad
    );
    let form = other.forms().sign(&["a"], other.now());
    assert_eq!(one.forms().check(&form, &["a"], one.now()), FormCheck::Good);
}

#[test]
fn two_processes_that_are_started_on_an_empty_store_have_one_data_key() {
    let sides = Sides::new();
    let key = master(1);
    let both = [0, 1].map(|number| sides.open(number, key.clone()));
    make_school(&both[0]);
    make_key(&both[1]);
    assert_eq!(check(&both[0], &state(&both[1])), StatementCheck::Good);
    assert_eq!(
        DATA_KEYS.scan(&sides.engine, &[], None, 9).unwrap().len(),
        1
    );
}
