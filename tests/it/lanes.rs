//! Many threads at once over an engine that takes its time, beside another registry over the same store:
//! what is decided before the disk has answered holds only where that is what the disk says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use goodstanding::entropy::SeededEntropy;
use goodstanding::ids::{ListId, ProfileId, Seq};
use goodstanding::registry::{
    Actor, Allocated, AllocationSettled, Change, EntriesWanted, Idempotency, NewList, NewProfile,
    Registry, RegistryError, Settings, StatusTarget, StatusUpdate, Updated,
};
use goodstanding::status::StatusPurpose;
use goodstanding::store::engine::{
    Batch, Engine, Head, LoggedEvent, Read, Row, Stopped, StoreError,
};
use goodstanding::store::following::Follower;
use goodstanding::store::memory::{Fault, MemoryEngine};
use goodstanding::store::queued::{Answering, Queued};
use goodstanding::store::tables::{ALLOCATION, LISTS, PAGES};
use goodstanding::time::{Clock, ManualClock};
use goodstanding::vc::sealing::MasterKey;

/// An engine that commits what was queued a little later, in its order.
struct Late {
    inner: Arc<MemoryEngine>,
    queue: Mutex<Sender<(Batch, Answering)>>,
}

impl Late {
    fn over(inner: &Arc<MemoryEngine>) -> Arc<Self> {
        let (queue, waiting) = mpsc::channel::<(Batch, Answering)>();
        let disk = inner.clone();
        thread::spawn(move || {
            for (number, (batch, answer)) in waiting.into_iter().enumerate() {
                // Others get on meanwhile, now more and now less.
                (0..number % 7).for_each(|_| thread::yield_now());
                answer.tell(disk.commit(batch));
            }
        });
        Arc::new(Self {
            inner: inner.clone(),
            queue: Mutex::new(queue),
        })
    }
}

impl Read for Late {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(key)
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.inner.multi_get(keys)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.inner.scan(from, to, limit)
    }
}

impl Engine for Late {
    fn snapshot(&self) -> Box<dyn Read + '_> {
        self.inner.snapshot()
    }

    fn queue(&self, batch: Batch) -> Queued {
        let (answer, queued) = Queued::waits();
        self.queue.lock().unwrap().send((batch, answer)).unwrap();
        queued
    }

    fn follow(&self, follower: Arc<dyn Follower>) {
        self.inner.follow(follower);
    }

    fn takes_writes(&self) -> Result<(), Stopped> {
        self.inner.takes_writes()
    }

    fn epoch(&self) -> u32 {
        self.inner.epoch()
    }

    fn purge(&self, ranges: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
        self.inner.purge(ranges)
    }

    fn copy_to(&self, folder: &Path) -> Result<(), StoreError> {
        self.inner.copy_to(folder)
    }

    fn head(&self) -> Head {
        self.inner.head()
    }

    fn changes(&self, since: Seq, limit: usize) -> Result<Vec<LoggedEvent>, StoreError> {
        self.inner.changes(since, limit)
    }

    fn changes_of(
        &self,
        who: u32,
        since: Seq,
        limit: usize,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        self.inner.changes_of(who, since, limit)
    }
}

/// Two registries over one store, with a list.
struct Place {
    store: Arc<MemoryEngine>,
    late: Registry,
    other: Registry,
    list: ListId,
}

impl Place {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new("2026-03-01T09:00:00Z".parse().unwrap()));
        let store = Arc::new(MemoryEngine::new(clock.clone()));
        let open = |engine: Arc<dyn Engine>, clock: Arc<dyn Clock>, seed: u64| {
            let settings = Settings {
                publish_before_acknowledging: false,
                ..Settings::usual("https://registry.example")
            };
            let master = MasterKey::generate(&SeededEntropy::new(0));
            let entropy = Arc::new(SeededEntropy::new(seed));
            Registry::open(engine, clock, entropy, master, settings).unwrap()
        };
        let other = open(store.clone(), clock.clone(), 1);
        let late = open(Late::over(&store), clock, 2);
        let list = opens_list(&late);
        Self {
            store,
            late,
            other,
            list,
        }
    }

    fn revoked(&self) -> BTreeSet<u64> {
        let rows = PAGES.scan(&*self.store, self.list.as_bytes(), None, usize::MAX);
        let ones = rows.unwrap().into_iter().flat_map(|((_, page), bytes)| {
            let first = u64::from(page) * 8_192;
            (0..8_192).filter_map(move |bit: u64| {
                let one = bytes[bit as usize / 8] & (0x80 >> (bit % 8)) != 0;
                one.then_some(first + bit)
            })
        });
        ones.collect()
    }

    fn counter(&self) -> u64 {
        let list = LISTS.get(&*self.store, &self.list).unwrap().unwrap();
        let counter = ALLOCATION.get(&*self.store, &list.space).unwrap();
        counter.unwrap_or(0)
    }
}

fn opens_list(registry: &Registry) -> ListId {
    let new = NewProfile::usual("school".parse().unwrap(), "A school");
    let operator = Change::by(Actor::operator());
    let school: ProfileId = registry.create_profile(&operator, &new).unwrap().id;
    let new = NewList::usual(school, StatusPurpose::Revocation);
    registry.create_list(&operator, &new).unwrap().id
}

fn keyed(key: &str) -> Change {
    let actor = Actor::operator();
    Change {
        idempotency: Some(Idempotency::new(actor, key, &[key.as_bytes()])),
        ..Change::by(actor)
    }
}

fn numbers(allocated: &Allocated) -> Vec<u64> {
    let indexes = allocated.indexes().into_iter();
    indexes.map(|index| index.get()).collect()
}

fn revoke(
    registry: &Registry,
    key: &str,
    list: ListId,
    index: u64,
) -> Result<Updated, RegistryError> {
    let update = StatusUpdate {
        target: StatusTarget::Index(index),
        status: 1,
    };
    registry.update_statuses(&keyed(key), list, vec![update], None)
}

const THREADS: usize = 8;
const ROUNDS: usize = 40;

#[test]
fn threads_that_do_not_wait_for_the_disk_lose_nothing_to_each_other_or_to_others() {
    let place = Place::new();
    let one = |thread: usize| {
        // One in four goes to the other registry, whose commits come in between.
        let registry = if thread % 4 == 3 {
            &place.other
        } else {
            &place.late
        };
        let mut told = Vec::new();
        for round in 0..ROUNDS {
            let key = format!("{thread}-{round}");
            let given = match round % 3 {
                0 => {
                    let ids = [format!("urn:x:{key}"), format!("urn:y:{key}")];
                    registry.allocate_for(&keyed(&key), place.list, &ids)
                }
                _ => registry.allocate(&keyed(&key), place.list, 1 + round as u64 % 5),
            };
            let given = numbers(&given.expect("nobody is told to come back"));
            let updated = revoke(registry, &format!("r{key}"), place.list, given[0]).unwrap();
            let again = revoke(registry, &format!("r{key}"), place.list, given[0]).unwrap();
            assert_eq!(again, updated, "asked again it is the same");
            told.push((given, updated.revision.0));
        }
        told
    };
    let told: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|n| scope.spawn(move || one(n))).collect();
        let told = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap());
        told.collect()
    });
    let given: Vec<u64> = told.iter().flat_map(|(given, _)| given.clone()).collect();
    let distinct: BTreeSet<u64> = given.iter().copied().collect();
    assert_eq!(
        (given.len(), place.counter()),
        (distinct.len(), given.len() as u64)
    );
    let revisions: BTreeSet<u64> = told.iter().map(|(_, revision)| *revision).collect();
    assert!(revisions.into_iter().eq(2..=1 + (THREADS * ROUNDS) as u64));
    let revoked: BTreeSet<u64> = told.iter().map(|(given, _)| given[0]).collect();
    assert_eq!(place.revoked(), revoked);
}

/// All ask at once and none waits; what became of it is heard from the thread that commits.
#[test]
fn what_is_asked_for_without_waiting_is_given_out_once() {
    let place = Place::new();
    let (tell, told) = mpsc::channel();
    let ask = |key: usize| {
        let tell = tell.clone();
        let wanted = EntriesWanted::Count(1 + key as u64 % 3);
        let hear = move |settled| tell.send((key, settled)).unwrap();
        let change = keyed(&format!("k{key}"));
        place
            .late
            .ask_to_allocate(&change, place.list, wanted, hear);
    };
    let mut others = 0;
    for key in 0..ROUNDS * THREADS {
        ask(key);
        if key % 16 == 7 {
            // Comes in between, so that what was decided on before it falls.
            let given = place
                .other
                .allocate(&keyed(&format!("o{key}")), place.list, 2);
            others += given.unwrap().indexes().len() as u64;
        }
    }
    let mut answers = BTreeMap::new();
    while answers.len() < ROUNDS * THREADS {
        let (key, settled): (usize, AllocationSettled) = told.recv().unwrap();
        match settled.told(&place.late) {
            Some(answer) => assert!(answers.insert(key, answer.unwrap()).is_none()),
            None => ask(key),
        }
    }
    let mut given = BTreeSet::new();
    for (key, answer) in &answers {
        let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
        let entries = answer["entries"].as_array().unwrap();
        assert_eq!(entries.len(), 1 + key % 3);
        for entry in entries {
            let index = entry["statusListIndex"].as_str().unwrap().to_owned();
            assert!(given.insert(index), "an index was given out twice");
        }
    }
    assert_eq!(place.counter(), given.len() as u64 + others);
    // Under its key each is answered as it was.
    for key in [0, 7, 63] {
        let (change, count) = (keyed(&format!("k{key}")), 1 + key as u64 % 3);
        let again = place.late.allocate(&change, place.list, count).unwrap();
        assert_eq!(again.answer(&place.late).unwrap(), answers[&key]);
    }
    // Nobody is told of what cannot be given out.
    let hear = move |settled| tell.send((0, settled)).unwrap();
    let wanted = EntriesWanted::Count(0);
    let late = &place.late;
    late.ask_to_allocate(&keyed("none"), place.list, wanted, hear);
    let (_, refused) = told.recv().unwrap();
    assert!(matches!(
        refused.told(late),
        Some(Err(RegistryError::Invalid { .. }))
    ));
}

/// Each fault, at some commits of many: whoever asks again under its key until it is told gets one answer, and
/// what was acknowledged stands.
#[test]
fn whatever_commits_meet_nothing_is_given_out_twice() {
    for (seed, fault) in [
        Fault::LoseAndReportFailed,
        Fault::PersistButReportFailed,
        Fault::AnchorButReportFailed,
        Fault::TearAnchor,
        Fault::Refuse,
        Fault::NoSpace,
    ]
    .into_iter()
    .enumerate()
    {
        let place = Place::new();
        let commits = AtomicUsize::new(0);
        place.store.set_fault_hook(move |_, _| {
            let number = commits.fetch_add(1, Ordering::Relaxed);
            match (number * 31 + seed) % 23 {
                0 => fault,
                _ => Fault::Proceed,
            }
        });
        let until_told = |work: &dyn Fn() -> Result<Vec<u64>, RegistryError>| loop {
            match work() {
                Ok(done) => return done,
                Err(RegistryError::Contended) => panic!("nobody is told to come back"),
                // As a restart does, where nobody did so before.
                Err(_) if place.store.takes_writes().is_err() => drop(place.store.reopen()),
                Err(_) => thread::yield_now(),
            }
        };
        let one = |thread: usize| {
            let mut told = BTreeMap::new();
            for round in 0..ROUNDS / 2 {
                let key = format!("{thread}-{round}");
                let allocate = || {
                    let given = place.late.allocate(&keyed(&key), place.list, 3)?;
                    Ok(numbers(&given))
                };
                let given = until_told(&allocate);
                let first = given[0];
                let set = || {
                    let done = revoke(&place.late, &format!("r{key}"), place.list, first)?;
                    Ok(vec![done.revision.0])
                };
                told.insert(first, until_told(&set));
                told.extend(given[1..].iter().map(|index| (*index, Vec::new())));
            }
            told
        };
        let told: Vec<_> = thread::scope(|scope| {
            let one = &one;
            let threads: Vec<_> = (0..4).map(|n| scope.spawn(move || one(n))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        let count: usize = told.iter().map(BTreeMap::len).sum();
        let all: BTreeMap<u64, Vec<u64>> = told.into_iter().flatten().collect();
        assert_eq!(
            (all.len(), count),
            (4 * ROUNDS / 2 * 3, 4 * ROUNDS / 2 * 3),
            "{fault:?}"
        );
        assert_eq!(
            place.counter(),
            count as u64,
            "{fault:?}: each was given out once"
        );
        let set = all.iter().filter(|(_, revision)| !revision.is_empty());
        assert_eq!(
            place.revoked(),
            set.map(|(index, _)| *index).collect(),
            "{fault:?}"
        );
    }
}
