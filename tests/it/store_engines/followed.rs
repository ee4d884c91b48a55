//! What is kept in memory beside a store goes with it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use goodstanding::store::following::{Follower, Tables, Written};
use goodstanding::store::{Batch, Read, Table};

use super::Store;

const NUMBERS: Table<u32, u64> = Table::new(0x70, "numbers");
const OTHERS: Table<u32, u64> = Table::new(0x71, "others");

/// All numbers, as they were handed over.
#[derive(Default)]
struct Mirror(Mutex<BTreeMap<u32, u64>>, AtomicU64);

impl Mirror {
    fn rows(&self) -> BTreeMap<u32, u64> {
        self.0.lock().unwrap().clone()
    }
}

impl Follower for Mirror {
    fn follow(&self, written: &Written<'_>) {
        let mut rows = self.0.lock().unwrap();
        let before = self.1.swap(written.number(), Ordering::SeqCst);
        assert!(
            before < written.number(),
            "later groups have greater numbers"
        );
        for row in written.rows(&NUMBERS) {
            match row.expect("only numbers are written") {
                (key, Some(number)) => rows.insert(key, number),
                (key, None) => rows.remove(&key),
            };
        }
    }

    fn begin_anew(&self, number: u64) {
        self.0.lock().unwrap().clear();
        self.1.store(number, Ordering::SeqCst);
    }
}

fn numbers(read: &dyn Read) -> BTreeMap<u32, u64> {
    let rows = NUMBERS.scan(read, &[], None, usize::MAX).unwrap();
    rows.into_iter().collect()
}

fn set(key: u32, number: u64) -> Batch {
    let mut batch = Batch::default();
    NUMBERS.put(&mut batch, &key, &number);
    OTHERS.put(&mut batch, &key, &number);
    batch
}

pub(super) fn who_follows_has_what_was_acknowledged<S: Store>() {
    let store = S::new();
    let engine = store.engine();
    let mirror = Arc::new(Mirror::default());
    engine.follow(mirror.clone());
    let told = || engine.last_write(Tables::NONE.with(&NUMBERS));
    let number = || Some(mirror.1.load(Ordering::SeqCst));
    assert_eq!(number(), told(), "it begins where the store is");
    thread::scope(|scope| {
        for writer in 0..4 {
            let mirror = &mirror;
            scope.spawn(move || {
                for number in 0..50 {
                    engine.commit(set(writer, number)).unwrap();
                    assert_eq!(mirror.rows().get(&writer), Some(&number));
                    if number % 7 == 3 {
                        let mut gone = Batch::default();
                        NUMBERS.delete(&mut gone, &writer);
                        engine.commit(gone).unwrap();
                        assert_eq!(mirror.rows().get(&writer), None);
                    }
                }
            });
        }
    });
    assert_eq!(mirror.rows(), numbers(engine));
    assert_eq!(
        number(),
        told(),
        "what was handed over last is what was written last"
    );
    let refused = engine.commit(Batch {
        preconditions: vec![(vec![0x70], Some(vec![1]))],
        ..set(9, 9)
    });
    assert!(refused.is_err());
    assert_eq!(mirror.rows(), numbers(engine), "a conflict changes nothing");
}

pub(super) fn under_one_number_rows_are_the_same<S: Store>() {
    let store = S::new();
    let engine = store.engine();
    let (ones, both) = (
        Tables::NONE.with(&NUMBERS),
        Tables::NONE.with(&NUMBERS).with(&OTHERS),
    );
    let told = |read: &dyn Read, of| read.last_write(of).expect("these engines can tell");
    engine.commit(set(1, 1)).unwrap();
    let first = engine.snapshot();
    let mut other = Batch::default();
    OTHERS.put(&mut other, &1, &2);
    engine.commit(other).unwrap();
    let second = engine.snapshot();
    assert_eq!(told(&*first, ones), told(&*second, ones));
    assert_ne!(told(&*first, both), told(&*second, both));
    engine.commit(set(1, 1)).unwrap();
    assert_ne!(
        told(&*second, ones),
        told(engine, ones),
        "written again, be it the same"
    );
    assert_eq!(
        told(&*first, ones),
        told(&*second, ones),
        "a snapshot does not move"
    );

    // While others write, what was read under a number is what is read under it later.
    let seen = Mutex::new(BTreeMap::<u64, BTreeMap<u32, u64>>::new());
    thread::scope(|scope| {
        for thread in 0..4 {
            let seen = &seen;
            scope.spawn(move || {
                for number in 0..100 {
                    if thread < 2 {
                        engine.commit(set(thread, number)).unwrap();
                    }
                    let snapshot = engine.snapshot();
                    let (number, rows) = (told(&*snapshot, ones), numbers(&*snapshot));
                    let mut seen = seen.lock().unwrap();
                    let known = seen.entry(number).or_insert_with(|| rows.clone());
                    assert_eq!(*known, rows, "under number {number}");
                }
            });
        }
    });
}
