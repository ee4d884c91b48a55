//! What every storage engine promises, tried on each of them; then what only one of them can show.

mod anchored;
#[cfg(feature = "postgres")]
mod copies;
mod followed;
mod memory;
#[cfg(feature = "rocksdb")]
mod recovery;
#[cfg(feature = "postgres")]
mod replica;
#[cfg(feature = "postgres")]
mod replicas;
#[cfg(feature = "rocksdb")]
mod rocks;
#[cfg(feature = "rocksdb")]
mod scrub;
#[cfg(feature = "postgres")]
mod shaken;
mod support;

use std::collections::BTreeMap;
use std::thread;

use goodstanding::ids::Seq;
use goodstanding::store::{Batch, CommitError, Engine, Head};
use goodstanding::time::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use followed::{under_one_number_rows_are_the_same, who_follows_has_what_was_acknowledged};
use support::{BatchOf, Machine, assert_chain, bodies, contents, key, put, rows, text, whole_log};

/// An engine that can be closed and opened again on what it kept.
trait Store {
    fn new() -> Self
    where
        Self: Sized;
    fn engine(&self) -> &dyn Engine;
    fn clock(&self) -> &Machine;
    fn restart(&mut self);
}

/// Each test, once for each engine.
macro_rules! on_every_engine {
    ($($test:ident),* $(,)?) => {
        mod on_memory {
            $(#[test] fn $test() { super::$test::<super::memory::Memory>(); })*
        }
        #[cfg(feature = "rocksdb")]
        mod on_rocksdb {
            $(#[test] fn $test() { super::$test::<super::rocks::Rocks>(); })*
        }
        #[cfg(feature = "postgres")]
        mod on_a_replica {
            $(#[test] fn $test() { super::$test::<super::replica::InMemory>(); })*
        }
        #[cfg(feature = "postgres")]
        mod on_a_replica_with_a_disk {
            $(#[test] fn $test() { super::$test::<super::replica::OnDisk>(); })*
        }
    };
}

on_every_engine!(
    a_batch_is_applied_whole_or_not_at_all,
    conditions_are_on_exact_values,
    the_log_is_a_chain_without_gaps,
    changes_come_in_pages,
    time_never_runs_backwards,
    threads_that_race_for_a_row_lose_no_update,
    a_snapshot_does_not_move,
    a_scan_keeps_to_its_bounds,
    a_restart_keeps_everything,
    the_engines_own_rows_are_out_of_reach,
    random_batches_do_what_a_plain_map_does,
    who_follows_has_what_was_acknowledged,
    under_one_number_rows_are_the_same,
);

fn a_batch_is_applied_whole_or_not_at_all<S: Store>() {
    let store = S::new();
    let engine = store.engine();
    engine.commit(put("a", "1").and_put("b", "1")).unwrap();

    let mixed = put("a", "2")
        .and_delete("b")
        .and_put("c", "2")
        .and_log("mixed");
    let refused = engine.commit(mixed.clone().only_if("a", Some("other")));
    assert_eq!(refused, Err(CommitError::Conflict));
    assert_eq!(contents(engine), rows(&[("a", "1"), ("b", "1")]));
    assert_eq!(engine.head().seq, Seq(0));

    engine.commit(mixed.only_if("a", Some("1"))).unwrap();
    assert_eq!(contents(engine), rows(&[("a", "2"), ("c", "2")]));
    assert_eq!(engine.head().seq, Seq(1));
}

fn conditions_are_on_exact_values<S: Store>() {
    let store = S::new();
    let engine = store.engine();
    engine.commit(put("a", "1").only_if("a", None)).unwrap();
    engine
        .commit(put("empty", "").only_if("empty", None))
        .unwrap();

    for (key, expected, holds) in [
        ("a", Some("1"), true),
        ("a", Some("10"), false),
        ("a", Some(""), false),
        ("a", None, false),
        ("b", None, true),
        ("b", Some(""), false),
        ("empty", Some(""), true),
        ("empty", None, false),
    ] {
        let answer = engine.commit(Batch::default().only_if(key, expected));
        assert_eq!(answer.is_ok(), holds, "{key} {expected:?}: {answer:?}");
        let among_others = Batch::default()
            .only_if("a", Some("1"))
            .only_if("b", None)
            .only_if(key, expected);
        assert_eq!(
            engine.commit(among_others).is_ok(),
            holds,
            "{key} {expected:?}"
        );
    }
    engine
        .commit(Batch::default().and_delete("never there"))
        .unwrap();
}

fn the_log_is_a_chain_without_gaps<S: Store>() {
    let store = S::new();
    let engine = store.engine();
    assert_eq!(
        engine.head(),
        Head {
            seq: Seq(0),
            digest: [0; 32],
            at: Timestamp::EPOCH
        }
    );

    store.clock().set(1_000);
    let first = engine
        .commit(put("a", "1").and_log("one").and_log("two"))
        .unwrap();
    store.clock().set(2_000);
    let quiet = engine.commit(put("a", "2")).unwrap();
    store.clock().set(3_000);
    let last = engine.commit(Batch::default().and_log("three")).unwrap();

    assert_eq!((first.seq, quiet.seq, last.seq), (Seq(2), Seq(2), Seq(3)));
    assert_eq!(
        (first.at.millis(), quiet.at.millis(), last.at.millis()),
        (1_000, 2_000, 3_000)
    );
    let events = whole_log(engine);
    assert_eq!(bodies(&events), ["one", "two", "three"]);
    assert_eq!(
        events.iter().map(|e| e.at.millis()).collect::<Vec<_>>(),
        [1_000, 1_000, 3_000]
    );
    assert_chain(engine);
}

fn changes_come_in_pages<S: Store>() {
    let store = S::new();
    let engine = store.engine();
    for n in 1..=300 {
        engine
            .commit(Batch::default().and_log(&n.to_string()))
            .unwrap();
    }
    // The row that stands right behind the log.
    engine
        .commit(Batch {
            puts: vec![(vec![0x08], vec![])],
            ..Batch::default()
        })
        .unwrap();
    let page = |since, limit| bodies(&engine.changes(Seq(since), limit).unwrap());
    assert_eq!(page(0, 2), ["1", "2"]);
    assert_eq!(
        page(254, 3),
        ["255", "256", "257"],
        "over a byte of the number"
    );
    assert_eq!(page(298, 9), ["299", "300"]);
    assert!(page(300, 9).is_empty());
    assert!(page(u64::MAX, 9).is_empty());
    assert!(page(0, 0).is_empty());
    assert_eq!(page(0, usize::MAX).len(), 300);
}

fn time_never_runs_backwards<S: Store>() {
    let mut store = S::new();
    let commit = |store: &S, at, batch| {
        store.clock().set(at);
        store.engine().commit(batch).unwrap().at.millis()
    };
    assert_eq!(commit(&store, 5_000, Batch::default().and_log("a")), 5_000);
    assert_eq!(commit(&store, 4_000, Batch::default().and_log("b")), 5_000);
    assert_eq!(commit(&store, 6_000, put("a", "1")), 6_000);
    store.restart();
    assert_eq!(
        store.engine().head().at.millis(),
        5_000,
        "of the newest event"
    );
    assert_eq!(
        commit(&store, 1_000, Batch::default().and_log("c")),
        6_000,
        "of the newest batch"
    );
    assert_chain(store.engine());
}

fn threads_that_race_for_a_row_lose_no_update<S: Store>() {
    const THREADS: usize = 8;
    const COMMITS: usize = 40;
    let store = S::new();
    let engine = store.engine();
    engine.commit(put("counter", "0")).unwrap();

    let count_up = |name: usize| {
        (0..COMMITS).map(move |n| {
            loop {
                let before = text(engine.get(&key("counter")).unwrap().unwrap());
                let after = (before.parse::<usize>().unwrap() + 1).to_string();
                let batch = put("counter", &after)
                    .only_if("counter", Some(&before))
                    .and_put(&format!("{name}/{n}"), &after)
                    .and_log(&format!("{name}/{n} made it {after}"));
                match engine.commit(batch) {
                    Ok(committed) => break (committed.seq, format!("{name}/{n} made it {after}")),
                    Err(CommitError::Conflict) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        })
    };
    let mut reported: Vec<(Seq, String)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|name| scope.spawn(move || count_up(name).collect::<Vec<_>>()))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });

    let total = THREADS * COMMITS;
    assert_eq!(
        text(engine.get(&key("counter")).unwrap().unwrap()),
        total.to_string()
    );
    let events = whole_log(engine);
    let made: Vec<_> = events.iter().map(|e| text(e.body.clone())).collect();
    for (n, body) in made.iter().enumerate() {
        assert!(
            body.ends_with(&format!(" made it {}", n + 1)),
            "event {} is {body:?}",
            n + 1
        );
    }
    reported.sort();
    let logged: Vec<_> = events.iter().map(|e| e.seq).zip(made).collect();
    assert_eq!(
        reported, logged,
        "each commit was told its own place in the log"
    );
    assert_eq!(contents(engine).len(), total + 1);
    assert_chain(engine);
}

fn a_snapshot_does_not_move<S: Store>() {
    let store = S::new();
    let engine = store.engine();
    engine.commit(put("a", "1").and_put("b", "1")).unwrap();
    let before = rows(&[("a", "1"), ("b", "1")]);
    let snapshot = engine.snapshot();
    engine
        .commit(put("a", "2").and_delete("b").and_put("c", "2"))
        .unwrap();

    assert_eq!(contents(&*snapshot), before);
    assert_eq!(snapshot.get(&key("a")), Ok(Some(b"1".to_vec())));
    let several = [key("c"), key("b"), key("a"), key("b")];
    let (one, two) = (Some(b"1".to_vec()), Some(b"2".to_vec()));
    assert_eq!(
        snapshot.multi_get(&several),
        Ok(vec![None, one.clone(), one.clone(), one])
    );
    assert_eq!(
        engine.multi_get(&several),
        Ok(vec![two.clone(), None, two, None])
    );
    assert_eq!(
        contents(&*engine.snapshot()),
        rows(&[("a", "2"), ("c", "2")])
    );

    let elsewhere = thread::scope(|scope| scope.spawn(|| contents(&*snapshot)).join().unwrap());
    assert_eq!(
        elsewhere, before,
        "a snapshot can be read from another thread"
    );
}

fn a_scan_keeps_to_its_bounds<S: Store>() {
    let store = S::new();
    let engine = store.engine();
    let batch = ["a", "ab", "b", "b\u{0}", "c"]
        .into_iter()
        .fold(Batch::default(), |batch, name| batch.and_put(name, name));
    engine.commit(batch).unwrap();
    engine
        .commit(Batch {
            puts: vec![(vec![0x20], vec![])],
            ..Batch::default()
        })
        .unwrap();

    let scan = |from: &str, to: &str, limit| -> Vec<String> {
        let rows = engine.scan(&key(from), &key(to), limit).unwrap();
        rows.into_iter().map(|(_, value)| text(value)).collect()
    };
    assert_eq!(
        scan("a", "c", 9),
        ["a", "ab", "b", "b\u{0}"],
        "from is in, to is not"
    );
    assert_eq!(scan("a", "b\u{0}", 9), ["a", "ab", "b"]);
    assert_eq!(scan("aa", "b", 9), ["ab"], "bounds need not be rows");
    assert_eq!(scan("a", "d", 2), ["a", "ab"]);
    assert_eq!(scan("", "d", usize::MAX).len(), 5);
    for (from, to, limit) in [("b", "b", 9), ("c", "a", 9), ("x", "z", 9), ("a", "c", 0)] {
        assert!(
            scan(from, to, limit).is_empty(),
            "{from} to {to}, at most {limit}"
        );
    }
    assert_eq!(engine.scan(&[0x10], &[0xff], 9).unwrap().len(), 6);
}

fn a_restart_keeps_everything<S: Store>() {
    let mut store = S::new();
    for n in 0..50 {
        let batch = put(&n.to_string(), "1").and_log(&n.to_string());
        store
            .engine()
            .commit(batch.and_delete(&(n - 3).to_string()))
            .unwrap();
    }
    let seen = |store: &S| {
        let engine = store.engine();
        (contents(engine), whole_log(engine), engine.head())
    };
    let before = seen(&store);
    store.restart();
    assert_eq!(seen(&store), before);
    store
        .engine()
        .commit(put("more", "1").and_log("more"))
        .unwrap();
    store.restart();
    assert_eq!(store.engine().head().seq, Seq(51));
    assert_chain(store.engine());
}

fn the_engines_own_rows_are_out_of_reach<S: Store>() {
    let mut store = S::new();
    store.engine().commit(put("a", "1").and_log("one")).unwrap();
    for key in [
        &b""[..],
        b"\x01format",
        b"\x02",
        b"\x03\0\0\0\0\0\0\0\x01",
        b"\x07",
        b"\xff",
    ] {
        for by_put in [true, false] {
            let mut batch = put("b", "1").and_log("two");
            if by_put {
                batch.puts.push((key.to_vec(), vec![0; 56]));
            } else {
                batch.deletes.push(key.to_vec());
            }
            let refused = store.engine().commit(batch);
            assert!(
                matches!(refused, Err(CommitError::Unavailable(_))),
                "{key:x?}: {refused:?}"
            );
        }
    }
    let twice = store.engine().commit(put("b", "1").and_delete("b"));
    assert!(
        matches!(twice, Err(CommitError::Unavailable(_))),
        "{twice:?}"
    );
    assert_eq!(contents(store.engine()), rows(&[("a", "1")]));
    store.restart();
    assert_eq!(bodies(&whole_log(store.engine())), ["one"]);
}

/// What a random script does.
#[derive(Debug, Clone)]
enum Step {
    Commit {
        expect: Vec<(u8, Option<u8>)>,
        write: BTreeMap<u8, Option<u8>>,
        events: u8,
    },
    Restart,
}

fn random_batches_do_what_a_plain_map_does<S: Store>() {
    let value = || prop::option::of(0u8..2);
    let commit = (
        prop::collection::vec((0u8..4, value()), 0..2),
        prop::collection::btree_map(0u8..4, value(), 0..4),
        0u8..3,
    );
    let step = prop_oneof![
        9 => commit.prop_map(|(expect, write, events)| Step::Commit { expect, write, events }),
        1 => Just(Step::Restart),
    ];
    let script = prop::collection::vec(step, 1..40);
    let config = Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&script, |script| run_against_map::<S>(&script))
        .unwrap();
}

fn run_against_map<S: Store>(script: &[Step]) -> Result<(), TestCaseError> {
    let mut store = S::new();
    let mut model = BTreeMap::<Vec<u8>, Vec<u8>>::new();
    let mut logged = 0;
    for step in script {
        let Step::Commit {
            expect,
            write,
            events,
        } = step
        else {
            store.restart();
            continue;
        };
        let name = |n: &u8| vec![0x10, *n];
        let stored = |value: &Option<u8>| value.map(|value| vec![value]);
        let expected = expect.iter().map(|(n, value)| (name(n), stored(value)));
        let batch = Batch {
            preconditions: expected.clone().collect(),
            puts: write
                .iter()
                .filter_map(|(n, v)| Some((name(n), stored(v)?)))
                .collect(),
            deletes: write
                .iter()
                .filter(|(_, v)| v.is_none())
                .map(|(n, _)| name(n))
                .collect(),
            events: vec![b"event".to_vec().into(); usize::from(*events)],
            ..Batch::default()
        };
        let holds = expected
            .clone()
            .all(|(key, value)| model.get(&key) == value.as_ref());
        match store.engine().commit(batch) {
            Ok(committed) => {
                prop_assert!(holds, "committed against {expect:?}");
                logged += u64::from(*events);
                prop_assert_eq!(committed.seq, Seq(logged));
                for (n, value) in write {
                    match stored(value) {
                        Some(value) => model.insert(name(n), value),
                        None => model.remove(&name(n)),
                    };
                }
            }
            Err(CommitError::Conflict) => prop_assert!(!holds, "a conflict with {expect:?}"),
            Err(other) => prop_assert!(false, "{other}"),
        }
        prop_assert_eq!(
            contents(store.engine()),
            model.clone().into_iter().collect::<Vec<_>>()
        );
        prop_assert_eq!(store.engine().head().seq, Seq(logged));
    }
    assert_chain(store.engine());
    Ok(())
}
