//! Several who change lists and several who look them up, all at the same time.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64};
#[cfg(feature = "rocksdb")]
use std::sync::{Condvar, Mutex};

use super::*;

/// Four lists. The first two are changed in one batch, and the others after each other.
const PAIRED: [u8; 2] = [0, 1];
const IN_TURN: [u8; 2] = [2, 3];

/// So many changes are made.
const CHANGES: u64 = 1_500;

/// Writes to an engine and looks up in a registry over it. Every entry of a list is its revision, cut to
/// eight bits, so that a mixture shows.
fn change_and_look(engine: &dyn Engine, registry: &Registry, others: Range<u8>, changes: u64) {
    let mut lists: Vec<Written> = (0..4).map(|_| Written::new(StatusSize::Eight)).collect();
    let mut batch = Batch::default();
    for (number, written) in (0..).zip(&lists) {
        written.opened(&mut batch, list(number));
    }
    engine.commit(batch).unwrap();
    let done = AtomicBool::new(false);
    let acknowledged = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for change in 1..=changes {
                let value = ((change + 1) % 256) as u8;
                let mut both = Batch::default();
                for number in PAIRED {
                    // Two entries, far from each other, have the same value at all times.
                    let written = &mut lists[usize::from(number)];
                    written.set(&mut both, list(number), 5, value);
                    let mut other = Batch::default();
                    written.revision -= 1;
                    written.set(&mut other, list(number), 99_999, value);
                    both.puts.extend(other.puts.into_iter().skip(1));
                    both.deletes.extend(other.deletes);
                }
                engine.commit(both).unwrap();
                for number in IN_TURN {
                    let mut one = Batch::default();
                    lists[usize::from(number)].set(&mut one, list(number), 5, value);
                    engine.commit(one).unwrap();
                }
                acknowledged.store(change, Ordering::SeqCst);
            }
            done.store(true, Ordering::SeqCst);
        });
        for _ in 0..3 {
            scope.spawn(|| {
                let mut last = 0;
                while !done.load(Ordering::SeqCst) {
                    last = look(registry, acknowledged.load(Ordering::SeqCst), last);
                    if let Some(other) = others.clone().nth(last as usize % others.len().max(1)) {
                        assert!(at_once(registry, &[(list(other), 0)])[0].is_ok());
                    }
                }
            });
        }
    });
}

/// Looks once, and answers how many changes were seen.
fn look(registry: &Registry, acknowledged: u64, last: u64) -> u64 {
    let places = [(0, 5), (1, 99_999), (1, 5), (0, 99_999), (2, 5), (3, 5)];
    let asked: Vec<_> = places
        .iter()
        .map(|(number, index)| (list(*number), *index))
        .collect();
    let said = at_once(registry, &asked);
    let said: Vec<(u8, u64)> = said
        .into_iter()
        .map(|one| one.map(|(status, revision, _)| (status, revision)).unwrap())
        .collect();
    let (_, revision) = said[0];
    let value = |revision: u64| {
        if revision == 1 {
            0
        } else {
            (revision % 256) as u8
        }
    };
    // Of one batch all or nothing is seen.
    assert!(
        said[..4]
            .iter()
            .all(|one| *one == (value(revision), revision)),
        "{said:?}"
    );
    // What was committed first is there where what came after it is.
    let [(_, first), (_, second)] = [said[4], said[5]];
    assert!(
        revision >= first && first >= second && second + 1 >= revision,
        "{said:?}"
    );
    assert!(
        said[4..]
            .iter()
            .all(|(status, revision)| *status == value(*revision))
    );
    assert!(
        revision > acknowledged && second > acknowledged,
        "{said:?}, acknowledged {acknowledged}"
    );
    assert!(revision > last, "what was seen is not taken back");
    // One by one, each is at least as new as what was seen before it.
    for ((_, before), one) in said.iter().zip(one_by_one(registry, &asked)) {
        let (status, revision, _) = one.unwrap();
        assert!(revision >= *before);
        assert_eq!(status, value(revision));
    }
    revision - 1
}

#[test]
fn what_is_committed_together_or_in_order_is_seen_so() {
    let engine = memory_engine();
    let registry = over(engine.clone(), 1 << 28);
    change_and_look(&*engine, &registry, 0..0, CHANGES);
}

/// There is room for some of them beside others that are asked for in turn, so that they come and go.
#[test]
fn lists_that_come_and_go_are_seen_so_too() {
    let engine = memory_engine();
    memory::full(&engine, 20..32, StatusSize::Eight);
    let most = List::most_bytes(&record(StatusSize::Eight)) as u64;
    let counting = Counting::new(engine);
    let registry = over(counting.clone(), 4 * most);
    change_and_look(&*counting, &registry, 20..32, CHANGES / 3);
    assert!(counting.loads.load(Ordering::SeqCst) > 12);
}

/// What is handed over waits here, once, until it is let on.
#[derive(Default)]
#[cfg(feature = "rocksdb")]
struct Gate {
    state: Mutex<(bool, bool)>,
    moved: Condvar,
}

#[cfg(feature = "rocksdb")]
impl Gate {
    fn close(&self) {
        *self.state.lock().unwrap() = (true, false);
    }

    /// Until something waits.
    fn wait_for_somebody(&self) {
        let state = self.state.lock().unwrap();
        drop(self.moved.wait_while(state, |(_, waits)| !*waits).unwrap());
    }

    fn open(&self) {
        self.state.lock().unwrap().0 = false;
        self.moved.notify_all();
    }

    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        if state.0 {
            state.1 = true;
            self.moved.notify_all();
            drop(self.moved.wait_while(state, |(closed, _)| *closed).unwrap());
        }
    }
}

#[cfg(feature = "rocksdb")]
struct Gated {
    gate: Arc<Gate>,
    to: Arc<dyn Follower>,
}

#[cfg(feature = "rocksdb")]
impl Follower for Gated {
    fn follow(&self, written: &crate::store::following::Written<'_>) {
        self.gate.pass();
        self.to.follow(written);
    }

    fn begin_anew(&self, number: u64) {
        self.to.begin_anew(number);
    }
}

/// A list that is loaded from a state that is ahead of the other lists in memory waits for them.
#[cfg(feature = "rocksdb")]
#[test]
fn a_list_is_loaded_to_the_state_of_the_others() {
    use crate::store::rocks::{Place, RocksEngine};

    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
    let engine = RocksEngine::open(&Place::within(folder.path(), [1; 16]), clock);
    let engine: Arc<dyn Engine> = Arc::new(engine.unwrap());
    let registry = over(engine.clone(), 1 << 28);
    change_and_look(&*engine, &registry, 0..0, 100);
    for round in 0..20 {
        let (kept, loaded) = (list(10 + 2 * round), list(11 + 2 * round));
        let mut both = [StatusSize::One; 2].map(Written::new);
        let mut batch = Batch::default();
        both[0].opened(&mut batch, kept);
        both[1].opened(&mut batch, loaded);
        engine.commit(batch).unwrap();
        let live = Arc::new(LiveLists::new(1 << 28));
        let gate = Arc::new(Gate::default());
        engine.follow(Arc::new(Gated {
            gate: gate.clone(),
            to: live.clone(),
        }));
        let mut registry = over(engine.clone(), 0);
        registry.live = live;
        assert_eq!(at_once(&registry, &[(kept, 7)])[0].as_ref().unwrap().0, 0);
        gate.close();
        std::thread::scope(|scope| {
            let writes = scope.spawn(|| {
                let mut batch = Batch::default();
                both[0].set(&mut batch, kept, 7, 1);
                both[1].set(&mut batch, loaded, 7, 1);
                engine.commit(batch).unwrap();
            });
            gate.wait_for_somebody();
            let looks = scope.spawn(|| at_once(&registry, &[(kept, 7), (loaded, 7)]));
            // It has begun to load, or would have an answer that it must not have.
            while !looks.is_finished() && registry.live.keeper().loading.is_empty() {
                std::thread::yield_now();
            }
            gate.open();
            writes.join().unwrap();
            let said = looks.join().unwrap();
            let said: Vec<u8> = said.into_iter().map(|one| one.unwrap().0).collect();
            assert!(said == [1, 1], "{said:?}");
        });
    }
}
