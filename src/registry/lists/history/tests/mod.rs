//! The past of lists: what it costs, what it leaves in the store, and what is not held.

mod model;
mod retention;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use super::*;
use crate::bitstring::StatusSize;
use crate::ids::ProfileId;
use crate::registry::testing::{self, operator};
use crate::registry::{
    Actor, MaySee, NewList, QuestionAnswer, Registry, Settings, StatusQuestion, StatusTarget,
    StatusUnknown, StatusUpdate,
};
use crate::status::{EntryMembers, ListMessages, StatusPurpose};
use crate::store::engine::{Batch, Engine, Row, StoreError};
use crate::store::event::{Event, EventKind};
use crate::store::memory::MemoryEngine;
use crate::store::tables::LISTS;
use crate::time::{Clock, ManualClock, Ttl};

/// A registry with a school, on a clock that the test holds.
struct Place {
    registry: Registry,
    engine: Arc<MemoryEngine>,
    clock: Arc<ManualClock>,
    school: ProfileId,
}

/// A clock that goes wherever it is set, backwards too.
struct Machine(AtomicI64);

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

impl Place {
    fn new() -> Self {
        let clock = testing::clock();
        Self::by(clock.clone(), clock)
    }

    /// `clock` gives the time of commits, `decides` that of decisions.
    fn by(clock: Arc<ManualClock>, decides: Arc<dyn Clock>) -> Self {
        let engine = Arc::new(MemoryEngine::new(clock.clone()));
        let settings = Settings {
            publish_before_acknowledging: false,
            ..testing::settings()
        };
        let registry = testing::over(engine.clone(), decides, 7, settings);
        let school = testing::school(&registry, "school");
        Self {
            registry,
            engine,
            clock,
            school,
        }
    }

    /// A list with `given_out` entries, of `size` bits each.
    fn list(&self, purpose: StatusPurpose, size: StatusSize, given_out: u64) -> (ListId, Vec<u64>) {
        let texts = (0..=size.maximum()).map(|value| format!("meaning {value}"));
        let messages = ListMessages::new(texts.collect()).unwrap();
        let entry = EntryMembers::new(&purpose, size, Some(messages), None).unwrap();
        let new = NewList {
            entry,
            ..NewList::usual(self.school, purpose)
        };
        let list = self.registry.create_list(&operator(), &new).unwrap().id;
        let allocated = self.registry.allocate(&operator(), list, given_out);
        let indexes = allocated.unwrap().indexes();
        (list, indexes.into_iter().map(|index| index.get()).collect())
    }

    /// Changes entries in one request; those that never go back are refused.
    fn sets(&self, list: ListId, updates: &[(u64, u64)]) {
        let updates = updates.iter().map(|(index, status)| StatusUpdate {
            target: StatusTarget::Index(*index),
            status: *status,
        });
        let made = self
            .registry
            .update_statuses(&operator(), list, updates.collect(), None);
        if let Err(error) = made {
            assert!(matches!(error, RegistryError::AllRefused(_)), "{error}");
        }
    }

    fn waits(&self, millis: u64) {
        self.clock.advance(Ttl::from_millis(millis));
    }

    /// What entries said at a moment: status and revision of each.
    fn asks(
        &self,
        list: ListId,
        indexes: &[u64],
        at: Option<Timestamp>,
    ) -> Vec<Result<(u8, u64), StatusUnknown>> {
        let list = self.registry.urls().list(list);
        let questions: Vec<_> = indexes
            .iter()
            .map(|index| StatusQuestion::Entry {
                list: list.clone(),
                index: *index,
            })
            .collect();
        let answers =
            self.registry
                .statuses(&questions, at, Some(Actor::operator()), MaySee::Nothing);
        let told = |answer| match answer {
            QuestionAnswer::Entry(answer) => answer.map(|said| (said.status, said.revision.0)),
            QuestionAnswer::Credential(_) => unreachable!("only entries are asked for"),
        };
        answers.unwrap().into_iter().map(told).collect()
    }

    fn rows(&self, tag: u8) -> Vec<Row> {
        self.engine.scan(&[tag], &[tag + 1], usize::MAX).unwrap()
    }
}

/// Counts what is asked of the store.
struct Counting<'a> {
    read: &'a dyn Read,
    asked: AtomicUsize,
    rows: AtomicUsize,
}

impl Counting<'_> {
    fn count(&self, rows: usize) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }
}

impl Read for Counting<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.count(1);
        self.read.get(key)
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.count(keys.len());
        self.read.multi_get(keys)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        let found = self.read.scan(from, to, limit)?;
        self.count(found.len());
        Ok(found)
    }
}

#[test]
fn a_look_into_the_past_costs_the_same_however_much_has_changed_since() {
    let place = Place::new();
    let (list, indexes) = place.list(StatusPurpose::Suspension, StatusSize::One, 900);
    let page: Vec<u64> = indexes.into_iter().filter(|index| *index < 8_192).collect();
    // A page that is not empty, so that nothing is whole but where it has to be.
    let all: Vec<_> = page.iter().map(|index| (*index, 1)).collect();
    place.sets(list, &all);
    let mut moments = Vec::new();
    for round in 0..500u64 {
        place.waits(60_000);
        place.sets(list, &[(page[0], round % 2)]);
        moments.push((place.clock.now(), round % 2));
    }
    let record = LISTS.get(&*place.engine, &list).unwrap().unwrap();
    let index = record.length().index(page[0]).unwrap();
    let most = moments.iter().map(|(at, status)| {
        let read = Counting {
            read: &*place.engine,
            asked: AtomicUsize::new(0),
            rows: AtomicUsize::new(0),
        };
        let Past::Was(answer) = entry_at(&read, list, &record, index, *at).unwrap() else {
            panic!("{at} is held");
        };
        assert_eq!(u64::from(answer.status), *status, "{at}");
        assert!(read.asked.into_inner() <= 4);
        read.rows.into_inner()
    });
    // One state of the list, the present page, and the past pages up to a whole one.
    let most = most.max().unwrap();
    assert_eq!(most, 2 + MOST_REPLAYED, "the bound, and it is met");
}

#[test]
fn a_change_of_many_leaves_less_than_its_event_and_a_change_of_one_few_bytes() {
    let place = Place::new();
    let (list, indexes) = place.list(StatusPurpose::Suspension, StatusSize::One, 100_000);
    let past = || -> usize {
        let rows = [0x39, 0x3a, 0x3b].map(|tag| place.rows(tag)).into_iter();
        let bytes = rows.flatten().map(|(key, value)| key.len() + value.len());
        bytes.sum()
    };
    let event = || {
        let logged = place.engine.head().seq.0 - 1;
        let events = place.engine.changes(crate::ids::Seq(logged), 1).unwrap();
        let kind = Event::decode(&events[0].body).unwrap().kind;
        assert!(matches!(kind, EventKind::StatusChanged { .. }), "{kind:?}");
        events[0].body.len()
    };
    for status in [1, 0] {
        place.waits(1_000);
        let before = past();
        let all: Vec<_> = indexes.iter().map(|index| (*index, status)).collect();
        place.sets(list, &all);
        let left = past() - before;
        // At most the sixteen pages as they were, with their keys.
        assert!(left <= 17_000, "{left} bytes");
        assert!(left < event() / 5, "{left} bytes");
    }
    place.sets(
        list,
        &indexes.iter().map(|index| (*index, 1)).collect::<Vec<_>>(),
    );
    let before = past();
    for index in &indexes[..3_200] {
        place.waits(1_000);
        place.sets(list, &[(*index, 0)]);
    }
    let each = (past() - before) / 3_200;
    assert!(each <= 90, "{each} bytes");
}

#[test]
fn callers_of_one_moment_leave_one_state_and_are_all_in_it() {
    let place = Place::new();
    let (list, indexes) = place.list(StatusPurpose::Revocation, StatusSize::One, 64);
    let before = place.clock.now();
    place.waits(1);
    std::thread::scope(|scope| {
        for index in &indexes {
            scope.spawn(|| place.sets(list, &[(*index, 1)]));
        }
    });
    let at = place.clock.now();
    place.waits(1);
    assert_eq!(place.rows(0x39).len(), 1, "one state is over");
    let then = place.asks(list, &indexes, Some(before));
    assert!(then.iter().all(|said| *said == Ok((0, 1))), "{then:?}");
    let then = place.asks(list, &indexes, Some(at));
    assert!(then.iter().all(|said| *said == Ok((1, 65))), "{then:?}");
}

#[test]
fn what_is_not_held_and_what_was_not_yet_are_told_apart() {
    let place = Place::new();
    place.waits(1_000);
    let (list, indexes) = place.list(StatusPurpose::Suspension, StatusSize::One, 1);
    let opened = place.clock.now();
    let moments: Vec<_> = [1, 0, 1]
        .into_iter()
        .map(|status| {
            place.waits(1_000);
            place.sets(list, &[(indexes[0], status)]);
            place.clock.now()
        })
        .collect();
    let ask = |at| place.asks(list, &indexes, Some(at)).remove(0);
    let url = place.registry.urls().list(list);
    let before = Timestamp::from_millis(opened.millis() - 1);
    let list_url = url.clone();
    assert_eq!(
        ask(before),
        Err(StatusUnknown::BeforeList {
            list: list_url,
            opened
        })
    );
    assert_eq!(ask(opened), Ok((0, 1)));

    // The oldest rows are removed, up to the state that the second change superseded.
    let mut batch = Batch::default();
    for (key, _) in place.rows(0x39).into_iter().take(2) {
        batch.deletes.push(key);
    }
    for (key, _) in place.rows(0x3a).into_iter().take(2) {
        batch.deletes.push(key);
    }
    place.engine.commit(batch).unwrap();
    for gone in [opened, moments[0]] {
        let list = url.clone();
        assert_eq!(ask(gone), Err(StatusUnknown::NotHeld { list, at: gone }));
    }
    assert_eq!(ask(moments[1]), Ok((0, 3)));
    assert_eq!(ask(moments[2]), Ok((1, 4)));
    assert!(matches!(ask(before), Err(StatusUnknown::BeforeList { .. })));
}

#[test]
fn a_lost_key_leaves_no_gap() {
    let place = Place::new();
    let (list, indexes) = place.list(StatusPurpose::Revocation, StatusSize::One, 2);
    let opened = place.clock.now();
    place.waits(1_000);
    place.sets(list, &[(indexes[0], 1)]);
    place.waits(1_000);
    let slug = "school".parse().unwrap();
    let key = place.registry.keys(&slug).unwrap()[0].id;
    let lost = place.registry.revoke_key(&operator(), &slug, key, opened);
    lost.unwrap();
    place.waits(1_000);
    place.sets(list, &[(indexes[1], 1)]);
    for (millis, said) in [
        (0, [(0, 1), (0, 1)]),
        (1_000, [(1, 2), (0, 2)]),
        (1_999, [(1, 2), (0, 2)]),
        (2_000, [(1, 2), (0, 2)]),
        (2_999, [(1, 2), (0, 2)]),
        (3_000, [(1, 3), (1, 3)]),
    ] {
        let at = opened.plus(Ttl::from_millis(millis));
        let then = place.asks(list, &indexes, Some(at));
        assert_eq!(then, said.map(Ok), "{millis}");
    }
    // Each state says from when to when it was in force, and they follow each other.
    let record = LISTS.get(&*place.engine, &list).unwrap().unwrap();
    let mut at = opened;
    let mut spans = Vec::new();
    loop {
        let Past::Was(state) = state_at(&*place.engine, list, &record, at).unwrap() else {
            panic!("{at} is held");
        };
        assert_eq!(state.since, at);
        spans.push(state.revision.0);
        match state.until {
            Some(until) => at = until,
            None => break,
        }
    }
    assert_eq!(spans, [1, 2, 2, 3]);
}

#[test]
fn the_past_is_in_order_where_the_clock_was_set_back() {
    let machine = Arc::new(Machine(AtomicI64::new(1_000)));
    let place = Place::by(
        Arc::new(ManualClock::new(Timestamp::EPOCH)),
        machine.clone(),
    );
    let (list, indexes) = place.list(StatusPurpose::Suspension, StatusSize::One, 1);
    for (millis, status) in [(9_000, 1), (5_000, 0), (12_000, 1)] {
        machine.0.store(millis, Ordering::Relaxed);
        place.sets(list, &[(indexes[0], status)]);
    }
    for (millis, said) in [
        (1_000, (0, 1)),
        (8_999, (0, 1)),
        (9_000, (0, 3)),
        (12_000, (1, 4)),
    ] {
        let at = Timestamp::from_millis(millis);
        assert_eq!(place.asks(list, &indexes, Some(at)), [Ok(said)], "{millis}");
    }
}
